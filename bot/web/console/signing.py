"""The way in: login and password, then a code or a key; an invitation for the first time; and the way out."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

import pyotp
import segno
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import invitations, passkey_proofs, passkeys, passwords, rates, sign_in
from billing.passwords import PasswordRefused
from billing.sign_in import SignInRefused
from billing.store.tables import Staff
from bot.channels.twilio_signature import read_form
from bot.web import counting
from bot.web.console import forms, who
from bot.web.console.page import outside
from bot.web.guard import TooLarge, read_body
from bot.web.wiring import Wiring

HOME = "/console/inbox"


async def ask(wiring: Wiring, request: Request) -> Response:
    """GET /console/sign-in"""
    return _ask(request, onward(request.query_params.get("to", "")))


async def answer(wiring: Wiring, request: Request) -> Response:
    """POST /console/sign-in: the same answer for an unknown login, a wrong password and a login that rests."""
    form, now, store = await _form(request), wiring.now(), wiring.road.store
    login, practice = form.get("login", "").strip()[:40], wiring.settings.practice
    to = onward(form.get("to", ""))
    if not await counting.may_try(wiring, request, rates.SIGN_IN):
        return _ask(request, to, "often", login, 429)
    known = await store.aread(partial(sign_in.look_up, practice_id=practice, login=login))
    right = await asyncio.to_thread(passwords.is_right, known.password_hash, form.get("password", "")[:200])
    token = await store.awrite(partial(
        sign_in.try_password, practice_id=practice, login=login, known=known, right=right,
        browser=_browser(request), now=now))
    if token is None:
        return _ask(request, to, "wrong", login, 403)
    response = RedirectResponse(f"/console/code?to={quote(to)}", 303)
    who.remember(wiring, response, token, "code", int(sign_in.CODE_WITHIN.total_seconds()))
    return response


async def ask_code(wiring: Wiring, request: Request) -> Response:
    """GET /console/code"""
    return await _ask_code(wiring, request, onward(request.query_params.get("to", "")))


async def answer_code(wiring: Wiring, request: Request) -> Response:
    """POST /console/code"""
    form = await _form(request)
    return await _second_step(wiring, request, onward(form.get("to", "")), "wrong_code", partial(
        sign_in.try_code, token=_pending(wiring, request), code=form.get("code", "")[:12], browser=_browser(request),
        now=wiring.now()))


async def answer_key(wiring: Wiring, request: Request) -> Response:
    """POST /console/code/key: what a passkey or security key signed, instead of the code."""
    form = await _form(request)
    return await _second_step(wiring, request, onward(form.get("to", "")), "wrong_key", partial(
        passkeys.try_key, token=_pending(wiring, request), answer=form.get("answer", ""),
        site=passkey_proofs.site_of(wiring.road.public_url), browser=_browser(request), now=wiring.now()))


async def _second_step(wiring: Wiring, request: Request, to: str, wrong: str,
                       prove: Callable[[Session], str | None]) -> Response:
    """Both ways of proving it are counted together. ``wrong``: what is said of a proof that is none."""
    if not await counting.may_try(wiring, request, rates.CODE):
        return await _ask_code(wiring, request, to, "often", 429)
    token = await wiring.road.store.awrite(prove)
    if token is None:
        return await _ask_code(wiring, request, to, wrong if _pending(wiring, request) else "late", 403)
    response = RedirectResponse(to, 303)
    who.remember(wiring, response, token)
    who.forget(wiring, response, "code")
    return response


async def leave(wiring: Wiring, request: Request) -> Response:
    """POST /console/sign-out"""
    response = RedirectResponse(who.SIGN_IN, 303)
    try:
        person, _ = await who.find(wiring, request, quiet=True)
        who.require_meant(wiring, request, person, (await _form(request)).get("csrf", ""))
    except (who.NotSignedIn, who.NotAllowed):
        return response
    await wiring.road.store.awrite(partial(sign_in.end, person=person, now=wiring.now()))
    who.forget(wiring, response)
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


async def show_invitation(wiring: Wiring, request: Request) -> Response:
    """GET /console/join/{token}"""
    found = await _invitation(wiring, request)
    if found is None:
        return HTMLResponse(outside("gone", forms.language_of(request), {}), 404)
    return _join(request, found)


async def picture(wiring: Wiring, request: Request) -> Response:
    """GET /console/join/{token}/app.svg: the secret as an authenticator app reads it."""
    found = await _invitation(wiring, request)
    if found is None:
        return Response(status_code=404)
    person, secret = found
    drawn = io.BytesIO()
    segno.make(pyotp.TOTP(secret).provisioning_uri(name=person.login, issuer_name="Plainbill")).save(
        drawn, kind="svg", scale=6, border=2, xmldecl=False)
    return Response(drawn.getvalue(), media_type="image/svg+xml")


async def join(wiring: Wiring, request: Request) -> Response:
    """POST /console/join/{token}: the password and the app's first code."""
    found, form = await _invitation(wiring, request), await _form(request)
    if found is None or not await counting.may_try(wiring, request, rates.CODE):
        return HTMLResponse(outside("gone", forms.language_of(request), {}), 404)
    password = form.get("password", "")[:200]
    try:
        passwords.require_good(password, found[0].login, found[0].name)
        hashed = await asyncio.to_thread(passwords.make_hash, password)
        await wiring.road.store.awrite(partial(
            invitations.accept, token=request.path_params["token"], password_hash=hashed,
            code=form.get("code", "")[:12], now=wiring.now()))
    except (PasswordRefused, SignInRefused) as error:
        text = str(error)
        return _join(request, found, f"{text[0].upper()}{text[1:]}.", 422)
    return RedirectResponse(who.SIGN_IN, 303)


