"""The Stripe stand-in, asked by Stripe's own SDK over loopback."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import stripe

from bot.standins.journal import read_lines, replay
from bot.standins.stripe_params import schemas
from tests.standins.stripe_scene import RETURN, SECRET, Shop, order
from tests.standins.stripe_schema import derive


def test_the_documented_parameters_are_those_of_the_sdk() -> None:
    """An SDK that documents another parameter is noticed: regenerate with python -m tests.standins.stripe_schema."""
    assert schemas() == derive()


async def test_a_session_is_paid_on_its_hosted_page(shop: Shop) -> None:
    """Create, pay by card, be sent back with the session's id; session, PaymentIntent and charge agree."""
    session = await shop.checkout(payment_intent_data={"metadata": {"payment": "p-1"}})
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 12_345)
    status, where, _ = await shop.pay(session.url, "4242 4242 4242 4242")
    assert (status, where) == (303, f"https://clinic.example/thanks?session={session.id}")
    paid = await shop.client.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["payment_intent.latest_charge", "line_items"]}
    )
    intent, charge = paid.payment_intent, paid.payment_intent.latest_charge
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert (intent.status, intent.amount_received, intent.metadata["payment"]) == ("succeeded", 12_345, "p-1")
    assert (charge.paid, charge.amount, charge.metadata["payment"]) == (True, 12_345, "p-1")
    assert paid.line_items.data[0].description == "Patient responsibility"


async def test_events_are_signed_as_the_sdk_checks_them(shop: Shop) -> None:
    """Each event passes construct_event with our secret, and none with another."""
    session = await shop.checkout()
    await shop.pay(session.url, "4242424242424242")
    await shop.settle()
    got = shop.receiver.got
    seen = [stripe.Webhook.construct_event(one.raw, one.headers["Stripe-Signature"], SECRET) for one in got]
    assert [event.type for event in seen] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    assert seen[-1].data.object.id == session.id
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(got[0].raw, got[0].headers["Stripe-Signature"], "whsec_other")


async def test_the_form_sent_twice_charges_once(shop: Shop) -> None:
    """Two submissions of the hosted page, at once and later, make one charge."""
    session = await shop.checkout()
    answers = await asyncio.gather(*[shop.pay(session.url, "4242424242424242") for _ in range(3)])
    assert {status for status, _, _ in answers} == {303}
    charges = await shop.client.v1.charges.list_async()
    assert len(charges.data) == 1


@pytest.mark.parametrize(
    ("number", "code", "decline", "words"),
    [
        ("4000000000000002", "card_declined", "generic_decline", "declined"),
        ("4000000000009995", "card_declined", "insufficient_funds", "insufficient funds"),
        ("4000000000000069", "expired_card", "expired_card", "expired"),
        ("4000000000000127", "incorrect_cvc", "incorrect_cvc", "security code"),
    ],
)
async def test_a_declined_card_leaves_the_session_open(
    shop: Shop, number: str, code: str, decline: str, words: str
) -> None:
    """A decline is told on the page and by events; another card then pays the same PaymentIntent."""
    session = await shop.checkout()
    status, _, html = await shop.pay(session.url, number)
    assert status == 200 and 'role="alert"' in html and words in html
    tried = await shop.client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["payment_intent"]})
    error = tried.payment_intent.last_payment_error
    assert (tried.status, tried.payment_intent.status) == ("open", "requires_payment_method")
    assert (error.code, error.decline_code) == (code, decline)
    await shop.pay(session.url, "4242424242424242")
    await shop.settle()
    done = await shop.client.v1.payment_intents.retrieve_async(tried.payment_intent.id)
    assert (done.status, done.last_payment_error) == ("succeeded", None)
    types = [json.loads(one.raw)["type"] for one in shop.receiver.got]
    assert types.count("payment_intent.payment_failed") == 1
    assert types.count("charge.succeeded") == 1


@pytest.mark.parametrize(("outcome", "ends"), [("complete", "succeeded"), ("fail", "requires_payment_method")])
async def test_three_d_secure_asks_first(shop: Shop, outcome: str, ends: str) -> None:
    """A card that needs authentication charges only after the bank's page said yes."""
    session = await shop.checkout()
    status, where, _ = await shop.pay(session.url, "4000002500003155")
    assert (status, where) == (303, f"/c/pay/{session.id}/authenticate")
    assert (await shop.client.v1.charges.list_async()).data == []
    await shop.post_form(shop.running.url + where, {"outcome": outcome})
    after = await shop.client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["payment_intent"]})
    assert after.payment_intent.status == ends
    assert after.status == ("complete" if outcome == "complete" else "open")


