"""A preview's sets judged in processes of their own: a million accounts want more than one core."""

from __future__ import annotations

import gc
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime
from functools import partial

from billing.planning import Order, Part, Spread, judge_set
from billing.store.seal import Keyring
from bot.write import Store, open_store

AHEAD = 2
"""Sets handed to each process before the first answer is taken: enough that none waits, few enough to stay flat."""

_store: Store | None = None


def spread(url: str, ring: Keyring, order: Order, now: datetime, *, processes: int = 2, samples: int = 3) -> Spread:
    """Return what billing/planning.preview takes as ``spread``. Only for PostgreSQL, where readers do not queue."""
    return partial(_spread, url, ring, order, now, processes, samples)


def _spread(url: str, ring: Keyring, order: Order, now: datetime, processes: int, samples: int,
            sets: Iterable[list[str]]) -> Iterator[Part]:
    # A fork would take this process's open connections and locks along.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _open, (url, ring)) as pool:
        asked: deque[Future[Part]] = deque()
        for one in sets:
            asked.append(pool.submit(_judge, order, one, now, samples))
            if len(asked) > processes * AHEAD:
                yield asked.popleft().result()
        while asked:
            yield asked.popleft().result()


def _open(url: str, ring: Keyring) -> None:
    global _store
    _store = open_store(url, ring)
    # What was imported lives as long as the process, and a set's facts end with it without any cycles: looking for
    # garbage among them again and again costs more than it finds.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _judge(order: Order, guarantor_ids: list[str], now: datetime, samples: int) -> Part:
    assert _store is not None, "the pool opens the store before it gives work"
    return _store.read(lambda session: judge_set(session, order, guarantor_ids, now, samples))
