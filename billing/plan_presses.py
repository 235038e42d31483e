"""What the buttons of a plan's page do: agree, stop automatic payments, pay an instalment or all of it.

Everything is read again in the transaction in which it is written down; nothing here talks to a processor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import audit, links, payments, plan_changes, plans, setups, talks
from billing.allocation import in_order
from billing.command_context import Context
from billing.commands import ChangePlan, CommandRefused, RequestPayment
from billing.dues import local_day
from billing.figures import account_figures
from billing.links import LinkView
from billing.plan_consents import PlanRefused
from billing.plan_pages import newest_card
from billing.plan_status import PROPOSED, RUNNING
from billing.store import payment_queries
from billing.store import plan_page_queries as store
from billing.store.tables import Plan, SetupRequest
from billing.store.tables_road import Conversation
from config.practice import PracticePolicy


@dataclass(frozen=True, slots=True)
class Signature:
    """What was on the page when the button was pressed. ``collects``: autopay or link; ``ref`` names the link, and
    does not open it. ``disclosures_version`` is empty where none are due.
    """

    words: str
    words_version: str
    language: str
    collects: str
    disclosures_version: str
    ref: str
    disclosures: Mapping[str, Any] | None = None  # everything that was shown before signing (T-47, 15 USC 7001(c))


def plan_of(session: Session, link: LinkView, *, lock: bool = False) -> Plan | None:
    """The plan that the link is for; never another account's."""
    plan = store.plan_of(session, link.practice_id, link.guarantor_id, link.object_id)
    if plan is None or not lock:
        return plan
    payment_queries.lock_guarantor(session, link.guarantor_id)
    return store.lock_plan(session, plan.id)


def agree(session: Session, plan: Plan, signed: Signature, now: datetime) -> str:
    """Agree to a plan that ``plan_of(lock=True)`` gave. Returns why not (as commands.Refused), empty when done.

    A second press on a plan that runs already is a yes that was heard.
    """
    if plan.status not in PROPOSED:
        return "" if plan.status in RUNNING else "stale_plan"
    card = newest_card(session, plan.guarantor_id, local_day(session, plan.practice_id, now))
    if signed.collects == "autopay" and card is None:
        return "card_gone"
    plan.language = signed.language  # of the words, and so of the copy
    try:
        given = plans.agree(
            session, plan, words=signed.words, words_version=signed.words_version, given_by="page",
            message_id=f"link:{signed.ref}", method=card if signed.collects == "autopay" else None,
            disclosures_version=signed.disclosures_version or None,
            esign_at=now if signed.disclosures_version else None, now=now)
    except PlanRefused as refused:
        return refused.reason
    given.disclosures = dict(signed.disclosures) if signed.disclosures else None
    audit.record(session, plan.practice_id, "patient", "plan_agreed", "plan", plan.id, signed.words_version, now)
    return ""


def stop(session: Session, link: LinkView, plan: Plan, wording: str, now: datetime) -> str:
    """Revoke automatic payments at once (T-48); the plan goes on by link. Returns why not, empty when done."""
    if plan.status not in RUNNING:
        return "stale_plan"
    if plan.collects != "autopay":
        return ""
    command = ChangePlan(plan.guarantor_id, plan.id, plan.version, "pay_by_link", wording)
    try:
        plan_changes.apply_change(session, command, _context(session, link, plan, now))
    except CommandRefused as refused:
        return refused.refused.reason
    return ""


def _talk(session: Session, link: LinkView, plan: Plan, now: datetime) -> str | None:
    return plan.conversation_id or talks.latest_talk(session, link.practice_id, link.guarantor_id, now)


def _context(session: Session, link: LinkView, plan: Plan, now: datetime) -> Context:
    talk_id = _talk(session, link, plan, now) or ""
    talk = session.get(Conversation, talk_id) if talk_id else None
    return Context(link.practice_id, talk_id, talk.address if talk else "", talk.address_hash if talk else "",
                   talk.channel if talk else "sms", None, plan.language, now)


def pay(session: Session, link: LinkView, plan: Plan, *, everything: bool, policy: PracticePolicy, language: str,
        ref: str, now: datetime, processor: str) -> tuple[str, str]:
    """Turn a button into a payment and a pay link: (payment id, token). ``everything``: all that is left of the plan,
    else its next open instalment. The same press on the same balance makes one payment. Raises CommandRefused.
    """
    number, wanted = next_open(session, plan) if not everything else (None, _left(session, plan))
    split = _spread(session, plan, wanted, now)
    account = payment_queries.guarantor(session, link.practice_id, link.guarantor_id)
    version = account.balance_version if account else 0
    command = RequestPayment(link.guarantor_id, sum(minor for _, minor in split), split, version, language,
                             early=True, plan_id=plan.id, instalment=number)
    payment = payments.request(session, command, payments.RequestContext(
        link.practice_id, policy, now, _talk(session, link, plan, now),
        f"door:{ref}:{version}:{'all' if everything else number}", processor))
    payments.mark_link_sent(payment)
    token = links.make(session, link.practice_id, link.guarantor_id, "pay", payment.id, policy.link_days, now)
    return payment.id, token


def next_open(session: Session, plan: Plan) -> tuple[int, int]:
    """(number, cents open) of the first instalment with something open; (0, 0) when all are paid."""
    for row in store.instalments_of(session, plan.id):
        if row.amount_minor > row.paid_minor:
            return row.number, row.amount_minor - row.paid_minor
    return 0, 0


def _left(session: Session, plan: Plan) -> int:
    return sum(max(row.amount_minor - row.paid_minor, 0) for row in store.instalments_of(session, plan.id))


def _spread(session: Session, plan: Plan, wanted_minor: int, now: datetime) -> tuple[tuple[str, int], ...]:
    """Over the plan's visits, oldest service first, as far as each still owes."""
    account = account_figures(session, plan.guarantor_id, local_day(session, plan.practice_id, now))
    found = [visit for one in store.visits_of(session, plan.id) if (visit := account.visit(one.visit_id)) is not None]
    return in_order(wanted_minor, [(visit.visit_id, visit.figures.due_now_minor + visit.figures.on_plan_minor)
                                   for visit in found])


def card_request(session: Session, link: LinkView, plan: Plan, language: str, now: datetime) -> SetupRequest:
    """The request for a card for this plan."""
    talk = talks.latest_talk(session, link.practice_id, link.guarantor_id, now)
    return setups.make(
        session, practice_id=link.practice_id, guarantor_id=link.guarantor_id,
        purpose="plan" if plan.status in PROPOSED else "plan_card", plan_id=plan.id, conversation_id=talk,
        language=language, now=now)
