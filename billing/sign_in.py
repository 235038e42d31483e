"""Signing in to the console: a password, then a code of the authenticator app, then a session that ends by itself.

The first password is chosen behind an invitation that a command or a manager made, never given out. A code is good
once. Every try, right or wrong, is in the audit trail. Hashing a password is the caller's (billing/passwords.py): it
takes a thread, and no transaction is open meanwhile. Whoever has added a passkey may answer with that in the place of
the code (billing/passkeys.py).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy.orm import Session

from billing import audit
from billing.ids import new_token
from billing.store import practices
from billing.store import sign_in_queries as store
from billing.store.seal import blind
from billing.store.tables import Credential, SignIn, Staff
from config.practice import PracticePolicy

MOST_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
CODE_WITHIN = timedelta(minutes=5)
INVITED_FOR = timedelta(hours=24)
TOUCH_EVERY = timedelta(seconds=30)
"""How exactly ``seen_at`` is kept: a row is not written for every click."""

_STEP = 30  # seconds that a code is shown for (RFC 6238)


class SignInRefused(ValueError):
    """Not signed in. The text is the same for an unknown login, a wrong password and a wrong code."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in, as of this request. ``session`` names the sign-in without opening it."""

    staff_id: str
    practice_id: str
    login: str
    name: str
    role: str
    csrf: str
    session: str


@dataclass(frozen=True, slots=True)
class Standing:
    """``person`` is None for whoever has to sign in, else they act under ``policy``, their practice's. ``note``: seen,
    idle or nothing, for ``keep``.
    """

    person: Person | None
    policy: PracticePolicy | None
    note: str


NOBODY = Standing(None, None, "")


@dataclass(frozen=True, slots=True)
class Known:
    """What a password is compared with. ``staff_id`` is empty for a login that nobody has."""

    staff_id: str
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A sign-in with its person and what they sign in with, held until the end of the transaction."""

    row: SignIn
    person: Staff
    credential: Credential


def hash_token(token: str) -> str:
    return blind("sign-in", "", token)


def look_up(session: Session, practice_id: str, login: str) -> Known:
    """What is known of a login; the same shape whether or not there is one."""
    person = practices.find_staff(session, practice_id, login)
    known = store.credential_of(session, person.id) if person is not None and person.active else None
    return Known(known.staff_id, known.password_hash) if known is not None else Known("", None)


def try_password(session: Session, practice_id: str, login: str, known: Known, right: bool, browser: str,
                 now: datetime) -> str | None:
    """Count the try. Return the token of a sign-in that waits for its code; None when it is refused."""
    held = store.lock_credential(session, known.staff_id) if known.staff_id else None
    if held is None or held.password_hash != known.password_hash:  # changed meanwhile
        return None
    if _is_locked(held, now):
        audit.record(session, practice_id, login, "sign_in_locked", "staff", held.staff_id, "", now)
        return None
    if not right:
        _count_failure(session, held, practice_id, login, "password", now)
        return None
    return _begin(session, held, "password", browser, now, now + CODE_WITHIN)


def try_code(session: Session, token: str, code: str, browser: str, now: datetime) -> str | None:
    """The second factor. Return the token of the full session, a new one; None when the code is wrong, used or late."""
    held = hold(session, hash_token(token), "password", now)
    if held is None or not takes_code(session, held, code, now):
        return None
    return come_in(session, held, "", browser, now)


def standing(session: Session, hashed: str, stage: str, now: datetime) -> tuple[SignIn, Staff] | None:
    """The open sign-in of this stage (password, full) whose token has that hash, and whose it is."""
    found = store.find(session, hashed)
    return found if found is not None and _stands(found[0], found[1], stage, now) else None


def hold(session: Session, hashed: str, stage: str, now: datetime) -> Held | None:
    """The same, held: what is proved with it is proved once. None for a login that rests, too."""
    found = standing(session, hashed, stage, now)
    credential = store.lock_credential(session, found[1].id) if found is not None else None
    found = standing(session, hashed, stage, now)  # whoever held it before may have used it up
    if found is None or credential is None or _is_locked(credential, now):
        return None
    return Held(found[0], found[1], credential)


def takes_code(session: Session, held: Held, code: str, now: datetime) -> bool:
    """Whether the app's code fits and is fresh; it is used up then, and a failure is counted otherwise."""
    step = step_of(held.credential.totp_secret, code, now)
    if step is None or step <= held.credential.totp_step:
        count_failure(session, held, "code", now)
        return False
    held.credential.totp_step = step
    return True


