"""Language and messages: how, when and in what language we write; stopping texts and e-mails (T-03, T-21, T-33)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from billing import apply, page_wishes
from billing.commands import OpenCase, RecordPreference
from billing.own_hours import EVERY_DAY, OwnHours
from billing.page_wishes import Reached
from billing.policy.wishes import next_welcome
from bot.web.account import rooms
from bot.web.account.rooms import Room
from handlers.flows.ways import TITLES
from templates import languages
from templates.format import LANGUAGES, clock
from templates.statement_words import phone_words

WAYS = ("text", "paper", "email", "call")
HOURS = tuple(f"{hour:02}:00" for hour in range(8, 22))
"""When texts may be sent at all: nobody has to read the law to choose."""


@rooms.looking
async def show(room: Room) -> Response:
    """GET /l/{token}/preferences"""
    return await _page(room, {})


@rooms.pressing
async def press(room: Room) -> Response:
    """POST /l/{token}/preferences: ``do`` is one of _ACTS."""
    act = _ACTS.get(room.form.get("do", ""))
    if act is None:
        return rooms.go(room, "preferences")
    problem = await room.wiring.road.store.awrite(lambda session: act(session, room))
    if problem:
        return await _page(room, {room.form["do"]: problem})
    chosen = room.form.get("language", "") if room.form["do"] == "language" else room.language
    return rooms.go(rooms.speaking(room, chosen), "preferences", done=room.form["do"])


def _language(session: Session, room: Room) -> str:
    wanted = room.form.get("language", "")
    if wanted in LANGUAGES:
        page_wishes.set_language(session, rooms.turn(session, room), room.account_id, wanted)
    return ""


def _way(session: Session, room: Room) -> str:
    """Recorded at once; staff carry it out, and check the address first."""
    way, context = room.form.get("way", ""), rooms.turn(session, room)
    if way not in WAYS:
        return ""
    only = room.form.get("only") == "yes" and way != "text"
    wording = _shown(room, "wishes_way", room.words["way"][way], room.words["wishes_only"] if only else "")
    if not page_wishes.record_wish(session, context, room.account_id, RecordPreference(
            "way", {"way": way, "only": only}, wording, room.account_id)):
        return str(room.words["wishes_number"])
    if way != "text":
        apply.carry_out(session, OpenCase(
            "preferences", TITLES[way], wording, room.account_id,
            dedupe=f"preferences:{way}:{context.conversation_id or room.account_id}"), context)
    return ""


def _hours(session: Session, room: Room) -> str:
    form, policy = room.form, room.visitor.policy
    days = tuple(day for day in EVERY_DAY if form.get(f"day_{day}") == "yes")
    span = (form.get("from", ""), form.get("until", ""))
    if not days or span[0] not in HOURS or span[1] not in HOURS or span[0] >= span[1]:
        return str(room.words["wishes_no_hours"])
    own = OwnHours((span,), days)
    if next_welcome(own, policy.text_window, None, (policy.zone,), room.wiring.now()) is None:
        return str(room.words["wishes_no_hours_left"])
    wording = _shown(room, "wishes_hours", f"{span[0]}-{span[1]}", " ".join(room.words["day"][str(d)] for d in days))
    kept = page_wishes.record_wish(session, rooms.turn(session, room), room.account_id, RecordPreference(
        "hours", own.to_json(), wording, room.account_id))
    return "" if kept else str(room.words["wishes_number"])


def _amounts(session: Session, room: Room) -> str:
    """The answer with the whole warning that it answers."""
    answer = room.form.get("amounts", "")
    if answer not in ("yes", "no"):
        return ""
    wording = _shown(room, "wishes_amounts_warning", room.words[f"wishes_amounts_{answer}"])
    kept = page_wishes.allow_amounts(session, rooms.turn(session, room), room.account_id, answer == "yes", wording)
    return "" if kept else str(room.words["wishes_number"])


def _stop_texts(session: Session, room: Room) -> str:
    wording = _shown(room, "wishes_texts_stop_more", room.words["wishes_texts_stop"])
    page_wishes.stop_texts(session, rooms.turn(session, room), room.account_id, wording)
    return ""


def _stop_mail(session: Session, room: Room) -> str:
    page_wishes.stop_mail(session, rooms.turn(session, room), room.account_id,
                          _shown(room, "wishes_mail", room.words["wishes_mail_stop"]))
    return ""


def _shown(room: Room, question: str, *answers: str) -> str:
    """What was pressed, under the words that stood over it, in the language in which they were read."""
    pressed = " ".join(filter(None, answers))
    return f"pressed \u201c{pressed}\u201d [page/{room.language}: {room.words[question]}]"


async def _page(room: Room, problems: Mapping[str, str]) -> Response:
    reached = await room.wiring.road.store.aread(
        lambda session: page_wishes.standing(session, room.practice_id, room.account_id))
    return rooms.page(room, "preferences", 422 if problems else 200, problems=problems, **_content(room, reached),
                      done=rooms.done(room, tuple(_ACTS)))


def _content(room: Room, reached: Reached) -> dict[str, Any]:
    said, wishes, number = room.words, reached.wishes, room.visitor.policy.sms_number or ""
    own = wishes.hours or OwnHours(((HOURS[0], HOURS[-1]),), EVERY_DAY)
    return {
        "languages": [languages.find(code) for code in LANGUAGES], "account_language": room.visitor.language,
        "ways": WAYS, "way": wishes.way, "only": wishes.only,
        "hours": [(one, clock(time.fromisoformat(one), room.language)) for one in HOURS],
        "span": own.spans[0], "days": [(day, said["day"][str(day)], day in own.days) for day in EVERY_DAY],
        "amounts": any(one.amounts for one in reached.texts), "reachable": bool(reached.texts),
        "texts": [said["wishes_texts_off" if one.stopped else "wishes_texts_on"].format(
            end=one.shown, number=phone_words(number)) for one in reached.texts],
        "texts_go": any(not one.stopped for one in reached.texts),
        "mails": [said["wishes_mail_off" if one.stopped else "wishes_mail_on"].format(place=one.shown, phone=room.phone)
                  for one in reached.mails],
        "mails_go": any(not one.stopped for one in reached.mails)}


_ACTS: Mapping[str, Callable[[Session, Room], str]] = {
    "language": _language, "way": _way, "hours": _hours, "amounts": _amounts, "stop_texts": _stop_texts,
    "stop_mail": _stop_mail}
