"""What an approved application does to the money: charity on the covered visits, what was paid above it goes back.

Covered are the visits of the policy's months before the patient asked, up to the decision, once every payer of them has
answered. The discount is of the patient's whole part, paid or not (26 CFR 1.501(r)-6(c)(6)): where more was paid than
is left to pay, $5 and more go back by refunds; less stays as credit. Each visit is given to once per application.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import cases, placement_money, refunds, write_offs
from billing import payment_status as life
from billing.figures import VisitFigures, account_figures
from billing.money import dollars
from billing.plan_schedule import add_months
from billing.store import collection_queries as store
from billing.store import credit_queries, payment_queries
from billing.store.tables import AssistanceApplication
from config.dunning_policy import AssistancePolicy
from config.practice import PracticePolicy

SOURCE = "assistance"

_STANDS = frozenset({life.SUCCEEDED, life.PARTLY_REFUNDED})


def give(session: Session, row: AssistanceApplication, policy: PracticePolicy, written: AssistancePolicy, *, by: str,
         now: datetime) -> int:
    """Post the discount on every covered visit that has not had it; return how many. The guarantor is locked."""
    if row.discount_percent is None or row.decided_at is None:
        return 0
    today = policy.local_day(now)
    first, last = add_months(row.asked_on, -written.covers_months_back), policy.local_day(row.decided_at)
    given = {posted.visit_id for posted in store.posted_under(session, row.practice_id, SOURCE, row.id)}
    covered = [v.visit_id for v in account_figures(session, row.guarantor_id, today).visits
               if _is_covered(v, first, last) and v.visit_id not in given]
    for visit_id in covered:
        _recall(session, row, visit_id, policy, today, now)
    over: dict[str, int] = {}
    parts = []
    for visit_id, part_minor, owed_minor in _bases(session, row.guarantor_id, covered, today):
        forgiven = (part_minor * row.discount_percent + 50) // 100
        if forgiven > 0:
            parts.append((visit_id, forgiven))
            over[visit_id] = max(forgiven - owed_minor, 0)
    if not parts:
        return 0
    write_offs.post(session, row.practice_id, row.guarantor_id, parts, account="charity", code="charity", source=SOURCE,
                    ref=row.id, reason="assistance", policy=policy, now=now)
    row.forgiven_minor += sum(minor for _, minor in parts)
    if sum(over.values()) >= written.refund_from_minor:
        _refund(session, row, over, policy, by, now)
    session.flush()
    return len(parts)


def _is_covered(visit: VisitFigures, first: date, last: date) -> bool:
    return (not visit.void and not visit.confidential and visit.service_on is not None
            and first <= visit.service_on <= last and visit.figures.pending_minor == 0
            and not any(c.status == "pending" for c in visit.coverages))


def _bases(session: Session, guarantor_id: str, covered: list[str], today: date) -> list[tuple[str, int, int]]:
    """(visit, the patient's whole part, what of it is still owed), in cents."""
    found = []
    for visit in account_figures(session, guarantor_id, today).visits:
        if visit.visit_id in covered:
            owed = max(visit.figures.patient_minor, 0)
            paid = sum(minor for _, minor in credit_queries.payments_on_visit(
                session, guarantor_id, visit.visit_id, _STANDS))
            found.append((visit.visit_id, owed + max(paid - max(visit.figures.credit_minor, 0), 0), owed))
    return found


def _recall(session: Session, row: AssistanceApplication, visit_id: str, policy: PracticePolicy, today: date,
            now: datetime) -> None:
    """Charity is no debt: what is at an agency comes back before the discount is worked out."""
    placed = store.live_on(session, [visit_id]).get(visit_id)
    if placed is not None:
        placement_money.take_back(session, placed, placed.left_minor, f"assistance:{row.id}", "recalled",
                                  currency=policy.currency, on=today, now=now, reason="assistance")
        placement_money.end(session, placed, placement_money.RECALLED, by="plainbill", reason="assistance", on=today,
                            now=now)


def _refund(session: Session, row: AssistanceApplication, over: dict[str, int], policy: PracticePolicy, by: str,
            now: datetime) -> None:
    """Each payment gives back what its visit has too much, newest first; what none can give comes before a person."""
    rest = 0
    for visit_id, minor in over.items():
        left = minor
        for payment_id, paid in credit_queries.payments_on_visit(session, row.guarantor_id, visit_id, _STANDS):
            payment = payment_queries.lock_payment(session, row.practice_id, payment_id)
            share = min(left, paid, refunds.left_to_refund(session, payment)) if payment is not None else 0
            if payment is not None and share > 0:
                refunds.ask(session, practice_id=row.practice_id, payment_id=payment_id, amount_minor=share,
                            tender="check" if payment.processor in ("manual", "agency") else "original",
                            reason="assistance", note="", by=by, dedupe=f"{row.id}:{visit_id}:{payment_id}",
                            policy=policy, now=now)
                row.refund_minor += share
                left -= share
        rest += left
    if rest:
        cases.open_case(session, row.practice_id, kind="assistance_refund", now=now,
                        title="Money is to go back after assistance, and no payment can give it",
                        detail=f"{dollars(rest)} after application {row.number} (26 CFR 1.501(r)-6(c)(6))",
                        dedupe=f"assistance_refund:{row.id}", guarantor_id=row.guarantor_id)


def tell_agencies(session: Session, row: AssistanceApplication, kind: str, today: date, now: datetime) -> None:
    """An agency stops while an application is decided and goes on after (T-44: suspended, resumed)."""
    for placed in store.placements_of(session, row.guarantor_id):
        events = [e for e in store.events_of(session, placed.id) if e.reason == "assistance"]
        if (events[-1].kind if events else "resumed") != kind:
            placement_money.note(session, placed, kind, 0, today, now, reason="assistance")
