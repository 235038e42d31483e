"""SQL of segments: a definition becomes one condition on accounts, so that a million of them are chosen in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session

from billing.store.ledger_queries import chunks, insert_ignoring
from billing.store.tables import (
    ContactPoint,
    Conversation,
    Coverage,
    Guarantor,
    LedgerAccount,
    Plan,
    Segment,
    SegmentMember,
    Statement,
    Visit,
)

if TYPE_CHECKING:
    from billing.segments import Filters

#: Days from, to; None: no end.
AGES: dict[str, tuple[int, int | None]] = {
    "0-30": (0, 30), "31-60": (31, 60), "61-90": (61, 90), "91-120": (91, 120), "121+": (121, None)}

PLANS = {"running": ("active", "cured", "paused", "behind"), "behind": ("behind",), "defaulted": ("defaulted",)}

#: SBR09 / CLP06 by class of payer; what is in none of them is "other".
PAYERS: dict[str, tuple[str, ...]] = {
    "self_pay": ("09",), "commercial": ("12", "13", "14", "15", "BL", "CI", "HM"), "medicare": ("MA", "MB", "16"),
    "medicaid": ("MC",), "other_federal": ("CH", "TV", "OF", "VA")}


def add(session: Session, row: Segment, members: Sequence[tuple[str, int]]) -> None:
    session.add(row)
    session.flush()
    for part in chunks(members, 2_000):
        insert_ignoring(session, SegmentMember, [
            {"segment_id": row.id, "guarantor_id": guarantor_id, "line": line} for guarantor_id, line in part])


def find(session: Session, practice_id: str, name: str, version: int | None) -> Segment | None:
    query = select(Segment).where(Segment.practice_id == practice_id, Segment.name == name)
    if version is not None:
        query = query.where(Segment.version == version)
    return session.scalars(query.order_by(Segment.version.desc()).limit(1)).first()


def every(session: Session, practice_id: str) -> Sequence[Segment]:
    return session.scalars(select(Segment).where(Segment.practice_id == practice_id)
                           .order_by(Segment.name, Segment.version.desc())).all()


def listed(session: Session, segment_id: str) -> set[str]:
    return set(session.scalars(select(SegmentMember.guarantor_id).where(SegmentMember.segment_id == segment_id)))


def by_number(session: Session, practice_id: str, hashes: Sequence[str]) -> dict[str, str]:
    """Account ids by the blind index of their numbers."""
    found: dict[str, str] = {}
    for part in chunks(set(hashes)):
        query = select(Guarantor.external_hash, Guarantor.id).where(
            Guarantor.practice_id == practice_id, Guarantor.external_hash.in_(part))
        found.update((hashed, guarantor_id) for hashed, guarantor_id in session.execute(query))
    return found


def members(session: Session, segment: Segment, filters: Filters, today: date) -> Iterator[str]:
    """In the order in which the accounts were opened, some at a time."""
    yield from session.scalars(chosen(segment, filters, today), execution_options={"yield_per": 5_000})


def count(session: Session, segment: Segment, filters: Filters, today: date) -> int:
    return session.scalar(select(func.count()).select_from(chosen(segment, filters, today).order_by(None).subquery())
                          ) or 0


def chosen(segment: Segment, filters: Filters, today: date) -> Select[Any]:
    """Ids of the members on ``today``, in the order in which the accounts were opened."""
    return (select(Guarantor.id).where(Guarantor.practice_id == segment.practice_id,
                                       condition(segment.practice_id, segment.id, filters, today))
            .order_by(Guarantor.created_at, Guarantor.id))


def condition(practice_id: str, segment_id: str, filters: Filters, today: date) -> ColumnElement[bool]:
    """Everything that the definition asks for, on ``today``."""
    parts: list[ColumnElement[bool]] = [true()]
    if filters.listed:
        parts.append(Guarantor.id.in_(select(SegmentMember.guarantor_id).where(SegmentMember.segment_id == segment_id)))
    if filters.languages:
        parts.append(Guarantor.language.in_(filters.languages))
    if filters.regions:
        parts.append(Guarantor.region.in_(filters.regions))
    parts += _amount(practice_id, filters)
    parts += _aging(practice_id, filters, today)
    parts += _statements(practice_id, filters, today)
    parts += _plans(practice_id, filters)
    parts += _replies(practice_id, filters)
    parts += _visits(practice_id, filters)
    return and_(*parts)


def _amount(practice_id: str, filters: Filters) -> list[ColumnElement[bool]]:
    if filters.minimum_minor is None and filters.maximum_minor is None:
        return []
    total = func.sum(LedgerAccount.balance_minor)
    sums = select(LedgerAccount.guarantor_id).where(
        LedgerAccount.practice_id == practice_id, LedgerAccount.kind == "patient",
        LedgerAccount.guarantor_id.is_not(None)).group_by(LedgerAccount.guarantor_id)
    if filters.minimum_minor is not None:
        sums = sums.having(total >= filters.minimum_minor)
    if filters.maximum_minor is not None:
        sums = sums.having(total <= filters.maximum_minor)
    return [Guarantor.id.in_(sums)]


def _owing(practice_id: str) -> list[ColumnElement[bool]]:
    """Visits on which the patient's part is above zero; to be joined with LedgerAccount."""
    return [Visit.practice_id == practice_id, Visit.void.is_(False), LedgerAccount.kind == "patient",
            LedgerAccount.balance_minor > 0]


