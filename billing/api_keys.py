"""Keys for a practice's other programs: a role each, an end, shown once, and only their keyed hash kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import audit
from billing.ids import new_id, new_token
from billing.sign_in import NOBODY, Person, Standing
from billing.staff import PROGRAM, ROLES, StaffRefused
from billing.store import sign_in_queries as store
from billing.store.practices import policy_in
from billing.store.seal import blind
from billing.store.tables import ApiKey

PREFIX = "pb_"
LONGEST = timedelta(days=366)
NOTE_USE_EVERY = timedelta(minutes=5)


def make(session: Session, practice_id: str, name: str, role: str, days: int, actor: str, now: datetime) -> str:
    """Return the new key; nobody can read it again. Raises StaffRefused for a taken name, a bad role or too long."""
    if role not in ROLES or role == "manager":
        raise StaffRefused("a key's role is biller, supervisor, auditor or reader: a program is nobody's manager")
    if not name.strip() or any(one.name == name.strip() for one in store.keys_of(session, practice_id)):
        raise StaffRefused(f"the name {name.strip()!r} is empty or taken; name the program that will use the key")
    if not 1 <= days <= LONGEST.days:
        raise StaffRefused(f"a key is good for 1 to {LONGEST.days} days")
    key = PREFIX + new_token() + new_token()
    row = ApiKey(id=new_id("key"), practice_id=practice_id, name=name.strip(), role=role, key_hash=_hash(key),
                 tail=key[-4:], made_by=actor, made_at=now, ends_at=now + timedelta(days=days))
    store.add(session, row)
    audit.record(session, practice_id, actor, "api_key_made", "api_key", row.id, role, now)
    return key


def look(session: Session, key: str, now: datetime) -> Standing:
    """Who acts with this key: a program, by the key's name; nobody for an unknown, ended or revoked one."""
    row = store.key_by_hash(session, _hash(key))
    if row is None or row.revoked_at is not None or now >= row.ends_at:
        return NOBODY
    known = Person(row.id, row.practice_id, f"{PROGRAM}{row.name}", row.name, row.role, "", "")
    policy = policy_in(session, row.practice_id)
    return Standing(known, policy, "seen" if row.used_at is None or now - row.used_at >= NOTE_USE_EVERY else "")


def keep(session: Session, key: str, now: datetime) -> None:
    """Write down that the key was used."""
    row = store.key_by_hash(session, _hash(key))
    if row is not None:
        row.used_at = now


def every(session: Session, practice_id: str) -> Sequence[ApiKey]:
    return store.keys_of(session, practice_id)


def revoke(session: Session, practice_id: str, key_id: str, actor: str, now: datetime) -> ApiKey:
    """End a key at once. Raises LookupError for one that is not there, StaffRefused for one that is revoked."""
    row = store.key_named(session, practice_id, key_id)
    if row is None:
        raise LookupError("there is no such key; plainbill staff keys lists them")
    if row.revoked_at is not None:
        raise StaffRefused("this key is revoked already")
    row.revoked_at, row.revoked_by = now, actor
    audit.record(session, practice_id, actor, "api_key_revoked", "api_key", row.id, "", now)
    return row


def _hash(key: str) -> str:
    return blind("api-key", "", key)
