"""What stands behind a link's door, by its purpose: a payment, a plan, a sheet with its paper, a form."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import case_files, link_pages, receipts, statements, year_summary
from billing.link_pages import Visitor
from bot.web import card_page, paying, plan_page, screens
from bot.web.account import rooms
from bot.web.doors import enter, language_of, renew
from bot.web.wiring import Wiring
from templates import statement
from templates.languages import find
from templates.plan_sheets import plan_page as plan_strings
from templates.statement_page import statement_page
from templates.statement_sheets import itemised_page, receipt_page
from templates.statement_words import day
from templates.year_sheets import year_page

#: How a sheet becomes a page and a PDF: by the link's purpose. A plan has a page of its own, and this paper.
SHEETS: dict[str, tuple[Callable[[Any, str], dict[str, Any]], Callable[[Any, str], bytes]]] = {
    "statement": (statement_page, statement.pdf),
    "itemised": (itemised_page, statement.itemised_pdf),
    "receipt": (receipt_page, statement.receipt_pdf),
    "year": (year_page, statement.year_pdf),
    "agreement": (plan_strings, statement.agreement_pdf),
    "plan": (plan_strings, statement.agreement_pdf),
}

#: Links that lead to pages of the account.
ENTRANCES = frozenset({rooms.ACCOUNT, rooms.ASSISTANCE})


async def show(wiring: Wiring, request: Request) -> Response:
    """GET /l/{token}"""
    visitor = await enter(wiring, request)
    if visitor is None:
        return HTMLResponse(screens.ask(language_of(request)))
    language = language_of(request, visitor)
    return renew(wiring, request, await _page(wiring, request, visitor, language))


async def pdf(wiring: Wiring, request: Request) -> Response:
    """GET /l/{token}/pdf: the same sheet on paper, made outside of any transaction."""
    visitor = await enter(wiring, request)
    token = request.path_params["token"]
    if visitor is None:
        return RedirectResponse(f"/l/{token}", 303)
    language = language_of(request, visitor)
    content = await _sheet(wiring, request, visitor, language)
    if isinstance(content, Response):
        return content
    if content is None:
        return HTMLResponse(screens.gone(language), 404)
    made = await asyncio.to_thread(SHEETS[visitor.link.purpose][1], content, find(language).paper)
    name = f"{visitor.link.purpose}.pdf"  # no number and no name: file names end up in lists of downloads
    return Response(made, media_type="application/pdf", headers={"content-disposition": f'inline; filename="{name}"'})


async def _page(wiring: Wiring, request: Request, visitor: Visitor, language: str) -> Response:
    token, purpose = request.path_params["token"], visitor.link.purpose
    if purpose in ENTRANCES:
        return RedirectResponse(f"/l/{token}/{purpose}?lang={language}", 303)
    if purpose == "pay":
        return await paying.show(wiring, visitor, token, language)
    if purpose == plan_page.PURPOSE:
        return await plan_page.show(wiring, request, visitor, token, language)
    if purpose == card_page.PURPOSE:
        return await card_page.show(wiring, visitor, token, language)
    if purpose in case_files.PURPOSES:
        have = await wiring.road.store.aread(lambda session: case_files.sent(session, visitor.link))
        return HTMLResponse(screens.upload(visitor, have, f"/l/{token}/files", language))
    if purpose == "passcode":
        known = await wiring.road.store.aread(lambda session: link_pages.has_passcode(session, visitor.link))
        return HTMLResponse(screens.passcode(visitor, f"/l/{token}/passcode", language, known=known))
    if purpose not in SHEETS:
        return HTMLResponse(screens.note(visitor, "confirmed", language))
    chosen = request.query_params.get("visit", "")
    content = await _sheet(wiring, request, visitor, language)
    if isinstance(content, Response):
        return content
    if content is None:
        return await _without_sheet(wiring, visitor, token, language)
    due = await _due(wiring, visitor) if purpose == "statement" else None
    query = f"visit={chosen}&" if chosen.isdecimal() else ""
    return HTMLResponse(screens.sheet(purpose, SHEETS[purpose][0](content, language), f"/l/{token}", query, language,
                                      due, screens.card_warning(visitor.policy, language)))


async def _sheet(wiring: Wiring, request: Request, visitor: Visitor, language: str,
                 ) -> dict[str, Any] | Response | None:
    """As ``sheet_content``; the page that says so where a person has to hand it out."""
    try:
        return await wiring.road.store.aread(partial(
            sheet_content, visitor=visitor, wiring=wiring, language=language, query=request.query_params))
    except statements.StatementRefused:
        return HTMLResponse(screens.note(visitor, "unavailable", language))


async def _due(wiring: Wiring, visitor: Visitor) -> link_pages.DueNow:
    return await wiring.road.store.aread(lambda session: link_pages.due_now(
        session, visitor.link, visitor.policy, wiring.now()))


async def _without_sheet(wiring: Wiring, visitor: Visitor, token: str, language: str) -> Response:
    """No statement was made yet, or no visit was chosen yet."""
    if visitor.link.purpose == "itemised":
        days = await wiring.road.store.aread(lambda session: [
            on for _, on in link_pages.itemisable(session, visitor.link, wiring.now())])
        return HTMLResponse(screens.choice(visitor, [day(on, language) for on in days], f"/l/{token}", language))
    if visitor.link.purpose != "statement":
        return HTMLResponse(screens.gone(language), 404)
    due = await _due(wiring, visitor)
    if due.amount_minor > 0:
        return HTMLResponse(screens.pay_now(visitor, due, f"/l/{token}/pay", language))
    return HTMLResponse(screens.note(visitor, "nothing", language))


def sheet_content(session: Session, visitor: Visitor, wiring: Wiring, language: str, query: Mapping[str, str],
                  ) -> dict[str, Any] | None:
    """The data of the sheet that the link is for; None when there is none (yet), or the link is for something else.

    Raises StatementRefused for what a person has to hand out.
    """
    link, today = visitor.link, visitor.policy.local_day(wiring.now())
    match link.purpose:
        case "statement":
            number = link_pages.statement_of(session, link)
            return statements.view(session, number) if number else None
        case "receipt":
            paid = link_pages.has_paid(session, link)
            return receipts.receipt(session, link.object_id, visitor.language, today) if paid else None
        case "year":
            return _year(session, visitor, today, language)
        case "plan" | "agreement":
            content = plan_page.content_of(session, visitor, wiring, language, query.get("way", ""))
            signed = content is not None and content["agreed"] is not None
            return content if link.purpose == "plan" or signed else None
        case "itemised":
            return _itemised(session, visitor, wiring, query.get("visit", ""))
        case _:
            return None


def _year(session: Session, visitor: Visitor, today: date, language: str) -> dict[str, Any] | None:
    """The calendar year that the link names."""
    wanted = visitor.link.object_id
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) == 4):
        return None
    return year_summary.year(session, visitor.link.guarantor_id, int(wanted), today=today, language=language)


def _itemised(session: Session, visitor: Visitor, wiring: Wiring, chosen: str) -> dict[str, Any] | None:
    visits = [visit_id for visit_id, _ in link_pages.itemisable(session, visitor.link, wiring.now())]
    place = int(chosen) if chosen.isascii() and chosen.isdecimal() and len(chosen) < 4 else 0
    wanted = visitor.link.object_id or (visits[place - 1] if 0 < place <= len(visits) else "")
    today = visitor.policy.local_day(wiring.now())
    return statements.itemised(session, wanted, visitor.language, today) if wanted in visits else None
