"""The practice's people: who they are, what their role may do, and that nobody approves their own request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit
from billing.phones import e164
from billing.store import practices
from billing.store.tables import Staff

ROLES = ("biller", "supervisor", "manager", "auditor")

#: What each role may do. An auditor reads everything and changes nothing.
RIGHTS: dict[str, frozenset[str]] = {
    "auditor": frozenset({"read"}),
    "biller": frozenset({"read", "cases", "import", "holds", "confirm", "send"}),
    "supervisor": frozenset({"read", "cases", "import", "holds", "confirm", "send", "approve"}),
    "manager": frozenset({"read", "cases", "import", "holds", "confirm", "send", "approve", "policy", "staff"}),
}


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


def everybody(session: Session, practice_id: str) -> Sequence[Staff]:
    return practices.list_staff(session, practice_id)


def require(session: Session, practice_id: str, login: str, right: str) -> Staff:
    """Return the active person with this login who has ``right``. Raises StaffRefused."""
    row = practices.find_staff(session, practice_id, login)
    if row is None or not row.active:
        raise StaffRefused(f"{login!r} is nobody on this practice's staff; a manager adds people: plainbill staff add")
    if right not in RIGHTS[row.role]:
        able = ", ".join(role for role in ROLES if right in RIGHTS[role])
        raise StaffRefused(f"{login} is {row.role}; this needs {able}")
    return row


def require_other(actor: str, requester: str) -> None:
    """Raise StaffRefused when a request would be approved by whoever made it."""
    if actor.strip().casefold() == requester.strip().casefold():
        raise StaffRefused("nobody approves their own request; ask a colleague")
