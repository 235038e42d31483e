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
from billing.store.prepared import Prepared, ask_together
from billing.views import SourceLine

Made = Callable[[str, tuple[Any, ...], ZoneInfo], SourceLine]


def load(session: Session, practice_id: str, names: Collection[str], zone: str) -> dict[str, SourceLine]:
    """Every row of ``names`` that there is, by its name; names of other kinds (accounts, coverages) are left out."""
    wanted: dict[str, set[Any]] = defaultdict(set)
    for name in names:
        kind, _, id_ = name.partition(":")
        wanted[kind].add(int(id_) if kind in _NUMBERED else id_)
    kinds = [kind for kind in _KINDS if kind in wanted]
    asked: list[tuple[Prepared, dict[str, object]]] = [
        (_KINDS[kind][0], {"practice_id": practice_id, "ids": wanted[kind]}) for kind in kinds]
    found = ask_together(session, *asked)
    lines = [_KINDS[kind][1](f"{kind}:{row[0]}", row, ZoneInfo(zone))
             for kind, rows in zip(kinds, found, strict=True) for row in rows]
    return {line.name: line for line in lines}


def in_order(names: Sequence[str], found: Mapping[str, SourceLine]) -> tuple[SourceLine, ...]:
    """The lines of one step: the payer's own reason first, our own books last."""
    lines = [found[name] for name in dict.fromkeys(names) if name in found]
    return tuple(sorted(lines, key=lambda line: _PLACES.get(line.kind, 1)))


_PLACES = {"remittance_adjustment": 0, "transfer": 2}


def _local(at: datetime | None, zone: ZoneInfo) -> date | None:
    return at.astimezone(zone).date() if at is not None else None


def _service(name: str, row: tuple[Any, ...], zone: ZoneInfo) -> SourceLine:
    _, on, charge_minor, code, words = row
    return SourceLine(name, "service_line", on, charge_minor, code, words or "")


def _answer(name: str, row: tuple[Any, ...], zone: ZoneInfo) -> SourceLine:
    _, on, paid_minor, code, payer = row
    return SourceLine(name, "remittance_claim", on, paid_minor, code, payer_name=payer)


def _adjustment(name: str, row: tuple[Any, ...], zone: ZoneInfo) -> SourceLine:
    _, on, amount_minor, group, reason, payer = row
    return SourceLine(name, "remittance_adjustment", on, amount_minor, f"{group}-{reason}", payer_name=payer)


def _payment(name: str, row: tuple[Any, ...], zone: ZoneInfo) -> SourceLine:
    _, at, amount_minor, tender = row
    return SourceLine(name, "payment", _local(at, zone), amount_minor, tender)


def _transfer(name: str, row: tuple[Any, ...], zone: ZoneInfo) -> SourceLine:
    id_, on, amount_minor = row
    return SourceLine(name, "transfer", on, amount_minor, str(id_))


def _numbered(name: str, row: tuple[Any, ...], zone: ZoneInfo) -> SourceLine:
    """A line of a file, or an application with its number: an instant and which one."""
    _, at, number = row
    return SourceLine(name, name.partition(":")[0], _local(at, zone), code=str(number))


def _import(name: str, row: tuple[Any, ...], zone: ZoneInfo) -> SourceLine:
    return SourceLine(name, "import", _local(row[1], zone))


_KINDS: Mapping[str, tuple[Prepared, Made]] = {
    "service_line": (store.service_lines, _service), "remittance_claim": (store.answers, _answer),
    "remittance_adjustment": (store.adjustments, _adjustment), "payment": (store.payments, _payment),
    "csv_row": (store.file_rows, _numbered), "imported_balance": (store.balances, _numbered),
    "import": (store.imports, _import), "assistance_application": (store.applications, _numbered),
    "transfer": (store.transfers, _transfer),
}

_NUMBERED = frozenset({"remittance_adjustment", "csv_row", "imported_balance", "transfer"})
