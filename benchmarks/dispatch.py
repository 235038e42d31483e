"""Messages delivered a second through the whole path, over what Twilio's client does alone in the same run.

The whole path: claim, the gate again on fresh facts, Twilio's async client to a local server that answers after
100 ms, record. The bare client posts the same bodies to the same server with as many under way, and does nothing else.
Promised: at least half of it with one worker on PostgreSQL, and with two workers at least 1.6 times one. Every
contender is a process of its own that has imported everything before its clock starts.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, configure_mappers

from benchmarks.planning import KEYS, order
from benchmarks.planning_store import POLICY, PRACTICE, fill
from benchmarks.result import Result
from billing import gate_sets
from billing.gate_sets import Candidate
from billing.ids import new_id
from billing.policy import core
from billing.store.seal import seal
from billing.store.tables import ContactPoint, Guarantor, Outbox
from bot.write import open_store
from config.clock import StartedClock

#: A Tuesday, ten in the morning in New York: everybody's hours are open.
NOW = datetime(2026, 11, 3, 19, tzinfo=UTC)
MESSAGES = int(os.environ.get("DISPATCH_MESSAGES", "2000"))
AT_ONCE = int(os.environ.get("DISPATCH_AT_ONCE", "50"))
RUNS = int(os.environ.get("DISPATCH_RUNS", "3"))


@dataclass(frozen=True, slots=True)
class Bench:
    """A practice with messages to send, of which every contender gets a copy; a carrier that answers after 100 ms."""

    server: Any
    prepared: str
    carrier: str

    def copy(self) -> str:
        return str(self.server.url(self.server.create(self.prepared)))


def measure() -> Iterator[Result]:
    """Yield the three rates and the two ratios that were promised."""
    from tests.databases import PostgresqlServer

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="plainbill-bench-", ignore_cleanup_errors=True))
        server = PostgresqlServer(Path(folder) / "data")
        stack.callback(server.stop)
        prepared = server.create()
        _prepare(server.url(prepared))
        bench = Bench(server, prepared, stack.enter_context(_Carrier()).url)
        rates: dict[str, list[float]] = {"bare": [], "one": [], "two": []}
        for _ in range(RUNS):
            rates["bare"].append(_bare(bench))
            rates["one"].append(_work(bench, 1))
            rates["two"].append(_work(bench, 2))
    bare, one, two = (statistics.median(rates[name]) for name in ("bare", "one", "two"))
    each = f"{AT_ONCE} under way each"
    yield Result(f"Twilio's client alone, {AT_ONCE} under way", bare, "messages a second")
    yield Result(f"one worker, PostgreSQL, {each}", one, "messages a second")
    yield Result(f"two workers, {each}", two, "messages a second")
    yield Result("one worker over the client alone", statistics.median(_over(rates, "one", "bare")), "times",
                 at_least=0.5)
    yield Result("two workers over one", statistics.median(_over(rates, "two", "one")), "times", at_least=1.6)


def _prepare(url: str) -> None:
    store = open_store(url, KEYS)
    fill(store, url, 6 * MESSAGES, NOW)
    store.write(_reseal)
    store.write(queue)
    store.close()


def _reseal(session: Session) -> None:
    """The million's store seals what its gate opens; the gate that sends opens names and visit numbers too."""
    for table, column in (("guarantors", "name"), ("patients", "name"), ("patients", "given"), ("visits", "external"),
                          ("preferences", "wording")):
        session.execute(text(f"UPDATE {table} SET {column} = :it"), {"it": seal("Ash Example", f"{table}.{column}")})


def _over(rates: dict[str, list[float]], above: str, below: str) -> list[float]:
    """Each run's own ratio: what else the machine did then, it did to both."""
    return [a / b for a, b in zip(rates[above], rates[below], strict=True)]


def queue(session: Session) -> int:
    """Queue a demand to everybody whom the gate lets one go to, each with a link of its own."""
    words, chance = order().words, random.Random(7)
    candidates = []
    points = select(ContactPoint, Guarantor.language).join(Guarantor, Guarantor.id == ContactPoint.guarantor_id)
    for point, language in session.execute(points.where(ContactPoint.channel == "sms").order_by(ContactPoint.id)):
        candidates.append(Candidate(point.guarantor_id, "sms", point.address, point.address_hash, "statement",
                                    words["sms", language, False]))
    made, seen = 0, set[str]()
    for one, facts in zip(candidates, gate_sets.facts_for(session, PRACTICE, candidates, NOW), strict=True):
        if made == MESSAGES:
            break
        if one.address_hash not in seen and core.decide(facts).sends:
            session.add(_row(one, facts, chance))
            seen.add(one.address_hash)
            made += 1
    assert made == MESSAGES, f"only {made} accounts may be told"
    return made


