"""SQL of preferences, check codes and passcodes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from billing.store.prepared import Query, given, prepared
from billing.store.tables import CheckCode, Outbox, Passcode, Preference

#: States in which a text surely did not reach anybody.
_NOT_SENT = ("queued", "deferred", "withheld", "cancelled", "failed")


def add(session: Session, row: Preference) -> int:
    session.add(row)
    session.flush()
    return row.id


def of_address(session: Session, practice_id: str, channel: str, address_hash: str) -> Sequence[Preference]:
    """Every wish recorded for a number, oldest first."""
    return session.scalars(select(Preference).where(
        Preference.practice_id == practice_id, Preference.channel == channel,
        Preference.address_hash == address_hash).order_by(Preference.id)).all()


class Wish(NamedTuple):
    """A recorded wish as what holds is derived from it."""

    id: int
    guarantor_id: str | None
    kind: str
    value: dict[str, Any]


@prepared
def _wishes_at() -> Select[Any]:
    return select(*(getattr(Preference, name) for name in Wish._fields)).where(
        Preference.practice_id == given("practice_id"), Preference.channel == given("channel"),
        Preference.address_hash == given("address_hash")).order_by(Preference.id)


def wishes_at(session: Session, practice_id: str, channel: str, address_hash: str) -> list[Wish]:
    """As ``of_address``, without the rows themselves."""
    return [Wish._make(row) for row in _wishes_at(session, practice_id=practice_id, channel=channel,
                                                  address_hash=address_hash)]


def of_account(session: Session, practice_id: str, guarantor_id: str) -> Sequence[Preference]:
    return session.scalars(select(Preference).where(
        Preference.practice_id == practice_id, Preference.guarantor_id == guarantor_id).order_by(Preference.id)).all()


def code_of(session: Session, practice_id: str, address_hash: str) -> CheckCode | None:
    return session.scalars(select(CheckCode).where(
        CheckCode.practice_id == practice_id, CheckCode.address_hash == address_hash)).one_or_none()


def address_of_code(session: Session, practice_id: str, code_hash: str) -> str | None:
    """The keyed hash of the number that a code belongs to."""
    return session.scalar(select(CheckCode.address_hash).where(
        CheckCode.practice_id == practice_id, CheckCode.code_hash == code_hash))


def add_code(session: Session, row: CheckCode) -> None:
    session.add(row)
    session.flush()


def last_sent_at(session: Session, practice_id: str, address_hash: str) -> datetime | None:
    """When the newest text to a number left us."""
    return session.scalar(select(func.max(Outbox.sending_at)).where(
        Outbox.practice_id == practice_id, Outbox.address_hash == address_hash, Outbox.status.notin_(_NOT_SENT)))


@prepared
def salt_and_digest() -> Query:
    return select(Passcode.salt, Passcode.digest).where(Passcode.guarantor_id == given("guarantor_id"))


def passcode(session: Session, guarantor_id: str) -> tuple[str, str] | None:
    """(salt, digest), where one is set."""
    found: tuple[str, str] | None = salt_and_digest.first(session, guarantor_id=guarantor_id)
    return found


def passcode_of(session: Session, guarantor_id: str) -> Passcode | None:
    return session.get(Passcode, guarantor_id, populate_existing=True)


def put_passcode(session: Session, row: Passcode) -> None:
    """Set a passcode in place of the one before."""
    drop_passcode(session, row.guarantor_id)
    session.add(row)
    session.flush()


def drop_passcode(session: Session, guarantor_id: str) -> bool:
    """Remove a passcode; tell whether there was one."""
    known = passcode_of(session, guarantor_id)
    if known is None:
        return False
    session.execute(delete(Passcode).where(Passcode.guarantor_id == guarantor_id))
    session.expunge(known)
    return True
