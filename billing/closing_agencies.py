"""What collection agencies took for the practice, in the daily close: booked as they report it, awaited at the bank.

An agency sends what a report comes to: payments, less its fees and less what it took back. A report that comes to
nothing or less is held against its next one. Three sums are compared as for any other money: the agency's report, the
ledger (``cash:agency:agency``) and the bank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.closing_pairs import Expected
from billing.store import agency_queries as store
from billing.store import close_queries
from billing.store.agency_queries import Report

KIND = "agency"
ACCOUNT = "cash:agency:agency"
#: Business days around the report: some send the money with it, some once a month.
EARLIEST, LATEST = -5, 25


@dataclass(frozen=True, slots=True)
class Taken:
    """What one agency's reports put on a day's books. Cents."""

    agency: str
    paid_minor: int
    reversed_minor: int
    fees_minor: int

    @property
    def owed_minor(self) -> int:
        """What it owes the practice of it."""
        return self.paid_minor - self.reversed_minor - self.fees_minor


def taken_on(session: Session, practice_id: str, day: date) -> tuple[Taken, ...]:
    """By agency; ``day`` is the one that the postings stand in."""
    sums: dict[str, dict[str, tuple[int, int]]] = {}
    for agency, kind, amount, fee in store.sums_on(session, practice_id, day):
        sums.setdefault(agency, {})[kind] = (amount, fee)
    found = []
    for agency, by_kind in sorted(sums.items()):
        (paid, kept), (back, given), (_, alone) = (by_kind.get(kind, (0, 0)) for kind in store.MONEY)
        found.append(Taken(agency, paid, back, kept + alone - given))
    return tuple(found)


def expected(session: Session, practice_id: str, matched: Mapping[str, int]) -> list[Expected]:
    """What agencies have reported and the bank does not show. ``matched``: cents of the lines by their ref."""
    zone = ZoneInfo(close_queries.zone_of(session, practice_id))
    found: list[Expected] = []
    reports = store.reports(session, practice_id)
    for agency in sorted({one.agency for one in reports}):
        found += _of_agency([one for one in reports if one.agency == agency], matched, zone)
    return found


def _of_agency(reports: Sequence[Report], matched: Mapping[str, int], zone: ZoneInfo) -> list[Expected]:
    """Oldest first. ``over``: below zero what the agency holds back from its next report; above zero what it still
    owes of one whose money came before its last rows did.
    """
    found, over = list[Expected](), 0
    for one in reports:
        ref, amount = f"{one.agency}:{one.number}", one.net_minor + over
        if ref in matched:
            over = amount - matched[ref]
        elif amount > 0:
            found.append(Expected(KIND, ref, amount, one.made_at.astimezone(zone).date(), "", EARLIEST, LATEST))
            over = 0
        else:
            over = amount
    return found
