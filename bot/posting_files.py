"""Writing posting files: whole on the disk or not there at all, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from billing import postings
from billing.postings import Batch
from bot import exports
from bot.exports import Export, Written
from bot.failpoints import hit
from bot.write import Store
from config.practice import PracticePolicy


def export(store: Store, practice_id: str, policy: PracticePolicy, folder: Path, *, by: str,
           now: Callable[[], datetime]) -> list[Written[Batch]]:
    """Finish what an interrupted export left, then write what is new. Raises PostingsRefused, ExportRunning and
    OSError.
    """
    postings.require_other_record(policy)

    def gather() -> tuple[Batch | None, bool]:
        batch = store.write(lambda s: postings.gather(s, practice_id, policy, by=by, now=now()))
        if batch is not None:
            hit("postings.gathered")
        return batch, False

    return exports.run(store, _kind(store, practice_id, folder), lambda s: postings.unfinished(s, practice_id), gather)


def write_again(store: Store, practice_id: str, batch_id: str, folder: Path) -> Written[Batch]:
    """Write a batch's file once more, byte for byte the same. Raises PostingsRefused, ExportRunning and OSError."""
    return exports.again(store, _kind(store, practice_id, folder),
                         lambda s: postings.find_batch(s, practice_id, batch_id))


def _kind(store: Store, practice_id: str, folder: Path) -> Export[Batch]:
    def mark(session: Session, batch: Batch) -> Batch:
        return postings.mark_written(session, practice_id, batch.batch_id)

    return Export("postings", practice_id, partial(_put, store, folder), mark)


def _put(store: Store, folder: Path, batch: Batch) -> Path:
    path = folder / batch.file_name
    exports.put_file(path, store.read(lambda s: postings.content(s, batch.batch_id)).encode())
    hit("postings.written")
    return path
