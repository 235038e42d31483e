"""Many messages at once on their way out: begun in one transaction, each as billing/outbox.py does it alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from billing import gate_rows, outbox
from billing.outbox import Order
from billing.store import practices, road_queries
from billing.store.tables import Outbox


@dataclass(frozen=True, slots=True)
class Begun:
    """``orders`` are marked as being sent; ``alone`` are claimed still, and each is for ``outbox.begin_sending``."""

    orders: tuple[Order, ...]
    alone: tuple[str, ...]


def begin_all(session: Session, outbox_ids: Sequence[str], worker: str, now: datetime,
              judged: Callable[[], None] = lambda: None) -> Begun:
    """Ask the gate about claimed messages and mark those that may leave. ``judged`` is called after each ruling.

    The commit of this is for each of them the promise that begin_sending's is for one.
    """
    rows = [row for row in road_queries.lock_messages(session, outbox_ids)
            if row.status == "claimed" and row.claimed_by == worker]
    alone = [row.id for row in rows if not gate_rows.fits(row)]
    orders: list[Order] = []
    for practice_id, part in groupby(sorted(filter(gate_rows.fits, rows), key=_practice), key=_practice):
        practice = practices.find_practice(session, practice_id)  # held, so that nobody reads it again for each
        ruled, together = gate_rows.judge_all(session, practice_id, list(part), now)
        alone += [row.id for row in together]
        for _ in ruled:
            judged()
        orders += outbox.begin(session, [(one.row, one.ruling) for one in ruled], worker, now)
        del practice
    return Begun(tuple(orders), tuple(alone))


def _practice(row: Outbox) -> str:
    return row.practice_id
