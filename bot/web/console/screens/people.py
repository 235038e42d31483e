"""The practice's people: who may do what, who has come in, and inviting them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from billing import invitations, staff
from billing.store import console_people_queries as store
from billing.store.tables import Credential, Staff
from bot.web.console.table import Action, Asked, Done, Form, Nothing, View, there
from config.settings import Name

Role = Literal["reader", "auditor", "biller", "supervisor", "manager"]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Maybe = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
#: A login or nothing: a refusal repeats it.
Deputy = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^([a-zA-Z0-9][a-zA-Z0-9._-]{0,39})?$")]


@dataclass(frozen=True, slots=True)
class Colleague:
    """``state``: invited, never_invited, in, locked or off."""

    staff_id: str
    login: str
    name: str
    role: str
    deputy: str
    email: str
    active: bool
    state: str
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class People:
    everybody: list[Colleague]


class New(Form):
    login: Name
    name: Words
    role: Role
    deputy: Deputy = ""
    email: Maybe = ""


class Changed(Form):
    name: Words
    role: Role
    deputy: Deputy = ""
    email: Maybe = ""
    active: bool = Field(default=False)  # a box that is not ticked sends nothing


def read(session: Session, asked: Asked[Nothing]) -> People:
    seen = store.last_seen(session, asked.practice_id)
    return People([_colleague(person, held, seen.get(person.id), asked.now)
                   for person, held in store.people(session, asked.practice_id)])


def read_one(session: Session, asked: Asked[Nothing]) -> Colleague | None:
    return next((one for one in read(session, asked).everybody if one.staff_id == asked.path["staff_id"]), None)


def add(session: Session, asked: Asked[New]) -> Done:
    form = asked.query
    row = staff.add(session, asked.practice_id, login=form.login, name=form.name, role=form.role,
                    deputy_login=form.deputy or None, email=form.email or None, actor=asked.person.login,
                    now=asked.now)
    return Done("staff", row.id, "/people", "person_added", {"staff_id": row.id})


def change(session: Session, asked: Asked[Changed]) -> Done:
    form, staff_id = asked.query, _one(session, asked).id
    staff.change(session, asked.practice_id, staff_id, name=form.name, role=form.role,
                 deputy_login=form.deputy or None, email=form.email or None, active=form.active,
                 actor=asked.person.login, now=asked.now)
    return Done("staff", staff_id, "/people")


def invite(session: Session, asked: Asked[Nothing]) -> Done:
    """The address is shown once, to whoever invites."""
    row = _one(session, asked)
    token = invitations.invite(session, asked.practice_id, row.login, asked.person.login, asked.now)
    address = f"{asked.wiring.road.public_url.rstrip('/')}/console/join/{token}"
    return Done("staff", row.id, "/people", result={"login": row.login, "address": address}, page="invited")


def _one(session: Session, asked: Asked[Nothing] | Asked[Changed]) -> Staff:
    return there(store.person(session, asked.practice_id, asked.path["staff_id"]))


def _colleague(person: Staff, held: Credential | None, seen_at: datetime | None, now: datetime) -> Colleague:
    return Colleague(person.id, person.login, person.name, person.role, person.deputy_login or "", person.email or "",
                     person.active, _state(person, held, now), seen_at)


def _state(person: Staff, held: Credential | None, now: datetime) -> str:
    if not person.active:
        return "off"
    if held is None:
        return "never_invited"
    if held.password_hash is None:
        return "invited" if held.invite_until and now < held.invite_until else "never_invited"
    return "locked" if held.locked_until and now < held.locked_until else "in"


VIEWS = (View("people", "/people", "staff", read, People),
         View("person", "/people/{staff_id}", "staff", read_one, Colleague))
ACTIONS = (Action("staff.add", "/people", "staff", New, add),
           Action("staff.change", "/people/{staff_id}", "staff", Changed, change),
           Action("staff.invite", "/people/{staff_id}/invite", "staff", Nothing, invite))
