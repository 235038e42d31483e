"""T-49 and T-50: which declines may be tried again, when, and how often."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.policy import retries
from billing.policy.core import Facts, may_charge
from billing.policy.retries import BANK_CODES, CARD_CODES, MEANINGS, as_markdown, kind_of, next_try_on
from config.payment_policy import PlanPolicy
from tests.policy.examples import autopay, charge

POLICY = PlanPolicy()
DUE = date(2026, 12, 15)


def ruled(facts: Facts) -> str:
    return may_charge(facts).rule


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "invalid_account", "pickup_card", "expired_card",
                                  "revocation_of_authorization", "stop_payment_order", "do_not_try_again",
                                  "authentication_required"])
def test_t_50_a_card_declined_for_good_or_for_its_owner_is_not_tried_again(code: str) -> None:
    assert next_try_on(POLICY, DUE, DUE, 1, code) is None
    assert ruled(autopay(last_failure=code)) == "T-50"
    assert ruled(charge(last_failure=code)) == "allowed"  # the patient may try another way


@pytest.mark.parametrize("code", ["insufficient_funds", "do_not_honor", "generic_decline", "try_again_later"])
def test_t_50_a_soft_decline_may_be_tried_again(code: str) -> None:
    assert ruled(autopay(last_failure=code)) == "allowed"


def test_t_50_a_card_is_tried_at_most_fifteen_times_in_thirty_days() -> None:
    assert ruled(autopay(tries_30_days=14)) == "allowed"
    assert ruled(autopay(tries_30_days=15)) == "T-50"
    assert ruled(charge(tries_30_days=15)) == "T-50"
    assert ruled(autopay(tries_30_days=15, method_kind="bank")) == "allowed"


def test_t_50_a_card_that_is_gone_is_not_charged() -> None:
    assert ruled(autopay(method_usable=False)) == "T-50"
    assert ruled(charge(method_usable=False)) == "T-50"


def test_t_49_a_bank_debit_is_presented_three_times_and_no_more() -> None:
    bank: dict[str, Any] = {"method_kind": "bank", "last_failure": "R01", "first_tried_minor": 12_000}
    assert [ruled(autopay(**bank, tries_180_days=n)) for n in (1, 2, 3)] == ["allowed", "allowed", "T-49"]
    assert ruled(autopay(tries_180_days=3)) == "allowed"  # a card has its own limit


@pytest.mark.parametrize(("code", "rule"), [("R01", "allowed"), ("R09", "allowed"), ("insufficient_funds", "allowed"),
                                            ("R02", "T-49"), ("R05", "T-49"), ("R07", "T-49"), ("R08", "T-49"),
                                            ("R10", "T-49"), ("R11", "T-49"), ("R29", "T-49"), ("R99", "T-49"),
                                            ("debit_not_authorized", "T-49"), ("account_closed", "T-49")])
def test_t_49_only_too_little_money_in_the_account_is_presented_again(code: str, rule: str) -> None:
    assert ruled(autopay(method_kind="bank", last_failure=code, tries_180_days=1)) == rule
    assert (next_try_on(POLICY, DUE, DUE, 1, code, "bank") is not None) is (rule == "allowed")


def test_t_49_for_the_same_amount_only() -> None:
    bank: dict[str, Any] = {"method_kind": "bank", "last_failure": "R01", "tries_180_days": 1}
    assert ruled(autopay(**bank, first_tried_minor=12_000)) == "allowed"
    assert ruled(autopay(**bank, first_tried_minor=12_100)) == "T-49"


def test_t_49_however_many_retry_days_a_practice_has_a_bank_is_asked_twice_more() -> None:
    eager = PlanPolicy(retry_after_days=(2, 4, 6, 8))
    assert [next_try_on(eager, DUE, DUE, n, "R01", "bank") is not None for n in range(1, 6)] == [
        True, True, False, False, False]


def test_a_soft_decline_is_tried_on_the_practice_s_days_and_then_no_more() -> None:
    due = [next_try_on(POLICY, DUE, DUE + timedelta(days=late), tries, "insufficient_funds")
           for tries, late in ((1, 0), (2, 3), (3, 7))]
    assert due == [date(2026, 12, 18), date(2026, 12, 22), None]


def test_an_answer_that_came_late_is_followed_by_a_try_tomorrow_never_by_one_in_the_past() -> None:
    assert next_try_on(POLICY, DUE, DUE + timedelta(days=5), 1, "R01", "bank") == DUE + timedelta(days=6)


def test_where_nobody_said_no_the_next_day_is_soon_enough() -> None:
    assert next_try_on(POLICY, DUE, DUE, 1, "processing_error") == DUE + timedelta(days=1)
    assert next_try_on(PlanPolicy(retry_after_days=()), DUE, DUE, 1, "not_made") == DUE + timedelta(days=1)
    assert next_try_on(POLICY, DUE, DUE, 1, "withheld:T-51", "bank") == DUE + timedelta(days=1)


def test_a_code_that_nobody_knows_is_tried_once_more_on_a_card_and_never_on_a_bank_account() -> None:
    assert kind_of("some_new_code") == "soft" and kind_of("some_new_code", "bank") == "patient"
    assert next_try_on(POLICY, DUE, DUE, 1, "some_new_code") == date(2026, 12, 18)
    assert next_try_on(POLICY, DUE, DUE + timedelta(days=3), 2, "some_new_code") is None
    assert next_try_on(POLICY, DUE, DUE, 1, "some_new_code", "bank") is None


def test_a_practice_may_want_no_retries_at_all() -> None:
    assert next_try_on(PlanPolicy(retry_after_days=()), DUE, DUE, 1, "insufficient_funds") is None


def test_a_next_try_is_asked_for_after_a_first_one_only() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next_try_on(POLICY, DUE, DUE, 0, "insufficient_funds")


codes = st.sampled_from([*sorted(CARD_CODES), *sorted(BANK_CODES), "withheld:T-57", "unheard_of", ""])
rising = st.lists(st.integers(1, 30), max_size=4, unique=True).map(sorted).map(tuple)


@given(rising, codes, st.sampled_from(["card", "bank"]), st.integers(0, 60))
def test_whatever_the_code_tries_come_to_an_end_each_is_after_today_and_forbidden_ones_never_come(
        after: tuple[int, ...], code: str, method: str, late: int) -> None:
    policy, today, tries = PlanPolicy(retry_after_days=after), DUE + timedelta(days=late), 1
    while (next_on := next_try_on(policy, DUE, today, tries, code, method)) is not None:
        assert next_on > today
        assert kind_of(code, method) in ("soft", "processor")
        today, tries = next_on, tries + 1
        assert tries <= (retries.BANK_PRESENTMENTS if method == "bank" else 5)


def test_every_code_stands_once_and_every_kind_has_its_meaning() -> None:
    for table in (retries._CARD, retries._BANK):
        listed = [code for codes in table.values() for code in codes.split()]
        assert len(set(listed)) == len(listed)
        assert set(table) == set(MEANINGS)


def test_the_documentation_names_every_code() -> None:
    told = as_markdown()
    assert [code for code in CARD_CODES if f"`{code}`" not in told] == []
    assert [code for code in BANK_CODES if f"`{code}`" not in told.lower()] == []
