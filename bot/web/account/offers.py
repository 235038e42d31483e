"""Plans to choose among, to the cent and to the day; the chosen one is read and agreed to on the plan's own page."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from billing import apply, plan_limits, plan_offers
from billing.commands import CommandRefused, OfferPlan
from billing.plan_offers import Ask, Offer
from bot.web.account import amounts, onward, rooms
from bot.web.account.rooms import Room
from config.payment_policy import PlanPolicy
from handlers.accounts import payable_visits, running_plan, waiting_plan
from handlers.flows.plan_basis import Basis, basis
from handlers.flows.plan_signing import fingerprint
from templates.statement_words import day, money, short_day

_FIELDS = ("amount", "every", "day")


@rooms.looking
async def show(room: Room) -> Response:
    """GET /l/{token}/plans: the usual plans."""
    return await _page(room, Ask(), {})


@rooms.pressing
async def press(room: Room) -> Response:
    """POST /l/{token}/plans: ``do`` is look (other plans) or take (one of those that were shown)."""
    ask, problems = _read(room)
    if problems or room.form.get("do") != "take":
        return await _page(room, ask, problems)
    token = await room.wiring.road.store.awrite(partial(_take, room=room, ask=ask))
    return onward.to(room, token) if token else rooms.note(room, "plan_moved")


def _read(room: Room) -> tuple[Ask, dict[str, str]]:
    """What was asked for, and what of it is no answer."""
    form, policy, problems = room.form, room.visitor.policy.plans, dict[str, str]()
    amount, first = amounts.cents(form.get("amount", "")), amounts.day(form.get("day", ""))
    if form.get("amount", "").strip() and not amount:
        problems["amount"] = room.words["plan_no_amount"]
    if policy is not None and form.get("day", "").strip():
        window = plan_limits.window(policy, room.today)
        if first is None or not window[0] <= first <= window[1]:
            problems["day"] = room.words["plan_no_day"].format(**_window(room, policy))
    every = form.get("every", "")
    known = every if policy is not None and every in policy.intervals else None
    return (Ask() if problems else Ask(amount_minor=amount or None, interval=known, first_on=first)), problems


def _window(room: Room, policy: PlanPolicy) -> dict[str, str]:
    first, last = plan_limits.window(policy, room.today)
    return {"first": short_day(first, room.language), "last": short_day(last, room.language)}


async def _page(room: Room, ask: Ask, problems: dict[str, str]) -> Response:
    content = await room.wiring.road.store.aread(partial(_content, room=room, ask=ask))
    if isinstance(content, str):
        return rooms.note(room, content, 200)
    return rooms.page(room, "plans", 422 if problems else 200, problems=problems,
                      values={name: room.form.get(name, "") for name in _FIELDS}, **content)


def _content(session: Session, room: Room, ask: Ask) -> dict[str, Any] | str:
    """What the page shows; the name of a note where there is nothing to choose."""
    account, policy = rooms.view(session, room), room.visitor.policy.plans
    if account.stale:
        return "stale"
    running = running_plan(account)
    if running is not None:
        return {"running": running.plan_id, "waiting": "", "offers": [], "owed": "", "intervals": [], "window": {}}
    if not payable_visits(account):
        return "plan_nothing"
    if policy is None:
        return "plan_none"
    on, waiting = basis(account, policy, adds=False), waiting_plan(account)
    found = _made(room, on, ask)
    if not found and ask == Ask():
        return "plan_none"
    return {"running": "", "waiting": waiting.plan_id if waiting else "", "owed": _money(room, on.total_minor),
            "offers": [_offer(room, one) for one in found], "intervals": list(policy.intervals),
            "window": _window(room, policy)}


def _made(room: Room, on: Basis, ask: Ask) -> tuple[Offer, ...]:
    return plan_offers.make(on.total_minor, on.visits, on.policy, room.today, ask).offers


def _offer(room: Room, offer: Offer) -> dict[str, Any]:
    said = room.words
    title = said["plan_each"].format(count=offer.count, amount=_money(room, offer.amount_minor))
    more = [said["every"][offer.interval]]
    if offer.deposit_minor:
        more.append(said["plan_deposit"].format(amount=_money(room, offer.deposit_minor)))
    more.append(said["plan_first"].format(day=day(offer.instalments[0].due_on, room.language)))
    if offer.last_minor != offer.amount_minor:
        more.append(said["plan_last"].format(last=_money(room, offer.last_minor)))
    return {"title": title, "more": ", ".join(more), "shown": _shown(offer),
            "parts": [[short_day(one.due_on, room.language), _money(room, one.amount_minor)] for one in offer.parts],
            "total": _money(room, offer.total_minor)}


def _shown(offer: Offer) -> str:
    """Names an offer by what was on the page: another one is not taken for it."""
    return "|".join([offer.interval, *map(str, fingerprint(offer))])


def _take(session: Session, room: Room, ask: Ask) -> str | None:
    """The token of the plan's page; None where the offer that was shown cannot be had any more."""
    account, policy = rooms.view(session, room), room.visitor.policy.plans
    if policy is None or account.stale or running_plan(account) is not None:
        return None
    on = basis(account, policy, adds=False)
    chosen = next((one for one in _made(room, on, ask) if _shown(one) == room.form.get("shown", "")), None)
    if chosen is None:
        return None
    command = OfferPlan(account.account_id, chosen.terms("link"), account.balance_version, room.language)
    try:
        return apply.carry_out(session, command, rooms.turn(session, room))
    except CommandRefused:
        return None


def _money(room: Room, minor: int) -> str:
    return money(minor, room.language, room.visitor.policy.currency)
