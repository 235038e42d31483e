"""Back from the processor's page or the patient's bank: ask what became of it, then say how things stand.

The return proves nothing: the processor is asked, and its answer goes through the one function that settles money.
"""

from __future__ import annotations

import re
from functools import partial

import structlog
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import card_pages, link_pages, payments
from billing.card_pages import Waiting
from billing.link_pages import Visitor
from bot.failpoints import hit
from bot.processors.base import PaymentEvent, ProcessorError
from bot.web import card_page, doors, paying, plan_page, plan_screens, screens
from bot.web.wiring import Wiring
from templates import web

#: A charge's id at the processor, as it comes back in the address.
_REF = re.compile(r"[A-Za-z0-9_]{6,80}")

_log = structlog.get_logger(__name__)


async def done(wiring: Wiring, request: Request) -> Response:
    """GET /l/{token}/done

    The processor is asked even when the cookie has run out: that tells nothing to anybody, and the money is booked.
    """
    token = request.path_params["token"]
    answered = await _catch_up(wiring, token)
    visitor = await doors.enter(wiring, request)
    if visitor is None:
        return HTMLResponse(screens.ask(doors.language_of(request)))
    language = doors.language_of(request, visitor)
    return doors.renew(wiring, request, await _say(wiring, visitor, token, language, answered=answered))


async def back(wiring: Wiring, request: Request) -> Response:
    """GET /back: from the bank's own page about a card on file. Nobody is known here, so nothing is said but thanks;
    the processor is asked about a charge of ours that waits for this, and the news goes to the conversation.
    """
    ref = request.query_params.get("payment_intent", "")
    if _REF.fullmatch(ref):
        waiting = await wiring.road.store.aread(partial(card_pages.confirmed_at_bank, processor_ref=ref))
        await _settle(wiring, waiting)
    language = doors.language_of(request)
    said = web.words(language)
    return HTMLResponse(screens.note_page(language, None, said["back_title"], said["back_text"]))


async def _say(wiring: Wiring, visitor: Visitor, token: str, language: str, *, answered: bool) -> Response:
    if visitor.link.purpose == plan_page.PURPOSE:
        return RedirectResponse(f"/l/{token}?way=auto&lang={language}", 303)
    if visitor.link.purpose == card_page.PURPOSE:
        page = await wiring.road.store.aread(partial(card_pages.card_page, link=visitor.link, now=wiring.now()))
        if page is None or page.done:
            return await card_page.show(wiring, visitor, token, language)
        return HTMLResponse(plan_screens.note(visitor, "card_open", language, [(f"/l/{token}", "card_button")]))
    paid = await wiring.road.store.aread(lambda session: link_pages.payment_page(
        session, visitor.link, visitor.policy, wiring.now()))
    if paid is None:
        return HTMLResponse(screens.gone(language))
    return HTMLResponse(paying.how_it_stands(visitor, paid, token, language, answered=answered))


async def _catch_up(wiring: Wiring, token: str) -> bool:
    """Ask the processor about what may have been finished; False when it did not answer."""
    waiting = await wiring.road.store.aread(partial(card_pages.waiting_page, token=token, now=wiring.now()))
    return await _settle(wiring, waiting)


async def _settle(wiring: Wiring, waiting: Waiting | None) -> bool:
    if waiting is None:
        return True
    try:
        event = await _fetch(wiring, waiting)
    except ProcessorError as error:
        _log.warning("no answer about a payment page", kind=error.kind, code=error.code)
        return False
    hit("return.asked")
    await wiring.road.store.awrite(partial(_apply, practice_id=waiting.practice_id, event=event, wiring=wiring))
    wiring.road.wake.inbox.set()
    return True


async def _fetch(wiring: Wiring, waiting: Waiting) -> PaymentEvent:
    if waiting.kind == "charge":
        return await wiring.processor.fetch_charge(waiting.ref)
    return await wiring.processor.fetch_checkout(waiting.ref)


def _apply(session: Session, practice_id: str, event: PaymentEvent, wiring: Wiring) -> None:
    payments.apply_event(session, practice_id, event, wiring.now())
    hit("return.applied")
