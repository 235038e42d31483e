"""Charges, payments, adjustments and transfers of responsibility from CSV rows, as transfers of the ledger."""

from __future__ import annotations

from billing import ledger
from billing.book import Book, LineState, VisitState
from billing.csv_items import Item
from billing.csv_visits import (
    FROM_THE_PAYER,
    Desk,
    answered_by_rows,
    open_charged,
    payer_of,
    standing,
)
from billing.ids import new_id
from billing.importers.csv_records import (
    ANY_PAYER,
    PATIENT,
    AdjustmentRow,
    ChargeRow,
    PaymentRow,
    TransferRow,
)
from billing.opening import insert_coverage
from billing.store import csv_queries

SOURCE = "csv"
ACCOUNTS = {"contractual": "contractual", "discount": "contractual", "charity": "charity", "bad_debt": "bad_debt",
            "small_balance": "small_balances"}
NOT_ON_CLAIM = ("procedure: this visit was charged by a claim or remittance file, which has no such line; correct the "
                "charge there, or give the visit its own number")
PAYER_ANSWERED = ("who: this insurer's answer came by its own remittance or claim; the same money would count twice; "
                  "remove the row, or undo that import first")
OTHER_PATIENT = "patient_id: this visit is on file for another patient; give the visit its own number"


def charge_refusal(desk: Desk, row: ChargeRow) -> str:
    """Why the charge cannot be posted, or ""."""
    visit = standing(desk.book, row.visit_id)
    if visit is None:
        return ""
    known = desk.patients.get(desk.book.hash_of(row.patient_id)) if row.patient_id else None
    if visit.origin in ("claim", "remittance"):
        return "" if _line_on_claim(visit, row) else NOT_ON_CLAIM
    return OTHER_PATIENT if known is not None and known[1] != visit.patient_id else ""


def payer_refusal(desk: Desk, row: PaymentRow | AdjustmentRow | TransferRow) -> str:
    """Why a row about an insurer's money cannot be posted, or ""."""
    visit = standing(desk.book, row.visit_id)
    if visit is None:
        return ""
    for who in _parties(row, visit):
        told = [c for c in visit.coverages if c.claim_of_record in FROM_THE_PAYER and who in (ANY_PAYER, c.rank)]
        if told:
            return PAYER_ANSWERED
    return ""


def _parties(row: PaymentRow | AdjustmentRow | TransferRow, visit: VisitState) -> tuple[int, ...]:
    if isinstance(row, TransferRow):
        return tuple(who for who in (row.from_who, row.to_who) if who != PATIENT)
    who = _whose(row, visit) if isinstance(row, AdjustmentRow) else row.who
    return () if who == PATIENT else (who,)


def _line_on_claim(visit: VisitState, row: ChargeRow) -> LineState | None:
    return next((line for line in visit.lines if line.procedure_code == row.procedure
                 and line.charge_minor == row.amount_minor and line.service_on in (None, row.service_on)), None)


def post_charge(desk: Desk, item: Item, row: ChargeRow) -> tuple[str, str, VisitState]:
    """Return outcome, reason and visit. A line that the claim has charged already only gets its words."""
    book = desk.book
    visit = standing(book, row.visit_id)
    if row.words_es and row.procedure:
        book.afterwards.append(
            lambda s: csv_queries.put_procedure(s, book.practice_id, row.procedure, "es", row.words_es))
    if visit is not None and visit.origin in ("claim", "remittance"):
        line = _line_on_claim(visit, row)
        if line is not None and row.words:
            book.afterwards.append(lambda s: csv_queries.name_line(s, line.line_id, row.words))
        return "duplicate", "charged before by a claim or remittance file", visit
    visit = visit or open_charged(desk, row)
    if (row.payer or row.payer_id) and not visit.coverages:
        insert_coverage(book, visit, 1, row.payer, row.payer_id, row.member_id or None, row.filing_code)
    _add_line(book, visit, item, row)
    return "posted", "", visit


