"""Adjustments as a biller writes them from paper: ``CO-45:30.00 PR-1:20.00``, for a check itself ``WO:12.00``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from billing.importers.csv_values import CellFault, Reading, read_amount
from billing.importers.records import Adjustment

_OF_LINE = re.compile(r"(CO|PR|OA|PI|CR)-([A-Z0-9]{1,4}):(\S+)")
_OF_CHECK = re.compile(r"()([A-Z0-9]{2}):(\S+)")


def read_list(text: str, line: int, *, of_check: bool) -> tuple[Adjustment, ...]:
    """Group and reason with an amount in dollars each, blanks, commas or semicolons between them; ``of_check``: the
    reasons of PLB, whose sign is X12's (positive lowers the check). Raises CellFault.
    """
    return tuple(_read(text.upper(), line, of_check))


def _read(text: str, line: int, of_check: bool) -> Iterator[Adjustment]:
    for word in re.split(r"[\s;,]+(?=[A-Z])", text.strip()):
        if not word:
            continue
        found = (_OF_CHECK if of_check else _OF_LINE).fullmatch(word.rstrip(",;"))
        if found is None:
            raise CellFault("each is written as WO:12.00, a minus raises the check" if of_check else
                            "each is written as CO-45:30.00, the group being CO, PR, OA, PI or CR")
        group, reason, amount = found.groups()
        yield Adjustment(group, reason, read_amount(amount, Reading()), line)
