"""The processor's books beside the ledger: kept line by line, fees and payouts posted, every payment compared.

Three ways (receivables.md D3, "daily three-way tie"): what the processor holds, what it paid out to the bank, what the
ledger says. The ledger keeps the processor's balance in three kinds of accounts: ``cash:NAME:TENDER`` took the
payments, ``cash:NAME:fees`` gives up what the processor keeps, ``cash:NAME:payouts`` what it sent to the bank; their
sum is what it still holds. Everything here may run twice: entries are known by their ref, transfers by theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from billing import ledger
from billing.closing import booking_day
from billing.dues import local_day
from billing.ids import new_id
from billing.ledger import Posting
from billing.money import dollars
from billing.payment_posting import post_dispute_fee
from billing.payment_status import FAILED
from billing.reconciling_compare import OF_PAYMENTS, Entry, Sums, agrees, booked, reported
from billing.reconciling_differences import Found, left_open
from billing.store import reconcile_queries as store
from billing.store.tables import Payment
from billing.store.tables_money import Payout, ProcessorEntry, Reconciliation

SOURCE = "processor"
_DISPUTES = frozenset({"dispute", "dispute_reversal"})

#: Runs overlap by this much: a processor may date an entry a little before it shows it.
OVERLAP = timedelta(days=2)

#: A payment that the ledger had earlier than this and the processor's books still lack is a difference.
SETTLES_WITHIN = timedelta(hours=1)


class PayoutNews(Protocol):
    """A payout as the processor tells of it (bot/processors/base.py: PayoutRow)."""

    @property
    def ref(self) -> str: ...
    @property
    def amount_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def arrival_on(self) -> date: ...
    @property
    def made_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Doubt:
    """A payment on which the books do not agree. ``charges`` are the processor's refs to ask about."""

    payment_id: str
    told: Sums
    ours: Sums
    entries: tuple[ProcessorEntry, ...]
    payment_minor: int
    currency: str
    posted_at: datetime | None  # the newest transfer of it

    def is_fresh(self, now: datetime) -> bool:
        """Whether the ledger may simply be ahead of the processor's books."""
        return self.posted_at is not None and self.posted_at > now - SETTLES_WITHIN

    @property
    def charges(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(e.processor_ref or e.source_ref for e in self.entries if e.kind == "charge"))

    @property
    def repairable(self) -> bool:
        """Whether every charge is of the amount that was asked for: another one is not what the patient agreed to."""
        return all(e.amount_minor == self.payment_minor for e in self.entries if e.kind == "charge")

    @property
    def missed(self) -> Found:
        """The doubt as news that never arrived; later news of the same payment is another difference."""
        return Found("missed_event", f"{self.payment_id}:{self.entries[-1].ref}", self.told.net_minor,
                     self.ours.net_minor, self.payment_id)

    @property
    def unequal(self) -> Found:
        return Found("amount", self.payment_id, self.told.net_minor, self.ours.net_minor, self.payment_id,
                     f"came in: processor {dollars(self.told.in_minor)}, ledger {dollars(self.ours.in_minor)}; went "
                     f"back: processor {dollars(self.told.out_minor)}, ledger {dollars(self.ours.out_minor)}")


def begin(session: Session, practice_id: str, *, since: datetime, until: datetime, by: str, now: datetime) -> str:
    run = Reconciliation(id=new_id("rec"), practice_id=practice_id, since_at=since, until_at=until, started_by=by,
                         started_at=now, finished_at=None, entries=0, repaired=0, left=0, processor_minor=None,
                         ledger_minor=None)
    store.add_run(session, run)
    return run.id


def covered(session: Session, practice_id: str, processor: str, now: datetime) -> datetime:
    """Up to when finished runs cover the processor's books without a gap; a run of one day somewhere later does not
    count until what lies before it was read as well.
    """
    reached = (store.first_payment_at(session, practice_id, processor) or now) - timedelta(days=1)
    for since, until in store.spans(session, practice_id):
        if since > reached:
            break
        reached = max(reached, until)
    return reached


