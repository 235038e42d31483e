"""The manager's page: a dozen figures out of all reports, what they were last time, and what wants a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from billing.money import dollars
from billing.reports.shape import Report, Unit


@dataclass(frozen=True, slots=True)
class Earlier:
    """The figures of an earlier run, as it was kept."""

    to_on: date
    figures: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the page; ``before``: the same in the newest earlier run, up to ``before_on``."""

    report: str
    heading: str
    label: str
    unit: Unit
    value: int | None
    before: int | None
    before_on: date | None


#: (heading, report, figure)
CHOSEN: tuple[tuple[str, str, str], ...] = (
    ("What is open", "aging", "patient_minor"),
    ("What is open", "aging", "over_90_share"),
    ("What is open", "aging", "payer_minor"),
    ("What is open", "days-in-ar", "days"),
    ("What comes in", "patient-collection", "rate_30"),
    ("What comes in", "patient-collection", "rate_120"),
    ("What comes in", "net-collection", "rate"),
    ("What comes in", "time-to-pay", "median_days"),
    ("What comes in", "time-to-pay", "unpaid_share"),
    ("What comes in", "point-of-service", "rate"),
    ("How patients take it", "self-service", "alone_share"),
    ("How patients take it", "self-service", "stays_share"),
    ("How patients take it", "opt-outs", "share"),
    ("How patients take it", "disputes", "dispute_share"),
    ("How patients take it", "plans", "default_share"),
    ("What it costs", "cost", "per_dollar_share"),
    ("What it costs", "cost", "per_message_minor"),
    ("What it costs", "dunning-refunds", "caused_minor"),
    ("What it costs", "write-offs", "bad_debt_minor"),
    ("What it costs", "write-offs", "charity_minor"),
)


def lines(reports: Sequence[Report], earlier: Mapping[str, Earlier]) -> tuple[Line, ...]:
    """The chosen figures of the reports at hand; ``earlier`` by the report's name."""
    known = {report.name: report for report in reports}
    return tuple(_line(heading, known[name], key, earlier.get(name)) for heading, name, key in CHOSEN if name in known)


def _line(heading: str, report: Report, key: str, before: Earlier | None) -> Line:
    figure = next(figure for figure in report.figures if figure.key == key)
    return Line(report.name, heading, figure.label, figure.unit, figure.value,
                before.figures.get(key) if before else None, before.to_on if before else None)


def to_look_at(reports: Sequence[Report]) -> tuple[str, ...]:
    """What somebody should look at, worst first; nothing here is a matter of taste."""
    found = [f"{report.title}: {footing.label}: the report has {dollars(footing.report_minor)}, the ledger "
             f"{dollars(footing.ledger_minor)}. Run plainbill ledger verify before using it."
             for report in reports for footing in report.footings if not footing.foots]
    known = {report.name: report for report in reports}
    for name, key, words in _LOOKS:
        value = known[name].value(key) if name in known else None
        if value:
            found.append(words.format(dollars=dollars(value), count=f"{value:,}"))
    return tuple(found)


_LOOKS = (
    ("aging", "unbilled_minor",
     "{dollars} of what patients owe is on no statement yet; some of it may wait for an insurer or for a hold."),
    ("dunning-refunds", "caused_minor", "{dollars} had to be given back because we asked for what was not owed."),
    ("disputes", "bank", "Disputes at the bank in the period: {count}."),
)
