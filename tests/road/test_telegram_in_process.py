"""The same dispatcher driven in process by a kept library, which checks each outgoing call by the Bot API's rules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.worker import drain
from bot.write import Store
from tests.conftest import Clock
from tests.road.telegram_scene import CHAT, PROOF, RISK, Scene, open_scene

if TYPE_CHECKING:
    from teremok import MockBot


@dataclass
class Inside:
    scene: Scene
    bot: MockBot

    async def say(self, text: str) -> list[Any]:
        """Write in the chat; return the messages that leave, as aiogram's typed methods."""
        from teremok import MockMessageText, MockUser

        return await self._after(await self.bot.dispatch(MockMessageText(text, user=MockUser(CHAT))))

    async def press(self, message: Any, label: str) -> list[Any]:
        from teremok import MockCallbackQuery, MockUser

        data = next(b.callback_data for row in message.reply_markup.inline_keyboard for b in row if b.text == label)
        return await self._after(await self.bot.dispatch(MockCallbackQuery(data, user=MockUser(CHAT))))

    async def _after(self, dispatched: Any) -> list[Any]:
        assert dispatched.handled
        before = len(self.bot.requests.send_message)
        await drain(self.scene.road)
        await self.scene.line.settle()
        return self.bot.requests.send_message[before:]


@pytest.fixture
async def inside(sqlite_store: Store, clock: Clock, tmp_path: Path) -> AsyncIterator[Inside]:
    from aiogram import Dispatcher
    from teremok import MockBot

    bot = MockBot(Dispatcher(disable_fsm=True), token="4200:TEST", strict=False)
    risk = {**RISK, "detail_allowed": True}
    async with open_scene(sqlite_store, clock, tmp_path, risk=risk, bot=bot) as scene:
        bot.dp = await scene.line.dispatcher()
        yield Inside(scene, bot)


async def test_a_conversation_in_process_sends_only_what_the_bot_api_allows(inside: Inside) -> None:
    linked, asked = await inside.say(f"/start {inside.scene.make_token()}")
    assert "now linked" in linked.text and "date of birth" in asked.text
    (warning,) = await inside.say(PROOF)
    menu = await inside.press(warning, "Yes")
    assert "1) What I owe" in menu[-1].text
    (balance,) = await inside.press(menu[-1], "What I owe")
    assert "You owe $145.50" in balance.text
    sends: list[Any] = list(inside.bot.requests.send_message)
    for sent in sends:
        assert sent.chat_id == CHAT and sent.protect_content is True
        assert sent.link_preview_options.is_disabled is True and sent.entities is None
    assert len(inside.bot.requests.answer_callback_query) == 2
    assert len(inside.bot.requests.edit_message_reply_markup) == 2


async def test_what_telegram_refuses_in_process_is_a_verdict_too(inside: Inside) -> None:
    from aiogram.methods import SendMessage

    inside.bot.add_result(SendMessage, ok=False, error_code=403, description="Forbidden: bot was blocked by the user")
    await inside.say("/start")
    assert inside.scene.rows()[-1].status == "failed" and inside.scene.standing().opted_out
