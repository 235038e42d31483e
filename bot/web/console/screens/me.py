"""Where somebody is signed in, and signing out elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import sign_in
from bot.web.console.table import Action, Asked, Done, Nothing, View


@dataclass(frozen=True, slots=True)
class Browser:
    browser: str
    started_at: datetime
    seen_at: datetime
    this: bool


@dataclass(frozen=True, slots=True)
class Me:
    login: str
    name: str
    role: str
    browsers: list[Browser]


def read(session: Session, asked: Asked[Nothing]) -> Me:
    person = asked.person
    return Me(person.login, person.name, person.role, [
        Browser(one.browser, one.started_at, one.seen_at, one.token_hash == person.session)
        for one in sign_in.browsers(session, person.staff_id, asked.now)])


def sign_out_elsewhere(session: Session, asked: Asked[Nothing]) -> Done:
    sign_in.end_others(session, asked.person, asked.now)
    return Done("staff", asked.person.staff_id, "/me")


VIEWS = (View("me", "/me", "read", read, Me),)
ACTIONS = (Action("me.sign_out_elsewhere", "/me/sign-out-elsewhere", "read", Nothing, sign_out_elsewhere),)
