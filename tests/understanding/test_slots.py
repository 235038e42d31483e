"""Slots by grammar: what two people would read in two ways is not read, and no day to come lies in the past."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.core import Slots
from handlers.understanding.grammar import find_slots

TODAY = date(2026, 11, 3)  # a Tuesday
DAYS = st.dates(date(2024, 1, 1), date(2031, 12, 31))


def slots(text: str, language: str = "en", today: date = TODAY, expects: str = "") -> Slots:
    return find_slots(text, language, today, expects)


@pytest.mark.parametrize(("text", "cents", "interval"), [
    ("fifty bucks a month", 5000, "month"), ("50 a month", 5000, "month"), ("50 al mes", 5000, "month"),
    ("$25 every two weeks", 2500, "two_weeks"), ("25 cada quincena", 2500, "two_weeks"),
    ("veinte dólares por semana", 2000, "week"), ("i can do 40 a week", 4000, "week"),
    ("$30 twice a month", 3000, "twice_month"), ("30 dólares cada 15 días", 3000, "two_weeks")])
def test_so_much_every_so_often(text: str, cents: int, interval: str) -> None:
    found = slots(text)
    assert (found.amount_minor, found.interval) == (cents, interval)


@pytest.mark.parametrize("text", ["pay two fifty", "i can do two fifty a month", "$1.2k", "half of $100", "pay half",
                                  "quiero pagar la mitad", "$1 200", "i owe $250 but can pay $40", "$40.5"])
def test_what_can_be_read_in_two_ways_is_asked_back_in_any_state(text: str) -> None:
    found = slots(text)
    assert found.amount_minor is None and found.ambiguous_amount


@pytest.mark.parametrize("text", [
    "i am 65 years old and want to pay my bill", "pay bill 12345", "pay my bill from 10001", "i have 2 kids",
    "pay in 6 months", "3 visits", "pay by 3 pm", "\u0665\u0660", "$\u0665\u0660", "pay on the 15th", "half", "1.200"])
def test_a_number_that_is_no_amount_is_none(text: str) -> None:
    assert slots(text).amount_minor is None


@pytest.mark.parametrize(("text", "cents"), [("1,200.50", 120050), ("40$", 4000), ("pay 40 on friday", 4000),
                                             ("le doy 20 el viernes", 2000), ("como 50 dólares", 5000)])
def test_an_amount_needs_no_question_where_its_place_tells(text: str, cents: int) -> None:
    assert slots(text).amount_minor == cents


@pytest.mark.parametrize(("text", "count"), [
    ("4 payments", 4), ("in four payments", 4), ("two payments", 2), ("en 3 pagos", 3), ("6 meses", 6),
    ("split it in 3", 3), ("dividirlo en 4", 4), ("over 12 months", 12)])
def test_how_many_payments(text: str, count: int) -> None:
    assert slots(text).count == count


@pytest.mark.parametrize(("text", "day"), [
    ("end of the month", date(2026, 11, 30)), ("a fin de mes", date(2026, 11, 30)), ("fin de mes", date(2026, 11, 30)),
    ("end of next month", date(2026, 12, 31)), ("the first of the month", date(2026, 12, 1)),
    ("el primero de mes", date(2026, 12, 1)), ("next friday", date(2026, 11, 6)), ("el viernes", date(2026, 11, 6)),
    ("in 10 days", date(2026, 11, 13)), ("en dos semanas", date(2026, 11, 17)), ("25/12", date(2026, 12, 25)),
    ("mañana por la mañana", date(2026, 11, 4)), ("the 3rd", TODAY)])
def test_a_day_to_come(text: str, day: date) -> None:
    assert slots(text).date == day


@pytest.mark.parametrize("text", [
    "i paid on october 15", "i paid $50 last week", "pagué el viernes", "last friday", "el viernes pasado",
    "ya lo pagué el 15", "two weeks ago", "next month", "feb 30", "1/1/2020"])
def test_what_lies_in_the_past_or_is_vague_is_no_day_to_come(text: str) -> None:
    assert slots(text).date is None


@pytest.mark.parametrize(("text", "visit"), [
    ("the march visit", "march"), ("my visit in march", "march"), ("la visita de marzo", "march"),
    ("pay for the visit on march 3", "march"), ("bill from april", "april"), ("la factura de mayo", "may"),
    ("visit 2", "2"), ("pay 50 towards visit 2", "2"), ("you may bill my insurance", None), ("pay in march", None)])
def test_which_visit_is_meant(text: str, visit: str | None) -> None:
    assert slots(text).visit == visit


@given(DAYS, st.sampled_from([
    "the {n}th", "on the {n}th", "el {n}", "el día {n}", "pay $50 on the {n}th", "{n}th of each month",
    "friday", "el lunes", "end of the month", "fin de mes", "march {n}", "{n} de marzo", "3/{n}", "today", "mañana",
    "in {n} days", "the first of the month"]), st.integers(1, 28))
def test_no_day_to_come_ever_lies_in_the_past(today: date, wording: str, number: int) -> None:
    found = slots(wording.format(n=number), today=today)
    assert found.date is not None and found.date >= today
    assert found.date <= today + timedelta(days=366)


@given(st.integers(1, 9999), st.sampled_from(["en", "es"]))
def test_an_amount_a_month_is_read_in_both_languages(dollars: int, language: str) -> None:
    text = f"i can pay ${dollars} a month" if language == "en" else f"puedo pagar ${dollars} al mes"
    found = slots(text, language)
    assert (found.amount_minor, found.interval, found.ambiguous_amount) == (dollars * 100, "month", False)


@given(st.integers(2, 60))
def test_a_number_of_payments_is_never_taken_for_money(count: int) -> None:
    for text in (f"in {count} payments", f"quiero pagar en {count} pagos", f"split it into {count} payments"):
        found = slots(text)
        assert (found.count, found.amount_minor) == (count, None)
