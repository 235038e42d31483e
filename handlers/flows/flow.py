"""What a conversation is: where it may stand, what starts it, and what it makes of an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from handlers.core import Decision, Reply, Turn


@dataclass(frozen=True, slots=True)
class Flow:
    """One conversation.

    ``start(turn, intent)`` begins it; ``answer(turn)`` takes a text at one of ``steps`` and returns None when the text
    is no answer to what was asked; ``ask(turn)`` puts the question of the current step again;
    ``silence(turn)`` is said and done when no answer came, ``leave(turn)`` on "back", where the general words would
    not be true.
    """

    name: str
    steps: tuple[str, ...]
    intents: tuple[str, ...]
    start: Callable[[Turn, str], Decision]
    answer: Callable[[Turn], Decision | None]
    ask: Callable[[Turn], tuple[Reply, ...]]
    needs_account: bool = False
    silence: Callable[[Turn], Decision] | None = None
    leave: Callable[[Turn], Decision] | None = None


def never_asks(turn: Turn) -> tuple[Reply, ...]:
    return ()


def never_answers(turn: Turn) -> Decision | None:
    return None
