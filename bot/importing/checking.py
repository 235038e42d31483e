"""Pass one: read the whole file, check every sum, write nothing to the ledger.

What every claim said is spooled to a temporary file, so that a report of a hundred thousand claims needs no memory;
what a short remittance said stays in memory as it was read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, TypeVar

from sqlalchemy.orm import Session

from billing import charges, imports
from billing.importers import footing, paper_eob, x12_835, x12_837
from billing.importers.records import BilledClaim, Fault, ImportFault, PaidClaim, RemittanceClosed, RemittanceOpened
from billing.store import import_queries
from bot.importing.claims import billed_facts, paid_facts

T = TypeVar("T")
Progress = Callable[[int], None]

#: Records of a remittance that stay in memory between the passes, some 3 KB each; a larger file is read twice.
KEPT = 4_000

_encode = json.JSONEncoder(separators=(",", ":")).encode

#: Names of X12 elements in the words of billing/importers/footing.py.
_ELEMENT = re.compile(r" \((?:CLP|SVC|CAS|BPR|PLB)\d*\)")

#: What reads the remittances of each kind of file into the same records.
REMITTANCES: Mapping[str, Callable[[BinaryIO, Progress | None], Iterator[x12_835.RemittanceRecord]]] = {
    "835": x12_835.read, "paper": paper_eob.read}


class Store(Protocol):
    """The part of bot.write.Store that importing uses; a dry run gives one whose writes never commit."""

    def write(self, fn: Callable[[Session], T]) -> T: ...

    def read(self, fn: Callable[[Session], T]) -> T: ...


@dataclass(slots=True)
class Transaction:
    """One 835 transaction, or all claims of an 837 file (``head`` empty)."""

    head: RemittanceOpened | None = None
    claims: int = 0
    bad: dict[int, str] = field(default_factory=dict)  # claim number -> why it cannot be posted
    faults: list[Fault] = field(default_factory=list)  # of the whole transaction
    closed: RemittanceClosed | None = None
    digest: str = ""
    duplicate: bool = False

    @property
    def foots(self) -> bool | None:
        return None if self.head is None else not (self.bad or self.faults)


@dataclass(slots=True)
class Checked:
    """What pass one found. ``faults`` refuse the file; claims of ``Transaction.bad`` may be skipped on request."""

    kind: str
    transactions: list[Transaction]
    faults: list[Fault]
    #: The file as pass one read it, so that pass two need not read it again; None for one of more than KEPT records.
    records: list[x12_835.RemittanceRecord] | None = None

    @property
    def claims(self) -> int:
        return sum(t.claims for t in self.transactions)

    def facts(self, spool: IO[str]) -> Iterator[dict[str, Any]]:
        """What each claim of the file said, in its order."""
        if self.records is not None:
            return (paid_facts(record) for record in self.records if isinstance(record, PaidClaim))
        spool.seek(0)
        return (json.loads(line) for line in spool)


def check_remittances(path: Path, kind: str, store: Store, practice_id: str, digest: str, spool: IO[str],
                      progress: Progress | None) -> Checked:
    """Read an 835, or EOBs on paper. Raises ImportFault for what is not readable as such."""
    checked = Checked(kind, [], [])
    sums: footing.TransactionSums | None = None
    content = footing.ContentDigest()
    with path.open("rb") as stream:
        for record in _keep(REMITTANCES[kind](stream, progress), checked, spool):
            if isinstance(record, RemittanceOpened):
                sums, content = footing.TransactionSums(record), footing.ContentDigest()
                checked.transactions.append(Transaction(record))
            elif isinstance(record, PaidClaim) and sums is not None:
                _check_paid(checked.transactions[-1], record, sums, content)
            elif isinstance(record, RemittanceClosed) and sums is not None:
                _close(checked.transactions[-1], record, sums, content)
    if not checked.transactions:
        raise ImportFault("the file holds no 835 transaction (ST*835): nothing to import")
    _find_copies(checked, store, practice_id, digest)
    return checked


def _keep(records: Iterator[x12_835.RemittanceRecord], checked: Checked,
          spool: IO[str]) -> Iterator[x12_835.RemittanceRecord]:
    kept: list[x12_835.RemittanceRecord] = []
    for number, record in enumerate(records, 1):
        kept.append(record)
        if number > KEPT:
            for claim in kept:
                if isinstance(claim, PaidClaim):
                    _spool(spool, paid_facts(claim))
            kept = []
        yield record
        checked.records = kept or None


def _check_paid(transaction: Transaction, claim: PaidClaim, sums: footing.TransactionSums,
                content: footing.ContentDigest) -> None:
    transaction.claims += 1
    sums.add(claim)
    content.add(claim)
    faults = footing.claim_faults(claim)
    if faults:
        transaction.bad[transaction.claims] = _say(faults[0], on_paper=sums.opened.on_paper)


def _close(transaction: Transaction, closed: RemittanceClosed, sums: footing.TransactionSums,
           content: footing.ContentDigest) -> None:
    transaction.closed = closed
    transaction.faults.extend(sums.faults(closed))
    transaction.digest = content.hexdigest(closed.provider_adjustments)


def _say(fault: Fault, *, on_paper: bool = False) -> str:
    """A fault as a biller reads it: where, and what. Whoever typed an EOB in knows lines and no segments of X12."""
    if on_paper:
        return f"line {fault.position}: {_ELEMENT.sub('', fault.reason)}"
    return f"segment {fault.position} ({fault.segment}): {fault.reason}"


def _spool(spool: IO[str], facts: dict[str, Any]) -> None:
    spool.write(_encode(facts) + "\n")


def _find_copies(checked: Checked, store: Store, practice_id: str, digest: str) -> None:
    """Mark what was posted before; the same identity with other amounts is a fault of the file."""
    here: dict[str, str] = {}
    for transaction in checked.transactions:
        if transaction.head is None:
            continue
        identity = imports.identity_of(transaction.head)
        known = here.get(identity) or store.read(
            partial(_posted_digest, practice_id=practice_id, identity=identity, file_digest=digest))
        if known == transaction.digest:
            transaction.duplicate = True
        elif known:
            transaction.faults.append(Fault(
                transaction.head.position, "TRN", f"{known}" if known.startswith("half") else
                "a remittance with this trace, payer, date and amount was posted with other content; ask the payer "
                "which one is right, and undo the posted one first if it is not"))
        here.setdefault(identity, transaction.digest)


def _posted_digest(session: Session, practice_id: str, identity: str, file_digest: str) -> str:
    """The digest of the posted copy; "" when there is none, or when it is this very file's, half done."""
    row = import_queries.find_remittance(session, practice_id, identity)
    if row is None or row.status == "undone":
        return ""
    run = import_queries.find_run(session, practice_id, row.import_id)
    if run is not None and run.status in import_queries.UNFINISHED and run.digest == file_digest:
        return ""
    if run is not None and run.status == "posting":
        return (
            "half of this remittance was posted from another file whose import was interrupted: import that file "
            "again to finish it")
    return row.digest


