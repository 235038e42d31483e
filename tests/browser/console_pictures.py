"""The console's pictures in the README: ``python -m tests.browser.console_pictures``, or with all the others."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from bot.demo import crowd
from bot.demo.stage import Stage
from bot.importing import files as importing
from tests.browser.chromium import launched
from tests.browser.console_desk import Office, open_office
from tests.browser.console_people import HENRY
from tests.browser.console_stock import stock
from tests.browser.console_tour import row
from tests.browser.png import pack
from tests.browser.running import Demo, demo_in

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
MOST_BYTES = 200_000


def make(browser: Browser, demo: Demo, folder: Path = PICTURES) -> list[Path]:
    """Make the console's pictures; return their paths."""
    office = open_office(demo, browser)
    stock(office)
    demo.ask(_crowd(demo.stage))
    made = [_thread(office, folder / "console-thread.png"), _account(office, folder / "console-account.png"),
            _campaign(office, folder / "console-campaign.png")]
    for path in made:
        path.write_bytes(pack(path.read_bytes()))
        assert path.stat().st_size < MOST_BYTES, f"{path.name} is too large for a README"
    return made


async def _crowd(stage: Stage) -> None:
    """Two hundred accounts in four time zones: a campaign of seven shows little."""
    job = importing.Job(stage.practice_id, stage.policy, "demo", stage.clock.now)
    for path in crowd.write_files(stage.journals):
        await asyncio.to_thread(importing.import_file, path, stage.store, job, lambda report: None)


def _shoot(page: Page, to: Path, height: int) -> Path:
    page.set_viewport_size({"width": 1280, "height": height})
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(400)
    page.screenshot(path=to)
    return to


def _thread(office: Office, to: Path) -> Path:
    """A thread that a person has taken over, with a note for colleagues and an answer."""
    with office.at("ben", "/inbox?show=all") as page:
        page.get_by_role("link", name=HENRY.name).click()
        page.locator("form[action$='/take'] button").click()
        expect(page.locator("form[action$='/hand-back']")).to_be_visible()
        page.locator("#note").fill("He means the visit of October 8; the doctor is asked.")
        page.locator("form[action$='/notes'] button").click()
        expect(page.locator(".thread .inner")).to_be_visible()
        page.locator("#words").fill("Thank you for waiting. We are looking at it with the doctor.")
        page.locator("form[action$='/replies'] button:not([type])").first.click()
        expect(page.locator(".thread .staff").last).to_contain_text("Thank you", timeout=15_000)
        page.locator("#words").fill("You will hear from me tomorrow before ten.")
        return _shoot(page, to, 1530)


def _account(office: Office, to: Path) -> Path:
    """A visit as it is derived, with one of its numbers opened."""
    with office.at("ben", f"/accounts/{row(office, 'account_id')}") as page:
        page.locator(".derivation summary").nth(1).click()
        return _shoot(page, to, 900)


def _campaign(office: Office, to: Path) -> Path:
    """Who would be told, who is left out by which rule, and when."""
    with office.at("ben", "/segments") as page:
        page.locator("details.panel summary").first.click()
        page.locator("#name").fill("everybody")
        page.locator("details.panel form button").click()
        page.goto(f"{office.url}/campaigns/new")
        page.locator("#name").fill("November bills")
        page.locator("#segment_id").select_option(label="everybody v1")
        page.locator("main form button").last.click()
        page.locator("form[action$='/preview'] button").click()
        expect(page.locator("#preview .cards")).to_be_visible(timeout=60_000)
        return _shoot(page, to, 1000)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as var, demo_in(Path(var)) as running, launched() as chromium:
        make(chromium, running)
