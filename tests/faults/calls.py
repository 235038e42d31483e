"""Each call that we make to Stripe: how it comes about, the one moment in which it is made, and what people do next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import apply_payments, methods, payments, refunds, setups
from billing.command_context import Context
from billing.commands import ChargeSavedCard, RequestPayment
from billing.payments import RequestContext
from billing.store.tables import Payment
from bot import reconcile
from bot.calling import call_due
from bot.worker import drain
from tests.faults.scene import Scene
from tests.payments import world
from tests.plans.world import VISA
from tests.web.conftest import CARD

AMOUNT = world.OLD_MINOR
SPLIT = ((world.OLD, AMOUNT),)
REFUNDED = 3_000

Step = Callable[[Scene], Awaitable[None]]


async def nothing(scene: Scene) -> None:
    """Nobody does anything."""


@dataclass(frozen=True)
class Call:
    """``title`` for the docs. ``ready`` brings everything up to the moment of ``act``, in which ``path`` is asked for
    (``verb``, empty: any); ``then`` is what a person does when it failed; ``page``: whether a browser takes part.
    """

    name: str
    title: str
    path: str
    verb: str
    ready: Step
    act: Step
    then: Step = nothing
    page: bool = False


def _context(scene: Scene) -> Context:
    return Context(world.PRACTICE, world.TALK, "+12125550123", "hash", "sms", None, "en", scene.clock())


def _ask_for_payment(scene: Scene) -> str:
    def ask(session: Session) -> str:
        command = RequestPayment(world.ANNA, AMOUNT, SPLIT, world.version(session), "en")
        return payments.request(session, command, RequestContext(
            world.PRACTICE, scene.life.policy, scene.clock(), world.TALK, "1")).id

    return scene.store.write(ask)


async def pay_link(scene: Scene) -> None:
    """The patient has the link, and has proved who they are."""
    scene.made["payment"] = _ask_for_payment(scene)
    scene.made["path"] = scene.site.link("pay", scene.made["payment"])
    assert (await scene.site.prove(scene.made["path"]))[0] == 303


async def press(scene: Scene) -> None:
    """The button: to Stripe's page, or to a page of ours that says why not."""
    what = "card" if "setup" in scene.made else "pay"
    _, body, answer = await scene.site.post(f"{scene.made['path']}/{what}")
    scene.seen(body, answer.headers.get("Location", ""))


async def press_again(scene: Scene) -> None:
    """They try again, once more in an hour if they have to, give their card there, and come back."""
    for _ in range(2):
        assert (await scene.site.prove(scene.made["path"]))[0] == 303
        await press(scene)
        page = scene.made["went_to"]
        if page.startswith(scene.server.url):
            await come_back_to(scene, await scene.site.pay_on_page(page))
            return
        scene.clock.advance(minutes=61)


async def come_back_to(scene: Scene, address: str) -> None:
    _, body, answer = await scene.site.get(address)
    scene.seen(body, answer.headers.get("Location", ""))
    await drain(scene.road)


async def card_link(scene: Scene) -> None:
    """A second card is wanted beside the one on file; its link is proved."""
    await scene.keep_card()
    def make(session: Session) -> str:
        return setups.make(session, practice_id=world.PRACTICE, guarantor_id=world.ANNA, purpose="card", plan_id=None,
                           conversation_id=world.TALK, language="en", now=scene.clock()).id

    scene.made["setup"] = scene.store.write(make)
    scene.made["path"] = scene.site.link("card", scene.made["setup"])
    assert (await scene.site.prove(scene.made["path"]))[0] == 303


async def paid_there(scene: Scene) -> None:
    """The patient has paid on Stripe's page, and has not come back yet."""
    await pay_link(scene)
    await press(scene)
    scene.made["back"] = await scene.site.pay_on_page(scene.made["went_to"])
    assert paid_charges(scene) == [AMOUNT]


async def come_back(scene: Scene) -> None:
    await come_back_to(scene, scene.made["back"])


async def paid_and_silent(scene: Scene) -> None:
    """They never came back, and no event arrived; the page would have run out by now."""
    await paid_there(scene)
    scene.clock.advance(minutes=75)


async def ask_about_pages(scene: Scene) -> None:
    await reconcile.reconcile_due(scene.road, scene.processor)
    await drain(scene.road)


async def paid_and_lost(scene: Scene) -> None:
    """Stripe has the money under our id, and our row heard nothing of it."""
    await paid_there(scene)
    scene.clock.advance(minutes=1)


async def paid_out(scene: Scene) -> None:
    """As above, and Stripe has sent the money to the bank already."""
    await paid_there(scene)
    scene.clock.advance(days=3)
    assert (await scene.server.order("payout"))["payout"]
    scene.clock.advance(minutes=1)


async def read_books(scene: Scene) -> None:
    await reconcile.daily(scene.road, scene.processor)
    await drain(scene.road)


async def said_yes(scene: Scene, method: str = "pm_card_visa") -> None:
    """The patient has just said yes, in the thread, to the card on file."""
    await scene.keep_card(method)

    def yes(session: Session) -> str:
        command = ChargeSavedCard(world.ANNA, VISA, AMOUNT, SPLIT, world.version(session), "en",
                                  "Pay $100.00 with the card ending in 4242? Reply YES.", "pay_confirm_card:en:1")
        return apply_payments.carry_out(session, command, _context(scene)) or ""

    scene.made["payment"] = scene.store.write(yes)


