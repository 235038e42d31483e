"""Two batches under way at once: PostgreSQL writes one while the next one is read and worked out.

They commit in their order (billing/turns.py). Where writers wait for each other anyway (SQLite, a dry run) one batch
comes after the other, and so do batches that speak of the same claim.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from billing.turns import ALONE, GaveWay, Turn
from bot import write
from bot.failpoints import hit
from bot.importing.checking import Store

AT_ONCE = 2

#: So long a batch waits for the one before; its own rows may be what that one waits for, and nobody else would see it.
PATIENCE_SECONDS = 5.0

#: A thread that the database has answered gets its turn after so long, while another computes; Python's own 5 ms are
#: as long as many a statement takes.
SWITCH_SECONDS = 0.0005

Post = Callable[[Session, Turn], object]
Write = Callable[[Callable[[Session], object]], object]


class Row(Protocol):
    """Takes batches in their order: what a batch is about, by name, and what posts it."""

    def give(self, names: Collection[str], post: Post) -> None: ...

    def finish(self) -> None:
        """Return when all are committed."""


@contextmanager
def row(store: Store, put: Write) -> Iterator[Row]:
    """A row of batches, all committed when the block ends, by ``put``: ``store.write`` or something round it.

    Raises what posting raises, for the first batch that failed; none after it is committed.
    """
    if not isinstance(store, write.Store) or store.engine.dialect.name != "postgresql":
        yield _OneByOne(put)
        return
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with ThreadPoolExecutor(AT_ONCE, "import") as pool:
            overlapping = _Overlapping(pool, put)
            yield overlapping
            overlapping.finish()
    finally:
        sys.setswitchinterval(usual)


@dataclass(frozen=True, slots=True)
class _OneByOne:
    write: Write

    def give(self, names: Collection[str], post: Post) -> None:
        self.write(lambda session: post(session, ALONE))
        hit("import.committed")

    def finish(self) -> None:
        """They are."""


@dataclass(slots=True)
class _Batch:
    names: frozenset[str]
    post: Post
    loaded: threading.Event = field(default_factory=threading.Event)
    done: Future[Any] = field(default_factory=Future)


@dataclass(slots=True)
class _Overlapping:
    pool: ThreadPoolExecutor
    write: Write
    flying: deque[_Batch] = field(default_factory=deque)

    def give(self, names: Collection[str], post: Post) -> None:
        batch = _Batch(frozenset(names), post)
        while len(self.flying) >= AT_ONCE or any(not batch.names.isdisjoint(other.names) for other in self.flying):
            self.flying.popleft().done.result()
        before = self.flying[-1] if self.flying else None
        batch.done = self.pool.submit(self._post, batch, before)
        self.flying.append(batch)

    def finish(self) -> None:
        while self.flying:
            self.flying.popleft().done.result()

    def _post(self, batch: _Batch, before: _Batch | None) -> None:
        try:
            if before is None or not self._posted_ahead(batch, before):
                self.write(lambda session: batch.post(session, Turn(batch.loaded.set, ALONE.wait)))
            hit("import.committed")
        finally:
            batch.loaded.set()

    def _posted_ahead(self, batch: _Batch, before: _Batch) -> bool:
        """Post it while ``before`` is on its way; False, and nothing posted, where that cannot be. ``before`` is done
        then.
        """
        before.loaded.wait()
        try:
            self.write(lambda session: batch.post(session, Turn(
                lambda: _loaded(batch, before), lambda: _wait(before.done))))
        except (GaveWay, IntegrityError):  # the second: both took the same number for a new account, say
            before.done.result()
            return False
        return True


def _loaded(batch: _Batch, before: _Batch) -> None:
    batch.loaded.set()
    if not before.done.done():
        hit("import.loaded")


def _wait(before: Future[Any]) -> None:
    if not before.done():
        hit("import.ahead")
    try:
        before.result(PATIENCE_SECONDS)
    except TimeoutError as error:
        if before.done():  # it failed with one of its own
            raise
        raise GaveWay from error
    hit("import.turn")
