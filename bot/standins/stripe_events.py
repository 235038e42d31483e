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
from bot.standins.stripe_account import ACCOUNT, API_VERSION, Account, Asked, new_id
from bot.standins.stripe_lists import listing
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
        _send(account, event)
    return event


def _send(account: Account, event: Row) -> None:
    """The event goes out with the next flush, unless a rule says otherwise."""
    rule = _rule_for(account, event["type"])
    if rule is None:
        account.outgoing.append(_post(account, event))
    elif rule["what"] == "hold":
        _post(account, event)
    elif rule["what"] == "double":
        account.outgoing.append(_post(account, event, copies=rule["copies"]))


def _post(account: Account, event: Row, **more: Any) -> Row:
    url = _endpoint(account)["url"]
    row = {"id": f"dl_{uuid4().hex}", "url": url, "event": event["id"], "type": event["type"], **more}
    account.courier.enqueue(row)
    return row


def _rule_for(account: Account, kind: str) -> Row | None:
    """The first rule (drop, hold or double the next of a type) that fits, used up by one."""
    for rule in account.news_rules:
        if rule["type"] == "*" or _is({"type": kind}, rule["type"]):
            rule["left"] -= 1
            if rule["left"] <= 0:
                account.news_rules.remove(rule)
            return rule
    return None


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
    fits = (lambda row: any(_is(row, kind) for kind in wanted)) if wanted else None
    return listing(account, "events", asked, where=fits)


def _is(event: Row, kind: str) -> bool:
    return bool(event["type"] == kind or (kind.endswith("*") and event["type"].startswith(kind[:-1])))


def fetch_event(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "evt")


def _hold(account: Account, wanted: Row) -> Row:
    account.courier.holding = True
    return {}


def _release(account: Account, wanted: Row) -> Row:
    """{"order"?, "copies"?}; with {"type"} or {"event"} or {"most"} only these go and the rest stays held."""
    order, copies = str(wanted.get("order", "given")), int(wanted.get("copies", 1))
    kind, event = wanted.get("type"), wanted.get("event")
    most = int(wanted["most"]) if "most" in wanted else None

    def fits(row: Row) -> bool:
        return (kind is None or _is(row, str(kind))) and (event is None or row["event"] == event)

    chosen = fits if kind or event else None
    return {"released": account.courier.release(order, copies, chosen, most)}


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
    """{"count"?}: the next deliveries are lost; with {"type"} the next events of that type."""
    if "type" in wanted:
        return _next(account, wanted, "drop")
    account.courier.drop_next = int(wanted.get("count", 1))
    return {}


def _double_next(account: Account, wanted: Row) -> Row:
    """{"type"?, "count"?, "copies"?}: the next events are delivered twice, or `copies` times."""
    return _next(account, wanted, "double")


def _hold_next(account: Account, wanted: Row) -> Row:
    """{"type"?, "count"?}: the next events wait for `release`, all others go their way."""
    return _next(account, wanted, "hold")


def _next(account: Account, wanted: Row, what: str) -> Row:
    left, copies = int(wanted.get("count", 1)), int(wanted.get("copies", 2))
    rule = {"what": what, "type": str(wanted.get("type", "*")), "left": left, "copies": copies}
    account.news_rules.append(rule)
    return {}


def _delay(account: Account, wanted: Row) -> Row:
    """{"ms"}: how long every delivery from now on waits before it leaves."""
    account.courier.delay_s = int(wanted["ms"]) / 1000
    return {}


def _waiting(account: Account, wanted: Row) -> Row:
    """What has not been delivered yet, oldest first."""
    rows = account.journal.table("deliveries").values()
    return {"waiting": [{"event": row["event"], "type": row["type"]} for row in rows]}


def _normal(account: Account, wanted: Row) -> Row:
    """Forget every rule; what was held is sent."""
    account.news_rules.clear()
    account.courier.drop_next, account.courier.delay_s = 0, account.options.event_delay_ms / 1000
    return {"released": account.courier.release()}


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
    "double_next": _double_next,
    "hold_next": _hold_next,
    "delay": _delay,
    "waiting": _waiting,
    "normal": _normal,
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
