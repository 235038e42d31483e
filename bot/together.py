"""Small work of many callers in one transaction: whatever has come while the last group was being written.

Nobody waits for company: the first is written at once, and under load the groups grow by themselves. Everybody hears of
success after the commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.write import GROUP_LIMIT, Store, StoreClosed

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """``write`` does the work of many and returns what became of each. One per event loop."""

    def __init__(self, write: Callable[[Session, Sequence[T]], Sequence[R]]) -> None:
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def give(self, store: Store, one: T) -> R:
        """Return what became of it, when that is committed. Raises what the store raised."""
        written: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(store))
        return await written

    async def _write_all(self, store: Store) -> None:
        group: list[tuple[T, asyncio.Future[R]]] = []
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:GROUP_LIMIT], self._waiting[GROUP_LIMIT:]
                await self._write_group(store, group)
        except BaseException as error:  # cancelled, say: nobody is left to write, and nobody may wait for ever
            left, self._waiting = group + self._waiting, []
            _tell(left, error)
            raise

    async def _write_group(self, store: Store, group: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        """One transaction for all; where that fails, one for each, so that one bad row spoils no other."""
        try:
            results = await store.awrite(lambda session: self._write(session, [one for one, _ in group]), aside=True)
            answers = [(written, result) for (_, written), result in zip(group, results, strict=True)]
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for it
            await self._write_each(store, group, error)
            return
        for written, result in answers:
            if not written.done():  # its waiter is still there
                written.set_result(result)

    async def _write_each(self, store: Store, group: Sequence[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
        """A store that is away is away for everybody."""
        if len(group) > 1 and not isinstance(error, OperationalError | StoreClosed):
            for one in group:
                await self._write_group(store, [one])
            return
        _tell(group, error)


def _tell(group: Sequence[tuple[T, asyncio.Future[R]]], error: BaseException) -> None:
    for _, written in group:
        if not written.done():
            written.set_exception(error)