async def said_yes_with_3ds(scene: Scene) -> None:
    await said_yes(scene, "pm_card_authenticationRequired")


async def make_calls(scene: Scene) -> None:
    await call_due(scene.road, scene.processor)
    await drain(scene.road)


async def charge_day(scene: Scene) -> None:
    """A plan of four instalments of $25.00 runs; its first charge has been noticed and is due in this moment."""
    await scene.keep_card()
    await sign_plan(scene)


async def charge_day_with_3ds(scene: Scene) -> None:
    await scene.keep_card("pm_card_authenticationRequired")
    await sign_plan(scene)


async def sign_plan(scene: Scene) -> None:
    first_on = date(2026, 11, 6)
    scene.made["plan"] = scene.life.sign(count=4, interval="month", first_on=first_on)
    await scene.work()
    scene.clock.advance(days=3, minutes=5)

    def due(session: Session) -> None:
        from billing import plan_days

        plan_days.work_due(session, world.PRACTICE, scene.clock(), 50)

    scene.store.write(due)
    scene.made["payment"] = scene.store.read(lambda s: s.scalars(select(Payment.id).where(
        Payment.plan_id == scene.made["plan"])).one())


async def refund_asked(scene: Scene) -> None:
    """$30.00 of a payment of $100.00 are to go back."""
    await said_yes(scene)
    await make_calls(scene)

    def ask(session: Session) -> str:
        return refunds.ask(
            session, practice_id=world.PRACTICE, payment_id=scene.made["payment"], amount_minor=REFUNDED,
            tender="original", reason="overpaid", note="", by="ana", dedupe="one", policy=scene.life.policy,
            now=scene.clock()).id

    scene.made["refund"] = scene.store.write(ask)


async def page_overtaken(scene: Scene) -> None:
    """The patient has Stripe's page open, and their daughter pays the same in cash at the desk."""
    await pay_link(scene)
    await press(scene)
    pay_cash(scene)


def pay_cash(scene: Scene) -> None:
    scene.store.write(lambda session: payments.record_desk_payment(
        session, world.PRACTICE, world.ANNA, amount_minor=AMOUNT, currency="USD", tender="cash", reference="r1",
        recorded_by="ana", now=scene.clock(), split=SPLIT))


async def close_and_pay(scene: Scene) -> None:
    """The page is still open, and the patient pays on it."""
    await make_calls(scene)
    await scene.site.pay_on_page(scene.made["went_to"])


async def nobody_answered_the_bank(scene: Scene) -> None:
    """A day ago the patient's bank wanted to ask them about a charge; its call to cancel is due."""
    await said_yes_with_3ds(scene)
    await make_calls(scene)
    scene.clock.advance(hours=24, minutes=1)


async def card_removed(scene: Scene) -> None:
    await scene.keep_card()
    scene.store.write(lambda session: methods.remove(session, world.PRACTICE, VISA, "patient", scene.clock()))


def paid_charges(scene: Scene) -> list[int]:
    """Cents of each charge that Stripe took."""
    return [row["amount"] for row in scene.table("charges") if row["paid"]]


async def at_stripes_page(scene: Scene) -> None:
    await pay_link(scene)
    await press(scene)


async def give_card(scene: Scene) -> None:
    """They type their card into Stripe's page."""
    status, _, answer = await scene.site.post(scene.made["went_to"], CARD)
    if status == 303:
        await come_back_to(scene, answer.headers["Location"])


CALLS: dict[str, Call] = {call.name: call for call in (
    Call("open_checkout", "Opening the payment page", "/v1/checkout/sessions", "POST", pay_link, press, press_again,
         page=True),
    Call("stripes_page", "The card that the patient gives on Stripe's page", "/c/pay", "POST", at_stripes_page,
         give_card, give_card, page=True),
    Call("open_setup", "Opening the page on which a card is kept", "/v1/checkout/sessions", "POST", card_link, press,
         press_again, page=True),
    Call("return_page", "Asking about the page when the patient comes back", "/v1/checkout/sessions/{id}", "GET",
         paid_there, come_back, page=True),
    Call("silent_page", "Asking about a page that ran out in silence", "/v1/checkout/sessions/{id}", "GET",
         paid_and_silent, ask_about_pages, page=True),
    Call("charge_saved", "Charging a card on file after the patient's yes", "/v1/payment_intents", "POST", said_yes,
         make_calls),
    Call("charge_autopay", "Charging an instalment with nobody there", "/v1/payment_intents", "POST", charge_day,
         make_calls),
    Call("refund", "Giving money back", "/v1/refunds", "POST", refund_asked, make_calls),
    Call("expire_page", "Closing a page that must not be paid any more", "/v1/checkout/sessions/{id}/expire", "POST",
         page_overtaken, make_calls, page=True),
    Call("expire_page_late", "The same, and the patient pays on it before it was closed",
         "/v1/checkout/sessions/{id}/expire", "POST", page_overtaken, close_and_pay, page=True),
    Call("cancel_charge", "Giving up a charge that waited for the patient", "/v1/payment_intents/{id}/cancel", "POST",
         nobody_answered_the_bank, make_calls),
    Call("remove_method", "Forgetting a card", "/v1/payment_methods/{id}/detach", "POST", card_removed, make_calls),
    Call("books", "Reading Stripe's books", "/v1/balance_transactions", "GET", paid_and_lost, read_books, page=True),
    Call("payouts", "Reading Stripe's payouts", "/v1/payouts", "GET", paid_out, read_books, page=True),
)}
