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
    return PracticeFacts(maple_clinic(baa_signed=["twilio"], **changes), vendor="twilio")


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


_AMOUNTS = {"privacy": "amounts"}
_VERIFIED = {"verified": True, "verified_idle": MINUTE}


def held(kind: str, visit_id: str | None = None) -> dict[str, Any]:
    """An open hold; without ``visit_id`` where a hold of this kind must lie on a visit, on one that is due."""
    visit = visit_id or ("visit_1" if KINDS[kind].scope == "visit" else None)
    return {"holds": (HoldFact(kind, visit, "hold_1"),)}


#: Rule -> facts of a message that leaves as soon as the rule is taken out of the register.
EXAMPLES: dict[str, Facts] = {
    "T-01": demand(recipient={"consent_event_id": None}),
    "T-03": demand(recipient={"opted_out": True, "opt_out_event_id": 9}),
    "T-04": answer(recipient={"opted_out": True, "opt_out_event_id": 9}),
    "T-05": answer("stop_confirmation", recipient={"opted_out": True, "confirmations": 1}),
    "T-07": demand(practice=replace(practice(), takes_replies=False)),
    "T-08": demand(now=NIGHT),
    "T-12": answer("help", message={"carrier_answered": True}),
    "T-14": demand(recipient={"introduced": False}),
    "T-17": demand(message={"shorteners": ("bit.ly",)}),
    "T-19": answer(message={"channel": "telegram"}, practice=telegram(None)),
    "T-32": answer(message=_AMOUNTS),
    "T-33": demand(message=_AMOUNTS, recipient={"detail_event_id": None}),
    "T-34": answer(message=_AMOUNTS, recipient={"verified": True, "verified_idle": 16 * MINUTE}),
    "T-35": demand(recipient={"contact_status": "wrong_number"}),
    "T-37": demand(message=_AMOUNTS, practice=PracticeFacts(maple_clinic(), vendor="twilio")),
    "T-39": demand(message={"identifiers": ("account number",)}),
    "T-52": demand(message={"card_number": True}),
    "T-57": demand(account=held("qmb")),
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
