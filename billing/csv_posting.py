"""Posting the rows of a CSV file: batch by batch through the book, each row once, its outcome kept beside it.

Rows that others rest on come first: patients and procedures, then charges, then coverages, then everything about
their money in the order of the file. Within a file the order of rows therefore never matters for what is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import csv_balances, csv_money, csv_parties, imports, opening_posting
from billing.book import Book
from billing.csv_items import Item, updates
from billing.csv_visits import Desk, cover, restate, standing
from billing.importers.csv_records import (
    AdjustmentRow,
    BalanceRow,
    ChargeRow,
    CoverageRow,
    EstimateRow,
    PatientRow,
    PaymentRow,
    ProcedureRow,
    TransferRow,
)
from billing.importers.opening_records import OpeningRecord
from billing.store import csv_queries

#: Kinds of one phase are posted together, the phases one after the other.
PHASES: tuple[tuple[str, ...], ...] = (
    ("patient", "procedure"), ("charge",), ("coverage",), ("payment", "adjustment", "transfer", "balance", "estimate"),
    ("opening_visit",), ("opening_credit", "opening_standing", "opening_contact", "opening_consent", "opening_opt_out",
                         "opening_plan"))
UNREADABLE = "row"
BEFORE = "imported before"

Outcome = tuple[str, str, str | None]  # outcome, reason, visit id


def post_rows(session: Session, poster: imports.Poster, items: Sequence[Item], cursor: int, now: datetime) -> int:
    """Post one batch; return how many rows changed something. Raises imports.ImportBusy."""
    imports.advance(session, poster.import_id, cursor, len(items))
    desk = Desk(poster.book(session, now))
    known = csv_queries.known_rows(session, poster.practice_id, [item.key for item in items])
    desk.load([item for item in items if not item.skip and item.record is not None])
    held = csv_balances.Held.of(desk.book, items)
    taken = csv_queries.identities_of(session, poster.import_id, [item.key for item in items])
    changed = 0
    for item in items:
        outcome = _post(desk, item, known, held)
        _keep(desk.book, item, outcome, taken)
        if outcome[0] in ("posted", "updated"):
            known[item.key] = (item.digest, outcome[2])
            changed += 1
    restate(desk.book)
    imports.close_book(desk.book)
    return changed


def _keep(book: Book, item: Item, outcome: Outcome, taken: set[str]) -> None:
    """One row of a kind and identity an import; a repeat within the file is kept under its line as well."""
    identity = item.key if item.key not in taken else f"{item.key}#{item.line}"
    taken.add(item.key)
    book.add("csv_rows", {
        "import_id": book.import_id, "line": item.line, "record": item.kind, "identity": identity,
        "digest": item.digest, "visit_id": outcome[2], "outcome": outcome[0], "reason": outcome[1]})


def _post(desk: Desk, item: Item, known: dict[str, tuple[str, str | None]], held: csv_balances.Held) -> Outcome:
    before = known.get(item.key)
    if item.skip:
        return "skipped", item.skip, None
    if before is not None and before[0] == item.digest and not _applies_anew(item):
        return "duplicate", BEFORE, before[1]
    if before is not None and not updates(item.kind):
        return "skipped", CHANGED, before[1]
    return _act(desk, item, held)


CHANGED = ("a row with this id was imported before with other content; correct it there by a row of its own, or undo "
           "that import first")


def _applies_anew(item: Item) -> bool:
    """A coverage of a patient is for all visits on file, and there may be more of them by now."""
    return isinstance(item.record, CoverageRow) and bool(item.record.patient_id)


def _act(desk: Desk, item: Item, held: csv_balances.Held) -> Outcome:
    book, record = desk.book, item.record
    if isinstance(record, OpeningRecord):
        return opening_posting.post(desk, item, record)
    match record:
        case PatientRow():
            return csv_parties.post_patient(book, record), "", None
        case ProcedureRow():
            csv_queries.put_procedure(book.session, book.practice_id, record.code, record.language, record.words)
            return "posted", "", None
        case ChargeRow():
            outcome, reason, visit = csv_money.post_charge(desk, item, record)
            return outcome, reason, visit.visit_id
        case BalanceRow():
            outcome, reason, visit = csv_balances.post_balance(desk, item, record, held)
            return outcome, reason, visit.visit_id
        case CoverageRow():
            return _cover(desk, record)
        case EstimateRow():
            return _estimate(desk, record)
        case PaymentRow() | AdjustmentRow() | TransferRow():
            return _money(desk, item, record)
        case None:
            return "skipped", "could not be read", None


def _money(desk: Desk, item: Item, record: PaymentRow | AdjustmentRow | TransferRow) -> Outcome:
    visit = standing(desk.book, record.visit_id)
    if visit is None:
        return "skipped", "there is no such visit", None
    match record:
        case PaymentRow():
            csv_money.post_payment(desk, item, record, visit)
        case AdjustmentRow():
            csv_money.post_adjustment(desk, item, record, visit)
        case TransferRow():
            csv_money.post_transfer(desk, item, record, visit)
    return "posted", "", visit.visit_id


def _cover(desk: Desk, record: CoverageRow) -> Outcome:
    visits = desk.covered(record)
    if not visits:
        return "duplicate", "no visit on file that this coverage is for; give the file again after the charges", None
    changed = [cover(desk.book, visit, record) for visit in visits]
    return "posted" if any(changed) else "duplicate", "", visits[0].visit_id


def _estimate(desk: Desk, record: EstimateRow) -> Outcome:
    book, visit = desk.book, standing(desk.book, record.visit_id)
    csv_queries.put_estimate(book.session, book.practice_id, book.hash_of(record.visit_id), record.provider,
                             record.amount_minor, record.given_on, book.now)
    if visit is not None:
        book.touched.add(visit.visit_id)
    return "posted", "", visit.visit_id if visit else None
