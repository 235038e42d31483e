"""T-52: a card number typed into chat is found however it is spaced, and little else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.cards import find_cards, passes_luhn, redact

TEST_CARDS = ["4242424242424242", "4000056655665556", "5555555555554444", "2223003122003222", "5105105105105100",
              "378282246310005", "371449635398431", "6011111111111117", "3056930009020004", "36227206271667",
              "6555900000604105", "3566002020360505", "6200000000000005", "4222222222222", "6304000000000000"]

SEPARATORS = st.sampled_from(["", " ", "-", "  ", " - ", ".", "\u00a0", "\n"])
WORDS = st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=30)


def _complete(body: str) -> str:
    return next(body + str(n) for n in range(10) if passes_luhn(body + str(n)))


@st.composite
def cards(draw: st.DrawFn) -> str:
    start, length = draw(st.sampled_from([("4", 16), ("4", 13), ("4", 19), ("51", 16), ("2221", 16), ("37", 15),
                                          ("6011", 16), ("36", 14), ("3528", 16), ("5018", 13), ("62", 17)]))
    free = length - len(start) - 1
    return _complete(start + draw(st.text("0123456789", min_size=free, max_size=free)))


@st.composite
def written_cards(draw: st.DrawFn) -> tuple[str, str]:
    card = draw(cards())
    separator = draw(SEPARATORS)
    return card, separator.join(card[at:at + 4] for at in range(0, len(card), 4))


@pytest.mark.parametrize("card", TEST_CARDS)
@pytest.mark.parametrize("pattern", ["{0}", "my card is {0}, exp 12/28 cvv 123 thanks", "{0} 1228", "#{0}#"])
def test_every_brand_is_found_in_a_sentence(card: str, pattern: str) -> None:
    redacted = redact(pattern.format(card))
    assert redacted.found
    assert card not in redacted.text


@given(written_cards(), WORDS, WORDS)
def test_no_card_number_survives_whatever_its_spacing_and_surroundings(
        written: tuple[str, str], before: str, after: str) -> None:
    card, text = written
    redacted = redact(f"{before} {text} {after}")
    assert redacted.found
    assert card not in "".join(c for c in redacted.text if c.isdigit())
    assert find_cards(redacted.text) == []


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once.text).text == once.text


def test_digits_typed_one_by_one_are_found() -> None:
    assert redact(" ".join("4242424242424242")).text == "[card number removed]"


def test_expiry_and_security_code_behind_the_number_go_too_and_the_amount_before_it_stays() -> None:
    text = redact("pay $150 with 4242 4242 4242 4242 exp 12/28 code 123").text
    assert text == "pay $150 with [card number removed] exp [removed] code [removed]"


@pytest.mark.parametrize("text", [
    "call 305-555-0100 305-555-0199", "212 555 0100", "+1 (212) 555-0100, +1 212 555 0199", "5005550006 5005550006",
    "born 04/12/1980 zip 10001", "2026-11-03 15:00 and 2026-11-04 16:00", "I paid $4,242.42 on 4/2 and $42.00",
    "claim 1234567890123456", "member id W123456789012", "0000 0000 0000 0000", "4444444444444444x 4444-4444",
    "why do I owe 150.00?", "tracking 1Z999AA10123456784", "visits 1 and 3",
    "4242424242424241",  # one digit off: Luhn
])
def test_what_is_no_card_number_is_left_alone(text: str) -> None:
    assert redact(text).text == text


@given(st.lists(st.integers(10**9 * 2, 10**10 - 1), min_size=1, max_size=3))
def test_telephone_numbers_in_a_row_are_never_taken_for_a_card(numbers: list[int]) -> None:
    text = " ".join(f"{str(n)[:3]}-{str(n)[3:6]}-{str(n)[6:]}" for n in numbers)
    assert not redact(text).found
