"""Telegram's limits, kept before each call: so many messages a second overall, one a second in each chat (T-19).

Chats do not wait for each other, messages of one chat keep their order. Who would have to wait long is sent back to
the outbox instead: a worker that sleeps holds up everybody else's messages.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PER_SECOND = 29
"""Telegram asks for about 30 a second; one less leaves room for what the network shifts."""

CHAT_GAP = 1.05
"""Seconds between the end of one message of a chat and the next."""

MOST_WAIT = 5.0
_MANY_CHATS = 5_000


class Busy(Exception):
    """The turn would not come within MOST_WAIT; nothing was sent. ``seconds``: try again after that many."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"busy for {seconds} s")
        self.seconds = seconds


@dataclass(slots=True)
class _Chat:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0


class Pace:
    """One per bot token and process; all in seconds of ``clock``."""

    def __init__(self, per_second: float = PER_SECOND, chat_gap: float = CHAT_GAP, most_wait: float = MOST_WAIT,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._between, self._chat_gap, self._most_wait, self._clock = 1 / per_second, chat_gap, most_wait, clock
        self._next = self._paused_until = 0.0
        self._chats: dict[str, _Chat] = {}

    def pause(self, seconds: float) -> None:
        """Nothing leaves for so long: Telegram's retry_after counts for the whole bot."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    @asynccontextmanager
    async def turn(self, chat: str) -> AsyncIterator[None]:
        """Wait for a turn in ``chat``, and hold it while the call is made. Raises Busy."""
        self._forget_idle()
        mine = self._chats.setdefault(chat, _Chat())
        try:
            async with asyncio.timeout(self._most_wait):
                await mine.lock.acquire()
        except TimeoutError:
            raise Busy(self._seconds_left()) from None
        try:
            await self._wait(mine)
        except BaseException:
            mine.lock.release()
            raise
        try:
            yield
        finally:
            mine.free_at = self._clock() + self._chat_gap
            mine.lock.release()

    async def _wait(self, chat: _Chat) -> None:
        """Sleep until the chat rests no more and a place among all messages is free; a pause may come meanwhile."""
        await asyncio.sleep(max(chat.free_at - self._clock(), 0))
        while True:
            now = self._clock()
            if self._paused_until - now > self._most_wait:
                raise Busy(self._seconds_left())
            at = max(now, self._next, self._paused_until)
            self._next = at + self._between
            await asyncio.sleep(max(at - self._clock(), 0))
            if self._paused_until <= at:
                return

    def _seconds_left(self) -> int:
        return max(math.ceil(self._paused_until - self._clock()), 1)

    def _forget_idle(self) -> None:
        if len(self._chats) > _MANY_CHATS:
            now = self._clock()
            self._chats = {name: chat for name, chat in self._chats.items()
                           if chat.lock.locked() or chat.free_at > now}
