"""The button ends in one payment page, takes nothing that is not owed, and never says paid unless it is."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy import select

from billing import holds, payments
from billing.store.tables import Payment
from bot.processors.stripe import StripeAccount, StripeProcessor
from bot.reconcile import reconcile_due
from bot.road import Road
from tests.payments import world
from tests.web.conftest import Now, Site
from tests.web.test_doors import payment_of, statement_of


async def opened(site: Site, split: tuple[tuple[str, int], ...] = ((world.OLD, world.OLD_MINOR),)) -> str:
    """A proved pay link's path."""
    path = site.link("pay", payment_of(site, split))
    assert (await site.prove(path))[0] == 303
    return path


async def test_the_whole_way_there_and_back(site: Site) -> None:
    path = await opened(site)
    page = (await site.get(path))[1]
    assert "Pay $100.00" in page and "January 5, 2026" in page
    status, _, answer = await site.post(f"{path}/pay")
    assert status == 303 and answer.headers["Location"].startswith(site.stripe_url)
    assert "not finished" in (await site.get(f"{path}/done"))[1]
    back = await site.pay_on_page(answer.headers["Location"])
    assert back == f"{site.url}{path}/done"
    for _ in range(2):
        assert "Thank you" in (await site.get(back))[1]
    assert site.store.read(world.balances) == {"new": world.NEW_MINOR, "cash:stripe:card": world.OLD_MINOR}
    assert site.store.read(world.news) == [("payment_paid", "")]
    assert "Thank you" in (await site.get(path))[1]
    assert (await site.post(f"{path}/pay"))[0] == 303  # back to the link, to no page


async def test_reading_the_page_opens_no_payment_page(site: Site) -> None:
    path = await opened(site)
    for _ in range(3):
        await site.get(path)
    assert await site.stripe_sessions() == 0


async def test_a_press_without_proof_only_asks(site: Site) -> None:
    path = site.link("pay", payment_of(site))
    status, _, answer = await site.post(f"{path}/pay")
    assert (status, answer.headers["Location"]) == (303, path) and await site.stripe_sessions() == 0


async def test_two_presses_at_once_and_later_end_in_one_page(site: Site) -> None:
    path = await opened(site)
    answers = await asyncio.gather(*(site.post(f"{path}/pay") for _ in range(4)))
    answers.append(await site.post(f"{path}/pay"))
    assert {status for status, _, _ in answers} == {303}
    assert len({answer.headers["Location"] for _, _, answer in answers}) == 1
    assert await site.stripe_sessions() == 1


async def test_a_lost_answer_is_asked_for_again_with_the_same_key(site: Site) -> None:
    path = await opened(site)
    await site.fault(path="/v1/checkout/sessions", mode="drop_after", times=6)
    status, body, _ = await site.post(f"{path}/pay")
    assert status == 503 and "Nothing was charged" in body
    assert (await site.post(f"{path}/pay"))[0] == 303
    assert await site.stripe_sessions() == 1


async def test_a_page_that_ran_out_is_followed_by_one_new_one(site: Site) -> None:
    path = await opened(site)
    first = (await site.post(f"{path}/pay"))[2].headers["Location"]
    site.clock.advance(minutes=61)
    await site.prove(path)
    second = (await site.post(f"{path}/pay"))[2].headers["Location"]
    assert first != second and await site.stripe_sessions() == 2


@pytest.mark.parametrize("what", ["paid_elsewhere", "hold", "cancelled"])
async def test_what_changed_since_the_yes_is_refused_kindly(site: Site, what: str) -> None:
    path = await opened(site)
    now = site.clock()
    if what == "paid_elsewhere":
        site.store.write(lambda s: payments.record_desk_payment(
            s, world.PRACTICE, world.ANNA, amount_minor=1_000, currency="USD", tender="cash", reference="1",
            recorded_by="ana", now=now, split=((world.OLD, 1_000),)))
    if what == "hold":
        site.store.write(lambda s: holds.place(
            s, practice_id=world.PRACTICE, guarantor_id=world.ANNA, kind="litigation", reason="suit", source="staff",
            placed_by="ana", now=now))
    if what == "cancelled":
        site.store.write(lambda s: setattr(s.scalars(select(Payment)).one(), "status", "cancelled"))
    status, body, _ = await site.post(f"{path}/pay")
    assert status == 409 and "Nothing was charged" in body
    assert await site.stripe_sessions() == 0
    assert "Nothing was charged" in (await site.get(path))[1]


