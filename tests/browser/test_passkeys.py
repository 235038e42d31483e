"""A passkey in a real browser: added on one's own page, asked for after the password, removed again.

The key is Chromium's own virtual authenticator. Each page is kept as a picture in var/screenshots/console.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.console_desk import PASSWORD, Office, code, watch
from tests.browser.looking import STANDARD, WIDE
from tests.browser.named_console import named

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]

_KEY = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True}


class Visit:
    """Ben's browser at the console, and what was wrong with the pages that it came by."""

    def __init__(self, office: Office, page: Page, url: str, language: str, keep: Keep) -> None:
        self.office, self.page, self.url, self.language, self.keep = office, page, url, language, keep
        self.wrong: list[str] = []
        watch(page, url, self.wrong)

    def fresh_code(self) -> str:
        clock = self.office.demo.stage.clock
        clock.move_to(clock.now() + timedelta(seconds=31))
        return code(self.office, "ben")

    def give_password(self) -> None:
        self.page.context.clear_cookies()
        self.page.goto(f"{self.url}/console/sign-in?to=/console/me")
        self.page.locator("#login").fill("ben")
        self.page.locator("#password").fill(PASSWORD)
        self.page.locator("form button").click()
        self.page.wait_for_url(re.compile("/console/code"))

    def sign_in(self) -> None:
        """By the app's code."""
        self.give_password()
        self.page.locator("#code").fill(self.fresh_code())
        self.page.locator("form[action='/console/code'] button").click()
        self.page.wait_for_url(re.compile("/console/me"))

    def prove(self) -> None:
        """A fresh code, on the way to a new key."""
        self.open("details.panel")
        self.page.locator("#code").fill(self.fresh_code())
        self.page.locator("details.panel form button").click()

    def open(self, details: str) -> None:
        if self.page.locator(f"{details}:not([open])").count():
            self.page.locator(f"{details} summary").click()

    def add(self, name: str) -> None:
        self.page.locator("#name").fill(name)
        self.page.locator("form[data-key] button").click()
        self.page.wait_for_url(re.compile("note=key_added"))

    def remove(self) -> None:
        self.page.locator("form[action$='/remove'] button").click()
        self.page.locator("form[action$='/remove'] button.bad").click()
        self.page.wait_for_url(re.compile("note=key_removed"))

    def look(self, name: str) -> None:
        for kind, width in (("desk", 1280), ("phone", 390), ("smallest", 320)):
            self.page.set_viewport_size({"width": width, "height": 900})
            if (wide := self.page.evaluate("document.documentElement.scrollWidth")) > width:
                self.wrong.append(f"{name}: {wide} px wide in {width}: {self.page.evaluate(WIDE, width)}")
            if kind != "smallest":
                self.keep(self.page, f"console/{name}-{self.language}-{kind}")
        if self.page.locator("html").get_attribute("lang") != self.language:
            self.wrong.append(f"{name}: is in another language")
        found = Axe().run(self.page, options=STANDARD)
        self.wrong += [f"{name}: {found.generate_report()}"] if found.violations_count else []


@contextmanager
def visiting(office: Office, keep: Keep, language: str = "en", *, script: bool = True) -> Iterator[Visit]:
    with named(office.demo) as url:
        context = office.browser.new_context(viewport={"width": 1280, "height": 900}, locale=f"{language}-US",
                                             java_script_enabled=script)
        visit = Visit(office, context.new_page(), url, language, keep)
        try:
            yield visit
        finally:
            context.close()
        assert visit.wrong == []


def plug_in(page: Page) -> tuple[CDPSession, str]:
    """Give the browser a key of its own; the second names it to the first."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": _KEY})["authenticatorId"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_somebody_adds_a_key_signs_in_with_it_and_removes_it(office: Office, keep: Keep, language: str) -> None:
    with visiting(office, keep, language) as visit:
        page = visit.page
        plug_in(page)
        visit.sign_in()
        visit.open("details.panel")
        visit.look("passkeys-none")
        visit.prove()
        expect(page.locator("[data-key-unable]")).to_be_hidden()
        visit.look("passkeys-add")
        visit.add("Blue key")
        visit.open("td details")
        visit.look("passkeys")

        visit.give_password()
        visit.look("passkeys-code")
        page.locator("form[data-key] button").click()
        page.wait_for_url(re.compile("/console/me"))
        expect(page.locator("main tbody th", has_text="Blue key")).to_be_visible()

        page.locator("form[action$='/remove'] button").click()
        visit.look("passkeys-remove")
        page.locator("main p a").click()
        visit.remove()
        expect(page.locator("form[action$='/remove']")).to_have_count(0)


def test_where_the_key_is_not_at_hand_the_page_says_so_and_the_code_goes_on_working(
        office: Office, keep: Keep) -> None:
    with visiting(office, keep) as visit:
        session, key = plug_in(visit.page)
        visit.sign_in()
        visit.prove()
        visit.add("Lost key")
        session.send("WebAuthn.clearCredentials", {"authenticatorId": key})
        visit.give_password()
        visit.page.locator("form[data-key] button").click()
        expect(visit.page.locator("[data-key-failed]")).to_be_visible()
        visit.look("passkeys-not-at-hand")
        visit.sign_in()
        visit.remove()


def test_without_script_the_code_is_asked_for_as_ever_and_the_page_says_that_a_key_needs_it(
        office: Office, keep: Keep) -> None:
    with visiting(office, keep, script=False) as visit:
        visit.sign_in()
        visit.prove()
        expect(visit.page.locator("[data-key-unable]")).to_be_visible()
        expect(visit.page.locator("form[data-key]")).to_be_hidden()


def test_at_an_address_of_numbers_the_page_says_that_a_key_needs_a_name(office: Office, keep: Keep) -> None:
    for language in ("en", "es"):
        with office.at("ben", "/me", language) as page:
            visit = Visit(office, page, office.demo.public_url, language, keep)
            expect(page.locator("main p.warn")).to_contain_text("localhost")
            expect(page.locator("form[action$='/begin']")).to_have_count(0)
            visit.look("passkeys-no-name")
            assert visit.wrong == []
