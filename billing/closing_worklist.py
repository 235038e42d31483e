"""What nobody has accounted for yet: money at the bank without a reason, and reasons without money at the bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from billing.closing_matching import expected
from billing.closing_pairs import Expected, business_days
from billing.store import close_queries as store
from billing.store.tables_money import BankLine

#: Business days after which money that was announced counts as late: the windows of billing/closing_matching.py.
SENTENCES = {
    "line": "at the bank, and nothing on file says what it is",
    "eft_without_remittance": "an insurer's payment without its remittance (835): ask the payer for it",
    "money_out": "went out of the bank, and nothing on file says why",
    "payout": "the processor sent it, the bank does not show it",
    "remittance": "the remittance (835) announces it, the bank does not show it",
    "deposit": "counted and to be deposited, the bank does not show it",
    "agency": "an agency reported it, the bank does not show it: ask the agency for it",
    "undone": "matched to a remittance that was undone since: take the match back",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One entry. ``ref`` is the line, or what should be at the bank; cents; ``text`` is the bank's, for lines."""

    kind: str
    ref: str
    on: date
    amount_minor: int
    sentence: str
    text: str = ""


def worklist(session: Session, practice_id: str, free: Sequence[Expected] | None = None) -> list[Waiting]:
    """Everything that waits for a person, oldest first. What may still come in time is left out, and what the bank's
    files on file do not cover: nobody can say that it did not come. ``free``: what is expected, where it is known.
    """
    found = [_of_line(row) for row in store.lines(session, practice_id, matched=False)]
    first, last = store.bank_span(session, practice_id)
    if first and last:
        found += [_of_expected(e) for e in (expected(session, practice_id) if free is None else free)
                  if e.due_on >= first and business_days(e.due_on, last) > e.latest and not e.ref.endswith(":all")]
    found += [Waiting("undone", row.id, row.booked_on, row.amount_minor, SENTENCES["undone"], row.text)
              for row in store.undone_matches(session, practice_id)]
    return sorted(found, key=lambda w: (w.on, w.kind, w.ref))


def _of_line(row: BankLine) -> Waiting:
    kind = "line" if row.amount_minor > 0 else "money_out"
    if row.amount_minor > 0 and "HCCLAIMPMT" in row.text.upper():
        kind = "eft_without_remittance"
    return Waiting(kind, row.id, row.booked_on, row.amount_minor, SENTENCES[kind], row.text)


def _of_expected(one: Expected) -> Waiting:
    return Waiting(one.kind, one.ref, one.due_on, one.amount_minor, SENTENCES[one.kind])
