"""One gate: what is known about one message or one charge goes in as facts, one ruling comes out.

Pure: no clock, no database, no network. ``decide`` asks every rule in the register's order; the strictest answer
wins (withhold over defer over send), among deferrals the latest moment, among equals the earlier rule. The gate is
asked twice about each message, when it is queued and when it is sent; there is no way round it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, TypeVar

from billing.own_hours import OwnHours
from billing.policy.kept import kept
from config.practice import PracticePolicy

Stage = Literal["queueing", "sending"]
Outcome = Literal["send", "defer", "withhold"]
Evidence = Literal["V", "S", "M", "own"]

DEMANDS = frozenset({"statement", "reminder"})
"""Texts that ask for money on our own initiative."""

MANDATED = frozenset({"stop_confirmation", "start_confirmation", "help", "emergency"})
"""Answers that carriers require or a life may hang on: they pass stops that silence everything else."""

ANSWERS = frozenset({"reply", "receipt", "staff", "notice"})
"""What a conversation, a payment, a person of the office (staff) or the office as such (notice) says to a patient."""

PURPOSES = DEMANDS | MANDATED | ANSWERS

NOT_TEXTS = frozenset({"email", "paper"})
"""Channels that are neither a text nor a chat: what telephone law and carriers ask does not reach them."""

OF_THE_MOMENT = frozenset({"paying", "not-due", "too-small", "under-way", "try-later", "notice-waits", "one-a-day"})
"""What stops a charge beside the rules: somebody is paying the same in that moment (billing/saved_charges.py), or it
did not come to the gate (billing/plan_put_off.py).
"""

ANSWER_COUNTS_FOR = timedelta(days=7)
"""How long after the patient's last text a reply (a person's answer after a long weekend) still is one."""


@dataclass(frozen=True, slots=True)
class PracticeFacts:
    policy: PracticePolicy
    configured: bool = True
    takes_replies: bool = True  # of the channel used
    vendor: str = ""  # whose network carries the text, as named in policy.baa_signed; empty: none but ours


# The classes of facts have no slots: what is derived from them is asked by many rules and kept, and
# billing/gate_sets.py makes them by the million as variations of one.
@dataclass(frozen=True)
class MessageFacts:
    """The message, and what reading its body has shown. The body itself stays in the outbox: facts hold no PHI."""

    purpose: str
    template: str = ""
    template_version: str = ""
    privacy: Literal["open", "amounts"] = "open"
    internal: bool = False  # to the practice's own people, about no account
    language: str = "en"
    channel: str = "sms"
    segments: int = 1
    inbound_age: timedelta | None = None  # since the text that it answers; None: it answers none
    carrier_answered: bool = False  # the carrier already replied to that STOP, START or HELP
    amount_minor: int | None = None
    balance_version: int | None = None
    statement_id: str | None = None
    introduces: bool = False  # programme, HELP, STOP, frequency and rates are all in the body (T-14)
    says_no_replies: bool = False  # the body says that nobody reads replies, and gives another way (T-07)
    links: int = 0
    shorteners: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()  # kinds of account ids found in the body (T-39)
    card_number: bool = False
    campaign: str = ""  # the state of the bulk run that it belongs to; empty: it belongs to none
    says_opt_out: bool = False  # the body says how to stop messages like it (T-22)
    says_collector: bool = False  # the body says that it comes from a debt collector (T-26)
    room_at: datetime | None = None  # when the carrier's caps have room for it (T-16); empty: now
    says_attempt: bool = False  # the body says that it attempts to collect a debt, and what answers are used for (T-26)
    validates: bool = False  # it is the notice with the validation information (T-28)
    bad_words: tuple[str, ...] = ()  # lawsuit, credit report, debt relief: kinds found in the body (T-15, T-30, T-46)


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone in which the recipient may be. ``known_by``: address, zip, area_code, practice."""

    name: str
    known_by: str


