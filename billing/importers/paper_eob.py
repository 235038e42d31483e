"""Explanations of benefits on paper and the checks that came with them, typed into a CSV file: one row per service
line. They become the same records as an 835 (billing/importers/records.py) and go the same way from there.

A row without a claim is an adjustment of the check itself (PLB); a row without a procedure is an adjustment of its
whole claim. Rows of a check, and of a claim within it, need not stand together. A fault names the line and the column
and repeats no cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

from billing.importers import csv_values as v
from billing.importers.csv_map import did_you_mean, fold
from billing.importers.csv_table import Progress, Table, open_table
from billing.importers.paper_adjustments import read_list
from billing.importers.records import (
    Adjustment,
    Fault,
    ImportFault,
    PaidClaim,
    PaidLine,
    Person,
    ProviderAdjustment,
    RemittanceClosed,
    RemittanceOpened,
)

Record = RemittanceOpened | PaidClaim | RemittanceClosed

MOST_ROWS = 20_000
MOST_FAULTS_SHOWN = 5

#: CLP02 by the word that a biller writes.
STATUSES = {"primary": "1", "secondary": "2", "tertiary": "3", "denied": "4", "reversal": "22"}

_STATUS = v.one_of({word: word for word in STATUSES})


@dataclass(frozen=True, slots=True)
class Column:
    """``needed``: by every row; ``of_line``: by every row with a claim and a procedure."""

    name: str
    read: v.Reader
    about: str
    needed: bool = False
    of_line: bool = False


COLUMNS = (
    Column("payer", v.read_text, "the insurer's name as in the claim", True),
    Column("payer_tax_id", v.read_id, "its tax number (nine digits), where the paper shows it"),
    Column("payer_id", v.read_id, "its id as in the claim file"),
    Column("check_number", v.read_id, "number of the check", True),
    Column("check_on", v.read_day, "date of the check", True),
    Column("check_amount", v.read_amount, "amount of the check, the same in all of its rows", True),
    Column("claim", v.read_id, "your claim or account number (CLM01); empty: an adjustment of the check itself"),
    Column("status", _STATUS, "primary (as it is without this), secondary, tertiary, denied or reversal"),
    Column("payer_claim", v.read_id, "the insurer's own number of the claim"),
    Column("patient_given", v.read_text, "first name, for a claim that is not on file"),
    Column("patient_surname", v.read_text, "family name, for a claim that is not on file"),
    Column("member_id", v.read_id, "member number"),
    Column("service_on", v.read_day, "day of service"),
    Column("procedure", v.read_code, "procedure code; empty: an adjustment of the whole claim"),
    Column("modifiers", v.read_text, "modifiers, with blanks between them"),
    Column("units", v.read_units, "units"),
    Column("charge", v.read_amount, "charge of the line", of_line=True),
    Column("allowed", v.read_amount, "allowed amount; compared with paid and patient's part, never posted"),
    Column("adjustments", v.read_text, "as CO-45:30.00 PR-1:20.00"),
    Column("paid", v.read_amount, "paid for the line", of_line=True),
    Column("remarks", v.read_text, "remark codes, with blanks between them"),
)
NEEDED = frozenset(c.name for c in COLUMNS if c.needed)
EXAMPLE = ("Blue Shield,,,4471,2026-11-03,80.00,V-1,,,,,,2026-10-05,99213,,1,130.00,100.00,CO-45:30.00 PR-1:20.00,"
           "80.00,")
#: A CSV file with these columns is one of ours, whatever else it has.
TELLTALE = frozenset({"check_number", "check_amount", "claim", "adjustments", "paid"})


@dataclass(frozen=True, slots=True)
class Row:
    """A row as read; cells that are empty are missing from ``cells``."""

    line: int
    cells: Mapping[str, Any]
    adjustments: tuple[Adjustment, ...]

    def text(self, name: str) -> str:
        return str(self.cells.get(name, ""))

    @property
    def check(self) -> tuple[str, str, str]:
        return self.text("payer").casefold(), self.text("check_number"), self.text("check_on")


def identify(stream: IO[bytes]) -> bool:
    """Whether a CSV file is a paper EOB, by its header. Raises nothing."""
    try:
        return {fold(name) for name in open_table(stream).header} >= TELLTALE
    except ImportFault:
        return False


def read(stream: IO[bytes], progress: Progress | None = None) -> Iterator[Record]:
    """Each check as RemittanceOpened, its PaidClaims in order, RemittanceClosed. Raises ImportFault with the first
    faults of the file, each with its line.
    """
    rows = _rows(open_table(stream, progress=progress))
    checks: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        checks.setdefault(row.check, []).append(row)
    _require_same_amounts(checks.values())
    for number, found in enumerate(checks.values(), 1):
        yield from _check(f"paper{number}", found)


def _rows(table: Table) -> list[Row]:
    folded = [fold(name) for name in table.header]
    known = {c.name for c in COLUMNS}
    for name in filter(None, folded):
        if name not in known:
            raise ImportFault(f"line {table.header_line}: column {name!r} is none of a paper EOB"
                              f"{did_you_mean(name, known)}; plainbill import --template paper-eob shows them",
                              position=table.header_line)
    lacking = sorted(NEEDED - set(folded))
    if lacking:
        raise ImportFault(f"line {table.header_line}: the columns {', '.join(lacking)} are missing",
                          position=table.header_line)
    rows: list[Row] = []
    faults: list[str] = []
    for line, cells in table.rows:
        if len(rows) >= MOST_ROWS:
            raise ImportFault(f"line {line}: more than {MOST_ROWS} rows; give each check's file by itself")
        try:
            rows.append(_row(line, dict(zip(folded, (c.strip() for c in cells), strict=False))))
        except _RowFault as fault:
            faults.append(f"line {line}, {fault}")
    _refuse(faults)
    if not rows:
        raise ImportFault("the file has a header and no rows: nothing to import")
    return rows


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        more = f" (and {len(faults) - MOST_FAULTS_SHOWN} more)" if len(faults) > MOST_FAULTS_SHOWN else ""
        raise ImportFault("; ".join(faults[:MOST_FAULTS_SHOWN]) + more)


class _RowFault(Exception):
    """One row cannot be read; the text names the column."""


def _row(line: int, texts: Mapping[str, str]) -> Row:
    whole = bool(texts.get("claim") and texts.get("procedure"))
    cells: dict[str, Any] = {}
    for column in COLUMNS:
        text = texts.get(column.name, "")
        if text:
            cells[column.name] = _cell(column, text)
        elif column.needed or (column.of_line and whole):
            raise _RowFault(f"column {column.name}: empty; {'every row' if column.needed else 'a line'} needs it")
    for name in ("charge", "paid"):
        if not whole and cells.get(name):
            raise _RowFault(f"column {name}: only a row with a claim and a procedure has one")
    try:
        adjustments = read_list(str(cells.get("adjustments", "")), line, of_check="claim" not in cells)
    except v.CellFault as fault:
        raise _RowFault(f"column adjustments: {fault}") from fault
    if not whole and not adjustments:
        raise _RowFault("column adjustments: a row without claim or procedure is an adjustment and needs one")
    return Row(line, cells, adjustments)


def _cell(column: Column, text: str) -> Any:
    try:
        return column.read(text, v.Reading())
    except v.CellFault as fault:
        raise _RowFault(f"column {column.name}: {fault}") from fault


def _require_same_amounts(checks: Any) -> None:
    """A check has one amount: another one in a later row is a slip of the pen, or another check's row."""
    _refuse([f"line {row.line}, column check_amount: another amount than on line {rows[0].line} for the same check"
             for rows in checks for row in rows if row.cells["check_amount"] != rows[0].cells["check_amount"]])


