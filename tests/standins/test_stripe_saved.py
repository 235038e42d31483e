"""Cards and bank accounts on file at the Stripe stand-in: kept, charged later, refused, forgotten."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

from tests.standins.stripe_scene import RETURN, Shop

KEEP: Any = {"payment_intent_data": {"setup_future_usage": "off_session"}, "customer_creation": "always"}


def error_of(caught: pytest.ExceptionInfo[stripe.StripeError]) -> Any:
    body: Any = caught.value.json_body
    return body["error"]


async def test_a_payment_keeps_the_card_when_asked_to(shop: Shop) -> None:
    """setup_future_usage with customer_creation=always: a customer is made, the card attached, and charged later."""
    session = await shop.checkout(**KEEP)
    await shop.pay(session.url, "4242424242424242")
    paid = await shop.client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["payment_intent"]})
    method = await shop.client.v1.payment_methods.retrieve_async(paid.payment_intent.payment_method)
    assert method.customer == paid.customer == paid.payment_intent.customer
    card = method.card
    assert (card.brand, card.last4, card.exp_month, card.exp_year) == ("visa", "4242", 12, 2034)
    await shop.settle()
    assert [one["customer"] for one in shop.told("checkout.session.completed")] == [paid.customer]
    later = await shop.charge_saved(paid.customer, method.id, metadata={"payment_id": "p-2"})
    assert (later.status, later.metadata["payment_id"]) == ("succeeded", "p-2")


async def test_without_being_asked_a_card_is_not_kept(shop: Shop) -> None:
    """A plain payment attaches nothing, and its PaymentMethod cannot be charged a second time."""
    session = await shop.checkout(customer_creation="always")
    await shop.pay(session.url, "4242424242424242")
    paid = await shop.client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["payment_intent"]})
    kept = await shop.client.v1.customers.payment_methods.list_async(paid.customer)
    assert kept.data == []
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        await shop.charge_saved(paid.customer, paid.payment_intent.payment_method)


@pytest.mark.parametrize("locale", ["en", "es"])
async def test_a_setup_page_keeps_a_card_and_takes_nothing(shop: Shop, locale: str) -> None:
    """mode=setup: a SetupIntent at once, no amount on a page without script, the card attached, no charge."""
    customer = await shop.customer()
    session = await shop.setup(customer=customer.id, locale=locale, setup_intent_data={"metadata": {"setup": "s-1"}})
    assert (session.payment_status, session.amount_total, session.setup_intent[:5]) == (
        "no_payment_required", None, "seti_",
    )  # fmt: skip
    async with shop.http.get(session.url) as answer:
        html = await answer.text()
    assert {"en": "Save a way to pay", "es": "Guardar una forma de pago"}[locale] in html
    assert "$" not in html and "<script" not in html
    status, where, _ = await shop.pay(session.url, "5555 5555 5555 4444")
    assert (status, where) == (303, f"https://clinic.example/kept?session={session.id}")
    fetch = shop.client.v1.checkout.sessions.retrieve_async
    done = await fetch(session.id, {"expand": ["setup_intent.payment_method"]})
    setup = done.setup_intent
    assert (done.status, setup.status, setup.metadata["setup"]) == ("complete", "succeeded", "s-1")
    assert (setup.payment_method.customer, setup.payment_method.card.brand) == (customer.id, "mastercard")
    assert (await shop.client.v1.charges.list_async()).data == []
    await shop.settle()
    assert shop.told()[-3:] == ["payment_method.attached", "setup_intent.succeeded", "checkout.session.completed"]


async def test_a_setup_is_refused_asked_for_or_given_up(shop: Shop) -> None:
    """A declined card leaves the page open; a bank's question comes before keeping; expiry cancels the SetupIntent."""
    session = await shop.setup(customer_creation="always")
    status, _, html = await shop.pay(session.url, "4000000000009995")
    assert status == 200 and "insufficient funds" in html
    status, where, _ = await shop.pay(session.url, "4000002500003155")
    assert where == f"/c/pay/{session.id}/authenticate"
    await shop.post_form(shop.running.url + where, {"outcome": "complete"})
    done = await shop.client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["setup_intent"]})
    assert (done.status, done.setup_intent.status) == ("complete", "succeeded")
    assert (await shop.charge_saved(done.customer, done.setup_intent.payment_method)).status == "succeeded"
    other = await shop.setup()
    await shop.client.v1.checkout.sessions.expire_async(other.id)
    assert (await shop.client.v1.setup_intents.retrieve_async(other.setup_intent)).status == "canceled"
    await shop.settle()
    assert "setup_intent.setup_failed" in shop.told()


