"""The same step for many rows, looked at before it is taken: the preview is the step itself, tried and taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from billing.rehearsals import rehearse
from bot.web.console.serving import REFUSED, Missing, verdict
from bot.web.console.table import Asked, Done

#: Does it to one row and says with a code, or an amount in cents beside it, what came of it.
Step = Callable[[str], "Came"]


@dataclass(frozen=True, slots=True)
class Came:
    """What one step led to. ``label`` names the row for people: a number of ours, never a name."""

    label: str
    state: str
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    row_id: str
    label: str
    state: str
    amount_minor: int | None
    refused: str


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Trial:
    """``action``: where the form goes below /console; ``fields``: as they were filled in; ``ids``: their field."""

    list_name: str
    action: str
    ids: str
    fields: list[Field]
    rows: list[Tried]
    able: int


def carry_out(session: Session, asked: Asked[Any], ids: str, kind: str, step: Step, *, list_name: str, action: str,
              ) -> Done:
    """Take ``step`` for every row of the form's field ``ids``: all of them or none. Without ``sure`` show what it would
    do to each, and change nothing. Raises Missing and what ``step`` raises.
    """
    chosen: Sequence[str] = list(dict.fromkeys(getattr(asked.query, ids)))
    if asked.query.sure:
        for one in chosen:
            step(one)
        return Done(kind, chosen[0], f"/worklists/{list_name}", "worked", {"done": list(chosen)})
    rows = [_try(session, one, step) for one in chosen]
    told = Trial(list_name, action, ids, _fields(asked.query, ids), rows, sum(not one.refused for one in rows))
    return Done(kind, chosen[0], f"/worklists/{list_name}", "", told, "work_preview")


def _try(session: Session, row_id: str, step: Step) -> Tried:
    try:
        came = rehearse(session, lambda: step(row_id))
    except Missing:
        raise
    except REFUSED as error:
        found = verdict(error)
        if found is None:
            raise
        return Tried(row_id, "", "", None, found[1] or "There is no such row any more.")
    return Tried(row_id, came.label, came.state, came.amount_minor, "")


def _fields(form: Any, ids: str) -> list[Field]:
    """Everything else that was filled in, to be sent again with the yes."""
    found = []
    for name in type(form).model_fields:
        value = getattr(form, name)
        if name in (ids, "sure") or value is None or value == "" or value is False:
            continue
        found.append(Field(name, "true" if value is True else str(value)))
    return found
