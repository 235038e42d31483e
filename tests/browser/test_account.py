"""A patient behind the link reads why, pays in parts, disputes, asks for help, and chooses how to be reached.

Every page is looked at in both languages, with axe, on the smallest phone and at 200 %, and kept as a picture at the
widths of a phone and of a desk in var/screenshots/patient.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import contacts, links
from billing.store.tables import AssistanceApplication, Case, Hold, Plan
from bot.demo.people import Person, person_of
from tests.browser.conftest import OpenPhone
from tests.browser.looking import Looker
from tests.browser.phone import GOOD_CARD, pay_by_card, prove
from tests.browser.running import Demo
from tests.browser.test_pages import make_link
from tests.web.newcomers import add

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]
BOTH = pytest.mark.parametrize("language", ["en", "es"])


def newcomer(demo: Demo, number: str, language: str, phone: str = "") -> tuple[Person, str]:
    """Somebody who owes $145.50, and the address of their account."""
    stage = demo.stage
    person = Person(number, "Alex Rivera", "+12125550190", "02/29/1976", "10001", "Whom no other test meets.", language)

    def make(session: Session) -> str:
        now = stage.clock.now()
        account_id = add(session, stage.practice_id, number, language, now)
        if phone:
            contacts.add_phone(session, stage.practice_id, account_id, phone, source="test", now=now)
            contacts.add_email(session, stage.practice_id, account_id, "alex@example.org", source="test", now=now,
                               at_work=False)
        return links.make(session, stage.practice_id, account_id, "account", "", 30, now)

    return person, f"{demo.public_url}/l/{stage.store.write(make)}"


def opened(phone: OpenPhone, demo: Demo, number: str, language: str, number_of_phone: str = "") -> Page:
    person, address = newcomer(demo, number, language, number_of_phone)
    page = phone(language, 390, script=True)  # axe is a script; the pages have none
    page.goto(address)
    prove(page, person)
    page.locator(".menu").wait_for()
    return page


def menu(page: Page, path: str) -> None:
    if not page.locator(".menu a[href*='/preferences']").count():
        page.locator(".back a").click()
    page.locator(f".menu a[href*='/{path}?']").click()
    page.locator("h1").wait_for()


@BOTH
def test_the_account_says_what_is_owed_and_each_number_opens_its_sources(
    phone: OpenPhone, demo: Demo, keep: Keep, language: str,
) -> None:
    omar, look = person_of("A-1006"), Looker(keep, language)
    page = phone(language, script=True)
    page.goto(f"{make_link(demo, omar, 'account')}?lang={language}")
    prove(page, omar)
    look(page, "home-insured")
    menu(page, "why")
    look(page, "why")
    shut = page.locator(".steps details")
    assert shut.count() >= 3 and not page.locator(".steps ul").first.is_visible()
    for number in range(shut.count()):
        shut.nth(number).locator("summary").click()
        assert shut.nth(number).locator("ul li").first.is_visible()
    look(page, "why-open")
    assert "PR\u2011" in page.locator("main").inner_text()
    assert "$" in page.locator(".steps ul li .money").first.inner_text()
    assert not look.faults, "\n".join(look.faults)


@BOTH
def test_a_plan_is_chosen_seen_whole_and_agreed_to(
    phone: OpenPhone, demo: Demo, keep: Keep, language: str,
) -> None:
    look = Looker(keep, language)
    page = opened(phone, demo, f"P-1-{language}", language)
    look(page, "home")
    menu(page, "plans")
    look(page, "plans")
    page.locator("#amount").fill("fifty")
    page.locator("button[value=look]").click()
    look(page, "plans-wrong")
    page.locator("#amount").fill("50")
    page.locator("button[value=look]").click()
    page.locator("details.dates summary").first.click()
    assert page.locator("details.dates tbody tr").count() == 3
    look(page, "plans-asked")
    page.locator("button[value=take]").click()
    look(page, "plan-offer")
    assert page.locator("main table").first.locator("tbody tr").count() == 3
    page.locator("input[name=yes]").check()
    page.get_by_role("button", name="Agree to the plan" if language == "en" else "Aceptar el plan").click()
    page.locator("button[value=pay]").wait_for()
    look(page, "plan-running")
    page.locator("a[href*='/account?']").click()
    assert page.locator(".state button[value=plan]").count() == 1
    look(page, "home-with-plan")
    plan = demo.stage.store.read(lambda s: s.scalars(select(Plan).where(
        Plan.guarantor_id == f"acct_P-1-{language}")).one())
    assert (plan.status, plan.total_minor) == ("active", 145_50)
    assert not look.faults, "\n".join(look.faults)


@BOTH
def test_a_charge_is_disputed_and_no_more_asked_for(
    phone: OpenPhone, demo: Demo, keep: Keep, tmp_path: Path, language: str,
) -> None:
    look = Looker(keep, language)
    page = opened(phone, demo, f"P-2-{language}", language)
    menu(page, "dispute")
    look(page, "dispute")
    page.locator("#why-other").check()
    page.locator("main form button").first.click()
    look(page, "dispute-wrong")
    page.locator("#words").fill("We were on vacation then. \N{WHITE SMILING FACE}")
    page.locator("main form button").first.click()
    page.locator("[role=status]").wait_for()
    look(page, "dispute-done")
    _attach(page, tmp_path)
    look(page, "dispute-papers")
    page.locator(".back a").click()
    assert page.locator(".hero strong").inner_text() == "$0.00" and page.locator(".state").count() == 1
    look(page, "home-disputed")
    case, held = demo.stage.store.read(lambda s: (
        s.scalars(select(Case).where(Case.dedupe == f"dispute:acct_P-2-{language}")).one(),
        s.scalars(select(Hold.visit_id).where(Hold.guarantor_id == f"acct_P-2-{language}",
                                              Hold.released_at.is_(None))).all()))
    assert case.status == "open" and held == [f"visit_P-2-{language}"]
    assert not look.faults, "\n".join(look.faults)


@BOTH
def test_help_is_asked_for_with_income_and_papers(
    phone: OpenPhone, demo: Demo, keep: Keep, tmp_path: Path, language: str,
) -> None:
    look = Looker(keep, language)
    page = opened(phone, demo, f"P-3-{language}", language)
    menu(page, "assistance")
    look(page, "help")
    page.locator("#people").fill("0")
    page.locator("#income").fill("a lot")
    page.locator("#agree").check()
    page.locator("main form button").click()
    assert page.locator("[role=alert] a").count() == 2 and page.locator("#people").input_value() == "0"
    look(page, "help-wrong")
    page.locator("[role=alert] a").first.click()
    assert page.url.endswith("#people")
    page.locator("#people").fill("4")
    page.locator("#income").fill("2,100")
    page.locator("input[name=from_work]").check()
    page.locator("#agree").check()
    page.locator("main form button").click()
    page.locator("dl.lines").wait_for()
    look(page, "help-done")
    _attach(page, tmp_path)
    look(page, "help-papers")
    row = demo.stage.store.read(lambda s: s.scalars(select(AssistanceApplication).where(
        AssistanceApplication.guarantor_id == f"acct_P-3-{language}")).one())
    assert row.household["income_minor"] == 12 * 2_100_00 and row.household["people"] == 4
    assert not look.faults, "\n".join(look.faults)


def _attach(page: Page, folder: Path) -> None:
    """Send a picture by the page's own form, and wait for the thanks."""
    picture = folder / "picture.png"
    page.screenshot(path=picture)
    page.locator("#first").set_input_files(picture)
    page.locator("form[enctype] button").click()
    page.wait_for_url("**done=files*")


