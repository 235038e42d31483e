"""Something is wrong with the bill: the same case and the same hold as when it is said by text."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from billing import apply
from billing.commands import OpenCase, SpecifyCase
from billing.store import case_queries
from bot.web.account import rooms
from bot.web.account.rooms import Room
from handlers.accounts import open_visits
from handlers.filing import key_of
from handlers.flows.dispute import MATTER
from templates.statement_words import day, money, words

#: As a conversation has them; "twice" is one that it hears in the patient's words.
REASONS = ("no_visit", "already_paid", "insurance", "amount", "twice", "other")


@rooms.looking
async def show(room: Room) -> Response:
    """GET /l/{token}/dispute"""
    return await _page(room, {})


@rooms.pressing
async def press(room: Room) -> Response:
    """POST /l/{token}/dispute"""
    problems = _problems(room)
    if problems:
        return await _page(room, problems)
    await room.wiring.road.store.awrite(partial(_file, room=room))
    return rooms.go(room, "dispute", done="dispute")


def _problems(room: Room) -> dict[str, str]:
    said, why = room.words, room.form.get("why", "")
    if why not in REASONS:
        return {"why": said["dispute_no_reason"]}
    needs = why == "other" and not room.form.get("words", "").strip()
    return {"words": said["dispute_no_words"]} if needs else {}


def _file(session: Session, room: Room) -> str | None:
    """At the first word the hold; it lies on the visit where one was named, and on the account where not."""
    account, form, key = rooms.view(session, room), room.form, key_of(MATTER, room.account_id)
    known = {visit.visit_id for visit in open_visits(account)}
    chosen = (form["visit"],) if form.get("visit") in known else ()
    said = rooms.own_words(room, "words")
    context = rooms.turn(session, room)
    apply.carry_out(session, OpenCase(
        MATTER.kind, MATTER.title, said or form["why"], room.account_id, chosen[0] if chosen else None, MATTER.hold,
        dedupe=key), context)
    return apply.carry_out(session, SpecifyCase(
        MATTER.kind, MATTER.title, key, room.account_id, chosen, form["why"], said), context)


async def _page(room: Room, problems: dict[str, str]) -> Response:
    content = await room.wiring.road.store.aread(partial(_content, room=room))
    return rooms.page(room, "dispute", 422 if problems else 200, problems=problems, reasons=REASONS,
                      values={name: room.form.get(name, "") for name in ("visit", "why", "words")},
                      done=rooms.done(room, ("dispute", "files")), **content)


def _content(session: Session, room: Room) -> dict[str, Any]:
    case = case_queries.by_dedupe(session, room.practice_id, key_of(MATTER, room.account_id))
    account, policy = rooms.view(session, room), room.visitor.policy
    listed = [] if account.stale else [
        {"id": visit.visit_id, "text": room.words["dispute_visit"].format(
            day=day(visit.service_on, room.language) or f"{words(room.language)['visit']} {visit.external}",
            amount=money(visit.figures.patient_minor, room.language, policy.currency))}
        for visit in reversed(open_visits(account))]
    by = day(policy.local_day(case.due_at), room.language) if case is not None else ""
    return {"visits": listed, "stands": case.status if case is not None else "", "by": by}
