"""SIGKILL at every step of receiving and delivering, and again during recovery: nothing lost, nothing sent twice.

What was sent is counted from the channel's journal, which is on the disk before a send returns, never from our own
tables alone.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.store.tables import Case, Conversation, Inbox, Outbox, Practice
from bot.failpoints import DELIVER, RECEIVE
from bot.write import Store
from tests.road.forking import live_once, running

KILLED = -9

MESSAGES = [
    {"external_id": "C1", "sender": "+12125550111", "to": "", "body": "HELP"},
    {"external_id": "C2", "sender": "+12125550112", "to": "", "body": "HELP"},
    {"external_id": "C3", "sender": "+12125550111", "to": "", "body": "why do I owe this?"},
    {"external_id": "C4", "sender": "+12125550112", "to": "", "body": "are you a robot?"},
]

#: Passed in an ordinary run; the others lie on the roads of failure and of recovery.
ORDINARY = [name for name in RECEIVE + DELIVER
            if name not in ("receive.failed", "deliver.refused", "lookup.asked", "lookup.recorded")]


class Machine:
    """Runs lives of the process one after another, each at its own instant."""

    def __init__(self, url: str, folder: Path, start: datetime, process: subprocess.Popen[str]) -> None:
        self.url, self.journal, self.now, self.process = url, folder / "journal", start, process

    def live(self, failpoint: str = "", later: timedelta = timedelta(0), *, deliver_again: bool = True,
             refuse: bool = False) -> int:
        """One life, ``later`` than the last; webhooks deliver everything again unless told otherwise."""
        self.now += later
        order = {"url": self.url, "journal": str(self.journal), "now": self.now.isoformat(), "failpoint": failpoint,
                 "messages": MESSAGES if deliver_again else [], "refuse": refuse}
        return live_once(self.process, order)

    def recover(self) -> None:
        """Enough undisturbed lives for every lease to run out and for two look-ups ten minutes apart."""
        for _ in range(3):
            assert self.live(later=timedelta(minutes=11), deliver_again=False) == 0

    def sent(self) -> list[dict[str, Any]]:
        if not self.journal.exists():
            return []
        return [json.loads(line) for line in self.journal.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    with running("tests.road.process") as started:
        yield started


@pytest.fixture
def machine(database_url: str, store: Store, practice: Practice, tmp_path: Path, now: datetime,
            process: subprocess.Popen[str]) -> Machine:
    return Machine(database_url, tmp_path, now, process)


def check(machine: Machine, store: Store) -> None:
    """Every message was worked once, every answer left once and in order, nothing is stuck, nobody was bothered."""
    inbox = store.read(lambda session: {row.external_id: row.status for row in session.query(Inbox)})
    assert inbox == {message["external_id"]: "done" for message in MESSAGES}
    assert store.read(lambda session: sorted(talk.version for talk in session.query(Conversation))) == [2, 2]
    rows = store.read(lambda session: list(session.query(Outbox).order_by(Outbox.reply_to, Outbox.sequence)))
    assert {row.status for row in rows} == {"sent"}
    assert len({row.reply_to for row in rows}) == len(MESSAGES), "an answer was lost"
    sent = Counter(entry["outbox_id"] for entry in machine.sent())
    assert sent == {row.id: 1 for row in rows}, "a message was lost or sent twice"
    assert store.read(lambda session: session.query(Case).count()) == 0


def test_an_undisturbed_life_answers_everything(machine: Machine, store: Store) -> None:
    assert machine.live() == 0
    check(machine, store)


@pytest.mark.parametrize("failpoint", ORDINARY)
@pytest.mark.parametrize("passing", [1, 2])
def test_killed_at_a_failpoint_nothing_is_lost_and_nothing_is_sent_twice(
        machine: Machine, store: Store, failpoint: str, passing: int) -> None:
    first = machine.live(f"{failpoint}:{passing}")
    assert first == KILLED or (passing == 2 and first == 0)
    machine.live()  # webhooks come again; claims of the dead process still stand
    machine.recover()
    check(machine, store)


@pytest.mark.parametrize("again", ["tick.released", "lookup.asked", "lookup.recorded", "receive.claimed",
                                   "receive.finished", "deliver.claimed", "deliver.marked", "deliver.posted",
                                   "deliver.recorded"])
@pytest.mark.parametrize("failpoint", ["receive.finished", "deliver.marked", "deliver.posted", "deliver.recorded"])
def test_killed_again_during_recovery(machine: Machine, store: Store, failpoint: str, again: str) -> None:
    assert machine.live(failpoint) == KILLED
    machine.live(again, timedelta(minutes=3))
    machine.live(again, timedelta(minutes=11), deliver_again=False)
    machine.recover()
    check(machine, store)


def test_killed_at_the_same_point_in_every_life_it_still_gets_through(machine: Machine, store: Store) -> None:
    """Each life sends one message and dies with it on its lips; none is sent twice."""
    for _ in range(len(MESSAGES) + 2):
        machine.live("deliver.posted", timedelta(minutes=11))
    machine.recover()
    check(machine, store)


def test_killed_before_a_refusal_is_recorded_the_message_still_leaves_once(machine: Machine, store: Store) -> None:
    assert machine.live("deliver.refused", refuse=True) == KILLED
    machine.recover()
    check(machine, store)


def test_killed_after_a_failure_is_recorded_the_other_threads_are_answered(
        machine: Machine, store: Store, now: datetime) -> None:
    store.write(lambda session: session.add(Inbox(
        practice_id="prac_maple", source="console", external_id="bad", kind="nonsense", thread="x", payload={},
        status="accepted", received_at=now, due_at=now)))
    assert machine.live("receive.failed") == KILLED
    machine.recover()
    store.write(lambda session: session.delete(session.query(Inbox).where(Inbox.external_id == "bad").one()))
    check(machine, store)


def test_every_failpoint_of_both_roads_is_among_the_tests() -> None:
    assert set(RECEIVE + DELIVER) - set(ORDINARY) == {
        "receive.failed", "deliver.refused", "lookup.asked", "lookup.recorded"}
