"""Keys for the practice's other programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from billing import api_keys
from bot.web.console.table import Action, Asked, Done, Form, Nothing, View


@dataclass(frozen=True, slots=True)
class Key:
    """``state``: open, ended or revoked. The key itself is nowhere; ``tail`` is its last four characters."""

    key_id: str
    name: str
    role: str
    tail: str
    state: str
    made_by: str
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Keys:
    every: list[Key]


class New(Form):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40,
                                           pattern=r"^[A-Za-z0-9 ._-]+$")]
    role: Literal["reader", "auditor", "biller", "supervisor"]
    days: int = Field(ge=1, le=366)


def read(session: Session, asked: Asked[Nothing]) -> Keys:
    return Keys([Key(row.id, row.name, row.role, row.tail,
                     "revoked" if row.revoked_at else "ended" if asked.now >= row.ends_at else "open",
                     row.made_by, row.made_at, row.ends_at, row.used_at)
                 for row in api_keys.every(session, asked.practice_id)])


def make(session: Session, asked: Asked[New]) -> Done:
    """The key is shown once, to whoever made it."""
    form = asked.query
    key = api_keys.make(session, asked.practice_id, form.name, form.role, form.days, asked.person.login, asked.now)
    return Done("api_key", form.name, "/keys", result={"name": form.name, "key": key}, page="key_made")


def revoke(session: Session, asked: Asked[Nothing]) -> Done:
    row = api_keys.revoke(session, asked.practice_id, asked.path["key_id"], asked.person.login, asked.now)
    return Done("api_key", row.id, "/keys")


VIEWS = (View("api_keys", "/keys", "staff", read, Keys),)
ACTIONS = (Action("api_key.make", "/keys", "staff", New, make),
           Action("api_key.revoke", "/keys/{key_id}/revoke", "staff", Nothing, revoke))
