"""The account's own pages: everything that can be done behind the door, and nothing of it before the door opened."""

from __future__ import annotations

import re
from datetime import date, timedelta

import aiohttp
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import assistance, cases, links
from billing.store.tables import AssistanceApplication, Audit, Case, Hold, Link, Plan, Staff
from bot.web.account.routes import ROUTES
from config.dunning_policy import AssistancePolicy, AssistanceTier
from tests.payments import world
from tests.web import plans
from tests.web.conftest import Site

PAGES = ("account", "why", "plans", "receipts", "dispute", "assistance", "insurance", "preferences")


async def opened(site: Site, purpose: str = "account") -> str:
    path = site.link(purpose)
    assert (await site.prove(path))[0] == 303
    return path


async def test_before_the_door_opened_no_page_of_the_account_shows_or_changes_anything(site: Site) -> None:
    path = site.link("account")
    before = site.store.read(_counted)
    for route in ROUTES:
        address = route.path.replace("/l/{token}", path).replace("{number}", "1")
        ask = site.get if route.method == "GET" else site.post
        status, body, answer = await ask(address)
        assert status == 303 and answer.headers["Location"].partition("?")[0] == path and "Rivera" not in body
    assert site.store.read(_counted) == before


async def test_looking_at_every_page_changes_nothing(site: Site) -> None:
    path = await opened(site)
    before = site.store.read(_counted)
    for name in PAGES:
        status, body, _ = await site.get(f"{path}/{name}")
        assert status == 200 and "<h1>" in body, name
    assert site.store.read(_counted) == before


def _counted(session: Session) -> tuple[int, ...]:
    return tuple(len(session.scalars(select(table)).all()) for table in (Case, Hold, Link, AssistanceApplication, Plan))


async def test_a_link_for_a_picture_or_a_passcode_opens_no_page_of_the_account(site: Site) -> None:
    for purpose in ("insurance", "papers", "passcode", "card", "verify"):
        path = await opened(site, purpose)
        status, body, _ = await site.get(f"{path}/account")
        assert status == 303 and "145" not in body


async def test_the_account_link_leads_to_its_first_page_and_pays_what_is_due(site: Site) -> None:
    path = await opened(site)
    status, _, answer = await site.get(path)
    assert status == 303 and answer.headers["Location"].startswith(f"{path}/account")
    _, body, _ = await site.get(f"{path}/account")
    fields = dict(re.findall(r'name="(amount|version)" value="(\d+)"', body))
    assert fields["amount"] == "14550"
    status, _, answer = await site.post(f"{path}/pay", fields)
    assert status == 303 and answer.headers["Location"].startswith(site.stripe_url)


async def test_each_number_opens_its_source_lines(site: Site) -> None:
    path = await opened(site)
    _, body, _ = await site.get(f"{path}/why")
    assert body.count("<details>") >= 2
    assert "Charge: Office visit (99213)" in body and "$100.00" in body and "in our books" in body


async def test_a_plan_is_chosen_to_the_cent_and_signed_on_its_own_page(site: Site) -> None:
    site.store.write(plans.allow)
    path = await opened(site)
    _, body, _ = await site.post(f"{path}/plans", {"do": "look", "amount": "40", "every": "month"})
    assert "4 payments of $40.00" in body and "the last one is $25.50" in body
    shown = re.search(r'name="shown" value="([^"]+)"', body)
    assert shown is not None
    status, _, answer = await site.post(f"{path}/plans", {
        "do": "take", "amount": "40", "every": "month", "day": "", "shown": shown.group(1)})
    plan = plans.plan_row(site)
    assert status == 303 and (plan.total_minor, plan.status) == (14550, "awaiting_authorization")
    status, body, _ = await site.get(answer.headers["Location"])
    assert status == 200 and body.count("$40.00") >= 3 and "$25.50" in body and 'name="yes"' in body
    status, _, _ = await site.post(answer.headers["Location"].partition("?")[0] + "/plan", plans.ticked(body))
    assert status == 303 and plans.plan_row(site).status == "active"


async def test_an_offer_that_was_not_shown_cannot_be_taken(site: Site) -> None:
    site.store.write(plans.allow)
    path = await opened(site)
    status, body, _ = await site.post(f"{path}/plans", {"do": "take", "amount": "40", "shown": "month|1|1|1|0|a|b"})
    assert status == 409 and "made nothing of it" in body
    status, body, _ = await site.post(f"{path}/plans", {"do": "look", "amount": "forty", "day": "2031-01-01"})
    assert status == 422 and body.count('aria-invalid="true"') == 2
    assert 'aria-describedby="amount-hint amount-wrong"' in body


