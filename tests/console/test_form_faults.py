"""What is wrong with a form is said in the reader's language, field by field, whatever form it is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from bot.web.console import catalog, forms
from templates.web import console
from templates.web.console import sentences

SPANISH = console.words("es")
#: What a browser, or a hand that types, sends for any field; None: nothing at all.
SENT: tuple[Any, ...] = (None, "", " ", "x", "ab\ncd", "x" * 5000, "-1", "0", "99999999", "12.345", "2026-13-45",
                         "\u202e", "maybe", [], ["!"], ["x"] * 600)
FORMS = sorted({action.form for action in catalog.ACTIONS if action.form.model_fields},
               key=lambda form: form.__qualname__)


def complaints(form: type[BaseModel]) -> Iterator[str]:
    for given in SENT:
        fields = {} if given is None else dict.fromkeys(form.model_fields, given)
        try:
            form.model_validate(fields)
        except ValidationError as error:
            yield forms.complaint(error)


@cache
def every_one() -> frozenset[str]:
    return frozenset(one for form in FORMS for told in complaints(form) for one in told[:-1].split(". "))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: str(form.__qualname__))
def test_what_is_wrong_with_a_form_is_said_in_spanish(form: type[BaseModel]) -> None:
    found = {told: sentences.translate(told, SPANISH) for told in complaints(form)}
    assert found, "nothing is ever wrong with it"
    assert [told for told, spanish in found.items() if spanish is None or spanish == told] == []


def test_every_field_that_a_form_can_complain_of_has_a_spanish_name() -> None:
    named = {name.replace("_", " ") for form in FORMS for name in form.model_fields}
    unnamed = named - set(SPANISH["formfields"]["names"])
    assert unnamed == {"values"}, "what every table can do is no name of a word; the policy's page sends it whole"


def test_no_fault_of_pydantic_is_kept_that_no_form_has() -> None:
    kept = console.words("en")["formfaults"]["read"].values()
    patterns = {text: re.compile(re.sub(r"\\\{\d\\\}", ".+?", re.escape(text))) for text in kept}
    assert [text for text, found in patterns.items() if not any(map(found.fullmatch, every_one()))] == []


def test_what_anybody_can_type_keeps_no_page_waiting() -> None:
    words = "a: Input should be b or c (d); " * 60
    began = time.perf_counter()
    for given in (words, words[:590], words.replace("; ", ", ")[:590], "T-1: " * 110, "line 1, column 2: " * 33):
        sentences.translate(given, SPANISH)
    assert time.perf_counter() - began < 2


def test_a_form_that_is_not_filled_in_names_its_fields() -> None:
    told = "Reason: String should have at least 3 characters. first on: Field required."
    assert sentences.translate(told, SPANISH) == "Motivo: escriba al menos 3 caracteres. primer pago: falta este dato."
