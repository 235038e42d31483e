"""Lives of the application on one phone's random conversation: killed at a failpoint, begun again where it stopped.

Started once, it forks a child for each life. Standard input: one order per line (class Order as JSON). Standard output:
the exit code, -9 when killed. A child accepts each text as the webhook would (some twice, some two at once), works with
two workers on one store, and notes after each step how far it has come and what might then have been said to whom.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from billing import accounts, payments
from billing.phones import address_hash
from billing.store.tables import Inbox, Outbox, Payment
from bot import failpoints
from bot.accept import accept_event, accept_message, keep
from bot.channels.base import Inbound
from bot.channels.console import ConsoleChannel
from bot.deliver import deliver_due
from bot.demo.people import PEOPLE
from bot.logs import configure_logs
from bot.processors.base import PaymentEvent
from bot.receive import receive_due
from bot.road import Road
from bot.tick import JOBS, tick
from bot.write import Store, open_store
from tests.conftest import TEST_KEYS, Clock
from tests.conversations.crowds import legal_amounts
from tests.scenarios import sample

ROOT = Path(__file__).parents[2]
KILLED = -9
CALM_ROUNDS = 60
RELEASE = next(job for job in JOBS if job.name == "release_expired")
DOWN = timedelta(seconds=200)
"""How long nobody notices a death; longer than any claim."""


@dataclass(frozen=True, slots=True)
class Order:
    """One life: ``steps`` from ``first`` to before ``last``, killed at ``failpoint`` unless that is empty. ``journal``
    is the channel's, ``notes`` gets a line for each step that is done. ``channel`` is a name of bot/channels.
    """

    url: str
    journal: str
    notes: str
    phone: str
    channel: str
    steps: tuple[tuple[str, str], ...]
    first: int
    last: int
    now: str
    failpoint: str


# -- the parent's side ------------------------------------------------------------------------------------------------


class Lives:
    """The process that forks the lives; it lives once itself, on a copy of ``sample_file``, to be warm."""

    def __init__(self, sample_file: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.random_lives", str(sample_file)], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def live(self, order: Order) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def noted(order: Order) -> list[dict[str, Any]]:
    """What the lives so far have noted, a line a step; the last line of a killed one may be torn."""
    path = Path(order.notes)
    if not path.exists():
        return []
    whole = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
    return [json.loads(line) for line in whole]


def after_death(order: Order) -> Order:
    """The next life: from the first step that is not noted, when the dead one's claims have run out."""
    notes = noted(order)
    now = datetime.fromisoformat(notes[-1]["now"]) if notes else datetime.fromisoformat(order.now)
    first = notes[-1]["step"] + 1 if notes else order.first
    return replace(order, first=first, now=(now + DOWN).isoformat(), failpoint="")


# -- the child's side -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Life:
    order: Order
    store: Store
    clock: Clock
    roads: tuple[Road, Road]


async def live(order: Order) -> None:
    clock = Clock(datetime.fromisoformat(order.now))
    channel = ConsoleChannel(clock, journal=Path(order.journal))
    store = open_store(order.url, TEST_KEYS)
    roads = tuple(Road(store, clock, f"w{number}-{os.getpid()}", "https://bills.example", {order.channel: channel})
                  for number in (1, 2))
    life = Life(order, store, clock, (roads[0], roads[1]))
    await pass_time(life, timedelta(0))
    number = order.first
    while number < order.last:
        before = number
        number = await act(life, number)
        note(life, number - 1, in_full=before == order.first or order.steps[before][0] == "@")
    store.close()


async def act(life: Life, number: int) -> int:
    """Let one step happen, or two texts at once; return the number of the next step."""
    kind, words = life.order.steps[number]
    if kind == ">":
        life.clock.advance(minutes=1)
        await tick(life.roads[0], RELEASE)
        await text(life, number)
        await calm(life)
        return number + 1
    name, _, rest = words.partition(" ")
    following = [at for at in (number + 1, number + 2) if at < len(life.order.steps)]
    if name == "at_once" and len(following) == 2 and all(life.order.steps[at][0] == ">" for at in following):
        life.clock.advance(minutes=1)
        await asyncio.gather(*(text(life, at) for at in following))
        await calm(life)
        return number + 3
    await happen(life, number, name, rest)
    return number + 1


async def text(life: Life, number: int) -> None:
    """The webhook brings a text, every third one twice."""
    message = Inbound(f"T{number}", life.order.phone, "", body_of(life.order.steps[number][1]),
                      media=int(life.order.steps[number][1].startswith("[picture]")))
    for _ in range(2 if number % 3 == 0 else 1):
        await keep(life.roads[0], partial(accept_message, channel=life.order.channel, message=message,
                                          now=life.clock.now(), practice_id=sample.PRACTICE))


def body_of(words: str) -> str:
    return words.removeprefix("[card]").removeprefix("[picture]").strip(" ")


