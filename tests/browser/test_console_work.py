"""A biller's day in the browser, in both languages: a dispute, a thread, a file, money back, an agency, an undo."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.phones import address_hash
from billing.store.tables import Case, Conversation, Hold, ImportRun, Placement, Refund, Transfer
from bot.demo.people import Person
from tests.browser import console_people as people
from tests.browser.console_desk import Office
from tests.browser.console_people import account_id, person
from tests.browser.running import Demo

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).parents[1] / "samples" / "x12"
BOTH = pytest.mark.parametrize("language", ["en", "es"])
PROOF = "02/29/1976 10001"


def newcomer(office: Office, number: str, name: str, line: int, language: str = "en") -> Person:
    who = person(number, name, line, language)
    people.settle_in(office.demo, [who])
    return who


def thread_of(office: Office, who: Person) -> str:
    hashed = address_hash(office.demo.stage.practice_id, "sms", who.phone)
    found = office.demo.stage.store.read(lambda s: s.scalars(select(Conversation.id).where(
        Conversation.address_hash == hashed)).one())
    return f"/inbox/{found}"


def heard(demo: Demo, who: Person, words: str) -> None:
    """Wait until the telephone shows these words."""
    async def there() -> bool:
        return any(words in one["body"] for one in await demo.stage.thread(who.phone))

    demo.ask(demo.stage.wait_for(there, f"{words!r} on the telephone"))


def press(page: Page, form: str) -> None:
    page.locator(f"form[action$='{form}'] button").first.click()
    page.wait_for_load_state()


@BOTH
def test_a_dispute_is_found_answered_and_closed_and_its_hold_ends(office: Office, language: str) -> None:
    who = newcomer(office, f"C-31-{language}", "Rosa Vidal", {"en": 170, "es": 171}[language], language)
    said = {"en": ("this is wrong, I never had this visit", "yes"), "es": ("esto está mal, yo nunca tuve esa visita",
                                                                        "sí")}[language]
    office.demo.texts(who, said[0], PROOF, said[1])
    answer = {"en": "We are looking at it with the doctor.", "es": "Lo miramos con la doctora."}[language]
    with office.at("ben", "/cases?kind=dispute", language) as page:
        row = page.locator("tr[data-row]").filter(has_text=who.account)
        row.locator("a[data-open]").click()
        expect(page.locator("main")).to_contain_text(said[0])
        press(page, "/owner")
        page.locator("#words").fill(answer)
        press(page, "/replies")
        heard(office.demo, who, answer.split()[-1])
        page.locator("#resolution").fill("It was another visit.")
        press(page, "/close")
        expect(page.locator(".note")).to_be_visible()
    closed, held = office.demo.stage.store.read(lambda s: (
        s.scalars(select(Case.status).where(Case.guarantor_id == account_id(who), Case.kind == "dispute")).one(),
        s.scalars(select(Hold.id).where(Hold.guarantor_id == account_id(who), Hold.kind == "dispute",
                                        Hold.released_at.is_(None))).all()))
    assert (closed, held) == ("closed", [])


@BOTH
def test_a_thread_is_taken_over_answered_under_the_gates_eyes_and_handed_back(office: Office, language: str) -> None:
    who = newcomer(office, f"C-32-{language}", "Alma Reyes", {"en": 172, "es": 173}[language], language)
    office.demo.texts(who, "hello" if language == "en" else "hola")
    with office.at("ben", thread_of(office, who), language) as page:
        press(page, "/take")
        expect(page.locator(".split .tag.good").first).to_contain_text("ben")
        words = {"en": "Ask for me at the desk: Ben.", "es": "Pregunte por mí en recepción: Ben."}[language]
        page.locator("#words").fill(words)
        page.locator("button[formaction$='/foresee']").click()
        expect(page.locator(".tag.good")).to_have_text({"en": "may go", "es": "puede salir"}[language])
        assert not any("Ben" in one["body"] for one in office.demo.thread(who)), "a look sends nothing"
        page.locator("form[action$='/replies'] button:not([type])").first.click()
        heard(office.demo, who, "Ben.")
        expect(page.locator(".thread .staff").last).to_contain_text("Ben.")
        office.demo.ask(office.demo.stage.text(who.phone, "ok"))
        expect(page.locator("#thread .tag.bad")).to_be_visible(timeout=15_000)  # it waits, and the page says so itself
        press(page, "/hand-back")
        expect(page.locator("form[action$='/take']")).to_be_visible()


@pytest.mark.parametrize(("language", "name", "refused"), [
    ("en", "deductible-coinsurance-copay.835", ""), ("es", "imbalance-lines-payment.835", "MS-")])
def test_a_remittance_is_tried_looked_at_and_posted(office: Office, language: str, name: str, refused: str) -> None:
    def posted(session: Session) -> int:
        return session.scalar(select(func.count()).select_from(Transfer).join(
            ImportRun, ImportRun.id == Transfer.import_id).where(ImportRun.file_name == name)) or 0

    store = office.demo.stage.store
    with office.at("ben", "/imports", language) as page:
        page.locator("#file").set_input_files(SAMPLES / name)
        press(page, "/imports")
        page.locator("#file-state form").first.wait_for()
        assert store.read(posted) == 0, "a look posts nothing"
        expect(page.locator("#file-state")).to_contain_text("$")
        if refused:
            expect(page.locator("#file-state table").last).to_contain_text(refused)
        page.locator("form[action$='/post'] button").last.click()
        page.locator("a[role=button][href*='/console/imports/imp_']").click()
        expect(page.locator("h1")).to_have_text(name)
        if refused:
            expect(page.locator("main")).to_contain_text(refused)
    assert store.read(lambda s: s.scalars(select(ImportRun.id).where(ImportRun.file_name == name)).all())


def test_a_refund_is_asked_for_by_one_and_given_by_another(office: Office) -> None:
    who, demo = newcomer(office, "C-33", "Ivan Marsh", 174), office.demo
    demo.stage.store.write(lambda s: people.pay_at_desk(s, demo, who, 100_00, "cash", "R-3301"))
    with office.at("ben", f"/accounts/{account_id(who)}") as page:
        page.locator("form[action$='/refunds']").locator("xpath=..").locator("summary").click()
        form = page.locator("form[action$='/refunds']")
        form.locator("input[name=amount]").fill("$45.00")
        form.locator("select[name=tender]").select_option("cash")
        form.locator("input[name=note]").fill("Paid twice at the desk.")
        form.locator("button").click()
        page.wait_for_load_state()
    row = demo.stage.store.read(lambda s: s.scalars(select(Refund).where(
        Refund.guarantor_id == account_id(who))).one())
    assert (row.status, row.amount_minor) == ("waiting", 45_00)
    with office.at("sue", "/money/waiting") as page:
        line = page.locator("tr").filter(has_text=who.account)
        expect(line).to_contain_text("$45.00")
        line.locator("form[action$='/approve'] button").click()
        expect(page.locator("tr").filter(has_text=who.account).locator("form[action$='/approve']")).to_have_count(0)
    assert demo.stage.store.read(lambda s: s.get_one(Refund, row.id)).status == "succeeded"


def test_a_debt_is_proposed_to_an_agency_by_one_and_placed_by_another(office: Office) -> None:
    who = person("C-34", "Dora Finch", 175)
    people.long_overdue(office.demo, who)
    with office.at("ben", "/worklists/collections") as page:
        _choose(page, who)
        form = page.locator("form[action$='/worklists/collections']")
        form.locator("select[name=what]").select_option("place")
        form.locator("input[name=reason]").fill("Nothing else is left.")
        form.locator("fieldset button").click()
        expect(page.locator("main table")).to_contain_text("$312.40")
        page.locator("button[data-done]").click()
    with office.at("sue", "/worklists/collections") as page:
        form = page.locator("form[action$='/placements']")
        form.locator("tr").filter(has_text=who.account).locator("input[type=checkbox]").check()
        form.locator("button").click()
        page.locator("button[data-done]").click()
        page.wait_for_url(re.compile("note="))
    row = office.demo.stage.store.read(lambda s: s.scalars(select(Placement).where(
        Placement.guarantor_id == account_id(who))).one())
    assert (row.status, row.proposed_by, row.approved_by, row.amount_minor) == ("approved", "ben", "sue", 312_40)


def _choose(page: Page, who: Person) -> None:
    page.locator("tr[data-row]").filter(has_text=who.account).locator("input[type=checkbox]").check()


def test_an_undo_is_looked_at_whole_and_changes_nothing_until_it_is_meant(office: Office) -> None:
    def count(session: Session) -> int:
        return session.scalar(select(func.count()).select_from(Transfer)) or 0

    before = office.demo.stage.store.read(count)
    with office.at("sue", "/undo", "es") as page:
        page.get_by_role("link", name="remittances-2026-11-13.835").click()
        page.locator("input[name=reason]").fill("Era de otro consultorio.")
        page.locator("form.panel button").click()
        expect(page.locator("main")).to_contain_text("$175.50")
        expect(page.locator("button.bad")).to_be_visible()
    assert office.demo.stage.store.read(count) == before


def test_a_worklist_is_worked_by_keyboard_alone(stocked: Office) -> None:
    with stocked.at("ben", "/cases") as page:
        rows = page.locator("tr[data-row]")
        page.keyboard.press("j")
        expect(rows.nth(0)).to_be_focused()
        page.keyboard.press("j")
        expect(rows.nth(1)).to_be_focused()
        page.keyboard.press("x")
        expect(rows.nth(1).locator("input[type=checkbox]")).to_be_checked()
        page.keyboard.press("k")
        expect(rows.nth(0)).to_be_focused()
        page.keyboard.press("?")
        expect(page.locator("dialog#keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog#keys")).not_to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/console/cases/case_"))


def test_keys_do_nothing_of_their_own_while_somebody_types(stocked: Office) -> None:
    with stocked.at("ben", "/inbox?show=all") as page:
        page.keyboard.press("/")
        field = page.locator("input[type=search]")
        expect(field).to_be_focused()
        page.keyboard.type("jx?k")
        expect(field).to_have_value("jx?k")
        assert page.locator("dialog#keys").is_hidden()
