"""A plan is read whole before it is agreed to, agreed to in exact words, once, by the account's own person alone."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import func, select

from billing import holds, payments
from billing.store.tables import Authorization, Payment, Plan, SetupRequest
from config.payment_policy import PaymentPolicy
from tests.payments import world
from tests.web.conftest import Site
from tests.web.plans import allow, card_on_file, fields_of, offer, offered, plan_row, ticked


async def opened(site: Site, **how: Any) -> tuple[str, str]:
    """A proved plan link's path, and its page."""
    path = offered(site, **how)
    assert (await site.prove(path))[0] == 303
    return path, (await site.get(path))[1]


def consents(site: Site) -> list[Authorization]:
    return list(site.store.read(lambda s: s.scalars(select(Authorization).order_by(Authorization.at)).all()))


async def test_the_whole_schedule_the_visits_and_the_law_stand_before_the_button(site: Site) -> None:
    _, body = await opened(site)
    for said in ("December 1, 2026", "Dec 1, 2026", "May 1, 2027", "January 5, 2026", "June 5, 2026", "$145.50",
                 "FINANCE CHARGE", "$0.00", "ANNUAL PERCENTAGE RATE", "0%", "Amount financed", "Total of payments",
                 "Payment schedule", "no charge for paying late", "no penalty", "no security interest", "Creditor",
                 "Where the amount financed comes from"):
        assert said in body, said
    assert body.index("FINANCE CHARGE") < body.index('name="esign"') < body.index('name="yes"') < body.index(
        "Agree to the plan")
    rows = re.findall(r'<th scope="row">\d\. [^<]+</th><td class="money">\$([\d.]+)</td>', body)
    assert len(rows) == 6 and sum(int(one.replace(".", "")) for one in rows) == world.OLD_MINOR + world.NEW_MINOR


async def test_up_to_four_payments_need_no_disclosures_and_no_electronic_consent(site: Site) -> None:
    _, body = await opened(site, count=4)
    assert "FINANCE CHARGE" not in body and 'name="esign"' not in body and 'name="yes"' in body


async def test_agreeing_keeps_the_words_exactly_as_they_were_shown_and_runs_the_plan(site: Site) -> None:
    path, body = await opened(site)
    shown = re.search(r'<blockquote[^>]*><p>(.*?)</p>', body)
    status, _, answer = await site.post(f"{path}/plan", ticked(body))
    assert (status, answer.headers["Location"]) == (303, f"{path}?lang=en")
    (given,) = consents(site)
    assert shown is not None and given.words == unescape(shown[1])
    assert (given.given_by, given.last4, given.method_id) == ("page", None, None)
    assert given.disclosures_version and given.esign_at == site.clock() and given.message_id is not None
    assert given.message_id.startswith("link:") and path.removeprefix("/l/") not in given.message_id
    assert plan_row(site).status == "active"
    running = (await site.get(path))[1]
    assert "Next payment" in running and "December 1, 2026" in running and "Pay off all: $145.50" in running


async def test_the_spanish_page_is_agreed_to_in_spanish(site: Site) -> None:
    path = offered(site)
    await site.prove(path)
    body = (await site.get(f"{path}?lang=es"))[1]
    assert "CARGO POR FINANCIAMIENTO" in body and '<html lang="es">' in body
    assert (await site.post(f"{path}/plan?lang=es", ticked(body)))[0] == 303
    (given,) = consents(site)
    assert given.words.startswith("Acepto pagar a") and ":es:" in given.words_version


@pytest.mark.parametrize("missing", ["esign", "yes"])
async def test_a_box_that_is_not_ticked_agrees_to_nothing_and_is_said_kindly(site: Site, missing: str) -> None:
    path, body = await opened(site)
    form = {name: value for name, value in ticked(body).items() if name != missing}
    status, answer, _ = await site.post(f"{path}/plan", form)
    assert status == 422 and 'role="alert"' in answer and 'name="yes"' in answer
    assert consents(site) == [] and plan_row(site).status == "awaiting_authorization"


async def test_no_box_is_ticked_for_anybody(site: Site) -> None:
    _, body = await opened(site)
    assert "checked" not in body


async def test_reading_and_robots_change_nothing(site: Site) -> None:
    path, body = await opened(site)
    before = site.store.read(lambda s: s.scalar(select(func.count()).select_from(SetupRequest)))
    for way in ("", "?way=link", "?way=auto", "?way=card", "?way=nonsense"):
        assert (await site.get(f"{path}{way}"))[0] == 200
    assert (await site.get(f"{path}/done"))[0] == 303
    site.browser.cookie_jar.clear()
    status, said, answer = await site.post(f"{path}/plan", ticked(body))
    assert (status, answer.headers["Location"], said) == (303, path, "")
    assert consents(site) == [] and plan_row(site).status == "awaiting_authorization"
    assert site.store.read(lambda s: s.scalar(select(func.count()).select_from(SetupRequest))) == before == 0
    assert await site.stripe_sessions() == 0


