"""What became of a campaign: one row for each account, and what it came to together.

Counted for each message that left: delivered or not, whether the patient wrote back or opted out, and what was paid
within so many days of it. Money that came after a message did not all come because of it, and the report does not say
so. Amounts in cents, costs in millionths of a dollar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing.message_life import MAY_HAVE_LEFT
from billing.store import campaign_report_queries as store
from billing.store.campaign_report_queries import Told
from billing.store.tables import Campaign
from config.dunning_policy import CarrierPolicy

DAYS = 30
"""How long after a message replies, opt-outs and payments are counted, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Row:
    """One account. ``fate``: waiting, stopped, left_out, or the state of its message. ``rule`` and ``reason`` say why
    nothing left, or what it waits for. ``paid_between_minor``: paid between the start of the run and its turn.
    """

    account: str
    account_id: str
    fate: str
    rule: str
    reason: str
    way: str
    message_id: str
    passed: str  # the ways before it, and why each was passed over
    due_minor: int
    paid_between_minor: int
    worked_at: datetime | None
    left_at: datetime | None
    settled_at: datetime | None
    error_code: str
    replies: int
    opted_out: bool
    paid_minor: int
    segments: int
    cost_micros: int


@dataclass(slots=True)
class Summary:
    """All rows together. ``fates`` and ``rules`` count accounts."""

    accounts: int = 0
    left: int = 0
    delivered: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    paid_between: int = 0
    replied: int = 0
    opted_out: int = 0
    paid: int = 0
    paid_minor: int = 0
    segments: int = 0
    cost_micros: int = 0

    def add(self, row: Row) -> None:
        self.accounts += 1
        self.fates[row.fate] += 1
        self.paid_between += row.paid_between_minor > 0
        if row.rule:
            self.rules[row.rule] += 1
        if row.left_at is None:
            return
        self.left += 1
        self.delivered += row.fate == "delivered"
        self.ways[row.way] += 1
        self.replied += row.replies > 0
        self.opted_out += row.opted_out
        self.paid += row.paid_minor > 0
        self.paid_minor += row.paid_minor
        self.segments += row.segments
        self.cost_micros += row.cost_micros

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "fates": dict(self.fates), "rules": dict(self.rules), "ways": dict(self.ways)}


#: Headings of the CSV file, and keys of a row's JSON.
COLUMNS = tuple(one.name for one in fields(Row))


def rows(session: Session, campaign: Campaign, carrier: CarrierPolicy, days: int = DAYS) -> Iterator[Row]:
    """Every account in the order of the run, read in sets; nothing is kept in memory."""
    for part in store.parts(session, campaign.id):
        told = store.tell(session, campaign, part, timedelta(days=days))
        yield from (_row(one, carrier) for one in told)


def summarize(session: Session, campaign: Campaign, carrier: CarrierPolicy, days: int = DAYS) -> Summary:
    """Everything together."""
    total = Summary()
    for row in rows(session, campaign, carrier, days):
        total.add(row)
    return total


def _row(told: Told, carrier: CarrierPolicy) -> Row:
    left = told.status in (*MAY_HAVE_LEFT, "undelivered") and told.sending_at is not None
    queued = told.outcome == "queued"
    # No rule keeps a letter back that waits for its print run.
    settled = (left and told.status in ("sent", "delivered")) or (queued and told.verdict_rule == "allowed")
    return Row(
        told.account, told.guarantor_id, told.status if queued else told.outcome,
        "" if settled else told.verdict_rule if queued else told.rule,
        "" if settled else told.verdict_reason if queued else told.reason, told.channel, told.outbox_id, told.passed,
        told.due_minor, told.paid_between_minor, told.worked_at, told.sending_at if left else None, told.settled_at,
        told.error_code, told.replies, told.opted_out, told.paid_minor if left else 0, told.segments if left else 0,
        _cost(told, carrier) if left else 0)


def _cost(told: Told, carrier: CarrierPolicy) -> int:
    match told.channel:
        case "sms":
            return told.segments * carrier.segment_cost_micros
        case "paper":
            return carrier.letter_cost_micros
        case "email":
            return carrier.email_cost_micros
        case _:
            return 0
