"""The sample practice's staff, who have no app and no password to remember: the demo keeps both for them.

Everything here goes the way that a real person goes: an invitation, a password, a code, a session. What the demo adds
is that it knows the secret of the app, and that its clock moves on to the next code where one was used up.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pyotp
from sqlalchemy.orm import Session

from billing import invitations, passwords, sign_in, staff
from billing.ids import new_token
from billing.sign_in import SignInRefused
from billing.staff import StaffRefused
from bot.demo.clock import DemoClock
from bot.write import Store

_STEP = 30  # seconds that a code is shown for


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the sample practice's billing office."""

    login: str
    name: str
    role: str


BILLER = Colleague("dana", "Dana Reyes", "biller")
SUPERVISOR = Colleague("rosa", "Rosa Lim", "supervisor")
MANAGER = Colleague("iris", "Iris Cole", "manager")
STAFF = (BILLER, SUPERVISOR, MANAGER)


class OffTheList(Exception):
    """A manager has taken this person off the practice's list: the door stays shut, as it should."""


@dataclass(slots=True)
class _Keys:
    """What a person carries: the password, the app's secret, and the last step whose code was used."""

    password: str
    secret: str
    used: int


def hire(session: Session, practice_id: str, now: datetime) -> None:
    """Put everybody on a fresh practice's list."""
    for one in STAFF:
        staff.add(session, practice_id, login=one.login, name=one.name, role=one.role, actor="demo", now=now)


class Desk:
    """Signs the sample practice's staff in. ``clock`` is the demo's own."""

    def __init__(self, store: Store, practice_id: str, clock: DemoClock) -> None:
        self._store, self._practice_id, self._clock = store, practice_id, clock
        self._keys: dict[str, _Keys] = {}
        self._one_by_one = asyncio.Lock()  # a code is good once, so two at once would spoil each other's

    async def sign_in(self, login: str, browser: str) -> str:
        """Return the token of a full session. Raises OffTheList, and KeyError for nobody of the sample."""
        one = {known.login: known for known in STAFF}[login]
        async with self._one_by_one:
            keys = self._keys.get(login) or await self._invited(one)
            # Whoever was invited anew on the page "People", or had to rest, needs other keys than these.
            token = await self._both_steps(login, keys, browser) or await self._both_steps(
                login, await self._invited(one), browser)
        if token is None:
            raise OffTheList(login)
        return token

    async def _invited(self, one: Colleague) -> _Keys:
        """Choose a password behind an invitation, and show the app's first code."""
        try:
            token = await self._store.awrite(partial(
                invitations.invite, practice_id=self._practice_id, login=one.login, actor="demo", now=self._now()))
        except StaffRefused as error:
            raise OffTheList(one.login) from error
        opened = await self._store.aread(partial(invitations.opened, token=token, now=self._now()))
        if opened is None:
            raise OffTheList(one.login)
        keys = _Keys(new_token() + new_token(), opened[1], 0)
        hashed = await asyncio.to_thread(passwords.make_hash, keys.password)
        code = self._next_code(keys)
        try:
            await self._store.awrite(partial(
                invitations.accept, token=token, password_hash=hashed, code=code, now=self._now()))
        except SignInRefused as error:
            raise OffTheList(one.login) from error
        self._keys[one.login] = keys
        return keys

    async def _both_steps(self, login: str, keys: _Keys, browser: str) -> str | None:
        """The password, then the code, by the functions that the console's own form calls."""
        known = await self._store.aread(partial(sign_in.look_up, practice_id=self._practice_id, login=login))
        right = await asyncio.to_thread(passwords.is_right, known.password_hash, keys.password)
        pending = await self._store.awrite(partial(
            sign_in.try_password, practice_id=self._practice_id, login=login, known=known, right=right,
            browser=browser, now=self._now()))
        if pending is None:
            return None
        code = self._next_code(keys)
        return await self._store.awrite(partial(
            sign_in.try_code, token=pending, code=code, browser=browser, now=self._now()))

    def _next_code(self, keys: _Keys) -> str:
        """The app's code, one that was not used before: the demo's clock goes there where it has to."""
        keys.used = max(keys.used + 1, int(self._clock.timestamp()) // _STEP)
        self._clock.move_to(datetime.fromtimestamp(keys.used * _STEP, UTC))
        return pyotp.TOTP(keys.secret).at(keys.used * _STEP)

    def _now(self) -> datetime:
        return self._clock.now()
