"""Every address of the web application is in a table with who may ask it; nobody else gets in, and nothing changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from starlette.routing import Match

from billing.staff import RIGHTS, ROLES
from billing.store.tables import ApiKey, SignIn
from bot.web.app import ROUTES, make_app
from bot.web.console import catalog
from bot.web.console.table import Action, View
from bot.web.routes import Route
from tests.console import filled
from tests.console.estate import ALL_OR_SOME, HOST, MINE, OTHER, Answer, Estate, Persona, turns
from tests.console.samples import changed
from tests.web.fakes import wiring

STAFF = tuple(route for route in ROUTES if route.auth == "staff")
POSTS = tuple(route for route in STAFF if route.method == "POST")
#: Pages for somebody who is not signed in yet. They show nothing of any practice's.
OUTSIDE = {"/console/assets/{name}", "/console/sign-in", "/console/code", "/console/code/key", "/console/join/{token}",
           "/console/join/{token}/app.svg", "/console/sign-out"}


def is_api(route: Route) -> bool:
    return route.path.startswith("/api/v1/")


def action_of(route: Route) -> Action | None:
    plain = route.path.removeprefix("/api/v1").removeprefix("/console")
    return next((one for one in catalog.ACTIONS if route.method == "POST" and one.path == plain), None)


def shut(route: Route, answer: Answer) -> bool:
    """Sent to sign in, or told to."""
    if is_api(route):
        return answer.status == 401 and answer.headers["content-type"] == "application/problem+json"
    return answer.status == 303 and answer.headers["location"].startswith("/console/sign-in") and not answer.body


def ask(estate: Estate, route: Route, *, by: Persona | None = None, key: Persona | None = None, sound: bool = True,
        word: str | None = None, headers: dict[str, str] | None = None, address: str = "") -> Answer:
    """The route as its screen would ask it. ``sound``: with all that its form wants; else with what no form takes."""
    address, action = address or filled.path(route.path, estate.ids[MINE]), action_of(route)
    if action is None:
        return estate.ask(route.method, address, by=by, key=key, headers=headers)
    given = filled.form(action.form, action.name, estate.ids[MINE]) if sound else {"zz_nothing_takes_this": "x"}
    if action.upload or not is_api(route):
        return estate.ask("POST", address, by=by, key=key, word=word, headers=headers, form=given, files=action.upload)
    return estate.ask("POST", address, by=by, key=key, word=word, headers=headers, json_body=given)


def test_every_route_that_is_served_is_in_the_table_and_the_other_way_round() -> None:
    served = {(method, route.path) for route in make_app(wiring()).routes for method in route.methods or ()}  # type: ignore[attr-defined]  # all are routes of methods
    declared = {(route.method, route.path) for route in ROUTES}
    assert served == declared | {("HEAD", path) for method, path in declared if method == "GET"}
    assert len(declared) == len(ROUTES)


def test_every_staff_route_names_its_right_and_nothing_else_of_the_console_or_the_api_is_open() -> None:
    assert {route.right for route in STAFF} <= RIGHTS["manager"]
    inner = {route.path for route in ROUTES if route.path.startswith(("/console", "/api"))}
    assert inner - {route.path for route in STAFF} == OUTSIDE
    assert all(route.path.startswith(("/console/", "/api/v1/")) for route in STAFF)


def test_what_the_console_does_the_api_does_by_the_same_right() -> None:
    def of(root: str) -> set[tuple[str, str, str]]:
        return {(one.method, one.path.removeprefix(root), one.right) for one in STAFF if one.path.startswith(root)}

    assert of("/console") == of("/api/v1") - {("GET", "/openapi.json", "read")}


def test_no_address_is_hidden_behind_another_one() -> None:
    app = make_app(wiring())
    for route in ROUTES:
        plain = re.sub(r"\{\w+\}", "x1", route.path)
        scope: dict[str, Any] = {"type": "http", "method": route.method, "path": plain, "root_path": "", "headers": []}
        first = next(one for one in app.routes if one.matches(scope)[0] is Match.FULL)
        assert first.path == route.path, f"{route.path} is never reached"  # type: ignore[attr-defined]


def test_what_the_right_to_read_allows_changes_nothing_unless_it_is_about_the_asker_alone(estate: Estate) -> None:
    """A search is sent as a form, so that no address holds its words; it leaves its line in the trail and no more."""
    before, person = estate.digest(), estate.person("reader")
    for route in POSTS:
        if route.right == "read" and "/me/" not in route.path:
            answer = ask(estate, route, by=person)
            assert answer.status in (200, 303), (route.path, answer.status, answer.text, answer.error)
    assert changed(before, estate.digest()) in ([], ["audit"])


def test_lists_that_leave_the_house_need_the_right_to_export() -> None:
    for view in catalog.VIEWS:
        assert isinstance(view, View) or view.path.rpartition(".")[2] not in ("csv", "zip") or view.right != "read"


#: What the other practice's people have no more, for as long as a test takes: the row, what of it, and its value.
SPOILT: dict[str, tuple[Any, str, Callable[[datetime], object]]] = {
    "signed out": (SignIn, "ended_at", lambda now: now),
    "a password without its code": (SignIn, "stage", lambda now: "password"),
    "too late": (SignIn, "ends_at", lambda now: now), "a revoked key": (ApiKey, "revoked_at", lambda now: now),
    "an ended key": (ApiKey, "ends_at", lambda now: now)}
MADE_UP = {
    "nobody": {}, "a made up cookie": {"cookie": "plainbill-staff=" + "A" * 44},
    "a made up key": {"authorization": "Bearer pb_" + "A" * 44}, "another scheme": {"authorization": "Basic eDp4"}}


@pytest.fixture
def stranger(estate: Estate, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The headers of somebody who has no business here."""
    kind: str = request.param
    if kind in MADE_UP:
        yield MADE_UP[kind]
        return
    row, name, value = SPOILT[kind]
    person = estate.person("supervisor", OTHER)

    def put(new: object) -> None:
        estate.store.write(lambda s: s.query(row).filter(row.practice_id == OTHER).update({name: new}))

    was = estate.store.read(lambda s: getattr(s.query(row).filter(row.practice_id == OTHER).all()[-1], name))
    put(value(estate.clock()))
    yield {"authorization": f"Bearer {person.key}"} if row is ApiKey else {"cookie": f"plainbill-staff={person.cookie}"}
    put(was)


