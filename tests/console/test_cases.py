"""The worklists: what is due first on top, answered by the gate, closed with what was found."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from billing import cases
from billing.store.tables import Case
from tests.console.conftest import Desk
from tests.payments import world


@pytest.fixture
def two(desk: Desk) -> list[Case]:
    desk.store.write(lambda s: world.anna(s, desk.clock()))
    return [desk.store.write(partial(
        cases.open_case, practice_id=world.PRACTICE, kind=kind, title=f"About {kind}", detail="They wrote a lot.",
        now=desk.clock() + timedelta(hours=hours), guarantor_id=world.ANNA,
        hold="dispute" if kind == "dispute" else ""))
        for kind, hours in (("papers", 30), ("dispute", 0))]


async def test_the_list_has_what_is_due_first_on_top_and_how_many_of_each_kind(desk: Desk, two: list[Case]) -> None:
    await desk.as_role("biller")
    _, body = await desk.get("/console/cases")
    assert body.index("About dispute") < body.index("About papers")
    _, only = await desk.get("/console/cases?kind=papers")
    assert ("About papers" in only, "About dispute" in only) == (True, False)


async def test_closing_needs_what_was_found_and_ends_the_hold(desk: Desk, two: list[Case]) -> None:
    case = two[1]
    await desk.as_role("biller")
    _, body = await desk.get(f"/console/cases/{case.id}")
    assert "They wrote a lot." in body
    assert (await desk.post(f"/console/cases/{case.id}/close", {"resolution": " "}))[0] == 422
    assert (await desk.post(f"/console/cases/{case.id}/close", {"resolution": "looked and right"}))[0] == 303
    assert (await desk.post(f"/console/cases/{case.id}/close", {"resolution": "looked and right"}))[0] == 409
    _, account = await desk.get(f"/console/accounts/{world.ANNA}")
    assert "released by" in account


async def test_several_are_closed_together_or_none_is(desk: Desk, two: list[Case]) -> None:
    await desk.as_role("biller")
    await desk.get("/console/cases")
    ids = [case.id for case in two]
    beyond = {"case_ids": [*ids, "case_of_another"], "resolution": "all done"}
    status, _ = await desk.post("/console/cases/close", beyond)
    assert status == 404
    assert [one.status for one in _all(desk)] == ["open", "open"]
    assert (await desk.post("/console/cases/close", {"case_ids": ids, "resolution": "all done"}))[0] == 303
    assert [one.status for one in _all(desk)] == ["closed", "closed"]


async def test_a_case_is_given_to_somebody_who_works_on_cases_only(desk: Desk, two: list[Case]) -> None:
    desk.hire("bob", "biller")
    desk.hire("olga", "reader")
    await desk.as_role("supervisor")
    await desk.get("/console/cases")
    assert (await desk.post(f"/console/cases/{two[0].id}/owner", {"to": "olga"}))[0] == 409
    assert (await desk.post(f"/console/cases/{two[0].id}/owner", {"to": "bob"}))[0] == 303
    assert {one.id: one.owner for one in _all(desk)}[two[0].id] == "bob"


def _all(desk: Desk) -> list[Case]:
    return [one for closed in (False, True) for one in desk.store.read(
        partial(cases.list_cases, practice_id=world.PRACTICE, closed=closed))]
