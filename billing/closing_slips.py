"""The deposit slip of a day: what goes to the bank, line by line. It names no patient: a check has a number."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from billing.closing import is_locked
from billing.closing_batch import batch
from config.practice import PracticePolicy


@dataclass(frozen=True, slots=True)
class SlipLine:
    """``what``: cash, patient's check, or an insurer's name. Cents."""

    what: str
    number: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Slip:
    practice: str
    day: date
    currency: str
    lines: tuple[SlipLine, ...]
    signed: bool

    @property
    def total_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    def as_content(self) -> dict[str, Any]:
        """JSON-able, as it is printed."""
        return {**asdict(self), "day": self.day.isoformat(), "total_minor": self.total_minor}


def slip(session: Session, practice_id: str, day: date, policy: PracticePolicy) -> Slip:
    """Cash as counted, then patients' checks, then insurers'. What a terminal takes reaches the bank by itself."""
    found = batch(session, practice_id, day)
    cash = found.deposit().get("cash", 0)
    lines = [SlipLine("cash", "", cash)] if cash else []
    lines += [SlipLine("patient's check", c.number, c.amount_minor) for c in found.checks]
    lines += [SlipLine(c.payer or "insurer's check", c.number, c.amount_minor) for c in found.insurer_checks]
    return Slip(policy.legal_name, day, policy.currency, tuple(lines), is_locked(session, practice_id, day))
