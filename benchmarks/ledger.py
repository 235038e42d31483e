"""Two-leg postings a second, beside python-accounting on SQLite and django-hordak on PostgreSQL in the same run.

Ours is ``billing.ledger.post`` inside ``Store.write``, as everything that moves money calls it: idempotent by source
reference, balances and versions kept in the same transaction. Peers post by their own customary call. Rounds take
turns, so that what else the machine does falls on all of them. The databases are of the same kind and settings for all:
an SQLite file each, and one embedded PostgreSQL server.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from benchmarks.peers.running import NotMeasured, run
from benchmarks.places import databases
from benchmarks.result import Result
from billing import ledger
from billing.ledger import Posting
from billing.store.seal import Keyring, install_keyring
from billing.store.tables import Base, Practice
from bot.write import Store, open_store

KEYS = Keyring({"bench": bytes(32)}, "bench", bytes(32))
NOW = datetime(2026, 11, 3, 15, tzinfo=UTC)
PRACTICE = "prac_bench"
ACCOUNTS = 200
BATCH = 400  # transfers; an import's batch of fifty claims
ROUNDS = int(os.environ.get("LEDGER_ROUNDS", "3"))
SINGLES = int(os.environ.get("LEDGER_SINGLES", "500"))
LONG, SHORT = 100_000, 10
_numbers = count(1)


def measure() -> Iterator[Result]:
    """Yield rates, ratios to the peers, and how a long account's balance compares with a short one's."""
    install_keyring(KEYS)
    with databases() as (folder, server), closing(prepare(f"sqlite:///{folder / 'ours.db'}")) as lite, \
            closing(prepare(server.url(server.create()))) as full:
        yield from _on_sqlite(lite, folder)
        yield from _on_postgresql(full, server)
        for name, store in (("SQLite", lite), ("PostgreSQL", full)):
            yield _balances(name, store)


def prepare(url: str) -> Store:
    """A migrated store with a practice and ACCOUNTS guarantors."""
    store = open_store(url, KEYS, upgrade=True)
    store.write(_fill)
    return store


def _fill(session: Session) -> None:
    session.add(Practice(id=PRACTICE, name="Bench", legal_name="Bench", phone="+12125550199", zone="America/New_York",
                         currency="USD", configured=True, settings={}, created_at=NOW, updated_at=NOW))
    session.flush()
    rows = [{"id": f"gua_{n}", "practice_id": PRACTICE, "external": f"A{n}", "external_hash": f"h{n}", "name": "Elm",
             "surname_hash": "s", "language": "en", "origin": "csv", "balance_version": 0, "created_at": NOW}
            for n in range(ACCOUNTS)]
    session.execute(insert(Base.metadata.tables["guarantors"]), rows)


def posting(number: int, visit: str = "") -> Posting:
    """A payer's payment on one of the visits."""
    owner = number % ACCOUNTS
    visit = visit or f"vis_{owner}"
    return Posting(PRACTICE, ledger.wide("payer_clearing"), ledger.patient(visit), 1234, "USD", "payer_payment",
                   date(2026, 11, 3), "bench", f"n:{next(_numbers)}", f"gua_{owner}", visit)


def post_singly(store: Store, entries: int) -> None:
    for number in range(entries):
        one = [posting(number)]
        store.write(partial(ledger.post, postings=one, now=NOW))


def post_in_batches(store: Store, entries: int) -> None:
    """As billing/book.py does: the references come from rows of this very transaction."""
    for start in range(0, entries, BATCH):
        many = [posting(number) for number in range(start, start + BATCH)]
        store.write(partial(ledger.post, postings=many, now=NOW, new=True))


def rate(act: Callable[[Store, int], None], store: Store, entries: int) -> float:
    began = time.perf_counter()
    act(store, entries)
    return entries / (time.perf_counter() - began)


@dataclass(slots=True)
class _Rounds:
    """Rates of our own and of a peer, taken in turns; ``missing`` says why there are none of the peer's."""

    singly: list[float] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)
    theirs: list[dict[str, float]] = field(default_factory=list)
    missing: str = ""


def _in_turns(store: Store, peer: Callable[[int], dict[str, float]]) -> _Rounds:
    post_singly(store, 50)
    found = _Rounds()
    for number in range(ROUNDS):
        try:
            found.theirs.append(peer(number))
        except NotMeasured as error:
            found.missing = str(error)
        found.singly.append(rate(post_singly, store, SINGLES))
        found.batches.append(rate(post_in_batches, store, 10 * BATCH))
    return found


def _own(name: str, found: _Rounds) -> Iterator[Result]:
    yield Result(f"{name}, one at a time", statistics.median(found.singly), "postings a second")
    yield Result(f"{name}, {BATCH} to a transaction", statistics.median(found.batches), "postings a second")


def _on_sqlite(store: Store, folder: Path) -> Iterator[Result]:
    found = _in_turns(store, lambda number: run(
        "python-accounting", "peer_accounting.py", str(folder / f"peer{number}.db"), "30", "1"))
    yield from _own("SQLite", found)
    yield from _beside("SQLite, one at a time", "python-accounting", found.singly,
                       [one["single"] for one in found.theirs], 25, found.missing)


def _on_postgresql(store: Store, server: Any) -> Iterator[Result]:
    found = _in_turns(store, lambda _: run(
        "django-hordak", "peer_hordak.py", server.url(server.create("template1")), str(BATCH), "1"))
    yield from _own("PostgreSQL", found)
    yield from _beside("PostgreSQL, one at a time", "django-hordak", found.singly,
                       [one["single"] for one in found.theirs], 3, found.missing)
    # Its own import is one transaction of as many entries; what it does faster of the two is what we are held to.
    best = [max(one["single"], one["batch"]) for one in found.theirs]
    yield from _beside("PostgreSQL, as an import posts", "django-hordak", found.batches, best, 15, found.missing)


def _beside(what: str, peer: str, ours: Sequence[float], theirs: Sequence[float], bound: float,
            missing: str) -> Iterator[Result]:
    if missing or len(ours) != len(theirs):
        yield Result(f"{what}: not measured ({missing})", 0, f"times {peer}", at_least=bound)
        return
    yield Result(f"{peer}, {what}", statistics.median(theirs), "postings a second")
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    yield Result(f"{what}, over {peer}", statistics.median(ratios), "times", at_least=bound)


def _balances(name: str, store: Store) -> Result:
    """How long the balance of an account with LONG transfers takes, over one with SHORT."""
    for visit, transfers in (("vis_long", LONG), ("vis_short", SHORT)):
        for start in range(0, transfers, 2_000):
            many = [posting(0, visit) for _ in range(start, min(start + 2_000, transfers))]
            store.write(partial(ledger.post, postings=many, now=NOW, new=True))
    times: dict[str, list[float]] = {"vis_long": [], "vis_short": []}
    for _ in range(300):
        for visit, taken in times.items():
            taken.append(store.read(partial(_time_balance, visit=visit)))
    long, short = (statistics.median(times[visit]) for visit in ("vis_long", "vis_short"))
    return Result(f"{name}, balance: {LONG:,} transfers over {SHORT}", long / short, "times", at_most=1.25)


def _time_balance(session: Session, visit: str) -> float:
    session.connection()
    began = time.perf_counter()
    minor = ledger.balance(session, PRACTICE, ledger.patient(visit))
    took = time.perf_counter() - began
    assert minor == -1234 * (LONG if visit == "vis_long" else SHORT)
    return took
