"""Small steps that every conversation takes: ask, stay, tell the hours, open a case. Pure, like all of handlers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from billing.commands import OpenCase
from handlers.core import Decision, Reading, Reply, Slots, State, Turn


def ask(turn: Turn, flow: str, step: str, data: Mapping[str, Any], *replies: Reply, after: str = "") -> Decision:
    """A question: ``replies`` go out and the conversation waits at ``flow``/``step``."""
    return Decision(replies, State(flow, step, dict(data), after, 0, turn.now))


def stay(turn: Turn, *replies: Reply, missed: bool = False) -> Decision:
    """Answer and wait where we were; ``missed`` counts the text as not understood."""
    state = turn.talk.state
    misses = state.misses + 1 if missed else 0
    return Decision(replies, replace(state, misses=misses, asked_at=turn.now if state.flow else state.asked_at))


def answer_by(turn: Turn) -> str:
    """When a hand-over made now is answered at the latest, in the practice's own time."""
    return turn.practice.answer_by_at.astimezone(ZoneInfo(turn.practice.policy.zone)).isoformat()


def office_hours(turn: Turn) -> list[list[str]]:
    week = turn.practice.policy.office_hours
    named = (("weekday", week.weekday), ("saturday", week.saturday), ("sunday", week.sunday))
    return [[days, w.opens, w.closes] for days, w in named if w.opens is not None and w.closes is not None]


def practice(turn: Turn) -> str:
    return turn.practice.policy.name


def phone(turn: Turn) -> str:
    return turn.practice.policy.phone


def open_case(turn: Turn, kind: str, title: str, hold: str = "", visit_id: str | None = None, detail: str = "",
              urgent: bool = False) -> OpenCase:
    """A case for the verified account. Without one it is the number's, and its hold lies on every account there: a
    hold too many costs nothing, and what is answered is the same whether there are none, one or several (T-34).
    """
    account_id = turn.account.account_id if turn.account else None
    return OpenCase(kind, title, detail or turn.reading.text, account_id, visit_id, hold, urgent=urgent)


def keep_slots(reading: Reading) -> dict[str, Any]:
    """What the patient already said, to go on with after identity."""
    slots = reading.slots
    kept = {"amount_minor": slots.amount_minor, "all": slots.amount_is_all or None, "visit": slots.visit,
            "ambiguous": slots.ambiguous_amount or None, "choices": list(slots.choices) or None,
            "count": slots.count, "interval": slots.interval, "day": slots.day_of_month,
            "date": slots.date.isoformat() if slots.date else None, "said": slots.said or None}
    return {key: value for key, value in kept.items() if value is not None}


def restore_slots(data: Mapping[str, Any]) -> Slots:
    kept = data.get("slots", {})
    return Slots(amount_minor=kept.get("amount_minor"), amount_is_all=bool(kept.get("all")), visit=kept.get("visit"),
                 ambiguous_amount=bool(kept.get("ambiguous")), choices=tuple(kept.get("choices", ())),
                 count=kept.get("count"), interval=kept.get("interval"), day_of_month=kept.get("day"),
                 date=date.fromisoformat(kept["date"]) if kept.get("date") else None, said=kept.get("said", ""))


def keep_wish(turn: Turn) -> dict[str, Any]:
    """The slots and the words themselves, for flows that read more of a wish than slots hold. Long digits (a passcode,
    a ZIP code, a day of birth) stay out: they are in no state.
    """
    said = turn.reading.slots.said or re.sub(r"\d{5,}|\d{3}-\d{3}|\d+[/.-]\d+[/.-]\d+", " ", turn.reading.text)
    return {**keep_slots(turn.reading), "said": said.strip()[:300]}


def wish(turn: Turn) -> str:
    """The words of a wish: those that waited for identity, else this text."""
    return turn.reading.slots.said or turn.reading.text


def local_day(turn: Turn, at: datetime) -> date:
    """The practice's calendar day of an instant."""
    return turn.practice.policy.local_day(at)


def may_show_amounts(turn: Turn) -> bool:
    """Whether a patient may be asked at all about amounts in this channel: on Telegram only where the practice's own
    acceptance of its risk says so (T-19).
    """
    if turn.talk.channel != "telegram":
        return True
    risk = turn.practice.policy.telegram_on(local_day(turn, turn.now))
    return risk is not None and risk.detail_allowed


def privacy_warning(turn: Turn) -> str:
    """The template that warns before amounts are shown (T-33); Telegram's risk is told in words of its own."""
    return "telegram_detail_warning" if turn.talk.channel == "telegram" else "detail_warning"
