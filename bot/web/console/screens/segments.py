"""Whom campaigns are for: segments kept by name, in versions that never change, made from filters or from a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from billing import csv_cells, segments
from billing.money import plain
from billing.segments import Aging, Payer, PlanState
from billing.store import campaign_queries
from billing.store import console_campaign_queries as store
from bot.web.console.fields import Maybe, Money, Several
from bot.web.console.table import Action, Asked, Done, Download, File, Form, Nothing, Seen, View

MOST_LISTED = 200_000
#: Each line counts its accounts.
PAGE = 25
Digits = Annotated[str, StringConstraints(strip_whitespace=True, max_length=400, pattern=r"^[0-9 ,]*$")]
States = Annotated[str, StringConstraints(strip_whitespace=True, max_length=400, pattern=r"^[A-Za-z ,]*$")]
Days = Annotated[int, Field(ge=0, le=3650)]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that has to fit."""

    what: str
    value: str


@dataclass(frozen=True, slots=True)
class Line:
    segment_id: str
    name: str
    version: int
    rules: list[Rule]
    accounts: int
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Segments:
    """The newest version of each, by name; ``accounts`` as of today. ``next_after``: where the next page begins; empty
    at the end.
    """

    every: list[Line]
    next_after: str


class Page(Form):
    """``after``: the name of the last one shown."""

    after: Maybe[Annotated[str, StringConstraints(strip_whitespace=True, pattern=segments.NAME)]] = None


class New(Form):
    """All that is given has to fit; nothing at all is everybody. ``numbers``: only these accounts, one to a line."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, pattern=segments.NAME)]
    aging: Several[Aging] = Field(default=[], max_length=5)
    aging_from: Literal["statement", "service"] = "statement"
    minimum: Maybe[Money] = None
    maximum: Maybe[Money] = None
    statement: Literal["any", "never", "sent"] = "any"
    statement_older_days: Maybe[Days] = None
    statement_newer_days: Maybe[Days] = None
    languages: Several[Literal["en", "es"]] = Field(default=[], max_length=2)
    plans: Several[PlanState] = Field(default=[], max_length=4)
    replied: Literal["any", "since_statement", "not_since_statement", "never"] = "any"
    visit_types: Digits = ""
    providers: Digits = ""
    payers: Several[Payer] = Field(default=[], max_length=6)
    regions: States = ""
    numbers: Annotated[str, Field(max_length=MOST_LISTED)] = ""


def read(session: Session, asked: Asked[Page]) -> Segments:
    rows = store.newest_segments(session, asked.practice_id, asked.query.after or "", PAGE + 1)
    return Segments([_line(session, asked, one) for one in rows[:PAGE]],
                    rows[PAGE - 1].name if len(rows) > PAGE else "")


def show(session: Session, asked: Asked[Nothing]) -> Line | None:
    row = store.segment(session, asked.practice_id, asked.path["segment_id"])
    return _line(session, asked, row) if row is not None else None


def members(session: Session, asked: Asked[Nothing]) -> tuple[str, list[str]] | None:
    row = store.segment(session, asked.practice_id, asked.path["segment_id"])
    if row is None:
        return None
    return row.id, campaign_queries.account_numbers(session, segments.members(session, row, asked.today))


def as_csv(found: tuple[str, list[str]], asked: Asked[Nothing]) -> File:
    made = csv_cells.whole(("account",), [(number,) for number in found[1]])
    return File("segment.csv", "text/csv; charset=utf-8", made.encode())


def keep(session: Session, asked: Asked[New]) -> Done:
    """Keep it under its name: the next version, where there is one of that name."""
    form = asked.query
    lines = form.numbers.splitlines() if form.numbers.strip() else None
    listed = segments.read_list(session, asked.practice_id, lines or ())
    if listed.faults:
        raise segments.SegmentRefused("numbers: " + "; ".join(
            f"line {one.line}: {one.reason}" for one in listed.faults[:20]))
    row = segments.keep(session, asked.practice_id, form.name, segments.parse(_definition(form, lines is not None)),
                        by=asked.person.login, now=asked.now, members=listed.members)
    return Done("segment", row.id, f"/segments/{row.id}", result={"segment_id": row.id, "version": row.version})


def _definition(form: New, listed: bool) -> dict[str, Any]:
    given: dict[str, Any] = {
        "aging": form.aging, "aging_from": form.aging_from, "minimum_minor": form.minimum,
        "maximum_minor": form.maximum, "statement": form.statement, "statement_older_days": form.statement_older_days,
        "statement_newer_days": form.statement_newer_days, "languages": form.languages, "plans": form.plans,
        "replied": form.replied, "visit_types": _parts(form.visit_types), "providers": _parts(form.providers),
        "payers": form.payers, "regions": _parts(form.regions.upper()), "listed": listed or None}
    return {name: value for name, value in given.items() if value not in (None, [], "")}


def _parts(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _line(session: Session, asked: Asked[Any], row: Any) -> Line:
    return Line(row.id, row.name, row.version, [_rule(name, value) for name, value in row.definition.items()],
                segments.count(session, row, asked.today), row.created_by, row.created_at)


def _rule(name: str, value: Any) -> Rule:
    if name.endswith("_minor"):
        return Rule(name, plain(value))
    return Rule(name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))


VIEWS = (
    View("segments", "/segments", "read", read, Segments, Page),
    View("segment", "/segments/{segment_id}", "read", show, Line,
         seen=lambda found: Seen("segment", found.segment_id)),
    Download("segment_csv", "/segments/{segment_id}/accounts.csv", "export", members, as_csv,
             seen=lambda found: Seen("segment", found[0])),
)
ACTIONS = (Action("segment.keep", "/segments", "send", New, keep),)
