"""SQL of the account's own pages: where it is reached, and what is open about it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from billing.contact_status import GONE
from billing.store.prepared import Query, given, prepared
from billing.store.tables import ContactPoint, Guarantor


def account(session: Session, practice_id: str, guarantor_id: str) -> Guarantor | None:
    row = session.get(Guarantor, guarantor_id)
    return row if row is not None and row.practice_id == practice_id else None


_OLDEST = (ContactPoint.created_at, ContactPoint.id)


def _theirs(practice_id: object, guarantor_id: object, channel: object) -> tuple[ColumnElement[bool], ...]:
    return (ContactPoint.practice_id == practice_id, ContactPoint.guarantor_id == guarantor_id,
            ContactPoint.channel == channel, ContactPoint.status.not_in(GONE))


@prepared
def _first_hash() -> Query:
    return select(ContactPoint.address_hash).where(
        *_theirs(given("practice_id"), given("guarantor_id"), given("channel"))).order_by(*_OLDEST).limit(1)


def first_hash(session: Session, practice_id: str, guarantor_id: str, channel: str) -> str:
    """Of the first of ``places`` the address's hash; empty where there is none."""
    found = _first_hash.value(session, practice_id=practice_id, guarantor_id=guarantor_id, channel=channel)
    return found or ""


def places(session: Session, practice_id: str, guarantor_id: str, channel: str) -> Sequence[ContactPoint]:
    """The account's numbers or addresses that are not known to be somebody else's, oldest first."""
    return session.scalars(select(ContactPoint).where(
        *_theirs(practice_id, guarantor_id, channel)).order_by(*_OLDEST)).all()
