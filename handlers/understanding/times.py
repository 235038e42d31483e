"""Hours and days in which somebody wants to be texted, by grammar alone: "only after 6 pm", "los domingos no".

What could be morning or evening is asked back ("after 6"); of a bare span the one reading that lies in waking hours is
taken ("9 to 5"). Whatever is read is read back and confirmed before it counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from billing.own_hours import EVERY_DAY, MIDNIGHT, OwnHours
from handlers.understanding.folding import unaccent

_DAYS = {name: number for number, names in enumerate((
    "monday mondays mon lunes", "tuesday tuesdays tue tues martes", "wednesday wednesdays wed miercoles",
    "thursday thursdays thu thur thurs jueves", "friday fridays fri viernes", "saturday saturdays sat sabado sabados",
    "sunday sundays sun domingo domingos")) for name in names.split()}
_DAY = "|".join(sorted(_DAYS, key=len, reverse=True))
_DAY_RANGE = re.compile(rf"\b({_DAY})\s*(?:-|to|thru|through|until|al?)\s*({_DAY})\b")
_WEEKDAYS = re.compile(r"\bweek ?days?\b|\bentre semana\b|\bdias (?:de semana|habiles|laborables)\b")
_WEEKEND = re.compile(r"\bweek ?ends?\b|\bfin(?:es)? de semana\b")

_HALF = (r"a\.?\s?m\b\.?|p\.?\s?m\b\.?|(?:of |in )?(?:in )?the (?:morning|afternoon|evening)|at night|"
         r"(?:de|por|en) la (?:manana|tarde|noche)")
_NAMED = {"noon": 12 * 60, "midday": 12 * 60, "mediodia": 12 * 60, "midnight": 24 * 60, "medianoche": 24 * 60}
_CLOCK = (rf"(?:a las |a la |las |la |el |at )?(?:(?P<{{0}}h>[01]?\d|2[0-4])(?:[:.](?P<{{0}}m>[0-5]\d))?\s?"
          rf"(?P<{{0}}half>{_HALF})?|(?P<{{0}}named>{'|'.join(_NAMED)}))(?![\d:])(?!\w)")
_A, _B = _CLOCK.format("a"), _CLOCK.format("b")
_TO = r"\s*(?:-|to|and|until|till|til|thru|y|a|hasta)\s*"
_SPAN = re.compile(rf"\b(?:(?:between|from|entre|de|desde)\s+)?{_A}{_TO}{_B}")
_AFTER = re.compile(rf"\b(?:after|past|from|starting(?: at)?|later than|since|despues del?|desde|a partir del?)\s+{_A}")
_BEFORE = re.compile(rf"\b(?:before|until|till|til|by|earlier than|up to|antes del?|hasta)\s+{_A}")
_BARE = re.compile(rf"^\s*{_A}\s*$")

_PARTS = (
    (re.compile(r"\bmornings?\b|\b(?:en|por) las? mananas?\b|\bmananas\b"), ("08:00", "12:00")),
    (re.compile(r"\bafternoons?\b|\b(?:en|por) las? tardes?\b|\btardes\b"), ("12:00", "18:00")),
    (re.compile(r"\bevenings?\b"), ("17:00", "21:00")),
    (re.compile(r"\b(?:at )?nights?\b|\b(?:en|por|de) las? noches?\b|\bnoches\b"), ("19:00", MIDNIGHT)))
_CLAUSE = re.compile(r"[;,.](?!\d|\s?m\b)|\bbut\b|\bpero\b|\bsino\b|\band (?=only|not|no|dont|never|just|please)|"
                     r"\by (?=solo|no|nunca|tampoco)")
_NEGATIVE = re.compile(r"\b(?:dont|do not|not|no|never|nunca|stop|quit|without|nada|tampoco|avoid|evite)\b")
_AT_WORK = re.compile(r"\b(?:i|im) (?:work|sleep|working|sleeping)\b|\b(?:trabajo|duermo)\b")
_ONLY = re.compile(r"\b(?:only|just|solo|solamente|unicamente|best|better|mejor|ok(?:ay)?|fine|puede|can)\b")


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of hours. ``unclear_hour``: one (1 to 12) that may be morning or evening."""

    hours: OwnHours | None = None
    unclear_hour: int = 0


@dataclass(frozen=True, slots=True)
class _Part:
    """One clause: minutes from midnight of its spans, its days, and whether it says when not."""

    spans: tuple[tuple[int, int], ...]
    days: frozenset[int]
    negative: bool


class _Unclear(Exception):
    """Raised for an hour of 1 to 12 that nothing puts into a half of the day."""

    def __init__(self, hour: int) -> None:
        super().__init__(hour)
        self.hour = hour


def find_hours(text: str, half: str = "", expected: bool = False) -> Heard:
    """Read hours and days; ``half`` ("am", "pm") settles a bare hour that was asked back. ``expected``: the question
    was about hours, so that a bare "9 to 5" or "6 pm" counts.
    """
    plain = re.sub(r"['\u2018\u2019`]", "", unaccent(text).casefold())
    try:
        parts = list(_parts(plain, half, expected))
    except _Unclear as unclear:
        return Heard(unclear_hour=unclear.hour)
    return Heard(_together(parts)) if parts else Heard()


def find_half(text: str) -> str:
    """``am`` or ``pm`` where the text says which half of the day, else empty."""
    plain = unaccent(text).casefold()
    morning = bool(re.search(r"\ba\.?\s?m\b|\bmorning\b|\bmanana\b", plain))
    evening = bool(re.search(r"\bp\.?\s?m\b|\b(?:afternoon|evening|night)\b|\b(?:tarde|noche)\b", plain))
    return "" if morning == evening else "am" if morning else "pm"


