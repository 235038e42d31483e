"""What is past due, by value and by what comes next: one line for each account, the next action of a person first.

Small balances and help come before bad debt: where an application could be made, that is said before anything graver.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import dunning
from billing.placement_checks import OPEN_APPLICATION, Obstacle, Standing, obstacles, standings
from billing.placement_money import APPROVED, PROPOSED
from billing.store import collection_queries as store
from billing.store import dunning_queries
from billing.store.ledger_queries import chunks
from billing.store.practices import policy_in
from billing.store.tables import Placement
from config.practice import PracticePolicy

#: In the order in which a person works them; what waits for a day or for somebody else comes last.
ACTIONS = ("approve_write_off", "approve_placement", "export_placement", "decide_assistance", "review_hold",
           "write_off_small", "propose_placement", "write_off_bad_debt", "find_address", "wait", "dunning", "at_agency",
           "on_plan")


#: Accounts that are read together: what they say fits into memory, and the queries are few.
AT_ONCE = 500
_OPEN_PLACEMENTS = (*store.LIVE, PROPOSED, APPROVED)


@dataclass(frozen=True, slots=True)
class Line:
    """Cents; ``days_past_due`` of the oldest visit. ``until_on``: the day on which the action can be taken."""

    guarantor_id: str
    account: str
    due_minor: int
    at_agency_minor: int
    days_past_due: int | None
    action: str
    words: str
    until_on: date | None = None


def worklist(session: Session, practice_id: str, now: datetime, *, action: str = "", minimum_minor: int = 0,
             ) -> list[Line]:
    """By action, then by value, the largest first."""
    policy = policy_in(session, practice_id)
    lines = [line for part in chunks(_accounts(session, practice_id), AT_ONCE)
             for line in lines_of(session, practice_id, part, policy, now)]
    shown = [one for one in lines if action in ("", one.action)
             and one.due_minor + one.at_agency_minor >= minimum_minor]
    return sorted(shown, key=lambda one: (ACTIONS.index(one.action), -one.due_minor - one.at_agency_minor, one.account))


def _accounts(session: Session, practice_id: str) -> list[str]:
    found = dunning_queries.accounts_owing(session, practice_id, "", 1_000_000)
    return sorted({*found, *(row.guarantor_id for row in store.placements(session, practice_id, store.LIVE))})


def lines_of(session: Session, practice_id: str, guarantor_ids: Sequence[str], policy: PracticePolicy, now: datetime,
           ) -> list[Line]:
    """As many queries for all of these accounts as for one."""
    here = standings(session, practice_id, guarantor_ids, policy, now)
    rows = store.placements_by(session, guarantor_ids, _OPEN_PLACEMENTS)
    return [line for id_, one in here.items() if (line := line_of(one, rows.get(id_, ()))) is not None]


def line_of(here: Standing, placements: Sequence[Placement] = ()) -> Line | None:
    """One account's line; None when nothing of it is past due and nothing waits. ``placements``: its open ones."""
    placed = sum(row.left_minor for row in placements if row.status in store.LIVE)
    late = [(here.today - on).days for visit, on in here.past_due.items()
            if _owes(here, visit) and on < here.today]
    if not late and not placed and here.application not in OPEN_APPLICATION:
        return None
    action, words, until = _next(here, placed, {row.status for row in placements})
    return Line(here.guarantor.id, here.guarantor.external, here.figures.total.patient_minor, placed,
                max(late, default=None), action, words, until)


def _owes(here: Standing, visit_id: str) -> bool:
    visit = here.figures.visit(visit_id)
    return visit is not None and visit.figures.patient_minor > 0


def _next(here: Standing, placed_minor: int, statuses: Collection[str]) -> tuple[str, str, date | None]:
    if here.write_off:
        return "approve_write_off", "a write-off waits for another person", None
    for status, action in (("proposed", "approve_placement"), ("approved", "export_placement")):
        if status in statuses:
            return action, f"a placement is {status}", None
    if here.application in OPEN_APPLICATION:
        return "decide_assistance", f"an application for assistance is {here.application}", None
    if here.figures.total.due_now_minor <= 0:
        return _not_due(here, placed_minor)
    rules = here.policy.collections
    days = [(here.today - on).days for visit, on in here.past_due.items() if _owes(here, visit)]
    if here.figures.total.patient_minor <= rules.small_balance_minor and days and min(days) >= rules.small_balance_days:
        return "write_off_small", "a small balance, long past due", None
    return _graver(here)


def _not_due(here: Standing, placed_minor: int) -> tuple[str, str, date | None]:
    figures = here.figures.total
    if figures.held_minor and not placed_minor:
        return "review_hold", "held: " + ", ".join(_hold_kinds(here)), None
    if placed_minor:
        return "at_agency", "at the agency", None
    if figures.on_plan_minor:
        return "on_plan", "on a payment plan that is kept", None
    return "wait", "an insurer has to answer", None


def _hold_kinds(here: Standing) -> Sequence[str]:
    holds = (*here.figures.account_holds, *(h for v in here.figures.visits for h in v.holds))
    return sorted({hold.kind for hold in holds})


def _graver(here: Standing) -> tuple[str, str, date | None]:
    due = [v.visit_id for v in here.figures.visits if v.figures.due_now_minor > 0]
    agencies = here.policy.collections.agencies
    best: tuple[Obstacle, ...] | None = None
    for visit_id in due:
        for agency in (*agencies, None):
            found = obstacles(here, visit_id, agency)
            if not found:
                how = "propose_placement" if agency is not None else "write_off_bad_debt"
                return how, "every step before it has been taken", None
            best = found if best is None or len(found) < len(best) else best
    return _waiting(here, best or ())


def _waiting(here: Standing, found: Sequence[Obstacle]) -> tuple[str, str, date | None]:
    held = [one for one in found if one.code.startswith("hold:")]
    if any(one.code == "hold:address" for one in held):
        return "find_address", "an address is being looked for", None
    if held:
        return "review_hold", held[0].words, None
    if any(one.code == "final_notice" and one.until_on is None for one in found) and here.policy.dunning is not None:
        following = dunning.next_step(here.facts, here.policy.dunning, here.today)
        until = following.until_on if isinstance(following, dunning.Wait) else None
        return "dunning", "the calendar of reminders has not come to its end", until
    days = [one.until_on for one in found if one.until_on is not None]
    words = found[0].words if found else "nothing stands in the way"
    return "wait", words, max(days, default=None)
