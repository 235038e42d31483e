"""A local Stripe: customers and their cards and bank accounts, Checkout with its hosted page, PaymentIntents,
SetupIntents, refunds, disputes, payouts and the books, signed events, idempotency keys.

Faults (POST /_standin/fault {"path", "mode", "times"?, "delay_ms"?, "verb"?}; path "*" matches any, a path may be
written with its {id}): "500" fails before anything was done, "500_saved" is remembered under the idempotency key as
Stripe documents, "drop_after" and "timeout_after" do the work and keep the answer. "decline" refuses the next card or
debit ({"decline_code"?, "code"?, "advice_code"?}; path /v1/payment_intents, /v1/setup_intents, or /c/pay for the hosted
page), "pending" leaves the next refund pending (path /v1/refunds).

Everything else that banks and networks do by themselves is ordered at /_standin/... (stripe_control.py).
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.standins import stripe_events as events
from bot.standins import stripe_page as page
from bot.standins.courier import Courier, Letter
from bot.standins.journal import Journal, Row
from bot.standins.stripe_account import (
    ACCOUNT,
    API_DATE,
    API_VERSION,
    Account,
    Asked,
    StripeError,
    StripeOptions,
    new_id,
)
from bot.standins.stripe_control import ORDERS, get_journal, order_handler, post_fault, post_settle
from bot.standins.stripe_endpoints import ENDPOINTS, Act
from bot.standins.stripe_idempotency import Answer, fingerprint, flying, in_use, recall, remember
from bot.standins.stripe_lists import expand
from bot.standins.stripe_params import check_params
from bot.standins.stripe_sweep import sweep
from bot.standins.wire import (
    Fault,
    FormError,
    Running,
    argument_parser,
    clock_from,
    drop,
    hang,
    nest,
    serve,
    start,
)

__all__ = ["Running", "StripeOptions", "make_app", "start"]

def make_app(options: StripeOptions | None = None) -> web.Application:
    """The stand-in as an aiohttp application; an existing journal is continued."""
    options = options or StripeOptions()
    journal = Journal(options.journal, options.clock, options.keep_lines)

    def signed(row: Row) -> Letter:
        return events.sign(account, row)

    courier = Courier(journal, signed, options.retry_delays_s, options.timeout_s, delay_s=options.event_delay_ms / 1000)
    account = Account(options, journal, courier)
    app = web.Application()
    app[ACCOUNT] = account
    _add_routes(app)
    app.cleanup_ctx.append(_living)
    return app


async def _living(app: web.Application) -> AsyncIterator[None]:
    account = app[ACCOUNT]
    account.courier.resume()
    sweeper = asyncio.get_running_loop().create_task(_sweep_forever(account))
    yield
    sweeper.cancel()
    with suppress(asyncio.CancelledError):
        await sweeper
    await account.courier.close()
    account.journal.close()


async def _sweep_forever(account: Account) -> None:
    while True:
        sweep(account)
        await asyncio.sleep(0.25)


def _add_routes(app: web.Application) -> None:
    for endpoint, act in ENDPOINTS.items():
        method, path = endpoint.split(" ")
        app.router.add_route(method, path, _endpoint(endpoint, act))
    app.router.add_route("*", "/v1/{rest:.*}", _endpoint("", _unrecognized))
    app.router.add_get("/c/pay/{id}", page.show)
    app.router.add_post("/c/pay/{id}", page.submit)
    app.router.add_get("/c/pay/{id}/authenticate", page.show_authenticate)
    app.router.add_post("/c/pay/{id}/authenticate", page.submit_authenticate)
    app.router.add_get("/3ds/{id}", page.show_3ds)
    app.router.add_post("/3ds/{id}", page.submit_3ds)
    app.router.add_post("/_standin/events", events.post_events)
    app.router.add_post("/_standin/fault", post_fault)
    app.router.add_post("/_standin/settle", post_settle)
    app.router.add_get("/_standin/journal", get_journal)
    for name in ORDERS:
        app.router.add_post(f"/_standin/{name}", order_handler(name))


def _unrecognized(account: Account, asked: Asked) -> Row:
    raise StripeError(404, f"Unrecognized request URL ({asked.path}), or one that this stand-in does not speak.")


def _endpoint(endpoint: str, act: Act) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.StreamResponse:
        account = request.app[ACCOUNT]
        sweep(account)
        pairs = await _pairs(request)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key is not None and key in account.in_flight:
            return _conclude(account, request, pairs, in_use(), None)
        fault = account.faults.take(request.path, endpoint.partition(" ")[2], "*", verb=request.method)
        with flying(account, key):
            if account.options.latency_ms:
                await asyncio.sleep(account.options.latency_ms / 1000)
            if fault is not None and fault.mode in ("timeout_before", "drop_before"):
                _note(account, request, pairs, None, fault)
                return await hang(request, fault.delay_ms) if fault.mode == "timeout_before" else drop(request)
            answer = _answer(account, request, pairs, endpoint, act, fault)
            response = _conclude(account, request, pairs, answer, fault)
        if fault is not None and fault.mode == "drop_after":
            return drop(request)
        if fault is not None and fault.mode == "timeout_after":
            return await hang(request, fault.delay_ms)
        return response

    return handle


async def _pairs(request: web.Request) -> list[tuple[str, str]]:
    source = request.query if request.method in ("GET", "DELETE") else await request.post()
    return [(key, str(value)) for key, value in source.items()]


def _answer(
    account: Account, request: web.Request, pairs: list[tuple[str, str]], endpoint: str, act: Act, fault: Fault | None
) -> Answer:
    """Authenticate, replay or refuse by idempotency key, check, act. The key remembers what the act answered."""
    try:
        _authenticate(request, account.options)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        print_ = fingerprint(request.method, request.path, pairs)
        kept = recall(account, key, print_)
        if kept is not None:
            return kept
        _fail_on_demand(fault)
        answer = _perform(account, _asked(request, pairs, endpoint, key), act, fault)
    except StripeError as error:
        return Answer(error.status, error.body)
    remember(account, key, print_, answer)
    return answer


def _perform(account: Account, asked: Asked, act: Act, fault: Fault | None) -> Answer:
    """What the act answered, errors of its own included; raises StripeError for what was not executed."""
    if fault is not None and fault.mode == "500_saved":
        return Answer(500, StripeError(500, "An unknown error occurred", kind="api_error").body)
    paths = asked.params.pop("expand", None) or []
    try:
        return Answer(200, expand(account, act(account, asked), paths))
    except StripeError as error:
        return Answer(error.status, error.body)


def _asked(request: web.Request, pairs: list[tuple[str, str]], endpoint: str, key: str | None) -> Asked:
    base = f"{request.scheme}://{request.host}"
    try:
        nested = nest(pairs)
    except FormError as error:
        raise StripeError(400, str(error)) from error
    params = check_params(endpoint, nested) if endpoint else {}
    first, second = (request.match_info.get(name, "") for name in ("id", "second"))
    return Asked(request.path, params, base, new_id("req"), key, first, second)


def _authenticate(request: web.Request, options: StripeOptions) -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), options.api_key.encode()):
        raise StripeError(401, "Invalid API Key provided")
    version = request.headers.get("Stripe-Version", API_VERSION)
    if not version.startswith(API_DATE):
        raise StripeError(400, f"This stand-in speaks API version {API_VERSION}, not {version}")


def _fail_on_demand(fault: Fault | None) -> None:
    mode = fault.mode if fault else None
    if mode == "429":
        raise StripeError(429, "Request rate limit exceeded.", code="rate_limit")
    if mode == "409":
        raise StripeError(409, "This object cannot be accessed right now.", code="lock_timeout")
    if mode == "500":
        raise StripeError(500, "An unknown error occurred", kind="api_error")


def _conclude(
    account: Account, request: web.Request, pairs: list[tuple[str, str]], answer: Answer, fault: Fault | None
) -> web.Response:
    """Journal first, then send the events, then answer."""
    _note(account, request, pairs, answer, fault)
    account.flush()
    headers = {"Request-Id": new_id("req"), "Stripe-Version": API_VERSION}
    if request.method == "POST" and "Idempotency-Key" in request.headers:
        headers["Idempotency-Key"] = request.headers["Idempotency-Key"]
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    return web.json_response(answer.body, status=answer.status, headers=headers)


def _note(
    account: Account, request: web.Request, pairs: list[tuple[str, str]], answer: Answer | None, fault: Fault | None
) -> None:
    account.journal.write(
        "request",
        method=request.method,
        path=request.path,
        params=dict(pairs),
        key=request.headers.get("Idempotency-Key"),
        status=answer.status if answer else None,
        answer=answer.body if answer else None,
        replayed=answer.replayed if answer else False,
        fault=fault.mode if fault else None,
    )


def main() -> None:
    parser = argument_parser("stripe")
    parser.add_argument("--api-key", default=StripeOptions.api_key)
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default=StripeOptions.webhook_secret)
    parser.add_argument("--event-delay-ms", type=int, default=0)
    parser.add_argument("--latency-ms", type=int, default=0)
    parser.add_argument("--bank-delay-s", type=int, default=4 * 86_400, help="how long a bank works on a debit")
    given = parser.parse_args()
    options = StripeOptions(
        api_key=given.api_key,
        webhook_url=given.webhook_url,
        webhook_secret=given.webhook_secret,
        journal=Path(given.journal),
        event_delay_ms=given.event_delay_ms,
        latency_ms=given.latency_ms,
        bank_delay_s=given.bank_delay_s,
        clock=clock_from(given.clock),
    )
    serve(make_app(options), given.port)


if __name__ == "__main__":
    main()
