"""The hosted page's routes: a card or a bank account is typed in, the bank asks its question, the patient is led on."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.standins import stripe_page_html as html
from bot.standins.journal import Row
from bot.standins.stripe_account import ACCOUNT, Account
from bot.standins.stripe_banks import ROUTING, bank_for
from bot.standins.stripe_cards import card_for
from bot.standins.stripe_charging import Terms, charge, fail_authentication
from bot.standins.stripe_methods import is_past, make_bank, make_card
from bot.standins.stripe_page_words import WORDS
from bot.standins.stripe_paying import authenticate, intent_of, submit_method
from bot.standins.stripe_setups import answer_setup
from bot.standins.stripe_sweep import sweep


async def show(request: web.Request) -> web.Response:
    """GET /c/pay/{id}."""
    session = _session(request)
    return _page(session, html.forms(session, None))


async def submit(request: web.Request) -> web.Response:
    """POST /c/pay/{id}: try the method; when it was taken on to success_url, on a decline the form again."""
    account, session = request.app[ACCOUNT], _session(request)
    form = {name: str(value).strip() for name, value in (await request.post()).items()}
    if session["status"] == "expired":
        return _page(session, "")
    if session["status"] == "complete":
        return _after(request, account, session["id"], intent_of(account, session), {})
    number = re.sub(r"\D", "", form.get("account" if form.get("method") == "us_bank_account" else "number", ""))
    given = _bank(account, session, form, number) if "account" in form else _card(account, session, form, number)
    if isinstance(given, str):
        return _page(session, html.forms(session, html.words_of(session)[given]))
    intent = submit_method(account, session, given, f"{request.scheme}://{request.host}")
    return _after(request, account, session["id"], intent, {"last4": number[-4:]})


def _card(account: Account, session: Row, form: dict[str, str], number: str) -> Row | str:
    """The PaymentMethod, or which words say what is wrong."""
    expiry = _expiry(form.get("exp", ""))
    if not number or expiry is None or not re.fullmatch(r"\d{3,4}", form.get("cvc", "")):
        return "incomplete"
    if is_past(account, *expiry):
        return "past"
    if "card" not in session["payment_method_types"]:
        return "incomplete"
    return make_card(account, card_for(number), expiry, _billing(form, form.get("name")))


def _bank(account: Account, session: Row, form: dict[str, str], number: str) -> Row | str:
    if "us_bank_account" not in session["payment_method_types"] or not number or not form.get("holder"):
        return "bank_incomplete"
    bank = bank_for(number)
    if bank is None or form.get("routing") != ROUTING:
        return "bank_unknown"
    return make_bank(account, bank, _billing(form, form["holder"]))


async def show_authenticate(request: web.Request) -> web.Response:
    """GET /c/pay/{id}/authenticate: the bank's question, two buttons."""
    session = _session(request)
    action = f"/c/pay/{session['id']}/authenticate"
    return _page(session, html.question(html.words_of(session), action, session["mode"] == "setup"))


async def submit_authenticate(request: web.Request) -> web.Response:
    account, session = request.app[ACCOUNT], _session(request)
    form = await request.post()
    if session["payment_intent"] is None and session["setup_intent"] is None:
        raise web.HTTPNotFound(text="nothing to confirm")
    intent = authenticate(account, session, form.get("outcome") == "complete")
    return _after(request, account, session["id"], intent, {"outcome": form.get("outcome")})


async def show_3ds(request: web.Request) -> web.Response:
    """GET /3ds/{id}: the same question for an intent that was confirmed through the API."""
    intent = _waiting(request)
    words = WORDS["en"]
    inner = html.question(words, f"/3ds/{intent['id']}", intent["object"] == "setup_intent")
    return web.Response(text=html.document(words, words["yes"], inner), content_type="text/html")


async def submit_3ds(request: web.Request) -> web.Response:
    """POST /3ds/{id}: back to the return_url with what Stripe adds to it; without one the status as plain text."""
    account, intent = request.app[ACCOUNT], _waiting(request)
    back = (intent["next_action"].get("redirect_to_url") or {}).get("return_url")
    passed = (await request.post()).get("outcome") == "complete"
    intent = account.find(intent["id"], intent["id"].split("_")[0])
    if intent["object"] == "setup_intent":
        intent = answer_setup(account, intent, passed)
    elif passed:
        method = account.find(intent["payment_method"], "pm")
        intent = charge(account, intent, method, Terms(authenticated=True))
    else:
        intent = fail_authentication(account, intent)
    account.journal.write("authentication", id=intent["id"], outcome=intent["status"])
    account.flush()
    if back is None:
        return web.Response(text=intent["status"])
    raise web.HTTPSeeOther(_with_outcome(back, intent))


def _with_outcome(url: str, intent: Row) -> str:
    name = intent["object"]
    status = "succeeded" if intent["status"] in ("succeeded", "processing") else "failed"
    added = urlencode({name: intent["id"], f"{name}_client_secret": intent["client_secret"], "redirect_status": status})
    parts = urlsplit(url)
    return parts._replace(query="&".join(part for part in (parts.query, added) if part)).geturl()


def _waiting(request: web.Request) -> Row:
    sweep(request.app[ACCOUNT])
    tables, key = request.app[ACCOUNT].journal, request.match_info["id"]
    intent = tables.table("payment_intents").get(key) or tables.table("setup_intents").get(key)
    if intent is None or intent["status"] != "requires_action":
        raise web.HTTPNotFound(text="nothing to confirm")
    return intent


def _after(request: web.Request, account: Account, session_id: str, intent: Row, tried: Row) -> web.Response:
    """Journal the try, send the events, and lead the patient on."""
    account.journal.write("checkout_page", path=request.path, tried=tried, outcome=intent["status"])
    account.flush()
    session = account.find(session_id, "cs")
    if session["status"] == "complete":
        raise web.HTTPSeeOther(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id))
    if intent["status"] == "requires_action":
        raise web.HTTPSeeOther(f"/c/pay/{session_id}/authenticate")
    error = intent.get("last_payment_error") or intent.get("last_setup_error") or {}
    return _page(session, html.forms(session, html.reason(session, error)))


def _session(request: web.Request) -> Row:
    """The session as it is now: a page opened yesterday must not take a payment."""
    sweep(request.app[ACCOUNT])
    session = request.app[ACCOUNT].journal.table("sessions").get(request.match_info["id"])
    if session is None:
        raise web.HTTPNotFound(text="no such checkout page")
    return session


def _expiry(text: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"(0?[1-9]|1[0-2])\s*/?\s*(?:20)?(\d{2})", text)
    return (int(match[1]), 2000 + int(match[2])) if match else None


def _billing(form: dict[str, str], name: str | None) -> Row:
    address = {"city": None, "country": "US", "line1": None, "line2": None, "state": None}
    given = {"email": form.get("email") or None, "name": name or None}
    return {**given, "address": {**address, "postal_code": form.get("zip") or None}}


def _page(session: Row, inner: str) -> web.Response:
    status = 200 if session["status"] != "expired" else 410
    return web.Response(text=html.page(session, inner), content_type="text/html", status=status)
