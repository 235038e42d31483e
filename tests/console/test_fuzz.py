"""Whatever a program or a browser sends, known or not: never an error of ours, and no change without authority.

schemathesis makes the requests from the API's own description; the same bodies go to the console as its forms. In the
fast suite each field gets a few values by hand; thousands of cases run with the slow tests, and more in `make deep`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from billing.staff import RIGHTS, ROLES
from bot.web.console import catalog
from bot.web.console.table import Action
from bot.write import Store
from tests.conftest import Clock
from tests.console import filled
from tests.console.estate import ALL_OR_SOME, MINE, Answer, Estate, settle, turns
from tests.console.samples import SAMPLES, changed
from tests.depth import draws

BASE = "http://127.0.0.1:8000"
HOW = settings(deadline=None, derandomize=True, database=None, phases=(Phase.generate,),
               suppress_health_check=list(HealthCheck))
SOUND = frozenset({200, 303, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429})

#: What no field of ours should choke on.
NASTY: tuple[Any, ...] = (
    None, True, 0, -1, 2 ** 63, 10 ** 40, 1.5, "", " ", "0", "-1", "99999999999999999999", "1e5", "NaN",
    "2026-02-30", "9999-12-31", "0001-01-01", "x" * 5000, "\x00", "\ud800", "\U0001f4a9", "' OR 1=1 --", [],
    ["x", None], {}, {"a": []}, [[[]]], ["x"] * 600)


@ALL_OR_SOME
def test_a_field_of_any_form_or_search_may_hold_anything_and_breaks_nothing(estate: Estate, whole: bool) -> None:
    hold_anything(estate, whole)


@pytest.mark.slow
def test_nor_does_it_on_postgresql(postgresql_store: Store) -> None:
    """It refuses what SQLite takes: NUL, numbers beyond a column, comparing a number with a text."""
    settled = settle(postgresql_store, Clock())
    hold_anything(settled, whole=True)
    for view in catalog.VIEWS:
        for part in filled.parts(view.path):
            path = filled.path(view.path, settled.ids[MINE], **{part: "a%00"})
            assert settled.ask("GET", f"/api/v1{path}", by=settled.person("manager")).status == 404
    settled.loop.close()


def hold_anything(estate: Estate, whole: bool) -> None:
    by, rows, number = estate.person("manager"), estate.ids[MINE], 0
    for one in (*catalog.VIEWS, *catalog.ACTIONS):
        model = one.form if isinstance(one, Action) else one.query
        for name in model.model_fields:
            number += 1
            for value in turns(NASTY, number, False, draws(len(NASTY), in_ci=10) if whole else 3):
                given_now, path = {**filled.form(model, one.name, rows), name: value}, filled.path(one.path, rows)
                if not isinstance(one, Action):
                    query = urlencode(given_now, doseq=True, errors="replace")
                    answer = estate.ask("GET", f"/api/v1{path}?{query}", by=by)
                elif one.upload:
                    answer = estate.ask("POST", f"/api/v1{path}", by=by, form=given_now, files=True)
                else:
                    answer = estate.ask("POST", f"/api/v1{path}", by=by, json_body=given_now)
                assert answer.status in SOUND, (one.path, name, value, answer.status, answer.text[:200], answer.error)


@pytest.fixture(scope="module")
def description(estate: Estate) -> Any:
    return estate.ask("GET", "/api/v1/openapi.json", key=estate.person("reader")).json()


def operations(description: Any, only: slice) -> Iterator[tuple[Any, Any, str]]:
    """Each operation with its cases, as they should be and as they should not, and the right that it needs."""
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        schema = schemathesis.openapi.from_dict(description)
        for found in list(schema.get_all_operations())[only]:
            assert isinstance(found, Ok), found
            operation = found.ok()
            takes = operation.body or operation.query or operation.path_parameters
            if mode is GenerationMode.POSITIVE or takes:  # nothing about the rest can be wrong
                right = operation.definition.raw["description"].split("`")[1]
                yield operation, operation.as_strategy(generation_mode=mode), right


def send(estate: Estate, case: Any, by: dict[str, Any], *, as_form: bool = False) -> Answer:
    """A case as the application hears it; ``as_form``: at the console, as a browser would send it."""
    sent = case.as_transport_kwargs(base_url=BASE)
    query = urlencode(dict(sent.get("params") or {}), doseq=True, errors="replace")
    path = sent["url"].removeprefix(BASE) + (f"?{query}" if query else "")
    path = path.replace("/api/v1", "/console", 1) if as_form else path
    files = "multipart/form-data" in str(case.media_type)
    if case.method == "POST" and (as_form or files):
        fields = case.body if isinstance(case.body, dict) else {}
        return estate.ask("POST", path, form={_plain(k): _plain(v) for k, v in fields.items()}, files=files, **by)
    raw = json.dumps(sent["json"]).encode() if "json" in sent else b""
    return estate.ask(case.method, path, body=raw, **by,
                      headers={**({"content-type": "application/json"} if raw else {}), **by.get("headers", {})})


def _plain(value: Any) -> Any:
    return [str(one) for one in value] if isinstance(value, list) else value if isinstance(value, bytes) else str(value)


def fuzz(estate: Estate, description: Any, by: dict[str, Any], who: str, most: int, rights: frozenset[str],
         only: slice = slice(None)) -> None:
    """Ask every operation ``most`` times in both ways; whoever lacks its right changes nothing by it."""
    for operation, cases, right in operations(description, only):
        before = estate.digest() if right not in rights else {}
        many(estate, cases, by, who, most)
        assert not before or changed(before, estate.digest()) == [], f"{who} changed something by {operation.label}"


def many(estate: Estate, cases: Any, by: dict[str, Any], who: str, most: int) -> None:
    @settings(HOW, max_examples=most)
    @given(case=cases, known=st.booleans())
    def one(case: Any, known: bool) -> None:
        for name in case.path_parameters or {}:
            if known and name in SAMPLES:  # a made up id finds nothing, and tries little
                case.path_parameters[name] = filled.sample(name, estate.ids[MINE])
        for as_form in (False, True):
            if not as_form or "openapi.json" not in case.path:
                answer = send(estate, case, by, as_form=as_form)
                assert answer.status in SOUND, (who, case.method, case.path, case.body, answer.text[:300], answer.error)

    one()


def test_the_first_operation_and_the_last_stand_for_the_others_in_the_fast_suite(
        estate: Estate, description: Any) -> None:
    ends = slice(None, None, len(catalog.VIEWS) + len(catalog.ACTIONS) - 1)
    fuzz(estate, description, {"by": estate.person("reader")}, "reader", 3, RIGHTS["reader"], ends)


@pytest.mark.slow
def test_nobody_changes_anything_and_breaks_nothing(estate: Estate, description: Any) -> None:
    fuzz(estate, description, {}, "nobody", draws(10, in_ci=3), frozenset())


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_a_role_changes_nothing_beyond_its_rights_and_breaks_nothing(
        estate: Estate, description: Any, role: str) -> None:
    most = draws(10, in_ci=4) if role == "manager" else draws(4, in_ci=2)
    fuzz(estate, description, {"by": estate.person(role)}, role, most, RIGHTS[role])


@pytest.mark.slow
def test_a_page_of_another_site_changes_nothing_whatever_it_sends(estate: Estate, description: Any) -> None:
    """No right at all: whatever it asks in a manager's browser, it has not the page's word."""
    posts = {path: {"post": methods["post"]} for path, methods in description["paths"].items() if "post" in methods}
    by = {"by": estate.person("manager"), "word": "x"}
    fuzz(estate, {**description, "paths": posts}, by, "another site", draws(6, in_ci=2), frozenset())