def come_in(session: Session, held: Held, by: str, browser: str, now: datetime) -> str:
    """Both steps are proved: return the token of the full session. ``by``: with what, if not the app's code."""
    person = held.person
    held.credential.failures, held.credential.locked_until = 0, None
    _end(held.row, "rotated", now)
    audit.record(session, person.practice_id, person.login, "signed_in", "staff", person.id, by, now)
    hours = practices.policy_in(session, person.practice_id).console.longest_hours
    return _begin(session, held.credential, "full", browser, now, now + timedelta(hours=hours))


def count_failure(session: Session, held: Held, what: str, now: datetime) -> None:
    """A second step that was wrong, counted with wrong passwords towards the same rest."""
    _count_failure(session, held.credential, held.person.practice_id, held.person.login, what, now)


def look(session: Session, token: str, now: datetime) -> Standing:
    """Who is behind a token, read only; ``note`` says what is to be written about it (``keep``)."""
    found = standing(session, hash_token(token), "full", now)
    if found is None:
        return NOBODY
    row, person = found
    policy = practices.policy_in(session, person.practice_id)
    if now - row.seen_at >= timedelta(minutes=policy.console.idle_minutes):
        return Standing(None, None, "idle")
    known = Person(person.id, person.practice_id, person.login, person.name, person.role, row.csrf, row.token_hash)
    return Standing(known, policy, "seen" if now - row.seen_at >= TOUCH_EVERY else "")


def keep(session: Session, token: str, note: str, now: datetime) -> None:
    """Write what ``look`` found: the person was here (``seen``), or has been away for too long (``idle``)."""
    found = store.find(session, hash_token(token))
    if found is None or found[0].ended_at is not None:
        return
    if note == "idle":
        _end(found[0], "idle", now)
    else:
        found[0].seen_at = max(found[0].seen_at, now)


def end(session: Session, person: Person, now: datetime) -> None:
    """Sign out."""
    found = store.find(session, person.session)
    if found is not None:
        _end(found[0], "self", now)
        audit.record(session, person.practice_id, person.login, "signed_out", "staff", person.staff_id, "", now)


def browsers(session: Session, staff_id: str, now: datetime) -> Sequence[SignIn]:
    """Where somebody is signed in, oldest first."""
    return store.open_of(session, staff_id, now)


def end_others(session: Session, person: Person, now: datetime) -> int:
    """Sign somebody out everywhere but here; return how many browsers that were."""
    return store.end_all(session, person.staff_id, "revoked", now, but=person.session)


def _stands(row: SignIn, person: Staff, stage: str, now: datetime) -> bool:
    return row.stage == stage and row.ended_at is None and now < row.ends_at and person.active


def _is_locked(held: Credential, now: datetime) -> bool:
    return held.locked_until is not None and now < held.locked_until


def _count_failure(session: Session, held: Credential, practice_id: str, login: str, what: str, now: datetime) -> None:
    held.failures += 1
    if held.failures >= MOST_FAILURES:
        held.failures, held.locked_until = 0, now + LOCKED_FOR
        store.end_all(session, held.staff_id, "locked", now)
    audit.record(session, practice_id, login, "sign_in_failed", "staff", held.staff_id, what, now)


def _begin(session: Session, held: Credential, stage: str, browser: str, now: datetime, ends_at: datetime) -> str:
    token = new_token() + new_token()
    row = SignIn(
        token_hash=hash_token(token), practice_id=held.practice_id, staff_id=held.staff_id, stage=stage,
        csrf=new_token(), browser=browser[:120], started_at=now, seen_at=now, ends_at=ends_at)
    if stage == "password":
        challenge(row, now)
    store.add(session, row)
    return token


def challenge(row: SignIn, now: datetime) -> str:
    """Something new and random for a passkey to sign, in the place of what this sign-in asked before."""
    row.challenge, row.challenged_at = new_token() + new_token(), now
    return row.challenge


def _end(row: SignIn, why: str, now: datetime) -> None:
    row.ended_at, row.ended_by = now, why


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step that a code belongs to, one to either side allowed for clocks; None for a wrong one."""
    digits = "".join(char for char in code if char.isascii() and char.isdigit())
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // _STEP
    for step in (present, present - 1, present + 1):
        if hmac.compare_digest(totp.at(step * _STEP), digits):
            return step
    return None
