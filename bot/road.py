"""What every piece of the road needs at hand: made once, at wiring."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.arrivals import Arrival, Outcome, keep_all
from bot.channels.base import Channel
from bot.processors.base import Processor
from bot.recording import Taken, record
from bot.together import Together
from bot.write import Store
from config.clock import Clock


class Bell(asyncio.Event):
    """Rings when there may be work. ``set`` rings here and is passed on to other processes, where there are any
    (bot/bells.py); ``hear`` is how theirs rings here.
    """

    def __init__(self, rang: asyncio.Event) -> None:
        super().__init__()
        self.told = True
        self._rang = rang

    def set(self) -> None:
        self.told = False
        self._rang.set()
        super().set()

    def hear(self) -> None:
        """Ring here alone."""
        super().set()


class Wake:
    """The bells of one process; polling is the net below them. ``rang``: one of them has something to pass on."""

    def __init__(self) -> None:
        self.rang = asyncio.Event()
        self.inbox, self.outbox, self.calls = (Bell(self.rang) for _ in range(3))

    def by_name(self) -> Mapping[str, Bell]:
        """Each bell under the name by which other processes know it."""
        return {"inbox": self.inbox, "outbox": self.outbox, "calls": self.calls}


@dataclass(frozen=True, slots=True)
class Road:
    """``worker`` names this process in claims; ``public_url`` is where patients reach our pages."""

    store: Store
    clock: Clock
    worker: str
    public_url: str
    channels: Mapping[str, Channel] = field(default_factory=dict)
    wake: Wake = field(default_factory=Wake)
    telegram_bot: str = ""  # its username; empty when Telegram is off
    processor: Processor | None = None  # of payments; empty where a command or test needs none
    sends_at_once: int = 50  # messages that one process has under way
    records: Together[Taken, None] = field(default_factory=lambda: Together(record))
    arrivals: Together[Arrival, Outcome] = field(default_factory=lambda: Together(keep_all))

    def chat_link(self, token: str) -> str:
        """Return the address that opens our chat with a one-time token."""
        return f"https://t.me/{self.telegram_bot}?start={token}"

    @property
    def check_page(self) -> str:
        """Where anybody can ask whether a text was ours, by its code."""
        return f"{self.public_url.rstrip('/')}/check"

    @property
    def back_page(self) -> str:
        """Where somebody's bank sends them after it has asked them: public, and about nobody."""
        return f"{self.public_url.rstrip('/')}/back"

    def link(self, token: str) -> str:
        """Return the address of a token's page (T-39: nothing of the patient is in it)."""
        return f"{self.public_url.rstrip('/')}/l/{token}"

    def stop_page(self, token: str) -> str:
        """Return the address that stops e-mails like the one it stands in (RFC 8058)."""
        return f"{self.public_url.rstrip('/')}/u/{token}"
