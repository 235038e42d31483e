"""The console's lines in the audit trail: of a look, of what was done, and of what was only tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing.store import trail
from bot.web.console.table import Asked, Done, Download, Seen, View

#: A page that renews itself shows the same again and again: whoever has a line of it this young needs no other.
RENEWS = timedelta(hours=1)


#: What belongs to one person: opening it has a reason.
OF_ONE = frozenset({"account", "conversation", "message"})


def owed(session: Session, asked: Asked[Any], view: View | Download, found: Any) -> Seen | None:
    """What a look at ``found`` has to leave in the trail; None where nothing, or where it stands there already."""
    seen = view.seen(found)
    if seen is None or not (isinstance(view, View) and view.quiet):
        return seen
    known = trail.has_read(session, asked.practice_id, asked.person.login, seen.kind, seen.object_id,
                           asked.now - RENEWS)
    return None if known else seen


def of_look(session: Session, asked: Asked[Any], view: View | Download, seen: Seen | None) -> None:
    """All that a look writes, in one transaction: its line, and what the view itself leaves."""
    if seen is not None:
        trail.note(session, asked.practice_id, asked.person.login, "export" if isinstance(view, Download) else "read",
                   seen.kind, seen.object_id, asked.now, seen.why or _why(asked, view, seen))
    if isinstance(view, View) and view.leaves is not None:
        view.leaves(session, asked)


def _why(asked: Asked[Any], view: View | Download, seen: Seen) -> str:
    """Which page, and for one person's out of which work it was opened; "direct" out of none that is known."""
    page = f"console {view.name}"
    if seen.kind not in OF_ONE or (isinstance(view, View) and view.quiet):
        return page
    return f"{page}: {asked.via or 'direct'}"


def of_act(session: Session, asked: Asked[Any], name: str, done: Done) -> None:
    """A line for each thing that it was done to; what was only tried says so."""
    for object_id in dict.fromkeys((done.object_id, *done.others)):
        trail.note(session, asked.practice_id, asked.person.login, f"{name}.tried" if done.tried else name, done.kind,
                   object_id, asked.now)
