"""The code that proves a text of ours: eight signs, one for each number, known to nobody but that phone and us.

It opens nothing and names nobody. A forger who does not have it can be told apart: on the paper statement, in the
thread when the patient asks, and on our own page, which says yes with the day of the last text, or no.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from billing.ids import new_id
from billing.store import account_queries
from billing.store import preference_queries as store
from billing.store.seal import blind
from billing.store.tables import CheckCode

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no I, L, O or U, which look like others or make words."""

LENGTH = 8
_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


def for_number(session: Session, practice_id: str, address_hash: str, now: datetime) -> str:
    """The code of a number in two groups (``7K2M-9QXD``), made the first time it is asked for."""
    known = store.code_of(session, practice_id, address_hash)
    if known is None:
        known = CheckCode(id=new_id("code"), practice_id=practice_id, address_hash=address_hash, code=_make(),
                          code_hash="", created_at=now)
        known.code_hash = _hash(practice_id, known.code)
        store.add_code(session, known)
    return written(known.code)


def for_account(session: Session, practice_id: str, guarantor_id: str, now: datetime) -> str | None:
    """The code of the number at which an account is texted; None for one that is not."""
    contact = account_queries.text_contact(session, guarantor_id)
    return for_number(session, practice_id, contact.address_hash, now) if contact is not None else None


def last_texted_at(session: Session, practice_id: str, given: str) -> datetime | None:
    """When we last texted the number that this code belongs to; None for no such code and for no such text alike."""
    code = normal(given)
    address_hash = store.address_of_code(session, practice_id, _hash(practice_id, code))
    return store.last_sent_at(session, practice_id, address_hash or "")


def normal(given: str) -> str:
    """What somebody typed, as it is kept: capitals, no spaces or dashes, look-alikes put right."""
    return re.sub(r"[^0-9A-Z]", "", given.upper())[:2 * LENGTH].translate(_ALIKE)


def written(code: str) -> str:
    return f"{code[:LENGTH // 2]}-{code[LENGTH // 2:]}"


def _make() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def _hash(practice_id: str, code: str) -> str:
    return blind("check", practice_id, code)
