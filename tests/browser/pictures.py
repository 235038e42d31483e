"""The pictures in the README, made anew from the demo: ``python -m tests.browser.pictures``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from bot.demo import acts
from bot.demo.people import Person, person_of
from bot.demo.scripts import telegram
from bot.demo.stage import Stage
from tests.browser import console_pictures
from tests.browser.chromium import launched
from tests.browser.phone import GOOD_CARD, pay_by_card, prove
from tests.browser.png import pack
from tests.browser.running import Demo, demo_in

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
MOST_BYTES = 300_000


def make_all(folder: Path = PICTURES) -> list[Path]:
    """Make every picture; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    anna, luis, peter = (person_of(account) for account in ("A-1001", "A-1002", "A-1008"))
    with tempfile.TemporaryDirectory() as var, demo_in(Path(var)) as demo, launched() as browser:
        _page(browser, demo, anna, folder / "statement-en.png")
        _why(browser, demo, luis, folder / "why-es.png")
        demo.texts(luis, "esto está mal, yo nunca tuve esa visita", telegram.proof(luis), "sí", "1")
        _phone(browser, demo, f"{luis.account}", folder / "phone-es.png")
        demo.ask(_move_to_telegram(demo.stage, peter))
        _phone(browser, demo, f"{peter.account},telegram", folder / "telegram.png")
        _finish(browser, demo, anna)
        _desk(browser, demo, anna, folder / "demo.png")
        console_pictures.make(browser, demo, folder)
    made = sorted(folder.glob("*.png"))
    for path in (one for one in made if not one.name.startswith("console-")):
        path.write_bytes(pack(path.read_bytes()))
        assert path.stat().st_size < MOST_BYTES, f"{path.name} is too large for a README"
    return made


def _open(browser: Browser, person: Person, height: int = 844) -> Page:
    return browser.new_context(viewport={"width": 390, "height": height}, device_scale_factor=1.5, is_mobile=True,
                               locale=f"{person.language}-US", java_script_enabled=False).new_page()


def _page(browser: Browser, demo: Demo, person: Person, to: Path) -> None:
    """The statement's page behind the first text, as far as two screens of a phone show it."""
    page = _open(browser, person, 1180)
    page.goto(demo.link(person))
    prove(page, person)
    page.screenshot(path=to)
    page.context.close()


def _why(browser: Browser, demo: Demo, person: Person, to: Path) -> None:
    """The account's page on which each number opens its source lines, with one of them open."""
    page = _open(browser, person, 1180)
    page.goto(demo.link(person))
    prove(page, person)
    page.locator("a[href*='/account?']").click()
    page.locator(".menu a[href*='/why?']").click()
    page.locator(".steps .part summary").first.click()
    page.mouse.wheel(0, -5000)
    page.wait_for_timeout(300)
    page.screenshot(path=to)
    page.context.close()


def _phone(browser: Browser, demo: Demo, shown: str, to: Path) -> None:
    """A phone of the demo's page: ``shown`` is whose, and which of its apps."""
    page = browser.new_page(viewport={"width": 1400, "height": 1190}, device_scale_factor=1.5)
    page.goto(f"{demo.url}/#{shown}")
    expect(page.locator("#thread .out").last).to_be_visible()
    page.wait_for_timeout(500)
    page.locator("#phone").screenshot(path=to)
    page.close()


async def _move_to_telegram(stage: Stage, person: Person) -> None:
    """Ask for Telegram by text, open the link, allow amounts there, and ask why."""
    await acts.converse(stage, person, "sms", _quiet, "can we use telegram instead of texts", "yes",
                        telegram.proof(person), "no")
    await telegram.join(stage, person, _quiet)
    await acts.converse(stage, person, "telegram", _quiet, telegram.proof(person))
    await acts.press(stage, person, "Yes", _quiet)
    await acts.converse(stage, person, "telegram", _quiet, "what do i owe")
    await acts.press(stage, person, "Why", _quiet)


def _quiet(line: str) -> None:
    """The pictures show it."""


def _finish(browser: Browser, demo: Demo, person: Person) -> None:
    """The whole conversation, with the payment at its end."""
    demo.texts(person, "Why do I owe this?", f"{person.born_on} {person.postal_code}", "yes", "pay", "all", "yes")
    before = len(demo.thread(person))
    page = _open(browser, person)
    page.goto(demo.link(person))
    prove(page, person)
    page.locator("main form button").click()
    pay_by_card(page, GOOD_CARD)
    page.get_by_text("Your payment arrived").wait_for()
    demo.ask(demo.stage.wait_for(lambda: _more_than(demo, person, before), "the receipt"))


async def _more_than(demo: Demo, person: Person, count: int) -> bool:
    thread = await demo.stage.thread(person.phone)
    return len(thread) > count and thread[-1]["status"] == "delivered"


def _desk(browser: Browser, demo: Demo, person: Person, to: Path) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1190})
    page.goto(f"{demo.url}/#{person.account}")
    expect(page.locator("#thread .out").filter(has_text="We got your payment")).to_be_visible()
    page.screenshot(path=to)
    page.close()


if __name__ == "__main__":
    for path in make_all():
        sys.stdout.write(f"{path.relative_to(PICTURES.parents[1])}: {path.stat().st_size // 1000} kB\n")
