"""Every page a patient can meet: accessible, light, and usable on the smallest phone, in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from billing import accounts, links
from bot.demo.people import Person, person_of
from tests.browser.conftest import OpenPhone
from tests.browser.phone import DECLINED_CARD, SECURE_CARD, pay_by_card, prove
from tests.browser.running import Demo

pytestmark = pytest.mark.browser
MOST_BYTES = 50_000
Look = Callable[[str], None]


#: Bytes of the page and of all that it loads, unpacked.
_BYTES = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter((one) => !one.name.endsWith('favicon.ico')).reduce((sum, one) => sum + one.decodedBodySize, 0)"""


def make_link(demo: Demo, person: Person, purpose: str) -> str:
    """A link as a text would carry it."""
    stage = demo.stage
    found = stage.store.read(lambda s: accounts.find_account(s, stage.practice_id, person.account))
    assert found is not None
    token = stage.store.write(lambda s: links.make(s, stage.practice_id, found.id, purpose, "", 30, stage.clock.now()))
    return f"{demo.public_url}/l/{token}"


def walk(page: Page, demo: Demo, person: Person, look: Look) -> None:
    """Meet every page, in the order in which a patient would."""
    page.goto(f"{demo.public_url}/l/made-up-token-of-nobody")
    look("questions")
    prove(page, person)
    look("wrong")
    page.goto(demo.link(person))
    prove(page, person)
    look("statement")
    _pay(page, look)
    page.goto(make_link(demo, person, "itemised"))
    prove(page, person)
    look("choice")
    page.locator("main a.button").first.click()
    look("itemised")
    page.goto(make_link(demo, person, "insurance"))
    prove(page, person)
    look("upload")
    word, yes = ("recibo", "sí") if person.language == "es" else ("receipt", "yes")
    demo.texts(person, word, f"{person.born_on} {person.postal_code}", yes)
    page.goto(demo.link(person))
    prove(page, person)
    look("receipt")


def _pay(page: Page, look: Look) -> None:
    statement = page.url
    page.locator("main form button").click()
    look("card")
    back = page.locator("main > p a").first
    back.click()
    look("pay")
    page.locator("main form button").click()
    pay_by_card(page, DECLINED_CARD)
    look("declined")
    pay_by_card(page, SECURE_CARD)
    look("bank")
    page.locator("button[value=complete]").click()
    look("paid")
    page.goto(statement)
    look("statement-later")


@pytest.mark.parametrize(("account", "language", "width"), [("A-1007", "en", 390), ("A-1002", "es", 320)])
def test_every_page_is_accessible_light_and_fits_the_phone(
    phone: OpenPhone, demo: Demo, keep: Callable[[Page, str], None], account: str, language: str, width: int,
) -> None:
    page = phone(language, width, script=True)  # axe is a script; the pages have none
    faults: list[str] = []

    def look(name: str) -> None:
        page.wait_for_load_state()
        keep(page, f"{name}-{language}")
        if not 500 < (size := page.evaluate(_BYTES)) < MOST_BYTES:
            faults.append(f"{name}: {size} bytes")
        if (found := Axe().run(page)).violations_count:
            faults.append(f"{name}: {found.generate_report()}")
        faults.extend(f"{name} {fault}" for fault in _too_wide(page, width))
        if page.url.startswith(demo.public_url):
            assert page.locator("html").get_attribute("lang") == language and page.locator("script").count() == 0

    walk(page, demo, person_of(account), look)
    assert not faults, "\n".join(faults)


def _too_wide(page: Page, width: int) -> list[str]:
    """Sideways scrolling: as it is, with letters half as large again, and twice as large on a desk's screen."""
    wrong, size = [], page.viewport_size
    for letters, room in (("100%", width), ("150%", width), ("200%", 640)):
        page.set_viewport_size({"width": room, "height": 780})
        page.evaluate(f"document.documentElement.style.fontSize = '{letters}'")
        if (found := page.evaluate("document.documentElement.scrollWidth")) > room:
            wrong.append(f"is {found} px wide in {room}, letters {letters}")
    page.evaluate("document.documentElement.style.fontSize = ''")
    assert size is not None
    page.set_viewport_size(size)
    return wrong


def test_a_dark_phone_gets_dark_pages_with_enough_contrast(
    phone: OpenPhone, demo: Demo, keep: Callable[[Page, str], None],
) -> None:
    omar = person_of("A-1006")
    page = phone(script=True)
    page.emulate_media(color_scheme="dark")
    page.goto(demo.link(omar))
    assert Axe().run(page).violations_count == 0
    prove(page, omar)
    keep(page, "statement-dark")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
