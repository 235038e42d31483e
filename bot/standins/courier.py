"""Delivery of webhooks: at least once, retried, held, doubled, reordered or dropped on demand.

A delivery waits in the journal's table "deliveries" until it was accepted or given up, so that a stand-in killed in
between delivers after its restart, as a provider would.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.standins.journal import Journal, Row


@dataclass(frozen=True)
class Letter:
    """One HTTP POST, signed at the moment of sending."""

    url: str
    body: bytes
    headers: dict[str, str]


@dataclass
class Courier:
    """Sends the rows of "deliveries" ({"id", "url", ...}); `sign` turns a row into a signed letter.

    Modes: `holding` keeps everything back until `release`; `copies` delivers each that many times; `drop_next` loses
    that many on the way; `delay_s` passes before the first attempt. `retry_delays_s` are the pauses before each
    further attempt after anything but a 2xx. `on_accepted` may change more rows in the line that ends a delivery.
    """

    journal: Journal
    sign: Callable[[Row], Letter]
    retry_delays_s: tuple[float, ...] = (0.1, 0.3, 1.0)
    timeout_s: float = 15.0
    delay_s: float = 0.0
    on_accepted: Callable[[Row], None] | None = None
    holding: bool = False
    copies: int = 1
    drop_next: int = 0
    _session: aiohttp.ClientSession | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _flying: set[str] = field(default_factory=set)

    def resume(self) -> None:
        """Send what an earlier life of this stand-in had still to send."""
        for row in list(self.journal.table("deliveries").values()):
            self.dispatch(row)

    def enqueue(self, row: Row) -> None:
        """Note a delivery in the journal's pending changes. `dispatch` it once the line is written."""
        self.journal.put("deliveries", str(row["id"]), row)

    def dispatch(self, row: Row) -> None:
        if not self.holding:
            self._spawn([row])

    def dispatch_in_order(self, rows: Iterable[Row]) -> None:
        """Send one after the other, each only when the one before was settled."""
        if not self.holding:
            self._spawn(list(rows))

    def release(
        self, order: str = "given", copies: int = 1, fits: Callable[[Row], bool] | None = None, most: int | None = None
    ) -> int:
        """Send what is held back, one after another: order given, reversed or shuffled. Returns how many.

        With `fits` or `most` only those go, and whatever else is held stays held.
        """
        waiting = [row for row in self.journal.table("deliveries").values() if str(row["id"]) not in self._flying]
        waiting = [row for row in waiting if fits is None or fits(row)]
        if fits is None and most is None:
            self.holding = False
        if order == "reversed":
            waiting.reverse()
        if order == "shuffled":
            random.shuffle(waiting)
        waiting = waiting[:most]
        self._spawn(waiting * copies)
        return len(waiting)

    async def settle(self) -> None:
        """Wait until nothing is on its way."""
        while self._tasks:
            await asyncio.gather(*list(self._tasks), return_exceptions=True)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*list(self._tasks), return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _spawn(self, rows: list[Row]) -> None:
        self._flying.update(str(row["id"]) for row in rows)
        task = asyncio.get_running_loop().create_task(self._carry(rows))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, rows: list[Row]) -> None:
        if self.delay_s > 0:
            await asyncio.sleep(self.delay_s)
        for row in rows:
            try:
                await self._deliver(row)
            finally:
                self._flying.discard(str(row["id"]))

    async def _deliver(self, row: Row) -> None:
        if self.drop_next > 0:
            self.drop_next -= 1
            self._finish(row, "dropped")
            return
        for _ in range(max(1, int(row.get("copies", self.copies)))):
            accepted = await self._attempts(row)
        self._finish(row, "accepted" if accepted else "given_up")

    async def _attempts(self, row: Row) -> bool:
        for pause in (*self.retry_delays_s, None):
            if await self._post(row):
                return True
            if pause is not None:
                await asyncio.sleep(pause)
        return False

    async def _post(self, row: Row) -> bool:
        letter = self.sign(row)
        status: int | None = None
        answer = ""
        try:
            async with self._open().post(letter.url, data=letter.body, headers=letter.headers) as response:
                status = response.status
                answer = (await response.text(errors="replace"))[:2000]
        except (aiohttp.ClientError, TimeoutError) as error:
            answer = type(error).__name__
        self.journal.write("delivery", id=row["id"], url=letter.url, sent=describe(row), status=status, answer=answer)
        return status is not None and 200 <= status < 300

    def _finish(self, row: Row, outcome: str) -> None:
        self.journal.remove("deliveries", str(row["id"]))
        if outcome == "accepted" and self.on_accepted is not None:
            self.on_accepted(row)
        self.journal.write("delivery_end", id=row["id"], outcome=outcome)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self.timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session


def describe(row: Row) -> dict[str, Any]:
    """What a journal line says of a delivery: all of it but its address, which stands beside."""
    return {key: value for key, value in row.items() if key not in ("id", "url")}
