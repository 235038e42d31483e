"""Checkout Sessions: create, look up, expire."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, merge_metadata
from bot.standins.stripe_events import emit
from bot.standins.stripe_intents import cancel, check_amount, check_suffix
from bot.standins.stripe_lists import listing
from bot.standins.stripe_session_objects import line_item, session_object
from bot.standins.stripe_setups import OPEN_STATES, setup_object
from bot.standins.stripe_setups import cancel as cancel_setup

SHORTEST_S, LONGEST_S = 30 * 60, 24 * 3600
SPOKEN_METHODS = frozenset({"card", "us_bank_account"})


def create_session(account: Account, asked: Asked) -> Row:
    params = asked.params
    _check_mode(params)
    _check_expiry(account, params.get("expires_at"))
    _check_customer(account, params)
    session = _setup_session(account, asked) if params["mode"] == "setup" else _payment_session(account, asked)
    account.agenda.add(session["expires_at"], "expire", session["id"])
    return session


def _payment_session(account: Account, asked: Asked) -> Row:
    params = asked.params
    intent_data = params.get("payment_intent_data") or {}
    check_suffix(intent_data.get("statement_descriptor_suffix"), "payment_intent_data[statement_descriptor_suffix]")
    lines = _lines(params)
    total, currency = sum(line["amount_total"] for line in lines), lines[0]["currency"]
    check_amount(total, currency, "line_items")
    session = account.put(session_object(account.now(), params, total, currency, asked.base))
    account.journal.put("session_extras", session["id"], {"line_items": lines, "intent_data": intent_data})
    return session


def _setup_session(account: Account, asked: Asked) -> Row:
    """Its SetupIntent is made with it, unlike a payment's PaymentIntent."""
    params = asked.params
    session = session_object(account.now(), params, None, params.get("currency"), asked.base)
    data = params.get("setup_intent_data") or {}
    fields = {**data, "customer": session["customer"], "allowed_payment_method_types": session["payment_method_types"]}
    setup = account.put(setup_object(account.now(), fields))
    emit(account, "setup_intent.created", setup, asked)
    session = account.put({**session, "setup_intent": setup["id"]})
    account.journal.put("session_extras", session["id"], {"line_items": [], "intent_data": {}})
    return session


def _check_customer(account: Account, params: Row) -> None:
    if params.get("customer") and params.get("customer_email"):
        raise StripeError(400, "You may only specify one of these parameters: customer, customer_email.")
    if params.get("customer") and params.get("customer_creation"):
        raise StripeError(400, "You may only specify one of these parameters: customer, customer_creation.")
    if params.get("customer"):
        account.find(params["customer"], "cus", "customer")


def _check_mode(params: Row) -> None:
    if params.get("mode") is None:
        raise StripeError(400, "Missing required param: mode.", code="parameter_missing", param="mode")
    if params["mode"] == "subscription":
        raise StripeError(400, "This stand-in speaks mode=payment and mode=setup only", param="mode")
    if params.get("ui_mode") not in (None, "hosted_page"):
        raise StripeError(400, "This stand-in speaks ui_mode=hosted_page only", param="ui_mode")
    setup = params["mode"] == "setup"
    for name in ("success_url",) if setup else ("line_items", "success_url"):
        if not params.get(name):
            raise StripeError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    for name in ("success_url", "cancel_url"):
        if not str(params.get(name) or "https://").startswith(("https://", "http://")):
            raise StripeError(400, "Not a valid URL", code="url_invalid", param=name)
    if not set(params.get("allowed_payment_method_types") or ["card"]) <= SPOKEN_METHODS:
        message = "This stand-in takes card and us_bank_account only"
        raise StripeError(400, message, param="allowed_payment_method_types")
    _check_mode_fits(params, setup)


#: What belongs to one mode and is refused in the other.
_ONLY_PAYMENT = ("line_items", "payment_intent_data", "submit_type", "saved_payment_method_options", "invoice_creation")


