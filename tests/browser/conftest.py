"""One demo and one browser for all browser tests; every test is a visitor or a patient of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from billing.store.seal import install_keyring
from tests.browser.chromium import launched
from tests.browser.console_desk import Office, open_office
from tests.browser.console_stock import stock
from tests.browser.running import Demo, demo_in
from tests.conftest import TEST_KEYS

#: Kept for looking at; git knows nothing of it.
SCREENSHOTS = Path(__file__).parents[2] / "var" / "screenshots"

OpenPhone = Callable[..., Page]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    kept = dict(os.environ)
    with demo_in(tmp_path_factory.mktemp("demo")) as running:
        yield running
    os.environ.clear()
    os.environ.update(kept)
    install_keyring(TEST_KEYS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as running:
        yield running


@pytest.fixture(scope="session")
def office(demo: Demo, browser: Browser) -> Office:
    """The practice's console, with a manager, a supervisor and a biller signed in."""
    return open_office(demo, browser)


@pytest.fixture(scope="session")
def stocked(office: Office) -> Office:
    """The same, with one of everything on its books."""
    stock(office)
    return office


@pytest.fixture
def desk(browser: Browser) -> Iterator[Page]:
    """A visitor's browser at a desk; whatever goes wrong in its console fails the test."""
    page = browser.new_page(viewport={"width": 1400, "height": 960})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" and "favicon" not in line.text
            and "404" not in line.text else None)
    yield page
    page.close()
    assert wrong == []


@pytest.fixture
def phone(browser: Browser) -> Iterator[OpenPhone]:
    """``phone(language, width, script)``: a patient's telephone, by default one that runs no script."""
    opened: list[Page] = []

    def make(language: str = "en", width: int = 390, *, script: bool = False) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 780}, locale=f"{language}-US", is_mobile=True,
                                      has_touch=True, java_script_enabled=script)
        opened.append(context.new_page())
        return opened[-1]

    yield make
    for page in opened:
        page.context.close()


@pytest.fixture
def keep() -> Callable[[Page, str], None]:
    """Keep a picture of the whole page for looking at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def shoot(page: Page, name: str) -> None:
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return shoot
