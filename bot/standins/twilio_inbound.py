"""Texts from patients, Twilio's own opt-out list, and the controls of the demo and the tests (/_standin/...)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.standins.journal import Row
from bot.standins.twilio_account import ACCOUNT, API_VERSION, Account, is_e164
from bot.standins.twilio_messages import add_message
from bot.standins.wire import control_body

OPT_OUT = frozenset(["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"])
OPT_IN = frozenset(["START", "YES", "UNSTOP"])
HELP = frozenset(["HELP", "INFO"])
AUTO_REPLIES = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


def opt_out_type(body: str) -> str | None:
    """STOP, START or HELP when the whole text is one of Twilio's default keywords, in any case."""
    word = body.strip().upper()
    if word in OPT_OUT:
        return "STOP"
    if word in OPT_IN:
        return "START"
    return "HELP" if word in HELP else None


def receive(account: Account, sender: str, to: str, body: str, num_media: int, copies: int) -> tuple[str, Row | None]:
    """A text arrives: stored, the opt-out list kept, the webhook queued. Returns (message SID, delivery or None)."""
    sid = add_message(account, to, sender, body, "inbound", "received")
    row = account.journal.table("messages")[sid]
    row["resource"]["num_media"] = str(num_media)
    account.journal.put("messages", sid, row)
    kind = opt_out_type(body)
    _keep_opt_outs(account, f"{sender}|{to}", kind)
    delivery = _webhook(account, row["resource"], kind, copies)
    if delivery is not None:
        account.courier.enqueue(delivery)
    account.journal.write("inbound", sid=sid, sender=sender, to=to, body=body, opt_out_type=kind)
    if kind is not None and account.options.auto_reply:
        reply = add_message(account, sender, to, AUTO_REPLIES[kind], "outbound-reply", "delivered")
        account.journal.write("auto_reply", sid=reply, answers=sid, to=sender)
    return sid, delivery


def _keep_opt_outs(account: Account, pair: str, kind: str | None) -> None:
    if kind == "STOP":
        account.journal.put("opt_outs", pair, {"at": account.journal.clock()})
    if kind == "START":
        account.journal.remove("opt_outs", pair)


def _webhook(account: Account, resource: Row, kind: str | None, copies: int) -> Row | None:
    configured = account.journal.table("webhooks").get(resource["to"], {}).get("url")
    url = configured or account.options.webhooks.get(resource["to"])
    if not url:
        return None
    params = {
        "AccountSid": account.options.account_sid,
        "ApiVersion": API_VERSION,
        "Body": resource["body"],
        "From": resource["from"],
        "MessageSid": resource["sid"],
        "NumMedia": resource["num_media"],
        "NumSegments": resource["num_segments"],
        "SmsMessageSid": resource["sid"],
        "SmsSid": resource["sid"],
        "SmsStatus": "received",
        "To": resource["to"],
    }
    for side in ("From", "To"):
        params |= {f"{side}City": "SPRINGFIELD", f"{side}State": "IL", f"{side}Zip": "62701", f"{side}Country": "US"}
    for index in range(int(resource["num_media"])):
        params[f"MediaUrl{index}"] = f"https://api.twilio.com{resource['uri'].removesuffix('.json')}/Media/ME{index}"
        params[f"MediaContentType{index}"] = "image/jpeg"
    if kind is not None:
        params["OptOutType"] = kind
    # One inbound message, one delivery: the idempotency token stays the same over every repetition.
    return {"id": f"in_{resource['sid']}", "url": url, "about": "inbound", "params": params, "copies": copies}


