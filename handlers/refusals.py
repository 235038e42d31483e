"""A command was not carried out and its turn was undone: what is said then. Nothing is ever tried again unasked."""

from __future__ import annotations

from dataclasses import replace

from billing.commands import (
    AgreePlan,
    AskCard,
    ChangePlan,
    ChargeSavedCard,
    MakeStatement,
    OfferPlan,
    Refused,
    RemoveCard,
    RequestPayment,
)
from handlers import filing
from handlers.accounts import running_plan
from handlers.core import IDLE, Decision, Happened, Reading, Reply, Turn
from handlers.flows import pay, person, plan, plan_changing, plan_running, statement
from handlers.turns import answer_by, phone


def refused(turn: Turn, event: Happened) -> Decision:
    """Say what is so now."""
    why = event.refused
    account_id = turn.talk.account_id
    if why is not None and getattr(why.command, "account_id", account_id) != account_id:
        account_id = None  # the text had proved another account, and that was undone with it: not the first one's turn
    calm = replace(turn, talk=replace(turn.talk, state=IDLE, account_id=account_id),
                   reading=Reading("A request could not be carried out."))
    match why.command if why is not None else None:
        case RequestPayment() | ChargeSavedCard() if why is not None:
            return pay.refuse(calm, why.reason)
        case AgreePlan() | OfferPlan() if why is not None:
            return _plan(calm, why.reason)
        case ChangePlan() if why is not None:
            return _change(calm, why)
        case MakeStatement() if why is not None and calm.account is not None:
            return _statement(calm, why.reason)
        case AskCard() | RemoveCard() if why is not None and why.reason == "card_gone":
            return Decision((Reply("card_none"),))
    return person.start(calm, "human")


def _statement(turn: Turn, reason: str) -> Decision:
    if reason == "stale_balance":
        return statement.start(turn, "statement")
    return Decision((Reply("explain_nothing"),)) if reason == "nothing_due" else person.start(turn, "human")


def _plan(turn: Turn, reason: str) -> Decision:
    """Nothing was agreed to. Where the figures moved, new offers; else a person."""
    if turn.account is None or reason in ("stale_balance", "not_asked", "on_plan", "nothing_due", "stale_plan"):
        return plan.changed(turn)
    if reason == "card_gone":
        return Decision((Reply("pay_card_gone"),))
    if reason == "hold":
        return Decision((Reply("pay_held", {"phone": phone(turn)}),))
    handed = person.start(turn, "plan_change")
    return Decision((Reply("plan_beyond"), *handed.replies)).also(*handed.commands)


def _change(turn: Turn, why: Refused) -> Decision:
    """A permission that was taken back is never lost: what billing could not do, a person does, and nothing is charged
    until then (T-48).
    """
    if isinstance(why.command, ChangePlan) and why.command.change == "pay_by_link":
        case = filing.open_case(turn, plan_running.MATTER, detail=why.command.wording)
        return Decision((Reply("charges_heard", {"by_at": answer_by(turn)}),)).also(case)
    running = running_plan(turn.account) if turn.account is not None else None
    if why.reason == "charging":
        return Decision((Reply("pay_charging_now"),))
    if running is not None and why.reason in ("stale_plan", "not_asked", "card_gone"):
        return plan_changing.moved_on(turn, running)
    handed = person.start(turn, "plan_change")
    return Decision((Reply("plan_beyond"), *handed.replies)).also(*handed.commands)
