"""The button: from a payment that was asked for to the processor's page; bot/web/returning.py is the way back.

Three steps, no transaction around the network: the attempt and its key are committed, the processor is asked, the
page is written down. Pressing twice, or dying in between, repeats the same attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Generic, Protocol, TypeVar

import structlog
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import checkout, link_pages, payment_status, payments
from billing.checkout import AlreadyOpen, NotNow, Opening
from billing.link_pages import PaymentPage, Visitor
from bot.failpoints import hit
from bot.processors.base import KEPT_FAILURE, CheckoutPage, CheckoutRequest, ProcessorError
from bot.web import doors, proof, screens
from bot.web.wiring import Wiring

#: Waits before asking again with the same key: the other press of a double press is still on its way.
AGAIN_S = (0.3, 0.9)

_log = structlog.get_logger(__name__)


class Attempt(Protocol):
    """A step that asks the processor for a page."""

    @property
    def attempt(self) -> int: ...


Step = TypeVar("Step", bound=Attempt)


async def show(wiring: Wiring, visitor: Visitor, token: str, language: str) -> Response:
    """The payment as it stands: to be paid, paid, or why not."""
    page = await wiring.road.store.aread(lambda session: link_pages.payment_page(
        session, visitor.link, visitor.policy, wiring.now()))
    if page is None:
        return HTMLResponse(screens.gone(language), 404)
    if page.status in payment_status.TOOK_MONEY:
        return HTMLResponse(screens.paid(visitor, page, language))
    if page.bank_url:
        return HTMLResponse(screens.bank(visitor, page, language))
    if page.on_file:
        return HTMLResponse(how_it_stands(visitor, page, token, language, answered=True))
    if page.obstacle:
        return HTMLResponse(screens.note(visitor, page.obstacle, language))
    return HTMLResponse(screens.pay(
        visitor, page, f"/l/{token}/pay", visitor.policy.local_day(wiring.now()), language))


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
    elif not await _keep(wiring, request, visitor):
        return HTMLResponse(screens.note(visitor, "down", language, [(f"/l/{token}", "try_again")]), 503)
    return doors.renew(wiring, request, await to_page(wiring, visitor, payment_id, token, language), token)


async def _keep(wiring: Wiring, request: Request, visitor: Visitor) -> bool:
    """Whether the box to keep the card is ticked (never required, never ticked for anybody: T-48, T-50), written down.

    A page that is open for the other choice is closed first, so that no card is kept against a wish. False when the
    processor did not answer.
    """
    form = await doors.form_of(request)
    wanted = not isinstance(form, Response) and form.get("keep") == "yes" and visitor.policy.payments.saved_cards
    choose = partial(link_pages.keep_card, link=visitor.link, keep=wanted, now=wiring.now())
    step = await wiring.road.store.awrite(choose)
    if not step.open_ref:
        return True
    try:
        event = await wiring.processor.expire_page(step.open_ref)
    except ProcessorError as error:
        _log.warning("a payment page could not be closed", kind=error.kind, code=error.code)
        return False
    if event.kind == "expired":
        await wiring.road.store.awrite(partial(choose, closed_ref=step.open_ref))
    else:
        await wiring.road.store.awrite(lambda session: payments.apply_event(
            session, visitor.link.practice_id, event, wiring.now()))
    return True


async def _from_statement(wiring: Wiring, request: Request, visitor: Visitor, token: str) -> tuple[str, str] | None:
    form = await doors.form_of(request)
    if isinstance(form, Response) or not form.get("amount", "").isdecimal() or not form.get("version", "").isdecimal():
        return None
    ref = f"door:{proof.name_of(wiring.settings.link_secret_bytes, token)}"
    return await wiring.road.store.awrite(partial(
        link_pages.pay_all_due, visitor=visitor, ref=ref, shown=(int(form["amount"]), int(form["version"])),
        now=wiring.now(), processor=wiring.processor.name))


async def to_page(wiring: Wiring, visitor: Visitor, payment_id: str, token: str, language: str) -> Response:
    def not_now(reason: str) -> Response:
        if reason == "paid":
            return RedirectResponse(f"/l/{token}?lang={language}", 303)
        if reason == "not_found":
            return HTMLResponse(screens.gone(language), 404)
        return HTMLResponse(screens.note(visitor, reason, language), 409)

    def ask(step: Opening, home: str) -> Awaitable[CheckoutPage]:
        return wiring.processor.open_checkout(CheckoutRequest(
            payment_id=step.payment_id, practice_id=step.practice_id, amount_minor=step.amount_minor,
            currency=step.currency, language=step.language, description=f"{step.practice_name}: payment",
            success_url=f"{home}/done", cancel_url=home, expires_at=step.expires_at,
            idempotency_key=step.idempotency_key, bank_debits=step.bank_debits, saves_method=step.saves_method,
            customer_ref=step.customer_ref))

    return await hand_over(wiring, visitor, token, language, Errand(
        payment_id, checkout.begin, partial(checkout.opened, now=wiring.now()), checkout.refused, ask, not_now))


@dataclass(frozen=True, slots=True)
class Errand(Generic[Step]):
    """What somebody goes to the processor's page for: the row that it is about, how its attempts are written down (as
    in billing/checkout.py), what the processor is asked, and what is said when there is no page now.
    """

    object_id: str
    begin: Callable[[Session, str, str, datetime], Step | AlreadyOpen | NotNow]
    opened: Callable[[Session, str, str, int, str, str], str]
    refused: Callable[[Session, str, str, int, str, datetime], None]
    ask: Callable[[Step, str], Awaitable[CheckoutPage]]
    not_now: Callable[[str], Response]


async def hand_over(wiring: Wiring, visitor: Visitor, token: str, language: str, errand: Errand[Step]) -> Response:
    """Send the browser to the processor's page, or say why not."""
    practice_id = visitor.link.practice_id
    for _ in range(2):  # a refused attempt is followed by one new one; an ended request is judged once more
        step = await wiring.road.store.awrite(lambda session: errand.begin(
            session, practice_id, errand.object_id, wiring.now()))
        if isinstance(step, NotNow):
            return errand.not_now(step.reason)
        if isinstance(step, AlreadyOpen):
            return RedirectResponse(step.url, 303)
        hit("pay.begun")
        try:
            if url := await _open(wiring, practice_id, token, errand, step):
                return RedirectResponse(url, 303)
        except ProcessorError as error:
            _log.warning("no payment page", object_id=errand.object_id, kind=error.kind, code=error.code)
            if error.code == "no_online_payment":
                return HTMLResponse(screens.note(visitor, "office", language), 409)
            if error.kind != "refused" and error.code != KEPT_FAILURE:
                break
            await _give_up(wiring, practice_id, errand, step, error)
    return HTMLResponse(screens.note(visitor, "down", language, [(f"/l/{token}", "try_again")]), 503)


