"""A link that somebody of the practice sends to one account: to pay something now, or to read a plan and agree to it.

By the same door as any message: whatever the patient wished about ways and places holds (T-33), and the words name no
amount. The same link is told of once on a practice-local day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import links, payment_asks
from billing.plan_status import AWAITING_AUTHORIZATION, OFFERED
from billing.store import account_queries
from billing.store.tables import Guarantor, Outbox, Payment, Plan
from bot.demanding import Demand, Line, queue_demand
from bot.road import Road
from config.dunning_policy import Way
from config.practice import PracticePolicy

WAYS: tuple[Way, ...] = ("sms", "telegram", "email")
"""A link that is to be typed off a letter is none; a statement goes by post."""

HIDDEN = "…"
"""Stands for the link's own secret where the words are shown to staff."""


class LinkRefused(ValueError):
    """A link that no message can bring as things stand. The text says why; no PHI."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message with a link, as it was queued. ``outcome``: send, defer (until ``until_at``) or withhold, with the
    gate's rule and reason; ``status``: as the message stands; ``body``: its words, the secret left out.
    """

    message_id: str
    way: str
    address: str
    body: str
    segments: int
    status: str
    outcome: str
    rule: str
    reason: str
    until_at: datetime | None


def told(sent: Sent) -> tuple[str, ...]:
    """What a look at it has shown, and what has to be so still when it is sent."""
    return (sent.way, sent.address, sent.body, sent.status, sent.outcome, sent.rule)


def pay_link(session: Session, road: Road, policy: PracticePolicy, account: Guarantor, *, amount_minor: int | None,
             only: Collection[str], by: str, processor: str, now: datetime) -> tuple[Payment, Sent]:
    """Make a payment ready and queue its link; see billing/payment_asks.py. Raises AskRefused, LinkRefused."""
    payment = payment_asks.ask(session, account, amount_minor=amount_minor, only=only, by=by, processor=processor,
                               now=now)
    demand = Demand("reminder", "pay_here", f"pay_here:{payment.id}:{policy.local_day(now)}", WAYS,
                    about=_about(session, road, policy, account, "pay", payment.id, now))
    return payment, _queue(session, road, policy, account, demand, now)


def plan_link(session: Session, road: Road, policy: PracticePolicy, account: Guarantor, plan: Plan,
              now: datetime) -> Sent:
    """Queue the link of a plan that was offered. Raises LinkRefused."""
    if plan.status == OFFERED:
        raise LinkRefused(f"plan {plan.number} waits for another person's approval; send it then")
    if plan.status != AWAITING_AUTHORIZATION or now >= plan.offer_ends_at:
        raise LinkRefused(f"plan {plan.number} is not on offer any more")
    demand = Demand("notice", "plan_here", f"plan_here:{plan.id}:{policy.local_day(now)}", WAYS,
                    about=_about(session, road, policy, account, "plan", plan.id, now))
    return _queue(session, road, policy, account, demand, now)


def require_let_go(sent: Sent) -> None:
    """Raises LinkRefused for what the gate withholds, which takes all of it back: nothing is made ready for nobody."""
    if sent.outcome == "withhold":
        raise LinkRefused(f"the gate does not let it go ({sent.rule}): {sent.reason}")


def _about(session: Session, road: Road, policy: PracticePolicy, account: Guarantor, purpose: str, object_id: str,
           now: datetime) -> Mapping[str, str]:
    token = links.make(session, account.practice_id, account.id, purpose, object_id, policy.link_days, now)
    return {f"{purpose}_url": road.link(token)}


def _queue(session: Session, road: Road, policy: PracticePolicy, account: Guarantor, demand: Demand,
           now: datetime) -> Sent:
    line = queue_demand(session, road, policy, account.id, demand, now)
    if line.message_id is None:
        raise LinkRefused(f"nothing was sent: {_why(line)}")
    assert demand.about is not None
    row = session.get_one(Outbox, line.message_id)
    verdict = account_queries.last_verdict(session, row.id)
    body = row.body
    for url in demand.about.values():
        body = body.replace(url, road.link(HIDDEN))
    outcome, rule, reason, until_at = ((verdict.outcome, verdict.rule, verdict.reason, verdict.until_at)
                                       if verdict is not None else ("", "", "", None))
    return Sent(row.id, row.channel, row.address, body, row.segments, row.status, outcome, rule, reason, until_at)


def _why(line: Line) -> str:
    """Where nothing leads there, each way with its reason is in the words already."""
    return "this link was sent today already" if line.rule == "sent-before" else line.reason
