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
        "secure": "Test page. It stands in for the card processor, and no money moves.",
        "try": "Cards to try:",
        "good": "is paid",
        "declined": "is declined",
        "asks": "asks your bank first",
        "card_declined": "Your card was declined.",
        "insufficient_funds": "Your card has insufficient funds.",
        "expired_card": "Your card has expired.",
        "incorrect_cvc": "Your card's security code is incorrect.",
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
        "secure": "Página de prueba. Hace de procesador de tarjetas, y no se mueve dinero.",
        "try": "Tarjetas para probar:",
        "good": "se paga",
        "declined": "se rechaza",
        "asks": "pregunta primero a su banco",
        "card_declined": "Su tarjeta fue rechazada.",
        "insufficient_funds": "Su tarjeta no tiene fondos suficientes.",
        "expired_card": "Su tarjeta está vencida.",
        "incorrect_cvc": "El código de seguridad de su tarjeta es incorrecto.",
        "confirm": "Su banco le pide que confirme este pago.",
        "yes": "Confirmar el pago",
        "no": "No confirmar",
    },
}
_STYLE = (
    "body{font:18px/1.5 system-ui,sans-serif;max-width:26rem;margin:0 auto;padding:1.5rem 1rem;color:#1a1f36;"
    "background:#fff}"
    "h1{font-size:2.2rem;line-height:1.2;margin:.5rem 0 1.2rem}"
    "h1 span{display:block;font-size:1.05rem;font-weight:400;color:#4f566b}"
    "label{display:block;margin:0 0 .9rem;font-size:1rem}"
    ".two{display:grid;grid-template-columns:1fr 1fr;gap:.8rem;align-items:end}"
    "input{display:block;width:100%;min-height:3rem;padding:.5rem .7rem;font:inherit;box-sizing:border-box;"
    "border:1.5px solid #6b7294;border-radius:.5rem;margin-top:.2rem}"
    "button{width:100%;min-height:3.2rem;padding:.7rem;font:inherit;font-weight:600;background:#3d3abf;color:#fff;"
    "border:2px solid #3d3abf;border-radius:.5rem;margin:.4rem 0}button+button{background:#fff;color:#3d3abf}"
    "a{color:#3d3abf}:focus-visible{outline:3px solid #3d3abf;outline-offset:3px}"
    "[role=alert]{color:#8f1d14;border:2px solid;border-radius:.5rem;padding:.6rem .9rem}"
    ".test{font-size:.95rem;color:#4f566b;border-top:1px solid #d5d8e4;margin-top:1.5rem}"
    ".test ul{padding-left:1.1rem;margin:.3rem 0}"
)
_TRY = (("4242 4242 4242 4242", "good"), ("4000 0000 0000 0002", "declined"), ("4000 0025 0000 3155", "asks"))
_FIELDS = (
    ("email", "email", False, "email"), ("number", "cc-number", True, "numeric"), ("exp", "cc-exp", True, "numeric"),
    ("cvc", "cc-csc", True, "numeric"), ("name", "cc-name", False, "text"), ("zip", "postal-code", False, "numeric"),
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
    return _page(session, _form(session, _reason(session, error)))


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
    fields = {name: f'<label>{words[name]}<input name="{name}" autocomplete="{hint}" inputmode="{keys}"'
                    f'{" required" if needed else ""}></label>' for name, hint, needed, keys in _FIELDS}
    pair = f'<div class="two">{fields.pop("exp")}{fields.pop("cvc")}</div>'
    email, number, *rest = fields.values()
    alert = f'<p role="alert">{escape(error)}</p>' if error else ""
    button = f"<button>{words['pay']} {_amount(session)}</button>"
    action = f"/c/pay/{quote(session['id'])}"
    return f'{alert}<form method="post" action="{action}">{email}{number}{pair}{"".join(rest)}{button}</form>'


def _hint(words: dict[str, str]) -> str:
    cards = "".join(f"<li>{number} {words[what]}</li>" for number, what in _TRY)
    return f'<div class="test"><p>{words["secure"]} {words["try"]}</p><ul>{cards}</ul><p>12/34, 123</p></div>'


def _reason(session: Row, error: Row) -> str | None:
    """Why the card was refused, in the page's language."""
    words = _words(session)
    return words.get(error.get("decline_code") or "") or words.get(error.get("code") or "") or error.get("message")


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
    html = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
        f"<style>{_STYLE}</style><main><h1><span>{words['pay']}</span>{_amount(session)}</h1>{inner}{back}"
        f"{_hint(words) if status == 'open' else ''}</main></html>"
    )
    return web.Response(text=html, content_type="text/html", status=200 if status != "expired" else 410)
