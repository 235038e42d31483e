"""The processor's books for tests: rows as the adapter reads them, and a processor made of such rows.

``Books`` speaks the whole port the way a processor does (asked about a charge, it answers from its own rows); no code
of ours stands in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.processors.base import EntryRow, PaymentEvent, PayoutRow, ProcessorError


def rows_in(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def entry(ref: str, kind: str, amount_minor: int, at: datetime, *, payment_id: str | None = None, fee_minor: int = 0,
          source_ref: str = "", processor_ref: str = "", payout_ref: str | None = None,
          currency: str = "USD") -> EntryRow:
    return EntryRow(ref=ref, kind=kind, source_ref=source_ref or f"src_{ref}", payment_id=payment_id,
                    payout_ref=payout_ref, amount_minor=amount_minor, fee_minor=fee_minor,
                    net_minor=amount_minor - fee_minor, currency=currency, made_at=at, processor_ref=processor_ref)


def payout(ref: str, amount_minor: int, at: datetime, arrival_on: date, status: str = "paid") -> PayoutRow:
    return PayoutRow(ref, amount_minor, "USD", status, arrival_on, at)


@dataclass
class Books:
    """A processor that knows these rows and nothing else."""

    rows: list[EntryRow] = field(default_factory=list)
    sent: list[PayoutRow] = field(default_factory=list)
    silent: bool = False  # does not answer about charges
    broken_after: int | None = None  # rows until listing breaks off
    extra_minor: int = 0  # what it holds besides its rows
    name: str = "stripe"

    async def fetch_charge(self, processor_ref: str) -> PaymentEvent:
        if self.silent:
            raise ProcessorError("unknown", "timeout")
        row = next(r for r in self.rows if r.kind == "charge" and r.processor_ref == processor_ref)
        return PaymentEvent(f"asked:{row.ref}", "paid", row.payment_id, row.amount_minor, row.currency, "",
                            processor_ref, "", row.made_at)

    async def complete(self, event: PaymentEvent) -> PaymentEvent:
        return event

    async def entries(self, since: datetime, until: datetime) -> AsyncIterator[EntryRow]:
        for number, row in enumerate(r for r in self.rows if since <= r.made_at <= until + timedelta(seconds=1)):
            if number == self.broken_after:
                raise ProcessorError("retry", "connection")
            yield row

    async def payouts(self, since: datetime, until: datetime) -> AsyncIterator[PayoutRow]:
        for row in self.sent:
            if since <= row.made_at <= until:
                yield row

    async def balance_minor(self, currency: str) -> int:
        return self.extra_minor + sum(r.net_minor for r in self.rows if r.currency == currency)
