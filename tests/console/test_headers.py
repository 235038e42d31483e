"""What every answer of the console and the API carries, and the tricks with requests that lead nowhere."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.requests import Request
from starlette.responses import Response

from bot.web.app import ROUTES, make_app
from bot.web.console import catalog, who
from bot.web.console.table import Download, View
from bot.web.guard import pay_origins
from bot.web.routes import Route
from bot.web.wiring import Wiring
from tests.console import filled
from tests.console.estate import HOST, MINE, Answer, Estate
from tests.console.samples import changed

STAFF = tuple(route for route in ROUTES if route.auth == "staff" and route.method == "GET")
OUTSIDE = ("/console/sign-in", "/console/code", "/console/join/x", "/console/nothing", "/console/assets/none.css",
           "/check", "/api/v1/me", "/api/v1/nothing", "/l/x", "/robots.txt", "/nothing")
ALWAYS = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
          "cross-origin-opener-policy": "same-origin", "cache-control": "no-store",
          "x-robots-tag": "noindex, nofollow, noarchive"}


def require_safe(estate: Estate, answer: Answer, where: str) -> None:
    headers = answer.headers
    for name, value in ALWAYS.items():
        assert headers.get(name) == value, f"{where}: {name} is {headers.get(name)}"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy, where
    paying = " ".join(pay_origins(estate.wiring.settings.stripe_base_url))  # patients' forms may lead there
    assert not re.search(r"unsafe|\*|https?:|wss?:", policy.replace(paying, "")), f"{where}: {policy}"
    assert not {name for name in headers if name.startswith("access-control") or name in ("server", "x-powered-by")}


def view_at(path: str) -> View | Download | None:
    return next((one for one in catalog.VIEWS if path in (f"/console{one.path}", f"/api/v1{one.path}")), None)


def address(estate: Estate, path: str) -> str:
    view = view_at(path)
    query = filled.form(view.query, view.name, estate.ids[MINE]) if view else {}
    return filled.path(path, estate.ids[MINE]) + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")


@pytest.mark.parametrize("route", STAFF, ids=lambda route: route.path)
def test_every_answer_to_staff_is_kept_nowhere_framed_nowhere_and_runs_nothing_of_others(
        estate: Estate, route: Route) -> None:
    answer = estate.ask("GET", address(estate, route.path), by=estate.person("manager"))
    assert answer.status == 200, answer.error
    require_safe(estate, answer, route.path)
    if answer.headers["content-type"].startswith("text/html"):
        require_inert(answer.text, route.path)
        assert "script-src 'self';" in answer.headers["content-security-policy"]
    if isinstance(view_at(route.path), Download):
        assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]{1,80}"', answer.headers["content-disposition"])


def require_inert(page: str, where: str) -> None:
    """No code or style in the page itself, and nothing fetched from elsewhere."""
    inline = r"<script(?![^>]*\bsrc=)|<style|\sstyle=|javascript:|<iframe|<object|<embed|<base"
    assert not re.search(inline, page, re.IGNORECASE), where
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", page, re.IGNORECASE), where
    fetched = re.findall(r'(?:src|action|formaction|hx-\w+)="([^"]*)"|<link[^>]*href="([^"]*)"', page)
    assert all(one.startswith(("/", "?", "#")) and not one.startswith("//") for pair in fetched for one in pair
               if one and not re.fullmatch(r"[\w :,.#\[\]=*>+~()-]+", one)), (where, fetched)


@pytest.mark.parametrize("where", OUTSIDE)
def test_whatever_is_answered_to_strangers_is_as_careful(estate: Estate, where: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "TRACE", "PROPFIND"):
        answer = estate.ask(method, where)
        require_safe(estate, answer, f"{method} {where}")
        assert answer.status < 500
        if method not in ("GET", "HEAD"):
            assert answer.status in (404, 405), f"{method} {where}: {answer.status}"


def test_an_error_of_ours_is_as_careful_and_says_nothing(estate: Estate) -> None:
    async def breaks(wiring: Wiring, request: Request) -> Response:
        raise RuntimeError("Rivera Anna 1976")

    broken = replace_app(estate, estate.wiring, (Route("GET", "/console/x", "staff", breaks, "read"),
                                                 Route("GET", "/api/v1/x", "staff", breaks, "read")))
    for where in ("/console/x", "/api/v1/x"):
        answer = broken.ask("GET", where)
        assert answer.status == 500 and "Rivera" not in answer.text and "Error" not in answer.text
        require_safe(estate, answer, where)


def replace_app(estate: Estate, wiring: Wiring, routes: tuple[Route, ...] = ROUTES) -> Estate:
    return replace(estate, app=make_app(wiring, routes), wiring=wiring)


def test_over_https_cookies_are_bound_to_the_host_and_browsers_are_told_to_stay(estate: Estate) -> None:
    road = replace(estate.wiring.road, public_url="https://bills.maple.example")
    safe = replace_app(estate, replace(estate.wiring, road=road))
    answer = safe.ask("GET", "/console/sign-in")
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    made = Response()
    who.remember(safe.wiring, made, "token")
    cookie = made.headers["set-cookie"]
    assert cookie.startswith("__Host-plainbill-staff=token") and "domain" not in cookie.lower()
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"))
    plain = {"cookie": f"plainbill-staff={estate.person('manager').cookie}"}
    assert safe.ask("GET", "/console/me", headers=plain).status == 303, "a cookie that any page could set is not taken"
    bound = {"cookie": f"__Host-plainbill-staff={estate.person('manager').cookie}"}
    assert safe.ask("GET", "/console/me", headers=bound).status == 200
    foreign = {**bound, "origin": f"http://{HOST}", "content-type": "application/x-www-form-urlencoded"}
    word = f"csrf={estate.person('manager').csrf}".encode()
    assert safe.ask("POST", "/console/me/sign-out-elsewhere", body=word, headers=foreign).status == 403
    own = {**foreign, "origin": "https://bills.maple.example", "host": "internal:8000"}
    assert safe.ask("POST", "/console/me/sign-out-elsewhere", body=word, headers=own).status == 303


TRAVERSALS = ("../frame.html", "..%2fframe.html", "%2e%2e%2fframe.html", "....//frame.html", "console.css%00.html",
              "/etc/passwd", "..\\..\\x", "words/me.en.toml", "__init__.py", "%2e%2e/%2e%2e/__init__.py",
              "console.css/..", "")


@pytest.mark.parametrize("name", TRAVERSALS)
def test_no_file_but_the_pages_own_can_be_fetched(estate: Estate, name: str) -> None:
    answer = estate.ask("GET", f"/console/assets/{name}")
    assert answer.status == 404 and "root:" not in answer.text and "{%" not in answer.text


def test_assets_are_kept_for_long_and_say_what_they_are(estate: Estate) -> None:
    for name in ("console.css", "console.js", "htmx.js", "pico.css"):
        answer = estate.ask("GET", f"/console/assets/{name}")
        assert answer.status == 200 and "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith(("text/css", "text/javascript"))
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_assets_are_packed_for_whoever_takes_them_so(estate: Estate) -> None:
    packed = estate.ask("GET", "/console/assets/pico.css", headers={"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip" and "accept-encoding" in packed.headers["vary"]
    whole = estate.ask("GET", "/console/assets/pico.css")
    assert "content-encoding" not in whole.headers
    assert int(packed.headers["content-length"]) < int(whole.headers["content-length"]) / 3


EVIL = ({"host": "evil.example"}, {"host": "evil.example", "x-forwarded-host": "evil.example"},
        {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example", "x-original-url": "/console/me",
         "x-rewrite-url": "/console/me"})


@pytest.mark.parametrize("headers", EVIL)
def test_a_host_that_is_not_ours_gets_into_no_answer(estate: Estate, headers: dict[str, str]) -> None:
    for where in ("/console/me", "/console/sign-in", "/api/v1/me", "/console/nothing", "/console/join/x"):
        for person in (None, estate.person("manager")):
            answer = estate.ask("GET", where, by=person, headers=headers)
            assert "evil" not in answer.text and "evil" not in str(answer.headers), where
            assert estate.ask("GET", where, headers=headers).status in (200, 303, 401, 404)


def test_a_method_in_a_header_a_field_or_the_address_is_not_one(estate: Estate) -> None:
    before, by = estate.digest(), estate.person("manager")
    for action in catalog.ACTIONS:
        for root in ("/console", "/api/v1"):
            where = f"{root}{filled.path(action.path, estate.ids[MINE])}?_method=POST&csrf={by.csrf}"
            for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "post"):
                answer = estate.ask(method, where, by=by, headers={
                    "x-http-method-override": "POST", "x-method-override": "POST", "x-http-method": "POST"})
                assert answer.status in (200, 404, 405, 422), (method, where, answer.status)
    assert changed(before, estate.digest()) == []


def test_signing_in_never_leads_to_another_host(estate: Estate) -> None:
    for wanted in ("https://evil.example", "//evil.example", "/\\evil.example", "/console/../..//evil.example",
                   "/console/%0d%0alocation:x", "javascript:alert(1)", "/console/me%00", "/console/@evil", "%09//evil"):
        page = estate.ask("GET", f"/console/sign-in?to={wanted}").text
        found = re.search(r'name="to" value="([^"]*)"', page)
        assert found and re.fullmatch(r"/console/[\w/.%-]*", found[1]), (wanted, found)
        assert "//" not in found[1] and ":" not in found[1]
    answer = estate.ask("GET", "/console//evil.example")
    assert answer.status == 404 and "location" not in answer.headers


def test_another_site_can_sign_nobody_in(estate: Estate) -> None:
    for where in ("cross-site", "same-site"):
        answer = estate.ask("POST", "/console/sign-in", form={"login": "ann", "password": "x"},
                            headers={"sec-fetch-site": where})
        assert answer.status == 403 and 'value="ann"' not in answer.text, "its form is not even read"
    own = estate.ask("POST", "/console/sign-in", form={"login": "ann", "password": "x"})
    assert 'value="ann"' in own.text


def test_a_session_that_nobody_used_is_over_and_its_page_says_nothing(estate: Estate) -> None:
    person, was = estate.person("reader"), estate.clock.at
    estate.clock.advance(minutes=16)
    answer = estate.ask("GET", "/console/me", by=person)
    estate.clock.at = was
    assert answer.status == 303 and answer.body == b""
    assert estate.clock.at - was == timedelta()


def test_a_note_in_the_address_says_only_what_we_say(estate: Estate) -> None:
    answer = estate.ask("GET", "/console/me?note=Call+%2B1900+now+<b>", by=estate.person("manager"))
    assert answer.status == 200 and "1900" not in answer.text
