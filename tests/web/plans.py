"""Plans for the page's tests: offered by the real code, with a policy that has them."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import plan_offers, plans
from billing.dues import due_visits
from billing.store import practices
from billing.store.tables import PaymentMethod, Plan, Practice
from config.payment_policy import PlanPolicy
from config.practice import PracticePolicy
from tests.payments import world
from tests.web.conftest import Site

POLICY = PlanPolicy(minimum_instalment_minor=10_00)


def allow(session: Session, **more: object) -> PracticePolicy:
    """The practice offers plans."""
    row = session.scalars(select(Practice)).one()
    policy = practices.policy_of(row).model_copy(update={"plans": POLICY, **more})
    practices.save_policy(session, row.id, policy, True, row.created_at)
    return policy


def offered(site: Site, count: int = 6, collects: str = "link", first_on: date = date(2026, 12, 1)) -> str:
    """A plan of Anna's two visits in so many monthly payments; its link's path, not proved yet."""
    return site.link("plan", offer(site, count, collects, first_on))


def offer(site: Site, count: int = 6, collects: str = "link", first_on: date = date(2026, 12, 1)) -> str:
    def make(session: Session) -> str:
        allow(session)
        now = site.clock()
        shares = due_visits(session, world.PRACTICE, world.ANNA, now)
        answer = plan_offers.make(sum(minor for _, minor in shares), shares, POLICY, date(2026, 11, 3),
                                  plan_offers.Ask(count=count, interval="month", first_on=first_on))
        assert answer.fits, answer
        return plans.offer(
            session, practice_id=world.PRACTICE, guarantor_id=world.ANNA,
            terms=answer.offers[0].terms("autopay" if collects == "autopay" else "link"), policy=POLICY,
            balance_version=world.version(session), language="en", offered_by="patient", key=f"test:{count}:{collects}",
            conversation_id=world.TALK, now=now).id

    return site.store.write(make)


def fields_of(body: str) -> dict[str, str]:
    """The hidden fields of the form by which a plan is agreed to."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', body))


def ticked(body: str, **other: str) -> dict[str, str]:
    """The form with every box of it ticked."""
    boxes = dict.fromkeys(re.findall(r'<input type="checkbox" name="(\w+)"', body), "yes")
    return {**fields_of(body), **boxes, **other}


def plan_row(site: Site) -> Plan:
    return site.store.read(lambda session: session.scalars(select(Plan)).one())


def card_on_file(site: Site, last4: str = "4242", account: str = world.ANNA) -> str:
    def keep(session: Session) -> str:
        row = PaymentMethod(
            id=f"card_{last4}", practice_id=world.PRACTICE, guarantor_id=account, processor="stripe",
            customer_ref="cus_1", method_ref=f"pm_{last4}", kind="card", brand="visa", last4=last4,
            expires_on=date(2030, 1, 31), status="active", created_at=site.clock())
        session.add(row)
        session.flush()
        return row.id

    return site.store.write(keep)
