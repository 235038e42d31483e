"""Credit that nobody needs: whose it is, where it came from, by when federal payers' money has to be reported.

Credit is used on what is due, or given back (receivables.md D3); nothing of it is ever kept by waiting. Money of
Medicare and Medicaid is reported and returned within 60 days after it was identified (42 CFR 401.305(b)); the day it
came into these books is taken as the day it was identified, which is never too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, cases, closing, ledger
from billing import payment_status as life
from billing.credit_lines import credits as credits_of
from billing.dues import due_visits, local_day
from billing.ledger import Posting
from billing.money import dollars
from billing.payment_news import TITLES
from billing.payment_places import MUST_NOT_KEEP
from billing.reallocation import reallocate
from billing.settlement import settle
from billing.store import credit_queries as store
from billing.store import payment_queries

_STANDS = frozenset({life.SUCCEEDED, life.PARTLY_REFUNDED})


def flag_federal(session: Session, practice_id: str, now: datetime) -> int:
    """Open a case, once, for each account whose credit is a federal payer's concern; return how many there are."""
    lines = [line for line in credits_of(session, practice_id) if line.federal]
    for line in lines:
        key = f"overpayment_federal:{line.guarantor_id}:{line.since_on.isoformat()}"
        if not store.was_opened(session, practice_id, key):
            cases.open_case(
                session, practice_id, kind="overpayment_federal", title=TITLES["overpayment_federal"], now=now,
                detail=f"{dollars(line.amount_minor)} of credit since {line.since_on}; report and return by "
                       f"{line.report_by_on} (42 CFR 401.305)", dedupe=key, guarantor_id=line.guarantor_id)
    return len(lines)


def apply_credit(session: Session, practice_id: str, guarantor_id: str, by: str, now: datetime) -> int:
    """Use an account's credit on what is due now, oldest first; return the cents that were used.

    The payments that the credit came from are put on those visits; what is being refunded already stays where it is.
    """
    payment_queries.lock_guarantor(session, guarantor_id)
    barred = payment_queries.open_holds(session, guarantor_id, MUST_NOT_KEEP)
    there = -ledger.balance(session, practice_id, ledger.credit(guarantor_id))
    left = start = max(there - store.being_refunded(session, guarantor_id), 0)
    if None in barred:
        return 0
    for visit_id, due in due_visits(session, practice_id, guarantor_id, now):
        if visit_id not in barred and left > 0:
            left -= _use(session, practice_id, guarantor_id, visit_id, min(due, left), by, now)
    if left != start:
        audit.record(session, practice_id, by, "credit_applied", "account", guarantor_id, "", now)
    return start - left


def _use(session: Session, practice_id: str, guarantor_id: str, visit_id: str, wanted: int, by: str,
         now: datetime) -> int:
    left = wanted
    for payment_id, source, minor in _movable(session, guarantor_id):
        share = min(minor, left)
        if share > 0:
            _shift(session, practice_id, payment_id, source, visit_id, share, by, now)
            left -= share
    if left > 0:
        _post_directly(session, practice_id, guarantor_id, visit_id, left, now)
    return wanted


def _movable(session: Session, guarantor_id: str) -> Sequence[tuple[str, str | None, int]]:
    """(payment, where its money lies, cents of it that are credit): on credit itself, or on a visit that gave it up."""
    found: list[tuple[str, str | None, int]] = [
        (payment, None, minor) for payment, minor in store.payments_on_credit(session, guarantor_id, _STANDS)]
    for visit, gave in store.visits_that_gave(session, guarantor_id):
        left = gave
        for payment, paid in store.payments_on_visit(session, guarantor_id, visit, _STANDS):
            share = min(left, paid)
            if share > 0:
                found.append((payment, visit, share))
                left -= share
    return found


def _shift(session: Session, practice_id: str, payment_id: str, source: str | None, visit_id: str, minor: int,
           by: str, now: datetime) -> None:
    parts: dict[str | None, int] = {net.visit_id: net.amount_minor
                                    for net in payment_queries.net_of_payment(session, payment_id)}
    parts[source] = parts.get(source, 0) - minor
    parts[visit_id] = parts.get(visit_id, 0) + minor
    reallocate(session, practice_id, payment_id, [(v, m) for v, m in parts.items() if m > 0], by=by,
               reason="credit used on what is due", now=now)


def _post_directly(session: Session, practice_id: str, guarantor_id: str, visit_id: str, minor: int,
                   now: datetime) -> None:
    """Credit that came from no payment of ours: an opening balance, or an import."""
    on = closing.open_day(session, practice_id, local_day(session, practice_id, now))
    newest = store.newest_of_visit(session, visit_id)
    ledger.post(session, [Posting(
        practice_id, ledger.credit(guarantor_id), ledger.patient(visit_id), minor, store.currency(session, practice_id),
        "from_credit", on, "settle", f"apply:{visit_id}:{newest}", guarantor_id, visit_id)], now)
    settle(session, practice_id, {visit_id}, now=now, today=on)
