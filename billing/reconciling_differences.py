"""What processor and ledger do not agree on, in plain words: found once, repaired, explained or before staff.

A difference that nobody may repair silently gets one case; found again, it is the same row. Nothing here holds PHI:
refs and ids are the processor's and ours, amounts are amounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import cases
from billing.ids import new_id
from billing.money import dollars
from billing.store import reconcile_queries as store
from billing.store.tables_money import Difference

CASE_KIND = "reconciliation"

#: What each kind means; the words of summaries and of cases.
SENTENCES = {
    "missed_event": "news of this payment never arrived",
    "amount": "the processor's books and the ledger have different amounts for this payment",
    "stranger": "the processor has money that belongs to no payment of ours",
    "unknown_there": "the ledger has this payment as paid, the processor's books do not know it",
    "currency": "an entry in another currency than the practice's",
    "changed": "an entry of the processor's books is not what it was when it was first read",
    "other": "the processor moved money for a reason of its own",
    "balance": "the processor's balance is not what the ledger expects there, all other differences counted in",
}

#: Where the effect on the processor's balance is known to the cent: they explain a difference of the balances.
EXPLAINS = frozenset({"amount", "stranger", "unknown_there", "other", "missed_event", "changed"})


class DifferenceRefused(ValueError):
    """There is no such difference, or it is settled. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """A difference as it was found. Cents; ``None`` where one side knows nothing."""

    kind: str
    object_ref: str
    processor_minor: int | None
    ledger_minor: int | None
    payment_id: str | None = None
    note: str = ""

    @property
    def dedupe(self) -> str:
        return f"{self.kind}:{self.object_ref}"


def repaired(session: Session, practice_id: str, run_id: str, found: Found, done: str, now: datetime) -> Difference:
    """Keep that something was not right and what was done about it; an open one of the same cause is settled."""
    known = store.by_dedupe(session, practice_id, found.dedupe)
    if known is None:
        return _add(session, practice_id, run_id, found, "repaired", done, now)
    if known.status == "open":
        settle(session, known, done, "plainbill", now)
    return known


def left_open(session: Session, practice_id: str, run_id: str, found: Found, now: datetime, *,
              case: bool = True) -> Difference:
    """Put a difference before staff, once per cause; with new amounts the same row says so."""
    row = store.by_dedupe(session, practice_id, found.dedupe)
    if row is not None and row.status != "open":
        return row
    if row is None:
        row = _add(session, practice_id, run_id, found, "open", found.note, now)
    row.processor_minor, row.ledger_minor = found.processor_minor, found.ledger_minor
    if case and row.case_id is None:
        _open_case(session, row, now)
    session.flush()
    return row


def _open_case(session: Session, row: Difference, now: datetime) -> None:
    row.case_id = cases.open_case(
        session, row.practice_id, kind=CASE_KIND, title="Money does not agree with the processor's books",
        detail=sentence(row), now=now, dedupe=f"difference:{row.dedupe}").id


def give_to_staff(session: Session, practice_id: str, difference_id: str, *, now: datetime) -> Difference:
    """Open the case of a difference that has none yet. Raises DifferenceRefused."""
    row = store.find_difference(session, practice_id, difference_id)
    if row is None or row.status != "open":
        raise DifferenceRefused("there is no such open difference")
    if row.case_id is None:
        _open_case(session, row, now)
        session.flush()
    return row


def _add(session: Session, practice_id: str, run_id: str, found: Found, status: str, done: str,
         now: datetime) -> Difference:
    open_one = status == "open"
    return store.add_difference(session, Difference(
        id=new_id("dif"), practice_id=practice_id, reconciliation_id=run_id, kind=found.kind,
        object_ref=found.object_ref, payment_id=found.payment_id, processor_minor=found.processor_minor,
        ledger_minor=found.ledger_minor, status=status, what_was_done=done, case_id=None, found_at=now,
        settled_at=None if open_one else now, settled_by=None if open_one else "plainbill", dedupe=found.dedupe))


def settle(session: Session, row: Difference, done: str, by: str, now: datetime, status: str = "repaired") -> None:
    row.status, row.settled_at, row.settled_by = status, now, by
    row.what_was_done = f"{row.what_was_done}; {done}" if row.what_was_done else done
    # The same cause may come again and is then found anew.
    row.dedupe = f"{row.dedupe}#{row.id}"
    session.flush()
    if row.case_id:
        cases.add_note(session, row.practice_id, row.case_id, by=by, body=done, now=now)


def explain(session: Session, practice_id: str, difference_id: str, *, by: str, note: str, now: datetime) -> Difference:
    """A person says why a difference stands; its case is closed with those words. Raises DifferenceRefused."""
    row = store.find_difference(session, practice_id, difference_id)
    if row is None:
        raise DifferenceRefused("there is no such difference; plainbill reconcile --list shows them")
    if row.status != "open":
        raise DifferenceRefused(f"this difference is {row.status} already")
    if not note.strip():
        raise DifferenceRefused("say why it stands: the words are kept with it")
    row.status, row.settled_at, row.settled_by, row.what_was_done = "explained", now, by, note.strip()
    session.flush()
    if row.case_id and cases.find(session, practice_id, row.case_id).status != "closed":
        cases.close(session, practice_id, row.case_id, by=by, resolution=note.strip(), now=now)
    return row


def effect_minor(row: Difference) -> int:
    """Cents by which this difference keeps the processor's balance away from the ledger's. A difference of the
    balances themselves counts from when a person has explained it.
    """
    counts = row.status in ("open", "explained") if row.kind in EXPLAINS else (
        row.kind == "balance" and row.status == "explained")
    if not counts:
        return 0
    return (row.processor_minor or 0) - (row.ledger_minor or 0)


def sentence(row: Difference) -> str:
    """One difference for a reader, without PHI."""
    sides = [f"{name} {dollars(amount)}" for name, amount in
             (("processor", row.processor_minor), ("ledger", row.ledger_minor)) if amount is not None]
    what = f" [{row.status}: {row.what_was_done}]" if row.what_was_done else f" [{row.status}]"
    return f"{row.object_ref}: {SENTENCES[row.kind]} ({', '.join(sides)}){what}"
