"""The patient's own hours for texts (T-21): heard, asked back where unclear, read back, confirmed, recorded.

They bind the number, as STOP does, so no identity is asked for; nothing about anybody is said.
"""

from __future__ import annotations

from typing import Any

from billing.commands import RecordPreference
from billing.own_hours import OwnHours
from billing.policy.wishes import next_welcome
from handlers.core import Decision, Reply, Turn
from handlers.flows import ways
from handlers.flows.flow import Flow
from handlers.turns import ask
from handlers.understanding.times import find_half, find_hours

NAME = "hours"
STEPS = ("when", "half", "confirm", "paper")


def start(turn: Turn, intent: str) -> Decision:
    return _hear(turn, turn.reading.text, "", expected=False) or ask(turn, NAME, "when", {}, Reply("hours_ask"))


def answer(turn: Turn) -> Decision | None:
    state, intent = turn.talk.state, turn.reading.intent
    if state.step == "when":
        return _hear(turn, turn.reading.text, "", expected=True)
    if state.step == "half":
        half = find_half(turn.reading.text)
        return _hear(turn, str(state.data["words"]), half, expected=True) if half else None
    if state.step == "paper":
        return _paper(turn, intent)
    if intent == "yes":
        return _set(turn)
    again = _hear(turn, turn.reading.text, "", expected=True)
    return again or (ask(turn, NAME, "when", {}, Reply("hours_ask")) if intent == "no" else None)


def repeat(turn: Turn) -> tuple[Reply, ...]:
    data = turn.talk.state.data
    match turn.talk.state.step:
        case "half":
            return (Reply("hours_half", {"hour": data["hour"]}),)
        case "confirm":
            return (Reply("hours_confirm", {"own": written(OwnHours.from_json(data["hours"]))}),)
        case "paper":
            return (Reply("hours_none_left"),)
    return (Reply("hours_ask"),)


def written(own: OwnHours) -> str:
    """The hours as one word for a template: ``18:00-24:00 01234`` (spans, then days; 0 is Monday)."""
    return f"{','.join('-'.join(span) for span in own.spans)} {''.join(map(str, own.days))}"


def _hear(turn: Turn, text: str, half: str, expected: bool) -> Decision | None:
    heard = find_hours(text, half, expected)
    if heard.unclear_hour:
        data: dict[str, Any] = {"words": text, "hour": heard.unclear_hour}
        return ask(turn, NAME, "half", data, Reply("hours_half", {"hour": heard.unclear_hour}))
    if heard.hours is None:
        return None
    data = {"words": text, "hours": heard.hours.to_json()}
    return ask(turn, NAME, "confirm", data, Reply("hours_confirm", {"own": written(heard.hours)}))


def _set(turn: Turn) -> Decision:
    """Recorded with what was said and what was shown. No hour left is said at once, with another way."""
    data = turn.talk.state.data
    own = OwnHours.from_json(data["hours"])
    shown = f"{data['words']} [hours_confirm/{turn.talk.language}: {written(own)}]"
    recorded = RecordPreference("hours", own.to_json(), shown)
    policy = turn.practice.policy
    if next_welcome(own, policy.text_window, None, (policy.zone,), turn.now) is None:
        return ask(turn, NAME, "paper", {}, Reply("hours_none_left")).also(recorded)
    return Decision((Reply("hours_set"),)).also(recorded)


def _paper(turn: Turn, intent: str) -> Decision | None:
    if intent == "no":
        return Decision((Reply("hours_set"),))
    return ways.choose(turn, "paper", only=True) if intent == "yes" else None


def silence(turn: Turn) -> Decision:
    """No answer to our question: what was asked for is kept all the same, in the reading that holds back more."""
    data = turn.talk.state.data
    if "words" not in data:
        return Decision((Reply("timeout"),))
    read = [OwnHours.from_json(data["hours"])] if "hours" in data else [
        heard for half in ("am", "pm") if (heard := find_hours(str(data["words"]), half, True).hours)]
    own = min(read, key=_welcome)
    shown = f"{data['words']} [hours_kept/{turn.talk.language}: {written(own)}]"
    return Decision((Reply("hours_kept", {"own": written(own)}),)).also(RecordPreference("hours", own.to_json(), shown))


def _welcome(own: OwnHours) -> int:
    """Minutes a day on which we may write, between eight and nine in the evening."""
    spans = [(max(480, _minutes(a)), min(1260, _minutes(b))) for a, b in own.spans]
    return sum(max(b - a, 0) for a, b in spans)


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


FLOW = Flow(NAME, STEPS, ("hours",), start, answer, repeat, silence=silence)
