"""The same step for many rows, looked at before it is taken: the preview is the step itself, tried and taken back. What
is done then is what was looked at, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from billing.rehearsals import rehearse
from bot.web.console import looked
from bot.web.console.serving import REFUSED, verdict
from bot.web.console.table import Asked, Done, Missing

#: Does it to one row and says with a code, or an amount in cents beside it, what came of it.
Step = Callable[[str], "Came"]


class StepRefused(ValueError):
    """A step that does not go as things stand. The text says why; no PHI."""


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
    """``action``: where the form goes below /console; ``fields``: as they were filled in; ``ids``: their field;
    ``digest``: of what would become of the rows that can.
    """

    list_name: str
    action: str
    ids: str
    fields: list[Field]
    rows: list[Tried]
    able: int
    digest: str


def carry_out(session: Session, asked: Asked[Any], ids: str, kind: str, step: Step, *, list_name: str, action: str,
              ) -> Done:
    """Take ``step`` for every row of the form's field ``ids``: all of them or none. Without ``sure`` show what it would
    do to each, and change nothing. Raises Missing and what ``step`` raises.
    """
    chosen: Sequence[str] = list(dict.fromkeys(getattr(asked.query, ids)))
    if asked.query.sure:
        looked.require_same(asked.query, _told((one, step(one)) for one in chosen))
        return Done(kind, chosen[0], f"/worklists/{list_name}", "worked", {"done": list(chosen)},
                    others=tuple(chosen[1:]))
    # One after another, as they will be done: what a row's step does may be another row's obstacle.
    tried = rehearse(session, lambda: [(one, *_try(session, one, step)) for one in chosen])
    able = [(one, came) for one, came, _ in tried if came is not None]
    told = Trial(list_name, action, ids, _fields(asked.query, ids), [_row(*one) for one in tried], len(able),
                 looked.digest_of(_told(able)))
    return Done(kind, chosen[0], f"/worklists/{list_name}", "", told, "work_preview", others=tuple(chosen[1:]),
                tried=True)


def _told(came: Iterable[tuple[str, Came]]) -> list[tuple[str, str, int | None]]:
    return [(row_id, one.state, one.amount_minor) for row_id, one in came]


def _row(row_id: str, came: Came | None, refused: str) -> Tried:
    return Tried(row_id, "", "", None, refused) if came is None else Tried(
        row_id, came.label, came.state, came.amount_minor, "")


def _try(session: Session, row_id: str, step: Step) -> tuple[Came | None, str]:
    """What came of it, or why nothing does."""
    try:
        with session.begin_nested():
            return step(row_id), ""
    except Missing:
        raise
    except REFUSED as error:
        found = verdict(error)
        if found is None:
            raise
        return None, found[1] or "There is no such row any more."


def _fields(form: Any, ids: str) -> list[Field]:
    """Everything else that was filled in, to be sent again with the yes."""
    found = []
    for name in type(form).model_fields:
        value = getattr(form, name)
        if name in (ids, "sure", "digest") or value is None or value == "" or value is False:
            continue
        found.append(Field(name, "true" if value is True else str(value)))
    return found
