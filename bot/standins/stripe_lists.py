"""Lists as Stripe pages them, newest first, and expansion of id fields into their objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bot.standins.journal import Row
from bot.standins.stripe_account import TABLES, Account, Asked, StripeError, prefix_of
from bot.standins.stripe_state import INDEXED, Filter, Shelf

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def listing(
    account: Account,
    table: str,
    asked: Asked,
    *fields: str,
    where: Filter | None = None,
    among: list[str] | None = None,
) -> Row:
    """A list object of one table by limit, starting_after, ending_before, created and the given equal fields.

    `where` narrows further; `among` are the only ids looked at, in the order they were made.
    """
    shelf = account.shelf(table)
    wanted = {name: asked.params[name] for name in fields if asked.params.get(name) is not None}
    ids = _candidates(shelf, wanted) if among is None else among
    low, high = _window(shelf, ids, asked.params.get("created") or {})
    if after := asked.params.get("starting_after"):
        high = min(high, shelf.before(ids, _place(shelf, after, "starting_after")))
    places: Iterator[int] = iter(range(high - 1, low - 1, -1))
    if before := asked.params.get("ending_before"):
        low = max(low, shelf.before(ids, _place(shelf, before, "ending_before") + 1))
        places = iter(range(low, high))
    limit = _limit(asked)
    rows = list(_matching(account, table, (ids[place] for place in places), wanted, asked, where, limit + 1))
    found = rows[:limit][::-1] if before else rows[:limit]
    return {"object": "list", "url": asked.path, "has_more": len(rows) > limit, "data": found}


def _candidates(shelf: Shelf, wanted: Row) -> list[str]:
    for name in INDEXED:
        if name in wanted:
            return shelf.among(name, wanted[name])
    return shelf.order


def _window(shelf: Shelf, ids: list[str], created: dict[str, int]) -> tuple[int, int]:
    """Which part of the ids can satisfy `created`, as far as order tells."""
    if not shelf.in_time:
        return 0, len(ids)
    lows = [shelf.since(ids, bound + (name == "gt")) for name, bound in created.items() if name in ("gt", "gte")]
    highs = [shelf.since(ids, bound + (name == "lte")) for name, bound in created.items() if name in ("lt", "lte")]
    return max(lows, default=0), min(highs, default=len(ids))


def _matching(
    account: Account,
    table: str,
    ids: Iterator[str],
    wanted: Row,
    asked: Asked,
    where: Filter | None,
    most: int,
) -> Iterator[Row]:
    rows, created = account.journal.table(table), asked.params.get("created") or {}
    for identifier in ids:
        row = rows[identifier]
        fits = all(row[name] == value for name, value in wanted.items()) and _created_within(row, created)
        if fits and (where is None or where(row)):
            yield account.shown(row)
            most -= 1
        if most == 0:
            return


def _created_within(row: Row, wanted: dict[str, int]) -> bool:
    return all(_COMPARE[name](row["created"], bound) for name, bound in wanted.items())


def _place(shelf: Shelf, identifier: str, param: str) -> int:
    if identifier not in shelf.place:
        raise StripeError(400, f"No such object: '{identifier}'", code="resource_missing", param=param)
    return shelf.place[identifier]


def _limit(asked: Asked) -> int:
    given = asked.params.get("limit")
    limit = 10 if given is None else int(given)
    if not 1 <= limit <= 100:
        raise StripeError(400, "limit must be between 1 and 100", param="limit")
    return limit


def expand(account: Account, thing: Row, paths: list[str]) -> Row:
    """The object with the named id fields replaced by their objects; raises StripeError for what has none."""
    for path in paths:
        thing = _expand(account, thing, path.split("."), path)
    return thing


def _expand(account: Account, thing: Row, steps: list[str], path: str) -> Row:
    head, rest = steps[0], steps[1:]
    if head == "data" and isinstance(thing.get("data"), list):
        return {**thing, "data": [_expand(account, item, rest, path) for item in thing["data"]]}
    if head == "line_items" and thing["object"] == "checkout.session":
        return {**thing, head: _lines(account, thing)}
    if head == "refunds" and thing["object"] == "charge":
        return {**thing, head: _refunds(account, thing)}
    if head not in thing:
        raise _unexpandable(path)
    value: Any = thing[head]
    if isinstance(value, str) and prefix_of(value) in TABLES:
        value = account.shown(account.find(value, prefix_of(value)))
    elif value is not None and not isinstance(value, dict):
        raise _unexpandable(path)
    if rest and value is not None:
        value = _expand(account, value, rest, path)
    return {**thing, head: value}


def _lines(account: Account, session: Row) -> Row:
    lines = account.journal.table("session_extras")[session["id"]]["line_items"]
    return {
        "object": "list",
        "url": f"/v1/checkout/sessions/{session['id']}/line_items",
        "has_more": False,
        "data": lines,
    }


def _refunds(account: Account, charge: Row) -> Row:
    """The newest ten, as the API embeds them."""
    ids = account.shelf("refunds").among("charge", charge["id"])
    rows = account.journal.table("refunds")
    data = [rows[one] for one in reversed(ids[-10:])]
    return {"object": "list", "url": f"/v1/charges/{charge['id']}/refunds", "has_more": len(ids) > 10, "data": data}


def _unexpandable(path: str) -> StripeError:
    return StripeError(400, f"This property cannot be expanded ({path}).", param="expand")
