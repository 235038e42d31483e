"""What is owed now, by when, and the least that can be paid."""

from __future__ import annotations

from billing.views import AccountView
from handlers.accounts import due_visits, is_waiting, list_visits, running_plan, shown_figures, shown_visits
from handlers.core import Decision, Reply, Turn
from handlers.flows import links, plan_words, rights
from handlers.flows.flow import Flow, never_answers, never_asks

NAME = "balance"
STEPS: tuple[str, ...] = ()


def start(turn: Turn, intent: str) -> Decision:
    account = links.shown_account(turn, intent)
    if isinstance(account, Decision):
        return account
    if intent == "due_date":
        return _due_date(turn, account)
    return _minimum(turn, account) if intent == "minimum_payment" else Decision(_balance(account))


def _balance(account: AccountView) -> tuple[Reply, ...]:
    figures = shown_figures(account)
    pending, held = rights.plainly_waiting(account)
    balance = Reply("balance", {
        "due_now_minor": figures.due_now_minor, "visits": list_visits(due_visits(account)),
        "pending_minor": pending, "held_minor": held,
        "on_plan_minor": figures.on_plan_minor, "credit_minor": figures.credit_minor,
        "placed_minor": figures.placed_minor,
        "waiting": any(is_waiting(visit) for visit in shown_visits(account))})
    return (balance, *rights.notices(account, shown_visits(account)))


def _due_date(turn: Turn, account: AccountView) -> Decision:
    due = shown_figures(account).due_now_minor
    plan = running_plan(account)
    if due <= 0 and plan is not None and turn.practice.policy.plans is not None:
        return Decision((Reply("plan_next", plan_words.status(plan)),))
    if due <= 0 or account.last_statement_due_on is None:
        return Decision((Reply("due_date_none"),))
    day = account.last_statement_due_on.isoformat()
    return Decision((Reply("due_date", {"due_now_minor": due, "due_on": day}),))


def _minimum(turn: Turn, account: AccountView) -> Decision:
    due = shown_figures(account).due_now_minor
    if due <= 0:
        return Decision(_balance(account))
    least = min(turn.practice.policy.minimum_payment_minor, due)
    return Decision((Reply("minimum_payment", {"minimum_minor": least, "due_now_minor": due}),))


FLOW = Flow(NAME, STEPS, ("balance", "due_date", "minimum_payment"), start, never_answers, never_asks)
