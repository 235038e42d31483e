"""The fields that forms share: amounts to the cent without fractions, days, reasons, ids; complaints repeat nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.web.console import forms
from bot.web.console.fields import MOST_MINOR, Day, Id, Login, Maybe, Money, MoneyOrNothing, Reason, Several, Ticked
from bot.web.console.page import one_press


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Money = 1
    left: MoneyOrNothing = 0
    on: Maybe[Day] = None
    why: Reason = "because"
    ids: Several[Id] = []
    login: Maybe[Login] = None
    sure: Ticked = False


def read(name: str, value: Any) -> Any:
    return getattr(Form.model_validate({name: value}), name)


@given(st.integers(min_value=1, max_value=MOST_MINOR))
def test_an_amount_is_read_to_the_cent_however_it_is_written(minor: int) -> None:
    whole, cents = divmod(minor, 100)
    for text in (f"{whole}.{cents:02d}", f"${whole:,}.{cents:02d}", f" {whole:,}.{cents:02d} "):
        assert read("amount", text) == minor and type(read("amount", text)) is int


@pytest.mark.parametrize("wrong", ["", "0", "0.00", "-1", "1e3", "12,00", "1,2,3", "1.234", "NaN", "inf", "$", ".",
                                   "$-1", "\u0661\u0662", "12.50 USD", "99999999", 12.5, 12, None, ["1"], True])
def test_what_is_no_amount_is_refused_and_not_repeated(wrong: Any) -> None:
    with pytest.raises(ValidationError) as told:
        read("amount", wrong)
    assert "write an amount" in forms.complaint(told.value) or "more than nothing" in forms.complaint(told.value)
    if isinstance(wrong, str) and len(wrong) > 3:
        assert wrong not in forms.complaint(told.value)


def test_nothing_is_an_amount_only_where_it_may_be() -> None:
    assert read("left", "0") == 0 and read("left", "$0.00") == 0


@pytest.mark.parametrize(("text", "day"), [("2026-11-03", date(2026, 11, 3)), (" 2028-02-29 ", date(2028, 2, 29)),
                                           ("", None), (None, None)])
def test_a_day_is_a_day_and_an_empty_field_is_none(text: Any, day: date | None) -> None:
    assert read("on", text) == day


@pytest.mark.parametrize("wrong", ["2026-02-30", "11/3/2026", "20261103", "1", 1, "2026-11-03T10:00:00", "9999-12-31",
                                   "0001-01-01", "2026-W01-1", "\u0662026-11-03"])
def test_what_is_no_day_of_ours_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        read("on", wrong)


def test_a_reason_says_something_and_holds_nothing_that_gives_orders() -> None:
    assert read("why", "  two\r\nlines  ") == "two\nlines"
    assert read("why", "\u00d1and\u00fa \U0001f468\u200d\U0001f469 \u0645\u0631\u062d\u0628\u0627") != ""
    for wrong in ("", "  ", "no", "x" * 501, "a\x1b[31mb", "a\x00bcd", "a\u202eevil", "a\ud800bcd", 5):
        with pytest.raises(ValidationError):
            read("why", wrong)


def test_one_ticked_row_and_many_are_both_a_list() -> None:
    assert read("ids", "acct_1") == ["acct_1"] and read("ids", ["a1", "b2"]) == ["a1", "b2"] and read("ids", "") == []
    for wrong in ("../x", ["a", ""], ["x"] * 501, "a b", {"a": 1}):
        with pytest.raises(ValidationError):
            read("ids", wrong)
    assert read("sure", "on") is True and read("sure", "") is False and read("sure", True) is True


def test_a_complaint_names_the_field_and_never_what_was_written_even_as_a_name() -> None:
    with pytest.raises(forms.FormRefused) as told:
        forms.read(Form, {"why": "x", "Rivera Anna": "1976"})
    assert "why:" in str(told.value) and "Rivera" not in str(told.value) and "1976" not in str(told.value)


def test_what_no_column_can_hold_is_refused_at_the_door() -> None:
    class Loose(BaseModel):
        text: str = ""
        number: int = 0

    for given_now in ({"text": "a\x00"}, {"text": "\ud800"}, {"number": 2 ** 63}, {"number": -(10 ** 40)}):
        with pytest.raises(forms.FormRefused):
            forms.read(Loose, given_now)


def test_a_part_of_an_address_is_looked_up_only_if_it_can_be_a_name_of_ours() -> None:
    """PostgreSQL breaks off at a NUL; the rest can name nothing."""
    assert forms.are_parts({"account_id": "acct_01k9", "number": "12", "on": "2026-11-03"})
    for strange in ("", "a\x00", "..", "a/b", "a b", "\u00e9", "a\n", "x" * 81, "\ud800", "-1"):
        assert not forms.are_parts({"account_id": "acct_1", "other": strange}), strange


def test_what_a_page_sends_to_be_done_once_is_always_an_id() -> None:
    """A bare token begins with a dash or an underscore once in thirty pages, and the form would be refused."""
    for press in (one_press() for _ in range(300)):
        assert read("ids", [press]) == [press]
