"""Giving a card without paying: from our button to the processor's page by the road of bot/web/paying.py, and back."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import card_pages, setups
from billing.link_pages import Visitor
from bot.processors.base import CheckoutPage, SetupRequest
from bot.web import doors, plan_screens, screens
from bot.web.paying import Errand, hand_over
from bot.web.wiring import Wiring

PURPOSE = "card"


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
    def not_now(reason: str) -> Response:
        if reason == "done":
            return RedirectResponse(f"/l/{token}?lang={language}", 303)
        return HTMLResponse(plan_screens.note(visitor, "over", language), 409)

    def ask(step: setups.Opening, home: str) -> Awaitable[CheckoutPage]:
        return wiring.processor.open_setup(SetupRequest(
            setup_id=step.setup_id, practice_id=step.practice_id, currency=step.currency, language=step.language,
            success_url=f"{home}/done", cancel_url=home, expires_at=step.expires_at,
            idempotency_key=step.idempotency_key, bank_debits=step.bank_debits, customer_ref=step.customer_ref))

    return await hand_over(wiring, visitor, token, language, Errand(
        setup_id, setups.begin, setups.opened, setups.refused, ask, not_now))
