"""SQL of assistance, write-offs, offers and placements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from billing.store.ledger_queries import TransferRow, chunks, transfers_where
from billing.store.tables import (
    AssistanceApplication,
    LedgerAccount,
    Offer,
    Outbox,
    Placement,
    PlacementEvent,
    PlacementFile,
    Transfer,
    Visit,
    WriteOff,
)

Row = TypeVar("Row", AssistanceApplication, Offer, WriteOff, Placement, PlacementEvent, PlacementFile)

LIVE = ("placed",)
"""Placements whose money is at the agency."""


def add(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row


def lock(session: Session, kind: type[Row], practice_id: str, row_id: str) -> Row | None:
    """The row as it is in this moment, locked until the transaction ends."""
    row = session.get(kind, row_id, with_for_update=True, populate_existing=True)
    return row if row is not None and row.practice_id == practice_id else None


def application_by_number(session: Session, practice_id: str, number: int) -> str | None:
    return session.scalar(select(AssistanceApplication.id).where(
        AssistanceApplication.practice_id == practice_id, AssistanceApplication.number == number))


def applications(session: Session, practice_id: str, statuses: Collection[str] = ()) -> Sequence[AssistanceApplication]:
    """Oldest first; all of them without ``statuses``."""
    query = select(AssistanceApplication).where(AssistanceApplication.practice_id == practice_id)
    if statuses:
        query = query.where(AssistanceApplication.status.in_(statuses))
    return session.scalars(query.order_by(AssistanceApplication.number)).all()


def newest_applications(session: Session, guarantor_ids: Sequence[str]) -> dict[str, AssistanceApplication]:
    """The newest application of each of these accounts."""
    return {row.guarantor_id: row for part in chunks(guarantor_ids) for row in session.scalars(
        select(AssistanceApplication).where(AssistanceApplication.guarantor_id.in_(part))
        .order_by(AssistanceApplication.number))}


def writing_off(session: Session, guarantor_ids: Sequence[str]) -> set[str]:
    """Of these accounts, those with a write-off that waits for its approval."""
    return {owner for part in chunks(guarantor_ids) for owner in session.scalars(select(WriteOff.guarantor_id).where(
        WriteOff.guarantor_id.in_(part), WriteOff.status == "asked"))}


def first_bills(session: Session, guarantor_ids: Sequence[str]) -> dict[str, dict[str, date]]:
    """By account: the day of each visit's first statement; visits without any are left out."""
    found: dict[str, dict[str, date]] = {}
    for part in chunks(guarantor_ids):
        for owner, visit_id, on in session.execute(select(Visit.guarantor_id, Visit.id, Visit.first_statement_on).where(
                Visit.guarantor_id.in_(part))):
            if on is not None:
                found.setdefault(owner, {})[visit_id] = on
    return found


def placements_by(session: Session, guarantor_ids: Sequence[str], statuses: Collection[str],
                  ) -> dict[str, list[Placement]]:
    """By account, of many at once."""
    found: dict[str, list[Placement]] = {}
    for part in chunks(guarantor_ids):
        for row in session.scalars(select(Placement).where(
                Placement.guarantor_id.in_(part), Placement.status.in_(statuses)).order_by(Placement.id)):
            found.setdefault(row.guarantor_id, []).append(row)
    return found


def applications_of(session: Session, guarantor_id: str) -> Sequence[AssistanceApplication]:
    return session.scalars(select(AssistanceApplication).where(
        AssistanceApplication.guarantor_id == guarantor_id).order_by(AssistanceApplication.number)).all()


def applications_to_tell(session: Session, practice_id: str, since: datetime) -> Sequence[AssistanceApplication]:
    """What was received or decided since then, or lacks something, as it stands now; oldest first."""
    return session.scalars(select(AssistanceApplication).where(
        AssistanceApplication.practice_id == practice_id, or_(
            (AssistanceApplication.status == "received") & (AssistanceApplication.received_on >= since.date()),
            (AssistanceApplication.status == "incomplete") & (AssistanceApplication.complete_by_on >= since.date()),
            AssistanceApplication.status.in_(("approved", "denied")) & (AssistanceApplication.decided_at >= since)))
        .order_by(AssistanceApplication.number)).all()


def told(session: Session, practice_id: str, keys: Collection[str]) -> set[str]:
    """Which of these messages' keys have been queued before."""
    return {key for part in chunks(sorted(keys)) for key in session.scalars(select(Outbox.idempotency_key).where(
        Outbox.practice_id == practice_id, Outbox.idempotency_key.in_(part)))}


def write_offs(session: Session, practice_id: str, status: str = "") -> Sequence[WriteOff]:
    query = select(WriteOff).where(WriteOff.practice_id == practice_id)
    if status:
        query = query.where(WriteOff.status == status)
    return session.scalars(query.order_by(WriteOff.asked_at, WriteOff.id)).all()


def write_offs_of(session: Session, guarantor_id: str, status: str) -> Sequence[WriteOff]:
    return session.scalars(select(WriteOff).where(
        WriteOff.guarantor_id == guarantor_id, WriteOff.status == status)).all()


def offers(session: Session, practice_id: str, status: str = "") -> Sequence[Offer]:
    query = select(Offer).where(Offer.practice_id == practice_id)
    if status:
        query = query.where(Offer.status == status)
    return session.scalars(query.order_by(Offer.made_at, Offer.id)).all()


