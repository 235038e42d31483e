"""Every page of the console, in both languages: accessible, light, fitting, readable without script, alone.

Each is kept as a picture at the widths of a phone and of a desk in var/screenshots/console.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from bot.web.console import catalog
from bot.web.console.table import Action, View
from tests.browser.console_desk import Office, watch
from tests.browser.console_tour import tour
from tests.browser.looking import STANDARD, WIDE
from tests.browser.test_light import Meter

pytestmark = pytest.mark.browser
Keep = Callable[[Page, str], None]

DESK, PHONE = 1280, 390
#: Lists of hundreds are looked at by their first rows: the others are made by the same lines of the template.
_FEWER = "document.querySelectorAll('tbody tr:nth-child(n+25)').forEach((row) => row.remove())"
#: On the wire, with vendored style and script; once they are kept, the page alone.
MOST_BYTES, MOST_BYTES_LATER = 60_000, 75_000
MOST_REQUESTS = 6

#: Each form with the addresses that its buttons send it to, and the names of what it sends.
_FORMS = """[...document.querySelectorAll('main form')].map((form) => [form.method,
    [...new Set([form, ...form.querySelectorAll('[formaction]')].map((one) => one.formAction || one.action)
        .concat(form.action))], [...form.elements].map((one) => one.name).filter(Boolean)])"""

#: A code that no word was found for: a name with an underscore, a key of the words, Python's None.
_RAW = re.compile(r"\bw\.[a-z_]+|\bNone\b|\bUndefined\b|\{[a-z_]+\}")


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_page_is_accessible_fits_and_says_everything_in_words(
    stocked: Office, keep: Keep, language: str,
) -> None:
    faults: list[str] = []
    rooms: dict[str, BrowserContext] = {}
    for login, name, path in tour(stocked):
        context = rooms.setdefault(login, stocked.context(login, language, DESK))
        faults += [f"{name}: {one}" for one in _look(context.new_page(), stocked, name, path, language, keep)]
    for context in rooms.values():
        context.close()
    assert not faults, "\n".join(faults)


def _look(page: Page, office: Office, name: str, path: str, language: str, keep: Keep) -> list[str]:
    wrong: list[str] = []
    watch(page, office.demo.public_url, wrong)
    answer = page.goto(f"{office.url}{path}")
    if answer is None or answer.status != 200:
        return [f"answers {answer.status if answer else 'nothing'}"]
    if page.locator("html").get_attribute("lang") != language:
        wrong.append("is in another language")
    page.evaluate(_FEWER)
    for kind, width in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size({"width": width, "height": 900})
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            wrong.append(f"{wide} px wide in {width}: {page.evaluate(WIDE, width)}")
        keep(page, f"console/{name}-{language}-{kind}")
    wrong += _misfits(page) if language == "en" else []
    if not name.startswith("words"):  # there the placeholders are what is shown
        wrong += _RAW.findall(page.locator("main").inner_text())
    found = Axe().run(page, options=STANDARD)
    wrong += [found.generate_report()] if found.violations_count else []
    page.close()
    return wrong


def _misfits(page: Page) -> list[str]:
    """Forms that send what their action does not take, or not what it needs: pressing them would be refused."""
    wrong = []
    for method, addresses, names in page.evaluate(_FORMS):
        for address in addresses if method == "post" else ():
            path = address.partition("/console")[2].partition("?")[0]
            action = next(filter(partial(_serves, path=path), catalog.ACTIONS), None)
            if action is None:
                wrong.append(f"{path} is no action")
                continue
            fields = action.form.model_fields
            needed = {one for one, field in fields.items() if field.is_required()}
            if (more := {*names} - {*fields, "csrf"}) or (less := needed - {*names}):
                wrong.append(f"{path}: sends {more or 'no'} {'' if more else less}")
    return wrong


def _serves(action: Action, path: str) -> bool:
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", action.path), path) is not None


def test_every_page_can_be_read_without_script(stocked: Office) -> None:
    """The words are the same ones, and what a page renews by itself is in it from the start."""
    context = stocked.context("sue", script=False)
    page = context.new_page()
    for login, name, path in tour(stocked):
        if login == "sue":
            page.goto(f"{stocked.url}{path}")
            assert page.locator("h1").count() == 1, name
            assert len(page.locator("main").inner_text()) > 40, name
    context.close()


def test_on_the_smallest_telephone_the_inbox_fits_and_one_sees_in_which_place_one_is(
        stocked: Office, keep: Keep) -> None:
    for language in ("en", "es"):
        context = stocked.context("sue", language, 320)
        page = context.new_page()
        for name, path in (("inbox", "/inbox?show=all"), ("reports", "/reports"), ("words", "/words")):
            page.goto(f"{stocked.url}{path}")
            expect(page.locator(".places [aria-current]")).to_be_in_viewport()
            keep(page, f"console/{name}-{language}-320")
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, (name, page.evaluate(WIDE, 320))
        context.close()


def test_the_tour_knows_every_page_there_is(stocked: Office) -> None:
    shown = {path.partition("?")[0].count("/") for _, _, path in tour(stocked)}
    names = {name.rstrip("1") for _, name, _ in tour(stocked)}
    assert {one.name for one in catalog.VIEWS if isinstance(one, View) and not one.quiet} <= names
    assert max(shown) == 3


def test_pages_are_light_and_what_is_kept_is_not_loaded_again(
    stocked: Office, capsys: pytest.CaptureFixture[str],
) -> None:
    """Bytes and requests are bounded; the time is printed, as it is the machine's as much as the page's."""
    context = stocked.context("sue", width=PHONE)
    page = context.new_page()
    meter = Meter(page)
    page.goto(f"{stocked.url}/inbox")
    found: dict[str, tuple[int, int, int]] = {"the first": _read(meter, page)}
    meter.keep_what_may_be_kept()
    page.goto(f"{stocked.url}/inbox")
    _read(meter, page)
    page.goto(f"{stocked.url}/reports")
    _read(meter, page)
    for login, name, path in tour(stocked):
        if login == "sue":
            page.goto(f"{stocked.url}{path}")
            found[name] = _read(meter, page)
    context.close()
    with capsys.disabled():
        for name, (size, requests, painted) in found.items():
            print(f"\n{name:18} {size / 1000:6.1f} kB {requests:2} requests {painted:5} ms to the first text", end="")
    assert found["the first"][0] < MOST_BYTES and found["the first"][1] <= MOST_REQUESTS
    later = {name: one for name, one in found.items() if name != "the first"}
    assert all(size < MOST_BYTES_LATER for size, _, _ in later.values()), later


def _read(meter: Meter, page: Page) -> tuple[int, int, int]:
    """As the meter's, without waiting for a network that live pages never leave idle."""
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
    return meter.taken(page)
