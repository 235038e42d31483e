"""A patient opens the link in a text on a phone without script, reads why, and pays: in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from bot.demo.people import Person, person_of
from tests.browser.conftest import OpenPhone
from tests.browser.phone import DECLINED_CARD, GOOD_CARD, SECURE_CARD, pay_by_card, prove
from tests.browser.running import Demo

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]
PETER, PAUL, OMAR, MARIA = (person_of(account) for account in ("A-1008", "A-1013", "A-1006", "A-1014"))
BOTH = pytest.mark.parametrize(("person", "language"), [(PETER, "en"), (MARIA, "es")])
_PRIVATE = re.compile(r"\$|Novak|Santos|Maple|Harbor|Rivera|A-10", re.IGNORECASE)


def cents(text: str) -> int:
    return int(Decimal(re.sub(r"[^\d.]", "", text)) * 100) * (-1 if "−" in text else 1)


@BOTH
def test_wrong_answers_all_look_alike_and_right_ones_open(
    phone: OpenPhone, demo: Demo, keep: Keep, person: Person, language: str,
) -> None:
    page = phone(language, 320)
    page.goto(demo.link(person))
    assert not _PRIVATE.search(page.content())
    seen = set()
    for wrong in ({"zip": "99999"}, {"year": "1901"}, {"month": "13"}):
        prove(page, person, **wrong)
        seen.add(page.locator("main").inner_text())
    keep(page, f"wrong-{language}")
    assert len(seen) == 1 and not _PRIVATE.search(page.content())
    prove(page, person)
    assert page.locator(".hero strong").inner_text().startswith("$")


@BOTH
def test_the_derivation_can_be_checked_with_a_pencil(
    phone: OpenPhone, demo: Demo, person: Person, language: str,
) -> None:
    """From the charge down, the amounts of a visit add up to what is said to be left."""
    page = phone(language)
    page.goto(demo.link(person))
    prove(page, person)
    rows = page.locator("section.card").first.locator("tbody tr").all()
    amounts = [(row.get_attribute("class"), cents(row.locator("td").inner_text())) for row in rows]
    plain, left = sum(minor for kind, minor in amounts if kind == "plain"), amounts[-1]
    assert left == ("left", plain) and plain == cents(page.locator(".hero strong").inner_text())


@BOTH
def test_the_pdf_is_the_same_statement_on_paper(
    phone: OpenPhone, demo: Demo, person: Person, language: str,
) -> None:
    page = phone(language)
    page.goto(demo.link(person))
    prove(page, person)
    shown = page.locator(".hero strong").inner_text()
    link = page.locator("a[type='application/pdf']").first.get_attribute("href")
    answer = page.context.request.get(demo.public_url + str(link))
    assert answer.headers["content-type"] == "application/pdf"
    paper = "".join(sheet.extract_text() for sheet in PdfReader(BytesIO(answer.body())).pages)
    assert shown in paper


def test_a_preview_robot_sees_nothing_and_uses_nothing_up(phone: OpenPhone, demo: Demo) -> None:
    link = demo.link(OMAR)
    robot = phone()
    for path in ("", "/pdf", "/done"):
        robot.goto(link + path)
        assert not _PRIVATE.search(robot.content()) and robot.locator("input[name=zip]").count() == 1
    assert robot.context.cookies() == []
    his = phone()
    his.goto(link)
    prove(his, OMAR)
    assert his.locator(".hero strong").inner_text() == "$25.00"


def test_a_declined_card_takes_nothing_and_the_next_one_pays(phone: OpenPhone, demo: Demo) -> None:
    page = phone("es")
    page.goto(demo.link(MARIA))
    prove(page, MARIA)
    page.locator("main form button").click()
    pay_by_card(page, DECLINED_CARD)
    assert "Su tarjeta fue rechazada" in page.locator("[role=alert]").inner_text()
    pay_by_card(page, SECURE_CARD)
    page.locator("button[value=fail]").click()
    assert page.locator("[role=alert]").count() == 1
    pay_by_card(page, SECURE_CARD)
    page.locator("button[value=complete]").click()
    assert page.locator(".hero strong").inner_text() == "$35.10"
    assert "Su pago llegó" in page.locator("h1").inner_text()


def test_the_bill_can_be_read_and_paid_by_keyboard_alone(phone: OpenPhone, demo: Demo) -> None:
    page = phone(width=1000)
    page.goto(demo.link(PETER))
    month, day, year = PETER.born_on.split("/")
    for name, value in (("month", month), ("day", day), ("year", year), ("zip", PETER.postal_code)):
        _tab_to(page, f"input[name={name}]")
        page.keyboard.type(value)
    page.keyboard.press("Enter")
    page.locator(".hero").wait_for()
    _tab_to(page, "main form button")
    page.keyboard.press("Enter")
    page.locator("input[name=number]").wait_for()
    for name, value in (("number", GOOD_CARD), ("exp", "12/34"), ("cvc", "123")):
        _tab_to(page, f"input[name={name}]")
        page.keyboard.type(value)
    page.keyboard.press("Enter")
    page.get_by_text("Your payment arrived").wait_for()


def test_two_people_on_one_phone_each_open_only_their_own(phone: OpenPhone, demo: Demo) -> None:
    """Joan's link does not open to Paul's answers, although the text lies on the phone that they share."""
    joan = person_of("A-1009")
    page = phone()
    page.goto(demo.link(PAUL))
    own, other = (PAUL, joan) if _opens(page, PAUL) else (joan, PAUL)
    page.context.clear_cookies()
    page.goto(demo.link(PAUL))
    assert not _opens(page, other)
    assert _opens(page, own)


def _opens(page: Page, person: Person) -> bool:
    prove(page, person)
    return page.locator("input[name=zip]").count() == 0


def _tab_to(page: Page, selector: str) -> None:
    wanted = page.locator(selector)
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted.and_(page.locator(":focus")).count():
            return
    raise AssertionError(f"{selector} cannot be reached by the Tab key")
