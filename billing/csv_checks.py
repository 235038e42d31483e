"""Pass one over a CSV file: what of it the ledger would refuse, told before anything is posted. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from billing import csv_balances, csv_money, csv_parties, imports, opening_checks
from billing.csv_items import Item, updates, visit_of
from billing.csv_posting import CHANGED, PHASES
from billing.csv_visits import Desk, standing
from billing.importers.csv_records import (
    AdjustmentRow,
    BalanceRow,
    ChargeRow,
    CoverageRow,
    PatientRow,
    PaymentRow,
    TransferRow,
)
from billing.importers.opening_records import OpeningRecord, OpeningTotalRow, OpeningVisitRow
from billing.store import csv_queries

NO_VISIT = "there is no such visit on file nor in this file; import its charges first"
NO_PATIENT = "there is no such patient on file nor in this file; import the patients or charges first"
CHANGED_HERE = "another row of this file has the same id and other content; give each row its own id"


@dataclass(slots=True)
class FileState:
    """What the file itself has told so far: small numbers in place of ids, so that large files fit."""

    seen: dict[int, int] = field(default_factory=dict)  # identity -> digest
    opened: set[int] = field(default_factory=set)  # visits that its charges or balances open
    patients: set[int] = field(default_factory=set)
    owners: dict[int, int] = field(default_factory=dict)  # visit -> patient
    balances: dict[int, int] = field(default_factory=dict)  # visit -> digest
    waiting: list[tuple[int, int, str]] = field(default_factory=list)  # line, visit or patient, reason if it stays away
    kinds: set[str] = field(default_factory=set)
    records: int = 0
    news: int = 0  # rows that were not imported before
    opening: opening_checks.OpeningState = field(default_factory=opening_checks.OpeningState)

    def late_faults(self) -> Iterator[tuple[int, str]]:
        """Rows about a visit or patient that neither the store nor any row of the file knows."""
        for line, subject, reason in self.waiting:
            if subject not in self.opened and subject not in self.patients:
                yield line, reason
        yield from self.opening.late_faults()

    def phases(self) -> list[tuple[str, ...]]:
        return [phase for phase in PHASES if self.kinds & set(phase)]


def check_rows(session: Session, poster: imports.Poster, items: Sequence[Item], state: FileState,
               now: datetime) -> list[tuple[int, str]]:
    """Return (line, reason) of every row that cannot be posted; ``state`` goes from batch to batch. What refuses a row
    gives its reason as "column: why"; columns are named as in our own templates here.
    """
    desk = Desk(poster.book(session, now))
    known = csv_queries.known_rows(session, poster.practice_id, [item.key for item in items])
    desk.load(items, lock=False)
    faults: list[tuple[int, str]] = []
    for item in items:
        state.kinds.add(item.kind)
        state.records += not isinstance(item.record, OpeningTotalRow)
        reason = _same_id(item, known, state) or _refusal(desk, item, state, _stands(item, known))
        if reason:
            faults.append((item.line, f"line {item.line}, column {reason}"))
        _remember(desk, item, state)
    return faults


def _stands(item: Item, known: dict[str, tuple[str, str | None]]) -> bool:
    """Whether an import that stands brought this very row."""
    return item.key in known and known[item.key][0] == item.digest


def _same_id(item: Item, known: dict[str, tuple[str, str | None]], state: FileState) -> str:
    if isinstance(item.record, OpeningTotalRow):
        return ""  # compared, and posted nowhere
    before = known.get(item.key)
    state.news += before is None or before[0] != item.digest
    if updates(item.kind) or isinstance(item.record, OpeningVisitRow):
        return ""
    if before is not None and before[0] != item.digest:
        return f"id: {CHANGED}"
    digest = state.seen.setdefault(hash(item.key), hash(item.digest))
    return "" if digest == hash(item.digest) else f"id: {CHANGED_HERE}"


def _refusal(desk: Desk, item: Item, state: FileState, repeated: bool) -> str:
    record = item.record
    if isinstance(record, OpeningRecord):
        return opening_checks.refusal(desk, item, record, state.opening, repeated=repeated)
    match record:
        case PatientRow():
            opening_checks.remember_patient(desk, record, state.opening)
            account = csv_queries.find_account(desk.book.session, desk.book.practice_id,
                                               desk.book.hash_of(csv_parties.account_number(record)))
            return csv_parties.refusal(account, record, desk.book.practice_id)
        case ChargeRow():
            return csv_money.charge_refusal(desk, record) or _other_owner(desk, record, state)
        case BalanceRow():
            return csv_balances.refusal(desk, record) or _stands_twice(desk, item, record, state)
        case PaymentRow() | AdjustmentRow() | TransferRow():
            return csv_money.payer_refusal(desk, record)
        case _:
            return ""


def _other_owner(desk: Desk, row: ChargeRow, state: FileState) -> str:
    if not row.patient_id:
        return ""
    visit, patient = hash(desk.book.hash_of(row.visit_id)), hash(desk.book.hash_of(row.patient_id))
    return "" if state.owners.setdefault(visit, patient) == patient else csv_money.OTHER_PATIENT


def _stands_twice(desk: Desk, item: Item, row: BalanceRow, state: FileState) -> str:
    visit = hash(desk.book.hash_of(row.visit_id))
    return "" if state.balances.setdefault(visit, hash(item.digest)) == hash(item.digest) else csv_balances.TWICE


def _remember(desk: Desk, item: Item, state: FileState) -> None:
    """Whom and what the row opens, or what it waits for."""
    book, record = desk.book, item.record
    claim = visit_of(record)
    if isinstance(record, PatientRow | ChargeRow) and record.patient_id:
        state.patients.add(hash(book.hash_of(record.patient_id)))
    if isinstance(record, ChargeRow | BalanceRow):
        state.opened.add(hash(book.hash_of(claim)))
    elif isinstance(record, PaymentRow | AdjustmentRow | TransferRow) or (
            isinstance(record, CoverageRow) and claim):
        if standing(book, claim) is None:
            reason = f"line {item.line}, column visit_id: {NO_VISIT}"
            state.waiting.append((item.line, hash(book.hash_of(claim)), reason))
    elif isinstance(record, CoverageRow):
        hashed = book.hash_of(record.patient_id)
        if hashed not in desk.patients:
            state.waiting.append((item.line, hash(hashed), f"line {item.line}, column patient_id: {NO_PATIENT}"))
