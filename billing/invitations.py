"""How somebody comes to a password of their own: an invitation, good once and for a day; a new one replaces it all."""

from __future__ import annotations

from datetime import datetime

import pyotp
from sqlalchemy.orm import Session

from billing import audit, passkeys, sign_in
from billing.ids import new_token
from billing.sign_in import SignInRefused
from billing.staff import StaffRefused
from billing.store import practices
from billing.store import sign_in_queries as store
from billing.store.seal import blind
from billing.store.tables import Credential, Staff


def invite(session: Session, practice_id: str, login: str, actor: str, now: datetime) -> str:
    """Return the token of a page on which ``login`` chooses a password. Whatever they signed in with before is void.

    Raises StaffRefused for a login that nobody active has.
    """
    person = practices.find_staff(session, practice_id, login)
    if person is None or not person.active:
        raise StaffRefused(f"{login!r} is nobody on this practice's staff; add them first")
    token, secret = new_token(), pyotp.random_base32()
    row = store.lock_credential(session, person.id)
    if row is None:
        row = Credential(staff_id=person.id, practice_id=practice_id, totp_secret=secret, changed_at=now)
        store.add(session, row)
    row.password_hash, row.totp_secret, row.totp_step = None, secret, 0
    row.failures, row.locked_until, row.changed_at = 0, None, now
    row.invite_hash, row.invite_until = _hash(token), now + sign_in.INVITED_FOR
    store.end_all(session, person.id, "revoked", now)
    passkeys.remove_all(session, person.id, actor, now)
    audit.record(session, practice_id, actor, "staff_invited", "staff", person.id, "", now)
    return token


def opened(session: Session, token: str, now: datetime) -> tuple[Staff, str] | None:
    """Who an invitation is for and the secret that their app is to keep; None for one that is used, old or unknown."""
    found = store.by_invite(session, _hash(token))
    if found is None or not _stands(found[0], now) or not found[1].active:
        return None
    return found[1], found[0].totp_secret


def accept(session: Session, token: str, password_hash: str, code: str, now: datetime) -> Staff:
    """The password is set and the app shown to work. Raises SignInRefused: the invitation is gone, or a wrong code."""
    found = store.by_invite(session, _hash(token))
    if found is None or not _stands(found[0], now) or not found[1].active:
        raise SignInRefused("this invitation has been used or has run out; ask for a new one")
    row, person = found
    step = sign_in.step_of(row.totp_secret, code, now)
    if step is None:
        raise SignInRefused("the app's code did not fit; wait for the next one and type that")
    row.password_hash, row.totp_step, row.changed_at = password_hash, step, now
    row.invite_hash = row.invite_until = None
    audit.record(session, person.practice_id, person.login, "invitation_accepted", "staff", person.id, "", now)
    return person


def _stands(row: Credential, now: datetime) -> bool:
    return row.invite_until is not None and now < row.invite_until


def _hash(token: str) -> str:
    return blind("invitation", "", token)
