"""The stage of the random conversations: play.Stage with what the edge does around a decision as well.

Proof lapses after 15 idle minutes, a question is put away after 30, a refused command comes back as an event, a
payment that was asked for exists and can be paid. Every turn is kept as a Moment, for the judge.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from billing import cards
from billing.commands import (
    AgreePlan,
    AskCard,
    CancelPayment,
    ChangePlan,
    ChargeSavedCard,
    Command,
    ForgetVerification,
    MakeLink,
    MakeStatement,
    MarkWrongNumber,
    OfferPlan,
    Refused,
    RemoveCard,
    RequestPayment,
)
from billing.views import AccountView, PaymentView
from handlers.core import Decision, Happened, Reading, State, Talk, Text, Turn
from handlers.dispatch import decide
from handlers.flows.table import INTENTS
from handlers.understanding import read
from templates.render import Rendered
from tests.conversations import crowds
from tests.conversations.mutations import Script, Step
from tests.conversations.people import TELEGRAM
from tests.conversations.play import Stage, describe, pictured, stage, word

_REFUSED = (RequestPayment, ChargeSavedCard, AgreePlan, OfferPlan, ChangePlan, RemoveCard, AskCard, MakeStatement,
            MakeLink)
FRESH, ANSWER = timedelta(minutes=15), timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Moment:
    """One turn. ``turn`` is what was decided on, ``people`` are the accounts with all that the store knows of them."""

    step: Step
    turn: Turn
    decision: Decision
    rendered: tuple[Rendered, ...]
    after: Talk
    people: tuple[AccountView, ...]
    language: str

    @property
    def is_text(self) -> bool:
        return self.step.kind == ">"


@dataclass
class Thread(Stage):
    """A random conversation under way."""

    moments: list[Moment] = field(default_factory=list)
    log: list[tuple[Step, list[Moment]]] = field(default_factory=list)
    idle_since: datetime | None = None
    asked_at: datetime | None = None
    refusal: str = ""
    together: int = 0
    step: Step = field(default_factory=lambda: Step(">", ""))
    payments: int = 0
    mishears: bool = False  # whatever only a model would say of a text is any intent at all, with any confidence

    def act(self, step: Step) -> None:
        """Let one step happen; what it leads to is at the end of ``moments``."""
        self.step = step
        self.log.append((step, []))
        if step.kind == ">":
            self._write(step.words)
            return
        name, _, rest = step.words.partition(" ")
        if name == "minutes":
            self.wait(int(rest))
        elif name == "refuse":
            self.refusal = rest
        elif name == "at_once":
            self.together = 2
        elif name == "balance_moved":
            self.move_balance()
        elif name == "payment_paid":
            self._be_paid()
        elif name.startswith(("plan_", "card_")):
            self._hear_of_plan(name)
        else:
            self.happen(Happened(name, self._news()))

    def wait(self, minutes: int) -> None:
        """Time passes; the tick puts away a question that is open too long."""
        until = self.now + timedelta(minutes=minutes)
        if self.talk.state.flow and self.asked_at is not None and until > self.asked_at + ANSWER:
            self.now = max(self.now, self.asked_at + ANSWER + timedelta(seconds=20))
            self.step = Step("@", "timeout")
            self.happen(Happened("timeout"))
        self.now = max(until, self.now)

    def _write(self, words: str) -> None:
        self.now += timedelta(minutes=0 if self.together == 1 else 1)
        self.together = max(0, self.together - 1)
        media = words.startswith("[picture]")
        body = re.sub(r"^\[(?:card|picture)\] ?", "", words)
        clean = cards.redact(body)
        if not self._is_fresh():
            self.talk = replace(self.talk, account_id=None)
        self.idle_since = self.now
        self.hear(clean.text, clean.found or words.startswith("[card]"), int(media))

    def hear(self, text: str, card: bool = False, media: int = 0) -> None:
        reading = read(text, self.talk.language, self.now.date(), self.talk.state)
        if self.mishears:
            reading = mishear(reading)
        self._take(Text(text, card, media, self.carrier and bool(reading.fixed)), reading)

    def _is_fresh(self) -> bool:
        return self.idle_since is None or self.now - self.idle_since <= FRESH

    def _take(self, message: Text | Happened, reading: Reading) -> None:
        talk = self.talk if self._is_fresh() else replace(self.talk, account_id=None)
        practice = replace(self.practice, answer_by_at=self.now + timedelta(hours=7))
        turn = pictured(Turn(talk, message, reading, practice, self.candidates, self.now))
        before = repr(turn)
        decision = decide(turn)
        assert repr(turn) == before, "a decision changed its input"
        refused = next((one for one in decision.commands if isinstance(one, _REFUSED)), None)
        if self.refusal and refused is not None:
            event = Happened("command_refused", refused=Refused(refused, self.refusal))
            self.refusal = ""
            turn = replace(pictured(Turn(talk, event, Reading(""), practice, self.candidates, self.now)),
                           reading=reading)
            decision = decide(turn)
        self._settle(turn, decision)

    def _settle(self, turn: Turn, decision: Decision) -> None:
        stored = State.from_json(json.loads(json.dumps(decision.state.to_json())))
        talk = replace(self.talk, state=stored, first_contact=False, language=decision.language or self.talk.language)
        people = self.candidates
        for command in decision.commands:
            talk = self._apply(command, talk)
        language = decision.language or talk.language
        self.last, self.talk = decision, talk
        self.asked_at = self.now if stored.flow else None
        self.rendered = [word(reply, language) for reply in decision.replies]
        self.said = [one.body for one in self.rendered]
        moment = Moment(self.step, turn, decision, tuple(self.rendered), talk, people, language)
        self.moments.append(moment)
        self.log[-1][1].append(moment)

    def _apply(self, command: Command, talk: Talk) -> Talk:
        match command:
            case ForgetVerification():
                return replace(talk, account_id=None)
            case MarkWrongNumber():
                self.candidates = ()
                return replace(talk, account_id=None)
            case RequestPayment(account_id, amount_minor, split):
                self.payments += 1
                made = PaymentView(f"made_{self.payments}", amount_minor, "link_sent", "card", self.now, None, split)
                self._change(account_id, lambda one: replace(one, payments=(made, *one.payments)))
            case RemoveCard(account_id, method_id):
                self._change(account_id, lambda one: replace(one, methods=tuple(
                    each for each in one.methods if each.method_id != method_id)))
            case ChangePlan(account_id, plan_id, change="pay_by_link"):
                self._change(account_id, lambda one: replace(one, plans=tuple(
                    replace(each, collects="link", method=None, version=each.version + 1)
                    if each.plan_id == plan_id else each for each in one.plans)))
            case CancelPayment(payment_id):
                self.candidates = tuple(replace(one, payments=tuple(
                    replace(p, status="cancelled") if p.payment_id == payment_id else p for p in one.payments))
                    for one in self.candidates)
        return super()._apply(command, talk)

    def _change(self, account_id: str, change: object) -> None:
        assert callable(change)
        self.candidates = tuple(change(one) if one.account_id == account_id else one for one in self.candidates)

    def _be_paid(self) -> None:
        """The newest open payment is paid; without one, news come of a payment that we do not know."""
        for account in self.candidates:
            for one in account.payments:
                if one.status == "link_sent":
                    paid = replace(one, status="succeeded", paid_at=self.now)
                    self._change(account.account_id, lambda who, paid=paid: crowds.pay(who, paid))
                    self.happen(Happened("payment_paid", {"account_id": account.account_id, "amount_minor":
                                                          paid.amount_minor, "payment_id": paid.payment_id}))
                    return
        self.happen(Happened("payment_paid", self._news()))

    def _hear_of_plan(self, name: str) -> None:
        """News of the first account's plan; none where it has none."""
        for account in self.candidates[:1]:
            for one in account.plans:
                part = one.instalments[-1]
                self.happen(Happened(name, {
                    "account_id": account.account_id, "plan_id": one.plan_id, "amount_minor": part.open_minor,
                    "due_on": part.due_on.isoformat(), "left_minor": one.left_minor, "last4": "4242"}))

    def _news(self) -> dict[str, object]:
        account = self.candidates[0].account_id if self.candidates else "gone"
        return {"account_id": account, "payment_id": "pay_1", "amount_minor": 4500}


