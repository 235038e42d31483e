"""Nothing is seen behind a link without proof, a robot learns nothing, and the pages are plain and self-contained."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from billing import payments, statements
from billing.commands import RequestPayment
from bot.web import proof
from bot.web.app import ROUTES, make_app
from tests.conftest import maple_clinic
from tests.payments import world
from tests.web.conftest import Site

PRIVATE = re.compile(r"Rivera|Anna|Maple|\$|145\.50|1976|10001", re.IGNORECASE)


def statement_of(site: Site, language: str = "en") -> str:
    row = site.store.write(lambda session: statements.make(session, world.ANNA, language, site.clock()))
    return row.id


def payment_of(site: Site, split: tuple[tuple[str, int], ...] = ((world.OLD, world.OLD_MINOR),), yes: str = "1") -> str:
    def ask(session: Session) -> str:
        command = RequestPayment(world.ANNA, sum(m for _, m in split), split, world.version(session), "en")
        return payments.request(session, command, payments.RequestContext(
            world.PRACTICE, maple_clinic(), site.clock(), world.TALK, yes)).id

    return site.store.write(ask)


@pytest.mark.parametrize("kind", ["good", "unknown", "expired", "revoked"])
async def test_a_robot_sees_the_same_neutral_page_whatever_the_token(site: Site, kind: str) -> None:
    path = "/l/unknown-token-000000000" if kind == "unknown" else site.link("statement", statement_of(site))
    if kind == "expired":
        site.clock.advance(days=31)
    if kind == "revoked":
        for _ in range(5):
            await site.prove(path, zip="99999")
    site.browser.cookie_jar.clear()
    status, body, answer = await site.get(path)
    neutral = (await site.get("/l/never-made"))[1]
    assert status == 200 and body == neutral and not PRIVATE.search(body)
    assert "set-cookie" not in answer.headers
    assert (await site.prove(path))[0] == (303 if kind == "good" else 403)


async def test_every_wrong_answer_looks_the_same_and_the_fifth_closes_the_door(site: Site) -> None:
    path = site.link("statement", statement_of(site))
    wrong = [await site.prove(path, **other) for other in (
        {"zip": "99999"}, {"year": "1977"}, {"year": "nonsense"}, {"month": "13"}, {"zip": ""})]
    assert {(status, body) for status, body, _ in wrong} == {wrong[0][:2]} and wrong[0][0] == 403
    assert not PRIVATE.search(wrong[0][1])
    assert (await site.prove(path))[0] == 403  # right, and too late
    assert (await site.prove("/l/no-such-token"))[1] == wrong[0][1]


async def test_the_right_answers_open_this_door_and_no_other(site: Site) -> None:
    path, other = site.link("statement", statement_of(site)), site.link("statement", statement_of(site))
    status, _, answer = await site.prove(path, zip="10001-1234")
    cookie = answer.headers["Set-Cookie"]
    assert status == 303 and "HttpOnly" in cookie and f"Path={path}" in cookie and "samesite=lax" in cookie.lower()
    assert "$145.50" in (await site.get(path))[1]
    assert not PRIVATE.search((await site.get(other))[1])
    token, value = path.removeprefix("/l/"), re.search(r"door=([^;]+)", cookie)
    assert value is not None and token not in value[1]
    stolen = await site.get(other, headers={"Cookie": f"door={value[1]}"})
    assert not PRIVATE.search(stolen[1])


async def test_the_proof_wears_off(site: Site) -> None:
    path = site.link("statement", statement_of(site))
    await site.prove(path)
    site.clock.advance(minutes=29)
    assert "$145.50" in (await site.get(path))[1]  # and is renewed
    site.clock.advance(minutes=29)
    assert "$145.50" in (await site.get(path))[1]
    site.clock.advance(minutes=31)
    assert not PRIVATE.search((await site.get(path))[1])


def test_a_forged_or_stale_cookie_proves_nothing() -> None:
    from tests.conftest import TUESDAY

    good = proof.sign(b"k" * 32, "token", TUESDAY + timedelta(minutes=5))
    assert proof.is_proved(b"k" * 32, "token", good, TUESDAY)
    stamp, mac = good.split(".")
    for bad in (None, "", ".", "x.y", f"{int(stamp) + 600}.{mac}", f"{stamp}.", f"{stamp}.é", "9" * 400 + ".a",
                f"٣.{mac}"):
        assert not proof.is_proved(b"k" * 32, "token", bad, TUESDAY)
    assert not proof.is_proved(b"j" * 32, "token", good, TUESDAY)
    assert not proof.is_proved(b"k" * 32, "other", good, TUESDAY)
    assert not proof.is_proved(b"k" * 32, "token", good, TUESDAY + timedelta(minutes=5))


async def test_the_statement_shows_its_working_in_both_languages_and_as_pdf(site: Site) -> None:
    path = site.link("statement", statement_of(site))
    await site.prove(path)
    english, spanish = (await site.get(path))[1], (await site.get(f"{path}?lang=es"))[1]
    for body, lang in ((english, "en"), (spanish, "es")):
        assert f'<html lang="{lang}">' in body and body.count("$145.50") >= 1 and "$100.00" in body
    assert "Pay $145.50" in english and "Pagar $145.50" in spanish
    status, body, answer = await site.get(f"{path}/pdf?lang=es")
    assert status == 200 and body.startswith("%PDF-") and answer.headers["Content-Type"] == "application/pdf"


async def test_an_account_link_without_a_statement_shows_what_is_due(site: Site) -> None:
    path = site.link("statement")
    await site.prove(path)
    assert "$145.50" in (await site.get(path))[1]


async def test_the_itemised_bill_asks_which_visit_and_shows_that_one(site: Site) -> None:
    path = site.link("itemised")
    await site.prove(path)
    assert "June 5, 2026" in (await site.get(path))[1]
    body = (await site.get(f"{path}?visit=1"))[1]
    assert "$45.50" in body and "$100.00" not in body
    assert (await site.get(f"{path}/pdf?visit=2"))[1].startswith("%PDF-")
    assert "June 5, 2026" in (await site.get(f"{path}?visit=99"))[1]


async def test_a_link_never_shows_another_accounts_papers(site: Site) -> None:
    statement = statement_of(site)
    site.store.write(lambda session: world.account(session, "acct_ben", "B1", site.clock()))
    for purpose, thing in (("statement", statement), ("receipt", payment_of(site)), ("pay", payment_of(site)),
                           ("itemised", world.OLD)):
        path = site.link(purpose, thing, "acct_ben")
        assert (await site.prove(path))[0] == 303
        assert not re.search(r"\$145|\$100|\$45", (await site.get(path))[1])


async def test_every_answer_carries_the_strict_headers_and_asks_nothing_of_other_sites(site: Site) -> None:
    path = site.link("statement", statement_of(site))
    await site.prove(path)
    for at in (path, "/l/x", "/style.css", "/healthz", "/nothing/here", f"{path}/pdf"):
        _, body, answer = await site.get(at)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script" not in policy and "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store" or at == "/style.css"
        if "html" in answer.headers["Content-Type"]:
            assert not re.search(r"<script|javascript:|\son\w+=|style=|(?:src|href|action)=\"(?:https?:)?//", body)


async def test_a_page_is_readable_by_everybody(site: Site) -> None:
    path = site.link("statement", statement_of(site))
    asked = (await site.get(path))[1]
    await site.prove(path)
    for body in (asked, (await site.get(path))[1]):
        assert re.search(r'<html lang="en">', body) and body.count("<h1>") == 1 and "<main" in body
        assert "user-scalable" not in body and "viewport" in body
        tables = body.count("<table>")
        assert body.count("<caption") == tables
    assert asked.count("<label") == 5 and "<legend>" in asked


async def test_health_and_readiness(site: Site) -> None:
    assert (await site.get("/healthz"))[:2] == (200, "alive")
    assert (await site.get("/readyz"))[:2] == (200, "ready")


async def test_a_huge_form_is_not_read(site: Site) -> None:
    assert (await site.post("/l/x", b"a" * 400_000))[0] == 413


def test_every_route_of_the_application_is_in_the_table_with_its_authentication() -> None:
    from tests.web.fakes import wiring

    served = {(method, route.path) for route in make_app(wiring()).routes for method in route.methods or ()}  # type: ignore[attr-defined]  # all are APIRoutes
    declared = {(route.method, route.path) for route in ROUTES} | {
        ("HEAD", route.path) for route in ROUTES if route.method == "GET"}
    assert served == declared
    assert {route.path for route in ROUTES if route.auth == "signature"} == {
        "/hooks/twilio/sms", "/hooks/twilio/status/{outbox_id}", "/hooks/stripe", "/hooks/telegram"}
    public = {route.path for route in ROUTES if route.auth == "public" and not route.path.startswith("/console/")}
    assert public == {"/u/{token}", "/back", "/check", "/style.css", "/robots.txt", "/healthz", "/readyz"}
    assert all(route.path.startswith("/l/{token}") for route in ROUTES if route.auth == "link")
