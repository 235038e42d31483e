"""SIGKILL at every failpoint of the serving process, and again while it recovers: nothing lost, nothing twice.

The production application runs against the Twilio and Stripe stand-ins on both databases. What was sent and what was
charged is counted from the stand-ins' journals, never from our own tables.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from billing.store.tables import Case, Inbox, Outbox
from bot.failpoints import AGENCY, CALL, CAMPAIGN, DUNNING, IMPORT, MAIL, POLL, POSTINGS, RECONCILE
from tests.scenarios.conversation import (
    ANNA,
    OWED_MINOR,
    Books,
    ask_for_a_link,
    books_of,
    converse,
    fill_in,
    press_pay,
)
from tests.scenarios.sample import NUMBER
from tests.scenarios.serving import Server
from tests.scenarios.town import LEASES, Town, open_town

ROOT = Path(__file__).parents[2]

#: Passed by an ordinary conversation, in this order.
ROAD = ("accept.stored", "accept.committed", "receive.claimed", "receive.loaded", "receive.decided",
        "receive.applied", "receive.rendered", "receive.queued", "receive.finished", "receive.committed",
        "deliver.claimed", "deliver.judged", "deliver.marked", "deliver.posted", "deliver.recorded",
        "deliver.committed", "tick.released")
PAYING = ("pay.begun", "pay.asked", "pay.opened", "return.asked", "return.applied")

#: Passed only when something else goes wrong first; each has tests of its own below.
TROUBLE = ("receive.failed", "deliver.refused", "lookup.asked", "lookup.recorded", "reconcile.asked",
           "reconcile.applied")

#: Lives that end one after another within one conversation: all of ROAD and PAYING.
CHAINS = (
    ("accept.stored", "receive.claimed", "receive.decided", "receive.queued", "deliver.claimed", "deliver.posted",
     "pay.begun", "return.asked"),
    ("accept.committed", "receive.loaded", "receive.applied", "receive.finished", "deliver.judged",
     "deliver.recorded", "pay.asked", "return.applied"),
    ("tick.released", "receive.rendered", "receive.committed", "deliver.marked", "deliver.committed", "pay.opened"),
)


@pytest.fixture(scope="session")
def undisturbed(sample_file: Path, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """What an application that nobody kills sends in this conversation."""
    folder = tmp_path_factory.mktemp("undisturbed")

    async def play() -> Counter[str]:
        url = f"sqlite:///{shutil.copyfile(sample_file, folder / 'plainbill.db')}"
        async with open_town(url, folder, server) as town:
            await converse(town)
            check(town, town.sent())
            return town.sent()

    return asyncio.run(play())


def check(town: Town, expected: Counter[str]) -> None:
    """Every text was answered as if nothing had happened, once; the card was charged once; the books are right."""
    assert town.sent() == expected
    assert town.charged() == [OWED_MINOR]
    assert books_of(town) == Books(owed_minor=0, cash_minor=OWED_MINOR, findings=0, cases=())
    states = town.store.read(lambda session: (
        Counter(row.status for row in session.query(Inbox)), Counter(row.status for row in session.query(Outbox))))
    assert set(states[0]) == {"done"}
    assert states[1] == {"delivered": expected.total()}


def test_a_quiet_conversation_is_answered_in_five_turns_and_paid(undisturbed: Counter[str]) -> None:
    assert undisturbed.total() == 7
    assert set(undisturbed.values()) == {1}
    assert any("You owe $84.20 now" in body for body in undisturbed)
    assert any("Thank you. We got your payment of $84.20" in body for body in undisturbed)


@pytest.mark.parametrize(("engine", "chain"), [
    *(pytest.param("sqlite", chain, id=f"sqlite-{chain[0]}") for chain in CHAINS),
    *(pytest.param("postgresql", chain, id=f"postgresql-{chain[0]}", marks=[pytest.mark.slow] if number else [])
      for number, chain in enumerate(CHAINS))])
async def test_killed_life_after_life_nothing_is_lost_and_nothing_happens_twice(
        request: pytest.FixtureRequest, server: Server, tmp_path: Path, undisturbed: Counter[str], engine: str,
        chain: tuple[str, ...]) -> None:
    async with open_town(request.getfixturevalue(f"sample_{engine}_url"), tmp_path, server, chain) as town:
        await converse(town, webhook_first="pay.opened" in chain)
        assert town.deaths == list(chain)
        check(town, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("passing", [1, 3])
@pytest.mark.parametrize("failpoint", ROAD)
async def test_killed_anywhere_on_the_road_and_at_the_next_step_of_recovery(
        sample_url: str, server: Server, tmp_path: Path, undisturbed: Counter[str], failpoint: str,
        passing: int) -> None:
    """At a first and at a later passing: of a text, of a delivery report, of the second reply of a turn."""
    again = ROAD[(ROAD.index(failpoint) + 1) % len(ROAD)]
    async with open_town(sample_url, tmp_path, server, (f"{failpoint}:{passing}", again)) as town:
        await converse(town)
        assert len(town.deaths) == 2 or (failpoint, passing) == ("tick.released", 3)
        check(town, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize(("failpoint", "again"), [*zip(PAYING, PAYING, strict=True), *pairwise(PAYING)])
async def test_killed_anywhere_while_paying_and_again_in_the_next_life(
        sample_url: str, server: Server, tmp_path: Path, undisturbed: Counter[str], failpoint: str,
        again: str) -> None:
    async with open_town(sample_url, tmp_path, server, (failpoint, again)) as town:
        await converse(town, webhook_first=False)
        assert town.deaths[0] == failpoint
        check(town, undisturbed)


async def test_killed_between_the_key_and_the_page_a_second_press_gets_the_same_page(
        sample_or_slow_url: str, server: Server, tmp_path: Path) -> None:
    """Before Stripe was asked, and after it had answered: one idempotency key, one session."""
    async with open_town(sample_or_slow_url, tmp_path, server, ("pay.begun", "pay.asked")) as town:
        await ask_for_a_link(town)
        page = await town.browse(lambda: press_pay(town))
        asked = town.requests(town.stripe, "POST", "/v1/checkout/sessions")
        assert town.deaths == ["pay.begun", "pay.asked"]
        assert len({line["key"] for line in asked}) == 1
        assert [session["url"] for session in town.stripe.journal.table("sessions").values()] == [page]


async def test_a_page_paid_in_silence_is_found_by_asking_however_often_the_asker_dies(
        sample_or_slow_url: str, server: Server, tmp_path: Path, undisturbed: Counter[str]) -> None:
    """The webhook is lost and the patient does not come back: after the page has run out the processor is asked."""
    async with open_town(sample_or_slow_url, tmp_path, server) as town:
        await ask_for_a_link(town)
        page = await town.browse(lambda: press_pay(town))
        await town.events("drop_next", count=9)
        await fill_in(town, page)
        await town.settle()
        assert books_of(town).cash_minor == 0
        await town.stop()
        town.lives.extend(["reconcile.asked", "reconcile.applied"])
        for later in (timedelta(minutes=62), LEASES):
            await town.live(later=later)
            await town.death()
        assert books_of(town).cash_minor == 0
        await town.live(later=LEASES)
        await town.happens(lambda: books_of(town).cash_minor > 0)
        await town.settle()
        late = "Maple Street Med: Thank you. We got it. Here is your receipt: LINK"  # the proof has lapsed: no amount
        check(town, Counter(late if "We got your payment" in body else body for body in undisturbed))


async def test_a_delivery_report_settles_a_text_that_was_posted_and_not_written_down(
        sample_or_slow_url: str, server: Server, tmp_path: Path) -> None:
    """Our id is in the callback's URL: no look-up is needed, and nothing is sent again."""
    async with open_town(sample_or_slow_url, tmp_path, server, ("deliver.posted",)) as town:
        await town.control("inbound", {"from": ANNA.phone, "to": NUMBER, "body": "are you a robot?"})
        await town.death()
        await town.live()
        await town.settle()
        assert set(town.sent().values()) == {1}
        assert town.requests(town.twilio, "GET", "/Messages.json") == []
        assert statuses(town) == {"delivered"}


