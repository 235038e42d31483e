"""Finding accounts: by number, claim, name, telephone, e-mail or day of birth. Sealed columns are found by their keyed
hashes, so a name is a whole surname and a number a whole number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from billing import accounts, figures
from billing.phones import address_hash, e164
from billing.store import console_account_queries as store
from billing.store.seal import blind, normal_name
from billing.store.tables import Guarantor

MOST = 50


@dataclass(frozen=True, slots=True)
class Found:
    """One line of a list. Amounts are cents."""

    account_id: str
    number: str
    name: str
    born_on: date | None
    language: str
    confirmed: bool
    due_now_minor: int
    open_minor: int
    holds: list[str]


def search(session: Session, practice_id: str, wanted: str, today: date, *, unconfirmed: bool = False) -> list[Found]:
    """The accounts that ``wanted`` names; without it the newest ones, at most 50."""
    wanted = " ".join(wanted.split())
    rows = _find(session, practice_id, wanted) if wanted else store.newest(session, practice_id, MOST,
                                                                           unconfirmed=unconfirmed)
    unique = list({row.id: row for row in rows}.values())[:MOST]
    sums = figures.accounts_figures(session, practice_id, [row.id for row in unique], today)
    return [_line(row, sums[row.id]) for row in unique]


def _find(session: Session, practice_id: str, wanted: str) -> Sequence[Guarantor]:
    if (day := as_day(wanted)) is not None:
        return store.by_birth(session, practice_id, blind("born", practice_id, day.isoformat()), MOST)
    if hashes := address_hashes(practice_id, wanted):
        return store.by_address(session, practice_id, hashes, MOST)
    exact = accounts.find_account(session, practice_id, wanted)
    surname = normal_name(wanted.split(",", maxsplit=1)[0] if "," in wanted else wanted.rsplit(maxsplit=1)[-1])
    named = store.by_surname(session, practice_id, blind("surname", practice_id, surname), MOST) if surname else []
    return [*([exact] if exact is not None else []), *named]


def as_day(text: str) -> date | None:
    """A day of birth as Americans and computers write it: 3/14/1980, 1980-03-14."""
    american = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", text)
    iso = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text)
    parts = (american[3], american[1], american[2]) if american else iso.groups() if iso else None
    if parts is None:
        return None
    try:
        return date(*(int(one) for one in parts))
    except ValueError:
        return None


def address_hashes(practice_id: str, wanted: str) -> list[str]:
    """Under which a telephone number or an e-mail address is kept, on the channels that have one."""
    if "@" in wanted:
        return [address_hash(practice_id, "email", wanted.casefold())]
    if len(re.sub(r"\D", "", wanted)) < 10 or re.search(r"[A-Za-z]", wanted):
        return []
    try:
        number = e164(wanted)
    except ValueError:
        return []
    return [address_hash(practice_id, "sms", number)]


def _line(row: Guarantor, sums: figures.AccountFigures) -> Found:
    kinds = {hold.kind for hold in sums.account_holds} | {hold.kind for v in sums.visits for hold in v.holds}
    return Found(row.id, row.external, row.name, date.fromisoformat(row.born_on) if row.born_on else None,
                 row.language, row.confirmed_at is not None, sums.total.due_now_minor, sums.total.open_minor,
                 sorted(kinds))
