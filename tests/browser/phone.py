"""What the tests do on a patient's phone: find the link in a text, answer the questions, fill in the card."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page

from bot.demo.people import Person

GOOD_CARD, DECLINED_CARD, SECURE_CARD = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"
_ADDRESS = re.compile(r"https?://\S+")


def last_link(thread: Sequence[dict[str, Any]]) -> str:
    """The address in the newest text of the practice that has one. Raises LookupError."""
    for message in reversed(thread):
        found = _ADDRESS.search(message["body"])
        if found and message["direction"] != "inbound":
            return found.group().rstrip(".")
    raise LookupError("no text has a link")


def prove(page: Page, person: Person, **wrong: str) -> None:
    """Answer the questions as ``person`` does, or with ``wrong`` answers in some fields, and press the button."""
    month, day, year = person.born_on.split("/")
    for name, value in {"month": month, "day": day, "year": year, "zip": person.postal_code, **wrong}.items():
        page.locator(f"input[name={name}]").fill(value)
    page.locator("main form button").click()


def pay_by_card(page: Page, number: str) -> None:
    """Fill in the hosted page and press its button."""
    for name, value in {"number": number, "exp": "12/34", "cvc": "123", "zip": "10013"}.items():
        page.locator(f"input[name={name}]").fill(value)
    page.locator("form button").first.click()
