"""The pages behind a link's token: the questions first, then what the link is for.

``GET`` of any token, known or not, shows the same questions: a carrier's preview robot neither uses the link up nor
learns whether it is one (T-39). Nothing is shown before date of birth and ZIP were right (T-34).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from billing import case_files, link_pages, payment_status, receipts, statements
from billing.link_pages import Visitor
from bot.channels.twilio_signature import read_form
from bot.web import proof, screens
from bot.web.guard import TooLarge, read_body
from bot.web.wiring import Wiring
from templates import statement, web
from templates.statement_page import statement_page
from templates.statement_sheets import itemised_page, receipt_page
from templates.statement_words import day

#: How a sheet becomes a page and a PDF: by the link's purpose.
SHEETS: dict[str, tuple[Callable[[Any, str], dict[str, Any]], Callable[[Any, str], bytes]]] = {
    "statement": (statement_page, statement.pdf),
    "itemised": (itemised_page, statement.itemised_pdf),
    "receipt": (receipt_page, statement.receipt_pdf),
}


async def show(wiring: Wiring, request: Request) -> Response:
    """GET /l/{token}"""
    visitor = await enter(wiring, request)
    if visitor is None:
        return HTMLResponse(screens.ask(language_of(request)))
    language = language_of(request, visitor)
    return renew(wiring, request, await _page(wiring, request, visitor, language))


async def answer(wiring: Wiring, request: Request) -> Response:
    """POST /l/{token}: the answers to the questions. Every failure looks the same."""
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    token = request.path_params["token"]
    proved = await wiring.road.store.awrite(partial(
        link_pages.prove, token=token, born_on=proof.read_birth_date(form), postal_code=form.get("zip", ""),
        now=wiring.now(), passcode=form.get("passcode", "")))
    language = language_of(request)
    if proved is None:
        return HTMLResponse(screens.ask(language, wrong=True), 403)
    chosen = f"?lang={language}" if "lang" in request.query_params else ""
    return renew(wiring, request, RedirectResponse(f"/l/{token}{chosen}", 303))


async def pdf(wiring: Wiring, request: Request) -> Response:
    """GET /l/{token}/pdf: the same sheet on paper, made outside of any transaction."""
    visitor = await enter(wiring, request)
    token = request.path_params["token"]
    if visitor is None:
        return RedirectResponse(f"/l/{token}", 303)
    chosen = request.query_params.get("visit", "")
    try:
        content = await wiring.road.store.aread(partial(sheet_content, visitor=visitor, wiring=wiring, chosen=chosen))
    except statements.StatementRefused:
        return HTMLResponse(screens.note(visitor, "unavailable", language_of(request, visitor)))
    if content is None:
        return HTMLResponse(screens.gone(language_of(request, visitor)), 404)
    made = await asyncio.to_thread(SHEETS[visitor.link.purpose][1], content, language_of(request, visitor))
    name = f"{visitor.link.purpose}.pdf"  # no number and no name: file names end up in lists of downloads
    return Response(made, media_type="application/pdf", headers={"content-disposition": f'inline; filename="{name}"'})


async def enter(wiring: Wiring, request: Request) -> Visitor | None:
    """The visitor behind a valid cookie; None for everybody else."""
    token = request.path_params["token"]
    secret = wiring.settings.link_secret_bytes
    if not proof.is_proved(secret, token, request.cookies.get(proof.COOKIE), wiring.now()):
        return None
    return await wiring.road.store.awrite(partial(link_pages.visit, token=token, now=wiring.now()))


def renew(wiring: Wiring, request: Request, response: Response, token: str = "") -> Response:
    proof.remember(response, wiring.settings.link_secret_bytes, token or request.path_params["token"], wiring.now(),
                   secure=wiring.road.public_url.startswith("https:"))
    return response


def language_of(request: Request, visitor: Visitor | None = None) -> str:
    """What was chosen on the page, else the account's own, else the browser's."""
    return web.choose(request.query_params.get("lang"), visitor.language if visitor else None,
                      request.headers.get("accept-language"))


async def form_of(request: Request) -> dict[str, str] | Response:
    try:
        return dict(read_form(await read_body(request)))
    except (TooLarge, ValueError):
        return PlainTextResponse("too large", 413)


async def _page(wiring: Wiring, request: Request, visitor: Visitor, language: str) -> Response:
    token, purpose = request.path_params["token"], visitor.link.purpose
    if purpose == "pay":
        return await payment(wiring, visitor, token, language)
    if purpose in case_files.PURPOSES:
        have = await wiring.road.store.aread(lambda session: case_files.sent(session, visitor.link))
        return HTMLResponse(screens.upload(visitor, have, f"/l/{token}/files", language))
    if purpose == "passcode":
        known = await wiring.road.store.aread(lambda session: link_pages.has_passcode(session, visitor.link))
        return HTMLResponse(screens.passcode(visitor, f"/l/{token}/passcode", language, known=known))
    if purpose not in SHEETS:
        return HTMLResponse(screens.note(visitor, "confirmed", language))
    chosen = request.query_params.get("visit", "")
    try:
        content = await wiring.road.store.aread(partial(sheet_content, visitor=visitor, wiring=wiring, chosen=chosen))
    except statements.StatementRefused:
        return HTMLResponse(screens.note(visitor, "unavailable", language))
    if content is None:
        return await _without_sheet(wiring, visitor, token, language)
    due = await _due(wiring, visitor) if purpose == "statement" else None
    query = f"visit={chosen}&" if chosen.isdecimal() else ""
    return HTMLResponse(screens.sheet(purpose, SHEETS[purpose][0](content, language), f"/l/{token}", query, language,
                                      due))


async def _due(wiring: Wiring, visitor: Visitor) -> link_pages.DueNow:
    return await wiring.road.store.aread(lambda session: link_pages.due_now(
        session, visitor.link, visitor.policy, wiring.now()))


async def _without_sheet(wiring: Wiring, visitor: Visitor, token: str, language: str) -> Response:
    """No statement was made yet, or no visit was chosen yet."""
    if visitor.link.purpose == "itemised":
        days = await wiring.road.store.aread(lambda session: [
            on for _, on in link_pages.itemisable(session, visitor.link, wiring.now())])
        return HTMLResponse(screens.choice(visitor, [day(on, language) for on in days], f"/l/{token}", language))
    if visitor.link.purpose == "receipt":
        return HTMLResponse(screens.gone(language), 404)
    due = await _due(wiring, visitor)
    if due.amount_minor > 0:
        return HTMLResponse(screens.pay_now(visitor, due, f"/l/{token}/pay", language))
    return HTMLResponse(screens.note(visitor, "nothing", language))


def sheet_content(session: Session, visitor: Visitor, wiring: Wiring, chosen: str) -> dict[str, Any] | None:
    """The data of the sheet that the link is for; None when there is none (yet)."""
    link, today = visitor.link, wiring.now().astimezone(ZoneInfo(visitor.policy.zone)).date()
    if link.purpose == "statement":
        number = link_pages.statement_of(session, link)
        return statements.view(session, number) if number else None
    if link.purpose == "receipt":
        paid = link_pages.has_paid(session, link)
        return receipts.receipt(session, link.object_id, visitor.language, today) if paid else None
    visits = [visit_id for visit_id, _ in link_pages.itemisable(session, link, wiring.now())]
    place = int(chosen) if chosen.isdecimal() and len(chosen) < 4 else 0
    wanted = link.object_id or (visits[place - 1] if 0 < place <= len(visits) else "")
    return statements.itemised(session, wanted, visitor.language, today) if wanted in visits else None


async def payment(wiring: Wiring, visitor: Visitor, token: str, language: str) -> Response:
    """The payment as it stands: to be paid, paid, or why not."""
    page = await wiring.road.store.aread(lambda session: link_pages.payment_page(session, visitor.link, wiring.now()))
    if page is None:
        return HTMLResponse(screens.gone(language), 404)
    if page.status in payment_status.TOOK_MONEY:
        return HTMLResponse(screens.paid(visitor, page, language))
    if page.obstacle:
        return HTMLResponse(screens.note(visitor, page.obstacle, language))
    return HTMLResponse(screens.pay(visitor, page, f"/l/{token}/pay", language))