async def test_two_presses_at_once_and_a_third_later_agree_once(site: Site) -> None:
    path, body = await opened(site)
    answers = await asyncio.gather(*(site.post(f"{path}/plan", ticked(body)) for _ in range(3)))
    answers.append(await site.post(f"{path}/plan", ticked(body)))
    assert {status for status, _, _ in answers} == {303} and len(consents(site)) == 1


async def test_a_page_that_is_out_of_date_agrees_to_nothing(site: Site) -> None:
    path, body = await opened(site)
    card_on_file(site)
    for form in (ticked(body, shown="0" * 64), ticked(body, way="auto"), ticked(body, shown="")):
        status, said, _ = await site.post(f"{path}/plan", form)
        assert status == 409 and "Nothing was agreed" in said
    assert consents(site) == []


@pytest.mark.parametrize("what", ["paid", "hold", "ended", "cancelled"])
async def test_what_changed_since_the_offer_is_said_and_nothing_is_agreed(site: Site, what: str) -> None:
    path, body = await opened(site)
    now = site.clock()
    if what == "paid":
        site.store.write(lambda s: payments.record_desk_payment(
            s, world.PRACTICE, world.ANNA, amount_minor=1_000, currency="USD", tender="cash", reference="1",
            recorded_by="ana", now=now))
    if what == "hold":
        site.store.write(lambda s: holds.place(
            s, practice_id=world.PRACTICE, guarantor_id=world.ANNA, kind="litigation", reason="suit", source="staff",
            placed_by="ana", now=now))
    if what == "ended":
        site.clock.advance(days=8)
        await site.prove(path)
    if what == "cancelled":
        site.store.write(lambda s: setattr(s.scalars(select(Plan)).one(), "status", "cancelled"))
    status, said, _ = await site.post(f"{path}/plan", ticked(body))
    assert status in (409, 422) and "$24.25" not in said
    assert 'name="yes"' not in (await site.get(path))[1] and consents(site) == []


async def test_an_expired_link_opens_nothing(site: Site) -> None:
    path, body = await opened(site)
    site.clock.advance(days=31)
    assert (await site.post(f"{path}/plan", ticked(body)))[0] == 303
    assert "Confirm" in (await site.get(path))[1] or "confirm" in (await site.get(path))[1]
    assert consents(site) == []


async def test_another_accounts_link_neither_shows_nor_agrees(site: Site) -> None:
    site.store.write(lambda session: world.account(session, "acct_ben", "B1", site.clock()))
    plan_id = offer(site)
    path = site.link("plan", plan_id, "acct_ben")
    await site.prove(path)
    status, body, _ = await site.get(path)
    assert status == 404 and "$" not in body
    assert (await site.post(f"{path}/plan", {"do": "agree", "yes": "yes", "esign": "yes"}))[0] in (404, 409)
    for do in ("card", "stop", "pay", "payoff"):
        assert (await site.post(f"{path}/plan", {"do": do}))[0] == 409
    assert consents(site) == []


async def test_a_link_for_something_else_does_nothing_to_plans(site: Site) -> None:
    plan_id = offer(site)
    path = site.link("statement", plan_id)
    await site.prove(path)
    assert (await site.post(f"{path}/plan", {"do": "agree"}))[0] == 303 and consents(site) == []


async def test_automatic_payment_with_the_card_on_file_names_it_in_the_words(site: Site) -> None:
    card_on_file(site)
    path, body = await opened(site, count=4)
    assert "Visa card ending in 4242" in body and "way=auto" in body
    auto = (await site.get(f"{path}?way=auto"))[1]
    assert "I authorize" in auto and "not a condition" in auto and "Before you give a card" in auto
    assert (await site.post(f"{path}/plan", ticked(auto)))[0] == 303
    (given,) = consents(site)
    assert given.last4 == "4242" and "4242" in given.words and plan_row(site).collects == "autopay"
    assert given.most_minor == 3_639 and "$36.39" in given.words


async def test_a_new_card_is_given_at_the_processor_and_stands_in_the_words_before_the_yes(site: Site) -> None:
    path, body = await opened(site)
    assert "way=card" in body
    asked = (await site.get(f"{path}?way=card"))[1]
    assert "Before you give a card (New York)" in asked and 'name="do" value="card"' in asked
    status, _, answer = await site.post(f"{path}/plan", {"do": "card"})
    assert status == 303 and answer.headers["Location"].startswith(site.stripe_url)
    assert (await site.post(f"{path}/plan", {"do": "card"}))[2].headers["Location"] == answer.headers["Location"]
    back = await site.pay_on_page(answer.headers["Location"])
    status, _, answer = await site.get(back)
    assert status == 303
    page = (await site.get(answer.headers["Location"]))[1]
    assert "I authorize" in page and "4242" in page and consents(site) == []
    assert (await site.post(f"{path}/plan", ticked(page)))[0] == 303
    assert [given.last4 for given in consents(site)] == ["4242"] and plan_row(site).status == "active"


async def test_turning_back_at_the_processor_keeps_no_card_and_leaves_the_link_way(site: Site) -> None:
    path, _ = await opened(site)
    await site.post(f"{path}/plan", {"do": "card"})
    status, _, answer = await site.get(f"{path}/done")
    assert status == 303
    page = (await site.get(answer.headers["Location"]))[1]
    assert "I authorize" not in page and 'name="yes"' in page


