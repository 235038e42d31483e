"""The practice's people and keys, as a manager keeps them, and the trail that says who did."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import audit
from billing.store.tables import Staff
from tests.console.conftest import Desk
from tests.payments import world


def id_of(desk: Desk, login: str) -> str:
    return desk.store.read(lambda session: session.scalars(select(Staff).where(Staff.login == login)).one().id)


async def test_a_manager_adds_somebody_invites_them_and_takes_them_off_the_list_which_signs_them_out(
        desk: Desk) -> None:
    await desk.as_role("manager")
    assert (await desk.post("/console/people", {"login": "ann", "name": "Ann Lee", "role": "biller"}))[0] == 303
    ann = id_of(desk, "ann")
    status, body = await desk.post(f"/console/people/{ann}/invite")
    assert status == 200
    assert re.search(r"/console/join/[\w-]{20,}", body)
    desk.hire("bob", "biller")
    manager = {one.key: one.value for one in desk.browser.cookie_jar}
    desk.forget()
    await desk.sign_in("bob")
    bob = {one.key: one.value for one in desk.browser.cookie_jar}
    desk.forget()
    await desk.get("/console/people", cookies=manager)
    status, _ = await desk.post(f"/console/people/{id_of(desk, 'bob')}", {"name": "Bob", "role": "biller"},
                                cookies=manager)
    assert status == 303
    assert (await desk.get("/console/me", cookies=bob))[0] == 303


async def test_the_last_manager_stays_and_nobody_raises_themselves(desk: Desk) -> None:
    await desk.as_role("manager")
    (login,) = desk.secrets
    status, body = await desk.post(f"/console/people/{id_of(desk, login)}", {"name": "X", "role": "biller",
                                                                             "active": "true"})
    assert (status, "own role" in body) == (409, True)


async def test_a_key_is_shown_once_and_ends_when_it_is_revoked(desk: Desk) -> None:
    await desk.as_role("manager")
    status, body = await desk.post("/console/keys", {"name": "books", "role": "auditor", "days": "30"})
    found = re.search(r"pb_[\w-]{40,}", body)
    assert status == 200
    assert found is not None
    _, listed = await desk.get("/console/keys")
    assert found[0] not in listed
    assert found[0][-4:] in listed
    key_id = re.search(r"/console/keys/(key_\w+)/revoke", listed)
    assert key_id is not None
    bearer = {"authorization": f"Bearer {found[0]}"}
    assert (await desk.get("/console/trail", headers=bearer))[0] == 200
    assert (await desk.get("/console/people", headers=bearer))[0] == 403
    await desk.get("/console/keys")
    await desk.post(f"/console/keys/{key_id[1]}/revoke")
    assert (await desk.get("/console/trail", headers=bearer))[0] == 303


async def test_who_saw_the_trail_is_in_the_trail_and_it_can_be_searched_by_person_and_day(desk: Desk) -> None:
    await desk.as_role("auditor")
    (login,) = desk.secrets
    await desk.get("/console/trail")
    today = desk.clock().date().isoformat()
    _, body = await desk.get(f"/console/trail?actor={login}&since_on={today}&until_on={today}")
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", body)
    assert "page: the audit trail" in cells
    assert login in cells and "test" not in cells
    status, told = await desk.get(f"/console/trail.csv?actor={login}")
    assert (status, told.splitlines()[0].startswith("number,at_utc")) == (200, True)
    assert (await desk.get("/console/trail?since_on=yesterday"))[0] == 422


async def test_the_trail_of_a_day_stays_that_days_page_after_page(desk: Desk) -> None:
    """Two hundred steps of yesterday, and as many of today."""
    def add(session: Session) -> None:
        for number in range(200):
            for days in (1, 0):
                audit.record(session, world.PRACTICE, "ann", "staff_invited", "staff", f"day{days}-{number:03}", "",
                             desk.clock() - timedelta(days=days))

    await desk.as_role("auditor")
    day = desk.clock().date().isoformat()
    desk.store.write(add)
    found = list[str]()
    async for body in desk.pages(f"/console/trail?actor=ann&since_on={day}&until_on={day}", "Older entries"):
        found += re.findall(r"<code>(day\d-\d+)</code>", body)
    assert sorted(found) == [f"day0-{number:03}" for number in range(200)]


async def test_a_biller_sees_neither_the_trail_nor_the_list_of_people(desk: Desk) -> None:
    await desk.as_role("biller")
    for path in ("/console/trail", "/console/trail.csv", "/console/people", "/console/keys"):
        status, body = await desk.get(path)
        assert status == 403, path
        assert "biller" in body
