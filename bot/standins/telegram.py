"""A local Telegram Bot API, small: enough for one bot that talks to private chats.

Controls: POST /_standin/update makes a user do something (telegram_updates.inject); /_standin/chat {"chat_id", "mode":
blocked, deactivated, unknown, migrated, 429 or ok, "retry_after"?, "times"?}; /_standin/fault {"method", "mode",
"times"?, "delay_ms"?}.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.standins.courier import Courier, Letter
from bot.standins.journal import Journal, Row
from bot.standins.telegram_chat import (
    ACCOUNT,
    ACTS,
    DOCUMENTED,
    Account,
    Refusal,
    TelegramOptions,
    confirm,
    hand_over,
    sign,
)
from bot.standins.telegram_updates import inject
from bot.standins.wire import (
    Fault,
    Running,
    argument_parser,
    clock_from,
    control_body,
    drop,
    hang,
    serve,
    start,
)

__all__ = ["Running", "TelegramOptions", "make_app", "start"]

MODES = ("blocked", "deactivated", "unknown", "migrated", "429", "ok")
_METHODS = {name.lower(): name for name in ACTS}


def make_app(options: TelegramOptions | None = None) -> web.Application:
    """The stand-in as an aiohttp application; an existing journal is continued."""
    options = options or TelegramOptions()
    journal = Journal(options.journal, options.clock)

    def signed(row: Row) -> Letter:
        return sign(account, row)

    def accepted(row: Row) -> None:
        hand_over(account, row)

    courier = Courier(journal, signed, options.retry_delays_s, options.timeout_s, on_accepted=accepted)
    account = Account(options, journal, courier)
    app = web.Application(client_max_size=50 * 1024 * 1024)
    app[ACCOUNT] = account
    app.router.add_route("*", "/bot{token}/{method}", _call)
    app.router.add_post("/_standin/update", _post_update)
    app.router.add_post("/_standin/chat", _post_chat)
    app.router.add_post("/_standin/fault", _post_fault)
    app.router.add_post("/_standin/settle", _post_settle)
    app.router.add_get("/_standin/journal", _get_journal)
    app.router.add_get("/_standin/messages", _get_messages)
    app.on_startup.append(_wake)
    app.on_cleanup.append(_sleep)
    return app


async def _wake(app: web.Application) -> None:
    app[ACCOUNT].courier.resume()


async def _sleep(app: web.Application) -> None:
    await app[ACCOUNT].courier.close()
    app[ACCOUNT].journal.close()


async def _call(request: web.Request) -> web.StreamResponse:
    account = request.app[ACCOUNT]
    method = _METHODS.get(request.match_info["method"].lower(), request.match_info["method"])
    params = await _read(request)
    fault = account.faults.take(method, "*")
    if fault is not None and fault.mode in ("timeout_before", "drop_before"):
        _note(account, method, params, None, fault)
        return await hang(request, fault.delay_ms) if fault.mode == "timeout_before" else drop(request)
    if method == "getUpdates" and _is_ours(account, request):
        await _wait_for_updates(account, params)
    status, body = _answer(account, request, method, params, fault)
    _note(account, method, params, body, fault)
    account.flush()
    if fault is not None and fault.mode == "drop_after":
        return drop(request)
    if fault is not None and fault.mode == "timeout_after":
        return await hang(request, fault.delay_ms)
    return web.json_response(body, status=status)


async def _read(request: web.Request) -> Row:
    """Query, form, multipart or JSON; an attach://name reference becomes what was uploaded under that name."""
    params: Row = dict(request.query)
    if request.content_type == "application/json":
        params |= await control_body(request)
        return params
    uploads: Row = {}
    for key, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            uploads[key] = _describe(value)
        else:
            params[key] = str(value)
    for key, value in list(params.items()):
        if isinstance(value, str) and value.startswith("attach://"):
            params[key] = uploads.pop(value.removeprefix("attach://"), None)
    return {**params, **uploads}


