"""What comes next for an account by the practice's calendar of reminders: a statement, a step, a wait, or nothing.

Pure, and asked anew every day: nothing is remembered but what left and what the books say. Hence a missed week costs
its days and is not caught up with in a heap: a step that comes late pushes those after it by as much. The first message
of a round is a statement, always; a charge, a payment or a remittance begins a new round (policy ``restart_on``).
"Past due" starts at the due day of the round's first statement that is not known to have failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from config.dunning_policy import EVERY_WAY, DunningPolicy, DunningStep, Restart, Way

State = Literal["left", "waiting", "stopped", "failed"]

STATEMENT_TEMPLATE = "statement_ready"


@dataclass(frozen=True, slots=True)
class Told:
    """A demand about the account, whoever sent it. ``on`` practice-local; ``step`` empty: none of the calendar's.

    left: it went out, and is not known to have failed; waiting: it is on its way, or nobody knows yet;
    stopped: the gate withheld it; failed: it is known not to have arrived.
    """

    at: datetime
    on: date
    kind: Literal["statement", "reminder"]
    state: State
    step: str = ""
    statement_id: str = ""


@dataclass(frozen=True, slots=True)
class Stated:
    """A numbered statement. ``arrived``: it left by some way, and none of what is known says that it came back."""

    statement_id: str
    at: datetime
    on: date
    due_on: date
    arrived: bool = True


@dataclass(frozen=True, slots=True)
class Moved:
    """The account's own balance moved: what may begin a new round."""

    at: datetime
    kind: Restart


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nobody is asked: the rule of the gate that says so, in words without PHI."""

    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class DunningFacts:
    """All oldest first; cents. ``explains``: the template whose first message has to say why this comes now;
    ``carried``: the step that a former system had reached (billing/opening_steps.py).
    """

    due_now_minor: int
    stop: Stop | None = None
    statements: Sequence[Stated] = ()
    told: Sequence[Told] = ()
    moved: Sequence[Moved] = ()
    explains: str = ""
    carried: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """Send this today. ``due_on`` is the round's, for a statement that only says again what was said; ``fresh``: a
    new statement goes with it; ``round_id``: the statement that began the round, empty when this one does.
    """

    kind: Literal["statement", "reminder"]
    template: str
    step: str = ""
    ways: tuple[Way, ...] = EVERY_WAY
    minimum_minor: Mapping[Way, int] = field(default_factory=dict)
    fresh: bool = True
    due_on: date | None = None
    round_id: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not today. ``until_on`` empty: for something that has no day, such as a message on its way."""

    until_on: date | None
    next: str  # statement, or the step's name
    words: str


@dataclass(frozen=True, slots=True)
class Stopped:
    rule: str
    words: str


Next = Due | Wait | Stopped


@dataclass(frozen=True, slots=True)
class _Round:
    """From the first statement that arrived since the balance last moved. ``done``: (place of the step, its day)."""

    first: Stated
    newest: Stated
    done: tuple[int, date] | None


def next_step(facts: DunningFacts, policy: DunningPolicy, today: date) -> Next:
    """Say what this account's next message is, and whether it is for ``today`` (practice-local)."""
    if facts.stop is not None:
        return Stopped(facts.stop.rule, facts.stop.words)
    if facts.due_now_minor <= 0:
        return Stopped("nothing-due", "nothing is due now")
    if facts.due_now_minor < policy.minimum_minor:
        return Stopped("below-minimum", f"less is due than the {policy.minimum_minor} cents that anybody is asked for")
    here = round_of(facts, policy)
    if any(one.state == "waiting" for one in facts.told):
        return Wait(None, _name(here, policy), "a message is on its way; what becomes of it comes first")
    if here is None:
        return _when(free_on(facts, policy), today, Due("statement", facts.explains or STATEMENT_TEMPLATE),
                     "a statement comes before any reminder")
    return _in_round(facts, policy, here, today)


