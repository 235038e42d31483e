"""Files to and from collection agencies: a file out is whole on the disk or not there; a report is taken row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from billing import agency_files, agency_returns
from billing.agency_files import AgencyFile
from billing.agency_returns import Outcome, ReturnsRefused
from bot.failpoints import hit
from bot.posting_files import put_file
from bot.write import Store

MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Written:
    """One file on the disk. ``recovered``: an earlier export was interrupted before it was done."""

    file: AgencyFile
    path: Path
    recovered: bool


def export(store: Store, practice_id: str, agency: str, folder: Path, *, by: str,
           now: Callable[[], datetime]) -> list[Written]:
    """Finish what an interrupted export left, then place what is approved. Raises PlacementRefused and OSError."""
    done = [_write(store, one, folder, recovered=True)
            for one in store.read(lambda s: agency_files.unfinished(s, practice_id))]
    made = store.write(lambda s: agency_files.gather(s, practice_id, agency, by=by, now=now()))
    if made is not None:
        hit("agency.gathered")
        done.append(_write(store, made, folder, recovered=False))
    return done


def write_again(store: Store, practice_id: str, agency: str, number: int, folder: Path) -> Written | None:
    """Write a file once more, byte for byte the same; None when there is none of that number."""
    one = store.read(lambda s: agency_files.find(s, practice_id, agency, number))
    return _write(store, one, folder, recovered=not one.written) if one is not None else None


def _write(store: Store, one: AgencyFile, folder: Path, *, recovered: bool) -> Written:
    path = folder / one.file_name
    put_file(path, store.read(lambda s: agency_files.content(s, one.file_id)).encode())
    hit("agency.written")
    if not one.written:
        store.write(lambda s: agency_files.mark_written(s, one.practice_id, one.file_id))
    return Written(one, path, recovered)


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