def _check_mode_fits(params: Row, setup: bool) -> None:
    wrong = [name for name in (_ONLY_PAYMENT if setup else ("setup_intent_data",)) if params.get(name)]
    if wrong:
        message = f"You can not pass `{wrong[0]}` in `{params['mode']}` mode."
        raise StripeError(400, message, param=wrong[0])
    if setup and not params.get("currency") and not params.get("allowed_payment_method_types"):
        message = "`currency` is required in `setup` mode when `allowed_payment_method_types` is not set."
        raise StripeError(400, message, code="parameter_missing", param="currency")


def _check_expiry(account: Account, expires_at: int | None) -> None:
    if expires_at is None:
        return
    # Stripe's clock and the caller's differ a little; a minute either way is not an error.
    ahead = expires_at - account.now()
    if ahead < SHORTEST_S - 60:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise StripeError(400, message, param="expires_at")
    if ahead > LONGEST_S + 60:
        message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise StripeError(400, message, param="expires_at")


def _lines(params: Row) -> list[Row]:
    lines = [_line(given, index) for index, given in enumerate(params["line_items"])]
    if len({line["currency"] for line in lines}) > 1:
        raise StripeError(400, "All line items must have the same currency", param="line_items")
    return lines


def _line(given: Row, index: int) -> Row:
    where = f"line_items[{index}]"
    data = given.get("price_data")
    if given.get("price"):
        raise StripeError(400, f"No such price: '{given['price']}'", code="resource_missing", param=f"{where}[price]")
    if not data:
        raise StripeError(400, f"Missing required param: {where}[price_data].", code="parameter_missing", param=where)
    if given.get("quantity") is None or given["quantity"] < 1:
        raise StripeError(400, "This value must be greater than or equal to 1.", param=f"{where}[quantity]")
    amount = data.get("unit_amount")
    if amount is None or amount < 0:
        param = f"{where}[price_data][unit_amount]"
        raise StripeError(400, f"Missing or negative {param}", code="parameter_missing", param=param)
    if not data.get("product_data") and not data.get("product"):
        param = f"{where}[price_data][product_data]"
        raise StripeError(400, f"Missing required param: {param}.", code="parameter_missing", param=param)
    return line_item(given, data["currency"], amount)


def fetch_session(account: Account, asked: Asked) -> Row:
    return account.find(asked.id, "cs")


def update_session(account: Account, asked: Asked) -> Row:
    session = account.find(asked.id, "cs")
    if set(asked.params) - {"metadata"}:
        unspoken = sorted(set(asked.params) - {"metadata"})[0]
        raise StripeError(400, f"This stand-in does not speak {unspoken} on an update", param=unspoken)
    if "metadata" not in asked.params:
        return session
    return account.change(session, metadata=merge_metadata(session["metadata"], asked.params["metadata"]))


def list_sessions(account: Account, asked: Asked) -> Row:
    email = (asked.params.get("customer_details") or {}).get("email")
    return listing(
        account, "sessions", asked, "customer", "payment_intent", "status",
        where=None if email is None else lambda row: (row["customer_details"] or {}).get("email") == email,
    )  # fmt: skip


def list_line_items(account: Account, asked: Asked) -> Row:
    account.find(asked.id, "cs")
    lines = account.journal.table("session_extras")[asked.id]["line_items"]
    return {"object": "list", "url": asked.path, "has_more": False, "data": lines}


def expire_session(account: Account, asked: Asked) -> Row:
    session = account.find(asked.id, "cs")
    if session["status"] != "open":
        message = 'Only Checkout Sessions with a status in ["open"] can be expired. '
        raise StripeError(400, f"{message}This Checkout Session has a status of {session['status']}.")
    account.agenda.drop("expire", session["id"])
    return expire(account, session, asked)


def expire(account: Account, session: Row, asked: Asked | None) -> Row:
    """Close an open session, and the intent behind it."""
    session = account.change(session, status="expired", url=None)
    if session["payment_intent"]:
        cancel(account, account.find(session["payment_intent"], "pi"), "expired", asked)
    if session["setup_intent"]:
        setup = account.find(session["setup_intent"], "seti")
        if setup["status"] in OPEN_STATES:
            cancel_setup(account, setup, "abandoned", asked)
    emit(account, "checkout.session.expired", session, asked)
    return session