async def test_a_statements_button_makes_one_payment_of_all_that_is_due(site: Site) -> None:
    path = site.link("statement", statement_of(site))
    await site.prove(path)
    fields = dict(re.findall(r'name="(amount|version)" value="(\d+)"', (await site.get(path))[1]))
    answers = [await site.post(f"{path}/pay", fields) for _ in range(2)]
    assert len({answer.headers["Location"] for _, _, answer in answers}) == 1
    rows = site.store.read(lambda s: s.scalars(select(Payment)).all())
    assert [(row.amount_minor, row.conversation_id) for row in rows] == [
        (world.OLD_MINOR + world.NEW_MINOR, world.TALK)]
    back = await site.pay_on_page(answers[0][2].headers["Location"])
    assert "Thank you" in (await site.get(back))[1]
    assert site.store.read(world.balances) == {"cash:stripe:card": world.OLD_MINOR + world.NEW_MINOR}


@pytest.mark.parametrize("fields", [{"amount": "1", "version": "2"}, {}, {"amount": "-5", "version": "x"}])
async def test_a_statements_button_with_another_amount_than_is_due_charges_nothing(
        site: Site, fields: dict[str, str]) -> None:
    path = site.link("statement", statement_of(site))
    await site.prove(path)
    assert (await site.post(f"{path}/pay", fields))[0] == 409
    assert await site.stripe_sessions() == 0


async def test_coming_back_without_proof_books_the_money_and_shows_nothing(site: Site) -> None:
    path = await opened(site)
    page = (await site.post(f"{path}/pay"))[2].headers["Location"]
    back = await site.pay_on_page(page)
    site.browser.cookie_jar.clear()
    body = (await site.get(back))[1]
    assert "$" not in body and "Thank you" not in body
    assert site.store.read(world.balances)["cash:stripe:card"] == world.OLD_MINOR


async def test_a_processor_that_is_silent_is_no_reason_to_say_paid(site: Site) -> None:
    path = await opened(site)
    page = (await site.post(f"{path}/pay"))[2].headers["Location"]
    back = await site.pay_on_page(page)
    await site.fault(path="*", mode="500", times=4)
    body = (await site.get(back))[1]
    assert "Thank you" not in body and "not finished" not in body


async def test_money_whose_news_was_lost_is_found_when_its_page_has_run_out(site: Site) -> None:
    path = await opened(site)
    await site.pay_on_page((await site.post(f"{path}/pay"))[2].headers["Location"])
    processor = StripeProcessor(StripeAccount("sk_test_standin", "whsec_standin", site.stripe_url), site.clock)
    road = Road(site.store, Now(site.clock), "test", site.url)
    assert await reconcile_due(road, processor) == 0  # the page is still open: the webhook may come
    site.clock.advance(minutes=61)
    assert await reconcile_due(road, processor) == 1
    assert await reconcile_due(road, processor) == 0
    await processor.close()
    assert site.store.read(world.balances)["cash:stripe:card"] == world.OLD_MINOR


async def test_a_statement_says_when_the_balance_has_moved_since(site: Site) -> None:
    path = site.link("statement", statement_of(site))
    await site.prove(path)
    site.store.write(lambda s: payments.record_desk_payment(
        s, world.PRACTICE, world.ANNA, amount_minor=14_050, currency="USD", tender="cash", reference="1",
        recorded_by="ana", now=site.clock()))
    body = (await site.get(path))[1]
    assert "has changed since" in body and "Due now" in body and "$5.00" in body and "Pay $5.00" in body
