"""From the demo's page into its console and back to the phone, in both languages, with pictures kept for looking at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from bot.demo.desk import BILLER
from bot.demo.people import person_of
from tests.browser.running import Demo

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]
WIDTHS = {"desk": 1280, "phone": 390}
COME_IN = {"en": "Come in as Dana Reyes", "es": "Entrar como Dana Reyes"}
PEOPLE = {"en": person_of("A-1007"), "es": person_of("A-1014")}
ASKS = {"en": "can i talk to a person", "es": "quiero hablar con una persona"}
ANSWERS = {"en": "Dana here. Your plan has paid its part.", "es": "Soy Dana. Su plan ya pagó su parte."}


@pytest.fixture(params=["en", "es"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def office(browser: Browser, language: str) -> Iterator[Page]:
    """A tab of the billing office's, in its language."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale=f"{language}-US")
    yield context.new_page()
    context.close()


def seen(page: Page, keep: Keep, name: str) -> None:
    """Keep it at both widths; it is accessible and fits."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    for kind, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        keep(page, f"demo-console/{name}-{kind}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, kind)
    page.set_viewport_size({"width": WIDTHS["desk"], "height": 900})


def test_a_visitor_answers_a_patient_as_the_biller_and_sees_the_answer_on_the_phone(
        desk: Page, office: Page, demo: Demo, keep: Keep, language: str) -> None:
    person = PEOPLE[language]
    demo.texts(person, ASKS[language])
    desk.goto(f"{demo.url}/#{person.account}")
    desk.reload()
    thread = desk.locator("#to-thread")
    expect(thread).to_have_text(f"{person.name.split()[0]}’s thread")
    seen(desk, keep, f"page-{language}")
    office.goto(str(thread.get_attribute("href")))
    seen(office, keep, f"door-{language}")
    office.get_by_role("button", name=COME_IN[language]).click()
    expect(office.locator("#thread")).to_contain_text(ASKS[language])
    office.locator("form[action$='/take'] button").click()
    expect(office.locator("form[action$='/hand-back']")).to_be_visible()  # else the words go into the page before
    office.locator("#words").fill(ANSWERS[language])
    office.locator("form[action$='/replies'] button").first.click()
    expect(office.locator("#thread .staff")).to_contain_text(ANSWERS[language])
    expect(desk.locator("#thread .out").last).to_contain_text(ANSWERS[language], timeout=15_000)
    seen(office, keep, f"thread-{language}")
    office.locator("form[action$='/hand-back'] button").click()
    expect(office.locator("form[action$='/take']")).to_be_visible()
    office.goto(f"{demo.public_url}/console/inbox")
    seen(office, keep, f"inbox-{language}")


def test_signing_out_leads_back_to_the_door_and_in_again_to_the_page_that_was_wanted(
        office: Page, demo: Demo, language: str) -> None:
    office.goto(f"{demo.public_url}/console/worklists")
    office.get_by_role("button", name=COME_IN[language]).click()
    expect(office).to_have_url(f"{demo.public_url}/console/worklists")
    expect(office.locator(".me")).to_contain_text(BILLER.name)
    office.locator("form[action='/console/sign-out'] button").click()
    expect(office.get_by_role("button", name=COME_IN[language])).to_be_visible()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_way_in_is_by_the_name_under_which_the_page_was_opened(desk: Page, demo: Demo, host: str) -> None:
    desk.goto(demo.url.replace("127.0.0.1", host))
    expect(desk.locator("#to-console")).to_have_attribute(
        "href", f"{demo.public_url.replace('127.0.0.1', host)}/console/inbox")
