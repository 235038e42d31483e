"""SIGKILL between Telegram's answer, our commit and the confirmation, and around a send: no update is lost or worked
twice, no message leaves twice. What left is counted from the server's journal.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from billing.store.tables import Case, Inbox, Outbox
from bot.failpoints import POLL
from bot.write import Store
from tests.conftest import Clock
from tests.road.forking import live_once, running
from tests.road.telegram_scene import Scene, open_scene

KILLED = -9
SAID = ((7001, "/help"), (7002, "/start"), (7001, "AYUDA"), (7003, "HELP"))

#: Up to the commit that promises never to send again without evidence; after it only staff may find out.
BEFORE_SENDING = ("deliver.claimed", "deliver.judged")
WHILE_SENDING = ("deliver.marked", "deliver.posted", "deliver.recorded")


@dataclass
class Machine:
    """Runs lives of the polling process, each at its own instant."""

    url: str
    scene: Scene
    process: subprocess.Popen[str]

    async def live(self, failpoint: str = "", **later: float) -> int:
        self.scene.clock.advance(**later)
        order = {"url": self.url, "telegram": self.scene.url, "now": self.scene.clock().isoformat(),
                 "failpoint": failpoint}
        return await asyncio.to_thread(live_once, self.process, order)

    async def recover(self) -> None:
        for _ in range(3):
            assert await self.live(minutes=11) == 0


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    with running("tests.road.telegram_process") as started:
        yield started


@pytest.fixture
async def machine(sqlite_url: str, sqlite_store: Store, clock: Clock, tmp_path: Path,
                  process: subprocess.Popen[str]) -> AsyncIterator[Machine]:
    async with open_scene(sqlite_store, clock, tmp_path) as scene:
        for chat, words in SAID:
            await scene.do(chat, text=words)
        yield Machine(sqlite_url, scene, process)


async def check_inbox(machine: Machine) -> None:
    """Every update was accepted and worked once, and the server has none left."""
    rows = machine.scene.store.read(lambda s: [(row.payload["sender"], row.status) for row in s.query(Inbox).order_by(
        Inbox.id)])
    assert sorted(rows) == sorted((str(chat), "done") for chat, _ in SAID)
    asked = await machine.scene.calls("getUpdates")
    assert asked[-1]["answer"]["result"] == []


async def left(machine: Machine) -> Counter[tuple[str, str]]:
    """What the server took, whether or not we ever heard its answer."""
    return Counter((call["params"]["chat_id"], call["params"]["text"])
                   for call in await machine.scene.calls("sendMessage"))


def rows_of(machine: Machine) -> list[Outbox]:
    return machine.scene.store.read(lambda s: list(s.query(Outbox).filter_by(channel="telegram")))


async def test_an_undisturbed_life_answers_everything_once(machine: Machine) -> None:
    assert await machine.live() == 0
    await check_inbox(machine)
    assert {row.status for row in rows_of(machine)} == {"sent"}
    assert sum((await left(machine)).values()) == len(rows_of(machine)) >= len(SAID)


@pytest.mark.parametrize("passing", [1, 2, 3])
@pytest.mark.parametrize("failpoint", [*POLL, "accept.stored", "accept.committed", *BEFORE_SENDING])
async def test_killed_before_anything_was_confirmed_or_sent_all_is_answered_once(
        machine: Machine, failpoint: str, passing: int) -> None:
    first = await machine.live(f"{failpoint}:{passing}")
    assert first == KILLED or passing > 1
    assert await machine.live() == 0
    await machine.recover()
    await check_inbox(machine)
    assert {row.status for row in rows_of(machine)} == {"sent"}
    assert sum((await left(machine)).values()) == len(rows_of(machine))


@pytest.mark.parametrize("failpoint", WHILE_SENDING)
async def test_killed_while_sending_nothing_leaves_twice_and_staff_hear_of_the_rest(
        machine: Machine, failpoint: str) -> None:
    assert await machine.live(failpoint) == KILLED
    await machine.recover()
    await check_inbox(machine)
    rows, sent = rows_of(machine), await left(machine)
    unknown = [row for row in rows if row.status == "unknown"]
    assert unknown and {row.status for row in rows} <= {"sent", "unknown"}
    assert sum(sent.values()) <= len(rows) and max(sent.values()) == 1
    kinds = machine.scene.store.read(lambda s: [case.kind for case in s.query(Case)])
    assert kinds.count("unknown_outcome") == len(unknown)


async def test_killed_at_the_same_point_in_every_life_it_still_gets_through(machine: Machine) -> None:
    for _ in range(len(SAID) + 1):
        await machine.live("poll.accepted", minutes=3)
    await machine.recover()
    await check_inbox(machine)


async def test_every_point_of_polling_is_among_the_tests() -> None:
    assert POLL == ("poll.fetched", "poll.accepted")


async def test_a_store_that_is_away_confirms_nothing(machine: Machine) -> None:
    """An update whose commit fails stays at the server, and comes again."""
    scene = machine.scene
    scene.store.close()
    with pytest.raises(RuntimeError):
        await scene.fetch()
    assert len((await scene.calls("getUpdates"))[-1]["answer"]["result"]) == len(SAID)
    assert scene.offset is None
    assert await machine.live() == 0
    assert (await scene.calls("getUpdates"))[-1]["answer"]["result"] == []