@BOTH
def test_an_insurance_card_a_payment_and_its_receipt(
    phone: OpenPhone, demo: Demo, keep: Keep, tmp_path: Path, language: str,
) -> None:
    look = Looker(keep, language)
    page = opened(phone, demo, f"P-4-{language}", language)
    home = page.url
    page.locator("main form button").click()
    pay_by_card(page, GOOD_CARD)
    page.wait_for_load_state()
    page.goto(home)
    look(page, "home-paid")
    menu(page, "receipts")
    look(page, "receipts")
    page.locator(".menu a").first.click()
    look(page, "receipt")
    answer = page.context.request.get(demo.public_url + str(page.locator("a.button").get_attribute("href")))
    assert answer.headers["content-type"] == "application/pdf"
    page.goto(home)
    menu(page, "insurance")
    look(page, "insurance")
    page.locator("#name").fill("Harbor Health")
    _attach(page, tmp_path)
    look(page, "insurance-done")
    assert not look.faults, "\n".join(look.faults)


@BOTH
def test_language_and_messages_are_kept_and_texts_stopped(
    phone: OpenPhone, demo: Demo, keep: Keep, language: str,
) -> None:
    look, other = Looker(keep, language), {"en": "es", "es": "en"}[language]
    page = opened(phone, demo, f"P-5-{language}", language, {"en": "+12125550191", "es": "+12125550192"}[language])
    menu(page, "preferences")
    look(page, "messages")
    page.locator("#from").select_option("18:00")
    page.locator("button[value=hours]").click()
    look(page, "messages-saved")
    page.locator("button[value=stop_texts]").click()
    page.wait_for_url("**done=stop_texts*")
    look(page, "messages-stopped")
    page.locator(f"input[name=language][value={other}]").check()
    page.locator("button[value=language]").click()
    page.wait_for_url(f"**lang={other}*")
    assert page.locator("html").get_attribute("lang") == other
    assert not look.faults, "\n".join(look.faults)


@BOTH
def test_all_of_it_works_by_keyboard_alone_and_without_script(phone: OpenPhone, demo: Demo, language: str) -> None:
    person, address = newcomer(demo, f"P-6-{language}", language)
    page = phone(language, 1000)
    page.goto(address)
    prove(page, person)
    page.locator(".menu").wait_for()
    page.keyboard.press("Tab")
    assert "#content" in str(page.locator(":focus").get_attribute("href"))  # past the head of the page, in one step
    _tab_to(page, ".menu a[href*='/dispute']")
    page.keyboard.press("Enter")
    _tab_to(page, "input[name=why]")
    page.keyboard.press("ArrowDown")
    _tab_to(page, "#words")
    page.keyboard.type("Paid at the desk")
    _tab_to(page, "main form button")
    page.keyboard.press("Enter")
    page.locator("[role=status]").wait_for()
    reason = demo.stage.store.read(lambda s: s.scalars(select(Case.reason).where(
        Case.dedupe == f"dispute:acct_P-6-{language}")).one())
    assert reason == "already_paid"


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(selector).and_(page.locator(":focus")).count():
            return
    raise AssertionError(f"{selector} cannot be reached by the Tab key")
