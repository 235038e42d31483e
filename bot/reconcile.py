"""Asking the processor: about pages that ran out in silence, and, day by day, for its whole books.

Its answers go where every other news of a payment goes. Nothing is asked within a transaction, every page of its
books is kept in one of its own, and a run that was interrupted is simply run again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy.orm import Session

from billing import payments, reconciling
from billing import reconciling_verdicts as verdicts
from billing.reconciling import Doubt
from billing.reconciling_verdicts import Summary
from billing.store import payment_queries, reconcile_queries
from bot.failpoints import hit
from bot.processors.base import PaymentEvent, Processor, ProcessorError
from bot.road import Road

AT_ONCE = 20
PAGE = 100
AHEAD = timedelta(hours=1)
ROUNDS = 3

#: A bank debit takes days; whoever is pending for less than this is not asked about.
PENDING_FOR = timedelta(days=1)

#: Entries of the processor's books as the news that they are.
_KINDS = {"refund": "refund_made", "dispute": "disputed", "dispute_reversal": "dispute_won"}

#: News that belongs to a card and to no payment.
ABOUT_CARDS = frozenset({"method_saved", "setup_expired"})

T = TypeVar("T")

_log = structlog.get_logger(__name__)


async def reconcile_due(road: Road, processor: Processor, limit: int = AT_ONCE) -> int:
    """Ask about up to ``limit`` pages that ran out in silence; return how many answers were applied. Calling it again
    does no harm.
    """
    now = road.clock.now()
    waiting = await road.store.aread(partial(payment_queries.uncertain, now=now, limit=limit))
    waiting += await road.store.aread(partial(reconcile_queries.silent_setups, now=now, limit=limit))
    applied = 0
    for practice_id, session_ref in waiting:
        try:
            event = await processor.fetch_checkout(session_ref)
            event = await processor.complete(event)
        except ProcessorError as error:
            _log.warning("no answer about a payment page", kind=error.kind, code=error.code)
            continue
        hit("reconcile.asked")
        applied += await road.store.awrite(partial(_apply, practice_id=practice_id, event=event, road=road))
    if applied:
        road.wake.inbox.set()
    return applied


def _apply(session: Session, practice_id: str, event: PaymentEvent, road: Road) -> bool:
    payment = payments.apply_event(session, practice_id, event, road.clock.now())
    hit("reconcile.applied")
    return payment is not None or event.kind in ABOUT_CARDS


async def daily(road: Road, processor: Processor) -> int:
    """Reconcile every practice that was not yet reconciled on its present day; return how many were."""
    now = road.clock.now()
    practices = await road.store.aread(partial(reconciling.due, processor=processor.name, now=now))
    done = 0
    for practice_id in practices:
        since = await road.store.aread(partial(
            reconciling.since_when, practice_id=practice_id, processor=processor.name, now=now))
        try:
            summary = await reconcile(road, processor, practice_id, since=since, until=now, by="plainbill")
        except ProcessorError as error:
            _log.warning("the processor's books could not be read", kind=error.kind, code=error.code)
            continue
        _log.info("reconciled", entries=summary.entries, repaired=len(summary.repaired), left=len(summary.open))
        done += 1
    return done


async def reconcile(road: Road, processor: Processor, practice_id: str, *, since: datetime, until: datetime,
                    by: str) -> Summary:
    """Compare processor, payouts and ledger between two instants and repair what an event that never arrived left
    undone; all else is named. The balances are compared where ``until`` is the present.

    Raises ProcessorError when the processor's books cannot be read; what was done until then stands.
    """
    run = _Run(road, processor, practice_id, since, until, by)
    run.run_id = await run.write(partial(reconciling.begin, since=since, until=until, by=by, now=road.clock.now()))
    payouts = await run.fetch(since, until)
    await run.ask_silent()
    await run.repair()
    await run.write(partial(verdicts.settle_agreed, processor=processor.name, now=road.clock.now()))
    await run.write(partial(verdicts.name_unknown, processor=processor.name, run_id=run.run_id, since=since,
                            until=until, now=road.clock.now()))
    if until >= road.clock.now() - timedelta(minutes=10):
        await run.weigh()
    road.wake.inbox.set()
    return await run.write(partial(verdicts.finish, run_id=run.run_id, payouts=payouts, unanswered=run.unanswered,
                                   waiting=run.waiting, now=road.clock.now()))


class _Run:
    """One reconciliation under way."""

    def __init__(self, road: Road, processor: Processor, practice_id: str, since: datetime, until: datetime,
                 by: str) -> None:
        self.road, self.processor, self.practice_id = road, processor, practice_id
        self.since, self.until, self.by = since, until, by
        self.run_id = ""
        self.unanswered = self.waiting = 0
        self.at_bank: set[str] = set()  # payments that a bank works on, as the processor said in this run

    async def write(self, fn: Callable[..., T]) -> T:
        return await self.road.store.awrite(partial(fn, practice_id=self.practice_id))

    async def fetch(self, since: datetime, until: datetime) -> int:
        """Keep the processor's books of a span, page by page; return how many payouts there were."""
        async for page in _pages(self.processor.entries(since, until)):
            await self.write(partial(reconciling.take_entries, processor=self.processor.name, run_id=self.run_id,
                                     entries=page, now=self.road.clock.now()))
            hit("reconcile.entries")
        seen = 0
        async for rows in _pages(self.processor.payouts(since, until)):
            await self.write(partial(reconciling.take_payouts, payouts=rows, now=self.road.clock.now()))
            hit("reconcile.payouts")
            seen += len(rows)
        return seen

    async def ask_silent(self) -> None:
        """Ask what became of charges that a bank has been working on since yesterday."""
        silent = await self.road.store.aread(partial(
            reconcile_queries.silent_charges, practice_id=self.practice_id, processor=self.processor.name,
            before=self.road.clock.now() - PENDING_FOR))
        for payment_id, ref in silent:
            if await self._ask(ref, payment_id):
                await self.write(partial(verdicts.name_ended, run_id=self.run_id, payment_id=payment_id,
                                         now=self.road.clock.now()))

    async def repair(self) -> None:
        """Every payment that does not agree: ask, apply, compare again."""
        found = await self.road.store.aread(partial(
            reconciling.doubts, practice_id=self.practice_id, processor=self.processor.name, since=self.since,
            until=self.until))
        for doubt in found:
            if doubt.repairable and not await self._repair(doubt):
                self.unanswered += 1
                await self.write(partial(verdicts.unanswered, run_id=self.run_id, doubt=doubt,
                                         now=self.road.clock.now()))
                continue
            end = await self.write(partial(verdicts.judge, processor=self.processor.name, run_id=self.run_id,
                                           doubt=doubt, now=self.road.clock.now(),
                                           at_bank=doubt.payment_id in self.at_bank))
            self.waiting += end == "waiting"
            hit("reconcile.judged")

    async def _repair(self, doubt: Doubt) -> bool:
        for ref in doubt.charges:
            if not await self._ask(ref, doubt.payment_id):
                return False
        still = await self.road.store.aread(partial(
            reconciling.compare, practice_id=self.practice_id, processor=self.processor.name,
            payment_ids=[doubt.payment_id]))
        for event in _told_by_books(doubt) if still else []:
            await self.road.store.awrite(partial(_apply, practice_id=self.practice_id, event=event, road=self.road))
        return True

    async def _ask(self, ref: str, payment_id: str) -> bool:
        try:
            event = await self.processor.complete(await self.processor.fetch_charge(ref))
        except ProcessorError as error:
            _log.warning("no answer about a charge", kind=error.kind, code=error.code)
            return False
        hit("reconcile.asked")
        (self.at_bank.add if event.kind == "processing" else self.at_bank.discard)(payment_id)
        await self.road.store.awrite(partial(_apply, practice_id=self.practice_id, event=event, road=self.road))
        return True

    async def weigh(self) -> None:
        """Compare the balances; what moves meanwhile is fetched and they are weighed again."""
        for number in range(ROUNDS):
            currency = await self.road.store.aread(partial(
                reconcile_queries.currency_of, practice_id=self.practice_id))
            held = await self.processor.balance_minor(currency)
            last = number == ROUNDS - 1
            apart = await self.write(partial(
                verdicts.weigh, processor=self.processor.name, run_id=self.run_id, processor_minor=held,
                now=self.road.clock.now(), at_bank=self.at_bank, named=last))
            if not apart or last:
                return
            # The processor's clock may be ahead of ours, and its spans end before their last instant.
            self.until = self.road.clock.now() + AHEAD
            await self.fetch(self.since, self.until)
            await self.repair()


