"""A payment's money put elsewhere: by reversing entries, with a person and a reason, never by changing a row (D3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import audit, closing, ledger, plan_money
from billing import payment_status as life
from billing.allocation import Part
from billing.dues import local_day
from billing.money import dollars
from billing.payment_posting import next_ref, post_moved
from billing.store import payment_queries as store
from billing.store.ledger_queries import TransferRow
from billing.store.tables import Payment

_STANDS = frozenset({life.SUCCEEDED, life.PARTLY_REFUNDED})


class ReallocationRefused(ValueError):
    """Money that cannot be put there. The text says why."""


def reallocate(session: Session, practice_id: str, payment_id: str, parts: Sequence[tuple[str | None, int]], *,
               by: str, reason: str, now: datetime) -> Payment:
    """Put what a payment still pays on ``parts`` ((visit id, cents); None is the account's credit) instead.

    The parts sum to what the payment has given and not got back. Only what differs is reversed and posted anew, on
    the first day that is not closed. Doing the same twice changes nothing. Raises ReallocationRefused.
    """
    payment = store.lock_payment(session, practice_id, payment_id)
    if payment is None or payment.status not in _STANDS:
        raise ReallocationRefused("only a payment that stands can be put elsewhere")
    if not reason.strip():
        raise ReallocationRefused("putting money elsewhere needs its reason")
    wanted = dict(parts)
    now_at = {net.visit_id: net.amount_minor for net in store.net_of_payment(session, payment.id)}
    _check(session, payment, parts, wanted, now_at)
    moved = [visit for visit in {*wanted, *now_at} if wanted.get(visit, 0) != now_at.get(visit, 0)]
    if moved:
        _move(session, payment, moved, wanted, now_at, now)
        audit.record(session, practice_id, by, "payment_reallocated", "payment", payment.id, reason, now)
    return payment


def _check(session: Session, payment: Payment, parts: Sequence[tuple[str | None, int]],
           wanted: Mapping[str | None, int], now_at: Mapping[str | None, int]) -> None:
    if len(wanted) != len(parts) or any(minor <= 0 for _, minor in parts):
        raise ReallocationRefused("each visit is named once, with an amount above nothing")
    total = sum(now_at.values())
    if sum(wanted.values()) != total:
        raise ReallocationRefused(f"the parts come to {dollars(sum(wanted.values()))}; this payment stands at "
                                  f"{dollars(total)}")
    named = [visit for visit in wanted if visit is not None]
    if len(store.owned_visits(session, payment.guarantor_id, named)) != len(named):
        raise ReallocationRefused("a payment pays visits of its own account only")
    used = now_at.get(None, 0) - wanted.get(None, 0)
    there = -ledger.balance(session, payment.practice_id, ledger.credit(payment.guarantor_id))
    if used > there:
        raise ReallocationRefused(f"of this payment's credit only {dollars(max(there, 0))} is still there")


def _move(session: Session, payment: Payment, moved: Sequence[str | None], wanted: Mapping[str | None, int],
          now_at: Mapping[str | None, int], now: datetime) -> None:
    on = closing.open_day(session, payment.practice_id, local_day(session, payment.practice_id, now))
    rows = [row for row in store.standing_payments(session, payment.id) if _visit_of(row) in moved]
    gross: dict[str | None, int] = {}
    for row in rows:
        gross[_visit_of(row)] = gross.get(_visit_of(row), 0) + row.amount_minor
    # What was given back of a visit stays given back of it: the new posting covers that, too.
    again = {visit: wanted.get(visit, 0) + gross.get(visit, 0) - now_at.get(visit, 0) for visit in moved}
    _post(session, payment, rows, [Part(visit, minor) for visit, minor in again.items() if minor > 0], on, now)
    plan_money.note_back(session, payment, now)
    gained = [Part(visit, wanted[visit] - now_at.get(visit, 0)) for visit in moved
              if visit is not None and wanted.get(visit, 0) > now_at.get(visit, 0)]
    plan_money.note_paid(session, payment, gained, now)


def _post(session: Session, payment: Payment, rows: Sequence[TransferRow], parts: Sequence[Part], on: date,
          now: datetime) -> None:
    ref = next_ref(session, payment, "moved")
    source = "desk" if payment.processor == "manual" else "payment"
    reversing = ledger.reversals(session, rows, source=source, ref=f"{payment.id}:{ref}:undo", effective_on=on)
    post_moved(session, payment, reversing, parts, ref, on, now)


def _visit_of(row: TransferRow) -> str | None:
    return row.credit.visit_id if row.credit.key.startswith("patient:") else None
