"""Every cent of a payment is put somewhere, no visit gets more than it owes, and a refund gives back what was paid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.allocation import Part, allocate, spread, take_back

cents = st.integers(min_value=0, max_value=50_000)
visits = st.sampled_from(["a", "b", "c", "d"])


def test_the_patients_own_instruction_comes_first_then_the_oldest_due_then_credit() -> None:
    owed, due = {"old": 100, "mid": 50, "new": 70}, [("old", 100), ("mid", 50), ("new", 70)]
    assert allocate(70, [("new", 70)], owed, due) == (Part("new", 70),)
    assert allocate(150, [("new", 70)], owed, due) == (Part("new", 70), Part("old", 80))
    assert allocate(300, [("new", 70)], owed, due) == (
        Part("new", 70), Part("old", 100), Part("mid", 50), Part(None, 80))


def test_a_visit_that_owes_less_by_now_gets_less_and_one_that_is_gone_nothing() -> None:
    assert allocate(100, [("x", 60), ("gone", 40)], {"x": 10}, []) == (Part("x", 10), Part(None, 90))
    assert allocate(100, [("x", 100)], {"x": -5}, []) == (Part(None, 100),)


@given(amount=st.integers(min_value=1, max_value=100_000), owed=st.dictionaries(visits, st.integers(-5_000, 50_000)),
       instruction=st.lists(st.tuples(visits, cents), max_size=4), due=st.lists(st.tuples(visits, cents), max_size=4))
def test_parts_sum_to_the_payment_and_never_exceed_what_is_owed(
        amount: int, owed: dict[str, int], instruction: list[tuple[str, int]], due: list[tuple[str, int]]) -> None:
    parts = allocate(amount, instruction, owed, due)
    assert sum(part.amount_minor for part in parts) == amount
    assert all(part.amount_minor > 0 for part in parts)
    assert all(part.visit_id is None or part.amount_minor <= owed[part.visit_id] for part in parts)
    assert len({part.visit_id for part in parts}) == len(parts)


@given(amount=cents, credit=cents, paid=st.lists(st.builds(Part, visits, st.integers(1, 50_000)), max_size=4,
                                                 unique_by=lambda part: part.visit_id))
def test_a_refund_takes_no_more_than_was_paid_credit_first(amount: int, credit: int, paid: list[Part]) -> None:
    taken = take_back(amount, credit, paid)
    limits = {None: credit, **{part.visit_id: part.amount_minor for part in paid}}
    assert sum(part.amount_minor for part in taken) == min(amount, sum(limits.values()))
    assert all(0 < part.amount_minor <= limits[part.visit_id] for part in taken)
    assert not credit or not amount or taken[0].visit_id is None


def test_money_that_goes_back_is_taken_off_the_visits_by_their_shares() -> None:
    assert take_back(60, 0, [Part("a", 100), Part("b", 50)]) == (Part("a", 40), Part("b", 20))
    assert take_back(1, 0, [Part("a", 50), Part("b", 50)]) == (Part("a", 1),)
    assert take_back(70, 50, [Part("a", 100), Part("b", 50)]) == (Part(None, 50), Part("a", 13), Part("b", 7))


@given(amount=cents, weights=st.lists(st.tuples(visits, cents), max_size=5, unique_by=lambda one: one[0]))
def test_a_spread_sums_to_the_cent_keeps_to_the_weights_and_is_within_a_cent_of_fair(
        amount: int, weights: list[tuple[str, int]]) -> None:
    total = sum(weight for _, weight in weights)
    if amount and not total:
        with pytest.raises(ValueError, match="weights above nothing"):
            spread(amount, weights)
        return
    shares = dict(spread(amount, weights))
    assert sum(shares.values()) == amount
    for key, weight in weights:
        share = shares.get(key, 0)
        assert not weight or abs(share * total - amount * weight) < total
        assert share <= weight or amount > total


def test_the_largest_remainder_gets_the_odd_cent_and_a_tie_goes_to_the_first() -> None:
    assert spread(100, [("a", 1), ("b", 1), ("c", 1)]) == (("a", 34), ("b", 33), ("c", 33))
    assert spread(10, [("a", 1), ("b", 2), ("c", 3)]) == (("a", 2), ("b", 3), ("c", 5))
    assert spread(0, []) == ()
    with pytest.raises(ValueError, match="nothing or more"):
        spread(-1, [("a", 1)])


def test_a_plan_comes_before_a_statement_and_a_statement_before_the_oldest_visit() -> None:
    owed = {"old": 100, "plan": 80, "bill": 60}
    plan, bill, due = [("plan", 80)], [("bill", 60)], [("old", 100), ("bill", 60)]
    assert allocate(70, [], owed, plan, bill, due) == (Part("plan", 70),)
    assert allocate(100, [], owed, plan, bill, due) == (Part("plan", 80), Part("bill", 20))
    assert allocate(300, [], owed, plan, bill, due) == (
        Part("plan", 80), Part("bill", 60), Part("old", 100), Part(None, 60))


def test_what_an_instruction_gave_a_visit_counts_against_what_a_list_may_give_it() -> None:
    assert allocate(100, [("a", 30)], {"a": 90}, [("a", 50)]) == (Part("a", 50), Part(None, 50))