def _check(control_number: str, rows: Sequence[Row]) -> Iterator[Record]:
    first = rows[0]
    yield RemittanceOpened(
        position=first.line, control_number=control_number, trace=first.text("check_number"),
        payer_identifier=_tax_id(first.text("payer_tax_id")), paid_minor=int(first.cells["check_amount"]),
        handling_code="C", method="CHK", paid_on=first.cells["check_on"], payer_name=first.text("payer"),
        payer_id=first.text("payer_id"), payee_name="", payee_id="", payment_position=first.line, on_paper=True)
    claims: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if "claim" in row.cells:
            claims.setdefault((row.text("claim"), row.text("status"), row.text("payer_claim")), []).append(row)
    for found in claims.values():
        yield _claim(found)
    yield RemittanceClosed(rows[-1].line, control_number, tuple(
        ProviderAdjustment(a.position, a.reason, "", a.amount_minor)
        for row in rows if "claim" not in row.cells for a in row.adjustments))


def _tax_id(text: str) -> str:
    """As TRN03 has it: a 1 before the nine digits of a tax number, so that paper and 835 of a payer are one payer's."""
    digits = "".join(c for c in text if c.isdigit())
    return f"1{digits}" if len(digits) == 9 else digits


def _claim(rows: Sequence[Row]) -> PaidClaim:
    lines = tuple(_line(number, row) for number, row in enumerate(rows, 1) if "procedure" in row.cells)
    whole = tuple(a for row in rows if "procedure" not in row.cells for a in row.adjustments)
    first = rows[0]
    days = [line.service_on for line in lines if line.service_on is not None]
    return PaidClaim(
        position=first.line, claim_id=first.text("claim"), status_code=STATUSES[first.text("status") or "primary"],
        charge_minor=sum(line.charge_minor for line in lines),
        paid_minor=sum(line.paid_minor for line in lines) - sum(a.amount_minor for a in whole),
        reported_patient_minor=None, filing_code="", payer_claim_id=_first(rows, "payer_claim"),
        patient=Person(surname=_first(rows, "patient_surname"), given=_first(rows, "patient_given"),
                       member_id=_first(rows, "member_id")),
        subscriber=Person(), service_from_on=min(days, default=None), service_to_on=max(days, default=None),
        adjustments=whole, lines=lines, remarks=(), crossover_payer="", rendering_name="",
        flags=tuple(flag for row in rows for flag in _allowed(row, first.text("claim"))))


