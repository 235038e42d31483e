"""The control interface (POST /_standin/...) for what Stripe's banks and networks would do by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.standins.journal import Row
from bot.standins.stripe_account import ACCOUNT, Account, StripeError
from bot.standins.stripe_books import charge_fee
from bot.standins.stripe_disputes import ask_dispute, decide_dispute
from bot.standins.stripe_methods import change_card
from bot.standins.stripe_payouts import ask_payout, decide_payout
from bot.standins.stripe_refunds import decide_refund
from bot.standins.stripe_sweep import ask_bank, sweep
from bot.standins.wire import control_body


def _nothing(account: Account, wanted: Row) -> Row:
    """Only what is due by the clock: every control request does that first."""
    return {}


ORDERS: dict[str, Callable[[Account, Row], Row]] = {
    "bank": ask_bank,
    "card": change_card,
    "dispute": ask_dispute,
    "dispute/decide": decide_dispute,
    "refund": decide_refund,
    "payout": ask_payout,
    "payout/decide": decide_payout,
    "fee": charge_fee,
    "sweep": _nothing,
}


def order_handler(name: str) -> Callable[[web.Request], Any]:
    act = ORDERS[name]

    async def handle(request: web.Request) -> web.Response:
        account, wanted = request.app[ACCOUNT], await control_body(request)
        sweep(account)
        try:
            done = act(account, wanted)
        except StripeError as error:
            return web.json_response(error.body, status=error.status)
        except KeyError as error:
            raise web.HTTPBadRequest(text=f"{name} needs {error}") from error
        account.journal.write("control", what=name, wanted=wanted)
        account.flush()
        return web.json_response({"ok": True, **done})

    return handle


async def post_fault(request: web.Request) -> web.Response:
    """{"path", "mode", "times"?, "delay_ms"?, "verb"?, "decline_code"?, "code"?, "advice_code"?}."""
    account, wanted = request.app[ACCOUNT], await control_body(request)
    try:
        account.faults.set(str(wanted.get("path", "*")), wanted)
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    account.journal.write("control", what="fault", wanted=wanted)
    return web.json_response({"ok": True})


async def post_settle(request: web.Request) -> web.Response:
    """Answers once every event was settled."""
    sweep(request.app[ACCOUNT])
    await request.app[ACCOUNT].courier.settle()
    return web.json_response({"ok": True})


async def get_journal(request: web.Request) -> web.Response:
    return web.json_response(request.app[ACCOUNT].journal.lines())
