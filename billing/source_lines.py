"""The source rows that a step of a derivation names, as something to read: what it is, its day, its amount, its code.

Codes and data only; the words are the reader's. Rows of our own books come last, whatever they were made from first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.store import source_queries as store
from billing.store.source_queries import SourceRow
from billing.views import SourceLine

Read = Callable[[Session, str, Collection[Any]], Sequence[SourceRow]]
Made = Callable[[str, SourceRow, ZoneInfo], SourceLine]


def load(session: Session, practice_id: str, names: Collection[str], zone: str) -> dict[str, SourceLine]:
    """Every row of ``names`` that there is, by its name; names of other kinds (accounts, coverages) are left out."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for name in names:
        kind, _, id_ = name.partition(":")
        wanted[kind].add(id_)
    found: dict[str, SourceLine] = {}
    for kind, (read, made) in _KINDS.items():
        ids = [int(one) if kind in _NUMBERED else one for one in sorted(wanted[kind])]
        for row in read(session, practice_id, ids) if ids else ():
            line = made(f"{kind}:{row.id}", row, ZoneInfo(zone))
            found[line.name] = line
    return found


def in_order(names: Sequence[str], found: Mapping[str, SourceLine]) -> tuple[SourceLine, ...]:
    """The lines of one step: the payer's own reason first, our own books last."""
    lines = [found[name] for name in dict.fromkeys(names) if name in found]
    return tuple(sorted(lines, key=lambda line: _PLACES.get(line.kind, 1)))


_PLACES = {"remittance_adjustment": 0, "transfer": 2}


def _local(at: datetime | None, zone: ZoneInfo) -> date | None:
    return at.astimezone(zone).date() if at is not None else None


def _service(name: str, row: SourceRow, zone: ZoneInfo) -> SourceLine:
    return SourceLine(name, "service_line", row.service_on, row.charge_minor, row.procedure_code, row.words or "")


def _answer(name: str, row: SourceRow, zone: ZoneInfo) -> SourceLine:
    return SourceLine(name, "remittance_claim", row.paid_on, row.paid_minor, row.payer_claim_id,
                      payer_name=row.payer_name)


def _adjustment(name: str, row: SourceRow, zone: ZoneInfo) -> SourceLine:
    return SourceLine(name, "remittance_adjustment", row.paid_on, row.amount_minor,
                      f"{row.group_code}-{row.reason_code}", payer_name=row.payer_name)


def _payment(name: str, row: SourceRow, zone: ZoneInfo) -> SourceLine:
    return SourceLine(name, "payment", _local(row.paid_at, zone), row.amount_minor, row.tender)


def _transfer(name: str, row: SourceRow, zone: ZoneInfo) -> SourceLine:
    return SourceLine(name, "transfer", row.effective_on, row.amount_minor, str(row.id))


def _file_row(name: str, row: SourceRow, zone: ZoneInfo) -> SourceLine:
    return SourceLine(name, "csv_row", _local(row.started_at, zone), code=str(row.line))


def _balance(name: str, row: SourceRow, zone: ZoneInfo) -> SourceLine:
    return SourceLine(name, "imported_balance", _local(row.as_of_at, zone), code=str(row.line))


def _import(name: str, row: SourceRow, zone: ZoneInfo) -> SourceLine:
    return SourceLine(name, "import", _local(row.started_at, zone))


def _application(name: str, row: SourceRow, zone: ZoneInfo) -> SourceLine:
    return SourceLine(name, "assistance_application", _local(row.decided_at, zone), code=str(row.number))


_KINDS: Mapping[str, tuple[Read, Made]] = {
    "service_line": (store.service_lines, _service), "remittance_claim": (store.answers, _answer),
    "remittance_adjustment": (store.adjustments, _adjustment), "payment": (store.payments, _payment),
    "csv_row": (store.file_rows, _file_row), "imported_balance": (store.balances, _balance),
    "import": (store.imports, _import), "assistance_application": (store.applications, _application),
    "transfer": (store.transfers, _transfer),
}

_NUMBERED = frozenset({"remittance_adjustment", "csv_row", "imported_balance", "transfer"})
