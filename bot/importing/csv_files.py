"""A CSV file from its name to its report: checked as a whole, then posted in phases, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import config
from billing import csv_checks, csv_posting, imports
from billing.csv_items import Item, Numbering
from billing.importers import csv_rows
from billing.importers.csv_map import ColumnMap, load_map
from billing.importers.csv_records import SourceRow
from billing.importers.records import ImportFault
from billing.store import import_queries
from bot.importing import csv_report
from bot.importing.checking import Progress, Store, in_batches
from bot.importing.csv_templates import write_template
from bot.importing.posting import Pace
from bot.importing.report import Report

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from bot.importing.files import Job

__all__ = ["Checked", "Source", "begin", "check", "end", "find_map", "finish", "import_csv", "post", "write_template"]

CHECKED_AT_ONCE = 200
KNOWN = "every row of this file was imported before"
SHIPPED_MAPS = Path(config.__file__).parent / "maps"


#: Reads a file from its beginning, only these kinds of records (empty: all), telling how many bytes it has read.
Read = Callable[[IO[bytes], Sequence[str], Progress | None], Iterator[SourceRow]]


@dataclass(frozen=True, slots=True)
class Source:
    """A file, how its rows are read, and what its import is called: csv or opening."""

    path: Path
    digest: str
    read: Read
    kind: str = "csv"
    options: dict[str, object] = field(default_factory=dict)

    def items(self, practice_id: str, kinds: Sequence[str] = (),
              progress: Progress | None = None) -> Iterator[tuple[SourceRow, list[Item]]]:
        numbering = Numbering(practice_id)
        with self.path.open("rb") as stream:
            for row in self.read(stream, kinds, progress):
                yield row, numbering.items(row)


@dataclass(slots=True)
class Checked:
    """What pass one found. ``bad`` lines are refused, or skipped on request."""

    state: csv_checks.FileState = field(default_factory=csv_checks.FileState)
    bad: dict[int, str] = field(default_factory=dict)
    unreadable: dict[int, str] = field(default_factory=dict)
    rows: int = 0
    ignored: int = 0

    def faults(self) -> list[tuple[int, str]]:
        return sorted((self.bad | self.unreadable).items())


def import_csv(path: Path, store: Store, job: Job, digest: str) -> Report:
    """Import one CSV file. Raises ImportFault for a file that cannot be read at all, and OSError."""
    column_map = find_map(job.column_map) if job.column_map is not None else None
    source = Source(path, digest, _reader(column_map), options={
        "skip_bad_claims": job.skip_bad_claims, "map": column_map.name if column_map else ""})
    poster = imports.Poster(job.practice_id, job.policy, "", job.actor)
    checked = check(source, store, poster, job)
    faults = checked.faults()
    if faults and not job.skip_bad_claims:
        return replace(end(source, store, job, "refused", _summary(faults), faults), skippable=True)
    running = store.read(lambda s: import_queries.find_unfinished(s, job.practice_id, digest))
    if running is None and not faults and not checked.state.news:
        return end(source, store, job, "duplicate", KNOWN, [])
    run_id, cursor = store.write(lambda s: begin(s, source, job, checked))
    post(source, store, replace(poster, import_id=run_id), cursor, checked, job)
    return finish(source, store, job, run_id, checked)


def _reader(column_map: ColumnMap | None) -> Read:
    return lambda stream, kinds, progress: csv_rows.read(stream, column_map, kinds=kinds, progress=progress)


def find_map(wanted: Path) -> ColumnMap:
    """Load a map by its path, or one of ours (config/maps) by its name. Raises ImportFault."""
    shipped = SHIPPED_MAPS / f"{wanted.name}.toml"
    path = wanted if wanted.is_file() or not (wanted.parent == Path() and shipped.is_file()) else shipped
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        ours = ", ".join(sorted(p.stem for p in SHIPPED_MAPS.glob("*.toml")))
        raise ImportFault(f"column map {wanted}: cannot be read; give the path of a TOML file, or one of ours: {ours}"
                          ) from error
    return load_map(text, str(wanted))


def check(source: Source, store: Store, poster: imports.Poster, job: Job) -> Checked:
    """Pass one. Raises ImportFault for a file without rows."""
    checked = Checked()
    for batch in in_batches(source.items(job.practice_id, progress=job.progress), CHECKED_AT_ONCE):
        for row, items in batch:
            checked.rows += 1
            checked.ignored += not items and not row.fault
            if row.fault:
                checked.unreadable[row.line] = row.fault
        items = [item for _, items in batch for item in items]
        faults = store.read(partial(csv_checks.check_rows, poster=poster, items=items, state=checked.state,
                                    now=job.now()))
        for line, reason in faults:
            checked.bad.setdefault(line, reason)
    for line, reason in checked.state.late_faults():
        checked.bad.setdefault(line, reason)
    if not checked.rows:
        raise ImportFault("the file has a header and no rows: nothing to import")
    return checked


def _summary(faults: Sequence[tuple[int, str]]) -> str:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{faults[0][1]}{more}. Nothing was posted"


def begin(session: Session, source: Source, job: Job, checked: Checked) -> tuple[str, int]:
    """The file's import, the unfinished one if there is one, and how far it has come."""
    run_id = imports.begin(
        session, job.practice_id, file_name=source.path.name, digest=source.digest, kind=source.kind,
        options=source.options, actor=job.actor, now=job.now(), total=checked.state.records + len(checked.unreadable))
    return run_id, import_queries.lock_run(session, run_id).cursor


