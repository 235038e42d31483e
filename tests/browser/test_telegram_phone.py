"""A sample patient's phone has Telegram beside texts: joined by the link in a text, with buttons and files."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.demo.people import Person, person_of
from tests.browser.running import Demo
from tests.browser.test_visitor import be, text

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]
LUIS, GRACE = person_of("A-1002"), person_of("A-1003")


def proof(person: Person) -> str:
    return f"{person.born_on} {person.postal_code}"


def press(page: Page, label: str) -> None:
    """By keyboard, as whoever cannot use a mouse does."""
    page.locator("#thread .keys").last.get_by_role("button", name=label, exact=True).focus()
    page.keyboard.press("Enter")


def join(page: Page, demo: Demo, person: Person, said: tuple[tuple[str, str], ...], linked: str) -> None:
    """Ask by text, open the link in the text, and land in Telegram."""
    be(page, demo, person.name)
    for words, answer in said:
        text(page, words, answer)
    page.locator("#thread .join").click()
    expect(page.get_by_role("button", name="Telegram", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#thread .out").filter(has_text=linked)).to_be_visible(timeout=30_000)
    expect(page.locator("#starting")).to_be_hidden()


def test_a_spanish_patient_moves_to_telegram_presses_buttons_and_gets_the_statement_as_a_file(
    desk: Page, demo: Demo, keep: Keep,
) -> None:
    """With nothing asked of another host, and at every width nothing that axe objects to."""
    asked: list[str] = []
    desk.on("request", lambda request: asked.append(request.url))
    said = (("quiero usar telegram", "¿Quiere usarla de todos modos?"), ("sí", "fecha de nacimiento"),
            (proof(LUIS), "Los textos no son privados"), ("no", "https://t.me/"))
    join(desk, demo, LUIS, said, "Este chat ya está conectado")
    text(desk, proof(LUIS), "Telegram es otra empresa")
    press(desk, "Sí")
    text(desk, "mi estado de cuenta", "Aquí está su estado de cuenta")
    expect(desk.locator("#thread .file").last).to_have_text("statement.pdf")
    for width in (1400, 1000, 390):
        desk.set_viewport_size({"width": width, "height": 900})
        keep(desk, f"demo-telegram-{width}")
        found = Axe().run(desk)
        assert found.violations_count == 0, found.generate_report()
        assert desk.evaluate("document.documentElement.scrollWidth") <= width
    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}


def test_the_inside_shows_both_channels_and_says_which_is_which(desk: Page, demo: Demo) -> None:
    said = (("can we use telegram instead of texts", "an app of another company"), ("yes", "date of birth"),
            (proof(GRACE), "Texts are not private"), ("no", "https://t.me/"))
    join(desk, demo, GRACE, said, "This chat is now linked")
    expect(desk.locator("#hints .now")).to_have_text([proof(GRACE)])
    desk.locator("#hints .now").click()
    expect(desk.locator("#thread .out").last).to_contain_text("Telegram is another company", timeout=10_000)
    expect(desk.locator("#talks li").filter(has_text="Telegram")).to_contain_text("waits for an answer")
    press(desk, "No")
    expect(desk.locator("#inbox li").filter(has_text="Button pressed in Telegram")).to_be_visible(timeout=10_000)
    expect(desk.locator("#talks li").filter(has_text="Telegram")).to_contain_text("identity proved")
    messages = desk.locator("#messages li, #messages-rest li")
    expect(messages.filter(has_text="This chat is now linked").locator(".via")).to_have_text("Telegram")
    expect(messages.filter(has_text="https://t.me/").locator(".via")).to_have_text("Text")


def test_a_message_in_the_other_app_is_announced_until_it_is_looked_at(desk: Page, demo: Demo) -> None:
    be(desk, demo, "Victor Chen")
    expect(desk.locator("#thread li").first).to_be_visible()
    desk.locator("#apps button[value=telegram]").click()
    demo.texts(person_of("A-1012"), "are you a robot?")
    tab = desk.locator("#apps button[value=sms]")
    expect(tab.locator(".fresh")).to_be_visible(timeout=10_000)
    tab.click()
    expect(tab.locator(".fresh")).to_be_hidden()
    expect(desk.locator("#thread .out").last).to_contain_text("I am a computer")
