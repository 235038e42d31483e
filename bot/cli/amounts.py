"""Dollars as staff type them, and shares of visits: read exactly, or refused with the field's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from billing.money import LARGEST_WHOLE_DIGITS, dollars, parse_minor
from bot.cli.exits import NOT_FOUND, USAGE, Stop

__all__ = ["LARGEST_WHOLE_DIGITS", "day_of", "dollars", "minor_of", "shares_of", "visits_of"]


def minor_of(text: str, field: str) -> int:
    """Cents of a positive amount such as ``12.34``. Raises Stop (exit code 2), naming ``field``."""
    try:
        minor = parse_minor(text.strip().removeprefix("$"))
    except ValueError as error:
        raise Stop(f"{field} is {text!r}: {error}. Write dollars as 12.34.", USAGE) from error
    if minor <= 0:
        raise Stop(f"{field} is {text!r}: it has to be more than zero.", USAGE)
    return minor


def shares_of(texts: Sequence[str], names: Mapping[str, str], field: str,
              free: str = "") -> list[tuple[str | None, int]]:
    """``VISIT=12.34`` each, as (visit id, cents); ``free`` is a word for no visit. Raises Stop."""
    made: list[tuple[str | None, int]] = []
    for text in texts:
        name, found, amount = text.rpartition("=")
        if not found or not name:
            raise Stop(f"{field} is {text!r}: write VISIT=12.34.", USAGE)
        if free and name == free:
            made.append((None, minor_of(amount, field)))
        elif name in names:
            made.append((names[name], minor_of(amount, field)))
        else:
            raise Stop(f"{field} names visit {name!r}, which is not on this account; "
                       "`plainbill balance ACCOUNT` lists its visits.", NOT_FOUND)
    if len({visit for visit, _ in made}) != len(made):
        raise Stop(f"{field} names a visit twice.", USAGE)
    return made


def visits_of(wanted: Iterable[str], names: Mapping[str, str], field: str = "--visit") -> set[str]:
    """The ids of the visits that were named. Raises Stop (exit code 5)."""
    made = set()
    for name in wanted:
        if name not in names:
            raise Stop(f"{field} {name!r} is not on this account; `plainbill balance ACCOUNT` lists its visits.",
                       NOT_FOUND)
        made.add(names[name])
    return made


def day_of(text: str, field: str) -> date:
    """Raises Stop, naming ``field``."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Stop(f"{field} is {text!r}: write a day as 2026-11-03.", USAGE) from error
