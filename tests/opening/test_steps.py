"""A calendar taken over goes on where the former system was: after a statement of ours, never with a graver word."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import ledger
from billing.dunning import DunningFacts
from billing.dunning_facts import gather
from billing.store.tables import Guarantor, Visit
from config.dunning_policy import DunningPolicy
from tests.dunning.diary import BEGIN, Diary
from tests.opening.takeover import Row, Takeover, person, totals, visit

CALENDAR: dict[str, object] = {"steps": [
    {"name": "kind", "day": 5, "template": "reminder_first"},
    {"name": "firm", "day": 20, "template": "reminder_second"},
    {"name": "last", "day": 40, "template": "reminder_final", "final": True}]}


def _carried(move: Takeover, *rows: Row, b0: str) -> str:
    move.settle(dunning=CALENDAR)
    report = move.take(person(), *rows, *totals(b0=b0))
    move.hire()
    move.release(report)
    return _facts(move).carried


def _facts(move: Takeover) -> DunningFacts:
    return move.store.read(lambda s: gather(s, s.scalars(select(Guarantor.id)).one(), move.policy, move.at))


@pytest.mark.parametrize(("steps", "counts"), [
    (("kind",), "kind"), (("firm",), "firm"), (("last",), "firm"), (("",), ""), (("firm", "kind"), "kind"),
    (("firm", ""), "")])
def test_the_step_that_counts_is_the_softest_of_what_is_due_and_no_final_notice_of_theirs(
        small_move: Takeover, steps: tuple[str, ...], counts: str) -> None:
    rows = [visit(f"V-{n}", "50.00", step=step) for n, step in enumerate(steps)]
    assert _carried(small_move, *rows, b0=f"{50 * len(rows)}.00") == counts


@pytest.mark.parametrize("opens_anew", [True, False])
def test_what_begins_a_round_anew_makes_the_old_steps_past(move: Takeover, opens_anew: bool) -> None:
    assert _carried(move, visit("V-1", "50.00", step="firm"), b0="50.00") == "firm"
    if not opens_anew:
        move.settle(dunning={**CALENDAR, "restart_on": ["charge"]})
    move.at = move.at.replace(day=20)

    def pay(session: Session) -> None:
        account = session.scalars(select(Guarantor)).one()
        taken = gather(session, account.id, move.policy, move.at)
        assert taken.due_now_minor == 5_000
        visit_id = session.scalars(select(Visit.id)).one()
        ledger.post(session, [ledger.Posting(
            move.practice_id, ledger.wide("cash:manual:cash"), ledger.patient(visit_id), 1_000, "USD",
            "patient_payment",
            move.at.date(), "desk", "r1", account.id, visit_id)], move.at)

    move.store.write(pay)
    assert _facts(move).carried == ("" if opens_anew else "firm")


def test_after_a_statement_of_ours_the_next_step_comes_on_its_own_day_and_no_softer_one_before_it() -> None:
    policy = DunningPolicy.model_validate({**CALENDAR, "statement_every_days": 120})
    new, taken = Diary(policy), Diary(policy, DunningFacts(10_000, carried="kind"))
    for diary in (new, taken):
        diary.through(80)
    assert [name for _, name in new.steps] == ["statement", "kind", "firm", "last"]
    assert taken.steps == [one for one in new.steps if one[1] != "kind"]
    assert taken.steps[0] == (BEGIN.isoformat(), "statement")
    assert date.fromisoformat(taken.steps[1][0]) == date(2026, 2, 21)  # due on February 1st, and 20 days
