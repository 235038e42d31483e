"""Visits and payers as CSV rows name them: by number, opened when they are new, under whoever the row says answers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from billing import csv_parties
from billing.book import Book, CoverageState, VisitState
from billing.csv_items import Item, account_of, patient_of, visit_of
from billing.importers.csv_records import ANY_PAYER, BalanceRow, ChargeRow, CoverageRow
from billing.importers.opening_records import OpeningVisitRow
from billing.importers.records import Person
from billing.opening import NewVisit, insert_coverage, open_visit, pull_back
from billing.store import csv_queries

#: Answers that came from the payer itself; a CSV row says nothing against them.
FROM_THE_PAYER = frozenset({"835", "837"})
#: ``claim_of_record`` of a payer whose answer came by CSV, and of one whose status the file states outright.
BY_ROWS, BY_STATUS = "csv", "csv:status"


@dataclass(slots=True)
class Desk:
    """One batch at work: the book, and who is who among the numbers that its rows name."""

    book: Book
    patients: dict[str, tuple[str, str]] = field(default_factory=dict)  # number hash -> (guarantor, patient)
    accounts: dict[str, str] = field(default_factory=dict)  # number hash -> guarantor
    numbers: dict[str, list[str]] = field(default_factory=dict)  # patient's number hash -> claim numbers

    def load(self, items: Collection[Item], *, lock: bool = True) -> None:
        """Read all that these rows name, in a few queries; ``lock`` False only to look."""
        book = self.book
        patients = {book.hash_of(p) for item in items if (p := patient_of(item.record))}
        accounts = {book.hash_of(a) for item in items if (a := account_of(item.record))}
        self.patients = csv_queries.patients_by_number(book.session, book.practice_id, patients)
        self.accounts = csv_queries.accounts_by_number(book.session, book.practice_id, accounts | patients)
        claims = {v for item in items if (v := visit_of(item.record))}
        for item in items:
            if isinstance(item.record, CoverageRow) and item.record.patient_id:
                claims.update(self._claims_of(item.record))
        book.load(claims, lock=lock)

    def _claims_of(self, row: CoverageRow) -> list[str]:
        hashed = self.book.hash_of(row.patient_id)
        self.numbers[f"{row.position}"] = found = csv_queries.claim_numbers_of(
            self.book.session, self.book.practice_id, hashed, row.from_on, row.until_on)
        return found

    def covered(self, row: CoverageRow) -> list[VisitState]:
        """The visits that a coverage row speaks of."""
        claims = [row.visit_id] if row.visit_id else self.numbers.get(f"{row.position}", [])
        return [visit for claim in claims if (visit := standing(self.book, claim)) is not None]


def standing(book: Book, claim_id: str) -> VisitState | None:
    """The newest visit of that number that is not void."""
    return next((v for v in reversed(book.on_file(claim_id)) if not v.void), None)


def open_charged(desk: Desk, row: ChargeRow) -> VisitState:
    return open_visit(desk.book, NewVisit(
        row.visit_id, "charges", "csv", 0, Person(), row.service_on, row.service_to or row.service_on, row.provider,
        row.provider_npi, row.place_of_service), _owner(desk, row))


def open_balance(desk: Desk, row: BalanceRow) -> VisitState:
    return open_visit(desk.book, NewVisit(
        row.visit_id, "balances", "csv", 0, Person(), row.service_on, row.service_on), _owner(desk, row))


def open_carried(desk: Desk, row: OpeningVisitRow) -> VisitState:
    """A visit taken over from another system, as old as that system's first statement about it."""
    return open_visit(desk.book, NewVisit(
        row.visit_id, "balances", "csv", 0, Person(), row.service_on, row.service_on, row.provider,
        first_statement_on=row.first_statement_on), _owner(desk, row))


def _owner(desk: Desk, row: ChargeRow | BalanceRow | OpeningVisitRow) -> tuple[str, str] | None:
    """Guarantor and patient by their numbers; numbers that nobody announced open an account, unconfirmed."""
    if not (row.patient_id or row.account_id):
        return None
    known = desk.patients.get(desk.book.hash_of(row.patient_id)) if row.patient_id else None
    guarantor_id = _guarantor(desk, row.account_id or row.patient_id, None if row.account_id else known)
    if known is None:
        known = (guarantor_id, _patient(desk, guarantor_id, row.patient_id))
        if row.patient_id:
            desk.patients[desk.book.hash_of(row.patient_id)] = known
    return guarantor_id, known[1]


