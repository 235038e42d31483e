"""From an account's page: a plan with every date before it is offered, and links with their words before they go.

Each step is accessible and fits the smallest phone; pictures are kept in var/screenshots/console.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.console_desk import Office
from tests.browser.console_people import HENRY, MARTA, account_id
from tests.browser.looking import DESK, SMALLEST, STANDARD, WIDE

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]


def look(page: Page, keep: Keep, name: str, language: str) -> None:
    page.wait_for_load_state()
    for kind, width in (("phone", SMALLEST), ("desk", DESK)):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name}: {wide} px wide in {width}: {page.evaluate(WIDE, width)}"
        keep(page, f"console/{name}-{language}-{kind}")
    found = Axe().run(page, options=STANDARD)
    assert not found.violations_count, f"{name}: {found.generate_report()}"


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_biller_offers_a_plan_and_reads_its_links_message(stocked: Office, keep: Keep, language: str) -> None:
    account = account_id(HENRY)
    with stocked.at("ben", f"/accounts/{account}", language) as page:
        page.locator(f"a[href*='/accounts/{account}/plans']").click()
        page.locator("input[name=count]").fill("4")
        page.locator("select[name=interval]").select_option("month")
        page.locator("input[name=reason]").fill("has asked for it at the desk")
        look(page, keep, "plan_ask", language)
        page.locator("form.fields button").click()
        look(page, keep, "plan_tried", language)
        page.locator("form:has(input[name=choice]) button").first.click()
        expect(page.locator("main code")).to_contain_text("/l/")
        look(page, keep, "plan_made", language)
        page.locator("form[action$='/link'] button").click()
        expect(page.locator(".bubble")).to_contain_text("/l/…")
        look(page, keep, "plan_link_tried", language)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_biller_reads_a_payment_links_message_before_it_goes(stocked: Office, keep: Keep, language: str) -> None:
    with stocked.at("ben", f"/accounts/{account_id(HENRY)}/payment-link", language) as page:
        page.locator("input[name=amount]").fill("20")
        page.locator("form.fields button").click()
        expect(page.locator(".bubble")).to_contain_text("/l/…")
        look(page, keep, "pay_link_tried", language)


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_new_pages_fit_the_smallest_phone(stocked: Office, keep: Keep, language: str) -> None:
    account = account_id(MARTA)
    for name, path in (("account", f"/accounts/{account}"), ("pay_ask", f"/accounts/{account}/payment-link"),
                       ("disputes", "/money/disputes"), ("dispute", "/money/disputes/disp_1"),
                       ("trail", "/trail")):
        with stocked.at("sue", path, language) as page:
            look(page, keep, name, language)
            if name == "account":
                page.locator("#who a[href*='/contacts/']").first.click()
                look(page, keep, "contact", language)
