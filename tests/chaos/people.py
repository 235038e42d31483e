"""Whom the chaos is about: accounts that a campaign texts, and accounts whose card is charged for a plan that day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import figures, methods, plan_offers, plans
from billing.phones import address_hash
from billing.plan_offers import Ask
from billing.store.tables import Conversation, Plan
from bot.campaigning import begin as begin_campaign
from bot.plan_days import work_plans
from bot.worker import drain
from bot.write import Store
from config.practice import PracticePolicy
from tests.campaigns.world import POLICY, Town, give_phone, make_town
from tests.conftest import Clock
from tests.payments import world
from tests.payments.world import PRACTICE, Card

ZONE = ZoneInfo("America/New_York")
SIGNED_AT = datetime(2026, 11, 2, 10, tzinfo=ZONE)
CHARGED_ON = date(2026, 11, 3)
OPENS_AT = datetime(2026, 11, 3, 9, 5, tzinfo=ZONE)
DUE_MINOR, PARTS = 100_00, 4
FIRST_PLAN = 500_000

#: Plans are charged from six in the morning.
#: Without the day's cap of a brand that nobody has vetted: five thousand texts would take three days of it (T-16).
RULES: dict[str, Any] = {
    **POLICY, "carrier": {**POLICY["carrier"], "per_day": None},
    "plans": {"minimum_balance_minor": 20_00, "notice_days": 1, "charge_at_hour": 6}}


def phone_of(number: int) -> str:
    """A number of New York that exists nowhere, with an ending that means nothing to the carrier's stand-in."""
    return f"+1212{2_000_000 + number * 10 + 8:07}"


async def settle_in(store: Store, told: int, cards: list[tuple[str, str]]) -> tuple[Town, str]:
    """``told`` accounts that owe, and one account with a plan for each card (customer, payment method), whose notices
    leave in peace on the day before; returns the running campaign's id.
    """
    clock = Clock(SIGNED_AT)
    town = make_town(store, clock)
    town.settle(**RULES)
    for first in range(1, told + 1, 100):
        store.write(partial(_owe, numbers=range(first, min(first + 100, told + 1)), now=clock.at))
    for number, (customer, method) in enumerate(cards, FIRST_PLAN):
        store.write(partial(_sign, policy=town.policy, number=number, customer=customer, method=method, now=clock.at))
    for _ in range(3):
        await work_plans(town.road)
        await drain(town.road)
    clock.at = OPENS_AT
    campaign_id = town.campaign()
    town.preview(campaign_id)
    town.approve(campaign_id)
    store.write(lambda session: begin_campaign(session, campaign_id, by="ana", policy=town.policy, now=clock.at))
    return town, campaign_id


def _owe(session: Session, numbers: range, now: datetime) -> None:
    for number in numbers:
        account_id, name = f"acct_{number}", f"N{number:06}"
        world.account(session, account_id, name, now + timedelta(microseconds=number))
        world.visit(session, f"visit_{number}", account_id, name, date(2026, 8, 3), 5_000 + number, now)
        give_phone(session, account_id, phone_of(number), now)


def _sign(session: Session, policy: PracticePolicy, number: int, customer: str, method: str, now: datetime) -> None:
    """A plan over one visit, charged by card from the day after."""
    account_id, visit_id, talk = f"acct_{number}", f"visit_{number}", f"conv_{number}"
    phone = phone_of(number)
    world.account(session, account_id, f"P{number}", now)
    world.visit(session, visit_id, account_id, f"P{number}", date(2026, 8, 3), DUE_MINOR, now)
    give_phone(session, account_id, phone, now)
    session.add(Conversation(
        id=talk, practice_id=PRACTICE, channel="sms", address=phone, address_hash=address_hash(PRACTICE, "sms", phone),
        language="en", state={}, guarantor_id=account_id, created_at=now))
    session.flush()
    card = methods.keep(session, PRACTICE, account_id, Card(customer_ref=customer, method_ref=method), now)
    assert policy.plans is not None
    today = policy.local_day(now)
    owed = figures.account_figures(session, account_id, today).total.due_now_minor
    answer = plan_offers.make(owed, [(visit_id, owed)], policy.plans, today, Ask(count=PARTS, first_on=CHARGED_ON))
    plan = plans.offer(
        session, practice_id=PRACTICE, guarantor_id=account_id, terms=answer.offers[0].terms("autopay", card.id, None),
        policy=policy.plans, balance_version=world.version(session, account_id), language="en", key=f"plan:{number}",
        conversation_id=talk, now=now, offered_by="patient")
    plans.agree(
        session, session.get_one(Plan, plan.id), words="Yes: charge my Visa card ending in 4242.",
        words_version="plan_ask:en:1", given_by="text", message_id=f"inbox:{number}", method=card,
        disclosures_version=None, esign_at=None, now=now)
