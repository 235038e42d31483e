"""One Stripe account of the stand-in: options, state, errors, lists, expansion."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web

from bot.standins.courier import Courier
from bot.standins.journal import Clock, Journal, Row
from bot.standins.wire import Faults

API_VERSION = "2026-10-28.endive"
API_DATE = "2026-10-28"

TABLES = {
    "ch": "charges",
    "cs": "sessions",
    "cus": "customers",
    "evt": "events",
    "pi": "payment_intents",
    "pm": "payment_methods",
    "re": "refunds",
    "txn": "balance_transactions",
}


@dataclass(frozen=True)
class StripeOptions:
    """How the stand-in behaves.

    `clock` dates the objects and ages the idempotency keys; `sign_clock` dates the signatures, because whoever checks
    them compares with the real time. `search_lag_s`: how long a new PaymentIntent stays unsearchable, as Stripe's
    search is behind its writes. `latency_ms` is how long a request is in flight.
    """

    api_key: str = "sk_test_standin"
    webhook_url: str = ""
    webhook_secret: str = "whsec_standin"
    journal: Path | None = None
    event_delay_ms: int = 0
    latency_ms: int = 0
    search_lag_s: float = 0.0
    idempotency_ttl_s: float = 24 * 3600
    retry_delays_s: tuple[float, ...] = (0.1, 0.3, 1.0)
    timeout_s: float = 15.0
    clock: Clock = time.time
    sign_clock: Clock = time.time


class StripeError(Exception):
    """An error of Stripe's. `extra` goes into the error object (decline_code, charge, payment_intent ...)."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        extra: Row | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        error: Row = {"message": message, "type": kind, **(extra or {})}
        if code is not None:
            error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
        if param is not None:
            error["param"] = param
        self.body: Row = {"error": error}


@dataclass(frozen=True)
class Asked:
    """A checked request. `base` is our own address, `id` the object named in the path."""

    path: str
    params: dict[str, Any]
    base: str
    request_id: str
    key: str | None = None
    id: str = ""


@dataclass
class Account:
    """The running state. All that must survive is in the journal's tables: those of TABLES, "session_extras",
    "idempotency" (key -> {"at", "fingerprint", "status", "body"}), "endpoint", "deliveries".
    """

    options: StripeOptions
    journal: Journal
    courier: Courier
    faults: Faults = field(default_factory=Faults)
    in_flight: set[str] = field(default_factory=set)
    outgoing: list[Row] = field(default_factory=list)

    def now(self) -> int:
        return int(self.journal.clock())

    def flush(self) -> None:
        """Send the events of the line just written."""
        rows, self.outgoing = self.outgoing, []
        if rows:
            self.courier.dispatch_in_order(rows)

    def put(self, thing: Row) -> Row:
        self.journal.put(TABLES[_prefix(thing["id"])], thing["id"], thing)
        return thing

    def change(self, thing: Row, **fields: Any) -> Row:
        """A changed copy takes the place of the object, so that events keep what they saw."""
        return self.put({**thing, **fields})

    def find(self, identifier: str, prefix: str, param: str = "id") -> Row:
        """Raises StripeError 404 (in the path) or 400 (in a parameter) resource_missing."""
        row = self.journal.table(TABLES[prefix]).get(identifier)
        if row is None:
            name = TABLES[prefix].rstrip("s").replace("session", "checkout.session")
            status = 404 if param == "id" else 400
            raise StripeError(status, f"No such {name}: '{identifier}'", code="resource_missing", param=param)
        return row


ACCOUNT: web.AppKey[Account] = web.AppKey("stripe_account", Account)


def new_id(prefix: str) -> str:
    return f"{prefix}_{'test_' if prefix == 'cs' else ''}{uuid4().hex[:24]}"


def _prefix(identifier: str) -> str:
    return identifier.split("_", 1)[0]


def merge_metadata(old: Row, given: Row | None) -> Row:
    """An empty value removes a key; None (an empty `metadata`) removes all."""
    if given is None:
        return {}
    return {key: value for key, value in {**old, **given}.items() if value != ""}


def page(rows: Iterable[Row], asked: Asked) -> Row:
    """A list object, newest first, by limit, starting_after, ending_before and created."""
    found = [row for row in reversed(list(rows)) if _created_within(row, asked.params.get("created"))]
    limit = asked.params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise StripeError(400, "limit must be between 1 and 100", param="limit")
    ids = [row["id"] for row in found]
    if after := asked.params.get("starting_after"):
        found = found[_position(ids, after, "starting_after") + 1 :]
    if before := asked.params.get("ending_before"):
        found = found[: _position(ids, before, "ending_before")]
        return _list_object(asked, found[-limit:], len(found) > limit)
    return _list_object(asked, found[:limit], len(found) > limit)


def _list_object(asked: Asked, rows: list[Row], more: bool) -> Row:
    return {"object": "list", "url": asked.path, "has_more": more, "data": rows}


def _position(ids: list[str], identifier: str, param: str) -> int:
    if identifier not in ids:
        raise StripeError(400, f"No such object: '{identifier}'", code="resource_missing", param=param)
    return ids.index(identifier)


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def _created_within(row: Row, wanted: dict[str, int] | None) -> bool:
    return all(_COMPARE[name](row["created"], bound) for name, bound in (wanted or {}).items())


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
        lines = account.journal.table("session_extras")[thing["id"]]["line_items"]
        url = f"/v1/checkout/sessions/{thing['id']}/line_items"
        return {**thing, head: {"object": "list", "url": url, "has_more": False, "data": lines}}
    if head not in thing:
        raise StripeError(400, f"This property cannot be expanded ({path}).", param="expand")
    value = thing[head]
    if isinstance(value, str) and _prefix(value) in TABLES:
        value = account.find(value, _prefix(value))
    elif value is not None and not isinstance(value, dict):
        raise StripeError(400, f"This property cannot be expanded ({path}).", param="expand")
    if rest and value is not None:
        value = _expand(account, value, rest, path)
    return {**thing, head: value}
