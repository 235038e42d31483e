"""A local Twilio: messages, signed callbacks, inbound texts, opt-outs, faults.

Special destinations, by the last four digits: 0001 invalid (21211); 0004 unreachable (30003), 0005 unknown (30005),
0006 landline (30006), 0007 filtered (30007), each after it was accepted; 0020 HTTP 429, 0021 HTTP 500;
0022 accepted, then the connection drops without an answer; 0023 dropped before it was accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.standins import twilio_inbound as inbound
from bot.standins.courier import Courier, Letter
from bot.standins.journal import Journal, Row
from bot.standins.twilio_account import (
    ACCOUNT,
    API_VERSION,
    Account,
    Answer,
    Asked,
    Refusal,
    TwilioOptions,
    authenticate,
)
from bot.standins.twilio_life import live, sign
from bot.standins.twilio_messages import (
    create_message,
    delete_message,
    fetch_message,
    list_messages,
    update_message,
)
from bot.standins.wire import Fault, Running, argument_parser, clock_from, drop, hang, serve, start

__all__ = ["Running", "TwilioOptions", "make_app", "start"]

Act = Callable[[Account, Asked], Answer]
ENDINGS = {
    "0020": Fault("", "429"),
    "0021": Fault("", "500"),
    "0022": Fault("", "drop_after"),
    "0023": Fault("", "drop_before"),
}


def make_app(options: TwilioOptions | None = None) -> web.Application:
    """The stand-in as an aiohttp application; an existing journal is continued, unfinished messages go on living."""
    options = options or TwilioOptions()
    journal = Journal(options.journal, options.clock)

    def signed(row: Row) -> Letter:
        return sign(account, row)

    courier = Courier(journal, signed, options.retry_delays_s, options.timeout_s)
    account = Account(options, journal, courier, delay_ms=options.callback_delay_ms)
    app = web.Application()
    app[ACCOUNT] = account
    _add_routes(app)
    app.on_startup.append(_wake)
    app.on_cleanup.append(_sleep)
    return app


async def _wake(app: web.Application) -> None:
    account = app[ACCOUNT]
    account.courier.resume()
    for sid, row in list(account.journal.table("messages").items()):
        if row["todo"]:
            account.run(live(account, sid))


async def _sleep(app: web.Application) -> None:
    await app[ACCOUNT].close()


def _add_routes(app: web.Application) -> None:
    base = f"/{API_VERSION}/Accounts/{{account}}"
    route = app.router
    route.add_post(f"{base}/Messages.json", _endpoint(create_message))
    route.add_get(f"{base}/Messages.json", _endpoint(list_messages))
    route.add_get(f"{base}/Messages/{{sid}}.json", _endpoint(fetch_message))
    route.add_post(f"{base}/Messages/{{sid}}.json", _endpoint(update_message))
    route.add_delete(f"{base}/Messages/{{sid}}.json", _endpoint(delete_message))
    route.add_post("/_standin/inbound", inbound.post_inbound)
    route.add_post("/_standin/webhook", inbound.post_webhook)
    route.add_post("/_standin/fault", inbound.post_fault)
    route.add_post("/_standin/callbacks", inbound.post_callbacks)
    route.add_post("/_standin/hold", inbound.post_hold)
    route.add_post("/_standin/release", inbound.post_release)
    route.add_post("/_standin/settle", inbound.post_settle)
    route.add_get("/_standin/journal", inbound.get_journal)
    route.add_get("/_standin/messages", inbound.get_messages)
    route.add_get("/_standin/thread", inbound.get_thread)


def _endpoint(act: Act) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.StreamResponse:
        account = request.app[ACCOUNT]
        asked = await _read(request)
        fault = _fault(account, asked, act)
        if fault is not None and fault.mode in ("timeout_before", "drop_before"):
            _note(account, asked, None, fault.mode)
            return await hang(request, fault.delay_ms) if fault.mode == "timeout_before" else drop(request)
        answer = _act(account, request, asked, act, fault)
        _note(account, asked, answer, fault.mode if fault else None)
        if answer.then is not None:
            answer.then()
        if fault is not None and fault.mode == "drop_after":
            return drop(request)
        if fault is not None and fault.mode == "timeout_after":
            return await hang(request, fault.delay_ms)
        return _respond(answer)

    return handle


async def _read(request: web.Request) -> Asked:
    source = request.query if request.method in ("GET", "DELETE") else await request.post()
    params = {key: values if len(values) > 1 else values[0] for key in source if (values := source.getall(key))}
    return Asked(request.method, request.path, params, request.match_info.get("sid", ""))


def _fault(account: Account, asked: Asked, act: Act) -> Fault | None:
    to = str(asked.params.get("To", ""))
    if act is create_message:
        return account.faults.take(f"create:{to}", "create:*") or ENDINGS.get(to[-4:])
    return account.faults.take(f"lookup:{to}", "lookup:*")


def _act(account: Account, request: web.Request, asked: Asked, act: Act, fault: Fault | None) -> Answer:
    try:
        authenticate(request, account.options)
        if fault is not None:
            _refuse(fault)
        return act(account, asked)
    except Refusal as refusal:
        return Answer(refusal.status, refusal.body)


def _refuse(fault: Fault) -> None:
    if fault.mode == "429":
        raise Refusal(429, 20429, "Too Many Requests")
    if fault.mode in ("500", "500_saved"):
        raise Refusal(500, 20500, "An internal server error has occurred")
    if fault.mode == "409":
        raise Refusal(409, 20409, "Conflict")


def _note(account: Account, asked: Asked, answer: Answer | None, fault: str | None) -> None:
    account.journal.write(
        "request",
        method=asked.method,
        path=asked.path,
        params=asked.params,
        status=answer.status if answer else None,
        answer=answer.body if answer else None,
        fault=fault,
    )


def _respond(answer: Answer) -> web.Response:
    if answer.body is None:
        return web.Response(status=answer.status)
    return web.json_response(answer.body, status=answer.status)


def main() -> None:
    parser = argument_parser("twilio")
    parser.add_argument("--account-sid", default=TwilioOptions.account_sid)
    parser.add_argument("--auth-token", default=TwilioOptions.auth_token)
    parser.add_argument("--number", action="append", default=[], help="an owned number; repeatable; none: any sender")
    parser.add_argument("--webhook", action="append", default=[], help="NUMBER=URL; repeatable")
    parser.add_argument("--callback-delay-ms", type=int, default=50)
    parser.add_argument("--signature", action="append", choices=["HMAC_SHA1", "HMAC_SHA256"], help="repeatable")
    parser.add_argument("--shared-key-id", default=TwilioOptions.shared_key_id)
    parser.add_argument("--shared-key-secret", default=TwilioOptions.shared_key_secret)
    parser.add_argument("--auto-reply", action="store_true")
    given = parser.parse_args()
    options = TwilioOptions(
        account_sid=given.account_sid,
        auth_token=given.auth_token,
        journal=Path(given.journal),
        numbers=tuple(given.number),
        webhooks=dict(pair.split("=", 1) for pair in given.webhook),
        callback_delay_ms=given.callback_delay_ms,
        signature_forms=tuple(given.signature or ["HMAC_SHA1"]),
        shared_key_id=given.shared_key_id,
        shared_key_secret=given.shared_key_secret,
        auto_reply=given.auto_reply,
        clock=clock_from(given.clock),
    )
    serve(make_app(options), given.port)


if __name__ == "__main__":
    main()
