"""Giving a card without paying: from our button to the processor's page, and back.

The same three steps as for a payment (bot/web/paying.py): the attempt and its key are committed, the processor is
asked outside any transaction, the page is written down.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from billing import card_pages, setups
from billing.checkout import AlreadyOpen, NotNow
from billing.link_pages import Visitor
from bot.processors.base import CheckoutPage, ProcessorError, SetupRequest
from bot.web import doors, plan_screens, screens
from bot.web.wiring import Wiring

PURPOSE = "card"

#: As in bot/web/paying.py.
AGAIN_S = (0.3, 0.9)

_log = structlog.get_logger(__name__)


async def show(wiring: Wiring, visitor: Visitor, token: str, language: str) -> Response:
    """The page of a "card" link, or what came of it."""
    page = await wiring.road.store.aread(partial(card_pages.card_page, link=visitor.link, now=wiring.now()))
    if page is None:
        return HTMLResponse(screens.gone(language), 404)
    if page.done:
        return HTMLResponse(plan_screens.card_done(visitor, page, language))
    return HTMLResponse(plan_screens.card(visitor, page, f"/l/{token}/card", language))


async def press(wiring: Wiring, request: Request) -> Response:
    """POST /l/{token}/card"""
    visitor, token = await doors.enter(wiring, request), request.path_params["token"]
    if visitor is None or visitor.link.purpose != PURPOSE:
        return RedirectResponse(f"/l/{token}", 303)
    language = doors.language_of(request, visitor)
    return doors.renew(wiring, request, await to_page(wiring, visitor, visitor.link.object_id, token, language))


async def to_page(wiring: Wiring, visitor: Visitor, setup_id: str, token: str, language: str) -> Response:
    """Send the browser to the processor's page for this request of a card."""
    for _ in range(2):  # a refused attempt is followed by one new one
        step = await wiring.road.store.awrite(partial(
            setups.begin, practice_id=visitor.link.practice_id, setup_id=setup_id, now=wiring.now()))
        match step:
            case NotNow("done"):
                return RedirectResponse(f"/l/{token}?lang={language}", 303)
            case NotNow():
                return HTMLResponse(plan_screens.note(visitor, "over", language), 409)
            case AlreadyOpen(url):
                return RedirectResponse(url, 303)
            case setups.Opening():
                try:
                    return RedirectResponse(await _open(wiring, step, token), 303)
                except ProcessorError as error:
                    _log.warning("no page for a card", setup_id=setup_id, kind=error.kind, code=error.code)
                    if error.code == "no_online_payment":
                        return HTMLResponse(screens.note(visitor, "office", language), 409)
                    if error.kind != "refused":
                        break
                    await wiring.road.store.awrite(partial(
                        setups.refused, practice_id=step.practice_id, setup_id=setup_id, attempt=step.attempt,
                        code=error.code, now=wiring.now()))
    return HTMLResponse(screens.note(visitor, "down", language, [(f"/l/{token}", "try_again")]), 503)


async def _open(wiring: Wiring, step: setups.Opening, token: str) -> str:
    """Ask for the page and write it down; return its address. Raises ProcessorError."""
    home = f"{wiring.road.public_url.rstrip('/')}/l/{token}"
    page = await _ask(wiring, SetupRequest(
        setup_id=step.setup_id, practice_id=step.practice_id, currency=step.currency, language=step.language,
        success_url=f"{home}/done", cancel_url=home, expires_at=step.expires_at, idempotency_key=step.idempotency_key,
        bank_debits=step.bank_debits, customer_ref=step.customer_ref))
    url = await wiring.road.store.awrite(partial(
        setups.opened, practice_id=step.practice_id, setup_id=step.setup_id, attempt=step.attempt,
        session_ref=page.session_ref, url=page.url))
    return url or page.url


async def _ask(wiring: Wiring, asked: SetupRequest) -> CheckoutPage:
    for wait in AGAIN_S:
        try:
            return await wiring.processor.open_setup(asked)
        except ProcessorError as error:
            if error.kind not in {"unknown", "retry"}:
                raise
            await asyncio.sleep(wait)
    return await wiring.processor.open_setup(asked)