@pytest.mark.parametrize(
    ("number", "code", "decline"),
    [
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
        ("pm_card_authenticationRequiredOnSetup", "authentication_required", "authentication_required"),
    ],
)
async def test_a_kept_card_can_be_declined_off_session(shop: Shop, number: str, code: str, decline: str) -> None:
    """402 card_error with code, decline_code, the PaymentIntent and the PaymentMethod; nothing was taken."""
    customer = await shop.customer()
    method = await shop.saved(customer.id, number)
    with pytest.raises(stripe.CardError) as caught:
        await shop.charge_saved(customer.id, method.id, metadata={"payment_id": "p-1"})
    error = error_of(caught)
    assert (caught.value.http_status, error["code"], error["decline_code"]) == (402, code, decline)
    assert error["payment_intent"]["status"] == "requires_payment_method"
    assert error["payment_intent"]["metadata"] == {"payment_id": "p-1"}
    assert error["payment_method"]["id"] == method.id
    assert (await shop.client.v1.balance_transactions.list_async()).data == []
    await shop.settle()
    assert shop.told()[-2:] == ["charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize(
    "decline",
    ["insufficient_funds", "lost_card", "stolen_card", "expired_card", "do_not_honor", "fraudulent", "pickup_card",
     "processing_error", "revocation_of_authorization", "try_again_later"],
)  # fmt: skip
async def test_every_decline_can_be_ordered(shop: Shop, decline: str) -> None:
    """A "decline" fault refuses one charge of a good card by its decline code; the next one goes through."""
    customer = await shop.customer()
    method = await shop.saved(customer.id)
    await shop.control("fault", path="/v1/payment_intents", mode="decline", decline_code=decline)
    assert len((await shop.client.v1.payment_intents.list_async()).data) == 0
    with pytest.raises(stripe.CardError) as caught:
        await shop.charge_saved(customer.id, method.id)
    error = error_of(caught)
    own = decline in ("expired_card", "processing_error")
    assert (error["code"], error["decline_code"]) == (decline if own else "card_declined", decline)
    assert (await shop.charge_saved(customer.id, method.id)).status == "succeeded"


async def test_declining_test_cards_cannot_be_attached(shop: Shop) -> None:
    """As documented: the bank is asked when a card is kept, and refuses; the customer keeps nothing."""
    customer = await shop.customer()
    for token in ("pm_card_chargeDeclined", "pm_card_chargeDeclinedExpiredCard", "pm_card_visa_chargeDeclinedLostCard"):
        with pytest.raises(stripe.CardError):
            await shop.saved(customer.id, token)
    assert (await shop.client.v1.payment_methods.list_async({"customer": customer.id})).data == []


@pytest.mark.parametrize(
    ("outcome", "status", "redirect"),
    [("complete", "succeeded", "succeeded"), ("fail", "requires_payment_method", "failed")],
)
async def test_the_patient_answers_the_bank_and_comes_back(
    shop: Shop, outcome: str, status: str, redirect: str
) -> None:
    """On session: requires_action with a page that leads back to return_url with the intent and how it went."""
    customer = await shop.customer()
    method = await shop.saved(customer.id, "pm_card_authenticationRequired")
    waiting = await shop.charge_saved(customer.id, method.id, off_session=False)
    action = waiting.next_action.redirect_to_url
    assert (waiting.status, action.return_url) == ("requires_action", RETURN["return_url"])
    async with shop.http.get(action.url) as answer:
        assert "Confirm payment" in await answer.text()
    code, where, _ = await shop.post_form(action.url, {"outcome": outcome})
    assert code == 303 and where.startswith(RETURN["return_url"])
    asked = parse_qs(urlsplit(where).query)
    assert (asked["payment_intent"], asked["redirect_status"]) == ([waiting.id], [redirect])
    assert (await shop.client.v1.payment_intents.retrieve_async(waiting.id)).status == status


