"""What makes two CSV rows the same row, and what makes them differ.

A row's identity is its own id in its source. Without one it is its whole content and its place among equal rows of the
file, so that two equal cash payments of one day are two payments, and the file given again is no third. What updates
(patients, coverages, balances, estimates, procedures) is known by what it speaks of. Identities and digests are kept
as keyed hashes: ids and names of patients stay out of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields

from billing.importers.csv_columns import KINDS
from billing.importers.csv_records import (
    BalanceRow,
    CoverageRow,
    EstimateRow,
    PatientRow,
    ProcedureRow,
    Record,
    SourceRow,
)
from billing.importers.opening_records import OpeningPlanRow, OpeningVisitRow
from billing.store.seal import blind, normal_account


@dataclass(frozen=True, slots=True)
class Item:
    """One record of one line, with its key. ``record`` is None for a line that could not be read."""

    kind: str
    line: int
    record: Record | None
    key: str
    digest: str
    skip: str = ""


class Numbering:
    """Gives the rows of one file their keys; rows must pass in the order of the file."""

    def __init__(self, practice_id: str) -> None:
        self.practice_id = practice_id
        self._equal: Counter[str] = Counter()

    def items(self, row: SourceRow) -> list[Item]:
        found: list[Item] = []
        for kind, record in row.records:
            again = sum(item.kind == kind for item in found)
            digest = blind("csv-content", self.practice_id, _content(kind, record))
            key = blind("csv-row", self.practice_id, f"{kind}|{self._identity(kind, record)}|{again}")
            found.append(Item(kind, row.line, record, key, digest))
        return found

    def _identity(self, kind: str, record: Record) -> str:
        subject = _subject(record)
        if subject:
            return subject
        if record.source_id:
            return f"id:{record.source_id}"
        content = blind("csv-equal", self.practice_id, f"{kind}|{_everything(record)}")
        self._equal[content] += 1
        return f"place:{content}:{self._equal[content]}"


def _subject(record: Record) -> str:
    match record:
        case PatientRow():
            return normal_account(record.patient_id)
        case CoverageRow():
            whose = f"{normal_account(record.visit_id)}|{normal_account(record.patient_id)}"
            return f"{whose}|{record.rank}|{record.payer_id}"
        case BalanceRow():
            return f"{normal_account(record.visit_id)}|{record.as_of.isoformat()}"
        case EstimateRow():
            return f"{normal_account(record.visit_id)}|{record.provider.casefold()}"
        case ProcedureRow():
            return f"{record.code}|{record.language}"
        case OpeningVisitRow():
            return normal_account(record.visit_id)
        case OpeningPlanRow():
            return normal_account(record.plan_id)
        case _:
            return ""


def _content(kind: str, record: Record) -> str:
    money = KINDS[kind].money if kind in KINDS else ()
    return repr([getattr(record, name) for name in money]) if money else _everything(record)


def _everything(record: Record) -> str:
    return repr([getattr(record, f.name) for f in fields(record) if f.name != "position"])


def visit_of(record: Record | None) -> str:
    """The visit that a record names, or ""."""
    return getattr(record, "visit_id", "")


def patient_of(record: Record | None) -> str:
    return getattr(record, "patient_id", "")


def account_of(record: Record | None) -> str:
    return getattr(record, "account_id", "")


def updates(kind: str) -> bool:
    """Whether a newer row of the same thing updates it; other kinds say a thing once."""
    return kind in KINDS and not KINDS[kind].money
