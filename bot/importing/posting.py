"""Pass two: post whole claims in keyed batches, each its own transaction, from wherever the cursor stands."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from sqlalchemy.orm import Session

from billing import imports
from billing.importers import x12_837
from billing.importers.records import PaidClaim, RemittanceClosed, RemittanceOpened
from billing.importers.x12_835 import RemittanceRecord
from billing.store import driver
from billing.store.seal import normal_account
from bot.importing import overlap
from bot.importing.checking import REMITTANCES, Checked, Progress, Store, Transaction

T = TypeVar("T")
Now = Callable[[], datetime]

#: A batch holds the writer for about this long, so that a patient's message never waits for an import.
TARGET_SECONDS = 0.04
#: On PostgreSQL nobody waits for the writer, only whoever asks for an account that is in the batch.
TARGET_SECONDS_OF_ROWS = 0.25
#: Below this the fixed cost of a transaction is most of it, and smaller batches only take longer altogether.
SMALLEST = 50
LARGEST = 400
#: A batch is taken to last no longer than so many times our own work on it; the rest is the database server's. What a
#: busy machine gives to others meanwhile says nothing about the batch: smaller ones would only take longer altogether.
SHARE = 1.5


class Pace:
    """How many claims to a batch: starts small, follows what the last one took."""

    def __init__(self) -> None:
        self.size = SMALLEST

    def write(self, store: Store, fn: Callable[..., T]) -> T:
        took, target = 0.0, TARGET_SECONDS

        def timed(session: Session) -> T:
            nonlocal took, target
            if driver.is_postgresql(session):
                target = TARGET_SECONDS_OF_ROWS
            began, worked = time.monotonic(), time.thread_time()
            result = fn(session)
            took = min(time.monotonic() - began, SHARE * (time.thread_time() - worked))
            return result

        result = store.write(timed)
        if took > target * 1.25:
            self.size = max(self.size * 3 // 4, SMALLEST)
        elif took < target * 0.8:
            self.size = min(int(self.size * min(target / max(took, 0.001), 3)) + 1, LARGEST)
        return result


def post_remittances(path: Path, checked: Checked, store: Store, poster: imports.Poster, cursor: int, now: Now,
                     progress: Progress | None) -> None:
    """Post every new transaction of the file. ``cursor`` claims were posted by an interrupted run."""
    pace = Pace()
    transactions = iter(checked.transactions)
    transaction = Transaction()
    with path.open("rb") as stream, overlap.row(store, partial(pace.write, store)) as row:
        place = _Place(store, poster, cursor, now, pace, row)
        for record in _records(stream, checked, progress):
            if isinstance(record, RemittanceOpened):
                transaction = next(transactions)
                place.open(transaction)
            elif transaction.duplicate:
                continue
            elif isinstance(record, PaidClaim):
                place.add(record)
            elif isinstance(record, RemittanceClosed):
                place.close(record)


def _records(stream: BinaryIO, checked: Checked, progress: Progress | None) -> Iterator[RemittanceRecord]:
    """What pass one read, where it was kept; else the file once more."""
    if checked.records is None:
        yield from REMITTANCES[checked.kind](stream, progress)
        return
    yield from checked.records
    if progress is not None:
        progress(stream.seek(0, io.SEEK_END))


class _Place:
    """Where pass two stands in the file."""

    def __init__(self, store: Store, poster: imports.Poster, cursor: int, now: Now, pace: Pace,
                 row: overlap.Row) -> None:
        self.store, self.poster, self.now, self.pace, self.row = store, poster, now, pace, row
        self.done, self.seen, self.number = cursor, 0, 0
        self.batch: list[tuple[int, PaidClaim, str]] = []
        self.transaction = Transaction()
        self.remittance_id = ""

    def open(self, transaction: Transaction) -> None:
        self.transaction, self.number = transaction, 0
        if transaction.head is not None and not transaction.duplicate:
            head = transaction.head
            self.remittance_id = self.store.write(
                lambda s: imports.open_remittance(s, self.poster, head, transaction.digest, self.now()))

    def add(self, claim: PaidClaim) -> None:
        self.number += 1
        self.seen += 1
        if self.seen <= self.done:
            return
        self.batch.append((self.number, claim, self.transaction.bad.get(self.number, "")))
        if len(self.batch) >= self.pace.size:
            self._post()

    def _post(self) -> None:
        head, batch = self.transaction.head, self.batch
        if head is None or not batch:
            return
        remittance_id, done = self.remittance_id, self.done
        names = {normal_account(claim.claim_id) for _, claim, _ in batch}
        self.row.give(names, lambda session, turn: imports.post_paid_claims(
            session, self.poster, remittance_id, head, batch, done, self.now(), turn))
        self.done += len(batch)
        self.batch = []

    def close(self, closed: RemittanceClosed) -> None:
        self._post()
        self.row.finish()
        head = self.transaction.head
        if head is not None:
            self.store.write(lambda s: imports.close_remittance(
                s, self.poster, self.remittance_id, head, closed, self.now()))


def post_claims(path: Path, checked: Checked, store: Store, poster: imports.Poster, cursor: int, now: Now,
                progress: Progress | None) -> None:
    """Post the claims of an 837."""
    pace, bad, done = Pace(), checked.transactions[0].bad, cursor
    with path.open("rb") as stream:
        claims = enumerate(x12_837.read(stream, progress), 1)
        for number, claim in claims:
            if number <= cursor:
                continue
            batch = [(number, claim, bad.get(number, ""))]
            batch += [(n, c, bad.get(n, "")) for n, c in _take(claims, pace.size - 1)]
            pace.write(store, partial(imports.post_billed_claims, poster=poster, batch=batch, cursor=done, now=now()))
            done += len(batch)


def _take(items: Iterator[T], count: int) -> list[T]:
    return [item for _, item in zip(range(count), items, strict=False)]