def _add_line(book: Book, visit: VisitState, item: Item, row: ChargeRow) -> None:
    line_id, number = new_id("lin"), max((line.number for line in visit.lines), default=0) + 1
    book.add("service_lines", {
        "id": line_id, "visit_id": visit.visit_id, "version": visit.version, "number": number,
        "procedure_code": row.procedure, "modifiers": " ".join(row.modifiers), "revenue_code": row.revenue_code,
        "units": row.units, "charge_minor": row.amount_minor, "service_on": row.service_on, "control_number": "",
        "words": row.words or None, "position": row.position, "import_id": book.import_id})
    visit.lines.append(LineState(line_id, number, row.procedure, row.amount_minor, "", row.service_on))
    visit.charge_minor += row.amount_minor
    visit.service_from_on = min(filter(None, (visit.service_from_on, row.service_on)))
    book.touched.add(visit.visit_id)
    first = min(visit.coverages, key=lambda c: c.rank, default=None)
    debit = ledger.payer(first.coverage_id, visit.visit_id) if first else ledger.patient(visit.visit_id)
    book.move(visit, debit, ledger.wide("revenue"), row.amount_minor, code="charge", source=SOURCE,
              ref=reference(book, item), on=row.service_on, coverage_id=first.coverage_id if first else None,
              service_line_id=line_id)


def reference(book: Book, item: Item) -> str:
    return f"{book.import_id}:{item.kind}:{item.key}"


def post_payment(desk: Desk, item: Item, row: PaymentRow, visit: VisitState) -> None:
    book = desk.book
    if row.who == PATIENT:
        code = "patient_payment" if row.amount_minor >= 0 else "refund"
        book.move(visit, ledger.wide(f"cash:csv:{row.tender}"), ledger.patient(visit.visit_id), row.amount_minor,
                  code=code, source=SOURCE, ref=reference(book, item), on=row.paid_on)
        return
    coverage = payer_of(book, visit, row.who, row.amount_minor)
    theirs = ledger.payer(coverage.coverage_id, visit.visit_id)
    book.move(visit, ledger.wide("payer_clearing"), theirs, row.amount_minor, code="payer_payment", source=SOURCE,
              ref=reference(book, item), on=row.paid_on, coverage_id=coverage.coverage_id)
    answered_by_rows(coverage)


def _whose(row: AdjustmentRow, visit: VisitState) -> int:
    if row.who is not None:
        return row.who
    return ANY_PAYER if row.reason == "contractual" and visit.coverages else PATIENT


def post_adjustment(desk: Desk, item: Item, row: AdjustmentRow, visit: VisitState) -> None:
    """Lower a balance without payment; where it goes is ACCOUNTS. A negative amount takes an adjustment back."""
    book, who = desk.book, _whose(row, visit)
    against = ledger.wide(ACCOUNTS[row.reason])
    if who == PATIENT:
        book.move(visit, against, ledger.patient(visit.visit_id), row.amount_minor, code="adjustment", source=SOURCE,
                  ref=reference(book, item), on=row.adjusted_on, reason=row.reason)
        return
    coverage = payer_of(book, visit, who, row.amount_minor)
    book.move(visit, against, ledger.payer(coverage.coverage_id, visit.visit_id), row.amount_minor,
              code="contractual" if row.reason == "contractual" else "adjustment", source=SOURCE,
              ref=reference(book, item), on=row.adjusted_on, coverage_id=coverage.coverage_id, reason=row.reason)
    answered_by_rows(coverage)


def post_transfer(desk: Desk, item: Item, row: TransferRow, visit: VisitState) -> None:
    book = desk.book
    source = None if row.from_who == PATIENT else payer_of(book, visit, row.from_who, row.amount_minor)
    target = None if row.to_who == PATIENT else payer_of(book, visit, row.to_who)
    if source is target:
        return
    debit, credit = (ledger.payer(c.coverage_id, visit.visit_id) if c else ledger.patient(visit.visit_id)
                     for c in (target, source))
    named = source or target
    book.move(visit, debit, credit, row.amount_minor, code="next_payer" if target else "patient_share", source=SOURCE,
              ref=reference(book, item), on=row.moved_on, coverage_id=named.coverage_id if named else None,
              reason=row.reason)
    for coverage in (source, target):
        if coverage is not None:
            answered_by_rows(coverage)
