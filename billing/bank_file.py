"""The bank's lines as they are kept: each booking once, however often and in whatever files it comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from billing.ids import new_id
from billing.importers.bank_csv import BankRow
from billing.store import close_queries as store
from billing.store.seal import blind
from billing.store.tables_money import BankLine


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file brought. Cents, signed; days are None for a file without bookings."""

    new: int
    known: int
    new_minor: int
    first_on: date | None
    last_on: date | None


def take_lines(session: Session, practice_id: str, digest: str, rows: Iterable[BankRow]) -> Taken:
    """Keep what is not on file yet. A booking is known by the bank's own number; without one by day, amount and text,
    and among equal ones by its place: two equal bookings of a day are two, and a file that overlaps is no third.
    """
    keyed = list(_keyed(practice_id, rows))
    known = store.known_lines(session, practice_id, [key for key, _ in keyed])
    fresh = [(key, row) for key, row in keyed if key not in known]
    store.add_lines(session, [BankLine(
        id=new_id("bnk"), practice_id=practice_id, import_ref=digest, line=row.line, booked_on=row.booked_on,
        amount_minor=row.amount_minor, text=row.text, matched_kind=None, matched_ref=None, matched_by=None,
        matched_at=None, dedupe=key) for key, row in fresh])
    days = [row.booked_on for _, row in keyed]
    return Taken(len(fresh), len(keyed) - len(fresh), sum(row.amount_minor for _, row in fresh),
                 min(days, default=None), max(days, default=None))


def _keyed(practice_id: str, rows: Iterable[BankRow]) -> Iterable[tuple[str, BankRow]]:
    """The text may hold a name: it enters the key as a keyed hash."""
    seen: dict[str, int] = {}
    for row in rows:
        content = f"{row.booked_on}|{row.amount_minor}|{row.reference or row.text}"
        key = blind("bank_line", practice_id, content)
        seen[key] = seen.get(key, 0) + 1
        yield (key if seen[key] == 1 else f"{key}#{seen[key]}"), row
