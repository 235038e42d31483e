"""Whom a campaign is for, as data: a named, dated definition in versions that never change, or a list of accounts.

A segment says who is looked at; whether a message may go out is the gate's matter alone, account by account. Amounts
are cents of the patient's part of the ledger (held and pending included), days are practice-local.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from sqlalchemy.orm import Session

from billing import audit
from billing.ids import new_id
from billing.store import segment_queries as store
from billing.store.seal import blind, normal_account
from billing.store.tables import Segment

Aging = Literal["0-30", "31-60", "61-90", "91-120", "121+"]
PlanState = Literal["none", "running", "behind", "defaulted"]
Payer = Literal["self_pay", "commercial", "medicare", "medicaid", "other_federal", "other"]
Days = Annotated[int, Field(ge=0, le=3650)]

NAME = r"^[a-z0-9][a-z0-9_-]{0,39}$"
MOST_LISTED = 1_000_000


class SegmentRefused(ValueError):
    """A segment that cannot be kept. The text names each field or line and what to do, and holds no PHI."""


class Filters(BaseModel):
    """All that are given must fit. ``aging`` counts days from the first statement (``aging_from``: statement) or from
    the service of the oldest visit that is open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    aging: tuple[Aging, ...] = ()
    aging_from: Literal["statement", "service"] = "statement"
    minimum_minor: int | None = Field(default=None, ge=1)
    maximum_minor: int | None = Field(default=None, ge=1)
    statement: Literal["any", "never", "sent"] = "any"
    statement_older_days: Days | None = None  # the newest is at least so many days old
    statement_newer_days: Days | None = None  # and at most so many
    languages: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")], ...] = ()
    plans: tuple[PlanState, ...] = ()
    replied: Literal["any", "since_statement", "not_since_statement", "never"] = "any"
    visit_types: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")], ...] = ()  # place of service
    providers: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")], ...] = ()  # NPI
    payers: tuple[Payer, ...] = ()
    regions: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], ...] = ()
    listed: bool = False  # only the accounts on the segment's own list

    @model_validator(mode="after")
    def _rises(self) -> Filters:
        if self.minimum_minor and self.maximum_minor and self.minimum_minor > self.maximum_minor:
            raise ValueError("minimum_minor is above maximum_minor")
        newer, older = self.statement_newer_days, self.statement_older_days
        if newer is not None and older is not None and newer < older:
            raise ValueError("statement_newer_days is below statement_older_days: nobody would be left")
        if self.statement == "never" and (newer is not None or older is not None):
            raise ValueError("an account without a statement has no age of its statement")
        return self


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one line of a list; the line's own words are not repeated."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Accounts of a list by (guarantor_id, line), and the lines that cannot be used."""

    members: tuple[tuple[str, int], ...]
    faults: tuple[Fault, ...]


def parse(definition: Mapping[str, Any]) -> Filters:
    """Read a definition. Raises SegmentRefused naming every faulty field."""
    try:
        return Filters.model_validate(definition)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg'].removeprefix('Value error, ')}"
                 for e in error.errors(include_url=False, include_input=False)]
        raise SegmentRefused("\n".join([f"{len(lines)} field(s) of the segment cannot be used:", *lines])) from None


def keep(session: Session, practice_id: str, name: str, filters: Filters, *, by: str, now: datetime,
         members: Sequence[tuple[str, int]] = ()) -> Segment:
    """Keep a segment under its name: the next version, or the newest one where nothing has changed.

    ``members`` are (guarantor_id, line) of a list. Raises SegmentRefused.
    """
    _check(name, filters, members)
    definition = filters.model_dump(mode="json", exclude_defaults=True)
    newest = find(session, practice_id, name)
    if newest is not None and newest.definition == definition and (
            not filters.listed or store.listed(session, newest.id) == {guarantor for guarantor, _ in members}):
        return newest
    row = Segment(id=new_id("seg"), practice_id=practice_id, name=name, version=newest.version + 1 if newest else 1,
                  definition=definition, created_by=by, created_at=now)
    store.add(session, row, members)
    audit.record(session, practice_id, by, "segment_kept", "segment", row.id, f"{name} version {row.version}", now)
    return row


def _check(name: str, filters: Filters, members: Sequence[tuple[str, int]]) -> None:
    if not re.fullmatch(NAME, name):
        raise SegmentRefused("a segment's name is small letters, digits, - and _, at most 40; such as over-60-days")
    if filters.listed and not members:
        raise SegmentRefused("the list holds no account; give one account number to a line")
    if members and not filters.listed:
        raise SegmentRefused("a list was given to a segment that is none")


def find(session: Session, practice_id: str, name: str, version: int | None = None) -> Segment | None:
    """The newest version of a segment, or the one named."""
    return store.find(session, practice_id, name, version)


def listing(session: Session, practice_id: str) -> Sequence[Segment]:
    """Every version, the newest of each name first."""
    return store.every(session, practice_id)


def members(session: Session, segment: Segment, today: date) -> list[str]:
    """The accounts of a segment on ``today`` (practice-local), in the order in which they were opened."""
    return list(stream(session, segment, today))


def stream(session: Session, segment: Segment, today: date) -> Iterator[str]:
    """As ``members``, some at a time: there may be a million."""
    return store.members(session, segment, parse(segment.definition), today)


def count(session: Session, segment: Segment, today: date) -> int:
    """How many accounts the segment has on ``today`` (practice-local)."""
    return store.count(session, segment, parse(segment.definition), today)


def read_list(session: Session, practice_id: str, lines: Iterable[str]) -> Listed:
    """Read a CSV file of account numbers: the column ``account``, or the only one there is.

    Every line that cannot be used is named with its reason; whether the rest is kept is the caller's decision.
    """
    found: dict[str, int] = {}
    faults: list[Fault] = []
    numbers = list(_numbers(lines, faults))
    known = store.by_number(session, practice_id, [
        blind("account", practice_id, normal_account(number)) for _, number in numbers])
    for line, number in numbers:
        guarantor_id = known.get(blind("account", practice_id, normal_account(number)))
        if guarantor_id is None:
            faults.append(Fault(line, "there is no such account in this practice"))
        elif guarantor_id in found:
            faults.append(Fault(line, f"the same account as in line {found[guarantor_id]}"))
        else:
            found[guarantor_id] = line
    return Listed(tuple(found.items()), tuple(sorted(faults, key=lambda fault: fault.line)))


def _numbers(lines: Iterable[str], faults: list[Fault]) -> Iterable[tuple[int, str]]:
    reader = csv.reader(lines)
    column: int | None = None
    for row in reader:
        cells = [cell.strip().removeprefix("\ufeff") for cell in row]
        if not any(cells):
            continue
        if column is None:
            heading = [cell.casefold() for cell in cells]
            column = heading.index("account") if "account" in heading else 0
            if "account" in heading:
                continue
            if len(cells) > 1:
                faults.append(Fault(reader.line_num, "several columns and none is headed account"))
                return
        if len(cells) <= column or not cells[column]:
            faults.append(Fault(reader.line_num, "no account number in this line"))
            continue
        yield reader.line_num, cells[column]
