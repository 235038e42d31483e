"""The Telegram channel against a server that speaks the Bot API: what is sent, and what every failure comes to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Coroutine
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web

from bot.channels import telegram_buttons
from bot.channels.base import Outbound, SendError
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_pace import Busy, Pace
from bot.standins import telegram as standin
from bot.standins.telegram_chat import DOCUMENTED
from config.clock import SystemClock
from tests.conftest import TUESDAY
from tests.contracts.conftest import BOT_TOKEN, BUTTON_KEY, Served, telegram_at

CHAT = "7700123"
WORDS = "Words of a patient: https://pay.maple.example/l/x"


def to(chat: str = CHAT, body: str = WORDS, **more: Any) -> Outbound:
    return Outbound("msg_00000000000000000001", "Maple Clinic", chat, body, **more)


async def kind_of(act: Coroutine[Any, Any, Any]) -> tuple[str, str]:
    with pytest.raises(SendError) as caught:
        await act
    return caught.value.kind, caught.value.code


async def asked(served: Served) -> list[dict[str, Any]]:
    return [line for line in await served.journal() if line["kind"] == "request"]


async def test_a_message_leaves_without_a_preview_and_cannot_be_passed_on(telegram: Served) -> None:
    sent = await telegram.adapter.send(to())
    (call,) = await asked(telegram)
    assert call["method"] == "sendMessage" and set(call["params"]) <= DOCUMENTED["sendMessage"]
    assert sent.provider_id == "1"
    assert (call["params"]["chat_id"], call["params"]["text"]) == (CHAT, WORDS)
    assert call["params"]["protect_content"] == "true"
    assert json.loads(call["params"]["link_preview_options"]) == {"is_disabled": True}
    assert "reply_markup" not in call["params"] and "parse_mode" not in call["params"]


async def test_buttons_carry_what_they_stand_for_signed_for_this_chat_and_message(telegram: Served) -> None:
    await telegram.adapter.send(to(buttons=(("Sí", "SÍ"), ("Volver", "VOLVER"), ("1", "1"), ("2", "2"))))
    rows = (await asked(telegram))[0]["answer"]["result"]["reply_markup"]["inline_keyboard"]
    assert [[button["text"] for button in row] for row in rows] == [["Sí", "Volver", "1"], ["2"]]
    for button in (button for row in rows for button in row):
        press = telegram_buttons.unseal(BUTTON_KEY, CHAT, button["callback_data"], TUESDAY)
        assert press is not None and press.outbox_id == to().outbox_id
        assert len(button["callback_data"].encode()) <= 64


async def test_a_statement_goes_along_as_a_file_whose_name_says_nothing(telegram: Served) -> None:
    await telegram.adapter.send(to(document=b"%PDF-1.7 statement"))
    (call,) = await asked(telegram)
    assert call["method"] == "sendDocument" and set(call["params"]) <= DOCUMENTED["sendDocument"]
    assert call["params"]["document"]["file_name"] == "statement.pdf" and call["params"]["caption"] == WORDS
    assert call["params"]["document"]["file_size"] == 18 and call["params"]["protect_content"] == "true"
    assert await kind_of(telegram.adapter.send(to(body="x" * 1025, document=b"%PDF"))) == (
        "configuration", "caption_too_long")


@pytest.mark.parametrize(("mode", "verdict"), [
    ("blocked", ("opted_out", "403")), ("deactivated", ("opted_out", "403")), ("unknown", ("unreachable", "400")),
    ("migrated", ("configuration", "migrated")),
])
async def test_every_refusal_of_a_chat_has_its_verdict(telegram: Served, mode: str, verdict: tuple[str, str]) -> None:
    await telegram.order("chat", {"chat_id": int(CHAT), "mode": mode})
    assert await kind_of(telegram.adapter.send(to())) == verdict


@pytest.mark.parametrize(("mode", "verdict"), [
    ("500", ("unknown", "5xx")), ("drop_after", ("unknown", "ServerDisconnectedError")),
    ("drop_before", ("unknown", "ServerDisconnectedError")), ("409", ("configuration", "409")),
])
async def test_what_may_have_been_sent_is_never_called_unsent(
        telegram: Served, mode: str, verdict: tuple[str, str]) -> None:
    await telegram.order("fault", {"method": "sendMessage", "mode": mode})
    assert await kind_of(telegram.adapter.send(to())) == verdict


async def test_a_wrong_token_stops_the_channel(telegram: Served) -> None:
    stranger = telegram_at(telegram.url, token="4200:another")
    assert await kind_of(stranger.send(to())) == ("configuration", "401")
    await stranger.close()


async def test_a_server_that_is_not_there_was_surely_not_told(unused_tcp_port: int) -> None:
    channel = telegram_at(f"http://127.0.0.1:{unused_tcp_port}")
    assert (await kind_of(channel.send(to())))[0] == "retry"
    await channel.close()


@contextlib.asynccontextmanager
async def answering(status: int, body: Any, kind: str = "application/json") -> AsyncIterator[TelegramChannel]:
    """A server that gives one answer to everything."""
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text, content_type=kind)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    running = await standin.start(app)
    channel = telegram_at(running.url)
    yield channel
    await channel.close()
    await running.stop()


MESSAGE = {"message_id": 9, "date": 1, "chat": {"id": 1, "type": "private", "is_new_field": {"a": 1}}, "newer": [1]}


@pytest.mark.parametrize(("status", "body", "verdict"), [
    (200, {"ok": True, "result": {"surprise": 1}}, ("unknown", "ClientDecodeError")),
    (502, "<html>Bad Gateway</html>", ("unknown", "ClientDecodeError")),
    (504, {"ok": False, "error_code": 504, "description": "Gateway Timeout"}, ("unknown", "5xx")),
    (404, {"ok": False, "error_code": 404, "description": "Not Found"}, ("configuration", "404")),
    (429, {"ok": False, "error_code": 429, "description": "Too Many Requests: retry later"}, ("retry", "429")),
    (400, {"ok": False, "error_code": 400, "description": "Bad Request: BUTTON_DATA_INVALID"},
     ("configuration", "400")),
    (403, {"ok": False, "error_code": 403, "description": "Forbidden: bot can't initiate conversation with a user"},
     ("unreachable", "403")),
])
async def test_answers_of_every_kind_come_to_a_verdict(status: int, body: Any, verdict: tuple[str, str]) -> None:
    async with answering(status, body) as channel:
        assert await kind_of(channel.send(to())) == verdict


async def test_an_answer_with_fields_that_nobody_knows_yet_is_an_answer() -> None:
    async with answering(200, {"ok": True, "result": MESSAGE, "extra": True}) as channel:
        assert (await channel.send(to())).provider_id == "9"


async def test_retry_after_is_kept_for_the_whole_bot(telegram: Served) -> None:
    """429 names its seconds, and until they are over other chats are not even tried."""
    await telegram.order("chat", {"chat_id": int(CHAT), "mode": "429", "retry_after": 30})
    with pytest.raises(SendError) as caught:
        await telegram.adapter.send(to())
    assert (caught.value.kind, caught.value.retry_after_seconds) == ("retry", 30)
    with pytest.raises(SendError) as other:
        await telegram.adapter.send(to("88"))
    assert (other.value.kind, other.value.code) == ("retry", "paced")
    assert 28 <= other.value.retry_after_seconds <= 30
    assert len(await asked(telegram)) == 1


async def test_a_patients_message_is_deleted_and_one_that_is_gone_is_no_error(telegram: Served) -> None:
    update = await telegram.order("update", {"chat_id": int(CHAT), "text": "4242 4242 4242 4242"})
    number = str(update["message"]["message_id"])
    for _ in range(2):
        await telegram.adapter.redact(number, CHAT)
    calls = [line for line in await asked(telegram) if line["method"] == "deleteMessage"]
    assert [set(call["params"]) for call in calls] == [{"chat_id", "message_id"}] * 2


async def test_a_message_too_old_to_be_deleted_is_tried_again_until_staff_hear_of_it() -> None:
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: message can't be deleted for everyone"}
    async with answering(400, refusal) as channel:
        assert await kind_of(channel.redact("5", CHAT)) == ("retry", "400")


async def test_telegram_cannot_be_asked_what_was_sent(telegram: Served) -> None:
    assert await kind_of(telegram.adapter.look_up(to(), TUESDAY)) == ("configuration", "cannot_be_asked")


async def test_only_private_chats_are_written_to(telegram: Served) -> None:
    for address in ("-100200", "@somebody", ""):
        assert (await kind_of(telegram.adapter.send(to(address))))[0] == "unreachable"
    assert await asked(telegram) == []


async def test_no_token_no_chat_and_no_words_reach_log_or_error(
        telegram: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await telegram.adapter.send(to())
    await telegram.order("chat", {"chat_id": int(CHAT), "mode": "blocked"})
    with pytest.raises(SendError) as caught:
        await telegram.adapter.send(to())
    own = "".join(r.getMessage() for r in caplog.records if not r.name.startswith(("aiohttp", "asyncio")))
    for secret in (BOT_TOKEN, CHAT, "Words"):
        assert secret not in own and secret not in repr(caught.value)
    assert caught.value.__cause__ is None and BOT_TOKEN not in repr(telegram.adapter.account)


async def test_a_channel_closes_twice_without_harm_used_or_not() -> None:
    channel = telegram_at("http://127.0.0.1:9")
    await channel.close()
    await channel.api()
    await channel.close()
    await channel.close()


async def test_the_server_sees_the_pace_that_telegram_asks_for(telegram: Served) -> None:
    """As shipped: one a second in a chat, thirty a second in all, measured where the messages arrive: each at its own
    thirtieth of a second or later, whatever held it up on the way.
    """
    paced = telegram_at(telegram.url, Pace())
    await paced.api()
    chats = [CHAT] * 2 + [str(number) for number in range(100, 145)]
    began = SystemClock().now()
    await asyncio.gather(*(paced.send(to(chat)) for chat in chats))
    await paced.close()
    calls = [(datetime.fromisoformat(line["at"]), line["params"]["chat_id"]) for line in await asked(telegram)]
    second = timedelta(seconds=1)
    assert len(calls) == len(chats)
    assert all(at - began >= number * second / 30 for number, (at, _) in enumerate(sorted(calls)))
    one, two = [at for at, chat in calls if chat == CHAT]
    assert two - one >= second


async def test_messages_of_one_chat_rest_between_and_keep_their_order_while_others_go_on() -> None:
    pace, done = Pace(per_second=1000, chat_gap=0.06), list[tuple[str, int, float]]()

    async def send(chat: str, number: int) -> None:
        async with pace.turn(chat):
            done.append((chat, number, time.monotonic()))

    await asyncio.gather(*(send("a", n) for n in range(4)), send("b", 0), send("c", 0))
    mine = [(number, at) for chat, number, at in done if chat == "a"]
    assert [number for number, _ in mine] == [0, 1, 2, 3]
    assert all(later - earlier >= 0.06 for (_, earlier), (_, later) in pairwise(mine))
    assert {chat for chat, _, _ in done[:3]} == {"a", "b", "c"}


async def test_messages_take_the_time_that_the_limit_gives_them() -> None:
    pace, at = Pace(per_second=100, chat_gap=0), list[float]()

    async def send(chat: str) -> None:
        async with pace.turn(chat):
            at.append(time.monotonic())

    await asyncio.gather(*(send(str(n)) for n in range(40)))
    assert len(at) == 40 and at[-1] - at[0] >= 39 / 100 - 0.01


async def test_who_would_wait_long_is_sent_back_at_once_and_a_pause_ends() -> None:
    pace = Pace(per_second=1000, chat_gap=0, most_wait=0.2)
    pace.pause(0.4)
    with pytest.raises(Busy):
        async with pace.turn("a"):
            pass
    await asyncio.sleep(0.25)
    async with pace.turn("a"):
        pass


PRESS = telegram_buttons.Press("msg_0123456789abcdefghjk", "ESPAÑOL")


def test_a_button_is_good_in_its_own_chat_until_its_time_and_unchanged() -> None:
    data = telegram_buttons.seal(BUTTON_KEY, CHAT, PRESS, TUESDAY + timedelta(hours=1))
    assert data is not None and telegram_buttons.unseal(BUTTON_KEY, CHAT, data, TUESDAY) == PRESS
    assert telegram_buttons.unseal(BUTTON_KEY, "7700124", data, TUESDAY) is None
    assert telegram_buttons.unseal(BUTTON_KEY, CHAT, data, TUESDAY + timedelta(hours=1)) is None
    assert telegram_buttons.unseal(telegram_buttons.derive_key(BUTTON_KEY), CHAT, data, TUESDAY) is None
    for place in range(len(data)):
        changed = data[:place] + ("x" if data[place] != "x" else "y") + data[place + 1:]
        assert telegram_buttons.unseal(BUTTON_KEY, CHAT, changed, TUESDAY) is None


@pytest.mark.parametrize("data", ["", "YES", ":::", "a:b:c:d", "zz:zz:zz:YES", "é:é:é:é", ":" * 64, "1:2:3:"])
def test_nonsense_is_no_button(data: str) -> None:
    assert telegram_buttons.unseal(BUTTON_KEY, CHAT, data, TUESDAY) is None


def test_a_button_that_does_not_fit_is_left_out() -> None:
    buttons = [("Long", "X" * 40), ("Yes", "YES")]
    rows = telegram_buttons.rows(BUTTON_KEY, "9" * 15, PRESS.outbox_id, buttons, TUESDAY)
    assert [[label for label, _ in row] for row in rows] == [["Yes"]]
