"""A CSV file from its name to its report: checked as a whole, then posted in phases, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

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

__all__ = ["find_map", "import_csv", "write_template"]

CHECKED_AT_ONCE = 200
SHIPPED_MAPS = Path(config.__file__).parent / "maps"


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
    poster = imports.Poster(job.practice_id, job.policy, "", job.actor)
    checked = _check(path, column_map, store, poster, job)
    if not checked.rows:
        raise ImportFault("the file has a header and no rows: nothing to import")
    faults = checked.faults()
    if faults and not job.skip_bad_claims:
        return _end(path, store, job, digest, "refused", _summary(faults), faults)
    running = store.read(lambda s: import_queries.find_unfinished(s, job.practice_id, digest))
    if running is None and not faults and not checked.state.news:
        return _end(path, store, job, digest, "duplicate", "every row of this file was imported before", [])
    run_id, cursor = store.write(lambda s: _begin(s, path, job, digest, checked, column_map))
    _post(path, column_map, store, replace(poster, import_id=run_id), cursor, checked, job)
    return _finish(path, store, job, run_id, checked)


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


def _items(path: Path, column_map: ColumnMap | None, practice_id: str, kinds: Sequence[str] = (),
           progress: Progress | None = None) -> Iterator[tuple[SourceRow, list[Item]]]:
    numbering = Numbering(practice_id)
    with path.open("rb") as stream:
        for row in csv_rows.read(stream, column_map, kinds=kinds, progress=progress):
            yield row, numbering.items(row)


def _check(path: Path, column_map: ColumnMap | None, store: Store, poster: imports.Poster, job: Job) -> Checked:
    checked = Checked()
    found = _items(path, column_map, job.practice_id, progress=job.progress)
    for batch in in_batches(found, CHECKED_AT_ONCE):
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
    return checked


def _summary(faults: Sequence[tuple[int, str]]) -> str:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{faults[0][1]}{more}. Nothing was posted. --skip-bad-claims posts the rest of the file"


def _begin(session: Session, path: Path, job: Job, digest: str, checked: Checked,
           column_map: ColumnMap | None) -> tuple[str, int]:
    run_id = imports.begin(
        session, job.practice_id, file_name=path.name, digest=digest, kind="csv",
        options={"skip_bad_claims": job.skip_bad_claims, "map": column_map.name if column_map else ""}, actor=job.actor,
        now=job.now(), total=checked.state.records + len(checked.unreadable))
    return run_id, import_queries.lock_run(session, run_id).cursor


def _post(path: Path, column_map: ColumnMap | None, store: Store, poster: imports.Poster, cursor: int,
          checked: Checked, job: Job) -> None:
    """Post what the cursor has not passed. The items come in the same order every time, which is what it counts."""
    pace, done, seen = Pace(), cursor, 0
    batch: list[Item] = []
    for item in _in_order(path, column_map, poster.practice_id, checked, job.progress):
        seen += 1
        if seen <= cursor:
            continue
        batch.append(item)
        if len(batch) >= pace.size:
            done += _write(store, poster, batch, done, job, pace)
            batch = []
    if batch:
        _write(store, poster, batch, done, job, pace)


def _write(store: Store, poster: imports.Poster, batch: list[Item], done: int, job: Job, pace: Pace) -> int:
    pace.write(store, lambda s: csv_posting.post_rows(s, poster, batch, done, job.now()))
    return len(batch)


def _in_order(path: Path, column_map: ColumnMap | None, practice_id: str, checked: Checked,
              progress: Progress | None) -> Iterator[Item]:
    for number, phase in enumerate(checked.state.phases()):
        for row, items in _items(path, column_map, practice_id, phase, None if number else progress):
            for item in items:
                reason = checked.bad.get(row.line, "")
                yield replace(item, skip=reason) if reason else item
    for line, reason in sorted(checked.unreadable.items()):
        yield Item(csv_posting.UNREADABLE, line, None, f"line:{line}", "", reason)


def _finish(path: Path, store: Store, job: Job, run_id: str, checked: Checked) -> Report:
    tally = store.read(lambda s: import_queries.tally(s, run_id))
    outcome, reason = _ending(tally)
    store.write(lambda s: imports.finish(s, run_id, outcome, reason, job.now()))
    notes = (f"{checked.ignored} rows were left out, as the map says",) if checked.ignored else ()
    today = imports.Poster(job.practice_id, job.policy, "", job.actor).today(job.now())
    return Report(str(path), "csv", outcome, reason or None, run_id, tally, notes, transactions=lambda:
                  csv_report.transactions(store, job.practice_id, run_id, today, tally, []))


def _ending(tally: dict[str, int]) -> tuple[str, str]:
    if tally.get("skipped"):
        return "partial", f"{tally['skipped']} rows could not be posted"
    if tally and set(tally) == {"duplicate"}:
        return "duplicate", "every row of this file was imported before"
    return "posted", ""


def _end(path: Path, store: Store, job: Job, digest: str, outcome: str, reason: str,
         faults: Sequence[tuple[int, str]]) -> Report:
    """Keep in the history that the file came and posted nothing."""
    run_id = store.write(lambda s: imports.record_refusal(
        s, job.practice_id, file_name=path.name, digest=digest, kind="csv", reason=reason, actor=job.actor,
        now=job.now(), outcome=outcome))
    today = imports.Poster(job.practice_id, job.policy, "", job.actor).today(job.now())
    return Report(str(path), "csv", outcome, reason, run_id, notes=tuple(text for _, text in faults[1:20]),
                  transactions=lambda: csv_report.transactions(store, job.practice_id, run_id, today, {}, faults))
