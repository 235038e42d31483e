"""What every page of a patient's has to be, looked at in a browser: accessible, without sideways scroll, kept as a
picture at the widths of a phone and of a desk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Keep = Callable[[Page, str], None]
PHONE, SMALLEST, DESK = 390, 320, 1280

STANDARD = {"runOnly": {"type": "tag", "values": [
    "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}

#: Fields without a label of their own, and hints that a field points to but that are not there.
_NAMELESS = """[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
    .filter((one) => !one.labels || one.labels.length === 0 || (one.getAttribute('aria-describedby') || '')
        .split(' ').filter(Boolean).some((id) => !document.getElementById(id)))
    .map((one) => one.outerHTML.slice(0, 80))"""
WIDE = """(room) => [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > room + 1 && one.checkVisibility())
    .map((one) => one.tagName + '.' + one.className).slice(0, 3)"""
#: What is read aloud in the order of the document must stand in that order on the screen.
_ORDER = """[...document.querySelectorAll('main h1, main h2, main h3, main button, main input:not([type=hidden])')]
    .filter((one) => one.checkVisibility() && one.offsetParent)
    .map((one) => one.getBoundingClientRect().top + scrollY)
    .filter((top, place, all) => place && top + 400 < all[place - 1]).length"""


@dataclass
class Looker:
    """Looks at pages one after the other and keeps what was wrong, by the page's name."""

    keep: Keep
    language: str
    faults: list[str] = field(default_factory=list)
    folder: str = "patient"

    def __call__(self, page: Page, name: str) -> None:
        page.wait_for_load_state()
        self._kept(page, name)
        found = Axe().run(page, options=STANDARD)
        if found.violations_count:
            self.faults.append(f"{name}: {found.generate_report()}")
        self.faults += [f"{name}: {one}" for one in page.evaluate(_NAMELESS)]
        if page.evaluate(_ORDER):
            self.faults.append(f"{name}: is read in another order than it stands in")
        if page.locator("html").get_attribute("lang") != self.language or page.locator("script").count():
            self.faults.append(f"{name}: is in another language, or has a script")
        self._fits(page, name)

    def _kept(self, page: Page, name: str) -> None:
        for kind, width in (("desk", DESK), ("phone", PHONE)):
            page.set_viewport_size({"width": width, "height": 844})
            self.keep(page, f"{self.folder}/{name}-{self.language}-{kind}")

    def _fits(self, page: Page, name: str) -> None:
        """No sideways scroll on the smallest phone, with larger letters, and at 200 % of a desk's screen."""
        for letters, room in (("100%", SMALLEST), ("150%", SMALLEST), ("200%", DESK // 2)):
            page.set_viewport_size({"width": room, "height": 780})
            page.evaluate(f"document.documentElement.style.fontSize = '{letters}'")
            if (wide := page.evaluate("document.documentElement.scrollWidth")) > room:
                self.faults.append(f"{name}: {wide} px wide in {room}, letters {letters}: {page.evaluate(WIDE, room)}")
        page.evaluate("document.documentElement.style.fontSize = ''")
        page.set_viewport_size({"width": PHONE, "height": 844})
