"""Pictures and papers from the account's own pages: the same case, the same sealing as behind an upload link."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy.orm import Session
from starlette.responses import Response

from billing import apply, case_files
from billing.case_files import FileRefused, Upload
from billing.commands import OpenCase, SpecifyCase
from billing.links import LinkView
from billing.store import case_queries
from bot.web import uploads
from bot.web.account import rooms
from bot.web.account.rooms import Room
from handlers.accounts import open_visits
from handlers.filing import Matter, key_of
from handlers.flows import cannot_pay, dispute, insurance_update
from templates import web

_MOST_NAME = 120

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Papers:
    """What is sent, and the matter whose case it belongs to."""

    purpose: str  # of case_files.PURPOSES
    matter: Matter


PAPERS = {one.matter.kind: one for one in (
    Papers("papers", cannot_pay.MATTER), Papers("papers", dispute.MATTER),
    Papers("insurance", insurance_update.MATTER))}
INSURANCE = PAPERS[insurance_update.MATTER.kind]


@rooms.looking
async def show(room: Room) -> Response:
    """GET /l/{token}/insurance"""
    return await _page(room, "")


@rooms.looking
async def press(room: Room) -> Response:
    """POST /l/{token}/insurance"""
    refused = await receive(room, INSURANCE)
    return await _page(room, refused) if refused else rooms.go(room, "insurance", done="files")


@rooms.looking
async def dispute_files(room: Room) -> Response:
    """POST /l/{token}/dispute/files"""
    refused = await receive(room, PAPERS[dispute.MATTER.kind])
    if not refused:
        return rooms.go(room, "dispute", done="files")
    return rooms.page(room, "sending", 422, refused=refused, at="dispute", back=room.href("dispute"))


async def _page(room: Room, refused: str) -> Response:
    sent_now = await room.wiring.road.store.aread(partial(sent, room=room, papers=INSURANCE))
    return rooms.page(room, "insurance", 422 if refused else 200, refused=refused, sent=sent_now,
                      done=rooms.done(room, ("files",)))


async def receive(room: Room, papers: Papers) -> str:
    """Keep what the form sent; the words that say why not, or nothing."""
    try:
        parts = await uploads.parts_of(room.request)
        name = next((one.content.decode("utf-8", "replace").strip()[:_MOST_NAME] for one in parts
                     if one.name == "name" and not one.is_file), "")
        await room.wiring.road.store.awrite(partial(
            _keep, room=room, papers=papers, uploaded=uploads.files_of(parts, papers.purpose), name=name))
    except FileRefused as refused:
        _log.info("a file was not taken", reason=refused.reason)
        return str(web.words(room.language)[f"files_no_{refused.reason}"].format(phone=room.phone))
    return ""


def _keep(session: Session, room: Room, papers: Papers, uploaded: list[Upload], name: str) -> None:
    case_files.check(uploaded)  # nothing is opened for what is not taken
    if papers is INSURANCE:
        _say(session, room, name)
    case_files.receive(session, _link(room, papers), uploaded, room.wiring.now())


def _say(session: Session, room: Room, name: str) -> None:
    """Other insurance, as by text: the case and its hold, on the visit where it can be about one alone."""
    matter, key = INSURANCE.matter, key_of(INSURANCE.matter, room.account_id)
    visits, context = open_visits(rooms.view(session, room)), rooms.turn(session, room)
    if case_queries.by_dedupe(session, room.practice_id, key) is None:
        apply.carry_out(session, OpenCase(
            matter.kind, matter.title, "By the secure page.", room.account_id,
            visits[0].visit_id if len(visits) == 1 else None, matter.hold, dedupe=key), context)
    if name:
        apply.carry_out(session, SpecifyCase(
            matter.kind, matter.title, key, room.account_id, (), "", f"plan: {name}"), context)


def sent(session: Session, room: Room, papers: Papers) -> int:
    """How many there are with the matter's open case."""
    case = case_queries.by_dedupe(session, room.practice_id, key_of(papers.matter, room.account_id))
    return len(case_queries.file_facts(session, case.id)) if case is not None else 0


def _link(room: Room, papers: Papers) -> LinkView:
    return room.visitor.link._replace(purpose=papers.purpose, object_id=papers.matter.kind)
