"""An opening file's sums against the old system's own aging, bucket by bucket, to the cent. Pure.

Days are counted from the first statement to the patient to the day of that aging (receivables.md D2; boundaries
inclusive as written: day 30 is in the first). What was never billed to the patient has an entry of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from billing.importers.opening_columns import BUCKETS, CREDITS, NOT_BILLED, PAYERS
from billing.money import dollars

#: Totals that every file has to give; the others are nothing where they are not given.
REQUIRED = (*BUCKETS, CREDITS)
_OLDEST = (30, 60, 90, 120)


def bucket_of(first_statement_on: date | None, as_of: date) -> str:
    """The bucket of a visit on the day ``as_of``."""
    if first_statement_on is None:
        return NOT_BILLED
    days = (as_of - first_statement_on).days
    return next((name for name, oldest in zip(BUCKETS, _OLDEST, strict=False) if days <= oldest), BUCKETS[-1])


@dataclass(slots=True)
class Sums:
    """What the rows come to, in cents: patients' parts by the day of the first statement, insurers', credits."""

    by_day: dict[date | None, int] = field(default_factory=dict)
    payers_minor: int = 0
    credits_minor: int = 0

    def add_visit(self, first_statement_on: date | None, patient_minor: int, payer_minor: int) -> None:
        self.by_day[first_statement_on] = self.by_day.get(first_statement_on, 0) + patient_minor
        self.payers_minor += payer_minor

    def totals(self, as_of: date) -> dict[str, int]:
        """Cents by bucket, every name of the control totals in it."""
        found = dict.fromkeys((*BUCKETS, NOT_BILLED), 0)
        for day, minor in self.by_day.items():
            found[bucket_of(day, as_of)] += minor
        return found | {PAYERS: self.payers_minor, CREDITS: self.credits_minor}


def differences(found: Mapping[str, int], wanted: Mapping[str, int]) -> list[str]:
    """One sentence for each total that is not given or not met; empty when everything agrees."""
    said = [f"there is no total for {name}: the file needs one for each of {', '.join(REQUIRED)}"
            for name in REQUIRED if name not in wanted]
    for name, minor in found.items():
        control = wanted.get(name, 0)
        if (name in wanted or name not in REQUIRED) and minor != control:
            more = "more" if minor > control else "less"
            said.append(f"{name}: the old aging says {dollars(control)}, the rows come to {dollars(minor)}: "
                        f"{dollars(abs(minor - control))} {more}")
    return said
