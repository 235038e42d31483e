"""Balances per visit from the system whose ledger is the record: ours takes theirs over, the difference kept in sight.

What patients paid here and that system has not posted yet is not in its balances, so it is taken into account: the
visit comes to their figure less what is unposted, and nobody is asked again for what they have paid (issue 2, "Ledger
of record"). A practice whose record is Plainbill brings balances once, for visits that are not on file: it opens them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from billing import ledger
from billing.book import Book, CoverageState, VisitState
from billing.csv_items import Item
from billing.csv_visits import BY_STATUS, FROM_THE_PAYER, Desk, open_balance, standing
from billing.importers.csv_records import BalanceRow
from billing.opening import insert_coverage
from billing.record import OURS
from billing.store import csv_queries, posting_queries
from billing.store.tables import ImportedBalance

OUR_RECORD = ("visit_id: this practice's own ledger is the record and the visit is on file, so another system's "
              "balance may not replace it; set ledger_of_record in the policy if that system's ledger decides")
IN_FUTURE = "as_of: lies in the future"
TWICE = "visit_id: this visit stands twice in the file; keep its newest balance only"


@dataclass(slots=True)
class Held:
    """What we hold of a batch's visits besides their accounts."""

    remembered: dict[str, int] = field(default_factory=dict)
    effects: list[posting_queries.Effect] = field(default_factory=list)
    newest: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, book: Book, items: Iterable[Item]) -> Held:
        rows = [item.record for item in items if isinstance(item.record, BalanceRow)]
        visits = [v.visit_id for row in rows if (v := standing(book, row.visit_id)) is not None]
        if not visits:
            return cls()
        return cls(csv_queries.remembered_credit(book.session, visits),
                   posting_queries.effects(book.session, book.practice_id, visits),
                   posting_queries.newest_balance_of(book.session, visits))

    def unposted(self, visit_id: str, side: str, as_of_at: datetime) -> int:
        """Cents (below zero: paid) that a balance of that moment cannot know of."""
        return sum(e.amount_minor for e in self.effects if e.visit_id == visit_id and e.side == side
                   and (e.acknowledged_at is None or e.acknowledged_at > as_of_at))


def moment_of(row: BalanceRow, book: Book) -> datetime:
    """A day means its beginning: what was posted there during it may be missing, which errs to the patient's side."""
    if isinstance(row.as_of, datetime):
        return row.as_of
    return datetime.combine(row.as_of, time(), ZoneInfo(book.policy.zone))


def refusal(desk: Desk, row: BalanceRow) -> str:
    """Why the balance cannot be taken, or ""."""
    book = desk.book
    if moment_of(row, book) > book.now + timedelta(minutes=10):
        return IN_FUTURE
    if book.policy.ledger_of_record == OURS and standing(book, row.visit_id) is not None:
        return OUR_RECORD
    return ""


def post_balance(desk: Desk, item: Item, row: BalanceRow, held: Held) -> tuple[str, str, VisitState]:
    """Make the visit's balances theirs, less what is unposted; return outcome, reason and visit."""
    book, at = desk.book, moment_of(row, desk.book)
    visit = standing(book, row.visit_id) or open_balance(desk, row)
    newest = held.newest.get(visit.visit_id)
    if newest is not None and newest > at:
        return "duplicate", "older than the balance on file", visit
    patient, payer = _ours(visit, held)
    theirs = row.payer_minor + held.unposted(visit.visit_id, "payer", at)
    waits = row.pending if row.pending is not None else row.payer_minor != 0
    chosen = _next_to_answer(visit)
    if chosen is None and (theirs or waits):
        chosen = insert_coverage(book, visit, 1, row.payer, "", None, "")
    wanted = row.patient_minor + held.unposted(visit.visit_id, "patient", at)
    _take_over_patient(book, item, visit, wanted - _ours(visit, held)[0])
    _take_over_payers(book, item, visit, chosen, theirs, waits)
    book.touched.add(visit.visit_id)
    kept = ImportedBalance(
        practice_id=book.practice_id, visit_id=visit.visit_id, import_id=book.import_id, line=row.position,
        as_of_at=at, patient_minor=row.patient_minor, payer_minor=row.payer_minor, our_patient_minor=patient,
        our_payer_minor=payer)
    book.afterwards.append(lambda session: session.add(kept))
    return "posted", "", visit


def _ours(visit: VisitState, held: Held) -> tuple[int, int]:
    """What we hold with the patient, credit that came from the visit taken off, and with insurers."""
    return (visit.patient_minor - held.remembered.get(visit.visit_id, 0),
            sum(c.balance_minor for c in visit.coverages))


def _code(book: Book) -> str:
    return "opening" if book.policy.ledger_of_record == OURS else "external"


def _take_over_patient(book: Book, item: Item, visit: VisitState, difference: int) -> None:
    book.move(visit, ledger.patient(visit.visit_id), ledger.wide("opening"), difference, code=_code(book), source="csv",
              ref=f"{book.import_id}:balance:{item.key}:patient")


def _take_over_payers(book: Book, item: Item, visit: VisitState, chosen: CoverageState | None, target: int,
                      waits: bool) -> None:
    """They give one sum for all insurers: it goes to the one that has to answer next, the others come to nothing."""
    for coverage in visit.coverages:
        wanted = target if coverage is chosen else 0
        book.move(visit, ledger.payer(coverage.coverage_id, visit.visit_id), ledger.wide("opening"),
                  wanted - coverage.balance_minor, code=_code(book), source="csv",
                  ref=f"{book.import_id}:balance:{item.key}:{coverage.coverage_id}", coverage_id=coverage.coverage_id)
        if coverage is chosen or not waits:
            coverage.status = "pending" if waits else "answered"
        if coverage.claim_of_record not in FROM_THE_PAYER:
            coverage.claim_of_record = BY_STATUS


def _next_to_answer(visit: VisitState) -> CoverageState | None:
    ordered = sorted(visit.coverages, key=lambda c: (c.status != "pending", c.balance_minor <= 0, c.rank))
    return ordered[0] if ordered else None
