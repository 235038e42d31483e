"""An opening file from its name to its report: nothing of it is posted unless all of it agrees with the old aging."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from billing import imports, opening_release
from billing.importers import opening_rows
from billing.importers.csv_records import SourceRow
from billing.importers.opening_records import OpeningTotalRow
from billing.money import dollars
from billing.store import import_queries
from bot.importing import csv_files
from bot.importing.checking import Progress
from bot.importing.csv_files import Checked, Source

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from bot.importing.checking import Store
    from bot.importing.files import Job
    from bot.importing.report import Report

KIND = "opening"
_UNTOLD = "Nothing was posted"


def import_opening(path: Path, store: Store, job: Job, digest: str) -> Report:
    """Take over an opening file. Raises billing.importers.records.ImportFault, and OSError."""
    source = Source(path, _digest(digest, job.control), _read, KIND)
    poster = imports.Poster(job.practice_id, job.policy, "", job.actor)
    checked = csv_files.check(source, store, poster, job)
    faults = checked.faults() + (_control_faults(job.control, checked) if job.control is not None else [])
    differences = checked.state.opening.disagreements() if not faults else []
    if faults or differences:
        said = faults or [(0, one) for one in differences]
        more = f" (and {len(said) - 1} more)" if len(said) > 1 else ""
        return csv_files.end(source, store, job, "refused", f"{said[0][1]}{more}. {_UNTOLD}", said)
    running = store.read(lambda s: import_queries.find_unfinished(s, job.practice_id, source.digest))
    if running is None and not checked.state.news:
        return csv_files.end(source, store, job, "duplicate", csv_files.KNOWN, [])
    totals = _totals(checked)
    source = replace(source, options={"totals": totals, "as_of": str(checked.state.opening.as_of)})
    run_id, cursor = store.write(lambda s: _begin(s, source, job, checked))
    poster = replace(poster, import_id=run_id, effective_on=checked.state.opening.as_of)
    csv_files.post(source, store, poster, cursor, checked, job)
    return _told(csv_files.finish(source, store, job, run_id, checked), totals, run_id)


def _begin(session: Session, source: Source, job: Job, checked: Checked) -> tuple[str, int]:
    """With the import its case begins, so that no crash leaves one without the other."""
    run_id, cursor = csv_files.begin(session, source, job, checked)
    opening_release.open_case(session, job.practice_id, run_id, job.now())
    return run_id, cursor


def _read(stream: IO[bytes], kinds: Sequence[str], progress: Progress | None) -> Iterator[SourceRow]:
    return opening_rows.read(stream, kinds=kinds, progress=progress)


def _digest(digest: str, control: Path | None) -> str:
    """The same rows under other totals are another file."""
    return digest if control is None else hashlib.sha256(digest.encode() + control.read_bytes()).hexdigest()


def _control_faults(control: Path, checked: Checked) -> list[tuple[int, str]]:
    """Take the totals of a file of their own."""
    found: list[tuple[int, str]] = []
    with control.open("rb") as stream:
        for row in opening_rows.read_control(stream):
            reasons = [row.fault] if row.fault else [
                f"line {row.line}, column {why}" for _, record in row.records
                if isinstance(record, OpeningTotalRow) and (why := checked.state.opening.take_total(record))]
            found += [(row.line, f"{control.name}: {reason}") for reason in reasons if reason]
    return found


def _totals(checked: Checked) -> dict[str, int]:
    opening = checked.state.opening
    return opening.sums.totals(opening.as_of) if opening.as_of is not None else {}


def _told(report: Report, totals: dict[str, int], run_id: str) -> Report:
    """The report with what was taken over by bucket, and what comes next."""
    lines = tuple(f"{name}: {dollars(minor)}" for name, minor in totals.items())
    untold = report.transactions
    then = f"Everything is held. Another person releases it: plainbill import --opening --release {run_id}"
    return replace(report, notes=(*report.notes, *lines, then), transactions=lambda: _with_totals(untold(), totals))


def _with_totals(transactions: Iterator[dict[str, Any]], totals: dict[str, int]) -> Iterator[dict[str, Any]]:
    for one in transactions:
        yield {**one, "totals_minor": totals}
