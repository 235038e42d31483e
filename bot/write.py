"""The only place that commits. ``write(fn)`` runs ``fn(session)``, commits, and only then answers its caller.

SQLite has one writer at a time anyway, so one thread writes for everybody and puts what waits into one commit: where
there are several, each ``fn`` has a savepoint of its own, a failing one takes nothing but its own work along, and
nobody is told "done" before the disk has it. Whoever would wait in its own thread, and finds nobody writing or waiting,
writes there: handing it over and back takes as long as a posting. On PostgreSQL every ``fn`` is a transaction; one that
met a deadlock or a serialization failure is run again, so ``fn`` must not act outside the session.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing.store import schema
from billing.store.engine import make_engine, reader, writer
from billing.store.seal import Keyring, install_keyring

T = TypeVar("T")

GROUP_LIMIT = 100
RETRIES = 6
THREADS, THREADS_ASIDE = 8, 2
_RUN_AGAIN = ("40001", "40P01")  # serialization_failure, deadlock_detected


class StoreClosed(RuntimeError):
    """Work was given to a store that is closed or closing."""


def open_store(url: str, keyring: Keyring, *, upgrade: bool | None = None) -> Store:
    """Install the keys, open the database and see that its schema is this release's.

    ``upgrade`` runs missing migrations first; unless told otherwise that is done for SQLite, which belongs to this
    program alone, and not for PostgreSQL. Raises SchemaMismatch and ValueError (an unusable URL).
    """
    install_keyring(keyring)
    engine = make_engine(url)
    try:
        if upgrade is None:
            upgrade = engine.dialect.name == "sqlite"
        if upgrade and schema.current(engine) != schema.head():
            schema.upgrade(engine)
        schema.require_head(engine)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine)


class Store:
    """An open database. Give plain functions of a session; return plain values, or rows without lazy parts."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._pool = ThreadPoolExecutor(THREADS, "store")
        self._aside = ThreadPoolExecutor(THREADS_ASIDE, "store-aside")
        self._writer, self._reader = writer(engine), reader(engine)
        self._group = _GroupWriter(self._writer) if engine.dialect.name == "sqlite" else None
        self._closed = False

    def write(self, fn: Callable[[Session], T]) -> T:
        """Run ``fn`` in a transaction of its own (or a savepoint of a group) and return after the commit."""
        self._require_open()
        return self._group.write(fn) if self._group is not None else _write_alone(self._writer, fn)

    async def awrite(self, fn: Callable[[Session], T], *, aside: bool = False) -> T:
        """``write`` without blocking the event loop. ``aside``: in a thread that pages do not wait for, so that what a
        provider brings is kept however many people read.
        """
        self._require_open()
        if self._group is not None:
            return await asyncio.wrap_future(self._group.submit(fn))
        pool = self._aside if aside else self._pool
        return await asyncio.get_running_loop().run_in_executor(pool, self.write, fn)

    def read(self, fn: Callable[[Session], T]) -> T:
        """Run ``fn`` on one consistent picture of the store. The database refuses it any writing.

        It ends with a commit of nothing: a transaction that is rolled back has the driver throw away every statement
        that the server has prepared for it, and planning them anew is half of what a page costs the server.
        """
        self._require_open()
        with (self._reader.connect() as connection, connection.begin(),
              Session(connection, expire_on_commit=False) as session):
            return fn(session)

    async def aread(self, fn: Callable[[Session], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.read, fn)

    def close(self) -> None:
        """Finish what was accepted, then free everything. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._group is not None:
            self._group.close()
        self._pool.shutdown(wait=True)
        self._aside.shutdown(wait=True)
        self.engine.dispose()

    def _require_open(self) -> None:
        if self._closed:
            raise StoreClosed("the store is closed")


def _write_alone(engine: Engine, fn: Callable[[Session], T]) -> T:
    for attempt in range(1, RETRIES + 1):
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                return fn(session)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _RUN_AGAIN or attempt == RETRIES:
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))
    raise AssertionError("unreachable")


@dataclass(slots=True)
class _Job:
    fn: Callable[[Session], Any]
    future: Future[Any]
    result: Any = None
    error: BaseException | None = None


class _GroupWriter:
    """One thread that commits up to GROUP_LIMIT waiting jobs at once; whoever holds ``_writing`` writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._open, self._waiting, self._holder = True, 0, 0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def write(self, fn: Callable[[Session], T]) -> T:
        """Here and now where nobody writes or waits; else in a group."""
        self._require_outside()
        if self._waiting or not self._writing.acquire(blocking=False):
            return self.submit(fn).result()
        try:
            self._require_open()
            with self._holding():
                return _write_alone(self._engine, fn)
        finally:
            self._writing.release()

    def submit(self, fn: Callable[[Session], T]) -> Future[T]:
        self._require_outside()
        future: Future[T] = Future()
        with self._lock:
            self._require_open()
            self._waiting += 1
            self._jobs.put(_Job(fn, future))
        return future

    def close(self) -> None:
        with self._lock:
            self._open = False
            self._jobs.put(None)
        self._thread.join()
        with self._writing:  # whoever is writing in a thread of their own has ended
            pass

    def _require_open(self) -> None:
        if not self._open:
            raise StoreClosed("the store is closed")

    @contextlib.contextmanager
    def _holding(self) -> Iterator[None]:
        """This thread writes; asking for another write from within would be waiting for itself."""
        self._holder = threading.get_ident()
        try:
            yield
        finally:
            self._holder = 0

    def _require_outside(self) -> None:
        if threading.get_ident() == self._holder:
            raise RuntimeError("write() was called from inside a write; pass the session on instead")

    def _run(self) -> None:
        while True:
            group, more = self._gather()
            if group:
                self._work(group)
            if not more:
                return

    def _gather(self) -> tuple[list[_Job], bool]:
        group: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            if job.future.set_running_or_notify_cancel():
                group.append(job)
            else:
                self._done(1)
            if len(group) == GROUP_LIMIT or self._jobs.empty():
                return group, True
            job = self._jobs.get()
        return group, False

    def _done(self, jobs: int) -> None:
        with self._lock:
            self._waiting -= jobs

    def _work(self, group: list[_Job]) -> None:
        try:
            with self._writing, self._holding():
                self._commit(group)
        except BaseException as error:  # noqa: BLE001 - no commit: nobody's work is kept, and everybody is told
            for job in group:
                job.future.set_exception(error)
            return
        finally:
            self._done(len(group))
        self._tell(group)

    def _commit(self, group: list[_Job]) -> None:
        if len(group) == 1:  # alone it takes nobody's work along when it fails: no savepoint
            group[0].result = _write_alone(self._engine, group[0].fn)
        else:
            _write_group(self._engine, group)

    def _tell(self, group: list[_Job]) -> None:
        for job in group:
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)


def _write_group(engine: Engine, group: list[_Job]) -> None:
    with engine.connect() as connection, connection.begin():
        for job in group:
            _run_in_savepoint(connection, job)


def _run_in_savepoint(connection: Connection, job: _Job) -> None:
    try:
        with (Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session,
              session.begin()):
            job.result = job.fn(session)
    except BaseException as error:  # noqa: BLE001 - it belongs to the caller, who is in another thread
        job.error = error
