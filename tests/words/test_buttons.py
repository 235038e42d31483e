"""Buttons say nothing that the words do not, and what they stand for is understood as what they say."""

from __future__ import annotations

from datetime import date

import pytest

from handlers.core import State
from handlers.understanding import read
from templates import source
from templates.examples import arguments
from templates.render import offers, render
from templates.source import TemplateError, load, names

LANGUAGES = ("en", "es")
WITH_BUTTONS = [(name, language) for language in LANGUAGES for name in names(language) if load(name, language).buttons]

#: What each text must be read as: a fixed word, an intent, or "all". Digits must be that choice, and nothing else.
MEANING = {
    "en": {"YES": "yes", "NO": "no", "BACK": "back", "ALL": "all", "PAY": "pay", "WHY": "explain", "BALANCE": "balance",
           "STATEMENT": "statement", "HUMAN": "human", "STOP": "opt_out", "ENGLISH": "language", "ESPAÑOL": "language",
           "I PAID": "already_paid", "PLAN": "plan", "MY PLAN": "plan", "MY CARD": "saved_card",
           "NEW CARD": "saved_card", "USE MY CARD": "saved_card",
           "RECEIPT": "receipt", "CAN'T PAY": "cannot_pay"},
    "es": {"SÍ": "yes", "NO": "no", "VOLVER": "back", "TODO": "all", "TODAS": "all", "PAGAR": "pay",
           "POR QUE": "explain", "SALDO": "balance", "ESTADO DE CUENTA": "statement", "PERSONA": "human",
           "STOP": "opt_out",
           "ENGLISH": "language", "ESPAÑOL": "language", "YA PAGUE": "already_paid", "PLAN": "plan", "MI PLAN": "plan",
           "MI TARJETA": "saved_card", "TARJETA NUEVA": "saved_card", "USAR MI TARJETA": "saved_card",
           "RECIBO": "receipt", "NO PUEDO PAGAR": "cannot_pay"},
}

#: Answers that only the flow which asks for them understands; they have its own tests in tests/conversations.
OF_A_FLOW = frozenset({"AM", "PM", "SKIP", "OMITIR", "LINK", "ENLACE", "HOLD", "NO COBRAR"})


def shown(name: str, language: str) -> tuple[tuple[str, str], ...]:
    return render(name, language, arguments(name, language), "telegram").buttons


@pytest.mark.parametrize(("name", "language"), WITH_BUTTONS)
def test_every_buttons_text_is_understood_as_what_it_says(name: str, language: str) -> None:
    for _, text in shown(name, language):
        if text in OF_A_FLOW:
            continue
        expects = "choice" if text.isdecimal() else "amount"
        reading = read(text, language, date(2026, 11, 3), State(data={"expects": expects}))
        if text.isdecimal():
            assert reading.slots.choices == (int(text),) and not reading.fixed
        else:
            heard = "all" if reading.slots.amount_is_all else reading.fixed or reading.intent
            assert heard == MEANING[language][text]


@pytest.mark.parametrize(("name", "language"), WITH_BUTTONS)
def test_a_button_is_shown_only_where_the_words_offer_it(name: str, language: str) -> None:
    declared = load(name, language).buttons
    body = render(name, language, arguments(name, language), "telegram").body
    assert all(offers(body, text) for _, text in shown(name, language))
    assert {text for label, text in declared if label != "#"} <= {text for _, text in shown(name, language)}


@pytest.mark.parametrize("name", sorted({name for name, _ in WITH_BUTTONS}))
def test_both_languages_have_the_same_buttons(name: str) -> None:
    assert len(shown(name, "en")) == len(shown(name, "es"))


def test_a_label_tells_a_person_and_fits_a_phone() -> None:
    assert all(0 < len(label) <= 24 for name, language in WITH_BUTTONS for label, _ in shown(name, language))


def test_what_is_not_said_has_no_button() -> None:
    nothing = {**arguments("balance", "en"), "due_now_minor": 0}
    assert render("balance", "en", nothing, "telegram").buttons == ()
    one = {**arguments("pay_ask", "en"), "visits": arguments("pay_ask", "en")["visits"][:1]}
    assert [text for _, text in render("pay_ask", "en", one, "telegram").buttons] == ["ALL", "BACK"]


@pytest.mark.parametrize(("body", "text", "said"), [
    ("Reply 1 if so.", "1", True), ("You owe $1.00.", "1", False), ("until 10/1/26", "1", False),
    ("1) What I owe", "1", True), ("Reply PAY.", "PAY", True), ("PAYMENT", "PAY", False), ("11) x", "1", False),
])
def test_an_offer_is_a_word_of_its_own(body: str, text: str, said: bool) -> None:
    assert offers(body, text) is said


def test_buttons_that_cannot_be_read_are_told_with_their_file() -> None:
    with pytest.raises(TemplateError, match=r"templates/en/x\.txt: buttons"):
        source._buttons({"buttons": "Yes"}, "x", "en")
