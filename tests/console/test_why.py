"""The trail says who opened whose account, when, and why: out of which work, in a code with no words of anybody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from billing.store.tables import Audit
from bot.web.console import catalog
from bot.web.console.table import VIAS
from templates.web import console
from tests.console.conftest import Desk
from tests.console.estate import MINE, Estate

HERE = Path(console.__file__).parent
#: Pages of one person; what else begins so is a step, or a form on such a page.
_OPENED = re.compile(r'href="(/console/(?:accounts|inbox|messages|contacts)/\{\{[^}]*\}\}[^"#]*)')


def reasons(desk: Desk) -> list[str]:
    """Of what was opened, oldest first."""
    return list(desk.store.read(lambda s: s.scalars(select(Audit.reason).where(
        Audit.action == "read", Audit.object_kind.in_(("account", "conversation"))).order_by(Audit.id)).all()))


def test_every_link_to_one_persons_page_says_out_of_which_work_it_is_opened() -> None:
    found = [(path.name, link) for path in HERE.glob("*.html") for link in _OPENED.findall(path.read_text("utf-8"))]
    assert len(found) > 30
    for name, link in found:
        said = re.search(r"\?via=(\w+|\{\{ '(\w+)' if .*? else '(\w+)' \}\})$", link)
        assert said is not None, (name, link)
        assert {one for one in said.groups() if one and not one.startswith("{")} <= VIAS, (name, link)


@pytest.mark.parametrize("language", console.LANGUAGES)
def test_every_such_work_has_its_words(language: str) -> None:
    assert set(console.words(language)["trail"]["vias"]) == VIAS | {"direct"}


@pytest.mark.parametrize("language", console.LANGUAGES)
def test_every_page_has_its_name_in_the_trail(language: str) -> None:
    assert set(console.words(language)["trail"]["pages"]) == {view.name for view in catalog.VIEWS}


async def test_t_36_opening_an_account_says_in_the_trail_out_of_which_work(desk: Desk, anna: str) -> None:
    await desk.as_role("supervisor")
    for query in ("?via=case", "?via=worklist", "", "?via=Rivera%20Anna", "?via=direct"):
        assert (await desk.get(f"/console/accounts/{anna}{query}"))[0] == 200
    assert reasons(desk) == [f"console account: {one}" for one in ("case", "worklist", "direct", "direct", "direct")]
    _, page = await desk.get("/console/trail")
    assert "out of a case" in page and "opened by its address" in page and "Rivera" not in page
    spanish = (await desk.get("/console/trail?lang=es"))[1]
    assert "página: una cuenta, desde un caso" in spanish and "console account" not in spanish


async def test_an_account_that_was_looked_for_says_so(desk: Desk, anna: str) -> None:
    await desk.as_role("biller")
    await desk.get("/console/accounts")
    _, found = await desk.post("/console/accounts/search", {"q": "A1"})
    link = re.search(rf'href="(/console/accounts/{anna}[^"]*)"', found)
    assert link is not None
    await desk.get(link[1])
    assert reasons(desk) == ["console account: search"]


async def test_what_an_action_says_stands_before_the_place_on_the_page_so_that_it_is_shown(
        desk: Desk, anna: str) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/accounts/{anna}")
    form = {"kind": "dispute", "reason": "asked about June"}
    assert (await desk.post(f"/console/accounts/{anna}/holds", form))[0] == 303
    assert desk.location == f"/console/accounts/{anna}?note=done&via=done#holds"
    assert 'role="status">Done.' in (await desk.get(desk.location))[1]
    assert reasons(desk)[-1] == "console account: done"


def test_a_program_may_say_why_as_well(estate: Estate) -> None:
    account, by = estate.ids[MINE]["guarantors"]["id"], estate.person("biller")
    assert estate.ask("GET", f"/api/v1/accounts/{account}?via=case", key=by).status == 200
    last = estate.store.read(lambda s: s.scalars(select(Audit.reason).where(
        Audit.action == "read", Audit.object_id == account).order_by(Audit.id.desc()).limit(1)).one())
    assert last == "console account: case"
