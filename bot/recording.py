"""What providers answered is written down in groups: whatever has come while the last group was being written.

Nobody waits for company: the first answer is written at once, and under load the groups grow by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from billing import sending
from bot.failpoints import hit
from bot.write import Store

Pair = tuple[str, str]  # our message's id, the provider's


class Records:
    """The answers of one process that are still to be written. One per event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Pair, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def sent(self, store: Store, now: Callable[[], datetime], outbox_id: str, provider_id: str) -> None:
        """Return when it is written that the provider took the message. Raises what the store raised."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(((outbox_id, provider_id), written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(store, now))
        await written

    async def _write(self, store: Store, now: Callable[[], datetime]) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            await _write_group(store, now(), group)


async def _write_group(store: Store, at: datetime, group: Sequence[tuple[Pair, asyncio.Future[None]]]) -> None:
    """One transaction for all; where that fails, one for each, so that one bad row spoils no other."""
    try:
        await store.awrite(partial(_record, sent=[pair for pair, _ in group], now=at))
    except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for it
        if len(group) == 1:
            _answer(group[0][1], error)
            return
        for one in group:
            await _write_group(store, at, [one])
        return
    for _, written in group:
        _answer(written, None)


def _answer(written: asyncio.Future[None], error: Exception | None) -> None:
    if written.done():
        return  # its waiter is gone
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)


def _record(session: Session, sent: Sequence[Pair], now: datetime) -> None:
    sending.record_all(session, sent, now)
    for _ in sent:
        hit("deliver.recorded")