async def test_a_dispute_opens_the_conversations_own_case_and_hold(site: Site) -> None:
    path = await opened(site)
    status, body, _ = await site.post(f"{path}/dispute", {"visit": world.NEW, "why": "other", "words": " "})
    assert status == 422 and 'id="words-wrong"' in body
    status, _, answer = await site.post(f"{path}/dispute", {
        "visit": world.NEW, "why": "no_visit", "words": "I was away. Card 4242 4242 4242 4242"})
    case = site.store.read(lambda s: s.scalars(select(Case)).one())
    assert status == 303 and (case.kind, case.dedupe, case.visit_id, case.reason) == (
        "dispute", f"dispute:{world.ANNA}", world.NEW, "no_visit")
    held = site.store.read(lambda s: [(h.kind, h.visit_id) for h in s.scalars(
        select(Hold).where(Hold.released_at.is_(None)))])
    assert held == [("dispute", world.NEW)]
    assert "4242" not in case.detail + site.store.read(lambda s: "".join(n.body for n in cases.notes(s, case.id)))
    _, body, _ = await site.get(answer.headers["Location"])
    assert "We stopped asking you for it" in body
    _, body, _ = await site.get(f"{path}/account")
    assert "$45.50 is on hold" in body and 'value="10000"' in body


async def test_a_dispute_of_everything_holds_the_account_until_one_visit_is_named(site: Site) -> None:
    path = await opened(site)
    await site.post(f"{path}/dispute", {"visit": "all", "why": "amount", "words": ""})
    held = site.store.read(lambda s: [(h.kind, h.visit_id) for h in s.scalars(select(Hold))])
    assert held == [("dispute", None)]
    await site.post(f"{path}/dispute", {"visit": world.OLD, "why": "amount", "words": ""})
    left = site.store.read(lambda s: [h.visit_id for h in s.scalars(select(Hold).where(Hold.released_at.is_(None)))])
    assert left == [world.OLD] and site.store.read(lambda s: len(s.scalars(select(Case)).all())) == 1


async def test_a_visit_of_another_account_is_never_disputed_or_paid_from_here(site: Site) -> None:
    def ben(session: Session) -> None:
        world.account(session, "acct_ben", "B2", site.clock())
        world.visit(session, "visit_ben", "acct_ben", "B2", date(2026, 2, 2), 7_700, site.clock())

    site.store.write(ben)
    path = await opened(site)
    for name in PAGES:
        assert "$77.00" not in (await site.get(f"{path}/{name}"))[1]
    await site.post(f"{path}/dispute", {"visit": "visit_ben", "why": "amount", "words": "x"})
    assert site.store.read(lambda s: {h.guarantor_id for h in s.scalars(select(Hold))}) == {world.ANNA}


POLICY = AssistancePolicy(since=date(2026, 1, 1), tiers=(AssistanceTier(fpl_percent=200, discount_percent=100),))


def assist(session: Session) -> None:
    plans.allow(session, assistance=(POLICY,))


ANSWERS = {"people": "3", "income": "1,800.50", "every": "month", "from_work": "yes", "words": "Lost work",
           "agree": "yes"}


async def test_an_application_is_answered_on_the_page_and_kept_sealed(site: Site) -> None:
    site.store.write(assist)
    path = await opened(site, "assistance")
    _, _, answer = await site.post(f"{path}/assistance", ANSWERS)
    row = site.store.read(lambda s: s.scalars(select(AssistanceApplication)).one())
    assert (row.status, row.household["people"], row.household["income_minor"]) == ("received", 3, 12 * 1_800_50)
    assert row.household["told"] == {"income_minor": 1_800_50, "every": "month", "sources": ["work"],
                                     "words": "Lost work"}
    assert row.decide_by_on is not None
    raw = site.store.read(lambda s: s.connection().exec_driver_sql(
        "SELECT household FROM assistance_applications").scalar_one())
    assert "Lost work" not in str(raw) and "180050" not in str(raw)
    _, body, _ = await site.get(answer.headers["Location"])
    assert "We have your answers and look at them" in body and "1,800" not in body
    held = site.store.read(lambda s: {h.kind for h in s.scalars(select(Hold).where(Hold.released_at.is_(None)))})
    assert held == {"assistance_pending"}
    _, body, _ = await site.get(f"{path}/account")
    assert "Nothing to pay now" in body