async def _open(wiring: Wiring, practice_id: str, token: str, errand: Errand[Step], step: Step) -> str:
    """Ask for the page and write it down; return its address, empty when another attempt took this one's place or the
    request was ended meanwhile: a page that is written down nowhere is nobody's to pay. Raises ProcessorError.
    """
    page = await _ask(partial(errand.ask, step, f"{wiring.road.public_url.rstrip('/')}/l/{token}"))
    hit("pay.asked")
    url = await wiring.road.store.awrite(lambda session: errand.opened(
        session, practice_id, errand.object_id, step.attempt, page.session_ref, page.url))
    hit("pay.opened")
    return url


async def _give_up(wiring: Wiring, practice_id: str, errand: Errand[Step], step: Step, error: ProcessorError) -> None:
    """The next attempt has another key: a page that nobody was sent to is paid by nobody, should there be one."""
    code = error.code if error.kind == "refused" else ""  # the processor's own fault is no reason of the payment's
    await wiring.road.store.awrite(lambda session: errand.refused(
        session, practice_id, errand.object_id, step.attempt, code, wiring.now()))


async def _ask(ask: Callable[[], Awaitable[CheckoutPage]]) -> CheckoutPage:
    for wait in AGAIN_S:
        try:
            return await ask()
        except ProcessorError as error:
            if error.kind not in {"unknown", "retry"}:
                raise
            await asyncio.sleep(wait)
    return await ask()


def how_it_stands(visitor: Visitor, page: PaymentPage, token: str, language: str, *, answered: bool) -> str:
    """What is said to somebody who comes back: "paid" only if the ledger says so."""
    if page.status in payment_status.TOOK_MONEY:
        return screens.paid(visitor, page, language)
    if page.bank_url:
        return screens.bank(visitor, page, language)
    again = [] if page.on_file else [(f"/l/{token}", "try_again")]
    if page.status in {payment_status.FAILED, payment_status.EXPIRED}:
        return screens.note(visitor, "failed", language, again)
    if page.on_file and page.status == payment_status.CANCELLED:
        return screens.note(visitor, "cancelled", language)
    if not answered or page.on_file or (page.status == payment_status.PENDING and page.bank_at_work):
        return screens.note(visitor, "working", language, [(f"/l/{token}/done", "working_check")])
    return screens.note(visitor, "open", language, [(f"/l/{token}", "back"), (f"/l/{token}/done", "working_check")])
