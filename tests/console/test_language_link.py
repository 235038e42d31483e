"""The other language is one press away on every page, and nothing of what is shown gets lost by it."""

from __future__ import annotations

import re
from html import unescape

from tests.console.conftest import Desk


def link(page: str) -> str:
    found = re.search(r'<a href="([^"]*)" lang="es" hreflang="es">', page)
    return unescape(found[1]) if found is not None else ""


async def test_a_list_stays_the_list_that_was_asked_for(desk: Desk) -> None:
    await desk.as_role("supervisor")
    address = "/console/worklists/assistance"
    _, page = await desk.get(f"{address}?state=decided")
    assert link(page) == "?state=decided&lang=es"
    status, spanish = await desk.get(address + link(page))
    assert status == 200 and 'lang="es"' in spanish and 'href="?state=decided" aria-current="true"' in spanish


async def test_what_was_just_done_is_not_said_again(desk: Desk, anna: str) -> None:
    await desk.as_role("supervisor")
    _, page = await desk.get(f"/console/accounts/{anna}?note=done&via=done")
    assert link(page) == "?via=done&lang=es"


async def test_the_answer_to_a_press_leads_to_a_page_that_is_there(desk: Desk, anna: str) -> None:
    await desk.as_role("supervisor")
    form = {"account_ids": anna, "what": "small_balance", "reason": "not worth a letter"}
    status, page = await desk.post("/console/worklists/collections", form)
    assert status == 200
    found, spanish = await desk.get(link(page))
    assert found == 200 and '<html lang="es"' in spanish


async def test_a_refusal_of_a_press_offers_nothing_that_is_not_there(desk: Desk, anna: str) -> None:
    await desk.as_role("reader")
    status, page = await desk.post(f"/console/accounts/{anna}/statements")
    assert status == 403 and link(page) == ""