def check_claims(path: Path, kind: str, store: Store, poster: imports.Poster, spool: IO[str],
                 progress: Progress | None, now: Callable[[], Any]) -> Checked:
    """Read an 837. Raises ImportFault."""
    transaction = Transaction()
    seen: dict[str, str] = {}
    with path.open("rb") as stream:
        for batch in in_batches(x12_837.read(stream, progress), 200):
            refusals = store.read(partial(imports.refuse_billed, poster=poster, claims=batch, now=now()))
            for claim, refusal in zip(batch, refusals, strict=True):
                _check_billed(transaction, claim, refusal or _repeats(seen, claim), spool)
    if not transaction.claims:
        raise ImportFault("the file holds no claim (CLM): nothing to import")
    return Checked(kind, [transaction], [])


def _repeats(seen: dict[str, str], claim: BilledClaim) -> str:
    """An original claim whose number stands in this file with other content."""
    if not charges.is_original(claim):
        return ""
    digest = charges.claim_digest(claim)
    return "" if seen.setdefault(claim.claim_id, digest) == digest else charges.OTHER_CONTENT


def _check_billed(transaction: Transaction, claim: BilledClaim, refusal: str, spool: IO[str]) -> None:
    transaction.claims += 1
    faults = footing.billed_claim_faults(claim)
    if faults:
        transaction.bad[transaction.claims] = _say(faults[0])
    elif refusal:
        transaction.bad[transaction.claims] = f"segment {claim.position} (CLM): {refusal}"
    _spool(spool, billed_facts(claim))


def in_batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def reasons(checked: Checked, skip_bad_claims: bool) -> list[str]:
    """Why the file is refused, the transactions' own faults first; empty when it may be posted."""
    found = [_say(f) for f in checked.faults]
    for transaction in checked.transactions:
        found.extend(_say(f, on_paper=checked.kind == "paper") for f in transaction.faults)
        if not skip_bad_claims:
            found.extend(transaction.bad.values())
    return found