def since_when(session: Session, practice_id: str, processor: str, now: datetime) -> datetime:
    """Where the next run begins: a little before everything that was covered ends."""
    return covered(session, practice_id, processor, now) - OVERLAP


def due(session: Session, processor: str, now: datetime) -> list[str]:
    """Practices with payments at this processor that were not reconciled yet on their own present day."""
    return [id_ for id_ in store.practices_paid_by(session, processor)
            if local_day(session, id_, covered(session, id_, processor, now)) < local_day(session, id_, now)]


def take_entries(session: Session, practice_id: str, processor: str, run_id: str, entries: Sequence[Entry],
                 now: datetime) -> int:
    """Keep a page of the processor's books and post its fees and payouts; return how many entries are new."""
    currency = store.currency_of(session, practice_id)
    owners = store.owners(session, {e.payment_id for e in entries if e.payment_id})
    own = [e for e in entries if owners.get(e.payment_id or "", practice_id) == practice_id]
    known = store.known_entries(session, practice_id, [e.ref for e in own])
    fresh = [e for e in own if e.ref not in known]
    store.add_all(session, [_row(practice_id, e, now) for e in fresh])
    postings: list[Posting] = []
    for entry in own:
        before = known.get(entry.ref)
        if before is not None and (before.net_minor, before.kind) != (entry.net_minor, entry.kind):
            left_open(session, practice_id, run_id, Found(
                "changed", entry.ref, entry.net_minor, before.net_minor, entry.payment_id), now)
            continue
        if before is not None and entry.payout_ref:
            before.payout_ref = entry.payout_ref
        found = _difference_of(entry, currency, owners)
        if found is not None:
            left_open(session, practice_id, run_id, found, now)
        if entry.currency == currency:
            postings.extend(_postings(practice_id, processor, entry, booking_day(session, practice_id, entry.made_at)))
    ledger.post(session, postings, now)
    _post_dispute_fees(session, practice_id, processor, [e for e in own if e.currency == currency], now)
    return len(fresh)


def _post_dispute_fees(session: Session, practice_id: str, processor: str, entries: Sequence[Entry],
                       now: datetime) -> None:
    """A dispute's fee is booked with the dispute's own news (billing/payment_disputes.py) or here, whichever comes
    first: both say what the fees of that dispute are altogether.
    """
    newest = {e.source_ref: e for e in entries if e.kind in _DISPUTES}
    payments = store.payments(session, practice_id, [e.payment_id for e in newest.values() if e.payment_id])
    for ref, total in store.fees_of(session, practice_id, list(newest), _DISPUTES).items():
        payment = payments.get(newest[ref].payment_id or "")
        till = ledger.wide(f"cash:{processor}:{payment.tender if payment else 'fees'}")
        post_dispute_fee(session, practice_id, ref, total, newest[ref].currency, till,
                         booking_day(session, practice_id, newest[ref].made_at), now)


def _row(practice_id: str, entry: Entry, now: datetime) -> ProcessorEntry:
    return ProcessorEntry(
        practice_id=practice_id, ref=entry.ref, kind=entry.kind, source_ref=entry.source_ref,
        payment_id=entry.payment_id, payout_ref=entry.payout_ref, processor_ref=entry.processor_ref,
        refund_id=entry.refund_id, amount_minor=entry.amount_minor, fee_minor=entry.fee_minor,
        net_minor=entry.net_minor, currency=entry.currency, made_at=entry.made_at, seen_at=now)


def _difference_of(entry: Entry, currency: str, owners: dict[str, str]) -> Found | None:
    """What is wrong with an entry by itself, whatever the ledger says."""
    if entry.currency != currency:
        return Found("currency", entry.ref, entry.net_minor, None, entry.payment_id, f"in {entry.currency}")
    if entry.kind in OF_PAYMENTS and (entry.payment_id or "") not in owners:
        return Found("stranger", entry.ref, entry.amount_minor, None, None, f"{entry.kind} {entry.source_ref}")
    if entry.kind == "other":
        return Found("other", entry.ref, entry.net_minor, None, entry.payment_id, entry.source_ref)
    return None