async def test_staff_put_the_percent_beside_what_was_told_and_then_decide(site: Site) -> None:
    site.store.write(assist)
    path = await opened(site)
    await site.post(f"{path}/assistance", ANSWERS)
    ref = site.store.read(lambda s: s.scalars(select(AssistanceApplication.id)).one())

    def measure(session: Session) -> None:
        household = {"people": 3, "income_minor": 12 * 1_800_50, "fpl_percent": 83, "source": "page"}
        assistance.receive(session, world.PRACTICE, ref, household=household, by="ana", now=site.clock())

    site.store.write(measure)
    row = site.store.read(lambda s: s.get_one(AssistanceApplication, ref))
    assert row.household["told"]["words"] == "Lost work" and row.household["fpl_percent"] == 83
    status, _, _ = await site.post(f"{path}/assistance", ANSWERS)
    assert status == 409  # a person works on it: it does not change below their hands
    _, body, _ = await site.get(f"{path}/assistance")
    assert 'name="people"' not in body


async def test_answers_that_are_none_come_back_with_what_was_written(site: Site) -> None:
    path = await opened(site)
    status, body, _ = await site.post(f"{path}/assistance", {**ANSWERS, "people": "0", "agree": "", "income": "-4"})
    assert status == 422 and body.count('class="wrong"') == 3 and 'value="-4"' in body
    assert 'href="#people"' in body and site.store.read(lambda s: s.scalars(select(AssistanceApplication)).all()) == []


async def test_papers_lie_with_the_applications_case(site: Site) -> None:
    site.store.write(assist)
    path = await opened(site)
    await site.post(f"{path}/assistance", ANSWERS)
    status, _, answer = await site.post(f"{path}/assistance/files", picture())
    assert status == 303
    _, body, _ = await site.get(answer.headers["Location"])
    assert "We have 1 picture or file from you" in body
    kind = site.store.read(lambda s: s.scalars(select(Case.kind)).one())
    assert kind == "assistance"


def picture(**fields: str) -> object:
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field("first", b"\x89PNG\r\n\x1a\n" + b"0" * 64, filename="a.png", content_type="image/png")
    return form


async def test_an_insurance_card_opens_the_conversations_own_case(site: Site) -> None:
    path = await opened(site)
    status, _, _ = await site.post(f"{path}/insurance", picture(name="Harbor Health"))
    case = site.store.read(lambda s: s.scalars(select(Case)).one())
    assert status == 303 and case.dedupe == f"insurance_update:{world.ANNA}"
    assert "Harbor Health" in site.store.read(lambda s: " ".join(n.body for n in cases.notes(s, case.id)))
    assert site.store.read(lambda s: [h.kind for h in s.scalars(select(Hold))]) == ["insurance_update"]




async def test_answers_are_kept_also_where_a_manager_has_yet_to_write_the_policy(site: Site) -> None:
    path = await opened(site)
    await site.post(f"{path}/assistance", ANSWERS)
    row = site.store.read(lambda s: s.scalars(select(AssistanceApplication)).one())
    assert (row.status, row.household["people"], row.complete_by_on) == ("asked", 3, None) and row.received_on
    _, body, _ = await site.get(f"{path}/assistance")
    assert "We have your answers" in body and "Please send it by" not in body


async def test_an_application_from_the_page_is_not_decided_before_somebody_measured_it(site: Site) -> None:
    site.store.write(assist)
    path = await opened(site)
    await site.post(f"{path}/assistance", ANSWERS)
    ref = site.store.read(lambda s: s.scalars(select(AssistanceApplication.id)).one())

    def approve(session: Session) -> None:
        session.add(Staff(id="staff_mia", practice_id=world.PRACTICE, login="mia", name="Mia", role="manager",
                          active=True, created_at=site.clock()))
        session.flush()
        assistance.approve(session, world.PRACTICE, ref, by="mia", now=site.clock())

    with pytest.raises(assistance.AssistanceRefused, match="came by the page"):
        site.store.write(approve)


