"""What every piece of the road needs at hand: made once, at wiring."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.channels.base import Channel
from bot.processors.base import Processor
from bot.write import Store
from config.clock import Clock


@dataclass(frozen=True, slots=True)
class Wake:
    """Rings when there may be work; polling is the net below it."""

    inbox: asyncio.Event = field(default_factory=asyncio.Event)
    outbox: asyncio.Event = field(default_factory=asyncio.Event)
    calls: asyncio.Event = field(default_factory=asyncio.Event)


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
