"""A card is kept when the patient asks for it, never otherwise; a bank's question is passed on, its answer booked."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import apply_payments, setups
from billing.command_context import Context
from billing.commands import ChargeSavedCard
from billing.store.tables import Payment, PaymentMethod, SetupRequest
from bot.calling import call_due
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.road import Road
from config.payment_policy import PaymentPolicy
from tests.payments import world
from tests.web.conftest import Now, Site
from tests.web.plans import allow
from tests.web.test_doors import payment_of
from tests.web.test_paying import opened


def cards(site: Site) -> list[PaymentMethod]:
    return list(site.store.read(lambda s: s.scalars(select(PaymentMethod)).all()))


def payment_row(site: Site) -> Payment:
    return site.store.read(lambda s: s.scalars(select(Payment)).one())


async def test_the_box_to_keep_a_card_is_not_ticked_and_not_needed(site: Site) -> None:
    path = await opened(site)
    body = (await site.get(path))[1]
    assert re.search(r'<input type="checkbox" name="keep" value="yes" aria-describedby', body)
    assert "checked" not in body and "required" not in body
    back = await site.pay_on_page((await site.post(f"{path}/pay"))[2].headers["Location"])
    assert "Thank you" in (await site.get(back))[1]
    assert cards(site) == [] and payment_row(site).saves_method is False


async def test_a_ticked_box_keeps_the_card_by_its_last_four_digits(site: Site) -> None:
    path = await opened(site)
    back = await site.pay_on_page((await site.post(f"{path}/pay", {"keep": "yes"}))[2].headers["Location"])
    assert "Thank you" in (await site.get(back))[1]
    assert [(row.last4, row.status) for row in cards(site)] == [("4242", "active")]


@pytest.mark.parametrize(("first", "then"), [({"keep": "yes"}, {}), ({}, {"keep": "yes"})])
async def test_who_thinks_again_about_keeping_gets_another_page_and_the_first_is_closed(
        site: Site, first: dict[str, str], then: dict[str, str]) -> None:
    path = await opened(site)
    one = (await site.post(f"{path}/pay", first))[2].headers["Location"]
    other = (await site.post(f"{path}/pay", then))[2].headers["Location"]
    assert one != other and (await site.post(f"{path}/pay", then))[2].headers["Location"] == other
    status, _, _ = await site.post(one, {"number": "4242424242424242", "exp": "12/34", "cvc": "123", "zip": "10001"})
    assert status != 303 or payment_row(site).status != "succeeded"
    back = await site.pay_on_page(other)
    assert "Thank you" in (await site.get(back))[1]
    assert len(cards(site)) == len(then) and site.store.read(world.balances)["cash:stripe:card"] == world.OLD_MINOR


async def test_a_practice_that_keeps_no_cards_has_no_box_and_a_forged_one_keeps_none(site: Site) -> None:
    site.store.write(lambda session: allow(session, payments=PaymentPolicy(saved_cards=False)))
    path = await opened(site)
    assert 'name="keep"' not in (await site.get(path))[1]
    await site.pay_on_page((await site.post(f"{path}/pay", {"keep": "yes"}))[2].headers["Location"])
    await site.get(f"{path}/done")
    assert cards(site) == []


def setup_of(site: Site, purpose: str = "card") -> str:
    def make(session: Session) -> str:
        return setups.make(session, practice_id=world.PRACTICE, guarantor_id=world.ANNA, purpose=purpose, plan_id=None,
                           conversation_id=world.TALK, language="en", now=site.clock()).id

    return site.store.write(make)


async def test_a_card_is_given_without_paying_anything(site: Site) -> None:
    path = site.link("card", setup_of(site))
    await site.prove(path)
    body = (await site.get(path))[1]
    assert "Before you give a card" in body and "REMOVE CARD" in body and "Nothing is charged" in body
    status, _, answer = await site.post(f"{path}/card")
    assert status == 303 and answer.headers["Location"].startswith(site.stripe_url)
    assert "No card was given yet" in (await site.get(f"{path}/done"))[1]
    back = await site.pay_on_page(answer.headers["Location"])
    for _ in range(2):
        assert "Visa card ending in 4242" in (await site.get(back))[1]
    assert [row.last4 for row in cards(site)] == ["4242"] and site.store.read(world.transfers) == 2
    assert (await site.post(f"{path}/card"))[0] == 303 and len(cards(site)) == 1
    assert site.store.read(lambda s: s.scalars(select(SetupRequest)).one()).status == "done"


async def test_reading_a_card_page_asks_the_processor_for_nothing(site: Site) -> None:
    path = site.link("card", setup_of(site))
    await site.prove(path)
    for _ in range(3):
        await site.get(path)
    assert await site.stripe_sessions() == 0
    site.browser.cookie_jar.clear()
    assert (await site.post(f"{path}/card"))[0] == 303 and await site.stripe_sessions() == 0


async def test_another_accounts_card_page_is_not_there(site: Site) -> None:
    site.store.write(lambda session: world.account(session, "acct_ben", "B1", site.clock()))
    path = site.link("card", setup_of(site), "acct_ben")
    await site.prove(path)
    assert (await site.get(path))[0] == 404


async def charged(site: Site, number: str) -> str:
    """A charge of a card on file that the patient has just said yes to; returns its link's path."""
    path = site.link("card", setup_of(site))
    await site.prove(path)
    page = (await site.post(f"{path}/card"))[2].headers["Location"]
    await site.post(page, {"number": number, "exp": "12/34", "cvc": "123", "zip": "10001", "name": "A",
                           "email": "a@b.co"})
    await site.get(f"{path}/done")
    (card,) = cards(site)

    def ask(session: Session) -> str:
        command = ChargeSavedCard(
            world.ANNA, card.id, world.OLD_MINOR, ((world.OLD, world.OLD_MINOR),), world.version(session), "en",
            f"Pay $100.00 with the card ending in {card.last4}? Reply YES.", "pay_confirm_card:en:1")
        payment_id = apply_payments.carry_out(session, command, Context(
            world.PRACTICE, world.TALK, "+12125550123", "hash", "sms", None, "en", site.clock()))
        assert payment_id is not None
        return payment_id

    payment_id = site.store.write(ask)
    processor = StripeProcessor(StripeAccount("sk_test_standin", "whsec_standin", site.stripe_url), site.clock)
    await call_due(Road(site.store, Now(site.clock), "test", site.url), processor)
    await processor.close()
    return site.link("pay", payment_id)


