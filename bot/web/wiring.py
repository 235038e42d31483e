"""What the web edge needs at hand; bot/app.py makes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.channels.telegram_line import TelegramLine
from bot.processors.base import Processor
from bot.road import Road
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Wiring:
    settings: Settings
    road: Road
    processor: Processor
    telegram: TelegramLine | None = None  # when Telegram is switched on

    def now(self) -> datetime:
        return self.road.clock.now()
