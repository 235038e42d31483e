"""Print runs on the disk: a folder with one PDF a letter and a manifest, whole under its name or not there at all."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from billing import csv_cells, mailing, statements
from billing.mailing import Batch, LetterRow
from bot import exports
from bot.exports import Export, Written, put_file, sync_folder
from bot.failpoints import hit
from bot.write import Store
from templates import letter as sheet
from templates.names import written

MANIFEST = "manifest.csv"
COLUMNS = ("letter", "file", "pages", "sha256", "language", "name", "address_1", "address_2", "address_3")


@dataclass(frozen=True, slots=True)
class Exported:
    """``kept``: how many letters stay, by the rule that holds them back."""

    runs: tuple[Written[Batch], ...]
    kept: Mapping[str, int] = field(default_factory=dict)


def export(store: Store, practice_id: str, folder: Path, *, by: str, now: Callable[[], datetime]) -> Exported:
    """Finish what an interrupted export left, then gather what is due and write it. Raises MailRefused, ExportRunning
    and OSError.
    """
    kept: Counter[str] = Counter()
    done = exports.run(store, _kind(store, practice_id, folder, now), partial(mailing.unfinished,
                       practice_id=practice_id), partial(_gather, store, practice_id, folder, by, now, kept))
    return Exported(tuple(done), dict(kept))


def _gather(store: Store, practice_id: str, folder: Path, by: str, now: Callable[[], datetime], kept: Counter[str],
            ) -> tuple[Batch | None, bool]:
    """What an interrupted export gathered and nobody can have got is judged again, with the rest."""
    undone = store.write(partial(mailing.put_back, practice_id=practice_id, now=now()))
    for batch in undone:
        shutil.rmtree(_part(folder, batch), ignore_errors=True)
    taken = store.write(partial(mailing.take, practice_id=practice_id, after_id="", by=by, now=now()))
    while taken.last_id:
        kept.update(taken.kept)
        hit("mail.taken")
        taken = store.write(partial(mailing.take, practice_id=practice_id, after_id=taken.last_id, by=by, now=now()))
    closed = store.write(lambda s: mailing.close(s, practice_id))
    if closed is not None:
        hit("mail.gathered")
    return closed, bool(undone)


def write_again(store: Store, practice_id: str, number: int, folder: Path, now: Callable[[], datetime],
                ) -> Written[Batch]:
    """Write a run's files once more, byte for byte the same. Raises MailRefused, ExportRunning and OSError."""
    def find(session: Session) -> Batch:
        batch = mailing.find_batch(session, practice_id, number)
        if not batch.fixed:
            raise mailing.MailRefused("this run was interrupted while it was gathered: run plainbill mail export first")
        return batch

    return exports.again(store, _kind(store, practice_id, folder, now), find)


def _kind(store: Store, practice_id: str, folder: Path, now: Callable[[], datetime]) -> Export[Batch]:
    def mark(session: Session, batch: Batch) -> Batch:
        return mailing.mark_written(session, practice_id, batch.number)

    return Export("mail", practice_id, partial(_put, store, practice_id, folder, now), mark)


def _put(store: Store, practice_id: str, folder: Path, now: Callable[[], datetime], batch: Batch) -> Path:
    path, part = folder / batch.folder, _part(folder, batch)
    if path.exists() and not batch.fixed:
        raise _taken(path)  # of another practice, or of the practice that this is a restored copy of
    shutil.rmtree(part, ignore_errors=True)
    _fill(store, batch, part)
    hit("mail.filled")
    store.write(partial(mailing.make_ready, practice_id=practice_id, number=batch.number, now=now()))
    hit("mail.ready")
    if path.exists():
        _replace(part, path)
    else:
        part.rename(path)
        sync_folder(folder)
    hit("mail.written")
    return path


def _part(folder: Path, batch: Batch) -> Path:
    return folder / f".{batch.folder}.part"


def _replace(part: Path, path: Path) -> None:
    """The same run once more, file by file. Raises MailRefused where another one has the name."""
    old, new = path / MANIFEST, part / MANIFEST
    if old.exists() and old.read_bytes() != new.read_bytes():
        shutil.rmtree(part)
        raise _taken(path)
    for file in sorted(part.iterdir()):
        file.replace(path / file.name)
    part.rmdir()
    sync_folder(path)


def _taken(path: Path) -> mailing.MailRefused:
    return mailing.MailRefused(f"the folder {path.name} is there already and holds another run; name another folder")


def _fill(store: Store, batch: Batch, path: Path) -> None:
    """Readable by this user alone: there are names and addresses in every file."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    rows: list[Sequence[object]] = []
    for one in store.read(lambda s: mailing.letters(s, batch.batch_id)):
        data = make_pdf(store, batch, one)
        name = file_name(batch, one)
        put_file(path / name, data, 0o600)
        rows.append(_cells(batch, one, name, data))
    put_file(path / MANIFEST, manifest(rows), 0o600)


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
            written(one.content["name"]), *lines, *[""] * (3 - len(lines)))


def manifest(rows: Sequence[Sequence[object]]) -> bytes:
    return csv_cells.whole(COLUMNS, rows).encode()
