"""Telegram on the road: what comes in, buttons, order, and what goes wrong on the way out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from billing.store.tables import Case, Outbox, Payment
from bot.worker import drain
from tests.road.telegram_scene import BOT, CHAT, Scene, data_of

# What comes in.


async def test_an_update_that_comes_again_changes_nothing(scene: Scene) -> None:
    update = await scene.do(text="/start")
    for _ in range(3):
        await scene.line.take(update)
    await drain(scene.road)
    assert len(scene.inbox()) == 1 and len(await scene.sent()) == 1


async def test_texts_files_edits_and_stickers_are_what_they_are(scene: Scene) -> None:
    await scene.join()
    await scene.do(text="/pay 25")
    await scene.do(holds="photo", text="my new card")
    await scene.do(holds="document")
    await scene.do(holds="sticker")
    await scene.do(holds="contact")
    await scene.do(text=f"/help@{BOT}")
    await scene.fetch()
    seen = [(row.payload["body"], row.payload["media"]) for row in scene.inbox()[1:]]
    assert seen == [("pay 25", 0), ("my new card", 1), ("", 1), ("", 0), ("", 0), ("help", 0)]
    assert "555" not in str([row.payload for row in scene.inbox()]), "a contact's number is nobody's proof and not kept"


async def test_an_edit_is_heeded_only_when_it_says_stop_or_worse(scene: Scene) -> None:
    await scene.join()
    update = await scene.do(text="thanks")
    number = update["message"]["message_id"]
    await scene.fetch()
    for words in ("pay 100", "yes", "STOP", "chest pain, cant breathe"):
        await scene.do(edit=number, text=words)
    await scene.fetch()
    assert [row.payload["body"] for row in scene.inbox()[2:]] == ["STOP", "chest pain, cant breathe"]


async def test_a_card_number_is_cut_out_and_deleted_in_the_chat(scene: Scene) -> None:
    await scene.join()
    update = await scene.do(text="pay with 4242 4242 4242 4242")
    await scene.fetch()
    await drain(scene.road)
    payload = scene.inbox()[-1].payload
    assert "4242" not in payload["body"] and payload["card_number"] is True
    (call,) = await scene.calls("deleteMessage")
    assert call["params"] == {"chat_id": str(CHAT), "message_id": str(update["message"]["message_id"])}
    assert "Please do not text card numbers" in (await scene.news())[-1]


async def test_a_card_number_in_an_edit_is_deleted_too(scene: Scene) -> None:
    await scene.join()
    update = await scene.do(text="here")
    await scene.do(edit=update["message"]["message_id"], text="4242 4242 4242 4242")
    await scene.fetch()
    await drain(scene.road)
    assert len(await scene.calls("deleteMessage")) == 1


async def test_groups_are_left_and_nothing_of_them_is_kept(scene: Scene) -> None:
    await scene.do(chat=-100200, text="what does mum owe?")
    await scene.do(chat=-100200, member="member")
    await scene.fetch()
    assert scene.inbox() == []
    assert [call["params"] for call in await scene.calls("leaveChat")] == [{"chat_id": "-100200"}] * 2


async def test_a_block_is_an_opt_out_and_lifting_it_is_no_consent(scene: Scene) -> None:
    await scene.join()
    await scene.say(member="kicked")
    assert scene.standing().opted_out and scene.inbox()[-1].payload["body"] == "unsubscribe (blocked the bot)"
    await scene.say(member="member")
    assert scene.standing().opted_out
    assert await scene.say("balance") == [] and await scene.say("yes") == []
    (back,) = await scene.say("/start")
    assert "You will get texts about your account again" in back and not scene.standing().opted_out


async def test_a_link_that_is_opened_after_a_stop_lifts_it(scene: Scene) -> None:
    await scene.join()
    await scene.say("stop")
    assert scene.standing().opted_out
    answers = await scene.say(f"/start {scene.make_token()}")
    assert "now linked" in answers[0] and not scene.standing().opted_out


async def test_the_first_answer_is_in_the_language_of_the_persons_app(scene: Scene) -> None:
    assert "Este chat todavía no está conectado" in (await scene.say("/start", language="es-MX"))[0]


async def test_an_update_that_nobody_can_read_holds_up_no_other(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    await scene.line.take({"update_id": 900, "message": {"message_id": "what?", "text": "secret words"}})
    await scene.line.take({"update_id": 901, "something_new": {"id": 1}})
    assert len(await scene.say("/start")) == 1
    assert "secret words" not in caplog.text


# Buttons.


async def test_two_quick_presses_are_one_action_and_the_keyboard_goes(scene: Scene) -> None:
    await scene.join()
    await scene.verify()
    message = (await scene.sent())[-1]
    data = data_of(message, "What I owe")
    for _ in range(2):
        await scene.do(data=data, message_id=message["message_id"])
    answers = await scene.say(data=data_of(message, "Pay"), message_id=message["message_id"])
    assert len(answers) == 1, "one message, one press"
    assert len(await scene.calls("answerCallbackQuery")) == 3
    drops = [call for call in await scene.calls("editMessageReplyMarkup") if call["status"] == 200]
    assert len(drops) == 1 and set(drops[0]["params"]) == {"chat_id", "message_id"}


async def test_a_forged_a_foreign_and_an_expired_button_do_nothing_but_say_so(open_chat: Scene) -> None:
    await open_chat.join()
    await open_chat.verify()
    message = (await open_chat.sent())[-1]
    good = data_of(message, "Yes")
    before = len(open_chat.inbox())
    await open_chat.say(data="YES", message_id=message["message_id"])
    await open_chat.say(data=good[:-3] + "NO", message_id=message["message_id"])
    await open_chat.say(data=good, chat=8800)
    open_chat.clock.advance(hours=25)
    await open_chat.say(data=good, message_id=message["message_id"])
    assert len(open_chat.inbox()) == before and open_chat.standing().detail_event_id is None
    alerts = await open_chat.calls("answerCallbackQuery")
    assert len(alerts) == 4
    assert {call["params"]["text"] for call in alerts} == {"That button is from an older message, so it did nothing."}
    assert {call["params"]["show_alert"] for call in alerts} == {"true"}


async def test_the_alert_is_in_the_conversations_language(spanish: Scene) -> None:
    await spanish.join()
    await spanish.say(data="x")
    (alert,) = await spanish.calls("answerCallbackQuery")
    assert alert["params"]["text"].startswith("Ese botón es de un mensaje anterior")


async def test_an_old_yes_answers_no_newer_question(open_chat: Scene) -> None:
    """The yes to one amount must not become the yes to another."""
    await open_chat.join()
    await open_chat.verify()
    await open_chat.press("Yes")
    await open_chat.say("pay $10.00")
    old = (await open_chat.sent())[-1]
    assert old["text"].startswith("Pay $10.00")
    await open_chat.say("pay all")
    answers = await open_chat.say(data=data_of(old, "Yes"), message_id=old["message_id"])
    assert answers[0].startswith("That button is from an older message") and answers[1].startswith("Pay $145.50")
    assert open_chat.store.read(lambda s: s.query(Payment).count()) == 0


async def test_an_old_pay_still_means_pay(open_chat: Scene) -> None:
    await open_chat.join()
    await open_chat.verify()
    await open_chat.press("Yes")
    await open_chat.say("balance")
    await open_chat.say("thanks")
    assert "You owe $145.50 now" in (await open_chat.press("Pay"))[0]


async def test_buttons_are_kept_with_the_message_and_say_nothing_of_anybody(open_chat: Scene) -> None:
    await open_chat.join()
    await open_chat.verify()
    row = open_chat.rows()[-1]
    assert row.buttons == [["Yes", "YES"], ["No", "NO"]]
    texted = open_chat.store.read(lambda s: s.query(Outbox).filter_by(channel="sms").order_by(Outbox.id).all())
    assert all("Yes" not in message.body for message in texted)


# One chat's order, many chats at once.


async def test_one_chats_messages_are_worked_in_order_and_never_at_once(scene: Scene) -> None:
    """aiogram isolates nothing by default; our lanes do: two quick texts never run the same state twice."""
    await scene.join()
    for words in ("02/29/1976", "10001", "1"):
        await scene.do(text=words)
    await scene.do(chat=8800, text="/start")
    await scene.fetch()
    assert len({row.thread for row in scene.inbox()}) == 2
    await asyncio.gather(drain(scene.road), drain(scene.road))
    await drain(scene.road)
    answers = await scene.news()
    assert "ZIP" in answers[0] and "1) What I owe" in answers[1] and "/l/TOKEN" in answers[2]
    assert [row.id for row in sorted(scene.inbox(), key=lambda row: (row.done_at, row.id))] == [
        row.id for row in scene.inbox()]


# Refusals.


async def test_a_403_is_an_opt_out_and_a_case(scene: Scene) -> None:
    await scene.join()
    await scene.order("chat", chat_id=CHAT, mode="blocked")
    await scene.say("help")
    assert scene.rows()[-1].status == "failed" and scene.standing().opted_out
    assert scene.store.read(lambda s: [case.kind for case in s.query(Case)]) == ["call"]


async def test_a_429_is_waited_for_and_the_message_leaves_once(scene: Scene) -> None:
    await scene.join()
    before = len(await scene.sent())
    await scene.order("chat", chat_id=CHAT, mode="429", retry_after=20)
    assert await scene.say("help") == []
    row = scene.rows()[-1]
    assert row.status == "queued" and row.due_at == scene.clock() + timedelta(seconds=20)
    scene.channel._pace._paused_until = 0.0  # the pause is in real seconds; the test's clock is not
    scene.clock.advance(seconds=21)
    await drain(scene.road)
    assert len(await scene.sent()) == before + 1


async def test_a_lost_answer_goes_to_staff_and_is_never_sent_again(scene: Scene) -> None:
    from bot.tick import JOBS, tick

    await scene.join()
    await scene.order("fault", method="sendMessage", mode="drop_after")
    await scene.say("help")
    assert scene.rows()[-1].status == "unknown"
    sends = len(await scene.calls("sendMessage"))
    for _ in range(4):
        scene.clock.advance(minutes=11)
        for job in JOBS:
            await tick(scene.road, job)
        await drain(scene.road)
    assert "unknown_outcome" in scene.store.read(lambda s: [case.kind for case in s.query(Case)])
    later = [call["params"]["text"] for call in (await scene.calls("sendMessage"))[sends:]]
    assert not any("billing help" in text for text in later)
