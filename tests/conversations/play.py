"""Plays a transcript against ``decide`` alone: a small pure stage that keeps what the commands would change.

    account: one_visit          who the number belongs to (people.PEOPLE, several with commas, or nobody)
    verified: yes               starts verified
    state: opted_out            starts opted out (also: closed, locked, declined, chosen, first, carrier, es; plans:
                                the practice has instalment plans, lender: and a lender beside them)
    ---
    > patient's text            "> [card]" a card number was cut out, "> [picture]" a picture came with it
    < our reply                 {...} stands for anything; a line that begins with two spaces goes on
    ! Command words             each command, in order; every word is found in the command's own text
    @ event name                payment_paid, payment_failed, timeout, refused REASON, minutes N, balance_moved,
                                plan_notice and the like, with "key=value" for what is told beside the usual
    = flow.step                 where the conversation stands
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from billing.commands import (
    AgreePlan,
    AskCard,
    ChangePlan,
    ChargeSavedCard,
    Command,
    MakeLink,
    MakeStatement,
    MarkVerified,
    OpenCase,
    RecordDetailPreference,
    RecordIdentityFailure,
    RecordOptOut,
    Refused,
    RemoveCard,
    RequestPayment,
    RestoreConsent,
    SetLanguage,
)
from billing.plan_terms import PlanTerms
from config.practice import TelegramRisk
from handlers.core import Decision, Happened, Reading, Reply, Result, State, Talk, Text, Turn
from handlers.dispatch import decide
from handlers.flows import verify
from handlers.understanding import read
from templates.format import money
from templates.render import Rendered, render
from tests.conversations.people import CLOSED, LENDER, NOW, PEOPLE, PLANS, PRACTICE, TELEGRAM, plan

LINK = "https://pay.maple.example/l/Jk3vQ8sT1xYz2bN5"
MADE = {"check_code": "7K2M-9QXD", "check_url": "https://pay.maple.example/check"}
FRESH = timedelta(minutes=15)
#: Words of Telegram's own, and the template of a text message whose place they take.
SAME_AS = {"telegram_detail_warning": "detail_warning", "telegram_statement": "statement_link"}
AMOUNTS_ALLOWED = TelegramRisk(accepted_by="Dr. Rowan, owner", accepted_on=date(2026, 11, 1), wording_version="2026-11",
                               detail_allowed=True)


@dataclass
class Stage:
    """What the store would hold between two turns."""

    talk: Talk
    candidates: tuple[Any, ...]
    practice: Any = PRACTICE
    now: datetime = NOW
    last: Decision = field(default_factory=Decision)
    said: list[str] = field(default_factory=list)
    rendered: list[Rendered] = field(default_factory=list)
    carrier: bool = False

    def hear(self, text: str, card: bool = False, media: int = 0) -> None:
        reading = read(text, self.talk.language, self.now.date(), self.talk.state)
        self._take(Text(text, card, media, self.carrier and bool(reading.fixed)), reading)

    def happen(self, event: Happened) -> None:
        self._take(event, Reading(""))

    def _take(self, message: Text | Happened, reading: Reading) -> None:
        turn = pictured(Turn(self.talk, message, reading, self.practice, self.candidates, self.now))
        before = repr(turn)
        self.last = decide(turn)
        assert repr(turn) == before, "a decision changed its input"
        marked = [one.account_id for one in self.last.commands if isinstance(one, MarkVerified)]
        assert marked == [name for name in (verify.proved(turn),) if name and marked]
        json.dumps(self.last.state.to_json())
        talk = replace(self.talk, state=State.from_json(json.loads(json.dumps(self.last.state.to_json()))),
                       first_contact=False, language=self.last.language or self.talk.language)
        for command in self.last.commands:
            talk = self._apply(command, talk)
        self.talk = talk
        language = self.last.language or self.talk.language
        self.rendered = [word(reply, language) for reply in self.last.replies]
        self.said = [word(replace(reply, template=SAME_AS.get(reply.template, reply.template)), language).body
                     for reply in self.last.replies]

    def _apply(self, command: Command, talk: Talk) -> Talk:
        match command:
            case MarkVerified(account_id):
                return replace(talk, account_id=account_id, tries=0)
            case RecordIdentityFailure(lock_until):
                return replace(talk, tries=talk.tries + 1, locked_until=lock_until)
            case RecordDetailPreference(account_id, allowed):
                self.candidates = tuple(replace(one, detail_allowed=allowed) if one.account_id == account_id else one
                                        for one in self.candidates)
            case OpenCase(kind="emergency"):
                return replace(talk, emergency=True)
            case SetLanguage(language):
                return replace(talk, language=language, language_chosen=True)
            case OpenCase(hold=hold, account_id=account_id, visit_id=None) if hold:
                self.candidates = tuple(replace(one, holds=tuple(sorted({*one.holds, hold})))
                                        if account_id in (one.account_id, None) else one for one in self.candidates)
            case RecordOptOut():
                return replace(talk, opted_out=True)
            case RestoreConsent():
                return replace(talk, opted_out=False)
        return talk

    def move_balance(self) -> None:
        self.candidates = tuple(replace(one, balance_version=one.balance_version + 1) for one in self.candidates)


def pictured(turn: Turn) -> Turn:
    """As the edge does: only the account that is verified, or that this text proves, brings its visits along."""
    known = verify.proved(turn) or turn.talk.account_id
    bare = tuple(one if one.account_id == known else replace(one, visits=(), payments=(), plans=(), methods=())
                 for one in turn.candidates)
    return replace(turn, candidates=bare)


def word(reply: Reply, language: str) -> Rendered:
    """The reply as the edge would render it, with a link in place of what a command will have made."""
    filled = {name: MADE.get(value.ref, LINK) if isinstance(value, Result) else value
              for name, value in reply.arguments.items()}
    json.dumps(filled)
    return render(reply.template, language, filled, "web")


def stage(header: dict[str, str], language: str, channel: str = "sms") -> Stage:
    names = [name.strip() for name in header["account"].split(",") if name.strip() != "nobody"]
    marks = header.get("state", "").replace(",", " ").split()
    people = tuple(PEOPLE[name] for name in names)
    state = State(data={"declined": [names[0]]}) if "declined" in marks else State()
    locked = NOW + timedelta(hours=1) if "locked" in marks else None
    spoken = "es" if "es" in marks else "en" if "en" in marks else language
    talk = Talk("conv", channel, spoken, "chosen" in marks, state,
                names[0] if header.get("verified") == "yes" else None, 0, locked, "opted_out" in marks,
                "first" in marks)
    practice = CLOSED if "closed" in marks else TELEGRAM if "telegram" in marks else PRACTICE
    if "plans" in marks or "lender" in marks:
        update = {"payments": LENDER} if "lender" in marks else {}
        practice = replace(practice, policy=PLANS.model_copy(update=update))
    if channel == "telegram":
        practice = replace(practice, policy=practice.policy.model_copy(update={"telegram": AMOUNTS_ALLOWED}))
    return Stage(talk, people, practice, carrier="carrier" in marks)


def play(path: Path, channel: str = "sms") -> None:
    """On Telegram the same is said, but for the warning, which is in words of its own.

    Raises AssertionError naming file and line where the conversation went another way."""
    head, _, body = path.read_text(encoding="utf-8").partition("---\n")
    header = dict(line.split(": ", 1) for line in head.splitlines() if line.strip() and not line.startswith("#"))
    on = stage(header, path.parent.name, channel)
    offset = head.count("\n") + 1
    pending: list[str] = []
    commands: list[Command] = []
    for number, kind, words in _lines(body, offset):
        where = f"{path.parent.name}/{path.name}:{number}"
        if kind in ">@":
            _all_said(pending, commands, where)
            _act(on, kind, words)
            pending, commands = list(on.said), list(on.last.commands)
        elif kind == "<":
            assert pending, f"{where}: expected {words!r}, but nothing more was said"
            _same(words, pending.pop(0), where)
        elif kind == "!":
            _command(words, commands, where)
        elif kind == "=":
            stands = f"{on.talk.state.flow}.{on.talk.state.step}"
            assert stands == words, f"{where}: the conversation stands at {stands}"
    _all_said(pending, commands, f"{path.parent.name}/{path.name}: end")


def _lines(body: str, offset: int) -> Iterator[tuple[int, str, str]]:
    gathered: list[tuple[int, str, str]] = []
    for number, line in enumerate(body.splitlines(), offset + 1):
        if line.startswith("  ") and gathered:
            at, kind, words = gathered[-1]
            gathered[-1] = (at, kind, f"{words}\n{line.strip()}")
        elif line.strip() and not line.startswith("#"):
            gathered.append((number, line[0], line[2:].strip()))
    yield from gathered


def _act(on: Stage, kind: str, words: str) -> None:
    if kind == ">":
        card, media = words.startswith("[card]"), words.startswith("[picture]")
        on.now += timedelta(minutes=1)
        on.hear(re.sub(r"^\[(?:card|picture)\] ?", "", words), card, int(media))
        return
    name, _, rest = words.partition(" ")
    if name == "minutes":
        on.now += timedelta(minutes=int(rest))
        on.said, on.last = [], Decision()
        if timedelta(minutes=int(rest)) > FRESH:
            on.talk = replace(on.talk, account_id=None)
    elif name == "balance_moved":
        on.move_balance()
        on.said, on.last = [], Decision()
    else:
        on.happen(_event(on, name, rest))


def _event(on: Stage, name: str, rest: str) -> Happened:
    if name == "refused":
        reason, _, what = rest.partition(" ")
        command: Command = RequestPayment("one_visit", 4500, (("march", 4500),), 7, "en")
        if what == "statement":
            command = MakeStatement("one_visit", "en", 7)
        elif what == "link":
            command = MakeLink("receipt", "one_visit")
        elif what:
            command = _about_plans(what, on.candidates[0].account_id)
        return Happened("command_refused", refused=Refused(command, reason))
    account = on.candidates[0].account_id if on.candidates else "gone"
    usual = {"account_id": account, "payment_id": "pay_1", "amount_minor": 4500}
    if name.startswith(("plan_", "card_")):
        usual = {"account_id": account, "plan_id": "plan_1", "instalment": 4, "amount_minor": 5000,
                 "due_on": "2026-11-15", "last4": "4242", "method_kind": "card", "left_minor": 45000}
    told = dict(word.partition("=")[::2] for word in rest.split())
    return Happened(name, {**usual, **told})


def _about_plans(what: str, account: str) -> Command:
    """A command of ``account`` that billing refuses: charge, agree, skip, revoke, remove or give (a card)."""
    commands: dict[str, Command] = {
        "charge": ChargeSavedCard(account, "pm_1", 4500, (("march", 4500),), 7, "en", "words", "1"),
        "agree": AgreePlan(account, PlanTerms("month", (15,), (), ()), "words", "1", 7, "en"),
        "skip": ChangePlan(account, plan().plan_id, 3, "skip", "skip it", number=4),
        "revoke": ChangePlan(account, plan().plan_id, 3, "pay_by_link", "don't charge me"),
        "remove": RemoveCard(account, "pm_1", "yes"), "give": AskCard(account, "card", "en")}
    return commands[what]


def _same(expected: str, said: str, where: str) -> None:
    pattern = ".*".join(re.escape(part) for part in expected.split("{...}"))
    assert re.fullmatch(pattern, said, re.DOTALL), f"{where}: expected\n  {expected}\nbut was said\n  {said}"


def _command(words: str, commands: list[Command], where: str) -> None:
    assert commands, f"{where}: no command left for {words!r}"
    shown = describe(commands.pop(0))
    missing = [word for word in words.split() if word not in shown]
    assert not missing, f"{where}: {missing} not in {shown!r}"


def _all_said(pending: list[str], commands: list[Command], where: str) -> None:
    assert not pending, f"{where}: before this was also said\n  " + "\n  ".join(pending)
    assert not commands, f"{where}: before this was also done\n  " + "\n  ".join(map(describe, commands))


def describe(command: Command) -> str:
    """``RequestPayment 25.00 march=25.00 ...``: a command in words that a transcript can name."""
    parts = [type(command).__name__]
    for each in fields(command):
        value = getattr(command, each.name)
        if each.name == "amount_minor" and value is not None:
            value = money(value, "USD", "en").removeprefix("$")
        elif each.name == "split":
            value = " ".join(f"{visit}={money(part, 'USD', 'en').removeprefix('$')}" for visit, part in value)
        parts.append(f"{each.name}={value}" if each.name not in ("amount_minor", "split") else str(value))
    shown = " ".join(parts)
    for own, instead in SAME_AS.items():
        shown = shown.replace(own, instead)
    return shown
