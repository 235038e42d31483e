"""The page of an instalment plan: read, agreed to, and later looked after. GET changes nothing (T-39)."""

from __future__ import annotations

from functools import partial
from typing import Any

import structlog
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import plan_pages, plan_presses
from billing.commands import CommandRefused
from billing.link_pages import Visitor
from billing.plan_presses import Signature
from billing.plan_status import PROPOSED, RUNNING
from billing.statement_content import StatementRefused
from bot.web import card_page, doors, paying, plan_screens, screens
from bot.web.doors import Pressed
from bot.web.wiring import Wiring
from templates import plan_sheets
from templates.plan_words import words

PURPOSE = "plan"
WAYS = ("link", "auto", "card")

#: Refusals of a page's button and the words that say so; any other is "moved".
_SAID = {"charging": "late", "hold": "held", "offer_over": "ended"}


_log = structlog.get_logger(__name__)


async def show(wiring: Wiring, request: Request, visitor: Visitor, token: str, language: str) -> Response:
    """The plan as it stands; ``?way=`` picks how an offer is looked at."""
    way = request.query_params.get("way", "")
    return await _page(wiring, visitor, token, language, way if way in WAYS else "")


async def _page(wiring: Wiring, visitor: Visitor, token: str, language: str, way: str, need: str = "") -> Response:
    try:
        content = await wiring.road.store.aread(partial(
            content_of, visitor=visitor, wiring=wiring, language=language, way=way))
    except StatementRefused:
        return HTMLResponse(screens.note(visitor, "unavailable", language))
    if content is None:
        return HTMLResponse(screens.gone(language), 404)
    home = f"/l/{token}"
    if content["status"] in PROPOSED:
        if content["obstacle"]:
            return HTMLResponse(plan_screens.obstacle(visitor, content["obstacle"], home, language))
        if way == "card" and content["autopay"]:
            return HTMLResponse(plan_screens.give_card(visitor, content, home, language))
        return HTMLResponse(plan_screens.offer(visitor, content, home, way, language, need), 422 if need else 200)
    if way == "card" and content["status"] in RUNNING and content["collects"] == "autopay":
        return HTMLResponse(plan_screens.change_card(visitor, content, home, language))
    return HTMLResponse(plan_screens.running(visitor, content, home, language))


def content_of(session: Session, visitor: Visitor, wiring: Wiring, language: str, way: str = "",
               ) -> dict[str, Any] | None:
    """The plan behind the link as content. Raises StatementRefused for one that a person hands out."""
    plan = plan_presses.plan_of(session, visitor.link)
    if plan is None:
        return None
    content = plan_pages.content(session, plan, language, wiring.now(), way)
    if content["collects"] == "autopay" and not (content["card"] and content["autopay"]) and (
            plan.status in PROPOSED):
        content["collects"] = "link"  # nobody agrees to automatic payments without a card that they can see
    return content


async def press(wiring: Wiring, request: Request) -> Response:
    """POST /l/{token}/plan: ``do`` is agree, card, pay, payoff or stop."""
    pressed = await doors.press(wiring, request, PURPOSE)
    if isinstance(pressed, Response):
        return pressed
    act = _ACTS.get(pressed.form.get("do", ""))
    answer = await act(pressed) if act else RedirectResponse(f"/l/{pressed.token}", 303)
    return doors.renew(wiring, request, answer)


async def _agree(pressed: Pressed) -> Response:
    """Both boxes, then the words as they were shown: a page that is out of date agrees to nothing."""
    way = pressed.form.get("way", "")
    need = await pressed.wiring.road.store.aread(partial(_missing, pressed=pressed))
    if need:
        return await _page(pressed.wiring, pressed.visitor, pressed.token, pressed.language, way, need)
    reason = await pressed.wiring.road.store.awrite(partial(_sign, pressed=pressed))
    if reason:
        _log.info("a plan was not agreed to", reason=reason)
        return _note(pressed, _SAID.get(reason, "moved"))
    return RedirectResponse(f"/l/{pressed.token}?lang={pressed.language}", 303)


