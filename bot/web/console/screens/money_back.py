"""Money that goes back or has no place: refunds before a second person, credit, remittance suspense."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import AwareDatetime
from sqlalchemy.orm import Session

from billing import overpayments, refunds
from billing.console import money
from billing.console.money import Credit, SuspensePage
from billing.store import console_money_queries, credit_queries
from billing.store.tables import Refund
from bot.web.console import addressed
from bot.web.console.fields import Day, Id, Maybe
from bot.web.console.shared_forms import Why
from bot.web.console.table import Action, Asked, Done, Form, Missing, Nothing, View, of_practice

WAITING_SHOWN = 200
DECIDED_SHOWN = 50


class After(Form):
    """Where the page before ended."""

    after_at: AwareDatetime | None = None
    after_id: Maybe[Id] = None


class CreditsQuery(Form):
    """Where the page before ended, as it said; ``report_by`` empty: its last one need not be reported."""

    report_by: Maybe[Day] = None
    since: Maybe[Day] = None
    after: Maybe[Id] = None


@dataclass(frozen=True, slots=True)
class RefundLine:
    refund_id: str
    payment_id: str
    account_id: str
    account: str
    amount_minor: int
    tender: str
    reason: str
    note: str
    status: str
    asked_by: str
    asked_at: datetime
    decided_by: str
    failure: str


@dataclass(frozen=True, slots=True)
class Request:
    """A write-off or a placement that somebody asked for. ``kind``: of write-off, or which agency."""

    request_id: str
    account_id: str
    account: str
    kind: str
    amount_minor: int
    reason: str
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingPage:
    refunds: list[RefundLine]
    write_offs: list[Request]
    placements: list[Request]
    decided: list[RefundLine]


@dataclass(frozen=True, slots=True)
class Credits:
    """``accounts``, ``total_minor``: of all pages. The next page begins behind the last line, where there is ``more``.
    """

    accounts: int
    total_minor: int
    lines: list[Credit]
    more: bool
    today: date


def read(session: Session, asked: Asked[Nothing]) -> WaitingPage:
    """Everything that a second person has to approve, and the refunds that somebody decided."""
    practice_id = asked.practice_id
    return WaitingPage(
        [_refund(*row) for row in console_money_queries.waiting_refunds(session, practice_id, WAITING_SHOWN)],
        [Request(w.id, w.guarantor_id, account, w.kind, w.amount_minor, w.reason, w.asked_by, w.asked_at)
         for w, account in console_money_queries.asked_write_offs(session, practice_id, WAITING_SHOWN)],
        [Request(p.id, p.guarantor_id, account, p.agency, p.amount_minor, "", p.proposed_by, p.proposed_at)
         for p, account in console_money_queries.proposed_placements(session, practice_id, WAITING_SHOWN)],
        [_refund(*row) for row in console_money_queries.moving_refunds(session, practice_id, DECIDED_SHOWN)])


def read_credits(session: Session, asked: Asked[CreditsQuery]) -> Credits:
    """Money that nobody needs: to be used or given back, federal payers' by its day."""
    query = asked.query
    after = (query.report_by or date.max, query.since, query.after) if query.since and query.after else None
    lines, more = money.credits_page(session, asked.practice_id, after)
    return Credits(*credit_queries.credit_of_all(session, asked.practice_id), lines, more, asked.today)


def read_suspense(session: Session, asked: Asked[After]) -> SuspensePage:
    """Claims of remittances whose money no visit could take."""
    query = asked.query
    after = (query.after_at, query.after_id or "") if query.after_at else None
    return money.suspense(session, asked.practice_id, after)


def approve(session: Session, asked: Asked[Nothing]) -> Done:
    """Let a refund go that another person asked for."""
    row = refunds.approve(session, asked.practice_id, _known(session, asked), by=asked.person.login, now=asked.now)
    return _done(row)


def decline(session: Session, asked: Asked[Why]) -> Done:
    """End a refund that waits for approval."""
    row = refunds.decline(session, asked.practice_id, _known(session, asked), by=asked.person.login,
                          reason=asked.query.reason, now=asked.now)
    return _done(row)


def use_credit(session: Session, asked: Asked[Nothing]) -> Done:
    """Pay what an account owes now from its credit."""
    row = addressed.account(session, asked)
    used = overpayments.apply_credit(session, asked.practice_id, row.id, asked.person.login, asked.now)
    return Done("account", row.id, "/money/credits", "credit_used" if used else "credit_kept", {"used_minor": used})


async def ring(asked: Asked[Any], done: Done) -> None:
    """What goes to the processor is waiting for its caller."""
    asked.wiring.road.wake.calls.set()


def _known(session: Session, asked: Asked[Any]) -> str:
    refund_id = asked.path["refund_id"]
    if not console_money_queries.has_refund(session, asked.practice_id, refund_id):
        raise Missing
    return refund_id


def _done(row: Refund) -> Done:
    return Done("refund", row.id, "/money/waiting", result={"refund_id": row.id, "status": row.status})


def _refund(row: Refund, account: str) -> RefundLine:
    return RefundLine(row.id, row.payment_id, row.guarantor_id, account, row.amount_minor, row.tender, row.reason,
                      row.note, row.status, row.requested_by, row.requested_at, row.approved_by or "",
                      row.failure or "")


VIEWS = (
    View("money_waiting", "/money/waiting", "read", read, WaitingPage, seen=of_practice("refunds")),
    View("money_credits", "/money/credits", "read", read_credits, Credits, CreditsQuery,
         of_practice("credits")),
    View("money_suspense", "/money/suspense", "read", read_suspense, SuspensePage, After,
         of_practice("suspense")),
)
ACTIONS = (
    Action("refund.approve", "/refunds/{refund_id}/approve", "approve", Nothing, approve, after=ring),
    Action("refund.decline", "/refunds/{refund_id}/decline", "approve", Why, decline),
    Action("credit.use", "/accounts/{account_id}/use-credit", "cases", Nothing, use_credit),
)
