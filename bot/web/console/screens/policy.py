"""The practice's policy: what is in force by section, a section to be changed, a proposal as what differs, a second
manager's yes, and every version with who and when.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from sqlalchemy.orm import Session

from billing import policy_changes, policy_fields
from billing.money import plain
from billing.store import policy_change_queries
from billing.store.tables import PolicyChange
from bot.web.console import looked
from bot.web.console.fields import Day, Maybe, Reason, Several
from bot.web.console.table import Action, Asked, Done, Form, Nothing, Seen, View, there

PAGE = 50
Section = Literal["schedule", "plans", "window", "frequency", "payments", "assistance", "collections", "sending",
                  "practice", "console"]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=120)]
Written = Annotated[str, Field(max_length=600)]


@dataclass(frozen=True, slots=True)
class Setting:
    """One field as a person writes it."""

    name: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    section: str
    settings: list[Setting]


@dataclass(frozen=True, slots=True)
class Change:
    """One version or proposal, newest first in a list."""

    change_id: str
    number: int
    status: str
    origin: str
    reason: str
    fields: int
    starts_on: date
    asked_by: str
    asked_at: datetime
    approved_by: str
    approved_at: datetime | None
    in_force_at: datetime | None


@dataclass(frozen=True, slots=True)
class Policy:
    parts: list[Part]
    open: list[Change]


@dataclass(frozen=True, slots=True)
class Versions:
    every: list[Change]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Editor:
    """``rows``: entries of lists, and parts that a practice may do without, by name; each may be taken out.
    ``opened``: a digest of the section as it is.
    """

    section: str
    fields: list[policy_fields.Field]
    rows: list[str]
    opened: str


@dataclass(frozen=True, slots=True)
class Difference:
    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """``mine``: whoever looks asked for it. ``touched``: fields that changed since, so that it cannot be approved."""

    change: Change
    differences: list[Difference]
    refused_by: str
    refused_at: datetime | None
    refused_why: str
    approved_how: str
    mine: bool
    touched: list[str]


def _as_list(value: Any) -> Any:
    """One field left empty is one value, not none."""
    return value if isinstance(value, list) else [value]


class Which(Form):
    section: Section = "schedule"


class Page(Form):
    before: int | None = Field(default=None, ge=1, le=2**31)


class Ask(Form):
    """``names`` and ``values`` side by side: each field of the section and what is to stand in it. What is not named
    stays. ``remove``: entries of lists, such as dunning.steps.2, and parts such as plans. ``opened``: of the page that
    was filled in; with it nothing is proposed that would take back what came into force since.
    """

    section: Section
    names: Several[FieldName]
    values: Annotated[list[Written], Field(max_length=500), BeforeValidator(_as_list)]
    remove: Several[FieldName] = Field(default=[], max_length=500)
    reason: Reason
    starts_on: Maybe[Day] = None
    opened: Maybe[looked.Digest] = None


class Refuse(Form):
    reason: Reason


def read(session: Session, asked: Asked[Nothing]) -> Policy:
    values = policy_changes.in_force(session, asked.practice_id)
    parts = [Part(one, [Setting(field.name, field.kind, field.value) for field in policy_fields.section(one, values)
                        if not field.fresh]) for one in policy_fields.SECTIONS]
    return Policy(parts, [_change(one) for one in policy_change_queries.open_ones(session, asked.practice_id)])


def versions(session: Session, asked: Asked[Page]) -> Versions:
    rows = policy_changes.listing(session, asked.practice_id, asked.query.before, PAGE + 1)
    return Versions([_change(one) for one in rows[:PAGE]], rows[PAGE - 1].number if len(rows) > PAGE else None)


def edit(session: Session, asked: Asked[Which]) -> Editor:
    values = policy_changes.in_force(session, asked.practice_id)
    fields = policy_fields.section(asked.query.section, values)
    rows = dict.fromkeys(one.row for one in fields if one.row and not one.fresh)
    return Editor(asked.query.section, fields, list(rows), _opened(asked.query.section, values))


def _opened(section: str, values: dict[str, Any]) -> str:
    return looked.digest_of([values.get(name) for name in policy_fields.SECTIONS[section]])


def show(session: Session, asked: Asked[Nothing]) -> Proposal | None:
    row = policy_changes.find(session, asked.practice_id, asked.path["change_id"])
    if row is None:
        return None
    current = policy_changes.in_force(session, asked.practice_id)
    told = [Difference(one["field"], _words(one["field"], one["old"]), _words(one["field"], one["new"]))
            for one in row.diff]
    waits = row.status in (policy_changes.ASKED, policy_changes.APPROVED)
    return Proposal(_change(row), told, row.refused_by or "", row.refused_at, row.refused_why, row.approved_how,
                    row.asked_by == asked.person.login, policy_changes.moved(row, current) if waits else [])


def ask(session: Session, asked: Asked[Ask]) -> Done:
    """Propose what differs; the model of the policy file judges it first."""
    form = asked.query
    if len(form.names) != len(form.values):
        raise policy_fields.FieldRefused("each field has one value; open the page again")
    values = policy_changes.in_force(session, asked.practice_id)
    if form.opened is not None and form.opened != _opened(form.section, values):
        raise looked.Moved("this section has changed since you opened it; open it again and write your change anew")
    wanted = policy_fields.filled(form.section, values, dict(zip(form.names, form.values, strict=True)),
                                  frozenset(form.remove))
    row = policy_changes.ask(session, asked.practice_id, wanted, reason=form.reason,
                             starts_on=form.starts_on or asked.today, by=asked.person.login, now=asked.now)
    return Done("policy_change", row.id, f"/policy/changes/{row.id}", "policy_asked", {"change_id": row.id})


def approve(session: Session, asked: Asked[Nothing]) -> Done:
    """A second manager's yes; it is in force from its day."""
    row = policy_changes.approve(session, asked.practice_id, _row(session, asked).id, by=asked.person.login,
                                 now=asked.now)
    return Done("policy_change", row.id, f"/policy/changes/{row.id}", f"policy_{row.status}", {"status": row.status})


