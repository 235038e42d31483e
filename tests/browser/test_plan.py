"""A plan of six payments with a new card, read and agreed to on the smallest phone, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import links, plan_offers, plans
from billing.dues import due_visits
from billing.store.practices import policy_in
from billing.store.tables import Authorization, Guarantor
from bot.demo.people import Person
from tests.browser.conftest import OpenPhone
from tests.browser.phone import GOOD_CARD, pay_by_card, prove
from tests.browser.running import Demo
from tests.web.newcomers import add

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]
BOTH = pytest.mark.parametrize(("language", "words"), [
    ("en", ("Agree to the plan", "Next payment")), ("es", ("Aceptar el plan", "Próximo pago"))])


#: What stands out on the right.
_TOO_WIDE = """[...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > 320)
    .map((one) => one.tagName + ' ' + one.innerText.slice(0, 30))"""


def offered(demo: Demo, number: str, language: str, count: int) -> tuple[Person, str, str]:
    """(whose, plan id, address of its page)."""
    stage = demo.stage
    person = Person(number, "Alex Rivera", "+12125550190", "02/29/1976", "10001", "Whom no other test meets.", language)
    account_id = stage.store.write(lambda session: add(
        session, stage.practice_id, number, language, stage.clock.now()))

    def make(session: Session) -> tuple[str, str]:
        account, now = session.get_one(Guarantor, account_id), stage.clock.now()
        practice = policy_in(session, stage.practice_id)
        today, policy = practice.local_day(now), practice.plans
        assert policy is not None
        shares = due_visits(session, stage.practice_id, account.id, now)
        answer = plan_offers.make(sum(minor for _, minor in shares), shares, policy, today,
                                  plan_offers.Ask(count=count, interval="month", first_on=today + timedelta(days=20)))
        assert answer.fits, answer
        plan = plans.offer(
            session, practice_id=stage.practice_id, guarantor_id=account.id, terms=answer.offers[0].terms("link"),
            policy=policy, balance_version=account.balance_version, language=language, offered_by="patient",
            key=f"browser:{number}", conversation_id=None, now=now)
        return plan.id, links.make(session, stage.practice_id, account.id, "plan", plan.id, 30, now)

    plan_id, token = stage.store.write(make)
    return person, plan_id, f"{demo.public_url}/l/{token}"


@BOTH
def test_six_payments_with_a_new_card_on_the_smallest_phone(
    phone: OpenPhone, demo: Demo, keep: Keep, language: str, words: tuple[str, str],
) -> None:
    person, plan_id, address = offered(demo, f"N-6-{language}", language, 6)
    page = phone(language, 320, script=True)  # axe is a script; the pages have none
    faults: list[str] = []

    def look(name: str) -> None:
        page.wait_for_load_state()
        keep(page, f"plan-{name}-{language}")
        if (found := Axe().run(page)).violations_count:
            faults.append(f"{name}: {found.generate_report()}")
        for letters in ("100%", "150%"):
            page.evaluate(f"document.documentElement.style.fontSize = '{letters}'")
            if (wide := page.evaluate("document.documentElement.scrollWidth")) > 320:
                faults.append(f"{name} is {wide} px wide, letters {letters}: {page.evaluate(_TOO_WIDE)}")
        page.evaluate("document.documentElement.style.fontSize = ''")
        assert not page.url.startswith(demo.public_url) or page.locator("script").count() == 0

    page.goto(address)
    prove(page, person)
    look("offer")
    page.locator("a[href*='way=card']").click()
    look("give-card")
    page.locator("main form button").click()
    look("hosted")
    pay_by_card(page, GOOD_CARD)
    page.locator("input[name=yes]").wait_for()
    look("words")
    assert "4242" in page.locator("blockquote").inner_text()
    agreed = page.locator("blockquote").inner_text()
    page.get_by_role("button", name=words[0]).click()  # both boxes are needed: the browser stays
    assert page.locator("input[name=yes]").count() == 1
    page.locator("input[name=esign]").check()
    page.locator("input[name=yes]").check()
    page.get_by_role("button", name=words[0]).click()
    page.get_by_text(words[1]).wait_for()
    look("running")
    given = demo.stage.store.read(lambda s: s.scalars(select(Authorization).where(
        Authorization.plan_id == plan_id)).one())
    assert (given.words, given.last4, given.language) == (agreed, "4242", language)
    _read_copy(page, demo, agreed)
    page.locator("a[href*='way=card']").click()
    look("change-card")
    page.go_back()
    page.locator("button[value=stop]").click()
    look("stopped")
    page.goto(address)
    look("running-by-link")
    assert not faults, "\n".join(faults)


def _read_copy(page: Page, demo: Demo, agreed: str) -> None:
    """The signed copy is the same on paper."""
    link = page.locator("a[type='application/pdf']").get_attribute("href")
    answer = page.context.request.get(demo.public_url + str(link))
    assert answer.headers["content-type"] == "application/pdf"
    paper = " ".join("".join(sheet.extract_text() for sheet in PdfReader(BytesIO(answer.body())).pages).split())
    assert " ".join(agreed.split())[:60] in paper and "4242" in paper


def test_a_plan_by_link_needs_no_card_and_no_script(phone: OpenPhone, demo: Demo, keep: Keep) -> None:
    person, _, address = offered(demo, "N-2-en", "en", 2)
    page = phone("en", 320)
    page.goto(address)
    prove(page, person)
    assert page.locator("input[name=esign]").count() == 0
    page.locator("input[name=yes]").check()
    page.get_by_role("button", name="Agree to the plan").click()
    page.wait_for_load_state()
    keep(page, "plan-agreed-by-link")
    assert "We send you a link before each payment." in page.locator("main").inner_text()
