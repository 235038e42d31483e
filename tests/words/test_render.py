"""Rendering refuses what does not fit, and formats money and days without a binary fraction."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import parse_minor
from billing.views import Step
from templates import format as form
from templates import source as sources
from templates.examples import arguments
from templates.render import TemplateError, render
from templates.sentences import KINDS, sentence


def test_a_missing_an_unknown_and_a_mistyped_argument_are_refused() -> None:
    good = arguments("receipt", "en")
    for bad in ({k: v for k, v in good.items() if k != "url"}, {**good, "more": 1}, {**good, "amount_minor": 45.0},
                {**good, "amount_minor": True}, {**good, "url": "javascript:alert(1)"}, {**good, "paid_on": "soon"},
                {**good, "visits": None}):
        with pytest.raises(TemplateError):
            render("receipt", "en", bad)


def test_an_error_names_the_file_and_never_the_value() -> None:
    with pytest.raises(TemplateError) as caught:
        render("stop_confirmation", "en", {"practice": "Maple Clinic", "phone": 2125550199})
    assert "templates/en/stop_confirmation.txt: phone is no phone" in str(caught.value)
    assert "2125550199" not in str(caught.value)


@pytest.mark.parametrize("name", ["no_such_message", "../en/help", "explain/../help"])
def test_a_template_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(TemplateError):
        render(name, "en", {})
    with pytest.raises(TemplateError):
        render("help", "fr", {})


def test_what_a_person_types_is_never_a_template() -> None:
    words = "{{ 7 * 7 }} {% raw %} <b>"
    assert render("staff_reply", "en", {"practice": "Maple", "words": words}).body == f"Maple: {words}"


@pytest.mark.parametrize(("head", "complaint"), [
    ("privacy: open\n---\nx", "needs a privacy"), ("purpose: reply\nprivacy: secret\n---\nx", "needs a privacy"),
    ("purpose: reply\nprivacy: open\nplaceholders: a\n---\nx", "needs a type"), ("purpose: reply\nx",
    "put a line of ---"),
    ("colour: red\n---\nx", "line 1")])
def test_a_faulty_header_is_named(head: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "faulty.txt").write_text(head, encoding="utf-8")
    monkeypatch.setattr(sources, "FOLDER", tmp_path)
    sources.shipped.cache_clear()
    with pytest.raises(TemplateError, match=complaint):
        sources.load("faulty", "en")


@given(st.integers(-10**13, 10**13), st.sampled_from(["en", "es"]))
def test_every_amount_of_cents_is_written_exactly(minor: int, language: str) -> None:
    written = form.money(minor, "USD", language)
    assert written.isascii()
    assert parse_minor(written.replace("$", "").replace(",", "")) == minor


def test_days_months_and_times_read_as_people_say_them() -> None:
    assert form.day(date(2026, 3, 4), "en") == "March 4, 2026"
    assert form.day("2026-03-04", "es") == "4 de marzo de 2026"
    assert form.month("2026-03-04", "es") == "marzo de 2026"
    assert form.moment("2026-03-03T17:00:00-05:00", "en") == "5 PM on Tuesday, March 3"
    assert form.moment("2026-03-03T13:30:00-05:00", "es") == "la 1:30 p.m. del martes 3 de marzo"
    assert form.moment("2026-03-03T00:05:00-05:00", "en") == "12:05 AM on Tuesday, March 3"
    with pytest.raises(ValueError, match="zone"):
        form.moment(datetime(2026, 3, 3, 17), "en")
    spans = [["weekday", "09:00", "17:00"], ["sunday", "10:30", "12:00"]]
    assert form.hours(spans, "en") == "Mon-Fri 9 AM-5 PM, Sun 10:30 AM-12 PM"
    assert form.phone("+12125550199", "en") == "(212) 555-0199"
    assert form.phone("ask at the desk", "en") == "ask at the desk"
    assert form.listing(["a", "b", "c"], "es") == "a, b y c"


def test_what_an_amount_is_for_is_said_by_month() -> None:
    assert form.of_visits([{"on": "2026-03-04"}], "en") == "your visit in March 2026"
    assert form.of_visits([{"on": None}], "es") == "su visita"
    assert form.of_visits([{"on": "2026-03-04"}, {"on": "2026-03-09"}], "es") == "sus 2 visitas de marzo de 2026"
    two = [{"on": "2026-05-04"}, {"on": "2026-03-09"}]
    assert form.of_visits(two, "en") == "your 2 visits from March 2026 to May 2026"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("amount", [12345, -12345])
def test_every_step_of_an_explanation_has_its_sentence_with_its_amount(kind: str, language: str, amount: int) -> None:
    for payer in ("Blue Shield", ""):
        step = Step(kind, amount, payer, "PR-96")
        short, long = sentence(step, language, short=True), sentence(step, language)
        assert "$123.45" in short and long.startswith(short.rstrip("."))
        assert short.endswith(".") and "-$" not in short and "  " not in long


def test_a_step_of_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(TemplateError):
        sentence(Step("surprise", 1), "en")