async def test_a_charge_on_its_way_offers_no_second_payment(site: Site) -> None:
    path = site.link("pay", payment_of(site))
    site.store.write(lambda s: setattr(s.scalars(select(Payment)).one(), "way", "saved"))
    await site.prove(path)
    body = (await site.get(path))[1]
    assert "on its way" in body and "<form" not in body.split("</header>")[1]
    assert (await site.post(f"{path}/pay"))[0] == 409 and await site.stripe_sessions() == 0


@pytest.mark.parametrize("way", ["/back?payment_intent={ref}", "{path}/done"])
async def test_a_bank_that_wants_to_ask_is_one_press_away_and_its_yes_is_booked(site: Site, way: str) -> None:
    path = await charged(site, "4000003800000446")
    await site.prove(path)
    body, row = (await site.get(path))[1], payment_row(site)
    assert row.status == "needs_patient" and "Your bank wants to ask you first" in body
    assert row.session_url and f'href="{row.session_url}' in unescape(body) and "<form" not in body
    assert (await site.post(f"{path}/pay"))[0] == 409 and await site.stripe_sessions() == 1  # the one for the card
    assert "Thank you" not in (await site.get(f"{path}/done"))[1]  # coming back before the bank was answered
    await site.post(row.session_url, {"outcome": "complete"})
    for _ in range(2):
        await site.get(way.format(ref=row.processor_ref, path=path))
    assert site.store.read(world.balances)["cash:stripe:card"] == world.OLD_MINOR
    assert "Thank you" in (await site.get(path))[1]


async def test_coming_back_from_a_bank_tells_a_stranger_nothing(site: Site) -> None:
    for query in ("", "?payment_intent=pi_unknown1", "?payment_intent=../../x", "?payment_intent=" + "a" * 200):
        status, body, _ = await site.get(f"/back{query}")
        assert status == 200 and "close this page" in body and "Maple" not in body and "$" not in body


@pytest.mark.parametrize(("region", "warned"), [("NY", True), ("TX", False)])
async def test_in_new_york_the_pages_warn_before_a_card_is_asked_for(site: Site, region: str, warned: bool) -> None:
    site.store.write(lambda session: allow(session, region=region))
    for path in (site.link("pay", payment_of(site)), site.link("statement"), site.link("card", setup_of(site))):
        await site.prove(path)
        body = (await site.get(path))[1]
        assert ("give up state and federal protections" in body) is warned
        assert not warned or body.index("protections") < body.index("<button")


async def test_the_address_of_a_button_leads_back_to_its_page(site: Site) -> None:
    path = site.link("pay", payment_of(site))
    for button in ("pay", "plan", "card"):
        status, _, answer = await site.get(f"{path}/{button}?lang=es")
        assert (status, answer.headers["Location"]) == (303, f"{path}?lang=es")