async def test_the_hosted_page_is_a_plain_form_in_the_sessions_language(shop: Shop) -> None:
    """The page works without script, names the amount, and follows the session's locale."""
    session = await shop.checkout(locale="es")
    async with shop.http.get(session.url) as page:
        html = await page.text()
    assert '<html lang="es">' in html and "Pagar $123.45" in html and "<script" not in html
    _, _, again = await shop.pay(session.url, "")
    assert "incompletos" in again


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"payment_intent_data": {"memo": "x"}}, "parameter_unknown", "payment_intent_data[memo]"),
        ({"line_items": [{**order(), "sku": "1"}]}, "parameter_unknown", "line_items[0][sku]"),
        ({"line_items": [order(amount=49)]}, "amount_too_small", "line_items"),
        ({"line_items": [{**order(), "quantity": "one"}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
        ({"success_url": ""}, "parameter_missing", "success_url"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"mode": "gift"}, None, "mode"),
    ],
)
async def test_wrong_parameters_are_refused_as_stripe_does(
    shop: Shop, change: dict[str, Any], code: str | None, param: str
) -> None:
    """400 invalid_request_error with code and param; nothing is created and the key is free again."""
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await shop.checkout(key="k-1", **change)
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (400, code, param)
    assert (await shop.client.v1.checkout.sessions.list_async()).data == []
    assert (await shop.checkout(key="k-1")).status == "open"


async def test_a_wrong_key_or_version_is_refused(shop: Shop) -> None:
    """401 for another API key; another API version is refused, not half understood."""
    with pytest.raises(stripe.AuthenticationError):
        await shop.another_client("sk_test_wrong").v1.events.list_async()
    with pytest.raises(stripe.InvalidRequestError, match="2026-10-28"):
        await shop.client.v1.events.list_async(options={"stripe_version": "2020-08-27"})


async def test_a_saved_card_can_need_authentication(shop: Shop) -> None:
    """Off session nobody can answer the bank: authentication_required; on session the intent waits."""
    card = "pm_card_authenticationRequired"
    method = {"payment_method": card, "confirm": True, "amount": 900, "currency": "usd", **RETURN}
    with pytest.raises(stripe.CardError) as caught:
        await shop.client.v1.payment_intents.create_async({**method, "off_session": True})
    assert caught.value.code == "authentication_required"
    waiting = await shop.client.v1.payment_intents.create_async({**method, "off_session": False})
    assert waiting.status == "requires_action"
    await shop.post_form(waiting.next_action.redirect_to_url.url, {"outcome": "complete"})
    assert (await shop.client.v1.payment_intents.retrieve_async(waiting.id)).status == "succeeded"


async def test_payment_intents_are_confirmed_cancelled_and_found(shop: Shop) -> None:
    """Two steps to succeed; no way back from succeeded; search by our own id in the metadata, behind its lag."""
    customer = await shop.client.v1.customers.create_async({"name": "A. Guarantor", "metadata": {"account": "A-1"}})
    intents = shop.client.v1.payment_intents
    asked: Any = {"amount": 1000, "currency": "usd", "customer": customer.id, "metadata": {"payment": "p-9"}}
    one = await intents.create_async(asked)
    assert one.status == "requires_payment_method"
    done = await intents.confirm_async(one.id, {"payment_method": "pm_card_visa", **RETURN})
    assert (done.status, done.customer) == ("succeeded", customer.id)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await intents.cancel_async(one.id)
    assert caught.value.code == "payment_intent_unexpected_state"
    other = await intents.create_async(asked)
    assert (await intents.cancel_async(other.id, {"cancellation_reason": "abandoned"})).status == "canceled"
    query: Any = {"query": "metadata['payment']:'p-9' AND status:'succeeded'"}
    assert [found.id for found in (await intents.search_async(query)).data] == [one.id]
    with pytest.raises(stripe.InvalidRequestError):
        await intents.search_async({"query": "payment=p-9"})


async def test_customers_are_updated_by_merging_metadata(shop: Shop) -> None:
    """An update keeps what it does not name, and an empty metadata value removes its key."""
    made = await shop.client.v1.customers.create_async({"metadata": {"a": "1", "b": "2"}, "name": "One"})
    changed = await shop.client.v1.customers.update_async(made.id, {"metadata": {"a": "", "c": "3"}})
    assert (changed.name, changed.metadata.to_dict()) == ("One", {"b": "2", "c": "3"})
    assert (await shop.client.v1.customers.retrieve_async(made.id)).metadata.to_dict() == {"b": "2", "c": "3"}


