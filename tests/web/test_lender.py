"""Paying over time with a lender stands on the pay page as it does in the thread: a link, and a word on its status."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from billing import lender
from billing.store.tables import Practice
from tests.payments import world
from tests.web.conftest import Site
from tests.web.test_paying import opened

URL = "https://lender.example/maple"


def switch_on(site: Site, since: str) -> None:
    def write(session: Session) -> None:
        row = session.get_one(Practice, world.PRACTICE)
        payments: dict[str, Any] = {**row.settings["payments"],
                                    "pay_over_time": {"name": "Sunny Pay", "url": URL, "since": since}}
        row.settings = {**row.settings, "payments": payments}

    site.store.write(write)


async def test_the_lender_stands_on_the_pay_page_as_configured_and_only_where_the_practice_has_one(site: Site) -> None:
    path = await opened(site)
    assert "lender.example" not in (await site.get(path))[1]
    switch_on(site, "2099-01-01")
    assert "lender.example" not in (await site.get(path))[1], "not before its day"
    switch_on(site, "2026-01-01")
    page = (await site.get(path))[1]
    assert f'href="{URL}"' in page, "nothing of the patient is added to it (T-54)"
    assert "another company" in page and "Pay $100.00" in page


async def test_while_the_lender_decides_the_page_asks_for_nothing_and_says_why(site: Site) -> None:
    switch_on(site, "2026-01-01")
    path = await opened(site)
    site.store.write(lambda s: lender.note(s, world.PRACTICE, world.ANNA, "applied", by="ana", now=site.clock()))
    assert "lender is deciding" in (await site.get(path))[1]
    status, body, _ = await site.post(f"{path}/pay")
    assert status == 409 and "lender is deciding" in body and await site.stripe_sessions() == 0
    site.store.write(lambda s: lender.note(s, world.PRACTICE, world.ANNA, "declined", by="ana", now=site.clock()))
    assert "Pay $100.00" in (await site.get(path))[1]
