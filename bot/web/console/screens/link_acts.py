"""Links that are sent to one account: to pay something now, or to read a plan that was offered. The look shows the
words as the phone would, and what the gate says of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial

from pydantic import Field
from sqlalchemy.orm import Session

from billing import figures, plan_desk
from billing.money import plain
from billing.rehearsals import rehearse
from billing.store import console_account_queries as store
from billing.store import console_list_queries
from billing.store.tables import Guarantor
from bot import sent_links
from bot.sent_links import Sent
from bot.web.console import addressed, looked
from bot.web.console.fields import Id, Maybe, Money, Several
from bot.web.console.table import Action, Asked, Done, Missing, Nothing, Seen, View, there


class PayLink(looked.Form):
    """``amount`` empty: all that is due of it. ``visit_ids``: only these; none: all of them."""

    amount: Maybe[Money] = None
    visit_ids: Several[Id] = Field(default_factory=list)


class PlanLink(looked.Form):
    """A look, or the step itself."""


@dataclass(frozen=True, slots=True)
class DueVisit:
    visit_id: str
    number: str
    service_on: date | None
    due_minor: int


@dataclass(frozen=True, slots=True)
class PayAsk:
    account_id: str
    number: str
    due_minor: int
    visits: list[DueVisit]


@dataclass(frozen=True, slots=True)
class PayLinkTried:
    """``asked``: the amount as it was filled in; empty: all that is due."""

    account_id: str
    amount_minor: int
    asked: str
    visit_ids: list[str]
    sent: Sent
    digest: str


@dataclass(frozen=True, slots=True)
class PlanLinkTried:
    account_id: str
    plan_id: str
    number: int
    sent: Sent
    digest: str


def show(session: Session, asked: Asked[Nothing]) -> PayAsk:
    """What a link could ask for now."""
    account = addressed.account(session, asked)
    visits = due_visits(session, account, asked.today)
    return PayAsk(account.id, account.external, sum(one.due_minor for one in visits), visits)


def due_visits(session: Session, account: Guarantor, today: date) -> list[DueVisit]:
    """Oldest first, without confidential care."""
    found = figures.account_figures(session, account.id, today)
    visits = {one.visit_id: one for one in found.visits}
    return [DueVisit(one, visits[one].external, visits[one].service_on, minor)
            for one, minor in plan_desk.shares_in(found)]


def send_pay_link(session: Session, asked: Asked[PayLink]) -> Done:
    """Make a payment ready and send its link by the gate. Nothing is charged before the patient presses Pay."""
    account_id, form = addressed.account(session, asked).id, asked.query
    if set(form.visit_ids) - store.visits(session, account_id):
        raise Missing
    act = partial(_pay_link, session, asked, account_id)
    if not form.sure:
        amount_minor, sent = rehearse(session, act)
        text = "" if form.amount is None else plain(form.amount)
        told = PayLinkTried(account_id, amount_minor, text, list(form.visit_ids), sent,
                            looked.digest_of(amount_minor, *sent_links.told(sent)))
        return Done("account", account_id, f"/accounts/{account_id}", "", told, "pay_link_tried", tried=True)
    amount_minor, sent = act()
    looked.require_same(form, amount_minor, *sent_links.told(sent))
    return _sent(asked, account_id, sent)


def _pay_link(session: Session, asked: Asked[PayLink], account_id: str) -> tuple[int, Sent]:
    account = there(store.account(session, asked.practice_id, account_id))
    payment, sent = sent_links.pay_link(
        session, asked.wiring.road, asked.policy, account, amount_minor=asked.query.amount, only=asked.query.visit_ids,
        by=asked.person.login, processor=asked.wiring.processor.name, now=asked.now)
    return payment.amount_minor, sent


def send_plan_link(session: Session, asked: Asked[PlanLink]) -> Done:
    """Send the link of a plan that was offered, by the gate."""
    plan = there(console_list_queries.plan(session, asked.practice_id, asked.path["plan_id"]))
    plan_id, number, account_id = plan.id, plan.number, plan.guarantor_id
    act = partial(_plan_link, session, asked, plan_id, account_id)
    if not asked.query.sure:
        sent = rehearse(session, act)
        told = PlanLinkTried(account_id, plan_id, number, sent, looked.digest_of(*sent_links.told(sent)))
        return Done("plan", plan_id, f"/accounts/{account_id}#plans", "", told, "plan_link_tried", tried=True)
    sent = act()
    looked.require_same(asked.query, *sent_links.told(sent))
    return _sent(asked, account_id, sent)


def _plan_link(session: Session, asked: Asked[PlanLink], plan_id: str, account_id: str) -> Sent:
    account = there(store.account(session, asked.practice_id, account_id))
    plan = there(console_list_queries.plan(session, asked.practice_id, plan_id))
    return sent_links.plan_link(session, asked.wiring.road, asked.policy, account, plan, asked.now)


def _sent(asked: Asked[PayLink] | Asked[PlanLink], account_id: str, sent: Sent) -> Done:
    sent_links.require_let_go(sent)
    asked.wiring.road.wake.outbox.set()
    return Done("message", sent.message_id, f"/accounts/{account_id}#messages", f"reply_{sent.status}",
                {"message_id": sent.message_id, "status": sent.status})


VIEWS = (View("pay_ask", "/accounts/{account_id}/payment-link", "send", show, PayAsk,
              seen=lambda found: Seen("account", found.account_id)),)
ACTIONS = (
    Action("payment.send_link", "/accounts/{account_id}/payment-link", "send", PayLink, send_pay_link),
    Action("plan.send_link", "/plans/{plan_id}/link", "send", PlanLink, send_plan_link),
)