def round_of(facts: DunningFacts, policy: DunningPolicy) -> _Round | None:
    """The round that runs; None when no statement has arrived since the balance moved."""
    since = max((one.at for one in facts.moved if one.kind in policy.restart_on), default=None)
    own = [one for one in facts.statements if one.arrived and (since is None or one.at >= since)]
    if not own:
        return None
    places = {step.name: place for place, step in enumerate(policy.steps)}
    done = [(places[one.step], one.on) for one in facts.told
            if one.state == "left" and one.step in places and one.at >= own[0].at]
    if facts.carried in places:  # as if it had gone out on its day by the calendar, and never before it
        said = places[facts.carried]
        done.append((said, own[0].due_on + timedelta(days=policy.steps[said].day)))
    return _Round(own[0], own[-1], max(done, default=None))


def past_due_from(facts: DunningFacts, policy: DunningPolicy) -> date | None:
    """The due day from which what is asked for is late; None while no statement stands."""
    here = round_of(facts, policy)
    return here.first.due_on if here is not None else None


def free_on(facts: DunningFacts, policy: DunningPolicy) -> date | None:
    """The first day on which the account may hear of money again; None: any day. What is known not to have arrived
    keeps nobody waiting but until tomorrow.
    """
    gap, days = timedelta(days=policy.minimum_gap_days), list[date]()
    for one in facts.told:
        days.append(one.on + (timedelta(days=1) if one.state == "failed" else gap))
    return max(days, default=None)


def _in_round(facts: DunningFacts, policy: DunningPolicy, here: _Round, today: date) -> Next:
    step = next_of(here, policy)
    last = policy.steps[here.done[0]] if here.done is not None else None
    if step is None and last is not None and last.final:
        return Stopped("schedule-finished", "the last notice has gone out; a person decides what follows")
    free = free_on(facts, policy)
    reminder_on = _later(step_on(here, policy, step), free) if step is not None else None
    statement_on = _later(_again_on(facts, policy, here), free)
    gap = timedelta(days=policy.minimum_gap_days)
    if step is not None and reminder_on is not None and reminder_on < statement_on + gap:
        return _when(reminder_on, today, _reminder(step, here, policy, max(reminder_on, today)), "by the calendar")
    return _when(statement_on, today, Due("statement", STATEMENT_TEMPLATE, due_on=here.first.due_on,
                                          round_id=here.first.statement_id), "a new statement while something is due")


def next_of(here: _Round, policy: DunningPolicy) -> DunningStep | None:
    """The first step after the last one that went out: never back to a softer one, never two at once."""
    place = 0 if here.done is None else here.done[0] + 1
    return policy.steps[place] if place < len(policy.steps) else None


def step_on(here: _Round, policy: DunningPolicy, step: DunningStep) -> date:
    """The step's day: by the calendar, and as long after the step before it as the calendar has between them."""
    by_calendar = here.first.due_on + timedelta(days=step.day)
    if here.done is None:
        return by_calendar
    place, went_on = here.done
    return max(by_calendar, went_on + timedelta(days=step.day - policy.steps[place].day))


def _again_on(facts: DunningFacts, policy: DunningPolicy, here: _Round) -> date:
    """A new statement when nothing was heard for so long; never before the first one's due day has passed."""
    heard = max((one.on for one in facts.told if one.state == "left"), default=here.newest.on)
    return max(heard + timedelta(days=policy.statement_every_days), here.first.due_on + timedelta(days=1))


def _reminder(step: DunningStep, here: _Round, policy: DunningPolicy, on: date) -> Due:
    old = here.newest.on + timedelta(days=policy.statement_every_days) <= on
    return Due("reminder", step.template, step.name, step.ways, step.minimum_minor, fresh=old,
               due_on=here.first.due_on, round_id=here.first.statement_id)


def _later(day: date, other: date | None) -> date:
    return day if other is None else max(day, other)


def _when(day: date | None, today: date, due: Due, words: str) -> Due | Wait:
    return due if day is None or day <= today else Wait(day, due.step or due.kind, words)


def _name(here: _Round | None, policy: DunningPolicy) -> str:
    step = next_of(here, policy) if here is not None else None
    return step.name if step is not None else "statement"