@dataclass(frozen=True)
class RecipientFacts:
    guarantor_id: str | None = None
    confirmed: bool = True
    region: str | None = None
    zones: tuple[Zone, ...] = ()
    opted_out: bool = False
    opt_out_event_id: int | None = None
    consent_event_id: int | None = None
    consent_complete: bool = False
    contact_status: str = "ok"  # ok, wrong_number, unreachable
    detail_event_id: int | None = None  # T-33: warned, and asked for amounts by text
    verified: bool = False
    verified_idle: timedelta | None = None  # since the verified person last wrote
    locked: bool = False
    demands_at: tuple[datetime, ...] = ()  # sent to this number in the last 24 hours
    confirmations: int = 0  # STOP confirmations since the newest opt-out
    introduced: bool = False
    paid_age: timedelta | None = None  # since the newest payment on a hosted page
    own_hours: OwnHours | None = None  # when they want to be texted (T-21)
    own_hours_id: int | None = None
    way: str = "text"  # text, paper, email, call: how they want their bills
    way_only: bool = False  # and not by text beside it
    way_id: int | None = None
    confidential_id: int | None = None  # asked that nothing about this account comes here unasked
    capacity: str = "creditor"  # in which we ask: creditor, collector (T-20)
    household_at: tuple[datetime, ...] = ()  # everything unasked that left for the household in the last seven days
    at_work: bool = False  # an employer's address (T-24)
    texted_age: timedelta | None = None  # since they last texted us from this number (T-24)
    reassigned_age: timedelta | None = None  # since the number was checked for a new owner (T-10, T-24)
    pilot: bool = False  # among the practice's pilot accounts
    demanded_at: datetime | None = None  # when the newest demand about this account left, by any way
    contacted: bool = False  # a collector's account: something has left about it before (T-26)
    validated_at: datetime | None = None  # a collector's account: when its validation information left (T-28)

    @kept
    def zone_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(zone.name for zone in self.zones))


@dataclass(frozen=True, slots=True)
class HoldFact:
    kind: str
    visit_id: str | None = None
    hold_id: str = ""


@dataclass(frozen=True)
class AccountFacts:
    """Amounts in cents, read in the moment of asking. ``due_visits`` pairs each visit id with what is due on it."""

    due_now_minor: int = 0
    pending_minor: int = 0
    on_plan_minor: int = 0
    credit_minor: int = 0
    balance_version: int = 0
    due_visits: tuple[tuple[str, int], ...] = ()
    payable_visits: tuple[tuple[str, int], ...] = ()  # due now and on plan: what a patient may choose to pay
    pending_visits: tuple[str, ...] = ()  # a payer still has to answer
    confidential_visits: tuple[str, ...] = ()
    negative_pending: bool = False  # a visit below zero while its payer is pending
    holds: tuple[HoldFact, ...] = ()
    unfinished_import: bool = False
    stale: bool = False  # the ledger of record is elsewhere and its import too old
    payment_in_flight: bool = False
    language_met: bool = True

    @kept
    def due_visit_ids(self) -> tuple[str, ...]:
        return tuple(visit_id for visit_id, minor in self.due_visits if minor > 0)


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """A payment about to be taken; ``split`` is (visit id, amount_minor) and sums to ``amount_minor``.

    ``amount_minor`` empty: the question is only whether anything may be taken for these visits.
    """

    amount_minor: int | None = None
    split: tuple[tuple[str, int | None], ...] = ()
    balance_version: int | None = None
    early: bool = False  # the patient's own wish to pay what a plan asks for later
    practice_starts: bool = False  # a charge of a card on file while nobody is there to say no
    authorized: bool = True  # an authorization stands and nobody has revoked it (T-48, T-50)
    most_minor: int | None = None  # the most that it allows at one time, in cents
    instalments: int = 0  # of the plan, without its deposit
    disclosed: bool = True  # the T-47 disclosures were shown and electronic records agreed to, where due
    noticed_minor: int | None = None  # what the notice of this charge said; empty: there was none
    notice_age: timedelta | None = None
    opted_out: bool = False  # from texts, and nobody has asked yet whether that meant the charges as well
    method_kind: str = "card"  # card, bank
    method_usable: bool = True
    tries_30_days: int = 0  # of this card, declined (T-50)
    tries_180_days: int = 0  # returned presentments of this bank debit, the first one included (T-49)
    last_failure: str = ""  # the processor's code of the last try of this instalment with this card or account
    first_tried_minor: int | None = None  # what a bank debit asked for when it was first presented (T-49)

    @property
    def visit_ids(self) -> tuple[str, ...]:
        return tuple(visit_id for visit_id, _ in self.split)

    @property
    def amounts(self) -> tuple[tuple[str, int], ...]:
        return tuple((visit_id, minor) for visit_id, minor in self.split if minor is not None)


