"""Named points at which a crash test kills the process: ``PLAINBILL_FAILPOINT=deliver.posted`` or ``...posted:3``.

SIGKILL, because nothing may be tidied up: what a power cut leaves behind is what recovery has to live with. The
settings refuse the variable in production; unset, ``hit`` is an empty function.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Final

VARIABLE: Final = "PLAINBILL_FAILPOINT"

RECEIVE: Final = (
    "accept.stored", "accept.committed", "receive.claimed", "receive.loaded", "receive.decided", "receive.applied",
    "receive.rendered", "receive.queued", "receive.finished", "receive.committed", "receive.failed",
)
DELIVER: Final = (
    "deliver.claimed", "deliver.judged", "deliver.marked", "deliver.posted", "deliver.refused", "deliver.recorded",
    "deliver.committed", "lookup.asked", "lookup.recorded", "tick.released",
)
NAMES: Final = frozenset(RECEIVE + DELIVER)


class FailpointError(ValueError):
    """The variable names no failpoint, or is set where it may not be."""


def _pass(_name: str) -> None:
    return


def make_hit(setting: str) -> Callable[[str], None]:
    """Return the function that kills on the n-th passing of the named point. Raises FailpointError."""
    if not setting:
        return _pass
    name, _, count = setting.partition(":")
    if name not in NAMES or not (count or "1").isdigit():
        raise FailpointError(f"{VARIABLE}={setting} names no failpoint; they are: {', '.join(sorted(NAMES))}")
    left = int(count or "1")

    def hit(passed: str) -> None:
        nonlocal left
        if passed == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hit


def refuse_in_production(in_production: bool) -> None:
    """Raise FailpointError when a failpoint is armed in production."""
    if in_production and os.environ.get(VARIABLE):
        raise FailpointError(f"{VARIABLE} is for crash tests; unset it")


hit: Final = make_hit(os.environ.get(VARIABLE, ""))
