"""From the account to a page that has a link of its own: a plan, a passcode, an itemised bill, a year's payments.

The link is made by a press, never by looking, and whoever pressed is proved behind it as well.
"""

from __future__ import annotations

import re
from functools import partial

from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from billing.command_context import make_link
from bot.web import doors
from bot.web.account import rooms
from bot.web.account.rooms import Room

_YEAR = re.compile(r"(?:19|20)[0-9]{2}")

PURPOSES = frozenset({"plan", "passcode", "itemised", "year"})


@rooms.pressing
async def press(room: Room) -> Response:
    """POST /l/{token}/go: ``do`` is one of PURPOSES, ``what`` a plan of the account's or a year."""
    if room.form.get("do") not in PURPOSES:
        return RedirectResponse(room.href("account"), 303)
    token = await room.wiring.road.store.awrite(partial(_make, room=room))
    return to(room, token)


def to(room: Room, token: str) -> Response:
    """To the page behind a link that was made just now."""
    answer = RedirectResponse(f"/l/{token}?lang={room.language}", 303)
    return doors.renew(room.wiring, room.request, answer, token)


def _make(session: Session, room: Room) -> str:
    purpose, what = room.form["do"], room.form.get("what", "")
    if purpose == "plan":
        known = {plan.plan_id for plan in rooms.view(session, room).plans}
        what = what if what in known else ""
    elif purpose != "year" or not _YEAR.fullmatch(what):
        what = ""
    return make_link(session, rooms.turn(session, room), room.account_id, purpose, what)
