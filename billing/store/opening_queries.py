"""SQL of what was taken over from another system: visits, the holds on them, plans; released or taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from billing.store.ledger_queries import chunks
from billing.store.tables import Guarantor, Hold, LedgerAccount, OpeningVisit, Placement, Plan, Transfer, Visit


def visits_by_number(session: Session, practice_id: str, hashes: Sequence[str]) -> list[Visit]:
    """The visits of these claim numbers that stand, in the order asked for."""
    query = select(Visit).where(
        Visit.practice_id == practice_id, Visit.external_hash.in_(hashes), Visit.void.is_(False))
    found = {row.external_hash: row for row in session.scalars(query.order_by(Visit.ordinal))}
    return [found[one] for one in hashes if one in found]


def accounts_held(session: Session, practice_id: str, import_id: str) -> list[str]:
    """Accounts of which this import's visits are not all released, in the order of their ids."""
    return list(session.scalars(select(OpeningVisit.guarantor_id).where(
        OpeningVisit.practice_id == practice_id, OpeningVisit.import_id == import_id,
        OpeningVisit.released_at.is_(None)).distinct().order_by(OpeningVisit.guarantor_id)))


def unreleased(session: Session, practice_id: str) -> int:
    """Visits that were taken over from another system and are still held."""
    return session.scalar(select(func.count()).where(
        OpeningVisit.practice_id == practice_id, OpeningVisit.released_at.is_(None))) or 0


def held_visits(session: Session, import_id: str, guarantor_id: str | None = None) -> Sequence[OpeningVisit]:
    """Visits of an import that are not released, of one account or of all."""
    query = select(OpeningVisit).where(OpeningVisit.import_id == import_id, OpeningVisit.released_at.is_(None))
    if guarantor_id is not None:
        query = query.where(OpeningVisit.guarantor_id == guarantor_id)
    return session.scalars(query.order_by(OpeningVisit.visit_id)).all()


def open_holds(session: Session, practice_id: str, sources: Collection[str],
               guarantor_id: str | None = None) -> Sequence[Hold]:
    """Open holds that one of ``sources`` placed."""
    query = select(Hold).where(Hold.practice_id == practice_id, Hold.source.in_(sources), Hold.released_at.is_(None))
    if guarantor_id is not None:
        query = query.where(Hold.guarantor_id == guarantor_id)
    return session.scalars(query.order_by(Hold.guarantor_id, Hold.id)).all()


def mark_released(session: Session, import_id: str, by: str, at: datetime) -> None:
    session.execute(update(OpeningVisit).where(OpeningVisit.import_id == import_id, OpeningVisit.released_at.is_(None))
                    .values(released_at=at, released_by=by))


def plans_of(session: Session, practice_id: str, import_id: str, statuses: Collection[str]) -> list[str]:
    """Plans that this import took over and that are in one of ``statuses``."""
    return list(session.scalars(select(Plan.id).where(
        Plan.practice_id == practice_id, Plan.idempotency_key.startswith(f"opening:{import_id}:", autoescape=True),
        Plan.status.in_(statuses)).order_by(Plan.id)))


def placements_of(session: Session, practice_id: str, import_id: str) -> Sequence[Placement]:
    """What is with an agency of the visits that this import took over."""
    return session.scalars(select(Placement).join(OpeningVisit, OpeningVisit.visit_id == Placement.visit_id).where(
        Placement.practice_id == practice_id, Placement.status == "placed", OpeningVisit.import_id == import_id)
        .order_by(Placement.id)).all()


def steps_of(session: Session, guarantor_ids: Collection[str]) -> dict[str, str]:
    """The step that the former system had reached, by visit taken over; empty where it said none."""
    return {visit_id: step for part in chunks(guarantor_ids) for visit_id, step in session.execute(
        select(OpeningVisit.visit_id, OpeningVisit.step).where(OpeningVisit.guarantor_id.in_(part)))}


def overdrawn(session: Session, import_id: str) -> int:
    """How many accounts that this import gave credit to have less than none of it now."""
    credited = select(Transfer.credit_id).where(Transfer.import_id == import_id, Transfer.code == "opening")
    return session.scalar(select(func.count()).where(
        LedgerAccount.id.in_(credited), LedgerAccount.kind == "credit", LedgerAccount.balance_minor > 0)) or 0


def open_by_visit(session: Session, import_id: str) -> list[tuple[str, int]]:
    """(visit, patient's balance in cents now) of everything that an import took over."""
    balances: list[tuple[str, int]] = []
    visits = session.scalars(select(OpeningVisit.visit_id).where(OpeningVisit.import_id == import_id)
                             .order_by(OpeningVisit.visit_id)).all()
    for part in chunks(visits):
        rows = session.execute(select(LedgerAccount.visit_id, LedgerAccount.balance_minor).where(
            LedgerAccount.visit_id.in_(part), LedgerAccount.kind == "patient").order_by(LedgerAccount.visit_id))
        balances += [(visit_id or "", int(minor)) for visit_id, minor in rows]
    return balances


def account_number(session: Session, guarantor_id: str) -> str:
    return session.get_one(Guarantor, guarantor_id).external
