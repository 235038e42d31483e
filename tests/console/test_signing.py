"""Signing in: two steps, each try counted; a session that ends by itself; an invitation that is good once."""

from __future__ import annotations

import re

import pyotp
from sqlalchemy import select

from billing import invitations
from billing.store.tables import Audit, Credential, SignIn
from tests.console.conftest import PASSWORD, Desk
from tests.payments import world


def trail(desk: Desk) -> list[tuple[str, str]]:
    rows = desk.store.read(lambda session: session.scalars(select(Audit).order_by(Audit.id)).all())
    return [(row.actor, row.action) for row in rows]


async def test_a_password_alone_shows_nothing(desk: Desk) -> None:
    desk.hire("ann", "biller")
    status, _ = await desk.post("/console/sign-in", {"login": "ann", "password": PASSWORD})
    assert (status, desk.location.partition("?")[0]) == (303, "/console/code")
    assert await desk.get("/console/me") == (303, "")
    assert desk.location == "/console/sign-in?to=/console/me"


async def test_both_steps_lead_to_the_page_that_was_wanted_and_never_to_another_host(desk: Desk) -> None:
    desk.hire("ann", "biller")
    for wanted, led_to in (("/console/me", "/console/me"), ("https://evil.example/", "/console/inbox"),
                           ("//evil.example", "/console/inbox"), ("/console/\\evil", "/console/inbox"),
                           ("/console//evil.example", "/console/inbox"), ("/l/x", "/console/inbox")):
        desk.forget()
        desk.clock.advance(seconds=60)
        await desk.post("/console/sign-in", {"login": "ann", "password": PASSWORD, "to": wanted})
        await desk.post("/console/code", {"code": desk.code("ann"), "to": wanted})
        assert desk.location == led_to


async def test_an_unknown_login_a_wrong_password_and_a_resting_login_look_the_same(desk: Desk) -> None:
    desk.hire("ann", "biller")
    pages = set()
    for login, password in (("nobody", PASSWORD), ("ann", "wrong")):
        status, body = await desk.post("/console/sign-in", {"login": login, "password": password})
        pages.add((status, re.sub(r'value="\w*"', "", body)))
    for _ in range(4):
        await desk.post("/console/sign-in", {"login": "ann", "password": "wrong"})
    status, body = await desk.post("/console/sign-in", {"login": "ann", "password": PASSWORD})
    pages.add((status, re.sub(r'value="\w*"', "", body)))
    assert len(pages) == 1
    assert trail(desk).count(("ann", "sign_in_failed")) == 5
    assert ("ann", "sign_in_locked") in trail(desk)
    desk.clock.advance(minutes=15)
    assert (await desk.sign_in("ann"))[0] == 303


async def test_five_wrong_codes_lock_too_and_end_what_was_open(desk: Desk) -> None:
    await desk.as_role("biller")
    (login,) = desk.secrets
    other = Desk(desk.url, desk.store, desk.clock, desk.wiring, desk.browser, desk.secrets)
    for _ in range(5):
        await other.post("/console/sign-in", {"login": login, "password": PASSWORD})
        assert (await other.post("/console/code", {"code": "000000"}))[0] == 403
    assert (await desk.get("/console/me"))[0] == 303


async def test_a_code_is_good_once(desk: Desk) -> None:
    desk.hire("ann", "biller")
    assert (await desk.sign_in("ann"))[0] == 303
    used = desk.code("ann")
    desk.forget()
    await desk.post("/console/sign-in", {"login": "ann", "password": PASSWORD})
    assert (await desk.post("/console/code", {"code": used}))[0] == 403


async def test_a_browser_that_nobody_touches_is_signed_out_and_pages_that_ask_by_themselves_do_not_count(
        desk: Desk) -> None:
    await desk.as_role("biller")
    desk.clock.advance(minutes=14)
    assert (await desk.get("/console/me"))[0] == 200
    desk.clock.advance(minutes=14)
    assert (await desk.get("/console/me"))[0] == 200
    desk.clock.advance(minutes=15)
    assert (await desk.get("/console/me"))[0] == 303
    ended = desk.store.read(lambda s: [row.ended_by for row in s.scalars(select(SignIn)) if row.stage == "full"])
    assert ended == ["idle"]


async def test_however_busy_a_session_ends_after_twelve_hours(desk: Desk) -> None:
    await desk.as_role("biller")
    for _ in range(12 * 6 - 1):
        desk.clock.advance(minutes=10)
        assert (await desk.get("/console/me"))[0] == 200
    desk.clock.advance(minutes=10)
    assert (await desk.get("/console/me"))[0] == 303


async def test_signing_out_ends_the_session_for_everybody_who_copied_its_cookie(desk: Desk) -> None:
    await desk.as_role("biller")
    kept = {one.key: one.value for one in desk.browser.cookie_jar}
    await desk.post("/console/sign-out")
    assert (await desk.get("/console/me", cookies=kept))[0] == 303


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(desk: Desk) -> None:
    desk.hire("ann", "biller")
    answer = await desk.answer("POST", "/console/sign-in", data={"login": "ann", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].casefold()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie


async def test_an_invitation_is_good_once_and_makes_a_manager_who_can_sign_in(desk: Desk) -> None:
    desk.hire("boss", "manager")
    await desk.sign_in("boss")
    token = desk.store.write(lambda s: invitations.invite(s, world.PRACTICE, "boss", "test", desk.clock()))
    assert (await desk.get("/console/me"))[0] == 303  # what was open before is void
    desk.forget()
    page = f"/console/join/{token}"
    assert PASSWORD not in (await desk.get(page))[1]
    secret = desk.store.read(lambda s: s.scalars(select(Credential)).one().totp_secret)
    assert (await desk.get(f"{page}/app.svg"))[1].startswith("<svg")
    code = pyotp.TOTP(secret).at(int(desk.clock().timestamp()))
    for password in ("short", "password password", "boss boss boss boss", "aaaaaaaaaaaaaaaa"):
        assert (await desk.post(page, {"password": password, "code": code}))[0] == 422
    assert (await desk.post(page, {"password": "four plain words here", "code": "000000"}))[0] == 422
    assert (await desk.post(page, {"password": "four plain words here", "code": code}))[0] == 303
    assert (await desk.get(page))[0] == 404
    desk.secrets["boss"] = secret
    assert (await desk.sign_in("boss", "four plain words here"))[0] == 303


async def test_an_invitation_runs_out_after_a_day(desk: Desk) -> None:
    desk.hire("boss", "manager")
    token = desk.store.write(lambda s: invitations.invite(s, world.PRACTICE, "boss", "test", desk.clock()))
    desk.clock.advance(hours=24)
    assert (await desk.get(f"/console/join/{token}"))[0] == 404


async def test_tries_from_one_address_are_counted_together(desk: Desk) -> None:
    for number in range(20):
        assert (await desk.post("/console/sign-in", {"login": f"p{number}", "password": "x"}))[0] == 403
    assert (await desk.post("/console/sign-in", {"login": "other", "password": "x"}))[0] == 429


async def test_somebody_can_sign_out_their_other_browsers(desk: Desk) -> None:
    await desk.as_role("biller")
    (login,) = desk.secrets
    kept = {one.key: one.value for one in desk.browser.cookie_jar}
    desk.forget()
    await desk.sign_in(login)
    assert (await desk.post("/console/me/sign-out-elsewhere"))[0] == 303
    assert (await desk.get("/console/me"))[0] == 200
    desk.forget()
    assert (await desk.get("/console/me", cookies=kept))[0] == 303
