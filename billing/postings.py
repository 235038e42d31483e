"""The posting file: every payment, refund and adjustment that another system's ledger of record has to be told, once.

Order of an export: the batch and its rows are committed first, so that no row can enter a second batch; then the file
is written and flushed to the disk; only then the batch gets its file's name. A batch without one was interrupted: it
is written again, byte for byte the same, before anything new is gathered. What a batch holds never changes, so any
batch can be written again on request. Acknowledged, its rows count as posted there; until then they are unposted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import csv_cells
from billing.ids import new_id
from billing.money import plain
from billing.record import OURS
from billing.store import counters
from billing.store import posting_queries as store
from billing.store.posting_queries import BalanceRow, PostingRow
from billing.store.tables import PostingBatch
from config.practice import PracticePolicy

COLUMNS = ("posting_id", "batch_id", "visit_id", "account_id", "kind", "balance_of", "change", "currency",
           "effective_on", "posted_at", "reason", "payment_id", "processor", "tender", "processor_reference",
           "takes_back")
_KINDS = {"patient_payment": "payment", "refund": "refund", "adjustment": "adjustment", "reversal": "reversal",
          "charity": "charity", "bad_debt": "bad_debt", "small_balance": "small_balance", "discount": "discount",
          "placement": "placement", "recall": "recall"}


class PostingsRefused(Exception):
    """There is no ledger of another system to tell, or no such batch. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``written``: its file was written whole. ``total_minor`` adds up amounts without their direction (cents)."""

    batch_id: str
    rows: int
    total_minor: int
    written: bool
    exported_by: str
    exported_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None

    @property
    def file_name(self) -> str:
        return f"postings-{self.batch_id}.csv"


def require_other_record(policy: PracticePolicy) -> None:
    """Raise PostingsRefused for a practice whose record is Plainbill's own ledger."""
    if policy.ledger_of_record == OURS:
        raise PostingsRefused("there is nothing to export: this practice's own ledger here is the record "
                              "(ledger_of_record in its policy)")


def unfinished(session: Session, practice_id: str) -> list[Batch]:
    """Batches whose file may never have been written whole, oldest first."""
    return [b for b in list_batches(session, practice_id) if not b.written]


def list_batches(session: Session, practice_id: str) -> list[Batch]:
    return [_batch(row) for row in store.batches(session, practice_id)]


def waiting(session: Session, practice_id: str) -> tuple[int, int]:
    """How many rows are in no batch yet, and their cents."""
    rows = store.untold(session, practice_id)
    return len(rows), sum(amount for _, amount in rows)


def gather(session: Session, practice_id: str, policy: PracticePolicy, *, by: str, now: datetime) -> Batch | None:
    """Put everything that is in no batch yet into a new one; None when there is nothing. Raises PostingsRefused.

    One export of a practice at a time: the counter's row is the lock.
    """
    require_other_record(policy)
    counters.next_number(session, practice_id, "posting_batches")
    rows = store.untold(session, practice_id)
    if not rows:
        return None
    batch = PostingBatch(
        id=new_id("pob"), practice_id=practice_id, file_name="", rows=len(rows), total_minor=sum(a for _, a in rows),
        exported_by=by, exported_at=now, acknowledged_at=None, acknowledged_by=None)
    store.add_batch(session, batch, [
        {"id": new_id("pos"), "practice_id": practice_id, "transfer_id": transfer_id, "batch_id": batch.id,
         "acknowledged_at": None, "created_at": now} for transfer_id, _ in rows])
    return _batch(batch)


def mark_written(session: Session, practice_id: str, batch_id: str) -> Batch:
    """Note that the batch's file is on the disk."""
    row = _find(session, practice_id, batch_id)
    row.file_name = _batch(row).file_name
    session.flush()
    return _batch(row)


def acknowledge(session: Session, practice_id: str, batch_id: str, *, by: str, now: datetime) -> Batch:
    """Note that the other system has posted the batch; again it changes nothing. Raises PostingsRefused."""
    row = _find(session, practice_id, batch_id)
    if not row.file_name:
        raise PostingsRefused("this batch's file was never written whole: run plainbill postings export first")
    if row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by = now, by
        store.acknowledge(session, batch_id, now)
        session.flush()
    return _batch(row)


def find_batch(session: Session, practice_id: str, batch_id: str) -> Batch:
    """Raises PostingsRefused."""
    return _batch(_find(session, practice_id, batch_id, lock=False))


def _find(session: Session, practice_id: str, batch_id: str, *, lock: bool = True) -> PostingBatch:
    row = store.find_batch(session, practice_id, batch_id, lock=lock)
    if row is None:
        raise PostingsRefused("there is no such batch; plainbill postings list shows them")
    return row


def _batch(row: PostingBatch) -> Batch:
    return Batch(row.id, row.rows, row.total_minor, bool(row.file_name), row.exported_by, row.exported_at,
                 row.acknowledged_at, row.acknowledged_by)


def content(session: Session, batch_id: str) -> str:
    """The batch's file, the same bytes whenever it is asked for. ``change``: dollars that it adds to the balance."""
    return csv_cells.whole(COLUMNS, [_cells(batch_id, row) for row in store.rows_of(session, batch_id)])


def _cells(batch_id: str, row: PostingRow) -> Sequence[str]:
    side, change = _change(row)
    return (row.posting_id, batch_id, row.visit, row.account, _KINDS[row.code], side, plain(change), row.currency,
            row.effective_on.isoformat(), row.posted_at.isoformat(timespec="seconds"), row.reason, row.payment_id,
            row.processor, row.tender, row.processor_ref, str(row.reverses_id or ""))


def _change(row: PostingRow) -> tuple[str, int]:
    """Whose balance, and by how many cents: a debit raises it. Credit of the account is a balance below zero."""
    for kind, amount in ((row.debit_kind, row.amount_minor), (row.credit_kind, -row.amount_minor)):
        if kind in ("patient", "payer", "credit"):
            return kind, amount
    return "none", -row.amount_minor if row.code == "patient_payment" else row.amount_minor


@dataclass(frozen=True, slots=True)
class Difference:
    """A visit whose newest imported balances were not ours. Cents; ``unposted`` is what they could not know of."""

    row: BalanceRow
    patient_minor: int
    payer_minor: int
    unposted_patient_minor: int
    unposted_payer_minor: int


def differences(session: Session, practice_id: str) -> list[Difference]:
    """Visits where taking their balances over moved something: theirs less ours, unposted payments counted in."""
    return [Difference(row, row.moved_patient_minor, row.moved_payer_minor,
                       row.our_patient_minor + row.moved_patient_minor - row.their_patient_minor,
                       row.our_payer_minor + row.moved_payer_minor - row.their_payer_minor)
            for row in store.newest_balances(session, practice_id)
            if row.moved_patient_minor or row.moved_payer_minor]
