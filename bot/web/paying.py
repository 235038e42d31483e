"""The button: from a payment on file to the processor's page, and back.

Three steps, no transaction around the network: the attempt and its key are committed, the processor is asked, the
page is written down. Pressing twice, or dying in between, repeats the same attempt.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from billing import checkout, link_pages, payment_status, payments
from billing.checkout import AlreadyOpen, NotNow, Opening
from billing.link_pages import PaymentPage, Visitor
from bot.failpoints import hit
from bot.processors.base import CheckoutPage, CheckoutRequest, PaymentEvent, ProcessorError
from bot.web import doors, proof, screens
from bot.web.wiring import Wiring

#: Waits before asking again with the same key: the other press of a double press is still on its way.
AGAIN_S = (0.3, 0.9)

_log = structlog.get_logger(__name__)


async def press(wiring: Wiring, request: Request) -> Response:
    """POST /l/{token}/pay"""
    visitor, token = await doors.enter(wiring, request), request.path_params["token"]
    if visitor is None:
        return RedirectResponse(f"/l/{token}", 303)
    language = doors.language_of(request, visitor)
    payment_id = visitor.link.object_id
    if visitor.link.purpose != "pay":
        made = await _from_statement(wiring, request, visitor, token)
        if made is None:
            return HTMLResponse(screens.note(visitor, "moved", language), 409)
        payment_id, token = made
    return doors.renew(wiring, request, await _to_page(wiring, visitor, payment_id, token, language), token)


async def _from_statement(wiring: Wiring, request: Request, visitor: Visitor, token: str) -> tuple[str, str] | None:
    form = await doors.form_of(request)
    if isinstance(form, Response) or not form.get("amount", "").isdecimal() or not form.get("version", "").isdecimal():
        return None
    ref = f"door:{proof.name_of(wiring.settings.link_secret_bytes, token)}"
    return await wiring.road.store.awrite(partial(
        link_pages.pay_all_due, visitor=visitor, ref=ref, shown=(int(form["amount"]), int(form["version"])),
        now=wiring.now(), processor=wiring.processor.name))


async def _to_page(wiring: Wiring, visitor: Visitor, payment_id: str, token: str, language: str) -> Response:
    for _ in range(2):  # a refused attempt is followed by one new one
        step = await wiring.road.store.awrite(partial(
            checkout.begin, practice_id=visitor.link.practice_id, payment_id=payment_id, now=wiring.now()))
        match step:
            case NotNow("paid"):
                return RedirectResponse(f"/l/{token}?lang={language}", 303)
            case NotNow("not_found"):
                return HTMLResponse(screens.gone(language), 404)
            case NotNow(reason):
                return HTMLResponse(screens.note(visitor, reason, language), 409)
            case AlreadyOpen(url):
                return RedirectResponse(url, 303)
            case Opening():
                hit("pay.begun")
                try:
                    return RedirectResponse(await _open(wiring, step, token), 303)
                except ProcessorError as error:
                    _log.warning("no payment page", payment_id=payment_id, kind=error.kind, code=error.code)
                    if error.code == "no_online_payment":
                        return HTMLResponse(screens.note(visitor, "office", language), 409)
                    if error.kind != "refused":
                        break
                    await wiring.road.store.awrite(partial(
                        checkout.refused, practice_id=step.practice_id, payment_id=payment_id, attempt=step.attempt,
                        code=error.code, now=wiring.now()))
    return HTMLResponse(screens.note(visitor, "down", language, [(f"/l/{token}", "try_again")]), 503)


async def _open(wiring: Wiring, step: Opening, token: str) -> str:
    """Ask for the page and write it down; return its address. Raises ProcessorError."""
    home = f"{wiring.road.public_url.rstrip('/')}/l/{token}"
    asked = CheckoutRequest(
        payment_id=step.payment_id, practice_id=step.practice_id, amount_minor=step.amount_minor,
        currency=step.currency, language=step.language, description=f"{step.practice_name}: payment",
        success_url=f"{home}/done", cancel_url=home, expires_at=step.expires_at,
        idempotency_key=step.idempotency_key)
    page = await _ask(wiring, asked)
    hit("pay.asked")
    url = await wiring.road.store.awrite(partial(
        checkout.opened, practice_id=step.practice_id, payment_id=step.payment_id, attempt=step.attempt,
        session_ref=page.session_ref, url=page.url))
    hit("pay.opened")
    return url or page.url


async def _ask(wiring: Wiring, asked: CheckoutRequest) -> CheckoutPage:
    for wait in AGAIN_S:
        try:
            return await wiring.processor.open_checkout(asked)
        except ProcessorError as error:
            if error.kind not in {"unknown", "retry"}:
                raise
            await asyncio.sleep(wait)
    return await wiring.processor.open_checkout(asked)


async def done(wiring: Wiring, request: Request) -> Response:
    """GET /l/{token}/done: back from the processor's page. Says "paid" only if the ledger does.

    The processor is asked even when the cookie has run out: that tells nothing to anybody, and the money is booked.
    """
    token = request.path_params["token"]
    answered = await _catch_up(wiring, token)
    visitor = await doors.enter(wiring, request)
    if visitor is None:
        return HTMLResponse(screens.ask(doors.language_of(request)))
    language = doors.language_of(request, visitor)
    page = await wiring.road.store.aread(lambda session: link_pages.payment_page(session, visitor.link, wiring.now()))
    return doors.renew(wiring, request, HTMLResponse(
        _how_it_stands(visitor, page, token, language, answered=answered)))


async def _catch_up(wiring: Wiring, token: str) -> bool:
    """Ask the processor about a page that may have been paid; False when it did not answer."""
    waiting = await wiring.road.store.aread(partial(link_pages.waiting_payment, token=token, now=wiring.now()))
    if waiting is None:
        return True
    practice_id, session_ref = waiting
    try:
        event = await wiring.processor.fetch_checkout(session_ref)
    except ProcessorError as error:
        _log.warning("no answer about a payment page", kind=error.kind, code=error.code)
        return False
    hit("return.asked")
    await wiring.road.store.awrite(partial(_apply, practice_id=practice_id, event=event, wiring=wiring))
    wiring.road.wake.inbox.set()
    return True


def _apply(session: Session, practice_id: str, event: PaymentEvent, wiring: Wiring) -> None:
    payments.apply_event(session, practice_id, event, wiring.now())
    hit("return.applied")


def _how_it_stands(visitor: Visitor, page: PaymentPage | None, token: str, language: str, *, answered: bool) -> str:
    if page is None:
        return screens.gone(language)
    if page.status in payment_status.TOOK_MONEY:
        return screens.paid(visitor, page, language)
    again = [(f"/l/{token}", "try_again")]
    if page.status in {payment_status.FAILED, payment_status.EXPIRED}:
        return screens.note(visitor, "failed", language, again)
    if not answered or (page.status == payment_status.PENDING and page.bank_at_work):
        return screens.note(visitor, "working", language, [(f"/l/{token}/done", "working_check")])
    return screens.note(visitor, "open", language, [(f"/l/{token}", "back"), (f"/l/{token}/done", "working_check")])
