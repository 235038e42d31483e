"""T-19 and T-37 together: what may be said on Telegram, by whose acceptance and by whose wish."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from billing.policy.core import Facts, Ruling, decide
from billing.policy.register import RULES
from tests.policy.examples import answer, demand, telegram

VERIFIED = {"verified": True, "verified_idle": timedelta(minutes=1)}
AMOUNTS = {"channel": "telegram", "privacy": "amounts"}
WORDS = {"channel": "telegram"}


def without_t_19(facts: Facts) -> Ruling:
    return decide(facts, [rule for rule in RULES if rule.id != "T-19"])


@pytest.mark.parametrize("purpose", ["reply", "receipt", "help", "stop_confirmation"])
def test_t_19_without_the_practices_acceptance_nothing_leaves(purpose: str) -> None:
    facts = answer(purpose, message=WORDS, practice=telegram(None))
    assert decide(facts).rule == "T-19"
    assert without_t_19(facts).sends


def test_t_19_words_that_a_life_may_hang_on_leave_all_the_same() -> None:
    assert decide(answer("emergency", message=WORDS, practice=telegram(None))).sends


def test_t_19_an_acceptance_of_tomorrow_is_none_today() -> None:
    facts = answer(message=WORDS, practice=telegram({"accepted_on": "2026-11-04"}))
    assert decide(facts).rule == "T-19" and without_t_19(facts).sends
    assert decide(answer(message=WORDS, practice=telegram({}))).sends


def test_t_19_amounts_need_the_practices_leave_even_where_the_patient_asked() -> None:
    """Here T-37 stands behind it: no agreement, so no account facts."""
    facts = answer(message=AMOUNTS, recipient=VERIFIED, practice=telegram({}))
    assert decide(facts).rule == "T-19" and without_t_19(facts).rule == "T-37"


def test_t_19_amounts_need_the_warned_patients_wish() -> None:
    facts = answer(message=AMOUNTS, recipient={**VERIFIED, "detail_event_id": None},
                   practice=telegram({"detail_allowed": True}))
    assert decide(facts).rule == "T-19" and not without_t_19(facts).sends


def test_t_19_with_both_amounts_are_shown_to_the_verified() -> None:
    facts = answer(message=AMOUNTS, recipient=VERIFIED, practice=telegram({"detail_allowed": True}))
    assert decide(facts).sends
    assert not decide(answer(message=AMOUNTS, practice=telegram({"detail_allowed": True}))).sends


@pytest.mark.parametrize("purpose", ["statement", "reminder"])
def test_t_19_money_is_asked_for_by_link_only(purpose: str) -> None:
    both: dict[str, Any] = {"practice": telegram({"detail_allowed": True})}
    facts = demand(message={**AMOUNTS, "purpose": purpose}, **both)
    assert decide(facts).rule == "T-19" and without_t_19(facts).sends
    assert decide(demand(message={**WORDS, "purpose": purpose}, **both)).sends


def test_t_37_a_vendor_without_an_agreement_carries_no_account_facts_by_whatever_wish() -> None:
    """The exception is Telegram's alone: on SMS a wish does not stand in for an agreement."""
    facts = answer(message={"privacy": "amounts"}, recipient=VERIFIED,
                   practice=dataclasses.replace(telegram({"detail_allowed": True}), vendor="twilio"))
    assert decide(facts).rule == "T-37"


def test_t_37_telegram_without_the_recorded_wish_is_like_any_vendor() -> None:
    rules = [rule for rule in RULES if rule.id in ("T-37",)]
    facts = answer(message=AMOUNTS, recipient={"detail_event_id": None}, practice=telegram({"detail_allowed": True}))
    assert decide(facts, rules).rule == "T-37"
    assert decide(answer(message=AMOUNTS, practice=telegram({"detail_allowed": True})), rules).sends
