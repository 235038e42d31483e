"""Every cent of a payment is put somewhere, no visit gets more than it owes, and a refund gives back what was paid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from billing.allocation import Part, allocate, take_back

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


def test_the_visit_paid_last_is_owed_again_first() -> None:
    assert take_back(60, 0, [Part("a", 100), Part("b", 50)]) == (Part("b", 50), Part("a", 10))