async def test_refunds_never_exceed_the_charge(shop: Shop) -> None:
    """Part, then the rest; a third is refused; charge, refunds and balance transactions add up."""
    intent = await shop.charge(10_000)
    part = await shop.client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 4_000})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        await shop.client.v1.refunds.create_async({"charge": intent.latest_charge, "amount": 6_001})
    rest = await shop.client.v1.refunds.create_async({"charge": intent.latest_charge})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await shop.client.v1.refunds.create_async({"charge": intent.latest_charge})
    assert caught.value.code == "charge_already_refunded"
    charge = await shop.client.v1.charges.retrieve_async(intent.latest_charge)
    assert (part.amount, rest.amount, charge.amount_refunded, charge.refunded) == (4_000, 6_000, 10_000, True)
    listed = await shop.client.v1.refunds.list_async({"payment_intent": intent.id})
    assert [refund.id for refund in listed.data] == [rest.id, part.id]
    moved = (await shop.client.v1.balance_transactions.list_async()).data
    assert sorted(entry.amount for entry in moved) == [-6_000, -4_000, 10_000]
    assert sum(entry.fee for entry in moved) == 320


async def test_a_session_expires_by_request_and_by_time(shop: Shop) -> None:
    """Both ways end in checkout.session.expired, and an expired page takes no card."""
    asked, timed = await shop.checkout(), await shop.checkout(expires_at=shop.clock.now() + 1800)
    assert (await shop.client.v1.checkout.sessions.expire_async(asked.id)).status == "expired"
    shop.clock.forward(1800)
    status, _, _ = await shop.pay(timed.url, "4242424242424242")
    assert status == 410
    await shop.settle()
    gone = [json.loads(one.raw) for one in shop.receiver.got]
    assert [event["type"] for event in gone] == ["checkout.session.expired"] * 2
    assert {event["data"]["object"]["id"] for event in gone} == {asked.id, timed.id}
    with pytest.raises(stripe.InvalidRequestError):
        await shop.client.v1.checkout.sessions.expire_async(timed.id)


async def test_lists_are_paged_by_the_sdk(shop: Shop) -> None:
    """auto_paging walks every session once, newest first; filters hold."""
    made = [(await shop.checkout(client_reference_id=str(number))).id for number in range(5)]
    pages = await shop.client.v1.checkout.sessions.list_async({"limit": 2, "status": "open"})
    assert [session.id async for session in pages.auto_paging_iter()] == made[::-1]
    await shop.client.v1.checkout.sessions.expire_async(made[0])
    assert len((await shop.client.v1.checkout.sessions.list_async({"status": "open"})).data) == 4


async def test_the_journal_never_holds_a_card_number(shop: Shop) -> None:
    """What is typed into the hosted page is journalled by its last four digits unless it is a published test card."""
    session = await shop.checkout()
    await shop.pay(session.url, "4111111111111111")
    assert shop.options.journal is not None
    assert "4111111111111111" not in shop.options.journal.read_text()
    tries = [line for line in read_lines(shop.options.journal) if line["kind"] == "checkout_page"]
    assert [line["tried"] for line in tries] == [{"last4": "1111"}]


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        (stripe.Customer, "customers"),
        (stripe.checkout.Session, "sessions"),
        (stripe.PaymentIntent, "payment_intents"),
        (stripe.Charge, "charges"),
        (stripe.Refund, "refunds"),
        (stripe.BalanceTransaction, "balance_transactions"),
        (stripe.Event, "events"),
        (stripe.PaymentMethod, "payment_methods"),
        (stripe.SetupIntent, "setup_intents"),
        (stripe.Mandate, "mandates"),
        (stripe.Dispute, "disputes"),
        (stripe.Payout, "payouts"),
    ],
)
async def test_objects_have_every_field_that_the_sdk_promises(shop: Shop, kind: type, made: str) -> None:
    """The SDK raises AttributeError on a field that did not come: every one that is never null is there."""
    await shop.client.v1.customers.create_async({})
    session = await shop.checkout()
    await shop.pay(session.url, "4242424242424242")
    charge = (await shop.client.v1.charges.list_async()).data[0]
    await shop.client.v1.refunds.create_async({"charge": charge.id})
    kept = await shop.setup(allowed_payment_method_types=["us_bank_account"])
    await shop.pay_by_bank(kept.url)
    await shop.charge(50_000, "pm_card_bypassPending")
    await shop.control("payout")
    await shop.charge(5_000, "pm_card_createDispute")
    await shop.control("sweep")
    assert shop.options.journal is not None
    row = next(iter(replay(shop.options.journal)[made].values()))
    promised = {name for name, hint in kind.__annotations__.items() if not str(hint).startswith("typing.Optional")}
    assert promised - {"OBJECT_NAME"} - set(row) == set()
