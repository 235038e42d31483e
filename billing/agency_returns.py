"""What an agency reports back: payments it took or had to give back, its fees, debts it gives up. Each row is taken in
once, by its own reference; a row that cannot be is refused by itself, with its line, and the rest goes on. Columns:
docs/agency.md.

A payment taken by the agency is a payment of the patient: it moves back from the agency account and is posted as one
(processor and tender ``agency``), so that explanations, receipts and the year's summary have it. The agency keeps its
fee out of what it sends on.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy.orm import Session

from billing import agency_reversals, closing, ledger, placement_money, placements
from billing import payment_status as life
from billing.allocation import Part
from billing.ids import new_id
from billing.ledger import Posting
from billing.money import dollars
from billing.payment_posting import post_paid
from billing.placement_money import CLOSED, PAID, PLACED
from billing.store import collection_queries as store
from billing.store import counters, hold_queries, payment_queries
from billing.store.practices import policy_in
from billing.store.tables import Payment, Placement, PlacementEvent, PlacementFile
from config.practice import PracticePolicy

COLUMNS = ("reference", "placement_id", "kind", "on", "amount", "fee", "note")
#: One more column, at the end, where a file has rows of kind reversal (billing/agency_reversals.py).
REVERSES = "reverses"
#: Each kind of row, and the event that it becomes.
KINDS = {"payment": "agency_paid", "fee": "agency_fee", "closed": "agency_closed", "reversal": agency_reversals.KIND}
MOST_ROWS = 100_000

_MONEY = re.compile(r"\d{1,9}(?:\.\d{2})?")


class ReturnsRefused(ValueError):
    """A file that is no report of an agency. The text names the line and what to do; no PHI."""


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """Cents; ``on``: when the patient paid, the payment came back, or the agency gave up. ``reverses``: the reference
    of the payment that a reversal takes back, ``note`` its reason.
    """

    line: int
    reference: str
    placement_id: str
    kind: str
    on: date
    amount_minor: int
    fee_minor: int
    note: str = ""
    reverses: str = ""

    @property
    def came_minor(self) -> int:
        """What it adds to the patients' payments."""
        return -self.amount_minor if self.kind == "reversal" else self.amount_minor

    @property
    def kept_minor(self) -> int:
        """What it adds to the agency's fees."""
        return -self.fee_minor if self.kind == "reversal" else self.fee_minor


@dataclass(frozen=True, slots=True)
class Outcome:
    """``state``: taken, known (taken in before), refused, with the reason in ``words``. Cents, below zero for what a
    reversal takes back. No PHI.
    """

    line: int
    reference: str
    state: Literal["taken", "known", "refused"]
    words: str = ""
    amount_minor: int = 0
    fee_minor: int = 0


def parse(text: str) -> list[ReturnRow | Outcome]:
    """Read the file's rows; one that cannot be read is an Outcome. Raises ReturnsRefused for another file."""
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) not in (COLUMNS, (*COLUMNS, REVERSES)):
        raise ReturnsRefused(f"line 1: the columns are {', '.join(COLUMNS)}, in this order, and {REVERSES} after them "
                             "where the file takes payments back")
    found: list[ReturnRow | Outcome] = []
    for cells in reader:
        if len(found) >= MOST_ROWS:
            raise ReturnsRefused(f"line {reader.line_num}: more than {MOST_ROWS} rows; split the file")
        found.append(_read(reader.line_num, cells))
    return found


def _read(line: int, cells: dict[str, str | None]) -> ReturnRow | Outcome:
    said = {name: (cells.get(name) or "").strip() for name in (*COLUMNS, REVERSES)}
    reference = said["reference"][:80]

    def refused(words: str) -> Outcome:
        return Outcome(line, reference, "refused", words)

    if None in cells or not reference:
        return refused("reference: every row has one of its own, and no more cells than columns")
    if said["kind"] not in KINDS:
        return refused(f"kind: one of {', '.join(KINDS)}")
    try:
        on = date.fromisoformat(said["on"])
    except ValueError:
        return refused("on: a day written 2026-11-30")
    amounts = [said["amount"] or "0", said["fee"] or "0"]
    if not all(_MONEY.fullmatch(one) for one in amounts):
        return refused("amount, fee: dollars such as 12.50, nothing below zero; what came back is a row of kind "
                       "reversal")
    amount, fee = (_cents(one) for one in amounts)
    reversing = said["kind"] == "reversal"
    if bool(said[REVERSES]) != reversing:
        return refused("reverses: a reversal names the reference of the payment that it takes back, nothing else does")
    return ReturnRow(line, reference, said["placement_id"], said["kind"], on, amount, fee,
                     said["note"].casefold() if reversing else "", said[REVERSES][:80])


def _cents(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part or "0")


def open_file(session: Session, practice_id: str, agency: str, text: str, *, file_name: str, rows: Sequence[object],
              by: str, now: datetime) -> PlacementFile:
    """Note that the file has come; the same content again is the same file. Raises PlacementRefused."""
    policy = policy_in(session, practice_id)
    placements.agency_of(policy, agency)
    counters.lock_counter(session, practice_id, f"agency_returns:{agency}")
    digest = hashlib.sha256(text.encode()).hexdigest()
    known = store.file_by_digest(session, practice_id, agency, digest)
    if known is not None:
        return known
    number = counters.next_number(session, practice_id, f"agency_returns:{agency}")
    return store.add(session, PlacementFile(
        id=new_id("plf"), practice_id=practice_id, agency=agency, direction="in", number=number, digest=digest,
        file_name=file_name[:200], rows=len(rows),
        amount_minor=sum(row.came_minor for row in rows if isinstance(row, ReturnRow)), content=[], made_by=by,
        made_at=now))


