"""Where somebody is signed in, signing out elsewhere, and the keys that they sign in with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import passkey_proofs, passkeys, sign_in
from bot.web.console.table import Action, Asked, Done, Nothing, View


@dataclass(frozen=True, slots=True)
class Browser:
    browser: str
    started_at: datetime
    seen_at: datetime
    this: bool


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A passkey or security key."""

    passkey_id: str
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Me:
    """``keys_work``: browsers make keys for the address that this console has."""

    login: str
    name: str
    role: str
    browsers: list[Browser]
    keys: list[OwnKey]
    keys_work: bool


def read(session: Session, asked: Asked[Nothing]) -> Me:
    person = asked.person
    return Me(person.login, person.name, person.role, [
        Browser(one.browser, one.started_at, one.seen_at, one.token_hash == person.session)
        for one in sign_in.browsers(session, person.staff_id, asked.now)],
        [OwnKey(one.id, one.name, one.created_at, one.used_at) for one in passkeys.every(session, person.staff_id)],
        passkey_proofs.site_of(asked.wiring.road.public_url) is not None)


def sign_out_elsewhere(session: Session, asked: Asked[Nothing]) -> Done:
    sign_in.end_others(session, asked.person, asked.now)
    return Done("staff", asked.person.staff_id, "/me")


VIEWS = (View("me", "/me", "read", read, Me),)
ACTIONS = (Action("me.sign_out_elsewhere", "/me/sign-out-elsewhere", "read", Nothing, sign_out_elsewhere),)
