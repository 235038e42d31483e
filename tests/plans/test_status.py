"""The table of a plan's life: every step that it has, and none that it has not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from billing.lives import IllegalMove
from billing.plan_status import COLLECTING, ENDED, MOVES, PROPOSED, RUNNING, may_move, move

STATUSES = {"offered", "awaiting_authorization", "active", "paused", "behind", "cured", "defaulted", "completed",
            "cancelled", "superseded"}

#: Written down a second time, as a reader would say it.
LEGAL = set("""
offered>awaiting_authorization offered>cancelled offered>superseded
awaiting_authorization>active awaiting_authorization>cancelled awaiting_authorization>superseded
active>behind active>paused active>completed active>cancelled active>superseded
behind>cured behind>paused behind>defaulted behind>completed behind>cancelled behind>superseded
cured>behind cured>paused cured>completed cured>cancelled cured>superseded
paused>active paused>behind paused>cured paused>completed paused>cancelled paused>superseded
completed>behind
""".split())


@dataclass
class Row:
    status: str


def test_every_status_of_the_issue_is_in_the_table_and_no_other() -> None:
    assert set(MOVES) == STATUSES
    assert set().union(*MOVES.values()) <= STATUSES


@pytest.mark.parametrize(("before", "after"), sorted(product(STATUSES, STATUSES)))
def test_a_plan_takes_the_steps_of_its_life_and_refuses_every_other(before: str, after: str) -> None:
    row = Row(before)
    if f"{before}>{after}" in LEGAL:
        move(row, after)
        assert row.status == after
        return
    with pytest.raises(IllegalMove, match=f"{before} cannot become {after}"):
        move(row, after)
    assert row.status == before and not may_move(before, after)


def test_every_status_is_proposed_running_or_ended_and_only_one_of_them() -> None:
    assert PROPOSED | RUNNING | ENDED == STATUSES
    assert not (PROPOSED & RUNNING or RUNNING & ENDED or PROPOSED & ENDED)
    assert {"paused"} == RUNNING - COLLECTING


def test_an_ended_plan_stays_ended_unless_a_bank_takes_money_back() -> None:
    assert {(before, after) for before in ENDED for after in MOVES[before]} == {("completed", "behind")}


def test_nothing_runs_that_nobody_has_agreed_to() -> None:
    """The only way into a running plan goes through the patient's authorization."""
    into_running = {before for before, after in product(MOVES, RUNNING) if after in MOVES[before]} - RUNNING - ENDED
    assert into_running == {"awaiting_authorization"}


def test_a_paused_plan_cannot_default_because_nothing_was_asked_for() -> None:
    assert not may_move("paused", "defaulted")