async def test_a_denial_can_be_appealed_on_the_page_until_its_day(site: Site) -> None:
    site.store.write(assist)
    path = await opened(site)
    await site.post(f"{path}/assistance", ANSWERS)

    def deny(session: Session) -> None:
        row = session.scalars(select(AssistanceApplication)).one()
        row.status, row.reason, row.appeal_by_on = "denied", "above the limits", date(2026, 12, 1)
        row.household = {**row.household, "fpl_percent": 400}

    site.store.write(deny)
    _, body, _ = await site.get(f"{path}/assistance")
    assert "above the limits" in body and 'value="appeal"' in body
    await site.post(f"{path}/assistance", {"do": "appeal"})
    assert site.store.read(lambda s: s.scalars(select(AssistanceApplication.status)).one()) == "appealed"


async def test_a_receipt_is_shown_and_printed_by_its_place_in_the_list(site: Site) -> None:
    path = await opened(site)
    _, body, _ = await site.get(f"{path}/account")
    fields = dict(re.findall(r'name="(amount|version)" value="(\d+)"', body))
    _, _, answer = await site.post(f"{path}/pay", fields)
    await site.get(await site.pay_on_page(answer.headers["Location"]))
    _, body, _ = await site.get(f"{path}/receipts")
    assert "$145.50 on November" in body and "All payments of 2026" in body and "pay_" not in body
    status, body, _ = await site.get(f"{path}/receipts/1")
    assert status == 200 and "Receipt" in body and f"{path}/receipts/1/pdf" in body
    status, _, answer = await site.get(f"{path}/receipts/1/pdf")
    assert status == 200 and answer.headers["Content-Type"] == "application/pdf"
    for number in ("0", "2", "-1", "x", "99999", "1%27"):
        assert (await site.get(f"{path}/receipts/{number}"))[0] == 404
    status, _, answer = await site.post(f"{path}/go", {"do": "year", "what": "2026"})
    assert status == 303 and "$145.50" in (await site.get(answer.headers["Location"]))[1]


async def test_the_way_on_makes_links_of_four_kinds_only_and_for_this_account_alone(site: Site) -> None:
    path = await opened(site)
    for form in ({"do": "unsubscribe"}, {"do": "telegram"}, {"do": "statement", "what": "x"}, {}):
        before = site.store.read(_counted)
        assert (await site.post(f"{path}/go", form))[0] == 303 and site.store.read(_counted) == before
    plan = plans.offer(site)
    status, _, answer = await site.post(f"{path}/go", {"do": "plan", "what": "plan_of_somebody"})
    assert status == 303 and (await site.get(answer.headers["Location"]))[0] == 404
    status, _, answer = await site.post(f"{path}/go", {"do": "plan", "what": plan})
    assert (await site.get(answer.headers["Location"]))[0] == 200
    status, _, answer = await site.post(f"{path}/go", {"do": "passcode"})
    link = site.store.read(lambda s: s.scalars(select(Link).where(Link.purpose == "passcode")).one())
    assert (link.expires_at - link.created_at).days == 1


async def test_old_figures_are_neither_shown_nor_asked_for(site: Site) -> None:
    site.store.write(lambda s: plans.allow(s, ledger_of_record="athena"))
    path = await opened(site)
    for name in ("account", "why", "plans"):
        status, body, _ = await site.get(f"{path}/{name}")
        assert status == 200 and "Your balance is being updated" in body and "$145.50" not in body, name


async def test_a_revoked_link_and_an_old_proof_close_every_page_of_the_account(site: Site) -> None:
    path = await opened(site)
    assert (await site.get(f"{path}/why"))[0] == 200
    site.store.write(lambda s: links.revoke_account(s, world.ANNA, site.clock()))
    for name in PAGES:
        status, _, answer = await site.get(f"{path}/{name}")
        assert status == 303 and answer.headers["Location"] == path
    other = await opened(site)
    site.clock.at += timedelta(minutes=31)
    assert (await site.get(f"{other}/account"))[0] == 303


async def test_every_look_and_every_press_is_in_the_audit_trail(site: Site) -> None:
    path = await opened(site)
    for name in PAGES:
        await site.get(f"{path}/{name}")
    await site.post(f"{path}/dispute", {"visit": world.OLD, "why": "amount"})
    noted = site.store.read(lambda s: [(a.actor, a.action) for a in s.scalars(select(Audit).where(
        Audit.object_id == world.ANNA))])
    assert noted.count(("patient", "read")) == len(PAGES) + 1
