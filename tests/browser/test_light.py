"""How little a patient's phone has to load, and that another language, right to left, is one folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from templates import languages
from tests.browser.conftest import OpenPhone
from tests.browser.looking import Looker
from tests.browser.phone import prove
from tests.browser.running import Demo
from tests.browser.test_account import menu, newcomer
from tests.web.pseudo import write_language

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]

MOST_BYTES = 50_000
MOST_REQUESTS = 3  # the page, its style, and perhaps a favicon that is not there

#: A telephone in a cellar: 400 kbit/s, 400 ms there and back, a quarter of this processor.
_SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
_PAINTED = """performance.getEntriesByName('first-contentful-paint').map((one) => one.startTime)[0] || 0"""


class Meter:
    """Counts what a page loads over a slow network."""

    def __init__(self, page: Page) -> None:
        self.bytes, self.requests = 0, 0
        session = self._session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.send("Network.emulateNetworkConditions", _SLOW)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        session.on("Network.loadingFinished", self._loaded)
        session.on("Network.requestWillBeSent", self._asked)

    def keep_what_may_be_kept(self) -> None:
        """From now on as a browser that was here before."""
        self._session.send("Network.setCacheDisabled", {"cacheDisabled": False})

    def _asked(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].endswith("/favicon.ico") and not event["request"]["url"].startswith("data:"):
            self.requests += 1

    def _loaded(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])

    def read(self, page: Page) -> tuple[int, int, int]:
        """(bytes on the wire with headings, requests, milliseconds to the first text); counts from nothing again."""
        page.wait_for_load_state("networkidle")
        return self.taken(page)

    def taken(self, page: Page) -> tuple[int, int, int]:
        """The same of a page that is never still."""
        found = self.bytes, self.requests, int(page.evaluate(_PAINTED))
        self.bytes = self.requests = 0
        return found


def test_every_page_of_the_account_is_light_on_a_slow_phone(
    phone: OpenPhone, demo: Demo, capsys: pytest.CaptureFixture[str],
) -> None:
    """Bytes and requests are bounded; the time is printed, as it is the machine's as much as the page's."""
    person, address = newcomer(demo, "L-1", "en")
    page = phone("en", 390, script=True)
    meter = Meter(page)
    page.goto(address)
    found = {"questions": meter.read(page)}
    prove(page, person)
    meter.read(page)
    for name in ("account", "why", "plans", "dispute", "assistance", "insurance", "receipts", "preferences"):
        page.goto(f"{address}/{name}")
        found[name] = meter.read(page)
    with capsys.disabled():
        for name, (size, requests, painted) in found.items():
            print(f"\n{name:12} {size / 1000:6.1f} kB {requests:2} requests {painted:5} ms to the first text", end="")
    assert all(size < MOST_BYTES and requests <= MOST_REQUESTS for size, requests, _ in found.values()), found


def test_another_language_right_to_left_is_one_folder(
    phone: OpenPhone, demo: Demo, keep: Keep, tmp_path: Path,
) -> None:
    person, address = newcomer(demo, "L-2", "en")
    languages.add(write_language(tmp_path / "he"))
    try:
        page, look = phone("en", 390, script=True), Looker(keep, "he")
        page.goto(f"{address}?lang=he")
        look(page, "questions")
        prove(page, person)
        page.goto(f"{address}/account?lang=he")
        look(page, "home")
        money, label = page.locator(".hero strong").bounding_box(), page.locator(".switch").bounding_box()
        assert money is not None and label is not None and label["x"] < 195 < money["x"] + money["width"]
        for name in ("why", "plans", "dispute", "assistance", "preferences"):
            menu(page, name)
            if name == "why":
                page.locator("summary").first.click()
            look(page, name)
        assert not look.faults, "\n".join(look.faults)
    finally:
        languages.remove("he")
