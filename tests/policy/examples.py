"""For every rule facts on which it, and nothing else, stops or delays; and the plain facts on which all agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from billing.hold_kinds import KINDS
from billing.own_hours import OwnHours
from billing.policy.core import (
    AccountFacts,
    ChargeFacts,
    Facts,
    HoldFact,
    MessageFacts,
    PracticeFacts,
    RecipientFacts,
    Zone,
)
from tests.conftest import maple_clinic

NEW_YORK = "America/New_York"
NOON = datetime(2026, 11, 3, 17, 0, tzinfo=UTC)  # a Tuesday, 12:00 in New York
NIGHT = datetime(2026, 11, 4, 8, 0, tzinfo=UTC)  # 03:00 in New York
MINUTE = timedelta(minutes=1)


def practice(**changes: Any) -> PracticeFacts:
    return PracticeFacts(maple_clinic(**{"baa_signed": ["twilio"], **changes}), vendor="twilio")


DEMAND = MessageFacts("statement", template="statement_ready", segments=2, amount_minor=12_000, balance_version=4,
                      links=1)
RECIPIENT = RecipientFacts("guar_1", zones=(Zone(NEW_YORK, "address"),), consent_event_id=7, consent_complete=True,
                           introduced=True, detail_event_id=8)
ACCOUNT = AccountFacts(due_now_minor=12_000, balance_version=4, due_visits=(("visit_1", 12_000),))
CHARGE = ChargeFacts(12_000, (("visit_1", 12_000),), 4)


def demand(*, now: datetime = NOON, message: dict[str, Any] | None = None, recipient: dict[str, Any] | None = None,
           account: dict[str, Any] | None = None, **facts: Any) -> Facts:
    """A statement text that nothing stops, with changes."""
    return replace(Facts(now, "sending", practice(), replace(DEMAND, **(message or {})),
                         replace(RECIPIENT, **(recipient or {})), replace(ACCOUNT, **(account or {}))), **facts)


def answer(purpose: str = "reply", *, message: dict[str, Any] | None = None, **changes: Any) -> Facts:
    """An answer to a text of a moment ago."""
    of_answer = {"purpose": purpose, "inbound_age": timedelta(seconds=2), "amount_minor": None,
                 "balance_version": None, "links": 0}
    return demand(message={**of_answer, **(message or {})}, **changes)


def charge(*, account: dict[str, Any] | None = None, recipient: dict[str, Any] | None = None, **changes: Any) -> Facts:
    """The patient pays all that is due."""
    return demand(account=account, recipient=recipient, charge=replace(CHARGE, **changes))


#: Facts of a charge that nobody is there to refuse: authorized up to its amount, noticed three days ago.
AUTOPAY: dict[str, Any] = {"practice_starts": True, "most_minor": 12_000, "noticed_minor": 12_000,
                           "notice_age": timedelta(days=3)}


def autopay(*, account: dict[str, Any] | None = None, **changes: Any) -> Facts:
    """An instalment that is charged while the patient is not there."""
    return charge(account=account, **{**AUTOPAY, **changes})


def telegram(risk: dict[str, Any] | None) -> PracticeFacts:
    """A practice on Telegram, whose acceptance of the risk is ``risk``."""
    accepted = {"accepted_by": "M. Lopez, manager", "accepted_on": "2026-11-01", "wording_version": "2026-11"}
    policy = maple_clinic(**({"telegram": {**accepted, **risk}} if risk is not None else {}))
    return PracticeFacts(policy, vendor="telegram")


#: A collector's letter that nothing stops: it says who asks, and the thirty days for a dispute are over.
_LETTER = {"channel": "paper", "says_collector": True, "says_attempt": True}
_COLLECTED = {"capacity": "collector", "contacted": True, "validated_at": NOON - timedelta(days=90)}
_EMAIL = {"channel": "email", "says_opt_out": True}


def letter(*, message: dict[str, Any] | None = None, recipient: dict[str, Any] | None = None, **changes: Any) -> Facts:
    """A collector's demand on paper that nothing stops, with changes."""
    return demand(message={**_LETTER, **(message or {})}, recipient={**_COLLECTED, **(recipient or {})}, **changes)


def email(*, message: dict[str, Any] | None = None, **changes: Any) -> Facts:
    """A creditor's demand by e-mail that nothing stops, with changes."""
    return demand(message={**_EMAIL, **(message or {})}, **changes)


def collectors_email(*, message: dict[str, Any] | None = None, **changes: Any) -> Facts:
    """A collector's demand by e-mail that nothing stops, with changes."""
    return letter(message={**_EMAIL, **(message or {})}, **changes)


_AMOUNTS = {"privacy": "amounts"}
_VERIFIED = {"verified": True, "verified_idle": MINUTE}


def held(kind: str, visit_id: str | None = None) -> dict[str, Any]:
    """An open hold; without ``visit_id`` where a hold of this kind must lie on a visit, on one that is due."""
    visit = visit_id or ("visit_1" if KINDS[kind].scope == "visit" else None)
    return {"holds": (HoldFact(kind, visit, "hold_1"),)}


