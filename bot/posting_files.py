"""Writing posting files: whole on the disk or not there at all, whatever happens in between."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from billing import postings
from billing.postings import Batch
from bot.failpoints import hit
from bot.write import Store
from config.practice import PracticePolicy


@dataclass(frozen=True, slots=True)
class Written:
    """One file on the disk. ``recovered``: an earlier export was interrupted before it was done."""

    batch: Batch
    path: Path
    recovered: bool


def export(store: Store, practice_id: str, policy: PracticePolicy, folder: Path, *, by: str,
           now: Callable[[], datetime]) -> list[Written]:
    """Finish what an interrupted export left, then write what is new. Raises PostingsRefused and OSError."""
    postings.require_other_record(policy)
    done = [_write(store, practice_id, batch, folder, recovered=True)
            for batch in store.read(lambda s: postings.unfinished(s, practice_id))]
    batch = store.write(lambda s: postings.gather(s, practice_id, policy, by=by, now=now()))
    if batch is not None:
        hit("postings.gathered")
        done.append(_write(store, practice_id, batch, folder, recovered=False))
    return done


def write_again(store: Store, practice_id: str, batch_id: str, folder: Path) -> Written:
    """Write a batch's file once more, byte for byte the same. Raises PostingsRefused and OSError."""
    batch = store.read(lambda s: postings.find_batch(s, practice_id, batch_id))
    return _write(store, practice_id, batch, folder, recovered=not batch.written)


def _write(store: Store, practice_id: str, batch: Batch, folder: Path, *, recovered: bool) -> Written:
    path = folder / batch.file_name
    put_file(path, store.read(lambda s: postings.content(s, batch.batch_id)).encode())
    hit("postings.written")
    done = batch if batch.written else store.write(lambda s: postings.mark_written(s, practice_id, batch.batch_id))
    return Written(done, path, recovered)


def put_file(path: Path, data: bytes) -> None:
    """Write a file so that its name only ever stands for the whole content, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
