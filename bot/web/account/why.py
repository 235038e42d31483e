"""What is owed and why: each visit's derivation, each number with the source lines that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from billing import source_lines
from billing.explain import patient_part
from billing.statement_content import steps_of
from billing.views import SourceLine, VisitView
from bot.web.account import rooms
from bot.web.account.rooms import Room
from handlers.accounts import open_visits
from templates import derivation
from templates.names import written
from templates.statement_words import day, words


@rooms.looking
async def show(room: Room) -> Response:
    """GET /l/{token}/why"""
    content = await room.wiring.road.store.aread(lambda session: _content(session, room))
    return rooms.note(room, "stale", 200) if content is None else rooms.page(room, "why", visits=content)


def _content(session: Session, room: Room) -> list[dict[str, Any]] | None:
    """None while the figures are not up to date."""
    account = rooms.view(session, room)
    if account.stale:
        return None
    visits = open_visits(account)
    names = {name for visit in visits if visit.explanation for step in visit.explanation.steps for name in step.sources}
    found = source_lines.load(session, room.practice_id, names, room.visitor.policy.zone)
    return [_visit(visit, found, room) for visit in reversed(visits)]


def _visit(visit: VisitView, found: Mapping[str, SourceLine], room: Room) -> dict[str, Any]:
    said, told = words(room.language), visit.explanation
    provider = said["with_provider"].format(provider=written(visit.provider)) if visit.provider else ""
    about: dict[str, Any] = {"heading": day(visit.service_on, room.language) or f"{said['visit']} {visit.external}",
                             "about": provider, "rows": []}
    if told is None or not told.foots:  # a difference is for a person: nobody guesses in front of a patient
        return about
    read = [(step, source_lines.in_order(raw.sources, found))
            for step, raw in zip(steps_of(told), told.steps, strict=True)]
    rows = derivation.rows(read, patient_part(told), visit.figures.due_now_minor, room.language,
                           room.visitor.policy.currency)
    return {**about, "rows": rows}
