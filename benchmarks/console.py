"""How long a page and a webhook take while everybody is there, over the same on an idle server in the same run.

200 members of the staff work in the console (inbox, threads, accounts, worklists, with what their screens ask for by
themselves), 2,000 patients read their bills, texts come in, and a campaign sends: one web process, one worker and one
scheduler of ``plainbill serve`` on PostgreSQL, and a carrier that answers after 100 ms, all on this machine. Promised:
at most three times the idle server's, at the 95th percentile (docs/scale.md says why three). CONSOLE_STAFF,
CONSOLE_PATIENTS, CONSOLE_ACCOUNTS and CONSOLE_SECONDS make it smaller or larger.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks import console_store
from benchmarks.carrier import serving
from benchmarks.console_load import Load, alone, together
from benchmarks.console_store import NOW, Crew
from benchmarks.inbound import Served, keys
from benchmarks.result import Result
from billing.store.tables import Outbox
from bot.write import open_store

STAFF = int(os.environ.get("CONSOLE_STAFF", "200"))
PATIENTS = int(os.environ.get("CONSOLE_PATIENTS", "2000"))
ACCOUNTS = int(os.environ.get("CONSOLE_ACCOUNTS", "300"))
SECONDS = float(os.environ.get("CONSOLE_SECONDS", "60"))
IDLE_ROUNDS, MOST = 15, 3.0
WARM = 60.0
"""Seconds before anything is kept: everybody has come (PATIENT_READ), and each connection has what it asks often."""
KINDS = {"staff": "a page of the console", "live": "what a screen asks for by itself", "patient": "a patient's page",
         "webhook": "a webhook"}


def measure() -> Iterator[Result]:
    """Yield the 95th percentiles, idle and with everybody there, their ratios, and what was done meanwhile."""
    from tests.databases import PostgresqlServer

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="plainbill-bench-", ignore_cleanup_errors=True))
        server = PostgresqlServer(Path(folder) / "data")
        stack.callback(server.stop)
        url = str(server.url(server.create()))
        store = open_store(url, keys())
        stack.callback(store.close)
        # The campaign is to last as long as the measuring does, whatever its size.
        rules = console_store.policy(max(60, int(60 * ACCOUNTS / (WARM + SECONDS))))
        crew = _crowded(console_store.fill(store, rules, ACCOUNTS, STAFF))
        carrier, clock = stack.enter_context(serving()), {"PLAINBILL_CLOCK": NOW.isoformat()}
        web, *_ = [stack.enter_context(Served(role, url, folder, carrier, **clock))
                   for role in ("web", "worker", "scheduler")]
        idle = asyncio.run(_alone(web.url, crew))
        console_store.begin(store, rules, crew.campaign, NOW + timedelta(seconds=30))
        before, began = store.read(_left), time.perf_counter()
        busy = asyncio.run(_together(web.url, crew))
        yield from _compared(idle, busy)
        yield Result("pages and webhooks meanwhile", sum(map(len, busy.values())) / SECONDS, "a second")
        yield Result("texts of the campaign and answers meanwhile", (store.read(_left) - before)
                     / (time.perf_counter() - began), "a second")


def _crowded(crew: Crew) -> Crew:
    """As many patients as wanted: several read the same bill, each in a browser of their own."""
    return replace(crew, patients=[crew.patients[n % len(crew.patients)] for n in range(PATIENTS)])


def _compared(idle: dict[str, list[float]], busy: dict[str, list[float]]) -> Iterator[Result]:
    for kind, words in KINDS.items():
        slow, usual = _p95(busy[kind]), _p95(idle[kind])
        yield Result(f"{words}, p95, idle server", 1000 * usual, "ms")
        yield Result(f"{words}, p95, everybody there", 1000 * slow, "ms")
        yield Result(f"{words}, everybody there over idle", slow / usual, "times", at_most=MOST)


def _p95(waits: list[float]) -> float:
    return sorted(waits)[int(len(waits) * 0.95)] if waits else float("nan")


async def _alone(url: str, crew: Crew) -> dict[str, list[float]]:
    async with aiohttp.ClientSession() as http:
        load = Load(url, crew, http, random.Random(7), keeping=False)
        await alone(load, 2)  # every page has been made once
        load.keeping = True
        await alone(load, IDLE_ROUNDS)
        return load.waits


async def _together(url: str, crew: Crew) -> dict[str, list[float]]:
    # Let go of before the server does after its 5 s: else a request meets a connection that is closed in that moment.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
    async with aiohttp.ClientSession(connector=connector) as http:
        load = Load(url, crew, http, random.Random(8), texts=10_000)
        await together(load, WARM, SECONDS)
        return load.waits


def _left(session: Session) -> int:
    """Messages that left the house."""
    return session.scalar(select(func.count()).where(Outbox.status.in_(("sent", "delivered")))) or 0
