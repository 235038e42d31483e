"""The hosted Checkout page: a plain HTML form that takes Stripe's test cards and needs no script."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote

from aiohttp import web

from bot.standins.journal import Row
from bot.standins.stripe_account import ACCOUNT, Account
from bot.standins.stripe_cards import Card, card_for
from bot.standins.stripe_checkout import authenticate, pay, sweep
from bot.standins.stripe_intents import attempt, fail_authentication
from bot.standins.stripe_objects import NO_BILLING

_WORDS = {
    "en": {
        "pay": "Pay",
        "email": "Email",
        "number": "Card number",
        "exp": "Expiration (MM/YY)",
        "cvc": "CVC",
        "name": "Name on card",
        "zip": "ZIP",
        "back": "Back",
        "over": "This checkout page has expired.",
        "done": "This payment is complete.",
        "incomplete": "Your card information is incomplete.",
        "confirm": "Your bank asks you to confirm this payment.",
        "yes": "Confirm payment",
        "no": "Do not confirm",
    },
    "es": {
        "pay": "Pagar",
        "email": "Correo electrónico",
        "number": "Número de tarjeta",
        "exp": "Vencimiento (MM/AA)",
        "cvc": "CVC",
        "name": "Nombre en la tarjeta",
        "zip": "Código postal",
        "back": "Volver",
        "over": "Esta página de pago ha vencido.",
        "done": "Este pago está completo.",
        "incomplete": "Los datos de su tarjeta están incompletos.",
        "confirm": "Su banco le pide que confirme este pago.",
        "yes": "Confirmar el pago",
        "no": "No confirmar",
    },
}
_STYLE = (
    "body{font:17px/1.5 system-ui,sans-serif;max-width:26rem;margin:2rem auto;padding:0 1rem;color:#1a1f36}"
    "label{display:block;margin:.8rem 0}"
    "input{display:block;width:100%;padding:.6rem;font:inherit;box-sizing:border-box}"
    "button{width:100%;padding:.8rem;font:inherit;background:#3d3abf;color:#fff;border:0;margin:.4rem 0}"
    "[role=alert]{color:#a3001b}small{color:#4f566b}"
)


async def show(request: web.Request) -> web.Response:
    """GET /c/pay/{id}."""
    session = _session(request)
    return _page(session, _form(session, None))


async def submit(request: web.Request) -> web.Response:
    """POST /c/pay/{id}: try the card; on success on to success_url, on a decline the form again with the reason."""
    account, session = request.app[ACCOUNT], _session(request)
    form = {name: str(value).strip() for name, value in (await request.post()).items()}
    if session["status"] == "expired":
        return _page(session, "")
    digits = re.sub(r"\D", "", form.get("number", ""))
    exp = _expiry(form.get("exp", ""))
    if session["status"] == "open" and (not digits or exp is None or not re.fullmatch(r"\d{3,4}", form.get("cvc", ""))):
        return _page(session, _form(session, _words(session)["incomplete"]))
    intent = pay(account, session, card_for(digits), exp or (1, 2000), _billing(form), _base(request))
    return _after(request, account, session["id"], intent, {"last4": digits[-4:]})


async def show_authenticate(request: web.Request) -> web.Response:
    """GET /c/pay/{id}/authenticate: the bank's question, two buttons."""
    session = _session(request)
    return _page(session, _question(session, f"/c/pay/{session['id']}/authenticate"))


async def submit_authenticate(request: web.Request) -> web.Response:
    account, session = request.app[ACCOUNT], _session(request)
    form = await request.post()
    if session["payment_intent"] is None:
        raise web.HTTPNotFound(text="nothing to confirm")
    passed = form.get("outcome") == "complete"
    intent = authenticate(account, session, passed)
    return _after(request, account, session["id"], intent, {"outcome": form.get("outcome")})


