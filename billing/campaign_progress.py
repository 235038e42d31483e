"""How far a campaign has come: counts alone, by what a person who watches it wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing.store import campaign_queries as store

#: Outbox states.
LEFT = ("sent", "delivered", "undelivered", "unknown")
KEPT = ("withheld", "cancelled", "failed")
IN_OUTBOX = ("queued", "claimed", "deferred", "sending")


@dataclass(frozen=True, slots=True)
class Progress:
    """Accounts: all of them, those that wait, were left out or stopped. Messages: in the outbox, left, delivered, and
    kept back or given up before they left.
    """

    accounts: int
    waiting: int
    left_out: int
    stopped: int
    in_outbox: int
    left: int
    delivered: int
    withheld: int
    next_turn_at: datetime | None


def look(session: Session, campaign_id: str) -> Progress:
    return of(store.counts(session, campaign_id), store.message_counts(session, campaign_id),
              store.next_turn(session, campaign_id))


def of(rows: Mapping[str, int], messages: Mapping[str, int], next_turn_at: datetime | None = None) -> Progress:
    """From accounts by what became of their rows, and messages by their state."""
    def count(*statuses: str) -> int:
        return sum(messages.get(one, 0) for one in statuses)

    return Progress(sum(rows.values()), rows.get("waiting", 0), rows.get("left_out", 0), rows.get("stopped", 0),
                    count(*IN_OUTBOX), count(*LEFT), count("delivered"), count(*KEPT), next_turn_at)