def post(source: Source, store: Store, poster: imports.Poster, cursor: int, checked: Checked, job: Job) -> None:
    """Post what the cursor has not passed. The items come in the same order every time, which is what it counts. A
    batch ends with its phase: what a patient row opens is on file before a visit asks for it.
    """
    pace, done, seen = Pace(), cursor, 0
    batch: list[Item] = []
    phase = -1
    for number, item in _in_order(source, poster.practice_id, checked, job.progress):
        seen += 1
        if seen <= cursor:
            continue
        if batch and number != phase:
            done += _write(store, poster, batch, done, job, pace)
            batch = []
        phase = number
        batch.append(item)
        if len(batch) >= pace.size:
            done += _write(store, poster, batch, done, job, pace)
            batch = []
    if batch:
        _write(store, poster, batch, done, job, pace)


def _write(store: Store, poster: imports.Poster, batch: list[Item], done: int, job: Job, pace: Pace) -> int:
    pace.write(store, lambda s: csv_posting.post_rows(s, poster, batch, done, job.now()))
    return len(batch)


def _in_order(source: Source, practice_id: str, checked: Checked,
              progress: Progress | None) -> Iterator[tuple[int, Item]]:
    """Items with the number of their phase."""
    for number, phase in enumerate(checked.state.phases()):
        for row, items in source.items(practice_id, phase, None if number else progress):
            for item in items:
                reason = checked.bad.get(row.line, "")
                yield number, replace(item, skip=reason) if reason else item
    for line, reason in sorted(checked.unreadable.items()):
        yield -1, Item(csv_posting.UNREADABLE, line, None, f"line:{line}", "", reason)


def finish(source: Source, store: Store, job: Job, run_id: str, checked: Checked) -> Report:
    tally = store.read(lambda s: import_queries.tally(s, run_id))
    outcome, reason = _ending(tally)
    store.write(lambda s: imports.finish(s, run_id, outcome, reason, job.now()))
    notes = (f"{checked.ignored} rows were left out, as the map says",) if checked.ignored else ()
    today = imports.Poster(job.practice_id, job.policy, "", job.actor).today(job.now())
    return Report(str(source.path), source.kind, outcome, reason or None, run_id, tally, notes, transactions=lambda:
                  csv_report.transactions(store, job.practice_id, run_id, today, tally, []))


def _ending(tally: dict[str, int]) -> tuple[str, str]:
    if tally.get("skipped"):
        return "partial", f"{tally['skipped']} rows could not be posted"
    if tally and set(tally) == {"duplicate"}:
        return "duplicate", KNOWN
    return "posted", ""


def end(source: Source, store: Store, job: Job, outcome: str, reason: str,
        faults: Sequence[tuple[int, str]]) -> Report:
    """Keep in the history that the file came and posted nothing."""
    run_id = store.write(lambda s: imports.record_refusal(
        s, job.practice_id, file_name=source.path.name, digest=source.digest, kind=source.kind, reason=reason,
        actor=job.actor, now=job.now(), outcome=outcome))
    today = imports.Poster(job.practice_id, job.policy, "", job.actor).today(job.now())
    return Report(str(source.path), source.kind, outcome, reason, run_id, notes=tuple(text for _, text in faults[1:20]),
                  transactions=lambda: csv_report.transactions(store, job.practice_id, run_id, today, {}, faults))