def mishear(reading: Reading) -> Reading:
    """Another intent for what neither fixed words nor the grammar decided; for the same text always the same."""
    if reading.fixed or reading.certain or reading.foreign:
        return reading
    dice = random.Random(zlib.crc32(reading.text.encode("utf-8", "replace")))
    return replace(reading, intent=dice.choice(sorted(INTENTS)), confidence=dice.random())


def begin(script: Script, *, mishears: bool = False) -> Thread:
    """The thread of a script, before its first step."""
    base = stage({"account": script.account, "verified": "yes" if script.verified else "no", "state": script.marks},
                 script.language)
    talk, practice = replace(base.talk, channel=script.channel), base.practice
    if script.channel == "telegram":  # whose risk the practice has accepted
        practice = replace(practice, policy=TELEGRAM.policy)
    return Thread(talk, crowds.tell_apart(base.candidates), practice, base.now, carrier=base.carrier,
                  mishears=mishears)


def transcript(script: Script, thread: Thread) -> str:
    """What happened, as a file of tests/conversations/en or es; amounts are those of crowds.tell_apart."""
    lines = [f"# seed {script.seed}, {script.language}, {script.channel}", f"account: {script.account}"]
    lines += ["verified: yes"] if script.verified else []
    lines += [f"state: {script.marks}"] if script.marks else []
    lines.append("---")
    for step, moments in thread.log:
        lines += _told(step, moments)
    return "\n".join(lines)


def _told(step: Step, moments: list[Moment]) -> list[str]:
    lines = [f"{step.kind} " + step.words.replace("\n", "\n  ")]
    for moment in moments:
        refused = moment.turn.message
        if isinstance(refused, Happened) and refused.refused is not None:
            lines[0] = f"# {lines[0]}"
            lines.append(f"@ refused {refused.refused.reason}")
        lines += ["< " + one.body.replace("\n", "\n  ") for one in moment.rendered]
        lines += ["! " + " ".join(describe(one).split()[:2]) for one in moment.decision.commands]
        lines.append(f"= {moment.after.state.flow}.{moment.after.state.step}")
    return lines
