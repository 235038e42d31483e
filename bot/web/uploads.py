"""The page for pictures and papers: same door as a statement, two files at a time, kept sealed with their case."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from billing import case_files
from billing.case_files import PURPOSES, FileRefused, Upload
from billing.link_pages import Visitor
from bot.web import doors, multipart, screens
from bot.web.guard import TooLarge, read_body
from bot.web.multipart import Part
from bot.web.wiring import Wiring

#: Two files of the largest size, and the form around them.
MOST_BYTES = 2 * case_files.MOST_BYTES + 64 * 1024

#: Two pictures that are far too large still get an answer in words.
DRAIN = 48 * 1024 * 1024

_STATUS = {"empty": 422, "kind": 415, "size": 413, "many": 409, "twice": 409}

_log = structlog.get_logger(__name__)


async def receive(wiring: Wiring, request: Request) -> Response:
    """POST /l/{token}/files. The body is read only for somebody who has proved who they are."""
    visitor, token = await doors.enter(wiring, request), request.path_params["token"]
    if visitor is None:
        return RedirectResponse(f"/l/{token}", 303)
    language = doors.language_of(request, visitor)
    if visitor.link.purpose not in PURPOSES:
        return HTMLResponse(screens.gone(language), 404)
    try:
        uploads = files_of(await parts_of(request), visitor.link.purpose)
        await wiring.road.store.awrite(partial(
            case_files.receive, link=visitor.link, uploads=uploads, now=wiring.now()))
    except FileRefused as refused:
        _log.info("a file was not taken", reason=refused.reason)
        return doors.renew(wiring, request, await _say(wiring, visitor, token, language, refused.reason))
    return doors.renew(wiring, request, RedirectResponse(f"/l/{token}?lang={language}", 303))


async def parts_of(request: Request) -> list[Part]:
    """The form's fields. Raises FileRefused for what is no whole form, or one that is too large."""
    boundary = multipart.boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        raise FileRefused("empty")
    try:
        return multipart.read_parts(await read_body(request, MOST_BYTES, drain=DRAIN), boundary)
    except TooLarge:
        raise FileRefused("size") from None
    except ValueError:
        raise FileRefused("empty") from None


def files_of(parts: Sequence[Part], purpose: str) -> list[Upload]:
    """The form's files by their fields; a field left empty is none."""
    labels = dict(zip(("first", "second"), PURPOSES[purpose], strict=True))
    return [Upload(labels[one.name], one.content) for one in parts
            if one.is_file and one.content and one.name in labels]


async def _say(wiring: Wiring, visitor: Visitor, token: str, language: str, reason: str) -> Response:
    have = await wiring.road.store.aread(lambda session: case_files.sent(session, visitor.link))
    return HTMLResponse(screens.upload(visitor, have, f"/l/{token}/files", language, reason), _STATUS[reason])
