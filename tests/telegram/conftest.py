"""A practice with a chat, and the ways in which it may have accepted Telegram's risk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.write import Store
from tests.conftest import Clock
from tests.road.telegram_scene import RISK, Scene, open_scene


@pytest.fixture
async def scene(sqlite_store: Store, clock: Clock, tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(sqlite_store, clock, tmp_path) as opened:
        yield opened


@pytest.fixture
async def spanish(sqlite_store: Store, clock: Clock, tmp_path: Path) -> AsyncIterator[Scene]:
    async with open_scene(sqlite_store, clock, tmp_path, language="es") as opened:
        yield opened


@pytest.fixture
async def open_chat(sqlite_store: Store, clock: Clock, tmp_path: Path) -> AsyncIterator[Scene]:
    """A practice that allows amounts on Telegram to those who are warned and ask for them."""
    async with open_scene(sqlite_store, clock, tmp_path, risk={**RISK, "detail_allowed": True}) as opened:
        yield opened
