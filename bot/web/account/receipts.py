"""Every payment of the account with its receipt, on a page and on paper."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import payment_status, receipts
from billing.statement_content import StatementRefused
from billing.views import PaymentView
from bot.web import doors, screens
from bot.web.account import rooms
from bot.web.account.rooms import Room
from handlers.accounts import shown_payments
from templates import statement
from templates.languages import find
from templates.statement_sheets import receipt_page
from templates.statement_words import day, money, words


@rooms.looking
async def show(room: Room) -> Response:
    """GET /l/{token}/receipts"""
    found = await room.wiring.road.store.aread(lambda session: _paid(session, room))
    listed = [_line(room, number, one) for number, one in enumerate(found, 1)]
    years = sorted({str(_on(room, one).year) for one in found}, reverse=True)
    return rooms.page(room, "receipts", payments=listed, years=years)


@rooms.looking
async def one(room: Room) -> Response:
    """GET /l/{token}/receipts/{number}: by its place in the list, no number of ours."""
    content = await room.wiring.road.store.aread(lambda session: _receipt(session, room))
    if content is None:
        return HTMLResponse(screens.gone(room.language), 404)
    at = f"{room.home}/receipts/{room.request.path_params['number']}"
    made = screens.sheet("receipt", receipt_page(content, room.language), at, "", room.language,
                         account=room.href("receipts"))
    return doors.renew(room.wiring, room.request, HTMLResponse(made))


@rooms.looking
async def pdf(room: Room) -> Response:
    """GET /l/{token}/receipts/{number}/pdf"""
    content = await room.wiring.road.store.aread(lambda session: _receipt(session, room))
    if content is None:
        return RedirectResponse(room.href("receipts"), 303)
    made = await asyncio.to_thread(statement.receipt_pdf, content, find(room.language).paper)
    return Response(made, media_type="application/pdf",
                    headers={"content-disposition": 'inline; filename="receipt.pdf"'})


def _paid(session: Session, room: Room) -> list[PaymentView]:
    return [one for one in shown_payments(rooms.view(session, room))
            if one.status in payment_status.TOOK_MONEY and one.paid_at is not None]


def _on(room: Room, paid: PaymentView) -> Any:
    assert paid.paid_at is not None  # _paid leaves out the others
    return room.visitor.policy.local_day(paid.paid_at)


def _line(room: Room, number: int, paid: PaymentView) -> dict[str, str]:
    said, currency = room.words, room.visitor.policy.currency
    back = said["receipts_back"].format(amount=money(paid.refunded_minor, room.language, currency))
    return {"href": room.href(f"receipts/{number}"), "more": back if paid.refunded_minor else "",
            "tender": str(words(room.language)["tender"].get(paid.tender, "")),
            "text": said["receipts_paid"].format(amount=money(paid.amount_minor, room.language, currency),
                                                 day=day(_on(room, paid), room.language))}


def _receipt(session: Session, room: Room) -> dict[str, Any] | None:
    """None for a number that is none, and for what a person hands out."""
    number = room.request.path_params["number"]
    found = _paid(session, room)
    if not (number.isascii() and number.isdecimal() and len(number) < 4 and 0 < int(number) <= len(found)):
        return None
    try:
        return receipts.receipt(session, found[int(number) - 1].payment_id, room.language, room.today)
    except (LookupError, StatementRefused):
        return None
