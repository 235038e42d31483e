"""A preview's sets judged in processes of their own: a million accounts want more than one core."""

from __future__ import annotations

import gc
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from billing.planning import Spread
from billing.planning_alike import Known
from billing.planning_sets import Order, Part, judge_set
from billing.store.seal import Keyring
from bot.write import Store, open_store

AHEAD = 2
"""Sets handed to each process before the first answer is taken: enough that none waits, few enough to stay flat."""

def spread(url: str, ring: Keyring, order: Order, now: datetime, *, processes: int = 2, samples: int = 3) -> Spread:
    """Return what billing/planning.preview takes as ``spread``. Only for PostgreSQL, where readers do not queue."""
    return partial(_spread, url, ring, order, now, processes, samples)


def _spread(url: str, ring: Keyring, order: Order, now: datetime, processes: int, samples: int,
            sets: Iterable[list[str]]) -> Iterator[Part]:
    # A fork would take this process's open connections and locks along.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _open, (url, ring, order, now, samples)) as pool:
        asked: deque[Future[Part]] = deque()
        for one in sets:
            asked.append(pool.submit(_judge, one))
            if len(asked) > processes * AHEAD:
                yield asked.popleft().result()
        while asked:
            yield asked.popleft().result()


@dataclass(frozen=True, slots=True)
class _Bench:
    """What a process judges with, for all of its sets."""

    store: Store
    order: Order
    now: datetime
    samples: int
    known: Known


_bench: _Bench | None = None


def _open(url: str, ring: Keyring, order: Order, now: datetime, samples: int) -> None:
    global _bench
    _bench = _Bench(open_store(url, ring), order, now, samples, Known())
    # What was imported lives as long as the process, and a set's facts end with it without any cycles: looking for
    # garbage among them again and again costs more than it finds. It is looked for when they are gone.
    gc.freeze()
    gc.disable()


def _judge(guarantor_ids: list[str]) -> Part:
    bench = _bench
    assert bench is not None, "the pool opens the store before it gives work"
    part = bench.store.read(lambda session: judge_set(
        session, bench.order, guarantor_ids, bench.now, bench.samples, bench.known))
    gc.collect(1)  # what has outlived two sets lives on
    return part
