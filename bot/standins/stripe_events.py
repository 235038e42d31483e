"""Events: made with the change they tell of, signed, delivered at least once, and misdelivered on demand."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from aiohttp import web

from bot.standins.courier import Letter
from bot.standins.journal import Row
from bot.standins.stripe_account import ACCOUNT, API_VERSION, Account, Asked, new_id, page
from bot.standins.wire import control_body


def emit(account: Account, kind: str, thing: Row, asked: Asked | None = None, previous: Row | None = None) -> Row:
    """Put an event and its delivery in the journal's pending changes; `account.flush()` sends it."""
    data: Row = {"object": thing}
    if previous is not None:
        data["previous_attributes"] = previous
    event: Row = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "context": None,
        "created": account.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": 1 if _endpoint(account)["url"] else 0,
        "request": {"id": asked.request_id if asked else None, "idempotency_key": asked.key if asked else None},
        "type": kind,
    }
    account.put(event)
    if event["pending_webhooks"]:
        account.outgoing.append(_post(account, event))
    return event


def _post(account: Account, event: Row) -> Row:
    row = {"id": f"dl_{uuid4().hex}", "url": _endpoint(account)["url"], "event": event["id"], "type": event["type"]}
    account.courier.enqueue(row)
    return row


def _endpoint(account: Account) -> Row:
    """Where events go: what was set at run time, else what the options say."""
    set_later = account.journal.table("endpoint").get("webhook")
    return set_later or {"url": account.options.webhook_url, "secret": account.options.webhook_secret}


def sign(account: Account, row: Row) -> Letter:
    """The event as it was made, signed for this moment: Stripe-Signature t=...,v1=HMAC-SHA256 over "t.body"."""
    body = json.dumps(account.journal.table("events")[row["event"]], indent=2, ensure_ascii=False)
    stamp = int(account.options.sign_clock())
    digest = hmac.new(_endpoint(account)["secret"].encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": f"t={stamp},v1={digest}",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    return Letter(row["url"], body.encode(), headers)


def list_events(account: Account, asked: Asked) -> Row:
    wanted = asked.params.get("types") or ([asked.params["type"]] if asked.params.get("type") else [])
    rows = account.journal.table("events").values()
    return page([row for row in rows if not wanted or any(_is(row, kind) for kind in wanted)], asked)


def _is(event: Row, kind: str) -> bool:
    return bool(event["type"] == kind or (kind.endswith("*") and event["type"].startswith(kind[:-1])))


def fetch_event(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "evt")


def _hold(account: Account, wanted: Row) -> Row:
    account.courier.holding = True
    return {}


def _release(account: Account, wanted: Row) -> Row:
    order, copies = str(wanted.get("order", "given")), int(wanted.get("copies", 1))
    return {"released": account.courier.release(order, copies)}


def _shuffle(account: Account, wanted: Row) -> Row:
    return {"released": account.courier.release("shuffled", int(wanted.get("copies", 1)))}


def _redeliver(account: Account, wanted: Row) -> Row:
    """{"event": id} or {"type": type} or {"last": n}, and "copies"; without any, everything."""
    events = list(account.journal.table("events").values())
    if "event" in wanted:
        events = [account.find(str(wanted["event"]), "evt")]
    if "type" in wanted:
        events = [event for event in events if _is(event, str(wanted["type"]))]
    events = events[-int(wanted["last"]) :] if "last" in wanted else events
    account.outgoing += [_post(account, event) for event in events for _ in range(int(wanted.get("copies", 1)))]
    return {"redelivered": [event["id"] for event in events]}


def _drop_next(account: Account, wanted: Row) -> Row:
    account.courier.drop_next = int(wanted.get("count", 1))
    return {}


def _set_endpoint(account: Account, wanted: Row) -> Row:
    """{"url", "secret"?}: where events go from now on."""
    secret = wanted.get("secret", account.options.webhook_secret)
    account.journal.put("endpoint", "webhook", {"url": str(wanted["url"]), "secret": str(secret)})
    return {}


ACTIONS: dict[str, Callable[[Account, Row], Row]] = {
    "hold": _hold,
    "release": _release,
    "shuffle": _shuffle,
    "redeliver": _redeliver,
    "drop_next": _drop_next,
    "endpoint": _set_endpoint,
}


async def post_events(request: web.Request) -> web.Response:
    """{"action": one of ACTIONS, ...}."""
    account, wanted = request.app[ACCOUNT], await control_body(request)
    act = ACTIONS.get(str(wanted.get("action")))
    if act is None:
        raise web.HTTPBadRequest(text=f'"action" must be one of {", ".join(ACTIONS)}')
    done: dict[str, Any] = act(account, wanted)
    account.journal.write("control", what="events", wanted=wanted)
    account.flush()
    return web.json_response({"ok": True, **done})
