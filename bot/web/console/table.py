"""What the console is made of: views that read and actions that change, each served as a page and as JSON.

One table serves both, so a program may do what a person may, by the same right, and no more. A view reads in one
transaction and leaves its line in the audit trail; an action runs in one, with its line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from billing.sign_in import Person
from bot.web.wiring import Wiring
from config.practice import PracticePolicy

Q = TypeVar("Q", bound=BaseModel)
F = TypeVar("F")

#: See billing/staff.py: RIGHTS.
Right = Literal["read", "export", "audit", "cases", "import", "holds", "confirm", "send", "approve", "policy", "staff"]


#: From where somebody comes to one person's account, thread or message: what the trail says for why (T-36).
VIAS = frozenset({"account", "campaign", "case", "done", "import", "inbox", "incident", "list", "message", "money",
                  "reminders", "search", "thread", "undo", "worklist"})


class Missing(Exception):
    """There is no such thing, or it is another practice's: the same answer for both."""


class Form(BaseModel):
    """What may be asked or filled in: its fields and no others."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Form):
    """No query, no form."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[Q]):
    """One request of somebody signed in. ``query``: what was asked or filled in; ``path``: the address's own parts."""

    person: Person
    policy: PracticePolicy
    wiring: Wiring
    path: Mapping[str, str]
    query: Q
    now: datetime
    language: str
    #: Out of which work of theirs somebody opens this, a code of VIAS; empty: from an address typed or kept.
    via: str = ""

    @property
    def practice_id(self) -> str:
        return self.person.practice_id

    @property
    def today(self) -> date:
        """The practice's own day."""
        return self.policy.local_day(self.now)


@dataclass(frozen=True, slots=True)
class Seen:
    """Whose data a view showed, for the audit trail (T-36): our id, never a source's number."""

    kind: str
    object_id: str
    why: str = ""


def of_practice(what: str) -> Callable[[Any], Seen]:
    """``View.seen`` of a list: whoever looked at it saw lines of many people."""
    return lambda found: Seen("practice", what)


def there(found: F | None) -> F:
    """``found``, unless it is nothing or None. Raises Missing."""
    if found is None:
        raise Missing
    return found


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did. ``to``: where the console goes on, below /console; ``note``: a key of its words.

    ``page``: shown at once instead, with ``result`` as what was found: for what is told only once, and for searches,
    whose words (a name, a telephone number) must stand in no address.
    ``others``: what else it was done to; ``tried``: it was looked at and taken back, and the trail says so.
    """

    kind: str
    object_id: str
    to: str
    note: str = "done"
    result: Any = field(default_factory=dict)
    page: str = ""
    others: tuple[str, ...] = ()
    tried: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """Something to look at. ``read`` returns None for what is not there, or not this practice's.

    ``name`` is its template and its words; ``model`` the dataclass that ``read`` returns, and the API's answer.
    ``quiet``: a page asks for it by itself, so it keeps nobody signed in and leaves a line once an hour.
    ``leaves``: what the look itself writes down beyond the trail.
    """

    name: str
    path: str
    right: Right
    read: Callable[[Session, Asked[Any]], Any]
    model: Any
    query: type[BaseModel] = Nothing
    seen: Callable[[Any], Seen | None] = lambda found: None
    quiet: bool = False
    leaves: Callable[[Session, Asked[Any]], None] | None = None


@dataclass(frozen=True, slots=True)
class File:
    """Something to keep: a PDF, a list as CSV, a picture that a patient sent. Its name holds nothing of anybody."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Download:
    """A view that is a file. ``make`` turns what was read into bytes, outside of any transaction."""

    name: str
    path: str
    right: Right
    read: Callable[[Session, Asked[Any]], Any]
    make: Callable[[Any, Asked[Any]], File]
    query: type[BaseModel] = Nothing
    seen: Callable[[Any], Seen | None] = lambda found: None


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do. ``form`` says what has to be filled in; ``do`` raises what billing refuses, in words."""

    name: str
    path: str
    right: Right
    form: type[BaseModel]
    do: Callable[[Session, Asked[Any]], Done]
    upload: bool = False  # the form comes with a file, in ``form``'s field ``file``
    #: What goes on outside of any transaction once it is done and kept; it may wait a moment, never for long.
    after: Callable[[Asked[Any], Done], Awaitable[None]] | None = None
    #: Its look may take long (``form`` is a looked.Form): where there is one writer, it works on a copy (SQLite).
    looks_apart: bool = False
