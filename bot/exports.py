"""Files for others, each batch exactly once: gathered, written, named, and only then counted as written.

What a batch holds is committed before its files are made, and its name only ever stands for whole files. Killed
anywhere, the next export finishes what was begun before it gathers anything new. One export at a time: two would write
the same batch into two folders. Posting files, print runs and agencies' files all leave this way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from sqlalchemy.orm import Session

from billing import restorations
from billing.store.alone import alone
from bot.write import Store


class Batch(Protocol):
    @property
    def written(self) -> bool: ...


B = TypeVar("B", bound=Batch)


class ExportRunning(Exception):
    """Somebody else's export is at work. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Written(Generic[B]):
    """One batch on the disk. ``recovered``: an earlier export was interrupted before it was done."""

    batch: B
    path: Path
    recovered: bool


@dataclass(frozen=True, slots=True)
class Export(Generic[B]):
    """One kind of file of one practice. ``kind``: for the lock; ``put`` makes a batch's files, in their own names once
    they are whole, and returns where; ``mark`` notes that they are.
    """

    kind: str
    practice_id: str
    put: Callable[[B], Path]
    mark: Callable[[Session, B], B]


def run(store: Store, one: Export[B], unfinished: Callable[[Session], Sequence[B]],
        gather: Callable[[], tuple[B | None, bool]]) -> list[Written[B]]:
    """Finish what an interrupted export left, then write what ``gather`` brings: a batch, or none, and whether it was
    begun by an interrupted export. Raises ExportRunning and RestorationRefused, having changed nothing, and OSError.
    """
    with _alone(store, one):
        done = [_write(store, one, batch, recovered=True) for batch in store.read(unfinished)]
        made, recovered = gather()
        if made is not None:
            done.append(_write(store, one, made, recovered=recovered))
        return done


def again(store: Store, one: Export[B], find: Callable[[Session], B]) -> Written[B]:
    """Write a batch's files once more, byte for byte the same. Raises as ``run`` does, and what ``find`` does."""
    with _alone(store, one):
        batch = store.read(find)
        return _write(store, one, batch, recovered=not batch.written)


@contextmanager
def _alone(store: Store, one: Export[B]) -> Iterator[None]:
    """No other export of this kind, here or on another machine; none at all of a copy that was not released."""
    with alone(store.engine, f"{one.kind}:{one.practice_id}") as mine:
        if not mine:
            raise ExportRunning("Another export is at work, and this one has changed nothing. Run it again when that "
                                "one is done.")
        store.read(lambda session: restorations.require_released(session, one.practice_id))
        yield


def _write(store: Store, one: Export[B], batch: B, *, recovered: bool) -> Written[B]:
    path = one.put(batch)
    done = batch if batch.written else store.write(lambda session: one.mark(session, batch))
    return Written(done, path, recovered)


def put_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file so that its name only ever stands for the whole content, also after a power cut. ``mode`` less the
    user's mask is who may read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A rename is on the disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