async def post_inbound(request: web.Request) -> web.Response:
    """{"from", "to", "body", "num_media"?, "repeat"?, "wait"?}; answers when told to wait only after delivery."""
    account, wanted = request.app[ACCOUNT], await control_body(request)
    sender, to = str(wanted.get("from", "")), str(wanted.get("to", ""))
    if not is_e164(sender) or not is_e164(to):
        raise web.HTTPBadRequest(text='"from" and "to" must be E.164 numbers')
    body, media = str(wanted.get("body", "")), int(wanted.get("num_media", 0))
    sid, delivery = receive(account, sender, to, body, media, int(wanted.get("repeat", 1)))
    if delivery is not None:
        account.courier.dispatch(delivery)
    if wanted.get("wait"):
        await account.courier.settle()
    return web.json_response({"message_sid": sid, "delivered_to": delivery["url"] if delivery else None})


async def post_webhook(request: web.Request) -> web.Response:
    """{"number", "url"}: where inbound texts to this number go from now on."""
    account, wanted = request.app[ACCOUNT], await control_body(request)
    number, url = str(wanted.get("number", "")), str(wanted.get("url", ""))
    if not is_e164(number) or not url.startswith(("http://", "https://")):
        raise web.HTTPBadRequest(text='"number" must be E.164 and "url" an http address')
    account.journal.put("webhooks", number, {"url": url})
    account.journal.write("control", what="webhook", number=number, url=url)
    return web.json_response({"ok": True})


async def post_fault(request: web.Request) -> web.Response:
    """{"to": number or "*", "mode", "times"?, "delay_ms"?, "on"?: "create" or "lookup"}."""
    account, wanted = request.app[ACCOUNT], await control_body(request)
    try:
        account.faults.set(f"{wanted.get('on', 'create')}:{wanted.get('to', '*')}", wanted)
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    account.journal.write("control", what="fault", wanted=wanted)
    return web.json_response({"ok": True})


async def post_callbacks(request: web.Request) -> web.Response:
    """{"copies"?, "delay_ms"?, "drop_next"?, "reorder"?}: how status callbacks misbehave from now on."""
    account, wanted = request.app[ACCOUNT], await control_body(request)
    account.courier.copies = int(wanted.get("copies", account.courier.copies))
    account.courier.drop_next = int(wanted.get("drop_next", account.courier.drop_next))
    account.delay_ms = int(wanted.get("delay_ms", account.delay_ms))
    account.reorder = bool(wanted.get("reorder", account.reorder))
    account.journal.write("control", what="callbacks", wanted=wanted)
    return web.json_response({"ok": True})


async def post_hold(request: web.Request) -> web.Response:
    account = request.app[ACCOUNT]
    account.courier.holding = True
    account.journal.write("control", what="hold")
    return web.json_response({"ok": True})


async def post_release(request: web.Request) -> web.Response:
    """{"order"?: "given", "reversed" or "shuffled", "copies"?}: send what was held back."""
    account, wanted = request.app[ACCOUNT], await control_body(request)
    count = account.courier.release(str(wanted.get("order", "given")), int(wanted.get("copies", 1)))
    account.journal.write("control", what="release", count=count)
    return web.json_response({"released": count})


async def post_settle(request: web.Request) -> web.Response:
    """Answers once every message has reached its last status and every callback was settled."""
    await request.app[ACCOUNT].settle()
    return web.json_response({"ok": True})


async def get_journal(request: web.Request) -> web.Response:
    return web.json_response(request.app[ACCOUNT].journal.lines())


async def get_messages(request: web.Request) -> web.Response:
    rows = request.app[ACCOUNT].journal.table("messages").values()
    return web.json_response([row["resource"] for row in rows])


async def get_thread(request: web.Request) -> web.Response:
    """?number=+1...: what one phone shows, both directions, oldest first."""
    number = request.query.get("number", "").replace(" ", "+")
    rows = request.app[ACCOUNT].journal.table("messages").values()
    here = [row for row in rows if number in (row["resource"]["to"], row["resource"]["from"])]
    return web.json_response([_bubble(row) for row in here])


def _bubble(row: Row) -> dict[str, Any]:
    resource = row["resource"]
    shown = {key: resource[key] for key in ("sid", "direction", "from", "to", "body", "status", "error_code")}
    return {**shown, "at": row["at"]}
