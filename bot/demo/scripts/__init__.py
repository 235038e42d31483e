"""The plays of ``plainbill demo --script NAME``: one file each, with a ``play(stage, say)`` and a first line that
says what is played. A play ends well only if what it shows has really happened; otherwise it raises StageError.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import cast

from bot.demo.acts import Say
from bot.demo.stage import Stage

Play = Callable[[Stage, Say], Awaitable[None]]
MAIN = "main"


def names() -> list[str]:
    """All plays, the main one first."""
    return sorted((one.name for one in pkgutil.iter_modules(__path__)), key=lambda name: (name != MAIN, name))


def find(name: str) -> Play:
    """Raises KeyError for a play that is not there."""
    if name not in names():
        raise KeyError(name)
    return cast("Play", import_module(f"{__name__}.{name}").play)


def about(name: str) -> str:
    """The first line of a play's file."""
    return (import_module(f"{__name__}.{name}").__doc__ or "").split("\n", maxsplit=1)[0]