def take_row(session: Session, practice_id: str, agency: str, row: ReturnRow, *, file_id: str, by: str,
             now: datetime) -> Outcome:
    """Take one row in, in a transaction of its own; the same reference again does nothing."""
    policy = policy_in(session, practice_id)
    found = placements.find(session, practice_id, row.placement_id)
    if found is not None:
        hold_queries.lock(session, found.guarantor_id)
    placed = store.lock(session, Placement, practice_id, row.placement_id) if found is not None else None
    known = store.event_by(session, practice_id, agency, f"in:{row.reference}")
    if known is not None:
        same = (known.kind, known.placement_id, known.amount_minor, known.fee_minor) == (
            KINDS[row.kind], row.placement_id, _moved(row, known), row.fee_minor)
        return _out(row, "known") if same else _out(row, "refused", "this reference was taken in with other content")
    if placed is None or placed.agency != agency:
        return _out(row, "refused", "placement_id: no debt of this number is with this agency")
    fault = _fault(session, row, placed, policy.local_day(now))
    if fault:
        return _out(row, "refused", fault)
    _act(session, row, placed, policy, file_id, by, now)
    return _out(row, "taken")


def _moved(row: ReturnRow, known: PlacementEvent) -> int:
    """A debt that is given up names no amount of its own: whatever was left came back."""
    return known.amount_minor if row.kind == "closed" else row.amount_minor


def _out(row: ReturnRow, state: Literal["taken", "known", "refused"], words: str = "") -> Outcome:
    counted = state == "taken"
    return Outcome(row.line, row.reference, state, words, row.came_minor if counted else 0,
                   row.kept_minor if counted else 0)


def _fault(session: Session, row: ReturnRow, placed: Placement, today: date) -> str:
    if row.on > today or (placed.placed_on is not None and row.on < placed.placed_on):
        return "on: between the day of placement and today"
    if row.kind == "fee":
        return "" if row.fee_minor > 0 and row.amount_minor == 0 else "a fee row has a fee and no amount"
    if row.kind == "reversal":
        return agency_reversals.fault(session, row, placed)
    if placed.status != PLACED:
        return f"this debt is {placed.status}: it is not with the agency any more; send the money to the practice"
    if row.kind == "closed":
        return "" if row.amount_minor == row.fee_minor == 0 else "a row that gives a debt up has no amounts"
    if not 0 < row.amount_minor <= placed.left_minor:
        return f"amount: at most {dollars(placed.left_minor)} of this debt is left there"
    return "" if row.fee_minor <= row.amount_minor else "fee: no more than what was paid"


def _act(session: Session, row: ReturnRow, placed: Placement, policy: PracticePolicy, file_id: str, by: str,
         now: datetime) -> None:
    reference = f"in:{row.reference}"
    if row.kind == "closed":
        placements.bring_home(session, placed, policy, how=CLOSED, by=by, reason="given up by the agency", now=now,
                              reference=reference, file_id=file_id)
        return
    on = closing.open_day(session, placed.practice_id, policy.local_day(now))
    if row.kind == "reversal":
        agency_reversals.act(session, row, placed, currency=policy.currency, file_id=file_id, on=on, now=now)
        return
    event = placement_money.take_back(
        session, placed, row.amount_minor, reference, KINDS[row.kind],
        currency=policy.currency, on=on, now=now, fee_minor=row.fee_minor, reference=reference, file_id=file_id)
    if row.kind == "payment":
        _book(session, row, placed, policy, by, on, now)
    if row.fee_minor:
        placed.fee_minor += row.fee_minor
        ledger.post(session, [Posting(
            placed.practice_id, ledger.wide("fees"), ledger.wide("cash:agency:agency"), row.fee_minor, policy.currency,
            "agency_fee", on, placement_money.SOURCE, agency_reversals.fee_ref(placed, event))], now)


def _book(session: Session, row: ReturnRow, placed: Placement, policy: PracticePolicy, by: str, on: date,
          now: datetime) -> None:
    """The patient's payment, put on the very visit; it is not asked where it may go, the agency has said it."""
    payment = payment_queries.add(session, Payment(
        id=new_id("pay"), practice_id=placed.practice_id, guarantor_id=placed.guarantor_id,
        amount_minor=row.amount_minor, refunded_minor=0, currency=policy.currency, processor="agency", tender="agency",
        way="desk", status=life.CREATED, instruction=[[placed.visit_id, row.amount_minor]], balance_version=0,
        language="en", idempotency_key=agency_reversals.payment_key(placed.agency, row.reference), attempt=0,
        recorded_by=by, created_at=now))
    post_paid(session, payment, (Part(placed.visit_id, row.amount_minor),), "paid", on, now)
    life.move(payment, life.SUCCEEDED)
    payment.paid_at = now
    placed.collected_minor += row.amount_minor
    session.flush()
    if placed.left_minor == 0:
        placement_money.end(session, placed, PAID, by=by, reason="paid at the agency", on=policy.local_day(now),
                            now=now)
