"""SQL of what a bulk run's own checks would find, for a set of accounts at once; reads only."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from billing.store.prepared import Query, given, one_of, prepared
from billing.store.tables import Estimate, Hold, LedgerAccount, Transfer, Visit


@prepared
def _credited() -> Query:
    return (select(LedgerAccount.visit_id).join(Transfer, Transfer.credit_id == LedgerAccount.id)
            .where(LedgerAccount.practice_id == given("practice_id"), one_of(LedgerAccount.key, "keys"),
                   or_(one_of(Transfer.code, "codes"), Transfer.reverses_id.is_not(None))))


def credited(session: Session, practice_id: str, visit_ids: Collection[str], codes: Collection[str]) -> set[str]:
    """Visits of which the patient's part was lowered by a transfer of one of these codes, or by a reversal."""
    keys = [f"patient:{visit_id}" for visit_id in visit_ids]
    return {row[0] for row in _credited(session, practice_id=practice_id, keys=keys, codes=codes)}


@prepared
def _with_holds() -> Query:
    return select(Hold.guarantor_id).where(one_of(Hold.guarantor_id, "ids"), Hold.kind == given("kind"))


def with_holds(session: Session, ids: Collection[str], kind: str) -> set[str]:
    """Those of the accounts that have, or had, a hold of this kind."""
    return {row[0] for row in _with_holds(session, ids=ids, kind=kind)}


@prepared
def _placed() -> Query:
    return select(Hold.dedupe, Hold.released_at.is_not(None)).where(
        Hold.practice_id == given("practice_id"), one_of(Hold.dedupe, "causes"))


def placed(session: Session, practice_id: str, causes: Collection[str]) -> dict[str, bool]:
    """Of the causes for which there is a hold already: whether it was released."""
    return {cause: bool(released) for cause, released in _placed(session, practice_id=practice_id, causes=causes)}


@prepared
def _estimated() -> Query:
    return (select(Visit.id).join(Estimate, Estimate.visit_external_hash == Visit.external_hash)
            .where(one_of(Visit.id, "visit_ids"), Estimate.practice_id == given("practice_id")).distinct())


def estimated(session: Session, practice_id: str, visit_ids: Collection[str]) -> list[str]:
    """Those of the visits for which a good-faith estimate was given."""
    return [row[0] for row in _estimated(session, practice_id=practice_id, visit_ids=visit_ids)]


def has_estimates(session: Session, practice_id: str) -> bool:
    return session.scalar(select(Estimate.id).where(Estimate.practice_id == practice_id).limit(1)) is not None
