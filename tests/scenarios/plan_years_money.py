"""How a customer pays: by a link and its page, or at the desk."""

from __future__ import annotations

from billing import checkout, figures, payments
from billing.commands import CommandRefused, RequestPayment
from billing.payment_requests import RequestContext
from bot.processors.base import CheckoutRequest
from tests.scenarios.plan_years_facts import Story
from tests.scenarios.plan_years_world import PRACTICE, World


def pay_page(world: World, story: Story, minor: int, plan_id: str | None, number: int | None) -> bool:
    """A link, its page, paid with some card. As far as the account may pay it."""
    account = world.do(lambda session: figures.account_figures(session, story.account_id, world.today))
    split, left = [], minor
    for visit in account.visits:
        share = min(visit.figures.due_now_minor + visit.figures.on_plan_minor, left)
        if share > 0:
            split.append((visit.visit_id, share))
            left -= share
    command = RequestPayment(story.account_id, minor - left, tuple(split), account.balance_version, "en", early=True,
                             plan_id=plan_id, instalment=number)
    context = RequestContext(PRACTICE, world.policy, world.clock(), story.conversation_id, f"inbox:{world.number()}")
    try:
        payment_id = world.do(lambda session: payments.request(session, command, context).id)
    except CommandRefused as error:
        world.note(story, "refused", what="pay_page", why=str(error))
        return False
    opening = world.do(lambda session: checkout.begin(session, PRACTICE, payment_id, world.clock()))
    if not isinstance(opening, checkout.Opening):
        world.note(story, "refused", what="page", why=str(opening))
        return False
    page = world.runner.run(world.bank.open_checkout(CheckoutRequest(
        opening.payment_id, PRACTICE, opening.amount_minor, "USD", "en", "Maple Clinic: payment", "https://x.example",
        "https://x.example", opening.expires_at, opening.idempotency_key)))
    world.do(lambda session: checkout.opened(session, PRACTICE, payment_id, opening.attempt, page.session_ref,
                                             page.url, world.clock()))
    world.note(story, "paid_page", minor=opening.amount_minor, plan=plan_id, number=number)
    world.bank.pay_page(page.session_ref, story.account_id)
    world.hear_bank()
    return True


def pay_desk(world: World, story: Story, minor: int, plan_id: str | None = None, number: int | None = None) -> None:
    reference = f"receipt {world.number()}"
    world.do(lambda session: payments.record_desk_payment(
        session, PRACTICE, story.account_id, amount_minor=minor, currency="USD", tender="cash", reference=reference,
        recorded_by="ana", now=world.clock(), plan_id=plan_id, instalment=number))
    world.desk_minor[story.account_id] = world.desk_minor.get(story.account_id, 0) + minor
    world.note(story, "paid_desk", minor=minor, plan=plan_id, number=number)
