"""A worker that dies: at a named point, or around its n-th transaction, before or after the commit.

What was not committed is gone, what was committed stays, and nobody tidies up. The real kills of whole processes are
in tests/road and tests/scenarios/test_crashes.py; here the same instants are hit in the middle of any history.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CoroutineType
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from bot import failpoints
from bot.write import Store

T = TypeVar("T")

#: The pieces of work that die with the process.
WORK = frozenset({"_make", "receive_one", "deliver_one"})


class Crash(BaseException):
    """The process is gone: no handler of ours may catch this."""


@dataclass
class Death:
    """Not armed until told so. ``at``: a failpoint's name, "before_commit" or "after_commit"; the ``left``-th passing
    of it kills, and from then on everything that still runs in that process dies at its next step.
    """

    at: str = ""
    left: int = 0
    dead: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, at: str, left: int) -> None:
        self.at, self.left, self.dead = at, left, False

    def disarm(self) -> None:
        self.arm("", 0)

    def passed(self, name: str) -> None:
        """Raises Crash."""
        with self.lock:
            if not self.dead and name == self.at:
                self.left -= 1
                self.dead = self.left <= 0
            if self.dead:
                raise Crash

    def install(self) -> Callable[[], None]:
        """Sit in the place of the function that kills processes; returns how to leave it."""
        before = failpoints._killer
        failpoints._killer = self.passed

        def leave() -> None:
            failpoints._killer = before

        return leave


class Mortal(Store):
    """The real store, in a process that may die around a transaction."""

    death: Death
    writes = 0

    def write(self, fn: Callable[[Session], T]) -> T:
        done = super().write(self._dying(fn))
        self.death.passed("after_commit")
        return done

    async def awrite(self, fn: Callable[[Session], T], *, aside: bool = False) -> T:
        if self._group is None:
            return await super().awrite(fn, aside=aside)  # it comes through write()
        done = await super().awrite(self._dying(fn))
        self.death.passed("after_commit")
        return done

    def _dying(self, fn: Callable[[Session], T]) -> Callable[[Session], T]:
        self.writes += 1

        def run(session: Session) -> T:
            done = fn(session)
            session.flush()
            self.death.passed("before_commit")
            return done

        return run


async def bury() -> None:
    """Wait for what was still under way in the dead process."""
    left = [task for task in asyncio.all_tasks() if _name(task.get_coro()) in WORK]
    await asyncio.gather(*left, return_exceptions=True)


def _name(work: Any) -> str:
    return work.__qualname__ if isinstance(work, CoroutineType) else ""
