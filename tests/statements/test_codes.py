"""Codes have plain words of our own in both languages, and never CPT's."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import templates.carc as reasons
from templates.carc import carc, known_reasons, known_remarks, remark
from templates.codes import place_words, procedure_words

FOLDER = Path(reasons.__file__).parent


def test_at_least_150_reasons_have_words_in_both_languages() -> None:
    assert len(known_reasons()) >= 150
    assert all(carc(code, language) for code in known_reasons() for language in ("en", "es"))


def test_remarks_that_protect_the_patient_have_words() -> None:
    assert {"N781", "N782", "N783", "MA130", "N130", "N362", "M15", "MA01", "MA07", "MA18", "N89"} <= known_remarks()
    assert all("QMB" in str(remark(code, "es")) for code in ("N781", "N782", "N783"))


@pytest.mark.parametrize("code", ["45", "CO-45", "co-45", "CO-045"])
def test_a_reason_is_found_with_or_without_its_group(code: str) -> None:
    assert carc(code, "en") == carc("45", "en") is not None


def test_an_unknown_reason_has_no_words() -> None:
    assert carc("9999", "en") is None


def test_translations_are_not_copies() -> None:
    assert all(carc(code, "en") != carc(code, "es") for code in known_reasons())


def test_sentences_stay_short_enough_for_sixth_grade() -> None:
    """No sentence above 22 words: short sentences are most of what a reading level measures."""
    for language in ("en", "es"):
        for code in known_reasons():
            for part in str(carc(code, language)).replace("?", ".").split("."):
                assert len(part.split()) <= 22, (language, code)


@pytest.mark.parametrize("name", ["hcpcs", "carc"])
def test_code_tables_have_the_same_keys(name: str) -> None:
    tables = [tomllib.loads((FOLDER / f"{name}.{language}.toml").read_text("utf-8")) for language in ("en", "es")]
    assert tables[0].keys() == tables[1].keys()


def test_the_practices_words_come_first() -> None:
    assert procedure_words("J3420", "en", "B12 shot with Nurse Kim") == "B12 shot with Nurse Kim"


def test_level_two_codes_have_our_words() -> None:
    assert procedure_words("g0439", "es", None) == "Visita anual de bienestar"


def test_cpt_codes_are_shown_as_codes() -> None:
    assert procedure_words("99213", "en", "") == "Service code 99213"
    table = tomllib.loads((FOLDER / "hcpcs.en.toml").read_text("utf-8"))
    assert not any(code[0].isdigit() for code in table)


def test_places_have_names_and_bill_types_have_none() -> None:
    assert place_words("11", "es") == "Consultorio"
    assert place_words("131", "en") is None
    assert place_words("", "en") is None
