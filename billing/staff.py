"""The practice's people: who they are, what their role may do, and that nobody approves their own request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit
from billing.phones import e164
from billing.store import console_people_queries as people
from billing.store import practices, sign_in_queries
from billing.store.tables import Staff

ROLES = ("biller", "supervisor", "manager", "auditor", "reader")

_WORK = frozenset({"read", "export", "cases", "import", "holds", "confirm", "send"})

#: What each role may do. An auditor reads everything, the audit trail too, and changes nothing; a reader neither
#: changes anything nor sees who saw what, nor takes lists out of the house.
RIGHTS: dict[str, frozenset[str]] = {
    "reader": frozenset({"read"}),
    "auditor": frozenset({"read", "export", "audit"}),
    "biller": _WORK,
    "supervisor": _WORK | {"approve", "audit"},
    "manager": _WORK | {"approve", "audit", "policy", "staff"},
}


#: What the login of another program begins with (billing/api_keys.py); no person's can.
PROGRAM = "key:"


class StaffRefused(ValueError):
    """Somebody may not do this. The text says who may."""


def add(session: Session, practice_id: str, *, login: str, name: str, role: str, actor: str, now: datetime,
        deputy_login: str | None = None, phone: str | None = None, email: str | None = None) -> Staff:
    """Add a person. Raises StaffRefused for a taken login, an unknown role or deputy."""
    if role not in ROLES:
        raise StaffRefused(f"a role is one of {', '.join(ROLES)}")
    if not login.strip() or practices.find_staff(session, practice_id, login) is not None:
        raise StaffRefused(f"the login {login!r} is taken or empty; choose another")
    if deputy_login == login or (deputy_login and practices.find_staff(session, practice_id, deputy_login) is None):
        raise StaffRefused(f"the deputy {deputy_login!r} has to be another person who is on the list already")
    row = practices.add_staff(session, practice_id, login, name, role, now, deputy_login=deputy_login,
                              phone=e164(phone) if phone else None, email=email)
    audit.record(session, practice_id, actor, "staff_added", "staff", row.id, role, now)
    return row


def change(session: Session, practice_id: str, staff_id: str, *, name: str, role: str, deputy_login: str | None,
           email: str | None, active: bool, actor: str, now: datetime) -> Staff:
    """Change a person. Whoever is put out of work, or into other work, is signed out everywhere.

    Raises StaffRefused: nobody of this practice, an unknown role or deputy, one's own role, the last manager.
    """
    row = people.person(session, practice_id, staff_id)
    if row is None:
        raise StaffRefused("there is nobody here by that name")
    if role not in ROLES:
        raise StaffRefused(f"a role is one of {', '.join(ROLES)}")
    if deputy_login and (deputy_login == row.login or practices.find_staff(session, practice_id, deputy_login) is None):
        raise StaffRefused(f"the deputy {deputy_login!r} has to be another person who is on the list already")
    moved = (row.role, row.active) != (role, active)
    if moved and row.login == actor:
        raise StaffRefused("nobody changes their own role or takes themselves off the list; ask another manager")
    if moved and row.role == "manager" and row.active and not _others(session, practice_id, row):
        raise StaffRefused("this is the only manager; make another one first")
    row.name, row.role, row.deputy_login, row.email, row.active = name, role, deputy_login, email, active
    if moved:
        sign_in_queries.end_all(session, row.id, "revoked", now)
    audit.record(session, practice_id, actor, "staff_changed", "staff", row.id,
                 f"{role}, {'active' if active else 'off the list'}", now)
    return row


def _others(session: Session, practice_id: str, manager: Staff) -> bool:
    return any(one.active and one.role == "manager" and one.id != manager.id
               for one in practices.list_staff(session, practice_id))


def everybody(session: Session, practice_id: str) -> Sequence[Staff]:
    return practices.list_staff(session, practice_id)


def require(session: Session, practice_id: str, login: str, right: str) -> Staff:
    """Return the active person with this login who has ``right``. Raises StaffRefused."""
    row = _program(session, practice_id, login, right) if login.startswith(PROGRAM) else practices.find_staff(
        session, practice_id, login)
    if row is None or not row.active:
        raise StaffRefused(f"{login!r} is nobody on this practice's staff; a manager adds people: plainbill staff add")
    if right not in RIGHTS[row.role]:
        able = ", ".join(role for role in ROLES if right in RIGHTS[role])
        raise StaffRefused(f"{login} is {row.role}; this needs {able}")
    return row


def _program(session: Session, practice_id: str, login: str, right: str) -> Staff | None:
    """Who acts by a key, as a row that is never kept. A program works; it stands for nobody's yes."""
    if right in ("approve", "policy", "staff"):
        raise StaffRefused("a program approves nothing and makes no rules; somebody who signs in does")
    found = [one for one in sign_in_queries.keys_of(session, practice_id) if PROGRAM + one.name == login]
    if not found or found[0].revoked_at is not None:
        return None
    key = found[0]
    return Staff(id=key.id, practice_id=practice_id, login=login, name=key.name, role=key.role, active=True,
                 created_at=key.made_at)


def require_other(actor: str, requester: str) -> None:
    """Raise StaffRefused when a request would be approved by whoever made it, or by a program."""
    if actor.startswith(PROGRAM):
        raise StaffRefused("a program is nobody's second person; ask a colleague")
    if actor.strip().casefold() == requester.strip().casefold():
        raise StaffRefused("nobody approves their own request; ask a colleague")
