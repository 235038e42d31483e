"""A campaign from the segment to the report: one builds it, another approves it, all watch it, somebody stops it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import Campaign, Guarantor, Outbox
from bot.demo.people import Person
from tests.browser import console_people as people
from tests.browser.console_desk import Office
from tests.browser.console_people import account_id, person

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]

HERE = tuple(person(f"C-4{number}", name, 180 + number, "es" if number == 2 else "en") for number, name in enumerate((
    "Clara Voss", "Felix Amado", "Lucia Prado")))
#: It is seven in the morning there: nobody is texted yet.
FAR = person("C-49", "Noah Whitman", 189)


def move_west(session: Session, who: Person) -> None:
    account = session.get_one(Guarantor, account_id(who))
    account.zone, account.region, account.postal_code, account.address = "America/Los_Angeles", "CA", None, ""


def press(page: Page, form: str) -> None:
    page.locator(f"form[action$='{form}'] button").first.click()
    page.wait_for_load_state()


def segment(page: Page, office: Office) -> None:
    """The accounts by their numbers, pasted."""
    if page.locator("#name").is_hidden():
        page.locator("details.panel summary").click()
    page.locator("#name").fill("autumn-list")
    page.locator("#numbers").fill("\n".join(one.account for one in (*HERE, FAR)))
    page.locator("details.panel form button").click()
    expect(page.locator("main")).to_contain_text("4 accounts today")


def draft(page: Page, office: Office) -> str:
    page.goto(f"{office.url}/campaigns/new")
    page.locator("input[name=template][value=statement_ready]").check()
    page.locator("#name").fill("Autumn bills")
    page.locator("#segment_id").select_option(label="autumn-list v1")
    page.locator("input[name=ways][value=sms]").check()
    page.locator("main form button").last.click()
    expect(page.locator("h1")).to_contain_text("Autumn bills")
    return page.url.removeprefix(office.url).partition("?")[0]


def test_it_is_built_approved_watched_paused_stopped_and_told_of(office: Office, keep: Keep) -> None:
    demo, store = office.demo, office.demo.stage.store
    people.settle_in(demo, (*HERE, FAR))
    store.write(lambda session: move_west(session, FAR))
    with office.at("ben", "/segments") as page:
        segment(page, office)
        where = draft(page, office)
        press(page, "/preview")
        expect(page.locator("#preview .cards")).to_contain_text("would be told", timeout=30_000)
        expect(page.locator("#preview")).to_contain_text("America/Los_Angeles")
        expect(page.locator("#preview .phone").first).to_be_visible()
        keep(page, "console/journey-previewed")
        expect(page.locator("form[action$='/approve']")).to_have_count(0)  # nobody approves their own
        assert _status(office, where) == "previewed"
    with office.at("sue", where, "es") as page:
        press(page, "/approve")
        press(page, "/send")
        expect(page.locator("#campaign progress")).to_be_visible()
        delivered = page.locator("#campaign .card").nth(1).locator(".figure")
        expect(delivered).to_have_text(str(len(HERE)), timeout=60_000)  # the page follows by itself
        keep(page, "console/journey-sending")
        press(page, "/pause")
        expect(page.locator("form[action$='/resume']")).to_be_visible()
        press(page, "/resume")
        page.locator("#reason").fill("Las palabras no eran estas.")
        press(page, "/stop")
        expect(page.locator("main")).to_contain_text("Las palabras no eran estas.")
        page.goto(f"{office.url}{where}/report")
        expect(page.locator(".card").first.locator(".figure")).to_have_text("4")
        keep(page, "console/journey-report")
    sent = store.read(lambda s: {row.guarantor_id: row.status for row in s.scalars(
        select(Outbox).where(Outbox.campaign_id == where.rpartition("/")[2]))})
    assert {sent[account_id(one)] for one in HERE} == {"delivered"}
    assert sent.get(account_id(FAR)) in (None, "cancelled") and _status(office, where) == "stopped"


def _status(office: Office, where: str) -> str:
    return office.demo.stage.store.read(lambda s: s.get_one(Campaign, where.rpartition("/")[2])).status