async def submit_3ds(request: web.Request) -> web.Response:
    """POST /3ds/{id}: the same question for a PaymentIntent that was confirmed through the API."""
    account = request.app[ACCOUNT]
    intent = account.journal.table("payment_intents").get(request.match_info["id"])
    if intent is None or intent["status"] != "requires_action":
        raise web.HTTPNotFound(text="nothing to confirm")
    if (await request.post()).get("outcome") == "complete":
        intent = attempt(account, intent, Card("4242424242424242"), None)
    else:
        intent = fail_authentication(account, intent)
    account.journal.write("authentication", id=intent["id"], outcome=intent["status"])
    account.flush()
    return web.Response(text=intent["status"])


def _after(request: web.Request, account: Account, session_id: str, intent: Row, tried: Row) -> web.Response:
    """Journal the try, send the events, and lead the patient on."""
    account.journal.write("checkout_page", path=request.path, tried=tried, outcome=intent["status"])
    account.flush()
    session = account.find(session_id, "cs")
    if intent["status"] == "succeeded":
        raise web.HTTPSeeOther(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id))
    if intent["status"] == "requires_action":
        raise web.HTTPSeeOther(f"/c/pay/{session_id}/authenticate")
    error = intent["last_payment_error"] or {}
    return _page(session, _form(session, error.get("message")))


def _session(request: web.Request) -> Row:
    """The session as it is now: a page opened yesterday must not take a payment."""
    sweep(request.app[ACCOUNT])
    session = request.app[ACCOUNT].journal.table("sessions").get(request.match_info["id"])
    if session is None:
        raise web.HTTPNotFound(text="no such checkout page")
    return session


def _base(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _expiry(text: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"(0?[1-9]|1[0-2])\s*/?\s*(?:20)?(\d{2})", text)
    return (int(match[1]), 2000 + int(match[2])) if match else None


def _billing(form: dict[str, str]) -> Row:
    address = {"city": None, "country": "US", "line1": None, "line2": None, "state": None}
    given = {"email": form.get("email") or None, "name": form.get("name") or None}
    return {**NO_BILLING, **given, "address": {**address, "postal_code": form.get("zip") or None}}


def _words(session: Row) -> dict[str, str]:
    return _WORDS["es" if str(session["locale"] or "").startswith("es") else "en"]


def _amount(session: Row) -> str:
    units, cents = divmod(session["amount_total"], 100)
    return f"${units:,}.{cents:02d}"


def _form(session: Row, error: str | None) -> str:
    words = _words(session)
    fields = "".join(
        f'<label>{words[name]}<input name="{name}" autocomplete="{hint}"{" required" if needed else ""}></label>'
        for name, hint, needed in (
            ("email", "email", False),
            ("number", "cc-number", True),
            ("exp", "cc-exp", True),
            ("cvc", "cc-csc", True),
            ("name", "cc-name", False),
            ("zip", "postal-code", False),
        )
    )
    alert = f'<p role="alert">{escape(error)}</p>' if error else ""
    action = f"/c/pay/{quote(session['id'])}"
    button = f"<button>{words['pay']} {_amount(session)}</button>"
    return f'{alert}<form method="post" action="{action}">{fields}{button}</form>'


def _question(session: Row, action: str) -> str:
    words = _words(session)
    return (
        f'<p>{words["confirm"]}</p><form method="post" action="{quote(action)}">'
        f'<button name="outcome" value="complete">{words["yes"]}</button>'
        f'<button name="outcome" value="fail">{words["no"]}</button></form>'
    )


def _page(session: Row, inner: str) -> web.Response:
    words, status = _words(session), session["status"]
    if status != "open":
        inner = f"<p>{words['done' if status == 'complete' else 'over']}</p>"
    language = "es" if words is _WORDS["es"] else "en"
    title = f"{words['pay']} {_amount(session)}"
    back = f'<p><a href="{escape(session["cancel_url"])}">{words["back"]}</a></p>' if session["cancel_url"] else ""
    hint = "Test: 4242 4242 4242 4242, 12/34, 123" if status == "open" else ""
    html = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
        f"<style>{_STYLE}</style><main><h1>{title}</h1>{inner}{back}<small>{hint}</small></main></html>"
    )
    return web.Response(text=html, content_type="text/html", status=200 if status != "expired" else 410)
