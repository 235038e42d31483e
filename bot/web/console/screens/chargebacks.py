"""Chargebacks and debits that came back: by the day on which evidence is due, with the pack that answers the bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from billing import dispute_evidence, dispute_work, payment_disputes
from billing.dispute_cases import open_cases
from billing.dispute_status import CLOSED, OPEN
from billing.store import console_money_queries as store
from billing.store import console_people_queries, money_queries
from billing.store.tables import Case, Payment, PaymentDispute
from bot.web.console.fields import Reason
from bot.web.console.shared_forms import Note
from bot.web.console.table import Action, Asked, Done, Form, Nothing, Seen, View, of_practice, there

SHOWN = 200
#: What the trail calls the steps of people.
_STEPS = frozenset({"evidence_sent", "dispute_accepted"})


class Query(Form):
    """``state``: open (the bank has not decided), or over (won, lost, returned)."""

    state: Literal["open", "over"] = "open"


class Accept(Form):
    reason: Reason


@dataclass(frozen=True, slots=True)
class Line:
    """Cents. ``late``: evidence was due and was not handed in. ``case_id`` empty: its case is closed."""

    dispute_id: str
    payment_id: str
    account_id: str
    account: str
    amount_minor: int
    fee_minor: int
    reason: str
    status: str
    evidence_due_at: datetime | None
    late: bool
    opened_at: datetime
    closed_at: datetime | None
    case_id: str
    case_number: int | None
    owner: str


@dataclass(frozen=True, slots=True)
class Disputes:
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Step:
    at: datetime
    by: str
    what: str


@dataclass(frozen=True, slots=True)
class DisputePage:
    """``pack``: as billing/dispute_evidence.py; ``steps``: what people here did, oldest first."""

    line: Line
    pack: dict[str, Any]
    steps: list[Step]


def read(session: Session, asked: Asked[Query]) -> Disputes:
    """What the bank asks to be answered, the next day on top; or what is over."""
    wanted = OPEN if asked.query.state == "open" else CLOSED
    rows = store.disputes(session, asked.practice_id, wanted, SHOWN)
    known = open_cases(session, asked.practice_id, [(row, payment) for row, payment, _ in rows])
    return Disputes([_line(row, payment, account, known[row.id], asked.now) for row, payment, account in rows])


def show(session: Session, asked: Asked[Nothing]) -> DisputePage | None:
    """One dispute, what was done, and what the practice can answer with."""
    found = store.dispute(session, asked.practice_id, asked.path["dispute_id"])
    if found is None:
        return None
    row, payment, account = found
    line = _line(row, payment, account, open_cases(session, asked.practice_id, [(row, payment)])[row.id], asked.now)
    trail = console_people_queries.trail(session, asked.practice_id, actor="", action="", object_id=line.payment_id,
                                         before=None, since=None, until=None, most=SHOWN)
    return DisputePage(line, dispute_evidence.evidence(session, asked.practice_id, line.dispute_id),
                       [Step(one.at, one.actor, one.action) for one in reversed(trail) if one.action in _STEPS])


def _line(row: PaymentDispute, payment: Payment, account: str, cases: Sequence[Case], now: datetime) -> Line:
    case = next(iter(cases), None)
    late = row.status == "open" and row.evidence_due_at is not None and row.evidence_due_at <= now
    return Line(row.id, payment.id, payment.guarantor_id, account, row.amount_minor, row.fee_minor, row.reason,
                row.status, row.evidence_due_at, late, row.opened_at, row.closed_at, case.id if case else "",
                case.number if case else None, (case.owner or "") if case else "")


def mark_sent(session: Session, asked: Asked[Nothing]) -> Done:
    """The evidence was handed in at the processor, by a person."""
    row = payment_disputes.mark_evidence_sent(session, asked.practice_id, _known(session, asked),
                                              by=asked.person.login, now=asked.now)
    return _done(row.id, row.status)


def accept(session: Session, asked: Asked[Accept]) -> Done:
    """The practice does not contest it."""
    row = dispute_work.accept(session, asked.practice_id, _known(session, asked), by=asked.person.login,
                              reason=asked.query.reason, now=asked.now)
    return _done(row.id, row.status)


def note(session: Session, asked: Asked[Note]) -> Done:
    """A note for colleagues in its case, which opens anew where it was closed."""
    dispute_id = _known(session, asked)
    case = dispute_work.note(session, asked.practice_id, dispute_id, by=asked.person.login, body=asked.query.body,
                             now=asked.now)
    return Done("dispute", dispute_id, f"/money/disputes/{dispute_id}", result={"case_id": case.id})


def _known(session: Session, asked: Asked[Any]) -> str:
    return there(money_queries.dispute_by_id(session, asked.practice_id, asked.path["dispute_id"])).id


def _done(dispute_id: str, status: str) -> Done:
    return Done("dispute", dispute_id, f"/money/disputes/{dispute_id}", result={"status": status})


_ONE = "/money/disputes/{dispute_id}"
VIEWS = (
    View("money_disputes", "/money/disputes", "read", read, Disputes, Query, of_practice("disputes")),
    View("dispute", _ONE, "read", show, DisputePage, seen=lambda found: Seen("account", found.line.account_id)),
)
ACTIONS = (
    Action("dispute.sent", f"{_ONE}/sent", "cases", Nothing, mark_sent),
    Action("dispute.accept", f"{_ONE}/accept", "approve", Accept, accept),
    Action("dispute.note", f"{_ONE}/notes", "cases", Note, note),
)
