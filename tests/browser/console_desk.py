"""Who works at the console in the browser tests: a manager, a supervisor and a biller, each of whom came in through the
real pages: an invitation, a password, an authenticator's code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyotp
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy.orm import Session

from billing import invitations, staff
from billing.store.practices import find_practice, policy_of, save_policy
from config.practice import PracticePolicy
from tests.browser.running import Demo

PASSWORD = "correct horse battery staple"
#: Login, role, name.
PEOPLE = (("ana", "manager", "Ana Ruiz"), ("sue", "supervisor", "Sue Park"), ("ben", "biller", "Ben Ito"))

#: What a practice that does all of this has agreed on; the rest is the demo's.
POLICY: dict[str, Any] = {
    "bulk": {"approval_above": 1}, "payments": {"refund_approval_above_minor": 2_000}, "dunning": {},
    "collections": {"small_balance_minor": 500, "approver": "supervisor", "agencies": [
        {"key": "acme", "name": "Acme Recovery", "contract_on": "2026-01-01", "baa_on": "2026-01-01",
         "fee_percent": 25, "minimum_minor": 2_000}]},
    "assistance": [{"since": "2026-01-01", "tiers": [{"fpl_percent": 200, "discount_percent": 100},
                                                     {"fpl_percent": 300, "discount_percent": 50}]}],
}


@dataclass
class Office:
    """The practice's console. ``kept``: each person's browser as it was when they had signed in."""

    demo: Demo
    browser: Browser
    kept: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{self.demo.public_url}/console"

    def context(self, login: str, language: str = "en", width: int = 1280, *, script: bool = True) -> BrowserContext:
        """A browser in which ``login`` is signed in."""
        return self.browser.new_context(viewport={"width": width, "height": 900}, locale=f"{language}-US",
                                        java_script_enabled=script, storage_state=self.kept[login])

    @contextmanager
    def at(self, login: str, path: str, language: str = "en", width: int = 1280, *, script: bool = True,
           ) -> Iterator[Page]:
        """A page of the console as that person sees it. Whatever goes wrong in its console fails the test, and so does
        a question to any other host.
        """
        context = self.context(login, language, width, script=script)
        page, wrong = context.new_page(), list[str]()
        watch(page, self.demo.public_url, wrong)
        try:
            page.goto(self.url + path)
            yield page
        finally:
            context.close()
        assert wrong == []


def watch(page: Page, home: str, wrong: list[str]) -> None:
    """Keep in ``wrong`` what the browser complains of, and what it asks anybody else."""
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith((home, "data:", "blob:"))
            else wrong.append(f"asked {asked.url}"))


def open_office(demo: Demo, browser: Browser) -> Office:
    """The practice agrees on POLICY; the first manager is invited as the command line does, and invites the others."""
    office = Office(demo, browser)
    address = demo.stage.store.write(lambda session: _found(session, demo))
    for login, role, name in PEOPLE:
        if login != "ana":
            with office.at("ana", "/people") as page:
                address = invite(page, login, role, name)
        context = browser.new_context(locale="en-US")
        join(office, context.new_page(), login, f"{demo.public_url}/console/join/{address.rpartition('/')[2]}")
        sign_in(office, context.pages[0], login)
        office.kept[login] = context.storage_state()
        context.close()
    return office


def _found(session: Session, demo: Demo) -> str:
    """Settle the policy and put the first manager on the list; return their invitation."""
    practice_id, now = demo.stage.practice_id, demo.stage.clock.now()
    row = find_practice(session, practice_id)
    assert row is not None
    policy = PracticePolicy.model_validate({**policy_of(row).model_dump(), **POLICY})
    save_policy(session, practice_id, policy, True, now)
    login, role, name = PEOPLE[0]
    staff.add(session, practice_id, login=login, name=name, role=role, actor="test", now=now)
    return invitations.invite(session, practice_id, login, "test", now)


def invite(page: Page, login: str, role: str, name: str) -> str:
    """A manager adds somebody on the page People; return the invitation's address."""
    page.locator("details.panel summary").click()
    page.locator("#login").fill(login)
    page.locator("#name").fill(name)
    page.locator("#role").select_option(role)
    page.locator("details.panel form button").click()
    page.get_by_role("link", name=login, exact=True).click()
    page.locator("form[action$='/invite'] button").click()
    return page.locator("main code").inner_text()


def join(office: Office, page: Page, login: str, address: str) -> None:
    """Behind the invitation: choose a password, scan the key, type the app's first code."""
    page.goto(address)
    office.secrets[login] = page.locator("form code").inner_text()
    page.locator("#password").fill(PASSWORD)
    page.locator("#code").fill(code(office, login))
    page.locator("form button").click()
    page.wait_for_url(re.compile("/console/sign-in"))


def sign_in(office: Office, page: Page, login: str) -> None:
    """Password, then the next code: each is good once."""
    clock = office.demo.stage.clock
    clock.move_to(clock.now() + timedelta(seconds=31))
    page.goto(f"{office.url}/sign-in?password")  # the demo has a door of its own there
    page.locator("#login").fill(login)
    page.locator("#password").fill(PASSWORD)
    page.locator("form button").click()
    page.locator("#code").fill(code(office, login))
    page.locator("form button").click()
    page.wait_for_url(re.compile("/console/inbox"))


def code(office: Office, login: str) -> str:
    """What the authenticator app shows, by the demo's clock."""
    return pyotp.TOTP(office.secrets[login]).at(office.demo.stage.clock.now())
