"""A patient's own six digits in place of the date of birth, which a family knows (45 CFR 164.514(h)).

Six digits are soon tried through, so the salt of the digest is made under a key that the database does not hold, for
each account its own. The digits themselves are kept nowhere and written to no log.
"""

from __future__ import annotations

import re
import secrets
from datetime import date, datetime
from itertools import pairwise

from sqlalchemy.orm import Session

from billing import audit
from billing.passcode_digest import digest
from billing.store import preference_queries as store
from billing.store.seal import blind
from billing.store.tables import Passcode
from billing.views import PasscodeView

DIGITS = 6


NONE = PasscodeView("none", "")
"""Matches nothing; to spend the same time where no passcode is set."""


class WeakPasscode(ValueError):
    """``code``: form (not six digits), easy (a run or a pattern) or birth (the date of birth). No digits in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def view(session: Session, guarantor_id: str) -> PasscodeView | None:
    return view_of(guarantor_id, store.passcode(session, guarantor_id))


def view_of(guarantor_id: str, kept: tuple[str, str] | None) -> PasscodeView | None:
    """``kept``: salt and digest, as the store has them."""
    return PasscodeView(_salt(guarantor_id, kept[0]), kept[1]) if kept is not None else None


def put(session: Session, practice_id: str, guarantor_id: str, digits: str, born_on: date | None, *, actor: str,
        now: datetime) -> None:
    """Set or change the passcode. Raises WeakPasscode."""
    if weak := weakness(digits, born_on):
        raise WeakPasscode(weak)
    salt = secrets.token_hex(16)
    store.put_passcode(session, Passcode(guarantor_id=guarantor_id, practice_id=practice_id, salt=salt,
                                         digest=digest(digits, _salt(guarantor_id, salt)), set_at=now))
    audit.record(session, practice_id, actor, "passcode_set", "account", guarantor_id, "by the patient", now)


def remove(session: Session, practice_id: str, guarantor_id: str, *, actor: str, reason: str, now: datetime) -> bool:
    """Take the passcode away: the date of birth proves again. False where there was none."""
    if not store.drop_passcode(session, guarantor_id):
        return False
    audit.record(session, practice_id, actor, "passcode_removed", "account", guarantor_id, reason, now)
    return True


def weakness(digits: str, born_on: date | None) -> str:
    """Why a passcode is refused; empty for a good one."""
    if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", digits):
        return "form"
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(digits)}
    patterns = (digits[:3] == digits[3:], digits[:2] * 3 == digits, digits == digits[::-1], len(set(digits)) < 3)
    if steps in ({0}, {1}, {9}) or any(patterns):
        return "easy"
    return "birth" if born_on is not None and digits in _of_birth(born_on) else ""


def _of_birth(born_on: date) -> set[str]:
    day, month, short, year = f"{born_on:%d}", f"{born_on:%m}", f"{born_on:%y}", f"{born_on:%Y}"
    return {month + day + short, day + month + short, short + month + day, year + month, month + year, short + day
            + month, day + year, year + day}


def _salt(guarantor_id: str, kept: str) -> str:
    """The salt that counts: of what is kept, under the key that the database does not hold."""
    return blind("passcode", guarantor_id, kept)
