"""The calendar of reminders, as arithmetic: what is next, and when, whatever has happened."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.dunning import Due, DunningFacts, Stop, Stopped, Told, Wait, next_step, past_due_from
from config.dunning_policy import DunningPolicy, DunningStep
from tests.dunning.diary import BEGIN, Diary, Event

EVENTS = st.dictionaries(st.integers(0, 200), st.sampled_from(get_args(Event)), max_size=14)
STEPS = st.lists(st.integers(-20, 120), min_size=0, max_size=5, unique=True).map(
    lambda days: tuple(DunningStep(name=f"step_{n}", day=day, template="reminder_first")
                       for n, day in enumerate(sorted(days))))


@st.composite
def policies(draw: st.DrawFn) -> DunningPolicy:
    return DunningPolicy(steps=draw(STEPS), minimum_gap_days=draw(st.integers(1, 20)),
                         statement_every_days=draw(st.integers(14, 60)),
                         restart_on=draw(st.sets(st.sampled_from(("charge", "payment", "remittance"))).map(tuple)))


@given(policies(), EVENTS)
def test_whatever_happens_nobody_hears_twice_within_the_gap_or_twice_on_a_day(
        policy: DunningPolicy, events: dict[int, Event]) -> None:
    diary = Diary(policy)
    diary.through(220, events)
    left = [one for one in diary.facts.told if one.state in ("left", "stopped")]
    for earlier, later in pairwise(left):
        assert (later.on - earlier.on).days >= policy.minimum_gap_days
    days = [on for on, _ in diary.sent]
    assert len(days) == len(set(days))


@given(policies(), EVENTS)
def test_whatever_happens_a_statement_that_arrived_comes_before_any_reminder(
        policy: DunningPolicy, events: dict[int, Event]) -> None:
    """Since the balance moved last, and with every step in its order."""
    diary, order = Diary(policy), {step.name: place for place, step in enumerate(policy.steps)}
    for number in range(220):
        on = BEGIN + timedelta(days=number)
        if number in events:
            diary.happen(events[number], on)
        facts = diary.facts
        found = diary.live(on)
        if not isinstance(found, Due) or found.kind != "reminder":
            continue
        since = max((one.at for one in facts.moved if one.kind in policy.restart_on), default=None)
        arrived = [one for one in facts.statements if one.arrived and (since is None or one.at >= since)]
        assert arrived, "a reminder of a bill that nobody was sent"
        assert on >= arrived[0].due_on + timedelta(days=policy.steps[order[found.step]].day)
        done = [order[one.step] for one in facts.told if one.state == "left" and one.step and one.at >= arrived[0].at]
        assert order[found.step] == max(done, default=-1) + 1


@given(policies(), EVENTS)
def test_whatever_happens_stops_are_obeyed_and_what_is_owed_is_there(
        policy: DunningPolicy, events: dict[int, Event]) -> None:
    diary = Diary(policy)
    for number in range(220):
        on = BEGIN + timedelta(days=number)
        if number in events:
            diary.happen(events[number], on)
        stop, due = diary.facts.stop, diary.facts.due_now_minor
        if isinstance(diary.live(on), Due):
            assert stop is None and due >= policy.minimum_minor


@given(policies(), EVENTS, st.integers(0, 200), st.integers(1, 40))
def test_a_time_without_a_run_is_never_made_up_for_in_a_heap(
        policy: DunningPolicy, events: dict[int, Event], gone: int, days: int) -> None:
    """After it there are no more messages than the days left of the gap allow, and no step is skipped."""
    diary = Diary(policy)
    diary.through(220, {**events, gone: "away", gone + days: "back"})
    back = BEGIN + timedelta(days=gone + days)
    week = [on for on, _ in diary.sent if back <= on < back + timedelta(days=policy.minimum_gap_days)]
    failed = [one for one in diary.facts.told if one.state == "failed"]
    assert len(week) <= 1 + len(failed)


def test_the_calendar_of_an_account_that_never_answers() -> None:
    """Statement, and a month for it; then a note, a second and a third, each further apart; the last; then nobody."""
    diary = Diary()
    diary.through(300)
    assert diary.steps == [("2026-01-02", "statement"), ("2026-02-04", "first"), ("2026-02-18", "second"),
                           ("2026-03-18", "third"), ("2026-04-17", "final")]
    assert diary.asked[-1][1] == Stopped("schedule-finished",
                                         "the last notice has gone out; a person decides what follows")


def test_a_reminder_carries_a_new_statement_when_the_old_one_is_a_month_old_and_names_the_same_due_day() -> None:
    diary = Diary()
    diary.through(120)
    fresh = {due.step: due.fresh for _, due in diary.sent[1:]}
    assert fresh == {"first": True, "second": False, "third": True, "final": True}
    assert {one.due_on for one in diary.facts.statements} == {date(2026, 2, 1)}
    assert past_due_from(diary.facts, diary.policy) == date(2026, 2, 1)


@pytest.mark.parametrize("what", ["charge", "payment", "remittance"])
def test_what_moves_the_balance_begins_a_new_round_with_a_statement(what: Event) -> None:
    diary = Diary()
    diary.through(60, {40: what})
    assert diary.steps == [("2026-01-02", "statement"), ("2026-02-04", "first"), ("2026-02-11", "statement")]
    assert diary.facts.statements[-1].due_on == date(2026, 3, 13)


def test_a_practice_may_say_that_a_payment_does_not_begin_a_new_round() -> None:
    diary = Diary(DunningPolicy(restart_on=("charge",)))
    diary.through(60, {40: "payment"})
    assert [what for _, what in diary.steps] == ["statement", "first", "second"]


def test_a_missed_week_pushes_what_follows_and_sends_one_message() -> None:
    diary = Diary()
    diary.through(80, {30: "away", 43: "back"})
    assert diary.steps == [("2026-01-02", "statement"), ("2026-02-14", "first"), ("2026-02-28", "second")]


def test_a_hold_of_two_months_does_not_turn_three_reminders_into_three_weeks() -> None:
    diary = Diary()
    diary.through(200, {32: "hold", 92: "release"})
    assert diary.steps[1:4] == [("2026-04-04", "first"), ("2026-04-18", "second"), ("2026-05-16", "third")]


def test_a_letter_that_came_back_counts_for_nothing_and_a_new_statement_begins_the_round_again() -> None:
    diary = Diary()
    diary.through(70, {20: "returned"})
    assert diary.steps[:2] == [("2026-01-02", "statement"), ("2026-01-22", "statement")]
    assert past_due_from(diary.facts, diary.policy) == date(2026, 2, 21)
    assert diary.steps[2] == ("2026-02-24", "first")


def test_a_message_on_its_way_is_waited_for_whatever_the_calendar_says() -> None:
    on = date(2026, 1, 2)
    diary = Diary()
    diary.through(1)
    waiting = diary.facts.told[0]
    facts = DunningFacts(10_000, statements=diary.facts.statements, told=(
        Told(waiting.at, on, "statement", "waiting", "", "stm_1"),))
    found = next_step(facts, DunningPolicy(), on + timedelta(days=200))
    assert isinstance(found, Wait) and found.until_on is None


def test_a_withheld_step_is_tried_again_after_the_gap_and_not_every_day() -> None:
    diary = Diary()
    diary.through(50, {34: "withheld", 42: "withheld"})
    assert diary.steps[1:] == [("2026-02-04", "first"), ("2026-02-11", "first"), ("2026-02-18", "first")]


def test_a_text_that_did_not_arrive_is_followed_the_next_day() -> None:
    diary = Diary()
    diary.through(40, {34: "undelivered"})
    assert diary.steps[1:] == [("2026-02-04", "first"), ("2026-02-05", "first")]


def test_too_little_is_not_asked_for() -> None:
    found = next_step(DunningFacts(99), DunningPolicy(), BEGIN)
    assert isinstance(found, Stopped) and found.rule == "below-minimum"


def test_a_stop_says_which_rule_it_is() -> None:
    facts = DunningFacts(10_000, stop=Stop("insurance-pending", "a payer still has to answer"))
    assert next_step(facts, DunningPolicy(), BEGIN) == Stopped("insurance-pending", "a payer still has to answer")


def test_without_steps_there_is_a_statement_now_and_then() -> None:
    diary = Diary(DunningPolicy(steps=()))
    diary.through(100)
    assert [what for _, what in diary.steps] == ["statement"] * 4
    assert [on for on, _ in diary.steps] == ["2026-01-02", "2026-02-02", "2026-03-02", "2026-03-30"]


@pytest.mark.parametrize(("begin", "first"), [
    (date(2026, 1, 31), "2026-03-05"), (date(2028, 1, 30), "2028-03-03"), (date(2028, 2, 29), "2028-04-02"),
    (date(2026, 3, 7), "2026-04-09"), (date(2026, 10, 31), "2026-12-03")])
def test_months_ends_and_clock_changes_are_days_like_others(begin: date, first: str) -> None:
    diary = Diary()
    diary.through(40, begin=begin)
    assert diary.steps == [(begin.isoformat(), "statement"), (first, "first")]


def test_the_first_words_after_a_persons_look_explain_themselves() -> None:
    found = next_step(DunningFacts(10_000, explains="late_first"), DunningPolicy(), BEGIN)
    assert isinstance(found, Due) and (found.kind, found.template) == ("statement", "late_first")