def _aging(practice_id: str, filters: Filters, today: date) -> list[ColumnElement[bool]]:
    if not filters.aging:
        return []
    since = func.min(Visit.first_statement_on if filters.aging_from == "statement" else Visit.service_from_on)
    spans = []
    for name in filters.aging:
        youngest, oldest = AGES[name]
        within = since <= today - timedelta(days=youngest)
        spans.append(within if oldest is None else and_(within, since >= today - timedelta(days=oldest)))
    ages = (select(Visit.guarantor_id).join(LedgerAccount, LedgerAccount.visit_id == Visit.id)
            .where(*_owing(practice_id)).group_by(Visit.guarantor_id).having(or_(*spans)))
    return [Guarantor.id.in_(ages)]


def _statements(practice_id: str, filters: Filters, today: date) -> list[ColumnElement[bool]]:
    mine = select(Statement.guarantor_id).where(Statement.practice_id == practice_id)
    found: list[ColumnElement[bool]] = []
    if filters.statement == "never":
        found.append(Guarantor.id.not_in(mine))
    if filters.statement == "sent":
        found.append(Guarantor.id.in_(mine))
    newest, days = func.max(Statement.statement_on), mine.group_by(Statement.guarantor_id)
    if filters.statement_older_days is not None:
        found.append(Guarantor.id.in_(days.having(newest <= today - timedelta(days=filters.statement_older_days))))
    if filters.statement_newer_days is not None:
        found.append(Guarantor.id.in_(days.having(newest >= today - timedelta(days=filters.statement_newer_days))))
    return found


def _plans(practice_id: str, filters: Filters) -> list[ColumnElement[bool]]:
    if not filters.plans:
        return []

    def on(statuses: Sequence[str]) -> ColumnElement[bool]:
        return Guarantor.id.in_(select(Plan.guarantor_id).where(Plan.practice_id == practice_id,
                                                                Plan.status.in_(statuses)))

    return [or_(*(~on(PLANS["running"]) if name == "none" else on(PLANS[name]) for name in filters.plans))]


def _replies(practice_id: str, filters: Filters) -> list[ColumnElement[bool]]:
    """Whoever wrote from a number of the account has replied, verified or not."""
    if filters.replied == "any":
        return []
    wrote = (select(ContactPoint.guarantor_id).join(Conversation, and_(
        Conversation.practice_id == ContactPoint.practice_id, Conversation.address_hash == ContactPoint.address_hash))
        .where(ContactPoint.practice_id == practice_id, Conversation.last_inbound_at.is_not(None)))
    if filters.replied == "never":
        return [Guarantor.id.not_in(wrote)]
    stated = select(Statement.guarantor_id, func.max(Statement.created_at).label("at")).where(
        Statement.practice_id == practice_id).group_by(Statement.guarantor_id).subquery()
    since = wrote.join(stated, stated.c.guarantor_id == ContactPoint.guarantor_id).where(
        Conversation.last_inbound_at >= stated.c.at)
    return [Guarantor.id.in_(since) if filters.replied == "since_statement" else Guarantor.id.not_in(since)]


def _visits(practice_id: str, filters: Filters) -> list[ColumnElement[bool]]:
    """Each is about some visit that is open; which visit may differ."""
    owing = (select(Visit.guarantor_id).join(LedgerAccount, LedgerAccount.visit_id == Visit.id)
             .where(*_owing(practice_id)))
    found: list[ColumnElement[bool]] = []
    if filters.visit_types:
        found.append(Guarantor.id.in_(owing.where(Visit.place_of_service.in_(filters.visit_types))))
    if filters.providers:
        found.append(Guarantor.id.in_(owing.where(Visit.provider_npi.in_(filters.providers))))
    if filters.payers:
        found.append(Guarantor.id.in_(owing.where(or_(*(_payer(name) for name in filters.payers)))))
    return found


def _payer(name: str) -> ColumnElement[bool]:
    covered = select(Coverage.visit_id)
    if name == "self_pay":
        return Visit.id.not_in(covered.where(Coverage.filing_code.not_in(PAYERS["self_pay"])))
    if name == "other":
        return Visit.id.in_(covered.where(Coverage.filing_code.not_in(
            [code for codes in PAYERS.values() for code in codes])))
    return Visit.id.in_(covered.where(Coverage.filing_code.in_(PAYERS[name])))
