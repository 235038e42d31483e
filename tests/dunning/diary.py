"""A make-believe account, lived through day by day: what the calendar asks for is done, as it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from billing.dunning import Due, DunningFacts, Moved, Next, State, Stated, Stop, Told, next_step
from config.dunning_policy import DunningPolicy

Event = Literal["charge", "payment", "remittance", "hold", "release", "paid", "owes", "returned", "undelivered",
                "away", "back", "withheld"]

BEGIN = date(2026, 1, 2)
DUE_DAYS = 30


@dataclass
class Diary:
    """``away``: nobody runs the calendar; ``withhold``: the gate lets nothing through today."""

    policy: DunningPolicy = field(default_factory=DunningPolicy)
    facts: DunningFacts = field(default_factory=lambda: DunningFacts(10_000))
    away: bool = False
    sent: list[tuple[date, Due]] = field(default_factory=list)
    asked: list[tuple[date, Next]] = field(default_factory=list)
    moments: int = 0

    def happen(self, what: Event, on: date) -> None:
        at = self._at(on)
        match what:
            case "charge" | "payment" | "remittance":
                self.facts = replace(self.facts, moved=(*self.facts.moved, Moved(at, what)))
            case "hold":
                self.facts = replace(self.facts, stop=Stop("hold:dispute", "the patient disputes this bill"))
            case "release":
                self.facts = replace(self.facts, stop=None)
            case "paid":
                self.facts = replace(self.facts, due_now_minor=0, moved=(*self.facts.moved, Moved(at, "payment")))
            case "owes":
                self.facts = replace(self.facts, due_now_minor=10_000, moved=(*self.facts.moved, Moved(at, "charge")))
            case "returned":
                self._spoil()
            case "undelivered":
                self._end("failed")
            case "withheld":
                self._end("stopped")
            case "away" | "back":
                self.away = what == "away"

    def live(self, on: date) -> Next | None:
        """One run of the calendar."""
        if self.away:
            return None
        found = next_step(self.facts, self.policy, on)
        self.asked.append((on, found))
        if isinstance(found, Due):
            self._send(found, on)
        return found

    def through(self, days: int, events: Mapping[int, Event] | None = None, begin: date = BEGIN) -> None:
        for number in range(days):
            on = begin + timedelta(days=number)
            if events and number in events:
                self.happen(events[number], on)
            self.live(on)

    @property
    def steps(self) -> list[tuple[str, str]]:
        """(day, what) of everything sent."""
        return [(on.isoformat(), due.step or due.kind) for on, due in self.sent]

    def _send(self, due: Due, on: date) -> None:
        at, number = self._at(on), len(self.facts.statements) + 1
        self.sent.append((on, due))
        statements = list(self.facts.statements)
        if due.fresh:
            statements.append(Stated(f"stm_{number}", at, on, due.due_on or on + timedelta(days=DUE_DAYS)))
        told = Told(at, on, due.kind, "left", due.step, statements[-1].statement_id)
        self.facts = replace(self.facts, statements=tuple(statements), told=(*self.facts.told, told))

    def _end(self, state: State) -> None:
        if not self.facts.told or self.facts.told[-1].state != "left":
            return
        last = replace(self.facts.told[-1], state=state)
        told = (*self.facts.told[:-1], last)
        left = {one.statement_id for one in told if one.state == "left"}
        statements = tuple(replace(one, arrived=one.statement_id in left) for one in self.facts.statements)
        self.facts = replace(self.facts, told=told, statements=statements)

    def _spoil(self) -> None:
        if self.facts.statements:
            bad = self.facts.statements[-1].statement_id
            told = tuple(replace(one, state="failed") if one.statement_id == bad else one for one in self.facts.told)
            statements = tuple(replace(one, arrived=one.arrived and one.statement_id != bad)
                               for one in self.facts.statements)
            self.facts = replace(self.facts, told=told, statements=statements)

    def _at(self, on: date) -> datetime:
        self.moments += 1
        return datetime(on.year, on.month, on.day, 15, tzinfo=UTC) + timedelta(seconds=self.moments)
