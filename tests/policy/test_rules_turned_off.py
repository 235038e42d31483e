"""Each rule about messages turned to "allow" in turn: what it forbids then leaves, as the stand-ins' journals show.

The road is the production one: outbox, gate, channel. tests/policy/turned_off.py has a small world for each rule.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from billing import gate
from billing.policy import register
from billing.policy.core import Rule
from bot.channels.base import Channel
from bot.channels.email import EmailChannel, MailAccount
from bot.channels.sms import SmsChannel, TwilioAccount
from bot.deliver import deliver_due
from bot.road import Road
from bot.standins import smtp, twilio
from bot.standins.journal import read_lines
from bot.write import Store
from config.addresses import mail_server
from tests.conftest import Clock, practice_row
from tests.parties.scene import Scene, set_up
from tests.policy.turned_off import WORLDS, World, put

RULES = register.RULES


def without(rules: Iterable[str]) -> tuple[Rule, ...]:
    """The register with these turned to allow."""
    off = set(rules)
    return tuple(replace(rule, judge=None) if rule.id in off else rule for rule in RULES)


async def send(store: Store, clock: Clock, folder: Path) -> None:
    """Send what is in the outbox by the stand-ins."""
    async with AsyncExitStack() as stack:
        carrier = await twilio.start(twilio.make_app(twilio.TwilioOptions(
            journal=folder / "twilio.jsonl", clock=lambda: clock().timestamp(), callback_delay_ms=3_600_000)))
        stack.push_async_callback(carrier.stop)
        post = await smtp.start(smtp.SmtpOptions(journal=folder / "smtp.jsonl", clock=lambda: clock().timestamp()))
        stack.push_async_callback(post.stop)
        account = twilio.TwilioOptions()
        channels: dict[str, Channel] = {
            "sms": SmsChannel(TwilioAccount(account.account_sid, account.auth_token, carrier.url, carrier.url)),
            "email": EmailChannel(MailAccount(mail_server(post.smtp_url), clock))}
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        await deliver_due(Road(store, clock, "w1", "https://pay.maple.example", channels), 10)


def leaves(store: Store, clock: Clock, folder: Path, world: World, scene: Scene, key: str) -> bool:
    """Queue the message and work the road; whether it is in a journal of a stand-in."""
    row_id = store.write(lambda session: put(session, world, scene, clock(), key).id)
    asyncio.run(send(store, clock, folder))
    return row_id in json.dumps([line for file in sorted(folder.glob("*.jsonl")) for line in read_lines(file)])


@pytest.mark.parametrize("rule_id", sorted(WORLDS.keys() - {"T-19"}))
def test_a_rule_turned_to_allow_lets_out_what_it_forbids_and_the_journal_shows_it(
        sqlite_store: Store, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule_id: str) -> None:
    world = WORLDS[rule_id]
    if world.one_way:  # no channel of today's takes no answers
        monkeypatch.setattr(gate, "ONE_WAY", frozenset({"sms"}))
    scene = made(sqlite_store, world, clock())
    clock.at = world.at or clock()
    monkeypatch.setattr(register, "RULES", without(world.beside))
    assert not leaves(sqlite_store, clock, tmp_path, world, scene, "forbidden"), "it left although the rule is on"
    monkeypatch.setattr(register, "RULES", without([rule_id, *world.beside]))
    assert leaves(sqlite_store, clock, tmp_path, world, scene, "let out"), "something else keeps it back"


def made(store: Store, world: World, now: datetime) -> Scene:
    mail = {"mail": {"sender": "billing@maple.example"}}
    practice = store.write(practice_row(now, **{**mail, **world.policy}))
    scene = store.write(set_up(practice, now, **world.scene))
    store.write(lambda session: world.prepare(session, scene, now))
    return scene


def test_there_is_a_world_for_every_rule_about_messages() -> None:
    assert {rule.id for rule in RULES if rule.judge} == WORLDS.keys()


def test_nothing_but_a_rule_keeps_a_statement_back(sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    """Otherwise none of the above would prove anything."""
    world = World()
    scene = made(sqlite_store, world, clock())
    assert leaves(sqlite_store, clock, tmp_path, world, scene, "plain")


@pytest.mark.slow
def test_t_19_turned_to_allow_lets_a_chat_out_that_nobody_answered_for(
        sqlite_store: Store, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow: aiogram takes seconds to load."""
    world = WORLDS["T-19"]
    scene = made(sqlite_store, world, clock())
    assert not chatted(sqlite_store, clock, tmp_path, world, scene, "forbidden")
    monkeypatch.setattr(register, "RULES", without(["T-19"]))
    assert chatted(sqlite_store, clock, tmp_path, world, scene, "let out")


def chatted(store: Store, clock: Clock, folder: Path, world: World, scene: Scene, key: str) -> bool:
    """As ``leaves``, by Telegram's stand-in, which knows a message by its words."""
    from bot.channels.telegram import TelegramAccount, TelegramChannel
    from bot.standins import telegram

    async def work() -> None:
        running = await telegram.start(telegram.make_app(telegram.TelegramOptions(
            token="4200:token-of-the-tests", journal=folder / "telegram.jsonl")))
        channel = TelegramChannel(TelegramAccount("4200:token-of-the-tests", running.url, bytes(32), clock))
        await deliver_due(Road(store, clock, "w1", "https://pay.maple.example", {"telegram": channel}), 10)
        await channel.close()
        await running.stop()

    store.write(lambda session: put(session, world, scene, clock(), key))
    asyncio.run(work())
    return world.message["body"] in json.dumps(list(read_lines(folder / "telegram.jsonl")))
