"""The API: the same table as the console, as JSON, for a key or a page of ours; what is wrong is said as a problem."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import pytest
from sqlalchemy import func, select

from billing import api_keys, rates, staff
from billing.staff import StaffRefused
from billing.store import window_queries
from billing.store.tables import ApiKey, Audit
from bot.web.console import catalog
from bot.web.console.table import Action, Download, View
from tests.console import filled
from tests.console.estate import ALL_OR_SOME, MINE, Answer, Estate, turns
from tests.console.samples import changed

DESCRIPTION = "/api/v1/openapi.json"


def described(estate: Estate) -> Any:
    return estate.ask("GET", DESCRIPTION, key=estate.person("reader")).json()


def is_problem(answer: Answer, status: int) -> bool:
    return (answer.status, answer.headers["content-type"]) == (status, "application/problem+json") and \
        set(answer.json()) == {"title", "detail", "status"}


def test_the_description_is_whole_names_every_address_once_and_is_for_whoever_is_signed_in(estate: Estate) -> None:
    assert is_problem(estate.ask("GET", DESCRIPTION), 401)
    found = described(estate)
    wanted = {(f"/api/v1{one.path}", "post" if isinstance(one, Action) else "get")
              for one in (*catalog.VIEWS, *catalog.ACTIONS)}
    assert {(path, method) for path, methods in found["paths"].items() for method in methods} == wanted
    names = [one["operationId"] for methods in found["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))
    assert not [ref for ref in _refs(found) if ref.rpartition("/")[2] not in found["components"]["schemas"]]


def _refs(value: Any) -> list[str]:
    if isinstance(value, dict):
        mine = [str(one) for key, one in value.items() if key == "$ref"]
        return mine + [ref for one in value.values() for ref in _refs(one)]
    return [r for one in value for r in _refs(one)] if isinstance(value, list) else []


@pytest.mark.parametrize("view", [one for one in catalog.VIEWS if isinstance(one, View)], ids=lambda one: one.path)
def test_what_a_view_answers_is_what_its_description_says(estate: Estate, view: View) -> None:
    found = described(estate)
    answer = look(estate, view)
    assert answer.status == 200, (answer.text[:500], answer.error)
    schema = found["paths"][f"/api/v1{view.path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema_rs.validate({**schema, "components": found["components"]}, answer.json())


@pytest.mark.parametrize("view", catalog.VIEWS, ids=lambda one: one.path)
def test_no_amount_is_a_fraction_and_no_answer_is_html(estate: Estate, view: View | Download) -> None:
    answer = look(estate, view)
    assert answer.status == 200 and "html" not in answer.headers["content-type"]
    if isinstance(view, View):
        for name, value in _leaves(answer.json()):
            assert not (name.endswith("_minor") and isinstance(value, float)), f"{view.path}: {name}"
            assert not (isinstance(value, str) and "</" in value), f"{view.path}: {name} is HTML"


def _leaves(value: Any, name: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, one in value.items() for leaf in _leaves(one, key)]
    return [leaf for one in value for leaf in _leaves(one, name)] if isinstance(value, list) else [(name, value)]


def test_a_key_acts_by_its_own_name_and_its_use_is_noted(estate: Estate) -> None:
    key = estate.person("biller")
    answer = estate.ask("POST", "/api/v1/me/sign-out-elsewhere", key=key)
    assert answer.status == 200 and set(answer.json()) == {"kind", "id", "result"}
    last = estate.store.read(lambda s: s.scalars(select(Audit).order_by(Audit.id.desc())).first())
    assert last is not None and (last.actor, last.action) == ("key:program biller", "me.sign_out_elsewhere")
    used = estate.store.read(lambda s: s.scalars(select(ApiKey.used_at).where(ApiKey.name == "program biller")).first())
    assert used == estate.clock()


def test_a_key_needs_no_word_for_no_page_has_it_and_a_session_needs_its_own(estate: Estate) -> None:
    person, other = estate.person("biller"), estate.person("manager")
    path = "/api/v1/me/sign-out-elsewhere"
    assert estate.ask("POST", path, by=person).status == 200
    assert is_problem(estate.ask("POST", path, by=person, word=""), 403)
    assert is_problem(estate.ask("POST", path, by=person, word=other.csrf), 403)
    wrong_key = {"authorization": "Bearer pb_nobodys"}
    assert is_problem(estate.ask("POST", path, by=person, headers=wrong_key), 401), "whoever else is signed in"


def look(estate: Estate, view: View | Download) -> Answer:
    query = filled.form(view.query, view.name, estate.ids[MINE])
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    path = filled.path(view.path, estate.ids[MINE])
    return estate.ask("GET", f"/api/v1{path}?{asked}", by=estate.person("manager"))


def press(estate: Estate, action: Action, body: bytes) -> Answer:
    path = filled.path(action.path, estate.ids[MINE])
    return estate.ask("POST", f"/api/v1{path}", by=estate.person("manager"), body=body,
                      headers={"content-type": "application/json"})


BAD = (b"[]", b"{", b"nul", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1e999}', b"1" * 5000,
       b'{"zz": "\\u0000"}', b'{"zz": "\\ud800"}', b'{"\\u0000": 1}')


@ALL_OR_SOME
def test_what_is_no_json_object_is_not_understood_and_never_an_error_of_ours(estate: Estate, whole: bool) -> None:
    before = estate.digest()
    for number, action in enumerate(one for one in catalog.ACTIONS if not one.upload):
        for body in turns(BAD, number, whole, 3):
            answer = press(estate, action, body)
            assert is_problem(answer, 422), (action.path, body[:20], answer.status)
    assert changed(before, estate.digest()) == []


def test_too_much_is_told_so_and_other_types_are_not_json(estate: Estate) -> None:
    person, path = estate.person("biller"), "/api/v1/me/sign-out-elsewhere"
    assert is_problem(estate.ask("POST", path, by=person, body=b"x" * 300_000), 413)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"):
        assert is_problem(estate.ask("POST", path, by=person, body=b"{}", headers={"content-type": kind}), 415)
    assert estate.ask("POST", path, by=person, body=b"{}",
                      headers={"content-type": "application/json; charset=utf-8"}).status == 200


def test_addresses_that_are_none_and_methods_that_are_none_are_problems_too(estate: Estate) -> None:
    assert is_problem(estate.ask("GET", "/api/v1/nothing-here", key=estate.person("biller")), 404)
    assert is_problem(estate.ask("GET", "/api/v2/me", key=estate.person("biller")), 404)
    for method in ("DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "POST"):
        answer = estate.ask(method, "/api/v1/me", key=estate.person("biller"))
        assert is_problem(answer, 405) and set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


STRANGE = ("%00", "..%2f..%2fetc", "%f0%9f%92%a9", "%27%20OR%201=1", "a" * 300, "%0d%0aset-cookie:x", "%ff",
           "x1", "9" * 30, "-1", "1e9", "1.5")


@ALL_OR_SOME
def test_a_part_of_an_address_that_can_be_nobodys_is_not_there(estate: Estate, whole: bool) -> None:
    for number, view in enumerate(catalog.VIEWS):
        for strange in turns(STRANGE, number, whole):
            for part in filled.parts(view.path):
                asked = urlencode(filled.form(view.query, view.name, estate.ids[MINE]), doseq=True)
                path = f"{filled.path(view.path, estate.ids[MINE], **{part: strange})}?{asked}"
                assert is_problem(estate.ask("GET", f"/api/v1{path}", by=estate.person("manager")), 404)
                assert estate.ask("GET", f"/console{path}", by=estate.person("manager")).status == 404


def test_one_key_may_ask_so_often_and_is_told_when_to_go_on_and_another_is_not_held_up(estate: Estate) -> None:
    person, clock = estate.person("auditor"), estate.clock
    start = clock.advance(minutes=1)
    row = estate.store.read(lambda s: api_keys.look(s, person.key, clock())).person
    assert row is not None
    window_at = rates._window(rates.API, clock())
    estate.store.write(lambda s: window_queries.take(
        s, MINE, rates._mine(rates.API, row.staff_id), window_at, rates.API.most, None))
    answer = estate.ask("GET", "/api/v1/me", key=person)
    assert is_problem(answer, 429) and 0 < int(answer.headers["retry-after"]) <= 60
    assert estate.ask("GET", "/api/v1/me", key=estate.person("biller")).status == 200
    clock.advance(seconds=int(answer.headers["retry-after"]))
    assert estate.ask("GET", "/api/v1/me", key=person).status == 200
    assert clock() - start <= timedelta(minutes=1)


def test_no_program_is_a_manager_and_every_key_ends(estate: Estate) -> None:
    def make(role: str, days: int) -> str:
        return estate.store.write(lambda s: api_keys.make(
            s, MINE, f"x {role} {days}", role, days, "test", estate.clock()))

    for role, days in (("manager", 1), ("nobody", 1), ("reader", 0), ("reader", 367)):
        with pytest.raises(StaffRefused):
            make(role, days)
    kept = estate.store.read(lambda s: s.scalar(select(func.count()).select_from(ApiKey).where(
        ApiKey.key_hash == make("reader", 1))))
    assert kept == 0, "only a keyed hash is kept"


def test_a_problem_repeats_nothing_that_was_sent(estate: Estate) -> None:
    secret = "Rivera Anna 1976"
    for action in catalog.ACTIONS:
        answer = press(estate, action, json.dumps({secret: secret}).encode())
        assert answer.status == 422 and "Rivera" not in answer.text, action.path


def test_a_program_does_the_work_of_its_role_but_approves_nothing(estate: Estate) -> None:
    login = "key:program supervisor"

    def require(right: str, by: str = login) -> Any:
        return estate.store.read(lambda s: staff.require(s, MINE, by, right).role)

    assert require("cases") == "supervisor" and require("send") == "supervisor"
    for right, by in (("approve", login), ("policy", login), ("cases", "key:nobodys"), ("cases", "key:program reader")):
        with pytest.raises(StaffRefused):
            require(right, by)
    with pytest.raises(StaffRefused):
        staff.require_other(login, "ann")