def open_offers_of(session: Session, guarantor_id: str) -> Sequence[Offer]:
    return session.scalars(select(Offer).where(
        Offer.guarantor_id == guarantor_id, Offer.status == "offered").order_by(Offer.made_at)).all()


def paid_since(session: Session, visit_ids: Collection[str], since: datetime) -> dict[str, int]:
    """Cents that patients' payments put on these visits since then, less what went back."""
    found: dict[str, int] = {}
    for column, sign in ((Transfer.credit_id, 1), (Transfer.debit_id, -1)):
        for visit_id, minor in session.execute(
                select(Transfer.visit_id, func.sum(Transfer.amount_minor))
                .join(LedgerAccount, LedgerAccount.id == column)
                .where(Transfer.visit_id.in_(list(visit_ids)), Transfer.payment_id.is_not(None),
                       LedgerAccount.kind == "patient", Transfer.posted_at >= since).group_by(Transfer.visit_id)):
            found[visit_id or ""] = found.get(visit_id or "", 0) + sign * int(minor)
    return found


def placements(session: Session, practice_id: str, statuses: Collection[str] = (), agency: str = "",
               ) -> Sequence[Placement]:
    """In the order in which they were proposed."""
    query = select(Placement).where(Placement.practice_id == practice_id)
    if statuses:
        query = query.where(Placement.status.in_(statuses))
    if agency:
        query = query.where(Placement.agency == agency)
    return session.scalars(query.order_by(Placement.proposed_at, Placement.id)).all()


def placements_of(session: Session, guarantor_id: str, statuses: Collection[str] = LIVE) -> Sequence[Placement]:
    return placements_by(session, [guarantor_id], statuses).get(guarantor_id, [])


def live_on(session: Session, visit_ids: Collection[str]) -> dict[str, Placement]:
    """The placement that each of these visits is under, if any; at most one of a visit is live."""
    found: dict[str, Placement] = {}
    for part in chunks(sorted(visit_ids)):
        found.update((row.visit_id, row) for row in session.scalars(select(Placement).where(
            Placement.visit_id.in_(part), Placement.status.in_(LIVE))))
    return found


def placed_minor(session: Session, visit_ids: Collection[str]) -> dict[str, int]:
    """Cents of each visit that are at an agency now; visits without any are left out."""
    found: dict[str, int] = {}
    for part in chunks(sorted(visit_ids)):
        found.update((visit_id, int(minor)) for visit_id, minor in session.execute(
            select(Placement.visit_id, func.sum(Placement.left_minor)).where(
                Placement.visit_id.in_(part), Placement.status.in_(LIVE), Placement.left_minor > 0)
            .group_by(Placement.visit_id)))
    return found


def untold(session: Session, practice_id: str, agency: str) -> Sequence[PlacementEvent]:
    """What happened to an agency's placements that no file has told it of."""
    return session.scalars(select(PlacementEvent).where(
        PlacementEvent.practice_id == practice_id, PlacementEvent.agency == agency, PlacementEvent.file_id.is_(None))
        .order_by(PlacementEvent.created_at, PlacementEvent.id)).all()


def events_of(session: Session, placement_id: str) -> Sequence[PlacementEvent]:
    return session.scalars(select(PlacementEvent).where(PlacementEvent.placement_id == placement_id)
                           .order_by(PlacementEvent.created_at, PlacementEvent.id)).all()


def event_by(session: Session, practice_id: str, agency: str, reference: str) -> PlacementEvent | None:
    return session.scalars(select(PlacementEvent).where(
        PlacementEvent.practice_id == practice_id, PlacementEvent.agency == agency,
        PlacementEvent.reference == reference)).one_or_none()


def files(session: Session, practice_id: str, direction: str = "") -> Sequence[PlacementFile]:
    query = select(PlacementFile).where(PlacementFile.practice_id == practice_id)
    if direction:
        query = query.where(PlacementFile.direction == direction)
    return session.scalars(query.order_by(PlacementFile.made_at, PlacementFile.number)).all()


def file_by_digest(session: Session, practice_id: str, agency: str, digest: str) -> PlacementFile | None:
    return session.scalars(select(PlacementFile).where(
        PlacementFile.practice_id == practice_id, PlacementFile.agency == agency, PlacementFile.direction == "in",
        PlacementFile.digest == digest)).one_or_none()


def code_of(session: Session, transfer_id: int) -> tuple[str, bool]:
    """(a transfer's code, whether it is of a patient's payment)."""
    row = session.execute(select(Transfer.code, Transfer.payment_id).where(Transfer.id == transfer_id)).one()
    return row[0], row[1] is not None


def posted_as(session: Session, practice_id: str, source: str, source_ref: str) -> list[TransferRow]:
    """What stands in the ledger under exactly this reference."""
    return transfers_where(session, Transfer.practice_id == practice_id, Transfer.source == source,
                           Transfer.source_ref == source_ref)


def posted_under(session: Session, practice_id: str, source: str, row_id: str) -> list[TransferRow]:
    """What one row of ours (a write-off, an application, an offer) has posted."""
    return transfers_where(session, Transfer.practice_id == practice_id, Transfer.source == source,
                           Transfer.source_ref.startswith(f"{row_id}:", autoescape=True))