async def test_a_card_set_up_with_authentication_is_not_asked_again(shop: Shop) -> None:
    """...3155: asked when it is kept on session, then charged off session without a question."""
    customer = await shop.customer()
    setup = await shop.client.v1.setup_intents.create_async(
        {"customer": customer.id, "payment_method": "pm_card_authenticationRequiredOnSetup", "confirm": True,
         "return_url": RETURN["return_url"]}
    )  # fmt: skip
    assert setup.status == "requires_action"
    assert setup.next_action is not None and setup.next_action.redirect_to_url is not None
    await shop.post_form(str(setup.next_action.redirect_to_url.url), {"outcome": "complete"})
    kept = await shop.client.v1.setup_intents.retrieve_async(setup.id)
    assert kept.status == "succeeded"
    assert (await shop.charge_saved(customer.id, str(kept.payment_method))).status == "succeeded"


async def test_a_removed_card_is_gone_for_good(shop: Shop) -> None:
    """Detach: customer null, an event with who it was; neither charged, nor attached, nor detached again."""
    customer = await shop.customer()
    method = await shop.saved(customer.id)
    kept = await shop.client.v1.customers.payment_methods.list_async(customer.id)
    assert [one.id for one in kept.data] == [method.id]
    assert (await shop.client.v1.payment_methods.detach_async(method.id)).customer is None
    assert (await shop.client.v1.payment_methods.list_async({"customer": customer.id})).data == []
    for attempt in (
        shop.charge_saved(customer.id, method.id),
        shop.saved(customer.id, method.id),
        shop.client.v1.payment_methods.detach_async(method.id),
    ):
        with pytest.raises(stripe.InvalidRequestError):
            await attempt
    await shop.settle()
    assert [one["id"] for one in shop.told("payment_method.detached")] == [method.id]


async def test_a_card_is_charged_only_with_its_own_customer(shop: Shop) -> None:
    """Another customer, or none: 400, and nothing is made. The same card twice has one fingerprint."""
    one, two = await shop.customer(), await shop.customer()
    method, again = await shop.saved(one.id), await shop.saved(two.id)
    assert method.id != again.id and method.card.fingerprint == again.card.fingerprint
    for customer in ({"customer": two.id}, {}):
        with pytest.raises(stripe.InvalidRequestError):
            await shop.charge(5_000, method.id, off_session=True, **customer)
    assert (await shop.client.v1.payment_intents.list_async()).data == []


