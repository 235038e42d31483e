"""parse_minor takes exactly the plain decimals, to the cent, and nothing else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import parse_minor


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("0", 0),
        ("12", 1200),
        ("12.5", 1250),
        ("12.50", 1250),
        ("12.5000", 1250),
        (".50", 50),
        ("50.", 5000),
        ("-.05", -5),
        ("+7", 700),
        ("-0", 0),
        ("0000000000000007.10", 710),
        ("999999999999.99", 99999999999999),
    ],
)
def test_plain_decimals_are_read_to_the_cent(text: str, minor: int) -> None:
    assert parse_minor(text) == minor


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ".", "-", "+.", "NaN", "inf", "1e5", "1,000.00", "1.005", "$5", "5-", "--5", "0x10", "1 0", " 1"),
        *("1\n", "٣", "1_000", "1.0.0", "1000000000000", "9" * 5000),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        parse_minor(text)


@given(st.decimals(min_value="-999999999999.99", max_value="999999999999.99", places=2))
def test_reading_agrees_with_exact_decimal_arithmetic(amount: Decimal) -> None:
    assert parse_minor(f"{amount:f}") == int(amount * 100)
