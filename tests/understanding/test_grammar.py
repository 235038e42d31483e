"""Amounts, days, ZIP codes and choices are read by grammar, and never guessed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.core import Slots, State
from handlers.understanding import read

TODAY = date(2026, 11, 3)
ASKED = State("pay", "amount", {"expects": "amount"})
IDENTITY = State("verify", "identity", {"expects": "identity"})


def slots(text: str, state: State | None = ASKED, language: str = "en") -> Slots:
    return read(text, language, TODAY, state).slots


@pytest.mark.parametrize(("text", "cents"), [
    ("$50", 5000), ("50", 5000), ("50 dollars", 5000), ("fifty bucks", 5000), ("cincuenta dólares", 5000), ("$50.25",
    5025),
    ("50.25", 5025), ("1,250.00", 125000), ("$1,250", 125000), ("two hundred and fifty dollars", 25000), ("cien",
    10000),
    ("veinticinco dólares con 50 centavos", 2550), ("25 dollars and 50 cents", 2550), ("75 cents", 75), ("$ 40", 4000),
    ("i can do 30", 3000), ("maybe $30?", 3000), ("un dólar", 100), ("a hundred dollars", 10000), ("US$12", 1200),
    ("treinta y cinco", 3500), ("$50 on the 15th", 5000), ("$50 on 12/15", 5000), ("puedo 20 el viernes", 2000),
    ("mil doscientos dólares", 120000), (".50", 50)])
def test_an_amount_is_read_to_the_cent(text: str, cents: int) -> None:
    found = slots(text)
    assert (found.amount_minor, found.ambiguous_amount) == (cents, False)


@pytest.mark.parametrize("text", [
    "two fifty", "dos cincuenta", "one twenty five", "$50 or $60", "40 or 45", "50-60 dollars", "50,25", "1.250",
    "50.255",
    "$1k", "half", "la mitad", "50 pesos", "50%", "$2 50", "-50", "uno cincuenta", "nineteen eighty", "20 euros",
    "$5,0"])
def test_what_can_be_read_in_two_ways_is_asked_back(text: str) -> None:
    found = slots(text)
    assert found.amount_minor is None and found.ambiguous_amount


@pytest.mark.parametrize("text", ["all", "all of it", "ALL please", "pay all", "everything", "the full amount",
    "in full",
                                  "todo", "TODO por favor", "el total", "pagar todo", "the whole thing", "both"])
def test_all_of_it_is_all(text: str) -> None:
    assert slots(text).amount_is_all and slots(text).amount_minor is None


@pytest.mark.parametrize("text", ["call me", "not all of it", "all the charges", "what is all this",
    "10001-1234 is my zip"])
def test_all_inside_another_sentence_is_not_an_amount(text: str) -> None:
    assert not slots(text, None).amount_is_all and slots(text, None).amount_minor is None


@pytest.mark.parametrize("text", ["I was there on 3/15", "my birthday is 3/14/1980", "visit 2", "call 212-555-0199",
    "12345",
                                  "2 kids", "the 15th", "in 6 payments", "24/7"])
def test_a_number_that_is_no_money_is_no_amount_where_none_was_asked_for(text: str) -> None:
    assert slots(text, None).amount_minor is None


@given(st.integers(1, 99_999_99))
def test_every_amount_in_digits_comes_back_to_the_cent(cents: int) -> None:
    plain = f"{cents // 100}.{cents % 100:02d}"
    grouped = f"{cents // 100:,}.{cents % 100:02d}"
    for text in (f"${plain}", f"${grouped}", f"pay ${plain} please", f"{grouped} dollars", f"quiero pagar ${plain}"):
        assert slots(text, None).amount_minor == cents


@given(st.text(alphabet="0123456789.,$ -%/", max_size=12))
def test_no_string_of_digits_and_signs_is_read_as_both_an_amount_and_unclear(text: str) -> None:
    found = slots(text)
    assert not (found.amount_minor is not None and found.ambiguous_amount)
    assert found.amount_minor is None or found.amount_minor >= 0


@pytest.mark.parametrize("text", [
    "03/04/1985", "3/4/1985", "3-4-85", "03.04.1985", "1985-03-04", "19850304", "03041985", "March 4 1985",
    "March 4, 1985",
    "march 4th 1985", "Mar 4 '85", "4 March 1985", "4 de marzo de 1985", "4 de marzo del 1985", "marzo 4 1985",
    "3 4 1985",
    "i was born on March 4th, 1985", "nací el 4 de marzo de 1985", "03 / 04 / 1985", "4-Mar-1985",
    "the 4th of March 1985"])
def test_a_date_of_birth_is_read_month_first_in_many_forms(text: str) -> None:
    assert slots(text, IDENTITY).born_on == date(1985, 3, 4)


@pytest.mark.parametrize(("text", "born", "zip_code"), [
    ("03/04/1985 10001", date(1985, 3, 4), "10001"), ("10001 03/04/1985", date(1985, 3, 4), "10001"),
    ("3/4/85, 10001-1234", date(1985, 3, 4), "10001"), ("March 4 1985, zip 10001", date(1985, 3, 4), "10001"),
    ("19850304 10001", date(1985, 3, 4), "10001"), ("dob 03041985 zip 100011234", date(1985, 3, 4), "10001"),
    ("10001", None, "10001"), ("mi código es 02139", None, "02139"), ("31/12/1980 10001", date(1980, 12, 31), "10001"),
    ("4 de marzo de 1985 código 10001", date(1985, 3, 4), "10001")])
def test_a_birth_date_and_a_zip_code_are_told_apart(text: str, born: date | None, zip_code: str) -> None:
    found = slots(text, IDENTITY)
    assert (found.born_on, found.postal_code) == (born, zip_code)


@pytest.mark.parametrize("text", ["13/13/1980", "02/30/1980", "3/4/2040", "3/4/1785", "1980", "3/4",
    "03/04/1985 05/06/1990"])
def test_what_cannot_be_one_birth_date_is_none(text: str) -> None:
    assert slots(text, IDENTITY).born_on is None


@settings(max_examples=40)
@given(st.dates(date(1910, 1, 1), TODAY - timedelta(days=18 * 366)))
def test_every_birth_date_of_a_grown_person_is_read_in_every_usual_form(day: date) -> None:
    forms = [f"{day:%m/%d/%Y}", f"{day.month}/{day.day}/{day.year}", f"{day:%Y-%m-%d}",
    f"{day:%B} {day.day}, {day.year}",
             f"{day:%m-%d-%Y}", f"{day.day} {day:%b} {day.year}"]
    if day.year > 1927:
        forms.append(f"{day:%m/%d/%y}")
    for text in forms:
        assert slots(f"{text} 10001", IDENTITY) == slots(f"10001 {text}", IDENTITY)
        assert (slots(text, IDENTITY).born_on, slots(f"{text} 10001", IDENTITY).postal_code) == (day, "10001")


@pytest.mark.parametrize(("text", "numbers"), [
    ("1", (1,)), ("2.", (2,)), ("1 and 3", (1, 3)), ("1,3", (1, 3)), ("1 y 2", (1, 2)), ("#2", (2,)), ("number 2",
    (2,)),
    ("the first one", (1,)), ("la primera", (1,)), ("la segunda y la tercera", (2, 3)), ("first and third", (1, 3)),
    ("the third one", (3,)), ("opción 4", (4,)), ("visit 2", (2,)), ("two", (2,)), ("dos y tres", (2, 3)),
    ("pay 1 and 2 please", (1, 2)), ("la 1", (1,))])
def test_choices_of_a_list_are_read(text: str, numbers: tuple[int, ...]) -> None:
    assert slots(text, State("explain", "which", {"expects": "choice"})).choices == numbers


@pytest.mark.parametrize("text", ["$2", "2.50", "45", "1 dollar", "in 2 days", "hello", "1 and a half", ""])
def test_what_is_more_than_a_choice_is_none(text: str) -> None:
    assert slots(text).choices == ()


@pytest.mark.parametrize(("text", "day"), [
    ("on the 15th", date(2026, 11, 15)), ("the 2nd", date(2026, 12, 2)), ("el 15", date(2026, 11, 15)),
    ("friday", date(2026, 11, 6)), ("el viernes", date(2026, 11, 6)), ("tomorrow", date(2026, 11, 4)),
    ("mañana", date(2026, 11, 4)), ("tuesday", date(2026, 11, 10)), ("12/15", date(2026, 12, 15)),
    ("march 3", date(2027, 3, 3)), ("3 de marzo", date(2027, 3, 3)), ("the 31st", date(2026, 12, 31))])
def test_a_day_to_come_is_never_in_the_past(text: str, day: date) -> None:
    assert slots(text, None).date == day
