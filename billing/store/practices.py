"""Practices and their staff."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Text, cast, event, select
from sqlalchemy.orm import Session, object_session

from billing.ids import new_id
from billing.store.prepared import Query, given, prepared
from billing.store.tables import Practice, Staff
from config.practice import PracticePolicy


def find_practice(session: Session, practice_id: str) -> Practice | None:
    """Return the practice's row, or None. A session asks for it once: by itself it forgets rows that nobody holds, and
    every rule wants the practice's policy.
    """
    row = session.get(Practice, practice_id)
    session.info["practice"] = row
    return row


class Rules(NamedTuple):
    """What a practice goes by."""

    policy: PracticePolicy
    configured: bool


@prepared
def _rules() -> Query:
    return select(cast(Practice.settings, Text), Practice.restored_at, Practice.configured).where(
        Practice.id == given("practice_id"))


def find_rules(session: Session, practice_id: str) -> Rules | None:
    """A practice's rules without its row; a session asks for them once, and again when it has changed the row."""
    known: dict[str, Rules] = session.info.setdefault("rules", {})
    if practice_id not in known:
        for settings, restored_at, configured in _rules(session, practice_id=practice_id):
            known[practice_id] = Rules(_validated(settings, restored_at is not None), configured)
    return known.get(practice_id)


def rules_in(session: Session, practice_id: str) -> Rules:
    """As ``find_rules``. Raises LookupError when there is no such practice."""
    rules = find_rules(session, practice_id)
    if rules is None:
        raise LookupError("no such practice")
    return rules


def policy_in(session: Session, practice_id: str) -> PracticePolicy:
    """Raises LookupError when there is no such practice."""
    return rules_in(session, practice_id).policy


@event.listens_for(Practice, "after_update")
def _forget_rules(_mapper: object, _connection: object, row: Practice) -> None:
    session = object_session(row)
    if session is not None:
        session.info.pop("rules", None)


def save_policy(
    session: Session, practice_id: str, policy: PracticePolicy, configured: bool, now: datetime,
) -> Practice:
    """Write the policy beside the practice, making its row where there is none."""
    row = session.get(Practice, practice_id)
    if row is None:
        row = Practice(id=practice_id, created_at=now)
        session.add(row)
    row.name, row.legal_name, row.phone = policy.name, policy.legal_name, policy.phone
    row.zone, row.currency, row.sms_number = policy.zone, policy.currency, policy.sms_number
    row.ledger_of_record, row.configured = policy.ledger_of_record, configured
    row.settings, row.updated_at = policy.model_dump(mode="json"), now
    session.flush()
    return row


def policy_of(row: Practice) -> PracticePolicy:
    """Return the validated policy of a practice's row; a copy out of a backup sends in the mode ``restored``."""
    return _validated(json.dumps(row.settings, sort_keys=True), row.restored_at is not None)


@lru_cache(maxsize=64)
def _validated(settings: str, restored: bool) -> PracticePolicy:
    """One object while the settings are the same: every message asks for it, and validating costs more than all rules.
    """
    policy = PracticePolicy.model_validate(json.loads(settings))
    return policy.model_copy(update={"sending": "restored"}) if restored else policy


def find_staff(session: Session, practice_id: str, login: str) -> Staff | None:
    """Return the person with this login, or None."""
    return session.scalar(select(Staff).where(Staff.practice_id == practice_id, Staff.login == login))


def list_staff(session: Session, practice_id: str) -> list[Staff]:
    """Return everybody, by login."""
    return list(session.scalars(select(Staff).where(Staff.practice_id == practice_id).order_by(Staff.login)))


def add_staff(
    session: Session, practice_id: str, login: str, name: str, role: str, now: datetime, *,
    deputy_login: str | None = None, phone: str | None = None, email: str | None = None,
) -> Staff:
    """Add a person; the login must be free (UNIQUE)."""
    row = Staff(id=new_id("staff"), practice_id=practice_id, login=login, name=name, role=role, active=True,
                deputy_login=deputy_login, phone=phone, email=email, created_at=now)
    session.add(row)
    session.flush()
    return row


def every(session: Session) -> list[str]:
    """The ids of all practices of this installation."""
    return list(session.scalars(select(Practice.id).order_by(Practice.id)))
