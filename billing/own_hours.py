"""The hours in which a patient wants to be texted, as they said them: spans of the day, days of the week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
MIDNIGHT = "24:00"


@dataclass(frozen=True, slots=True)
class OwnHours:
    """``spans`` are local (from, until), ``HH:MM``, until up to 24:00, in order; ``days``: 0 is Monday."""

    spans: tuple[tuple[str, str], ...] = (("00:00", MIDNIGHT),)
    days: tuple[int, ...] = EVERY_DAY

    def to_json(self) -> dict[str, Any]:
        return {"spans": [list(span) for span in self.spans], "days": list(self.days)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> OwnHours:
        return cls(tuple((str(a), str(b)) for a, b in value["spans"]), tuple(int(day) for day in value["days"]))

    def intervals(self, day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
        """The UTC instants between which texts are welcome on ``day`` in ``zone``."""
        if day.weekday() not in self.days:
            return []
        return [(_instant(day, opens, zone), _instant(day, closes, zone)) for opens, closes in self.spans]


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == MIDNIGHT:
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)