@dataclass(frozen=True)
class Facts:
    """Everything that one ruling needs."""

    now: datetime
    stage: Stage
    practice: PracticeFacts
    message: MessageFacts
    recipient: RecipientFacts = RecipientFacts()
    account: AccountFacts = AccountFacts()
    charge: ChargeFacts | None = None
    rules_on: date | None = None  # the day whose rules are asked, in a replay; empty: the day of ``now``

    @kept
    def rule_day(self) -> date:
        return self.rules_on or self.now.astimezone(UTC).date()

    @kept
    def is_text(self) -> bool:
        """By text or chat; not by e-mail, not on paper."""
        return self.message.channel not in NOT_TEXTS

    @kept
    def is_collector(self) -> bool:
        """Whether we ask as a debt collector does: 12 CFR 1006 binds this message (T-20)."""
        return self.recipient.capacity == "collector"

    @kept
    def is_demand(self) -> bool:
        return self.message.purpose in DEMANDS

    @kept
    def is_answer(self) -> bool:
        """Whether the recipient wrote first, lately enough for this to be the reply."""
        age = self.message.inbound_age
        return age is not None and age <= ANSWER_COUNTS_FOR and not self.is_demand

    @kept
    def is_proactive(self) -> bool:
        """Sent on our own initiative to a patient: needs consent, waits for waking hours."""
        return self.is_demand or (self.message.purpose in ANSWERS and not self.is_answer and not self.message.internal)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What happens to the message, by which rule, and why (no PHI). ``until_at`` is set when deferred."""

    outcome: Outcome
    rule: str
    reason: str
    until_at: datetime | None = None

    @property
    def sends(self) -> bool:
        return self.outcome == "send"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a single rule objects to."""

    outcome: Literal["defer", "withhold"]
    reason: str
    until_at: datetime | None = None


