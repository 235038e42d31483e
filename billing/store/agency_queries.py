"""SQL of the file to an agency: who is meant, and what was said to them about a visit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import ContactPoint, Guarantor, Hold, Outbox, Statement, Visit


@dataclass(frozen=True, slots=True)
class About:
    """All that an agency is told of a person, and no more (T-32): no birth date, no diagnosis, no procedure."""

    account: str
    visit: str
    service_on: date | None
    name: str
    address: str
    postal_code: str
    phone: str
    language: str


def about(session: Session, guarantor_id: str, visit_id: str) -> About:
    owner, visit = session.get_one(Guarantor, guarantor_id), session.get_one(Visit, visit_id)
    phone = session.scalars(select(ContactPoint).where(
        ContactPoint.guarantor_id == guarantor_id, ContactPoint.channel == "sms", ContactPoint.status == "ok")
        .order_by(ContactPoint.id).limit(1)).one_or_none()
    return About(owner.external, visit.external, visit.service_from_on, owner.name, owner.address or "",
                 owner.postal_code or "", phone.address if phone is not None else "", owner.language)


def told(session: Session, guarantor_id: str, visit_id: str) -> list[tuple[str, date, str]]:
    """(what, day, more) of statements that named the visit, reminders that left, and disputes of it with their ends."""
    found: list[tuple[str, date, str]] = []
    named = set()
    for row in session.scalars(select(Statement).where(Statement.guarantor_id == guarantor_id)
                               .order_by(Statement.number)):
        visits = dict(row.content).get("visits") or []
        if any(one["visit_id"] == visit_id and one["due_minor"] > 0 for one in visits):
            named.add(row.id)
            found.append(("statement", row.statement_on, f"number {row.number}"))
    for step, at, statement_id in session.execute(select(Outbox.step, Outbox.sending_at, Outbox.statement_id).where(
            Outbox.guarantor_id == guarantor_id, Outbox.step.is_not(None), Outbox.sending_at.is_not(None))
            .order_by(Outbox.sending_at)):
        if statement_id in named and at is not None:
            found.append(("reminder", at.date(), step or ""))
    for hold in session.scalars(select(Hold).where(Hold.guarantor_id == guarantor_id, Hold.kind == "dispute")
                                .order_by(Hold.placed_at)):
        if hold.visit_id in (None, visit_id):
            found.append(("disputed", hold.placed_at.date(), "open" if hold.released_at is None else "closed"))
            if hold.released_at is not None:
                found.append(("dispute_closed", hold.released_at.date(), ""))
    return sorted(found, key=lambda one: one[1])
