"""The lines in third languages: short, about an interpreter and 911. A practice has them signed off before use."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from babel import Locale

from handlers.flows import foreign as flow
from templates import foreign
from templates import format as form
from templates.render import render

LINES = tomllib.loads((Path(foreign.__file__).with_name("foreign.toml")).read_text(encoding="utf-8"))
MOST_ASKED_FOR = {"zh", "vi", "ko", "ru", "ar", "tl", "ht", "fr", "pt", "pl", "it", "ja", "de", "fa", "hi", "bn", "ur"}


def test_the_languages_most_spoken_here_have_their_line() -> None:
    assert LINES.keys() >= MOST_ASKED_FOR


@pytest.mark.parametrize("iso", sorted(LINES))
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_line_is_sent_with_ours_beside_it_in_at_most_four_segments_without_a_word_of_money(
        iso: str, language: str) -> None:
    made = render("foreign", language, {"iso": iso})
    assert made.body.count("\n") == 1 and made.body.count("911") == 2 and made.segments <= 4
    assert made.privacy == "open" and "$" not in made.body and not re.search(r"https?:", made.body)


@pytest.mark.parametrize("iso", foreign.languages())
def test_every_language_with_a_line_has_a_name_for_the_case(iso: str) -> None:
    assert set(LINES[iso]) == {"line"}
    assert Locale("en").languages.get(iso)


def test_a_language_without_a_line_gets_ours_alone() -> None:
    assert render("foreign", "en", {"iso": "km"}).body.startswith("A person will call you")


def test_languages_asked_for_by_name_are_known_in_english_and_spanish() -> None:
    names = flow._NAMES
    assert {names[word] for word in ("vietnamese", "vietnamita", "chino", "mandarin", "criollo")} == {"vi", "zh", "ht"}
    assert set(LINES) <= set(names.values())


@pytest.mark.parametrize(("own", "english", "spanish"), [
    ("18:00-24:00 0123456", "after 6 PM", "después de las 6 p.m."),
    ("00:00-24:00 012345", "Monday to Saturday", "de lunes a sábado"),
    ("00:00-24:00 0123456", "at any time", "a cualquier hora"),
    ("09:00-17:30 01234", "from 9 AM to 5:30 PM, Monday to Friday",
     "de las 9 a.m. a las 5:30 p.m., de lunes a viernes"),
    ("00:00-09:00,17:00-24:00 56", "before 9 AM or after 5 PM, on weekends",
     "antes de las 9 a.m. o después de las 5 p.m., los fines de semana"),
    ("13:00-24:00 136", "after 1 PM, on Tuesday, Thursday and Sunday",
     "después de la 1 p.m., los martes, jueves y domingos")])
def test_own_hours_are_read_back_as_people_say_them(own: str, english: str, spanish: str) -> None:
    assert (form.own_hours(own, "en"), form.own_hours(own, "es")) == (english, spanish)