def _guarantor(desk: Desk, number: str, known: tuple[str, str] | None) -> str:
    if known is not None:
        return known[0]
    hashed = desk.book.hash_of(number)
    if hashed not in desk.accounts:
        desk.accounts[hashed] = csv_parties.open_account(desk.book, number, "charges").id
    return desk.accounts[hashed]


def _patient(desk: Desk, guarantor_id: str, number: str) -> str:
    alone = None if number else csv_queries.only_patient_of(desk.book.session, guarantor_id)
    return alone or csv_parties.open_patient(desk.book, guarantor_id, number).id


def payer_of(book: Book, visit: VisitState, rank: int, amount_minor: int = 0) -> CoverageState:
    """The payer of that place; an insurer that nobody named is "the insurer" until a coverages file names it.

    ANY_PAYER is the last one in order that the amount is with: money passes from the first insurer to the next.
    """
    if rank == ANY_PAYER:
        rank = _last_with(visit, amount_minor)
    found = next((c for c in visit.coverages if c.rank == rank), None)
    if found is None:
        return insert_coverage(book, visit, rank, "", "", None, "")
    _reopen(book, visit, found)
    return found


def _reopen(book: Book, visit: VisitState, coverage: CoverageState) -> bool:
    """A payer whose import was undone stands closed with nothing said by it; named again, it has to answer again."""
    if coverage.status != "closed" or coverage.claim_of_record:
        return False
    coverage.status = "pending"
    book.touched.add(visit.visit_id)
    pull_back(book, visit, coverage, f"{coverage.coverage_id}:{book.import_id}")
    return True


def _last_with(visit: VisitState, amount_minor: int) -> int:
    ordered = sorted(visit.coverages, key=lambda c: c.rank, reverse=True)
    enough = [c.rank for c in ordered if c.balance_minor >= amount_minor > 0]
    some = [c.rank for c in ordered if c.balance_minor > 0]
    return (enough or some or [c.rank for c in reversed(ordered)] or [1])[0]


def cover(book: Book, visit: VisitState, row: CoverageRow) -> bool:
    """Add the payer, or correct what is on file of it; tell whether anything changed."""
    found = next((c for c in visit.coverages if c.rank == row.rank), None)
    if found is None:
        found = insert_coverage(book, visit, row.rank, row.payer, row.payer_id, row.member_id or None, row.filing_code)
        _state(visit, found, row.status)
        return True
    changed = _reopen(book, visit, found)
    changed = _state(visit, found, row.status) or changed
    if found.claim_of_record not in FROM_THE_PAYER:
        changed = _rename(book, found, row) or changed
    book.touched.add(visit.visit_id)
    return changed


def _state(visit: VisitState, coverage: CoverageState, status: str) -> bool:
    """A file may always say that a payer still has to answer; never that one has, against the payer's own word."""
    told = coverage.claim_of_record in FROM_THE_PAYER
    if not status or (told and status != "pending"):
        return False
    before = (coverage.status, coverage.claim_of_record)
    coverage.status = status
    coverage.claim_of_record = coverage.claim_of_record if told else BY_STATUS
    return before != (coverage.status, coverage.claim_of_record)


def _rename(book: Book, coverage: CoverageState, row: CoverageRow) -> bool:
    values = {"payer_name": row.payer, "payer_id": row.payer_id or coverage.payer_id,
              "filing_code": row.filing_code or coverage.filing_code}
    before = {name: getattr(coverage, name) for name in values}
    if row.member_id:
        values["member_id"] = row.member_id
    elif before == values:
        return False
    coverage.payer_name, coverage.payer_id = values["payer_name"], values["payer_id"]
    coverage.filing_code = values["filing_code"]
    book.afterwards.append(lambda session: csv_queries.update_coverage(session, coverage.coverage_id, values))
    return True


def restate(book: Book) -> None:
    """A payer whose answer came row by row has answered once nothing is left with it, and not before."""
    for visits in book.visits.values():
        for visit in visits:
            for coverage in visit.coverages if visit.visit_id in book.touched else ():
                if coverage.claim_of_record == BY_ROWS and coverage.status != "closed":
                    coverage.status = "pending" if coverage.balance_minor else "answered"


def answered_by_rows(coverage: CoverageState) -> None:
    coverage.claim_of_record = coverage.claim_of_record or BY_ROWS
