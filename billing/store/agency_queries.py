"""SQL of agencies' files: who is meant and what was said to them; what an agency's reports come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.tables import (
    ContactPoint,
    Guarantor,
    Hold,
    Outbox,
    PlacementEvent,
    PlacementFile,
    Statement,
    Visit,
)

#: Kinds of event that are about money at an agency: what it took, what it took back, its fees for nothing else.
MONEY = ("agency_paid", "agency_reversed", "agency_fee")


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


@dataclass(frozen=True, slots=True)
class Report:
    """A report of an agency. ``net_minor``: payments, less what was taken back, less fees; cents."""

    agency: str
    number: int
    made_at: datetime
    net_minor: int


def reports(session: Session, practice_id: str) -> list[Report]:
    """Oldest first."""
    sums: dict[str, int] = {}
    for file_id, kind, amount, fee in session.execute(
            select(PlacementEvent.file_id, PlacementEvent.kind, func.sum(PlacementEvent.amount_minor),
                   func.sum(PlacementEvent.fee_minor))
            .where(PlacementEvent.practice_id == practice_id, PlacementEvent.kind.in_(MONEY))
            .group_by(PlacementEvent.file_id, PlacementEvent.kind)):
        net = int(amount) - int(fee)
        sums[file_id or ""] = sums.get(file_id or "", 0) + (-net if kind == "agency_reversed" else net)
    files = session.execute(
        select(PlacementFile.id, PlacementFile.agency, PlacementFile.number, PlacementFile.made_at)
        .where(PlacementFile.practice_id == practice_id, PlacementFile.direction == "in")
        .order_by(PlacementFile.agency, PlacementFile.number))
    return [Report(agency, number, made_at, sums.get(file_id, 0)) for file_id, agency, number, made_at in files]


def sums_on(session: Session, practice_id: str, day: date) -> list[tuple[str, str, int, int]]:
    """(agency, kind, amount, fee) of what agencies' reports put on a day's books."""
    rows = session.execute(
        select(PlacementEvent.agency, PlacementEvent.kind, func.sum(PlacementEvent.amount_minor),
               func.sum(PlacementEvent.fee_minor))
        .where(PlacementEvent.practice_id == practice_id, PlacementEvent.happened_on == day,
               PlacementEvent.kind.in_(MONEY)).group_by(PlacementEvent.agency, PlacementEvent.kind))
    return [(agency, kind, int(amount), int(fee)) for agency, kind, amount, fee in rows]