async def running(site: Site, **how: object) -> str:
    path, body = await opened(site, **how)
    if how.get("collects") == "autopay":
        body = (await site.get(f"{path}?way=auto"))[1]
    assert (await site.post(f"{path}/plan", ticked(body)))[0] == 303
    return path


async def test_stopping_automatic_payments_revokes_at_once_and_the_plan_goes_on(site: Site) -> None:
    card_on_file(site)
    path = await running(site, count=4, collects="autopay")
    assert "Stop automatic payments" in (await site.get(path))[1]
    status, said, _ = await site.post(f"{path}/plan", {"do": "stop"})
    assert status == 200 and "stopped" in said
    assert consents(site)[0].revoked_at == site.clock() and consents(site)[0].revoked_by == "patient"
    assert (plan_row(site).status, plan_row(site).collects) == ("active", "link")
    assert (await site.post(f"{path}/plan", {"do": "stop"}))[0] == 200
    assert "Stop automatic payments" not in (await site.get(path))[1]


@pytest.mark.parametrize(("do", "minor"), [("pay", 2_425), ("payoff", 14_550)])
async def test_an_instalment_or_all_of_it_can_be_paid_early_from_the_page(site: Site, do: str, minor: int) -> None:
    path = await running(site)
    answers = [await site.post(f"{path}/plan", {"do": do}) for _ in range(2)]
    assert {status for status, _, _ in answers} == {303}
    assert len({answer.headers["Location"] for _, _, answer in answers}) == 1
    (row,) = site.store.read(lambda s: s.scalars(select(Payment)).all())
    assert (row.amount_minor, row.plan_id, row.early) == (minor, plan_row(site).id, True)
    back = await site.pay_on_page(answers[0][2].headers["Location"])
    assert "Thank you" in (await site.get(back))[1]
    after = (await site.get(path))[1]
    assert ("Your plan is paid off" in after) if do == "payoff" else ("Paid so far: $24.25" in after)


async def test_the_signed_copy_has_schedule_words_and_how_it_was_agreed(site: Site) -> None:
    path = await running(site)
    status, body, answer = await site.get(f"{path}/pdf")
    assert status == 200 and body.startswith("%PDF-") and answer.headers["Content-Type"] == "application/pdf"
    copy = site.link("agreement", plan_row(site).id)
    await site.prove(copy)
    page = (await site.get(copy))[1]
    assert "I agree to pay" in page and "How this was agreed" in page and "November 3, 2026 at 10:00 AM" in page
    assert (await site.get(f"{copy}/pdf?lang=es"))[1].startswith("%PDF-")


async def test_an_offer_can_be_read_as_pdf_but_has_no_signed_copy(site: Site) -> None:
    path, _ = await opened(site)
    assert (await site.get(f"{path}/pdf?way=auto"))[1].startswith("%PDF-")
    copy = site.link("agreement", plan_row(site).id)
    await site.prove(copy)
    assert (await site.get(copy))[0] == 404


async def test_nothing_private_stands_in_an_address_and_every_answer_has_the_strict_headers(site: Site) -> None:
    card_on_file(site)
    path, body = await opened(site)
    for address in re.findall(r'(?:href|action)="([^"]+)"', body):
        assert not re.search(r"rivera|anna|24\.25|145|1976|10001|4242|plan_", address, re.IGNORECASE), address
    assert not re.search(r"<script|javascript:|\son\w+=|style=", body)
    for at in (path, f"{path}?way=card", f"{path}/pdf"):
        policy = (await site.get(at))[2].headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script" not in policy


async def test_a_plan_that_waits_for_a_person_cannot_be_agreed_to(site: Site) -> None:
    path, body = await opened(site)
    site.store.write(lambda s: setattr(s.scalars(select(Plan)).one(), "status", "offered"))
    assert "A person is looking" in (await site.get(path))[1]
    assert (await site.post(f"{path}/plan", ticked(body)))[0] == 409 and consents(site) == []


async def test_where_cards_are_not_kept_the_page_offers_links_alone(site: Site) -> None:
    path, _ = await opened(site)
    site.store.write(lambda session: allow(session, payments=PaymentPolicy(saved_cards=False)))
    body = (await site.get(path))[1]
    assert "way=card" not in body and "way=auto" not in body and fields_of(body)["way"] == "link"
    assert (await site.post(f"{path}/plan", {"do": "card"}))[0] == 409


async def test_who_thinks_again_between_one_instalment_and_all_of_it_is_not_locked_out(site: Site) -> None:
    path = await running(site)
    one = (await site.post(f"{path}/plan", {"do": "pay"}))[2].headers["Location"]
    status, body, answer = await site.post(f"{path}/plan", {"do": "payoff"})
    assert status == 303, body
    assert answer.headers["Location"] != one
    back = await site.pay_on_page(answer.headers["Location"])
    assert "Thank you" in (await site.get(back))[1] and plan_row(site).status == "completed"
