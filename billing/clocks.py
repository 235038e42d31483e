"""The days before which nothing graver than a reminder may happen, with why: 26 CFR 1.501(r) and states' clocks.

Off unless the practice switches them on (``collections.hospital_501r``, ``collections.states``). Only what the field
notes give figures for is here (rules.md C6, C9); a state that is switched on and has none here is named by ``unknown``,
and nothing is made up for it. The product itself knows one act, ``place``; the others answer who asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from config.dunning_policy import CollectionsPolicy

Act = Literal["place", "sell", "report", "sue"]
Condition = Literal["itemised_bill", "screened", "fpl"]

FIRST_BILL_DAYS, NOTICE_DAYS, APPLICATION_DAYS = 120, 30, 240


@dataclass(frozen=True, slots=True)
class StateClock:
    """``days`` since the first bill before ``acts``; or a ``condition`` that has to be met, with its ``figure``."""

    state: str
    acts: frozenset[Act]
    citation: str
    evidence: str
    days: int | None = None
    condition: Condition | None = None
    figure: int = 0


_ANY: frozenset[Act] = frozenset({"place", "sell", "report", "sue"})

STATES: tuple[StateClock, ...] = (
    StateClock("CA", frozenset({"sell"}), "HSC 127425", "V", days=180),
    StateClock("CA", frozenset({"report", "sue"}), "HSC 127425", "M", days=180),
    StateClock("NY", frozenset({"sue"}), "rules.md C9", "V", days=180),
    StateClock("TX", _ANY, "H&S 185.002", "V", condition="itemised_bill", figure=30),
    StateClock("FL", _ANY, "395.3011", "S", condition="itemised_bill", figure=7),
    StateClock("OR", _ANY, "rules.md C9 (screening above $500)", "V", condition="screened", figure=500_00),
    StateClock("NM", _ANY, "rules.md C9 (200% of the poverty level)", "V", condition="fpl", figure=200),
)


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """Days practice-local. ``first_bill_on``: of several episodes that are taken together, the newest one's first bill
    after discharge. ``notice_on``: when the written notice of what may happen left, with the plain-language summary.
    """

    first_bill_on: date | None
    notice_on: date | None = None
    state: str = ""
    owed_minor: int = 0
    itemised_on: date | None = None  # when an itemised bill was given
    application: str = ""  # its status while one is open; "approved", "denied" afterwards; empty: none came
    applied_on: date | None = None
    fpl_percent: int | None = None  # of the household, as far as an application said it


@dataclass(frozen=True, slots=True)
class Reason:
    """``until_on`` empty: no day ends it, something has to be done first. ``words`` hold no PHI."""

    rule: str
    citation: str
    words: str
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """``earliest_on`` empty: not before what ``open`` names has been done."""

    reasons: tuple[Reason, ...]
    earliest_on: date | None

    @property
    def open(self) -> tuple[Reason, ...]:
        return tuple(reason for reason in self.reasons if reason.until_on is None)

    def stops(self, today: date) -> tuple[Reason, ...]:
        """What stands in the way on ``today``."""
        return tuple(one for one in self.reasons if one.until_on is None or today < one.until_on)


def clock(facts: ClockFacts, policy: CollectionsPolicy, act: Act = "place") -> Clock:
    """When ``act`` may be at the earliest under the clocks that the practice has switched on."""
    reasons = [*(_hospital(facts) if policy.hospital_501r else ()), *_state(facts, policy, act)]
    ready = not any(reason.until_on is None for reason in reasons)
    days = [reason.until_on for reason in reasons if reason.until_on is not None]
    return Clock(tuple(reasons), max(days, default=facts.first_bill_on) if ready else None)


def _hospital(facts: ClockFacts) -> Iterable[Reason]:
    """T-43 (120 days and 30 days' written notice, the later of both), T-44 (an application stops everything)."""
    if facts.first_bill_on is None:
        yield Reason("T-43", "26 CFR 1.501(r)-6(c)(3)", "no bill after discharge has been given yet")
    else:
        yield Reason("T-43", "26 CFR 1.501(r)-6(c)(3)", "120 days from the first bill after discharge",
                     facts.first_bill_on + timedelta(days=FIRST_BILL_DAYS))
    if facts.notice_on is None:
        yield Reason("T-43", "26 CFR 1.501(r)-6(c)(4)", "the written notice with the plain-language summary of the "
                     "assistance policy has not been given")
    else:
        yield Reason("T-43", "26 CFR 1.501(r)-6(c)(4)", "30 days from the written notice",
                     facts.notice_on + timedelta(days=NOTICE_DAYS))
    if facts.application in ("received", "incomplete", "appealed") and _in_period(facts):
        yield Reason("T-44", "26 CFR 1.501(r)-6(c)(5), (6)", "an application for assistance is being decided")


def _in_period(facts: ClockFacts) -> bool:
    ends = application_ends(facts)
    return ends is None or facts.applied_on is None or facts.applied_on <= ends


def application_ends(facts: ClockFacts) -> date | None:
    """T-44: the later of day 240 after the first bill and the notice's deadline; None while no bill was given."""
    if facts.first_bill_on is None:
        return None
    day_240 = facts.first_bill_on + timedelta(days=APPLICATION_DAYS)
    return max(day_240, facts.notice_on + timedelta(days=NOTICE_DAYS)) if facts.notice_on else day_240


def _state(facts: ClockFacts, policy: CollectionsPolicy, act: Act) -> Iterable[Reason]:
    for one in STATES:
        if one.state != facts.state or one.state not in policy.states or act not in one.acts:
            continue
        if one.days is not None:
            until = facts.first_bill_on + timedelta(days=one.days) if facts.first_bill_on else None
            yield Reason(f"C9-{one.state}", one.citation, f"{one.days} days from the first bill", until)
        elif (words := _unmet(one, facts)):
            yield Reason(f"C9-{one.state}", one.citation, words)


def _unmet(one: StateClock, facts: ClockFacts) -> str:
    if one.condition == "itemised_bill":
        return "" if facts.itemised_on is not None else "the itemised bill has not been given"
    if one.condition == "screened":
        met = facts.owed_minor <= one.figure or facts.application in ("approved", "denied")
        return "" if met else "nobody has looked yet whether the patient may have assistance"
    low = facts.fpl_percent is not None and facts.fpl_percent <= one.figure
    return "the household is at or below the poverty level that bars collection" if low else ""


def unknown(states: Iterable[str]) -> tuple[str, ...]:
    """Places that are switched on and for which no figures are known here: their clocks stay off."""
    known = {one.state for one in STATES}
    return tuple(sorted(set(states) - known))


def missing_words(content: Mapping[str, Any]) -> tuple[str, ...]:
    """T-45: what of the assistance notice a statement's content lacks: note, phone, url (1.501(r)-4(b)(5)(i)(D))."""
    notice = content.get("assistance") or {}
    return tuple(name for name in ("note", "phone", "url") if not str(notice.get(name) or "").strip())