@ALL_OR_SOME
@pytest.mark.parametrize("stranger", [*MADE_UP, *SPOILT], indirect=True)
def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_changes_nothing(
        estate: Estate, stranger: dict[str, str], whole: bool) -> None:
    before = estate.digest()
    for route in STAFF if whole or stranger == {} else STAFF[::9]:
        answer = ask(estate, route, headers=stranger)
        assert shut(route, answer), (route.path, answer.status, answer.error)
    assert changed(before, estate.digest()) == []


@ALL_OR_SOME
@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_let_in_exactly_where_its_rights_say_so(estate: Estate, role: str, whole: bool) -> None:
    """Some: every change at the console, by a browser; all: every address, by a browser and by a program."""
    before, person = estate.digest(), estate.person(role)
    for route in STAFF if whole else [one for one in POSTS if not is_api(one)]:
        for one in [{"by": person}] + ([{"key": person}] if person.key and is_api(route) else []):
            answer = ask(estate, route, sound=False, **one)  # type: ignore[arg-type]
            assert (answer.status == 403) is (route.right not in RIGHTS[role]), (route.path, answer.status, answer.text)
            assert answer.status < 500 and not shut(route, answer), (route.path, answer.text, answer.error)
    assert changed(before, estate.digest()) == []


FOREIGN = ({"origin": "https://evil.example"}, {"origin": "http://127.0.0.1:8001"}, {"origin": f"https://{HOST}"},
           {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"})


@ALL_OR_SOME
def test_a_change_that_no_page_of_the_console_asked_for_is_refused_and_changes_nothing(
        estate: Estate, whole: bool) -> None:
    before, person = estate.digest(), estate.person("manager")
    words = ("", estate.person("biller").csrf, estate.person("manager", OTHER).csrf, "x", "\u00e9")
    wrong: list[dict[str, Any]] = [*({"word": one} for one in words), *({"headers": one} for one in FOREIGN)]
    for number, route in enumerate((*POSTS, Route("POST", "/console/sign-out", "public", POSTS[0].handler))):
        for one in [{"word": ""}, *turns(wrong, number, whole)]:
            answer = ask(estate, route, by=person, **one)
            assert answer.status == (303 if route.path == "/console/sign-out" else 403), (route.path, answer.text)
    assert changed(before, estate.digest()) == []


def test_a_word_in_the_address_is_no_word(estate: Estate) -> None:
    person = estate.person("manager")
    for route in POSTS[::7]:
        address = f"{filled.path(route.path, estate.ids[MINE])}?csrf={person.csrf}"
        assert ask(estate, route, by=person, word="", address=address).status == 403


def test_signing_in_as_somebody_else_leaves_the_first_ones_word_worthless(estate: Estate) -> None:
    assert len({one.csrf for one in estate.people.values()}) == len(estate.people)