def refuse(session: Session, asked: Asked[Refuse]) -> Done:
    """No, or taking one's own back."""
    row = policy_changes.refuse(session, asked.practice_id, _row(session, asked).id, by=asked.person.login,
                                reason=asked.query.reason, now=asked.now)
    return Done("policy_change", row.id, f"/policy/changes/{row.id}", "policy_refused", {"status": row.status})


def _row(session: Session, asked: Asked[Any]) -> PolicyChange:
    return there(policy_changes.find(session, asked.practice_id, asked.path["change_id"]))


def _change(row: PolicyChange) -> Change:
    return Change(row.id, row.number, row.status, row.origin, row.reason, len(row.diff), row.starts_on, row.asked_by,
                  row.asked_at, row.approved_by or "", row.approved_at, row.in_force_at)


def _words(name: str, value: Any) -> str:
    """A value as the editor writes it: amounts in dollars."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return plain(value) if name.endswith("_minor") else str(value)
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


VIEWS = (
    View("policy", "/policy", "read", read, Policy),
    View("policy_versions", "/policy/versions", "read", versions, Versions, Page),
    View("policy_edit", "/policy/edit", "policy", edit, Editor, Which),
    View("policy_change", "/policy/changes/{change_id}", "read", show, Proposal,
         seen=lambda found: Seen("policy_change", found.change.change_id)),
)
ACTIONS = (
    Action("policy.ask", "/policy/changes", "policy", Ask, ask),
    Action("policy.approve", "/policy/changes/{change_id}/approve", "policy", Nothing, approve),
    Action("policy.refuse", "/policy/changes/{change_id}/refuse", "policy", Refuse, refuse),
)
