"""Many messages at once on their way out: begun in one transaction, and recorded in one, each as billing/outbox.py
does it alone.
"""

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

    The commit of this is for each of them the promise that begin_sending's is for one. Raises carrier_caps.Crowded.
    """
    rows = [row for row in road_queries.lock_messages(session, outbox_ids)
            if row.status == "claimed" and row.claimed_by == worker]
    alone = [row.id for row in rows if not gate_rows.fits(row)]
    orders: list[Order] = []
    for practice_id, part in groupby(sorted(filter(gate_rows.fits, rows), key=_practice), key=_practice):
        practice = practices.find_practice(session, practice_id)  # held, so that nobody reads it again for each
        ruled, together = gate_rows.judge_all(session, practice_id, list(part), now)
        alone += [row.id for row in together]
        for one in ruled:
            judged()
            if one.ruling.sends:
                outbox.mark(one.row, worker, now)
                orders.append(outbox.order_of(session, one.row))
            else:
                outbox.obey(session, one.row, one.ruling, now)
        gate_rows.count(session, ruled, now)
        del practice
    return Begun(tuple(orders), tuple(alone))


def record_all(session: Session, sent: Sequence[tuple[str, str]], now: datetime) -> None:
    """The provider took these messages (our id, its id)."""
    locked = road_queries.lock_messages(session, [outbox_id for outbox_id, _ in sent], words=False)
    rows = {row.id: row for row in locked}
    for outbox_id, provider_id in sent:
        if outbox_id in rows:
            outbox.settle_sent(rows[outbox_id], provider_id, now)


def _practice(row: Outbox) -> str:
    return row.practice_id
