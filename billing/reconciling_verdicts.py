"""What a reconciliation does about what it found: says it was repaired, puts it before staff, weighs the balances.

Each function is one transaction of the run; a run that was interrupted is simply begun again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing.payment_status import PENDING
from billing.reconciling import SETTLES_WITHIN, Doubt, compare
from billing.reconciling_compare import Sums, booked
from billing.reconciling_differences import Found, effect_minor, left_open, repaired, sentence, settle
from billing.store import reconcile_queries as store
from billing.store.tables_money import Difference

#: A charge may be dated a little before its payment became paid: the first day of a span is not judged.
MARGIN = timedelta(days=1)

BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class KindSum:
    """Entries of one kind in the span. Cents, signed as they moved the processor's balance."""

    kind: str
    count: int
    amount_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Told:
    """A difference as it is printed."""

    difference_id: str
    kind: str
    status: str
    object_ref: str
    payment_id: str | None
    processor_minor: int | None
    ledger_minor: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to. ``unanswered``: payments that the processor was asked about in vain; the next run asks
    again. ``waiting``: payments of the last hour that its books may not show yet.
    """

    run_id: str
    since_at: datetime
    until_at: datetime
    entries: int
    payouts: int
    kinds: tuple[KindSum, ...]
    repaired: tuple[Told, ...]
    open: tuple[Told, ...]
    processor_minor: int | None
    ledger_minor: int | None
    unanswered: int
    waiting: int

    @property
    def clean(self) -> bool:
        return not self.open and not self.unanswered


def judge(session: Session, practice_id: str, processor: str, run_id: str, doubt: Doubt, now: datetime, *,
          at_bank: bool) -> str:
    """Say how a doubt ended: "repaired", "waiting" (the ledger is ahead by less than an hour, or ``at_bank``: the
    processor says that a bank still works on a debit, which it has in its books already) or "open".
    """
    still = compare(session, practice_id, processor, [doubt.payment_id])
    if not still:
        done = f"{sentence_of(doubt)}: the processor was asked and the payment was posted by the usual function"
        repaired(session, practice_id, run_id, doubt.missed, done, now)
        return "repaired"
    if doubt.is_fresh(now) or (at_bank and still[0].ours == Sums(0, 0)):
        return "waiting"
    left_open(session, practice_id, run_id, still[0].unequal, now)
    return "open"


def sentence_of(doubt: Doubt) -> str:
    came = doubt.told.in_minor - doubt.ours.in_minor
    gone = doubt.told.out_minor - doubt.ours.out_minor
    parts = [f"{amount} cents that {word}" for amount, word in ((came, "came in"), (gone, "went back")) if amount]
    return f"lacked {' and '.join(parts)}" if parts else "lacked a step"


def name_ended(session: Session, practice_id: str, run_id: str, payment_id: str, now: datetime) -> bool:
    """A payment that was pending and of which no word came: say what it turned out to be, if it has ended."""
    status = store.payments(session, practice_id, [payment_id])[payment_id].status
    if status == PENDING:
        return False
    repaired(session, practice_id, run_id, Found("missed_event", f"{payment_id}:{status}", None, None, payment_id),
             f"the processor was asked: {status}", now)
    return True


def unanswered(session: Session, practice_id: str, run_id: str, doubt: Doubt, now: datetime) -> None:
    """The processor did not answer about a payment: named, but no case, as the next run asks again."""
    left_open(session, practice_id, run_id, doubt.unequal, now, case=False)


def name_unknown(session: Session, practice_id: str, processor: str, run_id: str, since: datetime, until: datetime,
                 now: datetime) -> int:
    """Put before staff what the ledger has as paid and the processor does not know; return how many."""
    before = min(until, now - SETTLES_WITHIN)
    rows = store.without_entry(session, practice_id, processor, since + MARGIN, before)
    moves = store.cash_moves(session, practice_id, processor, [row.id for row in rows])
    for row in rows:
        net = booked(m for m in moves if m.payment_id == row.id).net_minor
        left_open(session, practice_id, run_id, Found("unknown_there", row.id, None, net, row.id,
                                                      f"paid {row.paid_at:%Y-%m-%d %H:%M} UTC by our books"), now)
    return len(rows)


def settle_agreed(session: Session, practice_id: str, processor: str, now: datetime) -> int:
    """Differences of earlier runs that are none any more: said so, in their case too."""
    rows = [d for d in store.differences(session, practice_id, ["open"])
            if d.payment_id and d.kind in ("amount", "unknown_there")]
    apart = {d.payment_id for d in compare(session, practice_id, processor, [str(r.payment_id) for r in rows])}
    seen = store.entries_of(session, practice_id, [str(r.payment_id) for r in rows])
    gone = [r for r in rows if r.payment_id not in apart and seen[str(r.payment_id)]]
    for row in gone:
        settle(session, row, "processor and ledger agree now", "plainbill", now)
    return len(gone)


def weigh(session: Session, practice_id: str, processor: str, run_id: str, processor_minor: int, now: datetime, *,
          at_bank: Collection[str], named: bool) -> int:
    """Compare the processor's balance with the ledger's; return the cents that nothing explains. ``at_bank``: payments
    that a bank works on. ``named``: what is unexplained is put before staff, as looking again did not help.
    """
    run = store.find_run(session, run_id)
    run.processor_minor, run.ledger_minor = processor_minor, store.cash_of(session, practice_id, processor)
    rows = store.differences(session, practice_id, ["open", "explained"])
    expected = run.ledger_minor + sum(effect_minor(row) for row in rows) + _in_flight(
        session, practice_id, processor, rows, at_bank, now)
    known = next((row for row in rows if row.kind == BALANCE and row.status == "open"), None)
    if expected == processor_minor:
        if known is not None:
            settle(session, known, "the balances agree now", "plainbill", now)
    elif known is not None:
        known.processor_minor, known.ledger_minor = processor_minor, expected
    elif named:
        left_open(session, practice_id, run_id, Found(BALANCE, run_id, processor_minor, expected), now)
    return processor_minor - expected


def _in_flight(session: Session, practice_id: str, processor: str, rows: Sequence[Difference],
               at_bank: Collection[str], now: datetime) -> int:
    """What the ledger has for less than an hour and the processor's books may not show yet (below zero: it lacks), and
    debits that a bank still works on.
    """
    since = now - SETTLES_WITHIN
    named = {row.payment_id for row in rows if row.status == "open"}
    moving = store.touched_since(session, practice_id, processor, since)
    fresh = moving.union(at_bank) - named
    moves = store.cash_moves(session, practice_id, processor, sorted(fresh))
    entries = store.entries_of(session, practice_id, sorted(fresh))
    total = 0
    for payment_id in fresh:
        told = sum(e.amount_minor for e in entries[payment_id])
        total += told - booked(m for m in moves if m.payment_id == payment_id).net_minor
    return total


def finish(session: Session, practice_id: str, run_id: str, *, payouts: int, unanswered: int, waiting: int,
           now: datetime) -> Summary:
    """Close the run and tell what it came to."""
    run = store.find_run(session, run_id)
    kinds = tuple(KindSum(kind, *sums) for kind, sums in store.sums_by_kind(
        session, practice_id, run.since_at, run.until_at).items())
    mended = [_told(d) for d in store.repaired_by(session, run_id)]
    left = [_told(d) for d in store.differences(session, practice_id, ["open"])]
    run.finished_at, run.entries = now, sum(k.count for k in kinds)
    run.repaired, run.left = len(mended), len(left)
    return Summary(run_id, run.since_at, run.until_at, run.entries, payouts, kinds, tuple(mended), tuple(left),
                   run.processor_minor, run.ledger_minor, unanswered, waiting)


def _told(row: Difference) -> Told:
    return Told(row.id, row.kind, row.status, row.object_ref, row.payment_id, row.processor_minor, row.ledger_minor,
                sentence(row))


def list_differences(session: Session, practice_id: str, *, settled: bool = False) -> list[Told]:
    """Open differences, or all that there ever were, oldest first."""
    wanted = ["open", "explained", "repaired"] if settled else ["open"]
    return [_told(row) for row in store.differences(session, practice_id, wanted)]
