"""A visitor of the demo's page is any of the patients, texts, pays, and sees the inside move."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.demo.people import PEOPLE, person_of
from tests.browser.conftest import OpenPhone
from tests.browser.phone import GOOD_CARD, pay_by_card, prove
from tests.browser.running import Demo

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]


def be(page: Page, demo: Demo, name: str) -> None:
    page.goto(demo.url)
    page.get_by_role("button", name=re.compile(name)).click()
    expect(page.locator("#who")).to_have_text(f"{name}’s phone")


def text(page: Page, body: str, answer: str) -> None:
    """Text by the form and wait for the answer's words."""
    page.get_by_label("Text to the practice").fill(body)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#thread .out").filter(has_text=answer).last).to_be_visible(timeout=10_000)


def test_every_sample_patient_can_be_chosen_and_has_a_story(desk: Page, demo: Demo) -> None:
    for person in PEOPLE:
        be(desk, demo, person.name)
        expect(desk.locator("#headline")).to_contain_text(person.name.split()[0])
        expect(desk.locator("#explanation .steps li").first).to_be_visible()


def test_a_visitor_asks_why_pays_and_sees_the_ledger_move(desk: Page, phone: OpenPhone, demo: Demo, keep: Keep) -> None:
    anna = person_of("A-1001")
    be(desk, demo, anna.name)
    expect(desk.locator("#headline")).to_have_text("Anna owes $84.20 now")
    keep(desk, "demo-anna-before")
    text(desk, "Why do I owe this?", "date of birth")
    text(desk, f"{anna.born_on} {anna.postal_code}", "Texts are not private")
    text(desk, "yes", "That leaves $84.20 for you to pay.")
    text(desk, "pay", "You owe $84.20 now")
    text(desk, "all", "Reply YES")
    text(desk, "yes", "Here is your link to pay $84.20")
    rows = desk.locator("#ledger tr").count()
    hers = phone()
    hers.goto(str(desk.locator("#thread a").last.get_attribute("href")))
    prove(hers, anna)
    hers.locator("main form button").click()
    pay_by_card(hers, GOOD_CARD)
    expect(desk.locator("#headline")).to_have_text("Anna owes nothing right now", timeout=10_000)
    expect(desk.locator("#ledger tr")).to_have_count(rows + 1)
    expect(desk.locator("#ledger tr").first).to_contain_text("Patient's payment")
    expect(desk.locator("#thread .out").filter(has_text="We got your payment")).to_be_visible(timeout=10_000)
    keep(desk, "demo-anna-after")


def test_a_withheld_text_shows_the_rule_that_withheld_it_and_its_facts(desk: Page, demo: Demo, keep: Keep) -> None:
    be(desk, demo, "Carlos Mendez")
    verdict = desk.locator("#messages li").filter(has_text="withheld").first
    expect(verdict).to_contain_text("T-04, “Revocation binds before the next text, answers included”")
    expect(verdict).to_contain_text("the number opted out")
    expect(desk.locator("#cases")).to_contain_text("Call back: wrote after STOP")
    verdict.locator("summary").click()
    expect(verdict).to_contain_text("opted out (event")
    keep(desk, "demo-carlos")


def test_a_bill_that_no_text_may_carry_goes_by_letter_and_says_by_which_rule(desk: Page, demo: Demo) -> None:
    be(desk, demo, "Carlos Mendez")
    letter = desk.locator("#messages li").filter(has_text="Letter").first
    expect(letter).to_contain_text("We have a new bill for you.")
    expect(letter).to_contain_text("Text: not this way by T-03")
    expect(letter).to_contain_text("the patient opted out of it")


def test_what_is_held_is_never_called_the_patients_to_pay(desk: Page, demo: Demo) -> None:
    for name, words in (("Helen Brooks", "You do not need to pay it now"),
                        ("Omar Haddad", "Only $25.00 of it is due now")):
        be(desk, demo, name)
        expect(desk.locator(".steps .left")).to_contain_text(words)
        expect(desk.locator("#cases")).to_contain_text("hold:")


@pytest.mark.parametrize("width", [1400, 1000, 390])
def test_the_page_is_accessible_and_fits(desk: Page, demo: Demo, keep: Keep, width: int) -> None:
    desk.set_viewport_size({"width": width, "height": 900})
    be(desk, demo, "Luis Ortega")
    expect(desk.locator("#thread .out").first).to_be_visible()
    keep(desk, f"demo-luis-{width}")
    found = Axe().run(desk)
    assert found.violations_count == 0, found.generate_report()
    assert desk.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_is_asked_of_any_other_host(desk: Page, demo: Demo) -> None:
    asked: list[str] = []
    desk.on("request", lambda request: asked.append(request.url))
    be(desk, demo, "Ruth Feldman")
    desk.wait_for_timeout(1500)
    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
