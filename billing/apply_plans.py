"""Commands about instalment plans, carried out."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from sqlalchemy.orm import Session

from billing import plan_changes, plans
from billing.command_context import Context, make_link, record
from billing.commands import AgreePlan, ChangePlan, CommandRefused, OfferPlan, Refused
from billing.plan_consents import PlanRefused
from billing.store import plan_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Plan

PLAN = "plan"

#: PlanRefused's own reasons in words that a conversation knows (commands.Refused).
_AS_REFUSED = {"disclosures": "outside_policy", "words": "card_gone", "offer_over": "stale_plan",
               "no_change": "stale_plan"}


def carry_out(session: Session, command: OfferPlan | AgreePlan | ChangePlan, context: Context) -> str | None:
    """Raises CommandRefused."""
    match command:
        case OfferPlan():
            plan = _offer(session, command, context)
            return make_link(session, context, command.account_id, PLAN, plan.id)
        case AgreePlan():
            return _agree(session, command, context)
        case ChangePlan():
            plan_changes.apply_change(session, command, context)
            return None
        case _:
            assert_never(command)


def _offer(session: Session, command: OfferPlan | AgreePlan, context: Context) -> Plan:
    policy = policy_in(session, context.practice_id)
    if policy.plans is None:
        raise CommandRefused(Refused(command, "outside_policy"))
    key = f"{type(command).__name__}:{context.message_ref or _moment(context.now)}:{command.account_id}"
    try:
        plan = plans.offer(
            session, practice_id=context.practice_id, guarantor_id=command.account_id, terms=command.terms,
            policy=policy.plans, balance_version=command.balance_version, language=command.language,
            offered_by=context.actor, key=key, conversation_id=context.conversation_id, now=context.now)
    except PlanRefused as error:
        raise _refused(command, error) from error
    record(session, context, "plan_offered", command.account_id, plan.id)
    return plan


def _moment(now: datetime) -> str:
    return now.isoformat()


def _agree(session: Session, command: AgreePlan, context: Context) -> str:
    plan = _offer(session, command, context)
    method = store.method(session, command.terms.method_id)
    if command.terms.collects == "autopay" and method is None:
        raise CommandRefused(Refused(command, "card_gone"))
    try:
        plans.agree(
            session, plan, words=command.words, words_version=command.words_version, given_by="text",
            message_id=context.message_ref, method=method if command.terms.collects == "autopay" else None,
            disclosures_version=None, esign_at=None, now=context.now)
    except PlanRefused as error:
        raise _refused(command, error) from error
    record(session, context, "plan_agreed", command.account_id, plan.id)
    return str(plan.number)


def _refused(command: OfferPlan | AgreePlan, error: PlanRefused) -> CommandRefused:
    return CommandRefused(Refused(command, _AS_REFUSED.get(error.reason, error.reason)))
