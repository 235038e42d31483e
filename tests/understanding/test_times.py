"""Hours for texts are taken by grammar, asked back when they could be morning or evening, and never guessed."""

from __future__ import annotations

import pytest

from billing.own_hours import EVERY_DAY
from handlers.understanding import fixed
from handlers.understanding.folding import fold
from handlers.understanding.times import find_half, find_hours

ALL = "00:00-24:00"
WEEK = "01234"
SAID = [
    ("only text me after 6 pm", "18:00-24:00", ""), ("solo escríbame después de las 6 de la tarde", "18:00-24:00", ""),
    ("9 to 5", "09:00-17:00", ""), ("de 9 a 5", "09:00-17:00", ""), ("text me 6-8pm", "18:00-20:00", ""),
    ("between 10 and 2", "10:00-14:00", ""), ("entre las 10 y las 2", "10:00-14:00", ""),
    ("don't text me before 10 am or after 5 pm", "10:00-17:00", ""), ("after 18:00", "18:00-24:00", ""),
    ("not on Sundays", ALL, "012345"), ("no me escriba los domingos", ALL, "012345"), ("only weekdays", ALL, WEEK),
    ("no texts on saturdays and sundays", ALL, WEEK), ("solo los fines de semana", ALL, "56"),
    ("monday to friday 9am-5pm", "09:00-17:00", WEEK), ("de lunes a viernes de 9 a 5", "09:00-17:00", WEEK),
    ("I work nights, not before noon", "12:00-24:00", ""), ("no antes del mediodía", "12:00-24:00", ""),
    ("don't text me between 9 and 5", "00:00-09:00,17:00-24:00", ""), ("mornings only", "08:00-12:00", ""),
    ("from 10 pm to 8 am no texts", "08:00-22:00", ""), ("no me manden mensajes en la noche", "00:00-19:00", ""),
    ("not on sundays, and only after 6pm", "18:00-24:00", "012345"), ("after 5:30 p.m.", "17:30-24:00", ""),
    ("only after 9 am and before 5 pm", "09:00-17:00", ""),
]


@pytest.mark.parametrize(("text", "spans", "days"), SAID)
def test_hours_and_days_are_read_as_people_say_them(text: str, spans: str, days: str) -> None:
    found = find_hours(text, expected=True).hours
    assert found is not None
    assert ",".join("-".join(span) for span in found.spans) == spans
    assert "".join(map(str, found.days)) == (days or "".join(map(str, EVERY_DAY)))


@pytest.mark.parametrize(("text", "hour"), [
    ("after 6", 6), ("don't text me after 8", 8), ("no antes de las 10", 10), ("después de las 6", 6)])
def test_a_bare_hour_is_asked_back_and_taken_by_the_half_of_the_day(text: str, hour: int) -> None:
    heard = find_hours(text)
    assert (heard.hours, heard.unclear_hour) == (None, hour)
    assert find_hours(text, "am").hours != find_hours(text, "pm").hours is not None


@pytest.mark.parametrize(("text", "half"), [
    ("in the evening", "pm"), ("PM", "pm"), ("a.m.", "am"), ("de la tarde", "pm"), ("por la mañana", "am"),
    ("am or pm?", ""), ("6", "")])
def test_which_half_of_the_day(text: str, half: str) -> None:
    assert find_half(text) == half


@pytest.mark.parametrize("text", ["hello", "why do i owe this", "mail me paper bills", "no me llamen al trabajo", ""])
def test_what_says_no_hours_is_none(text: str) -> None:
    heard = find_hours(text)
    assert heard.hours is None and not heard.unclear_hour


LIMITED = ["don't text me on Sundays", "no me escriba los domingos", "stop texting me at night",
           "dont text me before 10 am or after 5 pm", "no more texts after 8 pm", "no me escriban más los domingos",
           "please don't text this number about me", "no me escriban a este teléfono sobre mí"]
REVOKED = ["stop texting me", "Stop texting me, I told you on Monday", "don't text me again", "stop", "no más mensajes",
           "stop texting me this week", "please don't text this number", "dont text me at night or ever again",
           "no me escriban nunca más, ni los domingos ni nunca", "stop texting my husband at night"]


@pytest.mark.parametrize("text", LIMITED)
def test_t_03_who_says_when_not_revokes_nothing(text: str) -> None:
    assert fixed.is_limited(fold(text)) and fixed.find_fixed(text) == ""


@pytest.mark.parametrize("text", REVOKED)
def test_t_03_any_word_more_than_when_is_an_opt_out(text: str) -> None:
    assert not fixed.is_limited(fold(text)) and fixed.find_fixed(text) == "opt_out"