def _describe(upload: web.FileField) -> Row:
    content = upload.file.read()
    return {
        "file_name": upload.filename,
        "file_size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


async def _wait_for_updates(account: Account, params: Row) -> None:
    """Long polling: up to `timeout` seconds until there is something from `offset` on."""
    text, offset = str(params.get("timeout", "0")), str(params.get("offset", "0"))
    if not text.isdigit() or not offset.lstrip("-").isdigit():
        return
    confirm(account, int(offset))  # by asking, not by being answered
    try:
        async with asyncio.timeout(int(text)):
            while not any(int(key) >= int(offset) for key in account.journal.table("updates")):
                account.arrived.clear()
                await account.arrived.wait()
    except TimeoutError:
        return


def _answer(
    account: Account, request: web.Request, method: str, params: Row, fault: Fault | None
) -> tuple[int, dict[str, Any]]:
    try:
        if not _is_ours(account, request):
            raise Refusal(401, "Unauthorized")
        if method not in ACTS:
            raise Refusal(404, "Not Found")
        _refuse(fault)
        unknown = sorted(set(params) - DOCUMENTED[method])
        if unknown:
            raise Refusal(400, f"Bad Request: unknown parameters: {', '.join(unknown)}")
        return 200, {"ok": True, "result": ACTS[method](account, params)}
    except Refusal as refusal:
        return refusal.code, refusal.body


def _is_ours(account: Account, request: web.Request) -> bool:
    return hmac.compare_digest(request.match_info["token"].encode(), account.options.token.encode())


def _refuse(fault: Fault | None) -> None:
    if fault is None:
        return
    if fault.mode == "429":
        raise Refusal(429, "Too Many Requests: retry after 1", {"retry_after": 1})
    if fault.mode in ("500", "500_saved"):
        raise Refusal(500, "Internal Server Error")
    if fault.mode == "409":
        raise Refusal(409, "Conflict: terminated by other getUpdates request")


def _note(account: Account, method: str, params: Row, answer: Row | None, fault: Fault | None) -> None:
    """The bot token is a credential and part of the path, so the path is not journalled, the method is."""
    status = None if answer is None else answer.get("error_code", 200)
    mode = fault.mode if fault else None
    account.journal.write("request", method=method, params=params, status=status, answer=answer, fault=mode)


async def _post_update(request: web.Request) -> web.Response:
    account, wanted = request.app[ACCOUNT], await control_body(request)
    if not str(wanted.get("chat_id", "")).lstrip("-").isdigit():
        raise web.HTTPBadRequest(text='"chat_id" must be a number')
    update = inject(account, wanted)
    account.journal.write("inbound", update=update)
    account.flush()
    return web.json_response(update)


async def _post_chat(request: web.Request) -> web.Response:
    account, wanted = request.app[ACCOUNT], await control_body(request)
    if wanted.get("mode") not in MODES:
        raise web.HTTPBadRequest(text=f'"mode" must be one of {", ".join(MODES)}')
    state = {
        "mode": wanted["mode"],
        "retry_after": int(wanted.get("retry_after", 1)),
        "times": int(wanted.get("times", 1)),
    }
    account.journal.put("chats", str(wanted.get("chat_id", "")), state)
    account.journal.write("control", what="chat", wanted=wanted)
    return web.json_response({"ok": True})


async def _post_fault(request: web.Request) -> web.Response:
    account, wanted = request.app[ACCOUNT], await control_body(request)
    try:
        account.faults.set(str(wanted.get("method", "*")), wanted)
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    account.journal.write("control", what="fault", wanted=wanted)
    return web.json_response({"ok": True})


async def _post_settle(request: web.Request) -> web.Response:
    await request.app[ACCOUNT].courier.settle()
    return web.json_response({"ok": True})


async def _get_journal(request: web.Request) -> web.Response:
    return web.json_response(request.app[ACCOUNT].journal.lines())


async def _get_messages(request: web.Request) -> web.Response:
    return web.json_response(list(request.app[ACCOUNT].journal.table("messages").values()))


def main() -> None:
    parser = argument_parser("telegram")
    parser.add_argument("--token", default=TelegramOptions.token)
    given = parser.parse_args()
    options = TelegramOptions(token=given.token, journal=Path(given.journal), clock=clock_from(given.clock))
    serve(make_app(options), given.port)


if __name__ == "__main__":
    main()
