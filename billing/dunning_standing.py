"""Where an account stands in the calendar of reminders, and why: reads only, for people and for previews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy.orm import Session

from billing import dunning, first_looks, self_audit, ways
from billing.dunning_facts import gather
from billing.figures import account_figures
from billing.store import dunning_queries as store
from billing.store.tables import Guarantor
from config.dunning_policy import DunningPolicy
from config.practice import PracticePolicy

Verdict = Literal["due", "wait", "stopped", "held"]


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of this account's calendar or of anybody else who asked it for money."""

    on: date
    kind: str
    step: str
    state: str


@dataclass(frozen=True, slots=True)
class Standing:
    """``next`` is statement or a step's name; ``on`` its day, empty when that is not known; ``why`` for staff, no PHI.

    ``way`` is the channel that it would take today, ``passed`` (way, why) those passed over for it; ``findings`` what
    the bill's own check has against a reminder.
    """

    account: str
    guarantor_id: str
    verdict: Verdict
    next: str
    on: date | None
    why: str
    rule: str
    due_minor: int
    past_due_from: date | None
    heard: tuple[Heard, ...]
    way: str = ""
    passed: tuple[tuple[str, str], ...] = ()
    findings: tuple[str, ...] = ()
    template: str = ""


def standing(session: Session, policy: PracticePolicy, guarantor_id: str, now: datetime) -> Standing:
    """Raises LookupError for an unknown account, ValueError for a practice without a calendar."""
    if policy.dunning is None:
        raise ValueError("the practice has written no calendar of reminders; see [dunning] in its policy")
    today = policy.local_day(now)
    facts = gather(session, guarantor_id, policy, now)
    found = dunning.next_step(facts, policy.dunning, today)
    account = session.get_one(Guarantor, guarantor_id).external
    heard = tuple(Heard(one.on, one.kind, one.step, one.state) for one in facts.told)
    late = dunning.past_due_from(facts, policy.dunning)
    match found:
        case dunning.Stopped(rule=rule, words=words):
            return Standing(account, guarantor_id, "stopped", "", None, words, rule, facts.due_now_minor, late, heard)
        case dunning.Wait(until_on=until_on, next=name, words=words):
            return Standing(account, guarantor_id, "wait", name, until_on, words, "", facts.due_now_minor, late, heard)
        case dunning.Due():
            return _due(session, policy.dunning, found, account, guarantor_id, facts.due_now_minor, late, heard, today)


def _due(session: Session, policy: DunningPolicy, due: dunning.Due, account: str, guarantor_id: str, due_minor: int,
         late: date | None, heard: tuple[Heard, ...], today: date) -> Standing:
    looks = [one.reason for one in first_looks.find(
        account_figures(session, guarantor_id, today), store.moves_of(session, guarantor_id),
        store.first_statements(session, guarantor_id), policy, today)
        if not _looked_at(session, guarantor_id, first_looks.KIND, one.dedupe)]
    checks = [f"{one.check}: {one.words}" for one in self_audit.findings(session, guarantor_id, policy, today)
              if not _looked_at(session, guarantor_id, self_audit.KIND, self_audit.dedupe_of(guarantor_id, one))]
    against = looks + (checks if due.kind == "reminder" else [])
    choice = ways.choose(session, guarantor_id, due.ways, amount_minor=due_minor, minimum_minor=due.minimum_minor)
    passed = tuple((one.way, ways.WHY[one.why]) for one in choice.passed)
    way = choice.way if isinstance(choice, ways.Choice) else ""
    why = "a person has to look first" if against else "by the calendar" if way else "no channel leads there"
    return Standing(account, guarantor_id, "held" if against else "due", due.step or due.kind, today, why, "",
                    due_minor, late, heard, way, passed, tuple(looks + checks), due.template)


def _looked_at(session: Session, guarantor_id: str, kind: str, dedupe: str) -> bool:
    """Whether somebody released the hold of this very cause."""
    return any(one.dedupe == dedupe and one.released_at is not None
               for one in store.holds_of(session, guarantor_id, kind))


def everybody(session: Session, policy: PracticePolicy, practice_id: str, now: datetime) -> list[Standing]:
    """Every account that owes something, in the order in which the day's run takes them."""
    found, after = list[Standing](), ""
    while batch := store.accounts_owing(session, practice_id, after, 500):
        found += [standing(session, policy, one, now) for one in batch]
        after = batch[-1]
    return found
