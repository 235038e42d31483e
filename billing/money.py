"""Money is whole cents beside a currency; no float and no rounding, here or anywhere."""

from __future__ import annotations

import re

LARGEST_WHOLE_DIGITS = 12
"""Under a trillion: room for any remittance, and sums of millions of them stay inside 64 bits."""

_AMOUNT = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?")


def parse_minor(text: str) -> int:
    """Cents from a plain decimal such as ``12``, ``-12.5``, ``.50``, ``50.`` or ``7.1000``.

    Raises ValueError for anything else: blanks, thousands separators, exponents, NaN, a third decimal that is
    not zero, or more than twelve digits before the point. Nothing is rounded.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError("not a plain decimal amount")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if not whole and not fraction:
        raise ValueError("an amount needs at least one digit")
    if fraction[2:].strip("0"):
        raise ValueError("an amount has at most two decimals")
    if len(whole) > LARGEST_WHOLE_DIGITS:
        whole = whole.lstrip("0")
        if len(whole) > LARGEST_WHOLE_DIGITS:
            raise ValueError("an amount this large is not believable")
    minor = int(whole or "0") * 100 + int((fraction + "00")[:2])
    return -minor if sign == "-" else minor


def plain(amount_minor: int) -> str:
    """Cents as files and forms have them, the opposite of ``parse_minor``: -123456 -> "-1234.56"."""
    whole, cents = divmod(abs(amount_minor), 100)
    return f"{'-' if amount_minor < 0 else ''}{whole}.{cents:02d}"


def dollars(amount_minor: int) -> str:
    """Cents as staff and billers read them: 123456 -> "$1,234.56", -2000 -> "-$20.00"."""
    whole, cents = divmod(abs(amount_minor), 100)
    return f"{'-' if amount_minor < 0 else ''}${whole:,}.{cents:02d}"