def _told_by_books(doubt: Doubt) -> list[PaymentEvent]:
    """What the processor's books say has gone back and come again; a charge is always asked about, as only the answer
    carries what it was paid by. Refunds are told one by one, and first those that came back: all that a charge has
    given back so far says nothing of the one that failed.
    """
    events = []
    fees: dict[str, int] = {}
    came_back = {e.source_ref for e in doubt.entries if e.kind == "refund" and e.amount_minor > 0}
    for entry in doubt.entries:
        failed = entry.kind == "refund" and entry.source_ref in came_back
        kind = "refund_failed" if failed else _KINDS.get(entry.kind)
        if kind is None:
            continue
        fees[entry.source_ref] = fees.get(entry.source_ref, 0) + entry.fee_minor
        event = PaymentEvent(
            event_id=f"entry:{entry.ref}", kind=kind, payment_id=doubt.payment_id, amount_minor=abs(entry.amount_minor),
            currency=entry.currency, session_ref="", processor_ref=entry.processor_ref, reason="",
            occurred_at=entry.made_at)
        if entry.kind == "refund":
            events.append(replace(event, refund_ref=entry.source_ref, refund_id=entry.refund_id))
        else:
            events.append(replace(event, dispute_ref=entry.source_ref, fee_minor=fees[entry.source_ref]))
    return sorted(events, key=lambda event: event.kind != "refund_failed")


async def _pages(rows: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    page: list[T] = []
    async for row in rows:
        page.append(row)
        if len(page) >= PAGE:
            yield page
            page = []
    if page:
        yield page