@pytest.mark.parametrize("lives", [("deliver.posted",), ("deliver.posted", "lookup.asked", "lookup.recorded")],
                         ids=["killed-once", "killed-while-looking"])
async def test_without_a_delivery_report_a_look_up_settles_it(
        sample_or_slow_url: str, server: Server, tmp_path: Path, lives: tuple[str, ...]) -> None:
    """The callbacks are held back: the carrier's list has the text, so it is not sent again."""
    async with open_town(sample_or_slow_url, tmp_path, server, lives) as town:
        await town.control("callbacks", {"delay_ms": 600_000})
        await town.text(ANNA.phone, "are you a robot?")
        assert town.deaths == list(lives)
        assert set(town.sent().values()) == {1}
        assert town.requests(town.twilio, "GET", "/Messages.json") != []
        assert statuses(town) == {"sent"}


@pytest.mark.parametrize("lives", [("deliver.marked",), ("deliver.marked", "lookup.asked", "lookup.recorded")],
                         ids=["killed-once", "killed-while-looking"])
async def test_a_text_that_never_left_is_sent_after_two_look_ups_ten_minutes_apart(
        sample_or_slow_url: str, server: Server, tmp_path: Path, lives: tuple[str, ...]) -> None:
    """Marked as being sent and killed before the request: once the carrier twice knows nothing of it, it goes."""
    async with open_town(sample_or_slow_url, tmp_path, server, lives) as town:
        await town.text(ANNA.phone, "are you a robot?")
        assert town.deaths == list(lives)
        assert set(town.sent().values()) == {1}
        assert statuses(town) == {"delivered"}
        looks = [datetime.fromisoformat(line["at"]) for line in town.requests(town.twilio, "GET", "/Messages.json")]
        posts = [datetime.fromisoformat(line["at"]) for line in town.requests(town.twilio, "POST", "/Messages.json")]
        assert looks[-1] - looks[-2] >= timedelta(minutes=10)
        assert looks[-1] < max(posts)


