"""A file that was given to the console: checked or posted in a thread of its own, as ``plainbill import`` does it.

The file lies in a temporary file without a name while that lasts, so that nothing of it is left when the process dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from billing import received_files
from billing.imports import ImportBusy, RemittanceTaken
from billing.received_files import Turn
from billing.store import trying, upload_queries
from billing.store.practices import find_practice, policy_of
from bot.importing import files
from bot.importing.kept_report import Kept, keep
from bot.importing.report import Report
from bot.road import Road
from bot.write import Store, StoreClosed
from config.practice import PracticePolicy

#: Files that one process works on at once: an import is mostly this machine's own work.
AT_ONCE = 2
#: How long a press waits for a small file, so that whoever reads without script sees the answer at once.
GRACE_SECONDS = 2
TELLS_EVERY_SECONDS = 1

_threads = ThreadPoolExecutor(AT_ONCE, "imports")
_log = structlog.get_logger(__name__)


async def begin(road: Road, file_id: str) -> None:
    """Work on a file, and wait a moment for it; it goes on by itself."""
    working = asyncio.wrap_future(_threads.submit(work, road, file_id))
    await asyncio.wait([working], timeout=GRACE_SECONDS)


async def resume(road: Road) -> int:
    """Go on with files that nobody works on, and throw old ones away; return how many. Any number of times."""
    now = road.clock.now()
    waiting = await road.store.aread(lambda session: upload_queries.ready(session, now))
    for file_id in waiting:
        await begin(road, file_id)
    return len(waiting) + await road.store.awrite(lambda session: received_files.forget_old(session, now))


def work(road: Road, file_id: str) -> None:
    """One file's turn, if nobody else has it. Never raises: what went wrong stands with the file."""
    with contextlib.suppress(StoreClosed):  # another process, or this one anew, goes on
        turn = road.store.write(lambda session: received_files.take_turn(
            session, file_id, road.worker, road.clock.now()))
        if turn is None:
            return
        report, failure = _try(road, turn)
        road.store.write(partial(received_files.end_turn, turn=turn, worker=road.worker, report=report,
                                 failure=failure))


def _try(road: Road, turn: Turn) -> tuple[Kept | None, str]:
    try:
        return _run(road, turn), ""
    except StoreClosed:
        raise
    except RemittanceTaken:
        return None, "taken"
    except ImportBusy:
        return None, "busy"
    except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer
        _log.error("a file could not be imported", error=type(error).__name__, file=turn.file_id)
        return None, "broken"


def _run(road: Road, turn: Turn) -> Kept:
    policy = road.store.read(lambda session: _policy(session, turn.practice_id))
    job = files.Job(turn.practice_id, policy, turn.actor, road.clock.now, turn.skip_bad_claims,
                    Path(turn.column_map) if turn.column_map else None, _Telling(road, turn))
    found: list[Kept] = []
    with _on_disk(road.store, turn) as path:
        def show(report: Report) -> None:
            found.append(keep(report))

        if turn.posting:
            files.import_file(path, road.store, job, show)
        else:
            _check(path, road.store, job, show)
    return found[0]


def _check(path: Path, store: Store, job: files.Job, show: Callable[[Report], None]) -> None:
    """Do everything and keep nothing of it: on a copy where there is one writer, else in a transaction that ends so."""
    if not trying.can_copy(store.engine):
        files.dry_run(path, store, job, show)
        return
    with trying.copied(store.engine) as engine, contextlib.closing(Store(engine)) as copy:
        files.import_file(path, copy, job, show)


def _policy(session: Session, practice_id: str) -> PracticePolicy:
    row = find_practice(session, practice_id)
    assert row is not None, "the file's practice"
    return policy_of(row)


@contextlib.contextmanager
def _on_disk(store: Store, turn: Turn) -> Iterator[Path]:
    """The file under its own name, for as long as it is read."""
    with tempfile.TemporaryDirectory(prefix="plainbill-") as folder, tempfile.TemporaryFile() as opened:
        for piece in received_files.pieces(store.read, turn.file_id):
            opened.write(piece)
        opened.flush()
        path = Path(folder) / turn.name
        handle = Path(f"/proc/self/fd/{opened.fileno()}")
        if handle.exists():
            path.symlink_to(handle)
        else:  # no such names on this system
            opened.seek(0)
            path.write_bytes(opened.read())
        yield path


class _Telling:
    """Notes from time to time how many bytes were read; that also says that the worker lives."""

    def __init__(self, road: Road, turn: Turn) -> None:
        self._road, self._turn = road, turn
        self._read, self._told = 0, time.monotonic()

    def __call__(self, count: int) -> None:
        self._read += count
        if time.monotonic() - self._told < TELLS_EVERY_SECONDS:
            return
        self._told = time.monotonic()
        road, turn = self._road, self._turn
        road.store.write(lambda session: received_files.note_progress(
            session, turn.file_id, road.worker, self._read, road.clock.now()))