async def test_a_charge_without_a_way_back_is_refused(shop: Shop) -> None:
    """Automatic payment methods may redirect: return_url is needed unless that is switched off or types are named."""
    asked: Any = {"amount": 900, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        await shop.client.v1.payment_intents.create_async(asked)
    never = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
    for way in (never, {"allowed_payment_method_types": ["card"]}, RETURN):
        assert (await shop.client.v1.payment_intents.create_async({**asked, **way})).status == "succeeded"


async def test_lists_of_charges_by_customer_and_time(shop: Shop) -> None:
    """Our own id is found by listing, at once, with created and customer as filters."""
    one, two = await shop.customer(), await shop.customer()
    first = await shop.charge(700, customer=one.id, metadata={"payment_id": "p-1"})
    shop.clock.forward(3600)
    second = await shop.charge(800, customer=one.id, metadata={"payment_id": "p-2"})
    await shop.charge(900, customer=two.id)
    listed = await shop.client.v1.payment_intents.list_async({"customer": one.id})
    assert [intent.metadata["payment_id"] for intent in listed.data] == ["p-2", "p-1"]
    late = await shop.client.v1.payment_intents.list_async({"created": {"gt": first.created}, "customer": one.id})
    assert [intent.id for intent in late.data] == [second.id]


async def test_an_intent_that_waits_for_the_patient_can_be_cancelled(shop: Shop) -> None:
    """From requires_action to canceled, and no way on from there; a session's intent is the session's to end."""
    customer = await shop.customer()
    method = await shop.saved(customer.id, "pm_card_authenticationRequired")
    waiting = await shop.charge_saved(customer.id, method.id, off_session=False)
    gone = await shop.client.v1.payment_intents.cancel_async(waiting.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    session = await shop.checkout()
    await shop.pay(session.url, "4000000000000002")
    tried = await shop.client.v1.checkout.sessions.retrieve_async(session.id)
    with pytest.raises(stripe.InvalidRequestError, match="Expire the Checkout Session"):
        await shop.client.v1.payment_intents.cancel_async(tried.payment_intent)


async def test_a_card_expires_at_the_end_of_its_month(shop: Shop) -> None:
    """The page takes no card of last month; a kept one is declined as expired until its bank has sent a new one."""
    session = await shop.setup(customer_creation="always")
    form = {"number": "4242424242424242", "exp": "09/26", "cvc": "123"}
    _, _, html = await shop.post_form(session.url, form)
    assert "in the past" in html
    await shop.post_form(session.url, {**form, "exp": "11/26"})
    fetch = shop.client.v1.checkout.sessions.retrieve_async
    done = await fetch(session.id, {"expand": ["setup_intent"]})
    method = done.setup_intent.payment_method
    assert (await shop.charge_saved(done.customer, method)).status == "succeeded"
    shop.clock.forward(60 * 86_400)
    with pytest.raises(stripe.CardError) as caught:
        await shop.charge_saved(done.customer, method)
    assert error_of(caught)["code"] == "expired_card"
    await shop.control("card", payment_method=method, exp_month=11, exp_year=2030)
    assert (await shop.charge_saved(done.customer, method)).status == "succeeded"
    await shop.settle()
    assert [one["card"]["exp_year"] for one in shop.told("payment_method.automatically_updated")] == [2030]


async def test_a_bank_changes_its_mind_about_a_card(shop: Shop) -> None:
    """A good card on file that was lost since: declined every time, though it looks as before."""
    customer = await shop.customer()
    method = await shop.saved(customer.id)
    await shop.control("card", payment_method=method.id, becomes="4000000000009987")
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            await shop.charge_saved(customer.id, method.id)
        assert error_of(caught)["decline_code"] == "lost_card"
        assert error_of(caught)["advice_code"] == "do_not_try_again"
    assert (await shop.client.v1.payment_methods.retrieve_async(method.id)).card.last4 == "4242"


async def test_a_decline_can_be_ordered_for_the_page(shop: Shop) -> None:
    """A "decline" fault at /c/pay refuses one try on the hosted page; the next one pays the same session."""
    session = await shop.checkout()
    await shop.control("fault", path="/c/pay", mode="decline", decline_code="insufficient_funds")
    status, _, html = await shop.pay(session.url, "4242424242424242")
    assert status == 200 and "insufficient funds" in html
    status, _, _ = await shop.pay(session.url, "4242424242424242")
    assert status == 303


@pytest.mark.parametrize("mode", ["timeout_after", "drop_after", "drop_before", "500", "429"])
async def test_a_lost_answer_to_a_charge_charges_once(shop: Shop, mode: str) -> None:
    """Whatever happens to the answer, the same key asked again ends in one charge; a fault can be for POST only."""
    customer = await shop.customer()
    method = await shop.saved(customer.id)
    await shop.control("fault", path="/v1/payment_intents", mode=mode, verb="POST", delay_ms=20)
    assert (await shop.client.v1.payment_intents.list_async()).data == []
    asked: Any = {"amount": 5_000, "currency": "usd", "customer": customer.id, "payment_method": method.id,
                  "confirm": True, "off_session": True, **RETURN}  # fmt: skip
    with pytest.raises(stripe.StripeError):
        await shop.client.v1.payment_intents.create_async(asked, {"idempotency_key": "p-1:1"})
    made = await shop.client.v1.payment_intents.create_async(asked, {"idempotency_key": "p-1:1"})
    assert [one.payment_intent for one in (await shop.client.v1.charges.list_async()).data] == [made.id]
