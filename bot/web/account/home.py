"""The account's first page: what is owed now, what stands beside it, and the ways on."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from billing import link_pages
from billing.figures import account_figures
from billing.views import AccountView
from bot.web.account import rooms
from bot.web.account.rooms import Room
from handlers.accounts import running_plan, shown_figures, waiting_plan
from templates.statement_words import money

#: The ways on: address below the link, and the key of its words. The empty ones are pressed (onward.py).
_MENU = (("why", "why"), ("plans", "plan"), ("assistance", "help"), ("dispute", "dispute"), ("insurance", "insurance"),
         ("receipts", "receipts"), ("preferences", "wishes"))


@rooms.looking
async def show(room: Room) -> Response:
    """GET /l/{token}/account"""
    content = await room.wiring.road.store.aread(lambda session: _content(session, room))
    return rooms.page(room, "home", **content)


def _content(session: Session, room: Room) -> dict[str, Any]:
    figures = account_figures(session, room.account_id, room.today, room.practice_id)
    account = rooms.view(session, room, explained=False, known=figures)
    due = link_pages.due_in(figures, room.visitor.policy)
    amount = money(max(due.amount_minor, 0), room.language, due.currency)
    stale = account.stale
    pay = None
    if due.amount_minor > 0 and not stale and room.visitor.link.purpose != "pay":
        pay = {"amount": amount, "action": f"{room.home}/pay",
               "fields": [("amount", str(due.amount_minor)), ("version", str(due.balance_version))]}
    return {"stale": stale, "owes": due.amount_minor > 0, "amount": amount, "pay": pay,
            "opened": room.visitor.link.purpose == "pay", "states": [] if stale else _states(account, room),
            "menu": [{"href": room.href(path), "text": room.words[f"menu_{key}"],
                      "more": room.words[f"menu_{key}_more"]} for path, key in _MENU]}


def _states(account: AccountView, room: Room) -> list[dict[str, str]]:
    """What stands beside the amount due: a plan, money that is waited for, on hold, at an agency, in credit."""
    figures, said, plan = shown_figures(account), room.words, running_plan(account)
    told: list[dict[str, str]] = []
    if plan is not None:
        told.append({"text": said["state_plan"].format(left=_money(room, plan.left_minor)), "plan": plan.plan_id})
    elif (offer := waiting_plan(account)) is not None:
        told.append({"text": said["state_offer"], "plan": offer.plan_id})
    for key, minor in (("pending", figures.pending_minor), ("held", figures.held_minor),
                       ("agency", figures.placed_minor), ("credit", figures.credit_minor)):
        if minor > 0:
            told.append({"text": said[f"state_{key}"].format(amount=_money(room, minor)), "plan": ""})
    return told


def _money(room: Room, minor: int) -> str:
    return money(minor, room.language, room.visitor.policy.currency)
