"""The Telegram stand-in: by plain HTTP, and once by aiogram, which takes seconds to import."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bot.standins.journal import read_lines
from bot.standins.telegram import TelegramOptions, make_app, start
from bot.standins.telegram_chat import DOCUMENTED
from bot.standins.wire import Running
from tests.standins.receiver import receiving

TOKEN = "4200:token-of-the-tests"
CHAT = 77


@dataclass
class Line:
    options: TelegramOptions
    running: Running
    http: aiohttp.ClientSession

    async def call(self, method: str, /, token: str = TOKEN, **params: Any) -> tuple[int, Any]:
        async with self.http.post(f"{self.running.url}/bot{token}/{method}", json=params) as answer:
            return answer.status, await answer.json()

    async def control(self, path: str, /, **body: Any) -> Any:
        async with self.http.post(f"{self.running.url}/_standin/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def close(self) -> None:
        await self.http.close()
        await self.running.stop()


async def open_line(options: TelegramOptions) -> Line:
    return Line(options, await start(make_app(options)), aiohttp.ClientSession())


@pytest_asyncio.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    opened = await open_line(
        TelegramOptions(token=TOKEN, journal=tmp_path / "telegram.jsonl", retry_delays_s=(0.01, 0.01))
    )
    yield opened
    await opened.close()


async def test_updates_reach_the_webhook_with_its_secret_until_taken(line: Line) -> None:
    """A webhook that fails is asked again with the same update_id; taken once, it is no longer pending."""
    async with receiving() as receiver:
        await line.call("setWebhook", url=f"{receiver.url}/tg", secret_token="s3cret")
        receiver.answers = [500]
        await line.control("update", chat_id=CHAT, text="balance")
        await line.control("settle")
        bodies = [json.loads(got.raw) for got in receiver.got]
        assert [body["update_id"] for body in bodies] == [1, 1]
        assert bodies[0]["message"]["text"] == "balance"
        assert {got.headers["X-Telegram-Bot-Api-Secret-Token"] for got in receiver.got} == {"s3cret"}
        _, info = await line.call("getWebhookInfo")
        assert info["result"]["pending_update_count"] == 0
        assert (await line.call("getUpdates"))[0] == 409


async def test_polling_waits_and_confirms_by_offset(line: Line) -> None:
    """A long poll ends when an update arrives; asking from the next offset forgets it."""
    waiting = asyncio.create_task(line.call("getUpdates", timeout=5))
    await asyncio.sleep(0.05)
    await line.control("update", chat_id=CHAT, text="hola", language="es")
    _, got = await asyncio.wait_for(waiting, 2)
    update = got["result"][0]
    assert (update["message"]["text"], update["message"]["from"]["language_code"]) == ("hola", "es")
    assert (await line.call("getUpdates"))[1]["result"] == [update]
    assert (await line.call("getUpdates", offset=update["update_id"] + 1))[1]["result"] == []


@pytest.mark.parametrize(
    ("method", "params", "status", "words"),
    [
        ("sendMessage", {"chat_id": CHAT, "text": "x", "urgent": True}, 400, "urgent"),
        ("sendMessage", {"chat_id": CHAT, "text": ""}, 400, "empty"),
        ("sendMessage", {"chat_id": CHAT, "text": "x" * 4097}, 400, "too long"),
        ("sendMessage", {"chat_id": "@somebody", "text": "x"}, 400, "chat not found"),
        ("answerCallbackQuery", {"callback_query_id": "none"}, 400, "query is too old"),
        ("editMessageReplyMarkup", {"chat_id": CHAT, "message_id": 9}, 400, "not found"),
        ("sendGift", {}, 404, "Not Found"),
    ],
)
async def test_errors_have_telegrams_form(
    line: Line, method: str, params: dict[str, Any], status: int, words: str
) -> None:
    """What Telegram refuses, and what it does not document, is refused with code and description."""
    got, body = await line.call(method, **params)
    assert (got, body["ok"], body["error_code"]) == (status, False, status)
    assert words in body["description"]


async def test_a_wrong_token_is_refused(line: Line) -> None:
    """401 for any other token, and no token is ever journalled."""
    assert (await line.call("getMe", token="4200:other"))[0] == 401
    assert line.options.journal is not None
    assert "4200:" not in line.options.journal.read_text()


async def test_blocked_and_busy_chats(line: Line) -> None:
    """403 for whoever blocked the bot; 429 with retry_after as often as asked, then it goes through."""
    await line.control("chat", chat_id=CHAT, mode="blocked")
    assert (await line.call("sendMessage", chat_id=CHAT, text="x"))[0] == 403
    await line.control("chat", chat_id=CHAT, mode="429", retry_after=7, times=1)
    status, body = await line.call("sendMessage", chat_id=CHAT, text="x")
    assert (status, body["parameters"]) == (429, {"retry_after": 7})
    assert (await line.call("sendMessage", chat_id=CHAT, text="x"))[0] == 200


async def test_a_dropped_answer_was_sent_all_the_same(line: Line) -> None:
    """Unknown outcome: the connection breaks, the journal knows that the message went out."""
    await line.control("fault", method="sendMessage", mode="drop_after")
    with pytest.raises(aiohttp.ClientError):
        await line.call("sendMessage", chat_id=CHAT, text="once")
    assert line.options.journal is not None
    asked = [row for row in read_lines(line.options.journal) if row["kind"] == "request"]
    assert [(row["params"]["text"], row["status"], row["fault"]) for row in asked] == [("once", 200, "drop_after")]


async def test_a_restart_continues_from_the_journal(line: Line) -> None:
    """Numbers go on, pending updates stay pending."""
    await line.call("sendMessage", chat_id=CHAT, text="one")
    await line.control("update", chat_id=CHAT, text="two")
    await line.close()
    again = await open_line(line.options)
    _, sent = await again.call("sendMessage", chat_id=CHAT, text="three")
    assert sent["result"]["message_id"] == 3
    assert [update["message"]["text"] for update in (await again.call("getUpdates"))[1]["result"]] == ["two"]
    await again.close()


@pytest.mark.slow
async def test_aiogram_speaks_to_it(line: Line) -> None:
    """The real SDK by base address: send, buttons, documents, commands, errors; the parameters are those it knows."""
    from aiogram import Bot, methods
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.exceptions import TelegramForbiddenError, TelegramRetryAfter
    from aiogram.types import BotCommand, BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup

    bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(line.running.url)))
    try:
        assert (await bot.get_me()).is_bot
        keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Pay", callback_data="pay:1")]])
        sent = await bot.send_message(CHAT, "You owe $12.00", reply_markup=keyboard)
        assert sent.reply_markup is not None
        assert sent.reply_markup.inline_keyboard[0][0].callback_data == "pay:1"
        await line.control("update", chat_id=CHAT, data="pay:1", message_id=sent.message_id)
        [update] = await bot.get_updates(offset=0, timeout=1)
        assert update.callback_query is not None and update.callback_query.data == "pay:1"
        assert await bot.answer_callback_query(update.callback_query.id)
        edited = await bot.edit_message_reply_markup(chat_id=CHAT, message_id=sent.message_id, reply_markup=None)
        assert not isinstance(edited, bool) and edited.reply_markup is None
        paper = await bot.send_document(CHAT, BufferedInputFile(b"%PDF-1.7", "statement.pdf"), caption="Statement")
        assert paper.document is not None and paper.document.file_size == 8
        assert await bot.set_my_commands([BotCommand(command="balance", description="What do I owe?")])
        assert await bot.set_webhook("https://clinic.example/tg", secret_token="s")
        assert (await bot.get_webhook_info()).url == "https://clinic.example/tg"
        assert await bot.delete_webhook(drop_pending_updates=True)
        await line.control("chat", chat_id=CHAT, mode="429", retry_after=3)
        with pytest.raises(TelegramRetryAfter) as caught:
            await bot.send_message(CHAT, "x")
        assert caught.value.retry_after == 3
        await line.control("chat", chat_id=CHAT, mode="blocked")
        with pytest.raises(TelegramForbiddenError):
            await bot.send_message(CHAT, "x")
    finally:
        await bot.session.close()
    for name, documented in DOCUMENTED.items():
        known = set(getattr(methods, name[0].upper() + name[1:]).model_fields)
        assert known == set(documented), name