def _parts(plain: str, half: str, expected: bool) -> Iterator[_Part]:
    negative = False
    for clause in _CLAUSE.split(plain):
        if _AT_WORK.search(clause):
            continue  # "I work nights": what follows from that is theirs to say
        if _NEGATIVE.search(clause):
            negative = True
        elif _ONLY.search(clause):
            negative = False
        days, rest = _days(clause)
        spans = tuple(_spans(rest, half, expected, negative))
        if days or spans:
            yield _Part(spans, days, negative)


def _days(clause: str) -> tuple[frozenset[int], str]:
    found: set[int] = set()
    for match in _DAY_RANGE.finditer(clause):
        first, last = _DAYS[match[1]], _DAYS[match[2]]
        found |= {(first + offset) % 7 for offset in range((last - first) % 7 + 1)}
    rest = _DAY_RANGE.sub(" ", clause)
    found |= {0, 1, 2, 3, 4} if _WEEKDAYS.search(rest) else set()
    found |= {5, 6} if _WEEKEND.search(rest) else set()
    rest = _WEEKEND.sub(" ", _WEEKDAYS.sub(" ", rest))
    found |= {_DAYS[word] for word in re.findall(rf"\b(?:{_DAY})\b", rest)}
    return frozenset(found), re.sub(rf"\b(?:{_DAY})\b", " ", rest)


def _spans(clause: str, half: str, expected: bool, negative: bool) -> Iterator[tuple[int, int]]:
    for match in _SPAN.finditer(clause):
        yield from _span(match, half)
    rest = _SPAN.sub(" ; ", clause)
    for match in _AFTER.finditer(rest):
        yield _minutes(match, "a", half), 24 * 60
    for match in _BEFORE.finditer(rest):
        yield 0, _minutes(match, "a", half)
    bare = _BARE.match(rest) if expected and not negative else None
    if bare is not None and rest.strip():
        yield _minutes(bare, "a", half), 24 * 60
    if not re.search(r"\d", clause):
        for pattern, (opens, closes) in _PARTS:
            if pattern.search(clause):
                yield _clock(opens), _clock(closes)


def _span(match: re.Match[str], half: str) -> Iterator[tuple[int, int]]:
    """Both ends of a span; an end without its half takes the reading that puts the span into waking hours."""
    starts, ends = _readings(match, "a"), _readings(match, "b")
    if half and len(starts) > 1:
        starts = [_minutes(match, "a", half)]
    pairs = [(a, b) for a in starts for b in ends if a < b]
    awake = [(a, b) for a, b in pairs if a >= 7 * 60 and b <= 22 * 60] or pairs
    if len(awake) == 1:
        yield awake[0]
    elif awake:
        raise _Unclear(int(match["ah"]) if match["ah"] else 12)
    elif len(starts) == len(ends) == 1:  # over midnight: "from 10 pm to 8 am"
        yield starts[0], 24 * 60
        yield 0, ends[0]


def _readings(match: re.Match[str], end: str) -> list[int]:
    try:
        return [_minutes(match, end, "")]
    except _Unclear:
        return [_minutes(match, end, "am"), _minutes(match, end, "pm")]


def _minutes(match: re.Match[str], end: str, half: str) -> int:
    """Minutes from midnight. Raises _Unclear for an hour of 1 to 12 that nothing puts into a half of the day."""
    if match[f"{end}named"]:
        return _NAMED[match[f"{end}named"]]
    hour, minute = int(match[f"{end}h"]), int(match[f"{end}m"] or 0)
    said = find_half(match[f"{end}half"] or "") or half
    if hour > 12 or match[f"{end}h"].startswith("0"):
        return min(hour * 60 + minute, 24 * 60)
    if not said:
        raise _Unclear(hour)
    return (hour % 12 + (12 if said == "pm" else 0)) * 60 + minute


def _together(parts: list[_Part]) -> OwnHours | None:
    """The hours that are left when every clause is kept: those allowed, less those refused."""
    wanted = [part for part in parts if not part.negative]
    allowed = [(0, 24 * 60)]
    if spans := [span for part in wanted for span in part.spans]:
        allowed = _merged(spans)
    days = set(EVERY_DAY)
    if named := {day for part in wanted for day in part.days}:
        days = named
    for part in parts:
        if part.negative and part.spans:  # "not on Monday mornings": kept simple, and read back
            allowed = [left for span in allowed for left in _without(span, part.spans)]
        elif part.negative:
            days -= part.days
    if not allowed or not days:
        return None
    return OwnHours(tuple((_written(a), _written(b)) for a, b in allowed), tuple(sorted(days)))


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """"After 9 am" and "before 5 pm" in one breath mean both; two closed spans mean either."""
    after = [a for a, b in spans if b == 24 * 60 and a > 0]
    before = [b for a, b in spans if a == 0 and b < 24 * 60]
    if len(after) == len(before) == 1 and len(spans) == 2 and after[0] < before[0]:
        return [(after[0], before[0])]
    return sorted(spans)


def _without(span: tuple[int, int], refused: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    left = [span]
    for start, end in refused:
        left = [piece for a, b in left for piece in ((a, min(b, start)), (max(a, end), b)) if piece[0] < piece[1]]
    return left


def _clock(written: str) -> int:
    hour, minute = written.split(":")
    return int(hour) * 60 + int(minute)


def _written(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
