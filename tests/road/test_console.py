"""The console channel: prints, journals durably, and can be asked what it sent."""

from __future__ import annotations

import io
import json
from pathlib import Path

from bot.channels.base import Outbound
from bot.channels.console import ConsoleChannel
from tests.conftest import Clock

MESSAGE = Outbound("msg_1", "Maple Clinic", "+12125550111", "Hello")


async def test_a_message_is_printed_and_in_the_journal_before_send_returns(tmp_path: Path, clock: Clock) -> None:
    stream, journal = io.StringIO(), tmp_path / "journal"
    sent = await ConsoleChannel(clock, stream, journal).send(MESSAGE)
    assert stream.getvalue() == "Hello\n"
    (line,) = journal.read_text().splitlines()
    assert json.loads(line)["outbox_id"] == "msg_1"
    assert json.loads(line)["provider_id"] == sent.provider_id


async def test_it_can_be_asked_what_it_sent_also_by_another_process(tmp_path: Path, clock: Clock) -> None:
    journal = tmp_path / "journal"
    sent = await ConsoleChannel(clock, journal=journal).send(MESSAGE)
    later = ConsoleChannel(clock, journal=journal)
    assert (await later.look_up(MESSAGE, clock())).provider_ids == (sent.provider_id,)
    other = Outbound("msg_2", MESSAGE.sender, MESSAGE.to, "Other words")
    assert (await later.look_up(other, clock())).provider_ids == ()
    clock.advance(hours=1)
    assert (await later.look_up(MESSAGE, clock())).provider_ids == ()


async def test_without_a_journal_it_remembers_for_itself(clock: Clock) -> None:
    channel = ConsoleChannel(clock)
    sent = await channel.send(MESSAGE)
    assert (await channel.look_up(MESSAGE, clock())).provider_ids == (sent.provider_id,)