def _postings(practice_id: str, processor: str, entry: Entry, on: date) -> list[Posting]:
    """Fees and payouts; a payment's own money is posted by billing/payments.py alone.

    No payment is named on a fee: what a payment's transfers come to is the patient's money.
    """
    cash, fees, bank = ledger.wide(f"cash:{processor}:fees"), ledger.wide("fees"), ledger.wide("bank")
    sent = ledger.wide(f"cash:{processor}:payouts")
    fee = entry.fee_minor - (entry.amount_minor if entry.kind == "fee" else 0)
    found = []
    if fee and entry.kind != "other" and entry.kind not in _DISPUTES:
        found.append(_posting(practice_id, fees, cash, fee, "processor_fee", entry, "fee", on))
    if entry.kind in ("payout", "payout_failure") and entry.amount_minor:
        found.append(_posting(practice_id, bank, sent, -entry.amount_minor, "payout", entry, "payout", on))
    return found


def _posting(practice_id: str, debit: ledger.Account, credit: ledger.Account, amount: int, code: str, entry: Entry,
             what: str, on: date) -> Posting:
    return Posting(practice_id, debit, credit, abs(amount), entry.currency, code, on, SOURCE, f"{entry.ref}:{what}",
                   reason=entry.kind).flipped_if(amount < 0)


def take_payouts(session: Session, practice_id: str, payouts: Sequence[PayoutNews], now: datetime) -> int:
    """Keep payouts as they stand now; return how many are new."""
    known = store.known_payouts(session, practice_id, [p.ref for p in payouts])
    for payout in payouts:
        before = known.get(payout.ref)
        if before is not None:
            before.status, before.arrival_on, before.seen_at = payout.status, payout.arrival_on, now
    fresh = [Payout(practice_id=practice_id, ref=p.ref, amount_minor=p.amount_minor, currency=p.currency,
                    status=p.status, arrival_on=p.arrival_on, made_at=p.made_at, seen_at=now)
             for p in payouts if p.ref not in known]
    store.add_all(session, fresh)
    return len(fresh)


def doubts(session: Session, practice_id: str, processor: str, since: datetime, until: datetime) -> list[Doubt]:
    """Payments with an entry in the span whose books do not agree. Those of open differences are asked about again, and
    those that the ledger does not have as paid: a bank debit takes days.
    """
    ids = {e.payment_id: None for e in store.entries_between(session, practice_id, since, until)
           if e.payment_id and e.kind in OF_PAYMENTS}
    ids |= {d.payment_id: None for d in store.differences(session, practice_id, ["open"])
            if d.payment_id and d.kind == "amount"}
    ids |= dict.fromkeys(sorted(store.unpaid_in_books(session, practice_id, processor)))
    return compare(session, practice_id, processor, list(filter(None, ids)))


def compare(session: Session, practice_id: str, processor: str, payment_ids: Sequence[str]) -> list[Doubt]:
    """Those of these payments on which processor and ledger do not agree."""
    payments = store.payments(session, practice_id, payment_ids)
    moves: dict[str, list[store.Moved]] = {id_: [] for id_ in payments}
    for move in store.cash_moves(session, practice_id, processor, list(payments)):
        moves[move.payment_id].append(move)
    found = [_doubt(payments[id_], rows, moves[id_])
             for id_, rows in store.entries_of(session, practice_id, list(payments)).items()]
    return [doubt for doubt in found if doubt.entries and not agrees(doubt.entries, doubt.ours)
            and not _came_to_nothing(payments[doubt.payment_id], doubt)]


def _came_to_nothing(payment: Payment, doubt: Doubt) -> bool:
    """A bank debit that was turned down: the processor writes it in and out again, the ledger never had it."""
    return payment.status == FAILED and doubt.ours == Sums(0, 0) and doubt.told.net_minor == 0


def _doubt(payment: Payment, entries: Sequence[ProcessorEntry], moves: Sequence[store.Moved]) -> Doubt:
    own = tuple(e for e in entries if e.currency == payment.currency)
    newest = max((move.posted_at for move in moves), default=None)
    return Doubt(payment.id, reported(own), booked(moves), own, payment.amount_minor, payment.currency, newest)
