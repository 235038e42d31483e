"""Two practices in one store: whatever one of them is asked about the other's, there is no such thing, and it stays."""

from __future__ import annotations

from typing import Any

import pytest

from billing import (
    assistance,
    campaigns,
    cases,
    message_life,
    payment_status,
    placement_money,
    plan_status,
    policy_changes,
    refund_status,
    settlement_offers,
    write_offs,
)
from bot.web.console import catalog
from bot.web.console.table import Action, View
from tests.console import filled
from tests.console.estate import MINE, OTHER, Answer, Estate, Persona
from tests.console.samples import CANARY, NAMES, SAMPLES, changed

EVERY = (*catalog.VIEWS, *catalog.ACTIONS)
WITH_PARTS = tuple(one for one in EVERY if filled.parts(one.path))


def ask(estate: Estate, one: Any, root: str, address: str, by: Persona, **fields: Any) -> Answer:
    """As its screen would, with ``fields`` instead of its own."""
    rows = estate.ids[MINE]
    if not isinstance(one, Action):
        query = "&".join(f"{name}={value}" for name, value in {**_query(one, rows), **fields}.items())
        return estate.ask("GET", f"{root}{address}?{query}", by=by)
    given = {**filled.form(one.form, one.name, rows), **fields}
    if one.upload or root == "/console":
        return estate.ask("POST", f"{root}{address}", by=by, form=given, files=one.upload)
    return estate.ask("POST", f"{root}{address}", by=by, json_body=given)


def _query(view: Any, rows: filled.Ids) -> dict[str, Any]:
    return filled.form(view.query, view.name, rows)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_every_part_of_an_address_has_a_sample_and_every_form_can_be_filled_in(estate: Estate, one: Any) -> None:
    """Else nobody would try another practice's: add it to tests/console/samples.py (or filled.py: EXAMPLES)."""
    unknown = [part for part in filled.parts(one.path) if part not in SAMPLES and part not in NAMES]
    assert unknown == [], f"{one.path}: add {unknown} to SAMPLES"
    model = one.form if isinstance(one, Action) else one.query
    given = filled.form(model, one.name, estate.ids[MINE])
    model.model_validate({name: value.encode() if name == "file" else value for name, value in given.items()})


@pytest.mark.parametrize("root", ["/console", "/api/v1"])
def test_another_practices_ids_are_nobodys_and_nothing_of_theirs_is_shown_or_changed(estate: Estate, root: str) -> None:
    before, by = estate.digest(), estate.person("manager")
    for one in WITH_PARTS:
        for part in (part for part in filled.parts(one.path) if part not in NAMES):
            table, column = SAMPLES[part]
            theirs = str(estate.ids[OTHER][table][column])
            answer = ask(estate, one, root, filled.path(one.path, estate.ids[MINE], **{part: theirs}), by)
            assert answer.status == 404, f"{root}{one.path}, another practice's {part}: {answer.status} {answer.text}"
            assert f"{CANARY} 8" not in answer.text
    assert changed(before, estate.digest()) == []


@pytest.mark.parametrize("root", ["/console", "/api/v1"])
def test_another_practices_ids_in_a_form_or_a_search_are_nobodys_either(estate: Estate, root: str) -> None:
    before, by = estate.digest(), estate.person("manager")
    for one in EVERY:
        for name in filled.ids_in(one.form if isinstance(one, Action) else one.query):
            table, column = SAMPLES[name.removesuffix("s") if name.endswith("_ids") else name]
            theirs = str(estate.ids[OTHER][table][column])
            answer = ask(estate, one, root, filled.path(one.path, estate.ids[MINE]), by,
                         **{name: [theirs] if name.endswith("_ids") else theirs})
            wanted = (404, 409, 422) if isinstance(one, Action) else (200, 404, 422)
            assert answer.status in wanted, f"{root}{one.path} with another practice's {name}: {answer.status}"
            assert f"{CANARY} 8" not in answer.text
    assert changed(before, estate.digest()) == []


def test_what_one_practice_sees_holds_nothing_of_the_other(estate: Estate) -> None:
    """Every list and search too: the other practice has a row in every table, and each of them says so."""
    for view in catalog.VIEWS:
        for practice, number in ((MINE, "8"), (OTHER, "10")):
            address = filled.path(view.path, estate.ids[practice])
            query = "&".join(f"{name}={value}" for name, value in _query(view, estate.ids[practice]).items())
            answer = estate.ask("GET", f"/api/v1{address}?{query}", by=estate.person("manager", practice))
            assert answer.status < 500, (view.path, answer.error)
            assert f"{CANARY} {number}" not in answer.text, f"{view.path} shows another practice's"


@pytest.mark.parametrize("view", [one for one in catalog.VIEWS if filled.parts(one.path)], ids=lambda one: one.name)
def test_ones_own_ids_are_somebodys(estate: Estate, view: Any) -> None:
    """So that the 404 above says something."""
    address, by = filled.path(view.path, estate.ids[MINE]), estate.person("manager")
    answer = ask(estate, view, "/api/v1", address, by)
    assert answer.status == 200, (view.path, answer.status, answer.text[:300], answer.error)
    if isinstance(view, View):
        assert ask(estate, view, "/console", address, by).status == 200


@pytest.mark.parametrize("number", range(len(catalog.ACTIONS)), ids=[one.name for one in catalog.ACTIONS])
def test_ones_own_ids_are_acted_on_or_refused_in_words(estate: Estate, number: int) -> None:
    """Run last: this changes things. A 404 for one's own would make the 404 for another's say nothing."""
    action = catalog.ACTIONS[number]
    answer = ask(estate, action, "/api/v1", filled.path(action.path, estate.ids[MINE]), estate.person("manager"))
    assert answer.status in (200, 409, 422), (action.path, answer.status, answer.text[:300], answer.error)


#: Tables of the samples with the lives that know their statuses.
_LIVES = {"payments": payment_status.MOVES, "refunds": refund_status.MOVES, "plans": plan_status.MOVES,
          "placements": placement_money.MOVES, "write_offs": write_offs.MOVES, "campaigns": campaigns.MOVES,
          "policy_changes": policy_changes.MOVES, "assistance_applications": assistance.MOVES, "cases": cases.MOVES,
          "settlement_offers": settlement_offers.MOVES, "outbox": message_life.MOVES}


@pytest.mark.parametrize("table", _LIVES)
def test_every_sample_stands_where_its_life_can_be(estate: Estate, table: str) -> None:
    """Else a screen is tried with a row that no practice ever has."""
    assert estate.ids[MINE][table]["status"] in _LIVES[table]