def _first(rows: Sequence[Row], name: str) -> str:
    return next((row.text(name) for row in rows if name in row.cells), "")


def _line(number: int, row: Row) -> PaidLine:
    on: date | None = row.cells.get("service_on")
    return PaidLine(
        position=row.line, procedure_code=row.text("procedure"), modifiers=tuple(row.text("modifiers").upper().split()),
        revenue_code="", charge_minor=int(row.cells["charge"]), paid_minor=int(row.cells["paid"]),
        units=row.text("units") or "1", service_on=on, control_number="", adjustments=row.adjustments,
        remarks=tuple(row.text("remarks").upper().split()))


def _allowed(row: Row, claim_id: str) -> Iterator[Fault]:
    """The allowed amount is paid plus the patient's part; where the paper says otherwise, somebody should look."""
    if "allowed" not in row.cells or "procedure" not in row.cells:
        return
    expected = int(row.cells["paid"]) + sum(a.amount_minor for a in row.adjustments if a.group == "PR")
    difference = int(row.cells["allowed"]) - expected
    if difference:
        yield Fault(row.line, "SVC", "the allowed amount is not what was paid plus the patient's part", difference,
                    claim_id)


def template() -> str:
    """An empty file that explains itself."""
    columns = [f"#   {c.name}: {c.about}{' (needed)' if c.needed else ''}" for c in COLUMNS]
    return "\n".join((
        "# Plainbill paper EOB: one row per service line of an explanation of benefits that came on paper.",
        "# Lines that begin with # stand above the header only and are not read. Save as CSV UTF-8.",
        "# Charge less adjustments has to be what was paid, and the rows of a check have to add up to its amount.",
        *columns,
        f"# Example: {EXAMPLE}",
        ",".join(c.name for c in COLUMNS)))


