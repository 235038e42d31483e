"""What is done to an account from its page: confirming, holds, refunds and write-offs asked for, numbers."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import Session

from billing import accounts, holds, refunds, write_offs
from billing.store import console_account_queries as store
from billing.store import hold_queries, payment_list_queries
from bot.web.console import addressed
from bot.web.console.fields import Code, Id, Maybe, Money, Reason
from bot.web.console.shared_forms import Why
from bot.web.console.table import Action, Asked, Done, Form, Missing, there


class Confirm(Form):
    """``language`` empty leaves it as it is."""

    reason: Reason
    language: Literal["", "en", "es"] = ""


class NewHold(Form):
    """``visit_id`` empty: the whole account. ``amount`` empty: all of it."""

    kind: Code
    reason: Reason
    visit_id: Maybe[Id] = None
    amount: Maybe[Money] = None


class Refund(Form):
    """``tender``: the way it was paid, or a check or cash by hand. ``once`` is the page's own: two presses ask once.
    """

    amount: Money
    tender: Literal["original", "check", "cash"]
    reason: Literal["overpaid", "billing_error", "duplicate", "insurer_paid", "assistance", "dispute_upheld", "other"]
    note: Reason
    once: Id


class WriteOff(Form):
    kind: Literal["small_balance", "bad_debt", "charity", "administrative"]
    reason: Reason


def confirm(session: Session, asked: Asked[Confirm]) -> Done:
    account_id = addressed.account(session, asked).id
    accounts.confirm(session, asked.practice_id, account_id, by=asked.person.login, now=asked.now,
                     language=asked.query.language or None)
    return Done("account", account_id, f"/accounts/{account_id}")


def hold(session: Session, asked: Asked[NewHold]) -> Done:
    account_id, form = addressed.account(session, asked).id, asked.query
    if form.visit_id and form.visit_id not in store.visits(session, account_id):
        raise Missing
    row = holds.place(session, practice_id=asked.practice_id, guarantor_id=account_id, kind=form.kind,
                      visit_id=form.visit_id, amount_minor=form.amount, reason=form.reason, source="console",
                      placed_by=asked.person.login, now=asked.now)
    return Done("hold", row.id, f"/accounts/{account_id}#holds", result={"hold_id": row.id})


def release(session: Session, asked: Asked[Why]) -> Done:
    row = there(hold_queries.by_id(session, asked.practice_id, asked.path["hold_id"]))
    holds.release(session, asked.practice_id, row.id, released_by=asked.person.login, reason=asked.query.reason,
                  now=asked.now)
    return Done("hold", row.id, f"/accounts/{row.guarantor_id}#holds")


def refund(session: Session, asked: Asked[Refund]) -> Done:
    payment = there(payment_list_queries.find(session, asked.practice_id, asked.path["payment_id"]))
    form = asked.query
    row = refunds.ask(session, practice_id=asked.practice_id, payment_id=payment.id, amount_minor=form.amount,
                      tender=form.tender, reason=form.reason, note=form.note, by=asked.person.login,
                      dedupe=f"console:{payment.id}:{form.once}", policy=asked.policy, now=asked.now)
    return Done("refund", row.id, f"/accounts/{payment.guarantor_id}#payments", "refund_asked",
                {"refund_id": row.id, "status": row.status})


def write_off(session: Session, asked: Asked[WriteOff]) -> Done:
    account_id, form = addressed.account(session, asked).id, asked.query
    row = write_offs.ask(session, practice_id=asked.practice_id, guarantor_id=account_id, kind=form.kind,
                         reason=form.reason, by=asked.person.login, now=asked.now)
    return Done("write_off", row.id, f"/accounts/{account_id}", "write_off_asked",
                {"write_off_id": row.id, "status": row.status})


VIEWS = ()
ACTIONS = (
    Action("account.confirm", "/accounts/{account_id}/confirm", "confirm", Confirm, confirm),
    Action("hold.place", "/accounts/{account_id}/holds", "holds", NewHold, hold),
    Action("hold.release", "/holds/{hold_id}/release", "holds", Why, release),
    Action("refund.ask", "/payments/{payment_id}/refunds", "cases", Refund, refund),
    Action("write_off.ask", "/accounts/{account_id}/write-offs", "cases", WriteOff, write_off),
)