def _missing(session: Session, pressed: Pressed) -> str:
    """Which box is not ticked: esign, words, or none."""
    plan = plan_presses.plan_of(session, pressed.visitor.link)
    if plan is None or plan.status not in PROPOSED:
        return ""
    content = content_of(session, pressed.visitor, pressed.wiring, pressed.language)
    if content is not None and content["needs_disclosures"] and pressed.form.get("esign") != "yes":
        return "esign"
    return "" if pressed.form.get("yes") == "yes" else "words"


def _sign(session: Session, pressed: Pressed) -> str:
    """Why not; empty when it is agreed."""
    plan = plan_presses.plan_of(session, pressed.visitor.link, lock=True)
    way, language = pressed.form.get("way", ""), pressed.language
    if plan is None:
        return "stale_plan"
    if plan.status not in PROPOSED:
        return "" if plan.status in RUNNING else "stale_plan"
    content = content_of(session, pressed.visitor, pressed.wiring, language, way)
    if content is None or content["obstacle"]:
        return {"held": "hold"}.get(content["obstacle"] if content else "", "stale_plan")
    if plan_sheets.fingerprint(content, language) != pressed.form.get("shown", ""):
        return "stale_plan"
    return plan_presses.agree(session, plan, Signature(
        plan_sheets.authorization(content, language), plan_sheets.words_version(content, language), language,
        content["collects"], plan_sheets.disclosures_version(language) if content["needs_disclosures"] else "",
        pressed.ref, plan_sheets.shown_before(content, language)),
        pressed.wiring.now())


async def _card(pressed: Pressed) -> Response:
    """To the processor's page; back here the card stands by its last four digits, and can be agreed to."""
    def ask(session: Session) -> str | None:
        plan = plan_presses.plan_of(session, pressed.visitor.link, lock=True)
        if plan is None or plan.status not in PROPOSED | RUNNING:
            return None
        content = content_of(session, pressed.visitor, pressed.wiring, pressed.language)
        if content is None or content["obstacle"] or not content["autopay"]:
            return None
        return plan_presses.card_request(session, pressed.visitor.link, plan, pressed.language,
                                         pressed.wiring.now()).id

    setup_id = await pressed.wiring.road.store.awrite(ask)
    if setup_id is None:
        return _note(pressed, "moved")
    return await card_page.to_page(pressed.wiring, pressed.visitor, setup_id, pressed.token, pressed.language)


async def _stop(pressed: Pressed) -> Response:
    def revoke(session: Session) -> str:
        plan = plan_presses.plan_of(session, pressed.visitor.link, lock=True)
        wording = f"pressed “{words(pressed.language)['stop_auto']}” on the plan's page"
        return "stale_plan" if plan is None else plan_presses.stop(
            session, pressed.visitor.link, plan, wording, pressed.wiring.now())

    reason = await pressed.wiring.road.store.awrite(revoke)
    if reason:
        return _note(pressed, _SAID.get(reason, "over"))
    return _note(pressed, "stopped", 200)


def _note(pressed: Pressed, name: str, status: int = 409) -> Response:
    """A short answer, with the way back."""
    return HTMLResponse(plan_screens.note(
        pressed.visitor, name, pressed.language, [(f"/l/{pressed.token}", "see_plan")]), status)


async def _pay(pressed: Pressed) -> Response:
    def ask(session: Session) -> tuple[str, str] | str:
        plan = plan_presses.plan_of(session, pressed.visitor.link, lock=True)
        if plan is None or plan.status not in RUNNING:
            return "stale_plan"
        return plan_presses.pay(
            session, pressed.visitor.link, plan, everything=pressed.form.get("do") == "payoff",
            policy=pressed.visitor.policy, language=pressed.language, ref=pressed.ref, now=pressed.wiring.now(),
            processor=pressed.wiring.processor.name)

    try:
        made = await pressed.wiring.road.store.awrite(ask)
    except CommandRefused as refused:
        made = refused.refused.reason
    if isinstance(made, str):
        if made == "charging":
            return _note(pressed, "late")
        name = made if made in ("hold", "paying") else "moved"
        return HTMLResponse(screens.note(pressed.visitor, name, pressed.language), 409)
    answer = await paying.to_page(pressed.wiring, pressed.visitor, *made, pressed.language)
    return doors.renew(pressed.wiring, pressed.request, answer, made[1])  # whoever comes back is still proved


_ACTS = {"agree": _agree, "card": _card, "stop": _stop, "pay": _pay, "payoff": _pay}
