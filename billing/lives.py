"""Lives as tables: payments, refunds and plans each say which status may follow which, and take no other step."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Protocol


class IllegalMove(ValueError):
    """Something was about to take a step that its life does not have."""

    def __init__(self, what: str, before: str, after: str) -> None:
        super().__init__(f"a {what} that is {before} cannot become {after}")
        self.before = before
        self.after = after


class HasStatus(Protocol):
    status: str


def step(what: str, moves: Mapping[str, Set[str]], thing: HasStatus, after: str) -> None:
    """Change the status of a ``what`` by its table. Raises IllegalMove; nothing else in the program assigns it."""
    if after not in moves[thing.status]:
        raise IllegalMove(what, thing.status, after)
    thing.status = after
