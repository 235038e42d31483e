"""The data of a turn: what came in, what is known, and what is decided. Nothing here acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from billing.commands import Command, Refused
from billing.views import AccountView, PracticeView

Day = date  # inside Slots the field ``date`` hides the type


@dataclass(frozen=True, slots=True)
class State:
    """Where a conversation stands. ``flow`` is a module of handlers/flows, ``step`` a name in its STEPS;
    ``data`` is JSON-able; ``after`` is the intent to go on with once identity is proved.
    """

    flow: str = ""
    step: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    after: str = ""
    misses: int = 0  # texts in a row that were not understood
    asked_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {"flow": self.flow, "step": self.step, "data": dict(self.data), "after": self.after,
                "misses": self.misses, "asked_at": self.asked_at.isoformat() if self.asked_at else None}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> State:
        if not value:
            return cls()
        asked = value.get("asked_at")
        return cls(value["flow"], value["step"], value["data"], value["after"], value["misses"],
                   datetime.fromisoformat(asked) if asked else None)


IDLE = State()


@dataclass(frozen=True, slots=True)
class Slots:
    """What the grammar found, never guessed. Amounts in cents."""

    amount_minor: int | None = None
    amount_is_all: bool = False
    ambiguous_amount: bool = False  # "two fifty": ask back
    date: Day | None = None
    day_of_month: int | None = None
    count: int | None = None
    interval: str | None = None  # week, two_weeks, twice_month, month
    choices: tuple[int, ...] = ()  # "1 and 3" of a numbered list
    visit: str | None = None
    born_on: Day | None = None
    postal_code: str | None = None
    passcode: str | None = None  # six digits, where identity is asked for or a ZIP code stands beside them
    said: str = ""  # the words of a wish that had to wait for identity; a flow reads more of them than fits in slots


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text was read. ``fixed`` is set for words that code alone decides on (T-13); ``certain`` where those or
    the grammar of yes and no decided, and no model: only such a yes may move money.
    """

    text: str
    language: str | None = None  # en, es, other, or None when the text does not tell
    intent: str = "out_of_scope"
    confidence: float = 0.0
    slots: Slots = Slots()
    fixed: str = ""  # opt_out, opt_in, help, human, emergency, card_number, wrong_number
    certain: bool = False
    foreign: str = ""  # ISO 639-1 code beside language "other"


@dataclass(frozen=True, slots=True)
class Text:
    """A message from a patient. ``card_number`` when one was found and cut out before storing (T-52)."""

    body: str
    card_number: bool = False
    media: int = 0
    answered_by_carrier: bool = False  # the carrier already confirmed STOP / START / HELP itself


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that is no text: a payment became paid or failed, a command was refused, the patient fell silent."""

    kind: str  # payment_paid, payment_failed, command_refused, timeout, answer_withheld
    data: Mapping[str, Any] = field(default_factory=dict)
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """The conversation as it stands before this turn."""

    conversation_id: str
    channel: str
    language: str
    language_chosen: bool
    state: State
    account_id: str | None  # verified and still fresh (T-34: 15 minutes idle)
    tries: int
    locked_until: datetime | None
    opted_out: bool
    first_contact: bool = False
    emergency: bool = False  # one was heard here, and nobody has cleared it yet
    last_text_at: datetime | None = None  # when the person wrote last, before this turn
    taken: bool = False  # somebody of the practice answers here, and the bot keeps still


@dataclass(frozen=True, slots=True)
class Turn:
    talk: Talk
    message: Text | Happened
    reading: Reading
    practice: PracticeView
    candidates: tuple[AccountView, ...]  # the confirmed accounts on this number
    now: datetime  # aware UTC

    @property
    def account(self) -> AccountView | None:
        return next((a for a in self.candidates if a.account_id == self.talk.account_id), None)


@dataclass(frozen=True, slots=True)
class Result:
    """Stands in a reply's arguments for what the command named ``ref`` will have made."""

    ref: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A template by name with its typed arguments; rendered after the commands have applied.

    ``purpose``: reply, stop_confirmation, start_confirmation, help, emergency, receipt.
    """

    template: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = "reply"


@dataclass(frozen=True, slots=True)
class Decision:
    replies: tuple[Reply, ...] = ()
    state: State = IDLE
    commands: tuple[Command, ...] = ()
    language: str = ""  # language to answer in; empty: the conversation's

    def also(self, *commands: Command) -> Decision:
        return replace(self, commands=self.commands + commands)
