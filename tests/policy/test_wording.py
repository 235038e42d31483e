"""What is read from a body, so that the facts on record need not hold it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.policy import wording

INTRO_EN = ("Maple Clinic: You have a new billing message. Read it here: https://pay.maple.example/l/Zx8 "
            "Message frequency varies. Msg & data rates may apply. Reply HELP for help, STOP to stop.")
INTRO_ES = ("Maple Clinic: Tiene un nuevo mensaje. Lealo aqui: https://pay.maple.example/l/Zx8 La frecuencia varia. "
            "Puede haber cargos por mensajes y datos. Responda HELP para ayuda o STOP para no recibir mas.")


@pytest.mark.parametrize("body", [INTRO_EN, INTRO_ES])
def test_an_introduction_names_practice_help_stop_frequency_and_rates(body: str) -> None:
    assert wording.introduces(body, "Maple Clinic")


@pytest.mark.parametrize("missing", ["Maple Clinic", "HELP", "STOP", "frequency varies", "rates"])
def test_an_introduction_that_lacks_any_part_is_none(missing: str) -> None:
    assert not wording.introduces(INTRO_EN.replace(missing, ""), "Maple Clinic")


def test_a_practice_s_accents_may_be_given_up_in_the_text() -> None:
    assert wording.introduces(INTRO_ES.replace("Maple Clinic", "Clinica Marti"), "Clínica Martí")


@pytest.mark.parametrize(("body", "found"), [
    ("See https://bit.ly/abc", ("bit.ly",)), ("See www.tinyurl.com/x", ("tinyurl.com",)), ("see BIT.LY/Q", ("bit.ly",)),
    ("See https://pay.maple.example/l/bit", ()), ("We owe a bit.lyrics are fun", ()),
])
def test_public_shorteners_are_found(body: str, found: tuple[str, ...]) -> None:
    assert wording.shorteners(body) == found


def test_an_account_number_is_found_as_a_word_and_inside_a_link() -> None:
    known = {"account number": ("AC-10442",), "our account id": ("guar_01hzzz",)}
    assert wording.identifiers("Your account AC-10442 is due.", known) == ("account number",)
    assert wording.identifiers("Go to https://x.example/pay/guar_01hzzz now", known) == ("our account id",)
    assert wording.identifiers("Go to https://x.example/l/Ab3dE now", known) == ()


def test_a_short_number_is_no_account_number_in_words_but_is_one_in_a_link() -> None:
    known = {"account number": ("120",)}
    assert wording.identifiers("You owe $120.00 at 120 Main St", known) == ()
    assert wording.identifiers("https://x.example/pay?a=120", known) == ("account number",)


def test_amounts_that_contain_an_account_s_digits_are_not_mistaken() -> None:
    assert wording.identifiers("You owe $12,345.67.", {"account number": ("12345",)}) == ()
    assert wording.identifiers("You owe $12345.67.", {"account number": ("12345",)}) == ()


def test_a_text_that_takes_no_replies_says_so_and_gives_the_phone() -> None:
    assert wording.says_no_replies("Please do not reply. Call (212) 555-0199.", "+12125550199")
    assert not wording.says_no_replies("Please do not reply.", "+12125550199")
    assert not wording.says_no_replies("Call (212) 555-0199.", "+12125550199")


def test_links_are_counted_and_a_name_with_dots_is_none() -> None:
    assert wording.links("https://a.example/x and b.example/y, e.g. noon") == 2
    assert wording.links("Dr. Who at 5 p.m.") == 0


def test_a_card_number_is_seen() -> None:
    assert wording.has_card_number("card 4242 4242 4242 4242")
    assert not wording.has_card_number("call 212-555-0199")


@settings(max_examples=30, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize(("part", "words"), [pair for pairs in wording._BAD_WORDS.values() for pair in pairs])
def test_whatever_a_pattern_of_forbidden_words_finds_holds_the_part_that_is_looked_for_first(
        part: str, words: str, data: st.DataObject) -> None:
    found = re.search(words, data.draw(st.from_regex(words)))
    assert found is not None and part in found[0]


@pytest.mark.parametrize(("body", "plain"), [
    ("Frecuencia VARÍA", "frecuencia varia"), ("Straße", "strasse"), ("n\u0303 ñ", "n n"), ("\ufb01n", "fin")])
def test_words_are_read_without_accents_and_case(body: str, plain: str) -> None:
    assert wording._plain(body) == plain
