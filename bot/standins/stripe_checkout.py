"""Checkout Sessions: create, look up, expire, and be paid once."""

from __future__ import annotations

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError, merge_metadata, page
from bot.standins.stripe_cards import Card
from bot.standins.stripe_events import emit
from bot.standins.stripe_intents import (
    attempt,
    cancel,
    check_amount,
    check_suffix,
    fail_authentication,
    make_method,
    require_action,
)
from bot.standins.stripe_objects import intent_object, line_item, session_object

SHORTEST_S, LONGEST_S = 30 * 60, 24 * 3600


def create_session(account: Account, asked: Asked) -> Row:
    params = asked.params
    _check_mode(params)
    _check_expiry(account, params.get("expires_at"))
    if params.get("customer") and params.get("customer_email"):
        raise StripeError(400, "You may only specify one of these parameters: customer, customer_email.")
    if params.get("customer"):
        account.find(params["customer"], "cus", "customer")
    intent_data = params.get("payment_intent_data") or {}
    check_suffix(intent_data.get("statement_descriptor_suffix"), "payment_intent_data[statement_descriptor_suffix]")
    lines = _lines(params)
    total, currency = sum(line["amount_total"] for line in lines), lines[0]["currency"]
    check_amount(total, currency, "line_items")
    session = account.put(session_object(account.now(), params, total, currency, asked.base))
    account.journal.put("session_extras", session["id"], {"line_items": lines, "intent_data": intent_data})
    return session


def _check_mode(params: Row) -> None:
    if params.get("mode") is None:
        raise StripeError(400, "Missing required param: mode.", code="parameter_missing", param="mode")
    if params["mode"] != "payment":
        raise StripeError(400, "This stand-in speaks mode=payment only", param="mode")
    if params.get("ui_mode") not in (None, "hosted_page"):
        raise StripeError(400, "This stand-in speaks ui_mode=hosted_page only", param="ui_mode")
    for name in ("line_items", "success_url"):
        if not params.get(name):
            raise StripeError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    for name in ("success_url", "cancel_url"):
        if not str(params.get(name) or "https://").startswith(("https://", "http://")):
            raise StripeError(400, "Not a valid URL", code="url_invalid", param=name)
    if set(params.get("allowed_payment_method_types") or ["card"]) != {"card"}:
        raise StripeError(400, "This stand-in takes cards only", param="allowed_payment_method_types")


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
    rows = list(account.journal.table("sessions").values())
    for name in ("customer", "payment_intent", "status"):
        if asked.params.get(name) is not None:
            rows = [row for row in rows if row[name] == asked.params[name]]
    if asked.params.get("customer_details"):
        email = asked.params["customer_details"]["email"]
        rows = [row for row in rows if (row["customer_details"] or {}).get("email") == email]
    return page(rows, asked)


def list_line_items(account: Account, asked: Asked) -> Row:
    account.find(asked.id, "cs")
    lines = account.journal.table("session_extras")[asked.id]["line_items"]
    return {"object": "list", "url": asked.path, "has_more": False, "data": lines}


def expire_session(account: Account, asked: Asked) -> Row:
    session = account.find(asked.id, "cs")
    if session["status"] != "open":
        message = 'Only Checkout Sessions with a status in ["open"] can be expired. '
        raise StripeError(400, f"{message}This Checkout Session has a status of {session['status']}.")
    return _expire(account, session, asked)


def _expire(account: Account, session: Row, asked: Asked | None) -> Row:
    session = account.change(session, status="expired", url=None)
    if session["payment_intent"]:
        cancel(account, account.find(session["payment_intent"], "pi"), "expired", asked)
    emit(account, "checkout.session.expired", session, asked)
    return session


def sweep(account: Account) -> None:
    """Expire the sessions whose time is over, journal it, send the events."""
    now = account.now()
    rows = account.journal.table("sessions").values()
    over = [row for row in rows if row["status"] == "open" and row["expires_at"] <= now]
    for session in over:
        _expire(account, session, None)
    if over:
        account.journal.write("expired", ids=[session["id"] for session in over])
        account.flush()


def pay(account: Account, session: Row, card: Card, exp: tuple[int, int], billing: Row, base: str) -> Row:
    """One try with one card. Returns the PaymentIntent: succeeded, requires_action or requires_payment_method.

    A session that is not open is left alone and its PaymentIntent returned: the form sent twice charges once.
    """
    if session["status"] != "open":
        return account.find(session["payment_intent"], "pi")
    intent = _intent_of(account, session)
    method = make_method(account, card, *exp, session["customer"], billing)
    intent = account.change(intent, payment_method=method["id"])
    session = account.change(
        account.find(session["id"], "cs"),
        payment_intent=intent["id"],
        customer_details={
            "address": billing.get("address"),
            "business_name": None,
            "email": billing.get("email"),
            "individual_name": None,
            "name": billing.get("name"),
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    )
    if card.challenge:
        return require_action(account, intent, f"{base}/c/pay/{session['id']}/authenticate", None)
    return _settle(account, session, attempt(account, intent, card, None, billing))


def authenticate(account: Account, session: Row, passed: bool) -> Row:
    """The end of 3-D Secure. Does nothing when there is nothing to confirm."""
    intent = account.find(session["payment_intent"], "pi")
    if session["status"] != "open" or intent["status"] != "requires_action":
        return intent
    if not passed:
        return fail_authentication(account, intent)
    number = account.journal.table("method_numbers")[intent["payment_method"]]["number"]
    billing = account.find(intent["payment_method"], "pm")["billing_details"]
    return _settle(account, session, attempt(account, intent, Card(number), None, billing))


def _intent_of(account: Account, session: Row) -> Row:
    if session["payment_intent"]:
        return account.find(session["payment_intent"], "pi")
    data = account.journal.table("session_extras")[session["id"]]["intent_data"]
    fields = {
        **data,
        "amount": session["amount_total"],
        "currency": session["currency"],
        "customer": session["customer"],
        "payment_method_types": session["payment_method_types"],
    }
    intent = account.put(intent_object(account.now(), fields))
    emit(account, "payment_intent.created", intent)
    return intent


def _settle(account: Account, session: Row, intent: Row) -> Row:
    if intent["status"] == "succeeded":
        session = account.change(session, status="complete", payment_status="paid", url=None)
        emit(account, "checkout.session.completed", session)
    return intent
