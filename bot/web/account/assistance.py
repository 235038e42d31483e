"""Asking for financial assistance: questions about the household, papers, and where the application stands.

Nothing of it is ever asked by text; the answers are kept sealed with the application.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from billing import apply, assistance, assistance_telling
from billing.assistance_telling import INTERVALS, SOURCES, Standing, TellingRefused, Told
from billing.commands import OpenCase
from billing.lives import IllegalMove
from bot.web.account import amounts, rooms, sending
from bot.web.account.rooms import Room
from handlers.filing import key_of
from handlers.flows.cannot_pay import MATTER
from templates.statement_words import day, money

_DAYS = ("asked_on", "received_on", "complete_by_on", "decide_by_on", "appeal_by_on")
_DONE = ("help", "files", "appeal")


@rooms.looking
async def show(room: Room) -> Response:
    """GET /l/{token}/assistance"""
    return await _page(room, {})


@rooms.pressing
async def press(room: Room) -> Response:
    """POST /l/{token}/assistance: the answers, or ``do`` appeal."""
    if room.form.get("do") == "appeal":
        return await _appeal(room)
    told, problems = _read(room)
    if problems:
        return await _page(room, problems)
    try:
        await room.wiring.road.store.awrite(partial(_tell, room=room, told=told))
    except TellingRefused:
        return rooms.note(room, "help_decided")
    return rooms.go(room, "assistance", done="help")


def _read(room: Room) -> tuple[Told, dict[str, str]]:
    """The answers, and what of them is none."""
    form, said = room.form, room.words
    people, income = form.get("people", "").strip(), amounts.cents(form.get("income", ""))
    number = int(people) if people.isascii() and people.isdecimal() and len(people) < 3 else 0
    told = Told(number, income if income is not None else -1, form.get("every", ""),
                tuple(one for one in SOURCES if form.get(f"from_{one}") == "yes"), rooms.own_words(room, "words"))
    problems = {}
    try:
        assistance_telling.check(told)
    except TellingRefused as refused:
        problems[refused.field] = said[f"help_no_{refused.field}"]
    if "people" in problems and told.income_minor < 0:
        problems["income"] = said["help_no_income"]
    if form.get("agree") != "yes":
        problems["agree"] = said["help_no_agree"]
    return told, problems


def _tell(session: Session, room: Room, told: Told) -> None:
    """As "yes" to assistance by text: the case, the hold and the application; then the answers."""
    apply.carry_out(session, OpenCase(
        MATTER.kind, MATTER.title, "The questions on the page were answered.", room.account_id, None, MATTER.hold,
        dedupe=key_of(MATTER, room.account_id)), rooms.turn(session, room))
    assistance_telling.tell(session, room.practice_id, room.account_id, told, room.wiring.now())


async def _appeal(room: Room) -> Response:
    try:
        await room.wiring.road.store.awrite(partial(
            assistance_telling.appeal, practice_id=room.practice_id, guarantor_id=room.account_id,
            now=room.wiring.now()))
    except (assistance.AssistanceRefused, IllegalMove):
        return rooms.go(room, "assistance")
    return rooms.go(room, "assistance", done="appeal")


@rooms.looking
async def files(room: Room) -> Response:
    """POST /l/{token}/assistance/files: papers for the application."""
    refused = await sending.receive(room, sending.PAPERS[MATTER.kind])
    return await _page(room, {"files": refused}) if refused else rooms.go(room, "assistance", done="files")


async def _page(room: Room, problems: Mapping[str, str]) -> Response:
    standing, sent = await room.wiring.road.store.aread(partial(_found, room=room))
    asks = standing is None or standing.status in ("approved", "denied", "withdrawn") or not standing.measured
    return rooms.page(
        room, "assistance", 422 if problems else 200, problems=problems, values=dict(room.form), sources=SOURCES,
        intervals=tuple(INTERVALS), standing=_shown(room, standing) if standing else None, asks=asks,
        folded=standing is not None and standing.told and not problems, sent=sent,
        done=rooms.done(room, _DONE))


def _found(session: Session, room: Room) -> tuple[Standing | None, int]:
    return (assistance_telling.standing(session, room.practice_id, room.account_id),
            sending.sent(session, room, sending.PAPERS[MATTER.kind]))


def _shown(room: Room, standing: Standing) -> dict[str, Any]:
    said, open_now = room.words, standing.status in assistance.OPEN
    labels = dict(zip(_DAYS, ("asked_on", "received_on", "complete_by", "decide_by", "appeal_by"), strict=True))
    facts = [(said["help_number"], str(standing.number))]
    facts += [(said[f"help_{labels[name]}"], day(value, room.language)) for name in _DAYS
              if (value := getattr(standing, name)) is not None and not (name == "decide_by_on" and not open_now)]
    if standing.discount_percent is not None:
        taken = money(standing.forgiven_minor, room.language, room.visitor.policy.currency)
        facts.append((said["help_discount"], f"{standing.discount_percent} % ({taken})"))
    if standing.status == "denied" and standing.reason:
        facts.append((said["help_reason"], standing.reason))
    late = standing.appeal_by_on is None or room.today > standing.appeal_by_on
    status = "received" if standing.told and standing.status == assistance.ASKED else standing.status
    return {"status": said["status"][status], "facts": facts, "open": open_now,
            "missing": [said["missing"].get(one, said["missing"]["other"]) for one in standing.missing],
            "appeal": standing.status == "denied" and not late}
