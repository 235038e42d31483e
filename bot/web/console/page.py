"""A page of the console from what was read: the frame around it, who is signed in, and where they may go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from billing.ids import new_id
from billing.staff import RIGHTS
from bot.web.console.table import Asked
from templates.web import console

#: (words, address below /console, right): what stands in the bar on the left.
PLACES: tuple[tuple[str, str, str], ...] = (
    ("inbox", "/inbox", "read"), ("accounts", "/accounts", "read"), ("worklists", "/worklists", "read"),
    ("campaigns", "/campaigns", "read"), ("templates", "/words", "read"), ("settings", "/policy", "read"),
    ("imports", "/imports", "read"), ("money", "/money", "read"), ("reports", "/reports", "read"),
    ("people", "/people", "staff"), ("trail", "/trail", "audit"),
)


def shown(name: str, asked: Asked[Any], found: Any, *, address: str = "", note: str = "", again: str = "") -> str:
    """Render ``name``.html. ``again``: where the same is read in another language, up to the language's own parameter;
    empty where nothing can be asked for again.
    """
    places = [(word, f"/console{where}", f"{address}/".startswith(f"/console{where}/"))
              for word, where, right in PLACES if right in RIGHTS[asked.person.role]]
    return console.page(name, asked.language, {
        "it": found, "me": asked.person, "practice": asked.policy.name, "zone": ZoneInfo(asked.policy.zone),
        "currency": asked.policy.currency, "places": places, "rights": RIGHTS[asked.person.role], "path": asked.path,
        "query": asked.query, "now": asked.now, "today": asked.today, "csrf": asked.person.csrf,
        "note": note, "via": asked.via, "once": one_press(), "idle_minutes": asked.policy.console.idle_minutes,
        "address": address, "again": again,
    })


def one_press() -> str:
    """What a form sends so that pressed twice it does its deed once: an id like any other (fields.Id), which a bare
    token, with a dash or underscore in front now and then, is not.
    """
    return new_id("once")


def outside(name: str, language: str, arguments: Mapping[str, Any]) -> str:
    """A page for somebody who is not signed in: it names no practice and nobody."""
    return console.page(name, language, arguments)
