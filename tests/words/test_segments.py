"""Segments are counted as carriers bill them, and Spanish gives up an accent only where that saves one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.segments import GSM7, GSM7_EXTENDED, count, save

VECTORS = json.loads((Path(__file__).parents[1] / "samples" / "sms" / "gsm7_vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{place}-{vector['name']}" for place, vector in enumerate(VECTORS)])
def test_every_public_vector_is_counted_alike(vector: dict[str, str | int]) -> None:
    found = count(str(vector["body"]))
    assert (found.encoding, found.count) == (vector["encoding"], vector["segments"])


def test_the_alphabet_has_its_size() -> None:
    """3GPP TS 23.038: 128 places less the escape; the extension table has nine characters and the form feed."""
    assert (len(GSM7), len(GSM7_EXTENDED)) == (127, 10)


@given(st.text(alphabet=sorted(GSM7 | GSM7_EXTENDED), max_size=500))
def test_gsm7_never_splits_an_escaped_character(body: str) -> None:
    found = count(body)
    assert found.encoding == "GSM-7"
    assert found.characters == len(body) + sum(character in GSM7_EXTENDED for character in body)
    assert found.count >= max(1, -(-found.characters // 160))


@given(st.text(max_size=300))
def test_saving_never_costs_and_never_changes_more_than_accents_and_signs(body: str) -> None:
    assert count(save(body)).count <= count(body).count


def test_spanish_keeps_its_accents_where_they_cost_nothing() -> None:
    assert save("¿Cuánto debo?") == "¿Cuánto debo?"
    assert save("Su próximo pago. " * 6) == "Su proximo pago. " * 6
    assert save("El año que viene " * 5) == "El año que viene " * 5
    assert "ñ" in save("mañana, según su médico, añadirá " * 4)


def test_a_typographers_dash_does_not_double_the_price() -> None:
    assert save("Blue Shield\u2019s plan \u2013 " * 8) == "Blue Shield's plan - " * 8