def _row(one: Candidate, facts: core.Facts, chance: random.Random) -> Outbox:
    token = urlsafe_b64encode(chance.randbytes(16)).decode().rstrip("=")  # as billing/ids.new_token makes it
    return Outbox(
        id=new_id("msg"), practice_id=PRACTICE, guarantor_id=one.guarantor_id, channel="sms", address=one.address,
        address_hash=one.address_hash, purpose=one.purpose, template=one.words.template, template_version="1",
        language=one.words.language, privacy=one.words.privacy, arguments={"url": token},
        body=one.words.body.replace("x" * 22, token), segments=2, subject="", status="queued", due_at=NOW, sequence=0,
        idempotency_key=f"bench:{one.guarantor_id}", amount_minor=facts.account.due_now_minor,
        balance_version=facts.account.balance_version, attempts=0, lookups=0, created_at=NOW)


def _work(bench: Bench, workers: int) -> float:
    """Messages a second from the word go to the last one recorded."""
    url = bench.copy()
    with ExitStack() as stack:
        started = [stack.enter_context(_Contender("work", url, bench.carrier)) for _ in range(workers)]
        store = open_store(url, KEYS)
        stack.callback(store.close)
        began = time.perf_counter()
        for one in started:
            one.go()
        while (sent := store.read(_sent)) < MESSAGES:
            assert time.perf_counter() - began < 60, f"only {sent} were sent: {store.read(_states)}"
            time.sleep(0.05)
        return MESSAGES / (time.perf_counter() - began)


def _sent(session: Session) -> int:
    mine = Outbox.idempotency_key.like("bench:%")
    return session.scalar(select(func.count()).where(mine, Outbox.status == "sent")) or 0


def _states(session: Session) -> dict[str, int]:
    found = session.execute(select(Outbox.status, func.count()).group_by(Outbox.status))
    return {status: rows for status, rows in found}  # noqa: C416 - a row is no pair to mypy


def _bare(bench: Bench) -> float:
    with _Contender("bare", bench.copy(), bench.carrier) as one:
        one.go()
        return float(one.line())


class _Contender:
    """A process that says when it is ready, and starts when told."""

    def __init__(self, what: str, url: str, carrier: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.dispatch", what, url, carrier], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        assert self.line() == "ready"

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def __enter__(self) -> _Contender:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


class _Carrier(_Contender):
    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", "benchmarks.carrier"], stdout=subprocess.PIPE,
                                         text=True)
        self.url = self.line()

    def __enter__(self) -> _Carrier:
        return self


async def _be_bare(url: str, carrier: str) -> None:
    from bot.channels.sms import SmsChannel, TwilioAccount

    store = open_store(url, KEYS)
    rows = store.read(lambda session: [(row.id, row.address, row.body) for row in session.scalars(
        select(Outbox).where(Outbox.idempotency_key.like("bench:%")))])
    store.close()
    channel = SmsChannel(TwilioAccount("AC" + "0" * 32, "token", carrier, "http://127.0.0.1:1"))
    slots = asyncio.Semaphore(AT_ONCE)

    async def post(outbox_id: str, address: str, body: str) -> None:
        async with slots:
            await channel._client.messages.create_async(
                to=address, from_=POLICY.sms_number, body=body,
                status_callback=f"http://127.0.0.1:1/hooks/twilio/status/{outbox_id}")

    await post(*rows[0])
    await _word()
    began = time.perf_counter()
    await asyncio.gather(*(post(*row) for row in rows))
    print(len(rows) / (time.perf_counter() - began), flush=True)
    await channel.close()


async def _be_worker(url: str, carrier: str) -> None:
    from bot import bells, worker
    from bot.app import worker_name
    from bot.channels.sms import SmsChannel, TwilioAccount
    from bot.road import Road

    store = open_store(url, KEYS)
    configure_mappers()
    channel = SmsChannel(TwilioAccount("AC" + "0" * 32, "token", carrier, "http://127.0.0.1:1"))
    road = Road(store, StartedClock(NOW, time.monotonic_ns()), worker_name(), "http://127.0.0.1:1", {"sms": channel},
                **_speed())
    await _word()
    stop = asyncio.Event()
    await asyncio.gather(worker.work(road, stop), bells.ring_between(url, road.wake, stop))


def _speed() -> dict[str, Any]:
    from bot.road import Road

    return {"sends_at_once": AT_ONCE} if "sends_at_once" in Road.__slots__ else {}


async def _word() -> None:
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


def main(what: str, url: str, carrier: str) -> None:
    import uvloop

    uvloop.run({"bare": _be_bare, "work": _be_worker}[what](url, carrier))


if __name__ == "__main__":
    main(*sys.argv[1:])
