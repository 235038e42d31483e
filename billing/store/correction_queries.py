"""SQL of undoing as people look at it: whose accounts a thing touches, what was posted, what they were told since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from billing.message_life import MAY_HAVE_LEFT
from billing.store.ledger_queries import chunks
from billing.store.tables import Correction, Guarantor, Outbox, PrivacyIncident, Statement, Transfer, Visit


def owners(session: Session, practice_id: str, visit_ids: Collection[str]) -> list[str]:
    """The accounts of these visits."""
    return sorted({owner for part in chunks(sorted(visit_ids)) for owner in session.scalars(
        select(Visit.guarantor_id).where(Visit.practice_id == practice_id, Visit.id.in_(part)))})


def newest_transfer(session: Session, practice_id: str) -> int:
    return session.scalar(select(func.max(Transfer.id)).where(Transfer.practice_id == practice_id)) or 0


def posted_after(session: Session, practice_id: str, transfer_id: int, account_ids: Collection[str],
                 ) -> list[tuple[str, int, int]]:
    """(code, how many, cents) of what these accounts' transfers after that one are."""
    found: dict[str, tuple[int, int]] = {}
    for part in chunks(sorted(account_ids)):
        for code, count, minor in session.execute(select(
                Transfer.code, func.count(), func.sum(Transfer.amount_minor)).where(
                Transfer.practice_id == practice_id, Transfer.id > transfer_id, Transfer.guarantor_id.in_(part))
                .group_by(Transfer.code)):
            before = found.get(code, (0, 0))
            found[code] = (before[0] + count, before[1] + int(minor))
    return [(code, *both) for code, both in sorted(found.items())]


def said(session: Session, practice_id: str, account_ids: Collection[str], since: datetime,
         ) -> dict[str, tuple[int | None, datetime]]:
    """What each account was last told since then, in cents, and when: by a statement, or by a message that left and
    holds amounts (None where its amount is in its words alone).
    """
    found: dict[str, tuple[int | None, datetime]] = {}
    for part in chunks(sorted(account_ids)):
        messages = select(Outbox.guarantor_id, Outbox.amount_minor, Outbox.created_at).where(
            Outbox.practice_id == practice_id, Outbox.guarantor_id.in_(part), Outbox.status.in_(MAY_HAVE_LEFT),
            Outbox.created_at >= since, Outbox.template.not_like("%correction%"),
            or_(Outbox.amount_minor.is_not(None), Outbox.privacy == "amounts"))
        sheets = select(Statement.guarantor_id, Statement.total_minor, Statement.created_at).where(
            Statement.practice_id == practice_id, Statement.guarantor_id.in_(part), Statement.created_at >= since)
        for query in (messages, sheets):
            for account_id, minor, at in session.execute(query):
                if account_id and (account_id not in found or found[account_id][1] <= at):
                    found[account_id] = (minor, at)
    return found


def corrected(session: Session, practice_id: str, account_ids: Collection[str], cause: str) -> set[str]:
    """Accounts that have a correction of this cause, or any that waits."""
    return {account_id for part in chunks(sorted(account_ids)) for account_id in session.scalars(
        select(Correction.guarantor_id).where(
            Correction.practice_id == practice_id, Correction.guarantor_id.in_(part),
            or_(Correction.cause == cause, Correction.status == "proposed")))}


def add(session: Session, row: Correction | PrivacyIncident) -> None:
    session.add(row)
    session.flush()


def lock_correction(session: Session, practice_id: str, correction_id: str) -> Correction | None:
    return session.scalar(select(Correction).where(
        Correction.practice_id == practice_id, Correction.id == correction_id).with_for_update()
        .execution_options(populate_existing=True))


def corrections(session: Session, practice_id: str, *, waiting: bool, after: str, most: int,
                ) -> Sequence[tuple[Correction, str]]:
    """(correction, account's number); those that wait, or those that are done."""
    is_open = Correction.status == "proposed"
    rows = session.execute(select(Correction, Guarantor.external).join(
        Guarantor, Guarantor.id == Correction.guarantor_id).where(
        Correction.practice_id == practice_id, is_open if waiting else ~is_open, Correction.id > after)
        .order_by(Correction.id).limit(most))
    return [(row[0], row[1]) for row in rows]


def incidents(session: Session, practice_id: str, *, closed: bool, before: int, most: int) -> Sequence[PrivacyIncident]:
    """Newest first; ``before``: numbers below it alone, 0 for all."""
    done = PrivacyIncident.status == "closed"
    query = select(PrivacyIncident).where(PrivacyIncident.practice_id == practice_id, done if closed else ~done)
    if before:
        query = query.where(PrivacyIncident.number < before)
    return session.scalars(query.order_by(PrivacyIncident.number.desc()).limit(most)).all()


def incident(session: Session, practice_id: str, incident_id: str, *, lock: bool = False) -> PrivacyIncident | None:
    query = select(PrivacyIncident).where(PrivacyIncident.practice_id == practice_id, PrivacyIncident.id == incident_id)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)


def known_incident(session: Session, practice_id: str, dedupe: str) -> PrivacyIncident | None:
    return session.scalar(select(PrivacyIncident).where(
        PrivacyIncident.practice_id == practice_id, PrivacyIncident.dedupe == dedupe))


def told_to_address(session: Session, practice_id: str, address_hash: str) -> int:
    """How many messages with amounts reached that number, or may have."""
    return session.scalar(select(func.count()).where(
        Outbox.practice_id == practice_id, Outbox.address_hash == address_hash, Outbox.privacy == "amounts",
        Outbox.status.in_(MAY_HAVE_LEFT))) or 0
