"""Telegram on the road: what a chat may learn before and after it is joined, and T-19."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing import links
from billing.store.tables import Case, Consent, Conversation, Verdict
from bot.worker import drain
from bot.write import Store
from tests.conftest import Clock
from tests.payments import world
from tests.road.telegram_scene import BOT, PROOF, RISK, Scene, open_scene

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
    from billing.apply import carry_out
    from billing.command_context import Context
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