async def _invitation(wiring: Wiring, request: Request) -> tuple[Staff, str] | None:
    def read(session: Session) -> tuple[Staff, str] | None:
        return invitations.opened(session, request.path_params["token"], wiring.now())

    return await wiring.road.store.aread(read)


async def _form(request: Request) -> dict[str, str]:
    """Nothing of a form that another site made the browser send: it could sign somebody in as somebody else."""
    if request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
        return {}
    try:
        return {name: value.replace("\x00", "") for name, value in read_form(await read_body(request, 16 * 1024))}
    except (TooLarge, ValueError):
        return {}


def onward(wanted: str) -> str:
    """Where to go after signing in: a page of the console, or its first one; never another host."""
    plain = wanted.isascii() and wanted.isprintable() and not set(wanted) & set("\\:@ ") and "//" not in wanted
    return wanted if plain and wanted.startswith("/console/") else HOME


def _browser(request: Request) -> str:
    return request.headers.get("user-agent", "")[:120]


def _ask(request: Request, to: str, alert: str = "", login: str = "", status: int = 200) -> Response:
    return HTMLResponse(outside("signin", forms.language_of(request), {"to": to, "alert": alert, "login": login}),
                        status)


async def _ask_code(wiring: Wiring, request: Request, to: str, alert: str = "", status: int = 200) -> Response:
    """``question``: for the keys of whoever has given the password in this browser."""
    question = await wiring.road.store.aread(partial(
        passkeys.question, token=_pending(wiring, request), site=passkey_proofs.site_of(wiring.road.public_url),
        now=wiring.now()))
    return HTMLResponse(outside("code", forms.language_of(request), {"to": to, "alert": alert, "question": question}),
                        status)


def _pending(wiring: Wiring, request: Request) -> str:
    return request.cookies.get(who.cookie_name(wiring, "code"), "")


def _join(request: Request, found: tuple[Staff, str], alert: str = "", status: int = 200) -> Response:
    person, secret = found
    return HTMLResponse(outside("join", forms.language_of(request), {
        "login": person.login, "secret": secret, "alert": alert, "action": request.url.path}), status)
