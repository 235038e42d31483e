"""Print runs on the disk: a folder with one PDF a letter and a manifest, whole under its name or not there at all."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from billing import mailing, statements
from billing.mailing import Batch, LetterRow
from bot.failpoints import hit
from bot.posting_files import put_file
from bot.write import Store
from templates import letter as sheet
from templates.names import written

MANIFEST = "manifest.csv"
COLUMNS = ("letter", "file", "pages", "sha256", "language", "name", "address_1", "address_2", "address_3")


@dataclass(frozen=True, slots=True)
class Written:
    """One run on the disk. ``recovered``: an earlier export was interrupted before it was done."""

    batch: Batch
    path: Path
    recovered: bool


@dataclass(frozen=True, slots=True)
class Exported:
    """``kept``: how many letters stay, by the rule that holds them back."""

    runs: tuple[Written, ...]
    kept: Mapping[str, int] = field(default_factory=dict)


def export(store: Store, practice_id: str, folder: Path, *, by: str, now: Callable[[], datetime]) -> Exported:
    """Finish what an interrupted export left, then gather what is due and write it. Raises OSError."""
    done = [_write(store, practice_id, batch, folder, recovered=True)
            for batch in store.read(lambda s: mailing.unfinished(s, practice_id))]
    kept: Counter[str] = Counter()
    taken = store.write(partial(mailing.take, practice_id=practice_id, after_id="", by=by, now=now()))
    while taken.last_id:
        kept.update(taken.kept)
        hit("mail.taken")
        taken = store.write(partial(mailing.take, practice_id=practice_id, after_id=taken.last_id, by=by, now=now()))
    batch = store.write(lambda s: mailing.close(s, practice_id))
    if batch is not None:
        hit("mail.gathered")
        done.append(_write(store, practice_id, batch, folder, recovered=False))
    return Exported(tuple(done), dict(kept))


def write_again(store: Store, practice_id: str, number: int, folder: Path) -> Written:
    """Write a run's files once more, byte for byte the same. Raises MailRefused and OSError."""
    batch = store.read(lambda s: mailing.find_batch(s, practice_id, number))
    if batch.status == "gathering":
        raise mailing.MailRefused("this run is still being gathered: run plainbill mail export first")
    return _write(store, practice_id, batch, folder, recovered=not batch.written)


def _write(store: Store, practice_id: str, batch: Batch, folder: Path, *, recovered: bool) -> Written:
    path = folder / batch.folder
    if path.exists():  # as before, file by file: each is replaced whole by the same bytes
        _fill(store, batch, path)
    else:
        part = folder / f".{batch.folder}.part"
        shutil.rmtree(part, ignore_errors=True)
        _fill(store, batch, part)
        hit("mail.filled")
        part.rename(path)
        _sync(folder)
    hit("mail.written")
    done = batch if batch.written else store.write(lambda s: mailing.mark_written(s, practice_id, batch.number))
    return Written(done, path, recovered)


def _fill(store: Store, batch: Batch, path: Path) -> None:
    """Readable by this user alone: there are names and addresses in every file."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    rows: list[Sequence[object]] = []
    for one in store.read(lambda s: mailing.letters(s, batch.batch_id)):
        data = make_pdf(store, batch, one)
        name = file_name(batch, one)
        _put(path / name, data)
        rows.append(_cells(batch, one, name, data))
    _put(path / MANIFEST, manifest(rows))


def make_pdf(store: Store, batch: Batch, one: LetterRow) -> bytes:
    """The letter and its statement, made outside of any transaction."""
    content: dict[str, Any] | None = None
    if one.statement_id is not None:
        statement_id = one.statement_id
        content = store.read(lambda s: statements.view(s, statement_id))
    return sheet.pdf({**one.content, "body": one.body, "language": one.language, "number": number_of(batch, one)},
                     content)


def number_of(batch: Batch, one: LetterRow) -> str:
    """What stands on the paper, and says which letter came back."""
    return f"{batch.number}-{one.position}"


def file_name(batch: Batch, one: LetterRow) -> str:
    """Says nothing of anybody."""
    return f"{batch.number:04d}-{one.position:05d}.pdf"


def _cells(batch: Batch, one: LetterRow, name: str, data: bytes) -> Sequence[object]:
    lines = sheet.postal_lines(one.content["address"])
    return (number_of(batch, one), name, sheet.count_pages(data), hashlib.sha256(data).hexdigest(), one.language,
            _plain(written(one.content["name"])), *map(_plain, lines), *[""] * (3 - len(lines)))


def _plain(cell: str) -> str:
    """A spreadsheet takes a cell that begins so for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell


def manifest(rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return out.getvalue().encode()


def _put(path: Path, data: bytes) -> None:
    put_file(path, data)
    path.chmod(0o600)


def _sync(folder: Path) -> None:
    """A rename is on the disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
