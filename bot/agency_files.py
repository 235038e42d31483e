"""Files to and from collection agencies: a file out is whole on the disk or not there; a report is taken row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from billing import agency_files, agency_returns
from billing.agency_files import AgencyFile
from billing.agency_returns import Outcome, ReturnsRefused
from billing.placements import PlacementRefused
from bot import exports
from bot.exports import Export, Written
from bot.failpoints import hit
from bot.write import Store

MOST_BYTES = 50_000_000


def export(store: Store, practice_id: str, agency: str, folder: Path, *, by: str,
           now: Callable[[], datetime]) -> list[Written[AgencyFile]]:
    """Finish what an interrupted export left, then place what is approved. Raises PlacementRefused, ExportRunning and
    OSError.
    """
    def gather() -> tuple[AgencyFile | None, bool]:
        made = store.write(lambda s: agency_files.gather(s, practice_id, agency, by=by, now=now()))
        if made is not None:
            hit("agency.gathered")
        return made, False

    return exports.run(store, _kind(store, practice_id, folder), lambda s: agency_files.unfinished(s, practice_id),
                       gather)


def write_again(store: Store, practice_id: str, agency: str, number: int, folder: Path) -> Written[AgencyFile]:
    """Write a file once more, byte for byte the same. Raises PlacementRefused for a number that is none,
    ExportRunning and OSError.
    """
    def find(session: Session) -> AgencyFile:
        found = agency_files.find(session, practice_id, agency, number)
        if found is None:
            raise PlacementRefused(f"there is no file {number} to {agency}")
        return found

    return exports.again(store, _kind(store, practice_id, folder), find)


def _kind(store: Store, practice_id: str, folder: Path) -> Export[AgencyFile]:
    def mark(session: Session, batch: AgencyFile) -> AgencyFile:
        return replace(agency_files.mark_written(session, practice_id, batch.file_id), left_out=batch.left_out)

    return Export("agency", practice_id, partial(_put, store, folder), mark)


def _put(store: Store, folder: Path, one: AgencyFile) -> Path:
    path = folder / one.file_name
    exports.put_file(path, store.read(lambda s: agency_files.content(s, one.file_id)).encode())
    hit("agency.written")
    return path


def take_in(store: Store, practice_id: str, agency: str, path: Path, *, by: str,
            now: Callable[[], datetime]) -> list[Outcome]:
    """Take a report in, each row in a transaction of its own: interrupted, it is taken in again and goes on where it
    was. Raises ReturnsRefused, PlacementRefused and OSError.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ReturnsRefused(f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB; split it")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReturnsRefused(f"{path.name} is not UTF-8 text") from None
    rows = agency_returns.parse(text)
    file = store.write(lambda s: agency_returns.open_file(
        s, practice_id, agency, text, file_name=path.name, rows=rows, by=by, now=now()).id)
    hit("agency.opened")
    found = []
    for row in rows:
        found.append(row if isinstance(row, Outcome) else store.write(partial(
            agency_returns.take_row, practice_id=practice_id, agency=agency, row=row, file_id=file, by=by, now=now())))
        hit("agency.row")
    return found