Judge = Callable[[Facts], Finding | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as data beside its function. No function at all: kept elsewhere, and ``configured`` says where.

    ``evidence``: V read in the source, S secondary source, M from memory (a configurable default), own: this
    product's decision. ``jurisdictions`` are two-letter states; empty means everywhere.
    """

    id: str
    title: str
    citation: str
    evidence: Evidence
    judge: Judge | None = None
    charge: Judge | None = None
    since: date = date(2020, 1, 1)
    until: date | None = None
    jurisdictions: tuple[str, ...] = ()
    configured: str = "fixed"
    hold: str = ""  # the kind of hold without which the rule has nothing to say; empty: it looks at other things

    def applies(self, facts: Facts) -> bool:
        return self.binds(facts.rule_day, facts.recipient.region)

    def binds(self, day: date, region: str | None) -> bool:
        in_force = self.since <= day and (self.until is None or day <= self.until)
        return in_force and (not self.jurisdictions or region in self.jurisdictions)


_F = TypeVar("_F", "Facts", MessageFacts, RecipientFacts, AccountFacts)


def vary(base: _F, changes: dict[str, Any]) -> _F:
    """``base`` with other values in some fields, as dataclasses.replace makes it, at a tenth of the time. ``base`` must
    be new: what has been derived from its fields would be taken along.
    """
    made = object.__new__(type(base))
    made.__dict__.update(base.__dict__)
    made.__dict__.update(changes)
    return made


def withhold(reason: str) -> Finding:
    return Finding("withhold", reason)


def decide(facts: Facts, rules: Sequence[Rule] | None = None) -> Ruling:
    """Rule on a message. With no objection it is sent, under the rule named ``allowed``."""
    found = []
    for rule_id, judge in _picked(facts, rules, charge=False):
        finding = judge(facts)
        if finding is not None:
            found.append(Ruling(finding.outcome, rule_id, finding.reason, finding.until_at))
            if finding.outcome == "withhold":
                break  # the first to withhold has the last word
    return strictest(found, "no rule objects")


def may_charge(facts: Facts, rules: Sequence[Rule] | None = None) -> Ruling:
    """Rule on taking ``facts.charge`` from the patient. Raises ValueError if the facts hold no charge."""
    if facts.charge is None:
        raise ValueError("may_charge wants facts with a charge")
    return strictest(charge_objections(facts, rules), "no rule objects")


def message_objections(facts: Facts, rules: Sequence[Rule] | None = None) -> tuple[Ruling, ...]:
    """Every rule's own objection, in the register's order."""
    return _objections(facts, rules, charge=False)


def charge_objections(facts: Facts, rules: Sequence[Rule] | None = None) -> tuple[Ruling, ...]:
    return _objections(facts, rules, charge=True)


def _objections(facts: Facts, rules: Sequence[Rule] | None, *, charge: bool) -> tuple[Ruling, ...]:
    return tuple([Ruling(finding.outcome, rule_id, finding.reason, finding.until_at)
                  for rule_id, judge in _picked(facts, rules, charge=charge)
                  if (finding := judge(facts)) is not None])


def _picked(facts: Facts, rules: Sequence[Rule] | None, *, charge: bool) -> _Asked:
    holds = facts.account.holds
    kinds = frozenset([hold.kind for hold in holds]) if holds else _NO_KINDS
    return _asked(_register() if rules is None else rules, charge, facts.rule_day, facts.recipient.region, kinds)


_NO_KINDS: frozenset[str] = frozenset()
_Asked = tuple[tuple[str, Judge], ...]
_picks: tuple[Sequence[Rule], dict[tuple[object, ...], _Asked]] = ((), {})
_MOST_PICKS = 4096


def _asked(rules: Sequence[Rule], charge: bool, day: date, region: str | None, kinds: frozenset[str]) -> _Asked:
    """The rules that bind on a day in a region and have something to look at, picked once for all who share these.
    Another register, as in a test or a replay, is picked from anew.
    """
    global _picks
    picks = _picks
    if picks[0] is not rules or len(picks[1]) > _MOST_PICKS:
        picks = _picks = (tuple(rules) if isinstance(rules, list) else rules, {})
    key = (charge, day, region, kinds)
    found = picks[1].get(key)
    if found is None:
        sides = [(rule, rule.charge if charge else rule.judge) for rule in rules
                 if rule.binds(day, region) and (not rule.hold or rule.hold in kinds)]
        found = picks[1][key] = tuple((rule.id, side) for rule, side in sides if side is not None)
    return found


def strictest(objections: Sequence[Ruling], otherwise: str) -> Ruling:
    for ruling in objections:
        if ruling.outcome == "withhold":
            return ruling
    deferrals = [ruling for ruling in objections if ruling.until_at is not None]
    if not deferrals:
        return Ruling("send", "allowed", otherwise)
    # max keeps the first of equals, hence the register's order decides between rules that name the same moment.
    return max(deferrals, key=lambda ruling: ruling.until_at or datetime.min.replace(tzinfo=UTC))


def _register() -> Sequence[Rule]:
    from billing.policy.register import RULES  # the register imports the rules, and they import this module

    return RULES
