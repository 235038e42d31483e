"""The demo's door to the console is the demo's alone: no wiring for patients and staff of a practice has it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from starlette.routing import Route

from bot.demo.clock import DemoClock
from bot.demo.desk import Desk
from bot.demo.door import PRESS, NotHere, hang
from bot.web.app import ROUTES, make_app
from bot.web.wiring import Wiring
from config.settings import Settings
from tests.architecture.source import PACKAGES, ROOT
from tests.web.fakes import wiring


def test_a_production_wiring_has_no_such_door() -> None:
    """It is not in the table, and not in an application that is made from the table."""
    assert PRESS not in {route.path for route in ROUTES}
    served = [route.path for route in make_app(wiring()).routes if isinstance(route, Route)]
    assert [path for path in served if "demo" in path] == []
    assert served.count("/console/sign-in") == 2  # to look at and to send, both the table's


def test_nothing_outside_of_the_demo_can_hang_it() -> None:
    shipped = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    hangers = {path.relative_to(ROOT).parts[:2] for path in shipped
               if re.search(r"bot[.]demo(?: import .*)?\b(?:door|desk)\b", path.read_text(encoding="utf-8"))}
    assert hangers == {("bot", "demo")}


@pytest.mark.parametrize("settings", [
    Settings(host="0.0.0.0"), Settings(host="192.0.2.7"), Settings.model_construct(
        host="127.0.0.1", environment="production")], ids=["every address", "another machine's", "production"])
def test_it_is_not_hung_where_others_could_reach_it(settings: Settings) -> None:
    made, plain = make_app(wiring()), wiring()
    before = list(made.routes)
    with pytest.raises(NotHere):
        hang(made, Wiring(settings, plain.road, plain.processor),
             Desk(plain.road.store, "main", DemoClock(datetime(2026, 11, 17, 15, tzinfo=UTC))))
    assert made.routes == before
