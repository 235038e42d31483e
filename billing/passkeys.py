"""Passkeys and security keys: a second step in the place of the app's code, for whoever has added one.

The app's code always remains as the way back. A challenge is random, kept with the sign-in that it was made for, and
answered once; a wrong answer counts with wrong codes towards the same rest (billing/sign_in.py). Adding one asks for a
fresh code of the app each time, however young the sign-in: a session that was left open or copied is a full one too,
and the app is in another pocket.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, passkey_proofs, rates, sign_in
from billing.ids import new_id
from billing.passkey_proofs import Site
from billing.sign_in import Held, Person
from billing.store import passkey_queries as store
from billing.store.tables import Passkey

MOST = 10
_PASSKEY = "passkey"


class PasskeyRefused(ValueError):
    """A key cannot be added or changed. The text says what to do."""


def every(session: Session, staff_id: str) -> Sequence[Passkey]:
    """Somebody's keys, oldest first."""
    return store.of(session, staff_id)


def question(session: Session, token: str, site: Site | None, now: datetime) -> str:
    """What the browser of a sign-in that waits for its second step is to ask of a key, as JSON; empty where there is
    nothing to ask: no such sign-in, no key, or a console without a name.
    """
    found = sign_in.standing(session, sign_in.hash_token(token), "password", now)
    if found is None or site is None or found[0].challenge is None:
        return ""
    known = [one.credential_id for one in store.of(session, found[1].id)]
    return passkey_proofs.ask_known(site, found[0].challenge, known) if known else ""


def try_key(session: Session, token: str, answer: str, site: Site | None, browser: str, now: datetime) -> str | None:
    """The second factor by a key. Return the token of the full session, a new one; None when the answer is not from a
    key of this person's, not to this sign-in's challenge, or late.
    """
    held = sign_in.hold(session, sign_in.hash_token(token), "password", now)
    if held is None:
        return None
    challenge = _take_challenge(held, now)
    sign_in.challenge(held.row, now)  # a next try is asked something else
    key = store.by_credential(session, passkey_proofs.id_in(answer))
    if site is None or challenge is None or key is None or key.staff_id != held.person.id or not _signed(
            session, held, key, passkey_proofs.count_in(site, challenge, key.public_key, answer), now):
        sign_in.count_failure(session, held, _PASSKEY, now)
        return None
    return sign_in.come_in(session, held, _PASSKEY, browser, now)


def _signed(session: Session, held: Held, key: Passkey, count: int | None, now: datetime) -> bool:
    """Whether the key signed, and its count has moved on: one that stands or goes back is a copy's (7.2, step 21)."""
    if count is None:
        return False
    if (count or key.sign_count) and count <= key.sign_count:
        audit.record(session, key.practice_id, held.person.login, "passkey_copied", _PASSKEY, key.id, "", now)
        return False
    key.sign_count, key.used_at = count, now
    return True


def begin(session: Session, person: Person, practice: str, code: str, site: Site | None, now: datetime) -> str:
    """Before a key is added: the app's code, fresh. Return what the browser is to ask of the key, as JSON; empty for a
    wrong code, which counts as one at the door. ``practice``: how the browser calls who asks.

    Raises PasskeyRefused: no browser's session, a console without a name, too many keys or tries.
    """
    if site is None:
        raise PasskeyRefused("keys need a console that is opened by name, over https or as localhost")
    held = _of_browser(session, person, now)
    known = [one.credential_id for one in store.of(session, person.staff_id)]
    if len(known) >= MOST:
        raise PasskeyRefused(f"nobody has more than {MOST} keys; remove one first")
    if not rates.allows(session, rates.CODE, person.practice_id, person.staff_id, now):
        raise PasskeyRefused("too many tries; wait fifteen minutes")
    if not sign_in.takes_code(session, held, code, now):
        return ""
    asked = sign_in.challenge(held.row, now)
    return passkey_proofs.ask_new(site, asked, practice, person.staff_id, person.login, person.name, known)


def add(session: Session, person: Person, name: str, answer: str, site: Site | None, now: datetime) -> Passkey | None:
    """The key that answered what ``begin`` asked, kept under ``name``; None where the answer is not one to that, came
    late, or is from a key that somebody has already. Raises PasskeyRefused for whoever has no browser's session.
    """
    held = _of_browser(session, person, now)
    asked = _take_challenge(held, now)
    made = passkey_proofs.read_new(site, asked, answer) if site is not None and asked is not None else None
    if made is None or store.by_credential(session, made.credential_id) is not None:
        return None
    row = Passkey(id=new_id(_PASSKEY), practice_id=person.practice_id, staff_id=person.staff_id, name=name,
                  credential_id=made.credential_id, public_key=made.public_key, sign_count=made.sign_count,
                  created_at=now)
    store.add(session, row)
    audit.record(session, person.practice_id, person.login, "passkey_added", _PASSKEY, row.id, "", now)
    return row


def rename(session: Session, person: Person, passkey_id: str, name: str, now: datetime) -> Passkey:
    """Raises LookupError for a key that is not there, PasskeyRefused for a colleague's."""
    row = own(session, person, passkey_id)
    row.name = name
    audit.record(session, person.practice_id, person.login, "passkey_named", _PASSKEY, row.id, "", now)
    return row


def remove(session: Session, person: Person, passkey_id: str, now: datetime) -> None:
    """Nobody signs in with it any more. Raises as ``rename``."""
    _remove(session, own(session, person, passkey_id), person.login, now)


def remove_all(session: Session, staff_id: str, by: str, now: datetime) -> None:
    """As ``remove``, of whatever keys somebody has; ``by``: the login of who takes them away."""
    for row in store.of(session, staff_id):
        _remove(session, row, by, now)


def _remove(session: Session, row: Passkey, by: str, now: datetime) -> None:
    store.remove(session, row)
    audit.record(session, row.practice_id, by, "passkey_removed", _PASSKEY, row.id, "", now)


def own(session: Session, person: Person, passkey_id: str) -> Passkey:
    """Raises LookupError for a key that is not there, PasskeyRefused for a colleague's."""
    row = store.named(session, person.practice_id, passkey_id)
    if row is None:
        raise LookupError("there is no such key")
    if row.staff_id != person.staff_id:
        raise PasskeyRefused("this key is a colleague's; they remove it, or a manager invites them anew")
    return row


def _of_browser(session: Session, person: Person, now: datetime) -> Held:
    held = sign_in.hold(session, person.session, "full", now)
    if held is None:
        raise PasskeyRefused("only somebody who is signed in at a browser adds keys")
    return held


def _take_challenge(held: Held, now: datetime) -> str | None:
    """What was asked, which nothing answers a second time; None where nothing was, or too long ago."""
    row = held.row
    asked, asked_at = row.challenge, row.challenged_at
    row.challenge = row.challenged_at = None
    return asked if asked_at is not None and now < asked_at + sign_in.CODE_WITHIN else None
