"""How long a campaign's preview takes over 100,000 and over 1,000,000 accounts on PostgreSQL, and in how much memory.

Promised: a million under 60 s and 500 MB, and at most 11 times what a hundred thousand take. The machine may be shared:
the processor's own seconds, ours and the server's, are given beside those of the clock. PLAN_ACCOUNTS (two numbers)
makes it smaller; bounds of time and memory hold for a million only. Filling the store of a million takes minutes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.planning_store import PRACTICE, fill
from benchmarks.result import Result
from billing.gate_sets import Words
from billing.planning import Order, preview
from billing.store.seal import Keyring
from billing.store.tables import Guarantor
from bot.planning_processes import spread
from bot.write import open_store

KEYS = Keyring({"bench": bytes(range(32))}, "bench", bytes(range(32, 64)))
NOW = datetime(2026, 11, 3, 15, tzinfo=UTC)
PROCESSES = 2
MILLION = 1_000_000
BOUNDS = {"seconds": 60.0, "megabytes": 500.0}
LINK = "https://pay.example/l/" + "x" * 22
INTRODUCTION = (f"Maple Clinic: You have a new billing message. Read it here: {LINK} Message frequency varies. "
                "Msg & data rates may apply. Reply HELP for help, STOP to stop.")
PLAIN = f"Maple Clinic: You have a new bill. See it here: {LINK} Reply STOP to stop."
LETTER = "Maple Clinic. This is your statement. Pay online or call us at 212-555-0199."


def order() -> Order:
    """A statement by text, in two languages, and on paper to whom a text cannot reach."""
    words = {("sms", language, introduced): Words("statement_ready", "1", language, "open", body, segments)
             for language in ("en", "es")
             for introduced, body, segments in ((True, PLAIN, 1), (False, INTRODUCTION, 2))}
    letters = {("paper", language, True): Words("letter_statement", "1", language, "open", LETTER, 0)
               for language in ("en", "es")}
    return Order(PRACTICE, "statement", ("sms", "paper"), {**words, **letters}, checked=True)


def measure() -> Iterator[Result]:
    """Yield seconds, processor seconds and memory for both sizes, and the ratio of their times."""
    from tests.databases import PostgresqlServer

    sizes = [int(one) for one in os.environ.get("PLAN_ACCOUNTS", f"100000 {MILLION}").split()]
    with tempfile.TemporaryDirectory(prefix="plainbill-bench-", ignore_cleanup_errors=True) as folder:
        server = PostgresqlServer(Path(folder) / "data")
        try:
            taken = []
            postmaster = int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0])
            for accounts in sizes:
                name = server.create()
                found = _measure(server.url(name), accounts, postmaster)
                taken.append(found["seconds"])
                for what, unit in (("seconds", "s"), ("cpu_seconds", "s processor"), ("server_cpu_seconds", "s server"),
                                   ("megabytes", "MB")):
                    yield Result(f"preview of {accounts:,} accounts", found[what], unit,
                                 at_most=BOUNDS.get(what) if accounts == MILLION else None)
                server.drop(name)
            yield Result(f"time for {sizes[-1]:,} over time for {sizes[0]:,}", taken[-1] / taken[0], "times",
                         at_most=1.1 * sizes[-1] / sizes[0])
        finally:
            server.stop()


def _measure(url: str, accounts: int, postmaster: int) -> dict[str, float]:
    store = open_store(url, KEYS)
    fill(store, url, accounts, NOW)
    store.close()
    time.sleep(1)  # as below: until what filled the store is counted
    # A process of its own: what filling the store took is not the preview's.
    before = _server_cpu(postmaster)
    ran = subprocess.run([sys.executable, "-m", "benchmarks.planning", url], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    time.sleep(1)  # until the server has counted the processes that served us as its own
    return {**found, "server_cpu_seconds": _server_cpu(postmaster) - before}


def _server_cpu(postmaster: int) -> float:
    """Processor seconds of the server and of all its processes that have ended."""
    counted = Path(f"/proc/{postmaster}/stat").read_text().rsplit(")", 1)[1].split()[11:15]
    return sum(int(ticks) for ticks in counted) / os.sysconf("SC_CLK_TCK")


def run(url: str) -> dict[str, float]:
    """One preview of every account, by two processes."""
    store = open_store(url, KEYS)
    began = time.perf_counter()
    found = store.read(lambda session: preview(
        session, order(), _accounts(session), NOW, spread=spread(url, KEYS, order(), NOW, processes=PROCESSES)))
    took = time.perf_counter() - began
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    store.close()
    return {"seconds": took, "cpu_seconds": own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime,
            "megabytes": (own.ru_maxrss + PROCESSES * children.ru_maxrss) / 1024, "accounts": found.accounts,
            "messages": found.messages,
            "groups": {f"{one.outcome} {one.rule}": one.accounts for one in found.groups}}  # type: ignore[dict-item]


def _accounts(session: Session) -> Iterator[str]:
    yield from session.scalars(select(Guarantor.id).where(Guarantor.practice_id == PRACTICE).order_by(Guarantor.id),
                               execution_options={"yield_per": 5000})


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1])))