#: Rule -> facts of a message that leaves as soon as the rule is taken out of the register.
EXAMPLES: dict[str, Facts] = {
    "restored-copy": answer("help", practice=practice(sending="restored")),
    "T-01": demand(recipient={"consent_event_id": None}),
    "T-03": demand(recipient={"opted_out": True, "opt_out_event_id": 9}),
    "T-04": answer(recipient={"opted_out": True, "opt_out_event_id": 9}),
    "T-05": answer("stop_confirmation", recipient={"opted_out": True, "confirmations": 1}),
    "T-07": demand(practice=replace(practice(), takes_replies=False)),
    "T-08": demand(now=NIGHT),
    "T-12": answer("help", message={"carrier_answered": True}),
    "T-14": demand(recipient={"introduced": False}),
    "T-15": demand(message={**_LETTER, "channel": "sms", "says_opt_out": True}, recipient=_COLLECTED),
    "T-16": demand(message={"room_at": NOON + timedelta(hours=2)}),
    "T-17": demand(message={"shorteners": ("bit.ly",)}),
    "T-19": answer(message={"channel": "telegram"}, practice=telegram(None)),
    "T-21:outer": collectors_email(now=NIGHT, message={"purpose": "receipt", "amount_minor": None},
                                   recipient={"paid_age": 5 * MINUTE}),
    "T-22": email(message={"says_opt_out": False}),
    "T-23": letter(message={"purpose": "notice"}, account=held("attorney")),
    "T-24": email(recipient={"at_work": True}),
    "T-26": letter(message={"says_collector": False}),
    "T-28": letter(recipient={"validated_at": None}),
    "T-30": demand(message={"bad_words": ("lawsuit",)}),
    "T-32": answer(message=_AMOUNTS),
    "T-33": demand(message=_AMOUNTS, recipient={"detail_event_id": None}),
    "T-34": answer(message=_AMOUNTS, recipient={"verified": True, "verified_idle": 16 * MINUTE}),
    "T-35": demand(recipient={"contact_status": "wrong_number"}),
    "T-37": demand(message=_AMOUNTS, practice=PracticeFacts(maple_clinic(), vendor="twilio")),
    "T-39": demand(message={"identifiers": ("account number",)}),
    "T-46": demand(message={"bad_words": ("credit report",)}),
    "T-52": demand(message={"card_number": True}),
    "T-57": demand(account=held("qmb")),
    "campaign-state": demand(message={"campaign": "stopped"}),
    "household-frequency": demand(recipient={"household_at": tuple(NOON - timedelta(days=d) for d in (1, 2, 3))}),
    "between-demands": demand(recipient={"demanded_at": NOON - timedelta(days=4)}),
    "guarantor-unconfirmed": demand(recipient={"confirmed": False}),
    "unreachable": demand(recipient={"contact_status": "unreachable"}),
    "minor-confidential": demand(account={"confidential_visits": ("visit_1",)}),
    "language-unmet": demand(account={"language_met": False}),
    "stale-ledger": demand(account={"stale": True}),
    "payment-pending": demand(account={"payment_in_flight": True}),
    "negative-pending": demand(account={"negative_pending": True}),
    "insurance-pending": demand(account={"pending_visits": ("visit_1",)}),
    "credit-elsewhere": demand(account={"credit_minor": 500}),
    "balance-moved": demand(account={"balance_version": 5}),
    "unfinished-import": demand(account={"unfinished_import": True}),
    "T-21": demand(recipient={"own_hours": OwnHours((("18:00", "24:00"),)), "own_hours_id": 3}),
    "confidential-contact": demand(recipient={"confidential_id": 4}),
    "asked-another-way": demand(recipient={"way": "paper", "way_only": True, "way_id": 5}),
    "sending-mode": demand(practice=practice(sending="off")),
    **{f"hold:{kind.name}": demand(account=held(kind.name)) for kind in KINDS.values()
       if kind.stops_demand and kind.name != "qmb"},
}

_NOTHING = {"due_now_minor": 0, "due_visits": ()}

#: Rules that overlap with another on purpose: taken out, another one still stops the message, under its own name.
OVERLAPPING: dict[str, tuple[Facts, str]] = {
    "plan-current": (demand(message={"amount_minor": 0}, account={**_NOTHING, "on_plan_minor": 9_000}), "nothing-due"),
    "nothing-due": (demand(account=_NOTHING), "balance-moved"),
}

#: Rule -> facts of a charge that is taken as soon as the rule is taken out.
CHARGE_EXAMPLES: dict[str, Facts] = {
    "restored-copy": demand(practice=practice(sending="restored"), charge=CHARGE),
    "T-47": autopay(instalments=5, disclosed=False),
    "T-48": autopay(authorized=False),
    "T-49": autopay(method_kind="bank", last_failure="R01", tries_180_days=3),
    "T-50": autopay(method_usable=False),
    "T-51": charge(amount_minor=12_001, split=(("visit_1", 12_001),)),
    "T-57": charge(account=held("qmb", "visit_1")),
    "guarantor-unconfirmed": charge(recipient={"confirmed": False}),
    "minor-confidential": charge(account={"confidential_visits": ("visit_1",)}),
    "stale-ledger": charge(account={"stale": True}),
    "payment-pending": charge(account={"payment_in_flight": True}),
    "negative-pending": charge(account={"negative_pending": True}),
    "insurance-pending": charge(account={"pending_visits": ("visit_1",)}),
    "credit-elsewhere": charge(account={"credit_minor": 500}),
    "balance-moved": charge(balance_version=3),
    "sending-mode": demand(practice=replace(practice(), configured=False), charge=CHARGE),
    "unfinished-import": autopay(account={"unfinished_import": True}),
    # What stops a patient who pays stops a charge of our own as well; the rest stops only the latter.
    **{f"hold:{kind.name}": (charge if kind.stops_charge else autopay)(account=held(kind.name))
       for kind in KINDS.values() if (kind.stops_charge or kind.stops_demand) and kind.name != "qmb"},
}
