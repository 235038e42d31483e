"""Where accounts stand in the schedule of reminders: a page of those that owe something, read in sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never

from sqlalchemy.orm import Session

from billing import dunning, dunning_facts
from billing.dunning_facts import Gathered
from billing.store import dunning_queries
from config.dunning_policy import DunningPolicy
from config.practice import PracticePolicy

PAGE = 50


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the schedule, ``day`` days after the due day of the statement that it reminds of."""

    name: str
    day: int
    template: str
    ways: list[str]
    final: bool


@dataclass(frozen=True, slots=True)
class Line:
    """``verdict``: due (today, unless the bill's own check has something against it), wait, stopped. ``next``:
    statement or a step's name; ``on``: its day, None when that is not known. ``why`` is for staff: nothing of a
    patient's is in it.
    """

    account_id: str
    number: str
    due_minor: int
    past_due_from: date | None
    verdict: str
    next: str
    on: date | None
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Reminders:
    """``steps`` empty: the practice has no schedule, and nobody is reminded. ``next_after``: where the next page
    begins; empty at the end.
    """

    steps: list[Step]
    lines: list[Line]
    next_after: str


def load(session: Session, practice_id: str, policy: PracticePolicy, after: str, now: datetime) -> Reminders:
    """Accounts in the order in which the day's run takes them, from behind ``after`` (an account's id)."""
    if policy.dunning is None:
        return Reminders([], [], "")
    ids = dunning_queries.accounts_owing(session, practice_id, after, PAGE + 1)
    found = dunning_facts.gather_all(session, practice_id, ids[:PAGE], policy, now)
    today = policy.local_day(now)
    return Reminders(
        [Step(one.name, one.day, one.template, list(one.ways), one.final) for one in policy.dunning.steps],
        [_line(found[one], policy.dunning, today) for one in ids[:PAGE] if one in found],
        ids[PAGE - 1] if len(ids) > PAGE else "")


def _line(one: Gathered, policy: DunningPolicy, today: date) -> Line:
    late = dunning.past_due_from(one.facts, policy)
    verdict, coming, on, rule, why = _told(dunning.next_step(one.facts, policy, today), today)
    return Line(one.guarantor.id, one.guarantor.external, one.facts.due_now_minor, late, verdict, coming, on, rule, why)


def _told(found: dunning.Next, today: date) -> tuple[str, str, date | None, str, str]:
    match found:
        case dunning.Due():
            return "due", found.step or found.kind, today, "", ""
        case dunning.Wait():
            return "wait", found.next, found.until_on, "", found.words
        case dunning.Stopped():
            return "stopped", "", None, found.rule, found.words
        case _:
            assert_never(found)
