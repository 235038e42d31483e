"""Telegram on the road: what comes in, what goes out, and what a chat may learn before and after it is joined."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from billing import links
from billing.store.tables import Case, Consent, Conversation, Outbox, Payment, Verdict
from bot.channels.telegram_router import BLOCKED
from bot.worker import drain
from bot.write import Store
from tests.conftest import Clock
from tests.payments import world
from tests.road.telegram_scene import BOT, CHAT, PROOF, RISK, Scene, data_of, open_scene


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


# Joining.


async def test_a_chat_that_is_joined_to_nobody_learns_how_to_join_and_nothing_else(scene: Scene) -> None:
    first = await scene.say("/start")
    assert len(first) == 1 and "This chat is not linked to a bill yet" in first[0] and "(212) 555-0100" in first[0]
    for words in ("balance", "what do I owe?", PROOF, "pay all", "yes", f"/start {'x' * 22}", "statement"):
        assert await scene.say(words) == first
    assert scene.contacts() == [] and {row.privacy for row in scene.rows()} == {"open"}
    assert all(row.guarantor_id is None for row in scene.rows())


async def test_stop_help_a_person_and_an_emergency_work_in_a_chat_that_is_joined_to_nobody(scene: Scene) -> None:
    assert "Maple Clinic billing help" in (await scene.say("/help"))[0]
    assert "A person from our office" in (await scene.say("/human"))[0]
    assert "988" in (await scene.say("I want to kill myself"))[0]
    assert "We will not text you again" in (await scene.say("/stop"))[0]
    assert scene.standing().opted_out and await scene.say("balance") == []


async def test_the_one_time_link_joins_the_chat_and_identity_is_asked_before_anything_is_said(scene: Scene) -> None:
    token = await scene.join()
    linked, asked = [m["text"] for m in await scene.sent()]
    assert "now linked to Maple Clinic billing" in linked and "date of birth" in asked
    assert scene.contacts() == [(world.ANNA, "ok")] and scene.standing().complete
    assert scene.talk().guarantor_id is None
    assert scene.store.read(lambda s: links.open(s, token, scene.clock())) is None, "a link is good once"
    await scene.verify()
    assert scene.talk().guarantor_id == world.ANNA


async def test_the_link_is_texted_to_the_verified_phone_and_to_nobody_else(scene: Scene) -> None:
    from billing.apply import Context, carry_out
    from billing.commands import CommandRefused, MakeLink

    for words in ("balance", PROOF, "yes"):
        await scene.text(words)
    talk = scene.store.read(lambda s: s.query(Conversation).filter_by(channel="sms",
                                                                            address_hash=_phone_hash()).one())

    def ask(channel: str, account: str) -> str | None:
        context = Context(world.PRACTICE, talk.id, talk.address, talk.address_hash, channel, None, "en",
                          scene.clock())
        return scene.store.write(lambda s: carry_out(s, MakeLink("telegram", account), context))

    token = ask("sms", world.ANNA)
    assert token is not None and len(token) <= 64
    assert scene.road.chat_link(token) == f"https://t.me/{BOT}?start={token}"
    for channel, account in (("telegram", world.ANNA), ("sms", "acct_other")):
        with pytest.raises(CommandRefused):
            ask(channel, account)


def _phone_hash() -> str:
    from billing.phones import address_hash
    from tests.road.telegram_scene import PHONE

    return address_hash(world.PRACTICE, "sms", PHONE)


async def test_a_used_an_expired_a_replaced_and_a_foreign_link_are_answered_like_no_link(scene: Scene) -> None:
    plain = await scene.say("/start")
    used = await scene.join()
    await scene.news()
    other = 8800
    scene.told = 0
    assert await scene.say(f"/start {used}", chat=other) == plain
    replaced, expired = scene.make_token(), scene.make_token()
    assert await scene.say(f"/start {replaced}", chat=other) == plain
    scene.clock.advance(minutes=61)
    assert await scene.say(f"/start {expired}", chat=other) == plain
    foreign = scene.store.write(lambda s: links.make(s, world.PRACTICE, world.ANNA, "pay", "p", 1, scene.clock()))
    assert await scene.say(f"/start {foreign}", chat=other) == plain
    assert scene.store.read(lambda s: links.open(s, foreign, scene.clock())) is not None
    assert scene.contacts() == [(world.ANNA, "ok")]


async def test_a_parted_chat_is_joined_to_nobody_until_another_link(scene: Scene) -> None:
    await scene.join()
    await scene.verify()
    assert "no longer linked" in (await scene.say("unlink"))[0]
    assert scene.contacts() == [(world.ANNA, "unlinked")] and scene.talk().guarantor_id is None
    assert "not linked to a bill yet" in (await scene.say("balance"))[0]
    assert scene.standing().consent_event_id is None and not scene.standing().opted_out
    await scene.say(f"/start {scene.make_token()}")
    assert scene.contacts() == [(world.ANNA, "ok")] and scene.standing().complete


# The conversation.


async def test_a_whole_conversation_by_link_in_english(scene: Scene) -> None:
    await scene.join()
    menu = await scene.verify()
    assert "1) What I owe" in menu[-1]
    assert not any("Telegram is another company" in one for one in menu), "links only: there is nothing to be warned of"
    (seen,) = await scene.press("What I owe")
    assert seen == "You can see it all here, safely: https://pay.maple.example/l/TOKEN Reply HUMAN to reach a person."
    (paid,) = await scene.say("pay")
    assert "https://pay.maple.example/l/TOKEN" in paid
    assert "$" not in "".join(m["text"] for m in await scene.sent())
    assert "We will not text you again" in (await scene.say("/stop"))[0]
    assert await scene.say("balance") == [] and scene.standing().opted_out


async def test_a_whole_conversation_by_link_in_spanish(spanish: Scene) -> None:
    await spanish.join()
    linked, asked = [m["text"] for m in await spanish.sent()]
    assert "Este chat ya está conectado" in linked and "fecha de nacimiento" in asked
    await spanish.verify()
    (seen,) = await spanish.press("Cuánto debo")
    assert seen.startswith("Aquí puede verlo todo con seguridad: https://")
    assert (await spanish.press("Una persona"))[0].startswith("Una persona de la oficina le escribe")
    assert spanish.store.read(lambda s: s.query(Case).filter_by(kind="handover").count()) == 1


async def test_amounts_come_only_after_telegrams_own_warning_and_a_recorded_wish(open_chat: Scene) -> None:
    await open_chat.join()
    (warning,) = await open_chat.verify()
    assert "Telegram is another company" in warning
    assert open_chat.standing().detail_event_id is None
    await open_chat.press("Yes")
    assert open_chat.standing().detail_event_id is not None
    wish = open_chat.store.read(lambda s: s.get_one(Consent, open_chat.standing().detail_event_id))
    assert wish.wording == "telegram_detail_warning/en" and wish.channel == "telegram"
    (balance,) = await open_chat.say("balance")
    assert "You owe $145.50 now" in balance
    ask = (await open_chat.press("Pay"))[-1]
    assert "2) June 2026: $45.50" in ask
    (confirm,) = await open_chat.press("2")
    assert confirm.startswith("Pay $45.50")
    (link,) = await open_chat.press("Yes")
    assert "https://pay.maple.example/l/TOKEN" in link


async def test_who_says_no_to_the_warning_gets_links(open_chat: Scene) -> None:
    await open_chat.join()
    await open_chat.verify()
    await open_chat.press("No")
    (seen,) = await open_chat.say("balance")
    assert "https://pay.maple.example/l/TOKEN" in seen and "$" not in seen


async def test_a_wish_made_on_the_phone_is_none_for_telegram(open_chat: Scene) -> None:
    """Anna said yes to amounts by text; the chat has a warning of its own."""
    for words in ("balance", PROOF, "yes"):
        await open_chat.text(words)
    await open_chat.join()
    assert open_chat.standing().detail_event_id is None
    assert "Telegram is another company" in (await open_chat.verify())[-1]


async def test_the_statement_comes_as_a_file_only_where_amounts_may_be_shown(open_chat: Scene) -> None:
    await open_chat.join()
    await open_chat.verify()
    await open_chat.press("Yes")
    (words,) = await open_chat.say("statement")
    assert words.startswith("Here is your statement.") and "/l/TOKEN" in words
    (call,) = await open_chat.calls("sendDocument")
    assert call["params"]["document"]["file_name"] == "statement.pdf"
    assert call["params"]["document"]["file_size"] > 5_000
    row = open_chat.rows()[-1]
    assert row.statement_id and row.privacy == "amounts" and row.amount_minor is None


async def test_without_that_the_statement_is_a_link(scene: Scene) -> None:
    await scene.join()
    await scene.verify()
    (words,) = await scene.say("statement")
    assert words.startswith("Here is your statement: https://") and await scene.calls("sendDocument") == []


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
    assert scene.standing().opted_out and scene.inbox()[-1].payload["body"] == BLOCKED
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


# T-19.


async def test_t_19_nothing_leaves_by_telegram_before_the_practice_accepts_its_risk(
        sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    async with open_scene(sqlite_store, clock, tmp_path, risk=None) as scene:
        assert not await scene.line.is_on()
        await scene.do(text="help")
        await scene.fetch()
        await drain(scene.road)
        assert await scene.calls("sendMessage") == [] and scene.rows()[-1].status == "withheld"
        rules = scene.store.read(lambda s: [v.rule for v in s.query(Verdict)])
        assert rules == ["T-19"]


async def test_t_19_an_acceptance_counts_from_its_day(sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    async with open_scene(sqlite_store, clock, tmp_path, risk={**RISK, "accepted_on": "2026-11-04"}) as scene:
        assert not await scene.line.is_on()
        clock.advance(days=1)
        assert await scene.line.is_on()


async def test_t_19_a_verdict_names_no_person_of_the_practice(scene: Scene) -> None:
    await scene.say("/start")
    facts = scene.store.read(lambda s: [v.facts for v in s.query(Verdict)])
    assert "Lopez" not in str(facts)
    assert facts[0]["practice"]["telegram"] == {"accepted_on": "2026-11-01", "wording_version": "2026-11",
                                                "detail_allowed": False, "link_minutes": 60}
