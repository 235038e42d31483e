"""Words that code alone decides on: T-03, T-09, T-12, T-13."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.core import State
from handlers.understanding import read
from tests.understanding import samples

TODAY = date(2026, 11, 3)


def fixed(text: str, state: State | None = None) -> str:
    return read(text, "en", TODAY, state).fixed


@pytest.mark.parametrize("text", samples.OPT_OUT)
def test_t_03_any_reasonable_wording_of_stop_is_an_opt_out_in_every_state(text: str) -> None:
    assert fixed(text) == "opt_out"
    assert fixed(text, State("pay", "confirm", {"expects": "amount"})) == "opt_out"


@pytest.mark.parametrize("text", samples.NOT_OPT_OUT)
def test_t_09_what_only_mentions_stopping_is_no_opt_out(text: str) -> None:
    assert fixed(text) != "opt_out"


@given(st.sampled_from(["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe", "stopall", "optout",
    "alto"]),
       st.data())
def test_t_03_case_punctuation_and_spacing_never_matter(word: str, data: st.DataObject) -> None:
    cased = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in word)
    before, after = (data.draw(st.text(alphabet=" .,!?-*\"'\n…¡", max_size=4)) for _ in range(2))
    assert fixed(before + cased + after) == "opt_out"


@pytest.mark.parametrize("text", samples.HELP)
def test_help_is_heard_in_both_languages(text: str) -> None:
    assert fixed(text) == "help"


@pytest.mark.parametrize("text", samples.OPT_IN)
def test_t_12_start_and_unstop_restore_consent(text: str) -> None:
    assert fixed(text) == "opt_in"


@pytest.mark.parametrize("text", samples.NOT_OPT_IN)
def test_t_12_yes_and_everything_else_restores_nothing(text: str) -> None:
    assert fixed(text) != "opt_in"


@pytest.mark.parametrize("text", samples.HUMAN)
def test_a_person_is_reached_by_asking_for_one(text: str) -> None:
    assert fixed(text) == "human"


@pytest.mark.parametrize("text", samples.NOT_HUMAN)
def test_asking_whether_we_are_a_person_is_no_request_for_one(text: str) -> None:
    assert fixed(text) != "human"


@pytest.mark.parametrize("text", samples.EMERGENCY)
def test_an_emergency_is_heard(text: str) -> None:
    assert fixed(text) == "emergency"


@pytest.mark.parametrize("text", samples.NOT_EMERGENCY)
def test_a_bill_for_an_emergency_is_a_bill(text: str) -> None:
    assert fixed(text) != "emergency"


@pytest.mark.parametrize("text", samples.WRONG_NUMBER)
def test_t_10_a_wrong_number_is_heard(text: str) -> None:
    assert fixed(text) == "wrong_number"


@pytest.mark.parametrize("text", samples.NOT_WRONG_NUMBER)
def test_another_kind_of_wrong_is_no_wrong_number(text: str) -> None:
    assert fixed(text) != "wrong_number"


def test_an_opt_out_that_is_also_more_keeps_what_else_was_said() -> None:
    assert read("wrong number, leave me alone", "en", TODAY).intent == "wrong_number"
    assert read("please stop texting me, i want to die", "en", TODAY).intent == "emergency"
    assert read("stop", "en", TODAY).intent == "opt_out"


@given(st.text(max_size=200))
def test_any_text_at_all_is_read(text: str) -> None:
    assert read(text, "en", TODAY).text == text
    assert read(text, "es", TODAY, State("verify", "identity", {"expects": "identity"})).text == text
    assert read(text, "es", TODAY, State("pay", "amount", {"expects": "amount"})).text == text