async def happen(life: Life, number: int, name: str, rest: str) -> None:
    if name == "minutes":
        await pass_time(life, timedelta(minutes=int(rest)))
    elif name == "timeout":
        await pass_time(life, timedelta(minutes=31))
    elif name in ("payment_paid", "payment_failed"):
        await news(life, number, name.removeprefix("payment_"))
    elif name == "balance_moved":
        await life.store.awrite(partial(pay_at_desk, life=life, number=number))
    await calm(life)


async def pass_time(life: Life, time: timedelta) -> None:
    """Time passes in steps, and the tick does what is due after each."""
    until = life.clock.now() + time
    while True:
        for job in JOBS:
            await tick(life.roads[0], job)
        await calm(life)
        if life.clock.now() >= until:
            return
        life.clock.at = min(until, life.clock.now() + max(timedelta(minutes=16), time / 3))


async def calm(life: Life) -> None:
    """Both workers receive and deliver, side by side, until nothing is due."""
    for _ in range(CALM_ROUNDS):
        worked = await asyncio.gather(*(receive_due(road) for road in life.roads),
                                      *(deliver_due(road) for road in life.roads))
        if not any(worked):
            return
    raise AssertionError("the road never came to rest")


async def news(life: Life, number: int, kind: str) -> None:
    """The processor says what became of the newest payment that is open; nothing where there is none."""
    payment = await life.store.aread(newest_open)
    if payment is None:
        return
    event = PaymentEvent(f"evt_{number}", kind, payment.id, payment.amount_minor, "USD", "", f"pi_{number}",
                         "declined" if kind == "failed" else "", life.clock.now())
    for _ in range(2):
        await keep(life.roads[0], partial(accept_event, practice_id=sample.PRACTICE, processor="stripe", event=event,
                                          now=life.clock.now()))


def newest_open(session: Session) -> Payment | None:
    return session.query(Payment).where(Payment.status.in_(("link_sent", "failed"))).order_by(
        Payment.created_at.desc()).limit(1).one_or_none()


def pay_at_desk(session: Session, life: Life, number: int) -> None:
    """A dollar in cash: whatever was confirmed before is out of date."""
    found = people(session, life)
    if found:
        payments.record_desk_payment(
            session, sample.PRACTICE, found[0].account_id, amount_minor=100, currency="USD", tender="cash",
            reference=f"R{number}", recorded_by="dana", now=life.clock.now())


def people(session: Session, life: Life) -> list[Any]:
    """The accounts on the phone with all that the store knows of them."""
    hashed = address_hash(sample.PRACTICE, life.order.channel, life.order.phone)
    now = life.clock.now()
    bare = accounts.views_for(session, sample.PRACTICE, life.order.channel, hashed, None, now)
    return [next(one for one in accounts.views_for(session, sample.PRACTICE, life.order.channel, hashed,
                                                   each.account_id, now) if one.account_id == each.account_id)
            for each in bare]


def note(life: Life, number: int, *, in_full: bool) -> None:
    """One line; ``in_full`` with what may now be said, which a text alone does not change."""
    found = life.store.read(lambda session: [facts_of(one) for one in people(session, life)]) if in_full else []
    line = {"step": number, "now": life.clock.now().isoformat(), "people": found}
    with Path(life.order.notes).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def facts_of(one: Any) -> dict[str, Any]:
    """What may be said of an account to whoever has proved to be its guarantor, and what to nobody else."""
    return {"account_id": one.account_id, "amounts": sorted(legal_amounts(one)),
            "days": sorted({visit.service_on.isoformat() for visit in one.visits if visit.service_on}),
            "payers": sorted({cover.payer_name for visit in one.visits for cover in visit.coverages}),
            "providers": sorted({visit.provider for visit in one.visits if visit.provider})}


def waiting(session: Session) -> list[str]:
    """What is not done yet, in words without anything of the patient's."""
    rows = [f"inbox {row.id} {row.kind} {row.status} {row.note or ''}"
            for row in session.query(Inbox).where(Inbox.status != "done")]
    return rows + [f"outbox {row.template} {row.status} {row.error_code or ''}" for row in session.query(Outbox).where(
        Outbox.status.in_(("queued", "claimed", "sending", "unknown")))]


def run(order: Order) -> None:
    try:
        failpoints.arm(order.failpoint)
        asyncio.run(live(order))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def warm_up(sample_file: str) -> None:
    """One undisturbed life, so that imports, mappings and templates are paid for once."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{shutil.copyfile(sample_file, f'{folder}/warm.db')}"
        anna = PEOPLE[0]
        lines = ("balance", f"{anna.born_on} {anna.postal_code}", "yes", "why", "pay all", "yes", "hola", "junk")
        steps = (*((">", line) for line in lines), ("@", "minutes 45"))
        asyncio.run(live(Order(url, f"{folder}/journal", f"{folder}/notes", anna.phone, "console", steps, 0, len(steps),
                               sample.TUESDAY.isoformat(), "")))
    gc.freeze()


def main() -> None:
    configure_logs("error")
    warm_up(sys.argv[1])
    for line in sys.stdin:
        given = json.loads(line)
        given["steps"] = tuple((kind, words) for kind, words in given["steps"])
        child = os.fork()
        if child == 0:
            run(Order(**given))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