async def test_two_texts_like_it_are_a_case_for_staff_and_never_a_third(
        sample_or_slow_url: str, server: Server, tmp_path: Path) -> None:
    """Neither has a delivery report. The first may be either of two that the carrier lists, so a person looks; the
    second can only be the one that was made after it began to be sent.
    """
    async with open_town(sample_or_slow_url, tmp_path, server) as town:
        await town.text(ANNA.phone, "are you a robot?")
        await town.stop()
        town.lives.extend(["deliver.posted", "deliver.posted"])
        await town.control("callbacks", {"delay_ms": 600_000})
        await town.control("fault", {"on": "lookup", "mode": "500", "times": 1})
        for later in (timedelta(0), LEASES):
            await town.live(later=later)
            await town.control("inbound", {"from": ANNA.phone, "to": NUMBER, "body": "are you a robot?"})
            await town.death()
        await town.live(later=LEASES)
        await town.settle()
        assert cases(town) == ["unknown_outcome"]
        assert sorted(town.sent().values()) == [1, 3]
        await town.stop()
        await town.live(later=timedelta(hours=2))
        assert sorted(town.sent().values()) == [1, 3], "sent again by itself"


async def test_killed_before_a_refusal_is_written_down_the_text_still_goes_once(
        sample_or_slow_url: str, server: Server, tmp_path: Path) -> None:
    """Twilio said 429 and made nothing: two look-ups find nothing, then it is sent."""
    async with open_town(sample_or_slow_url, tmp_path, server, ("deliver.refused",)) as town:
        await town.control("fault", {"to": ANNA.phone, "mode": "429"})
        await town.text(ANNA.phone, "are you a robot?")
        assert town.deaths == ["deliver.refused"]
        assert set(town.sent().values()) == {1}
        assert statuses(town) == {"delivered"}


async def test_a_row_that_always_fails_goes_to_staff_and_its_neighbours_are_answered(
        sample_or_slow_url: str, server: Server, tmp_path: Path) -> None:
    async with open_town(sample_or_slow_url, tmp_path, server) as town:
        await town.stop()
        at = town.clock.now()
        town.store.write(lambda session: session.add(Inbox(
            practice_id="main", source="sms", external_id="bad", kind="nonsense", thread="x", payload={},
            status="accepted", received_at=at, due_at=at)))
        town.lives.append("receive.failed")
        await town.live()
        await town.text(ANNA.phone, "are you a robot?")
        assert town.deaths == ["receive.failed"]
        assert set(town.sent().values()) == {1}
        ends = town.store.read(lambda session: {row.external_id: row.status for row in session.query(Inbox).where(
            Inbox.kind != "receipt")})
        assert sorted(ends.values()) == ["done", "failed"]
        assert cases(town) == ["inbox_failed"]


class Command:
    """``python -m bot serve`` as an operator starts it, in place of the forking server."""

    def __init__(self) -> None:
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, environment: dict[str, str], folder: Path) -> int:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PLAINBILL_")}
        with (folder / "serve.log").open("ab") as log:
            made = subprocess.Popen([sys.executable, "-m", "bot", "serve"], cwd=folder, stderr=log,
                                    env={**clean, **environment, "PYTHONPATH": str(ROOT)})
        self.processes[made.pid] = made
        return made.pid

    def poll(self, pid: int) -> int | None:
        return self.processes[pid].poll()

    def wait(self, pid: int) -> int:
        return self.processes[pid].wait()


@pytest.mark.slow
async def test_the_installed_command_dies_at_its_failpoint_and_recovers_the_same_way(
        sample_sqlite_url: str, tmp_path: Path, undisturbed: Counter[str]) -> None:
    """The tests above fork a process that has imported everything; this one is started from nothing each time."""
    chain = ("receive.finished", "deliver.posted", "pay.asked")
    async with open_town(sample_sqlite_url, tmp_path, Command(), chain) as town:
        await converse(town)
        assert town.deaths == list(chain)
        check(town, undisturbed)


def test_every_failpoint_of_the_code_is_among_these_tests() -> None:
    """Those of the posting files lie on no road of the serving process; the others have tests where their matter is:
    tests/road/test_telegram_crashes.py (polling), tests/faults/ (calls, reconciliation), tests/campaigns/, dunning/,
    mail/ and collections/ (killed as well).
    """
    passed = {name for file in (ROOT / "bot").rglob("*.py")
              for name in re.findall(r'\bhit\("([a-z.]+)"\)', file.read_text(encoding="utf-8"))}
    elsewhere = {*POSTINGS, *IMPORT, *POLL, *CALL, *RECONCILE, *CAMPAIGN, *DUNNING, *MAIL, *AGENCY}
    assert passed - elsewhere == {*ROAD, *PAYING, *TROUBLE}
    assert {name for chain in CHAINS for name in chain} == {*ROAD, *PAYING}


def statuses(town: Town) -> set[str]:
    return town.store.read(lambda session: {row.status for row in session.query(Outbox)})


def cases(town: Town) -> list[str]:
    """The kinds of the cases that this conversation has opened; the import's own are about a denial."""
    return town.store.read(lambda session: [case.kind for case in session.query(Case) if case.kind != "denial"])
