"""The patient's own passcode: set, changed or taken away behind the door, and nowhere else."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from billing import link_pages, passcodes
from billing.link_pages import Visitor
from bot.web import doors, screens
from bot.web.wiring import Wiring

PURPOSE = "passcode"


async def receive(wiring: Wiring, request: Request) -> Response:
    """POST /l/{token}/passcode"""
    pressed = await doors.press(wiring, request, PURPOSE)
    if isinstance(pressed, Response):
        return pressed
    visitor, language = pressed.visitor, pressed.language
    refused = await _carry_out(wiring, visitor, pressed.form)
    if refused:
        known = await wiring.road.store.aread(partial(link_pages.has_passcode, link=visitor.link))
        return doors.renew(wiring, request, HTMLResponse(
            screens.passcode(visitor, f"/l/{pressed.token}/passcode", language, known=known, refused=refused), 422))
    name = "passcode_removed" if pressed.form.get("do") == "remove" else "passcode_set"
    return doors.renew(wiring, request, HTMLResponse(screens.note(visitor, name, language)))


async def _carry_out(wiring: Wiring, visitor: Visitor, form: dict[str, str]) -> str:
    """Why it was not done; empty when it was."""
    if form.get("do") == "remove":
        await wiring.road.store.awrite(partial(link_pages.remove_passcode, visitor=visitor, now=wiring.now()))
        return ""
    digits = form.get("code", "").strip()
    if digits != form.get("again", "").strip():
        return "differ"
    try:
        await wiring.road.store.awrite(partial(
            link_pages.set_passcode, visitor=visitor, digits=digits, now=wiring.now()))
    except passcodes.WeakPasscode as weak:
        return weak.code
    return ""
