"""The numbered rules, each by its own name: what it stops, and what it must let through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing.policy.core import Facts, MessageFacts, RecipientFacts, decide, may_charge
from billing.policy.payments import MetadataRefused, allowed_metadata
from billing.policy.register import rule_by_id
from tests.policy.examples import (
    EXAMPLES,
    MINUTE,
    NIGHT,
    NOON,
    answer,
    charge,
    demand,
    held,
    practice,
)

OPTED_OUT = {"opted_out": True, "opt_out_event_id": 9}
AMOUNTS = {"privacy": "amounts"}
VERIFIED = {"verified": True, "verified_idle": MINUTE}


def rules_on(facts: Facts) -> str:
    return decide(facts).rule


def test_t_01_proactive_texts_need_consent_on_record() -> None:
    assert rules_on(demand(recipient={"consent_event_id": None})) == "T-01"
    assert rules_on(answer(recipient={"consent_event_id": None})) == "allowed"


def test_t_01_an_answer_after_more_than_a_week_is_no_answer_any_more() -> None:
    late = answer(message={"inbound_age": timedelta(days=8)}, recipient={"consent_event_id": None})
    assert rules_on(late) == "T-01"


def test_t_03_after_revocation_nothing_goes_out_on_our_initiative() -> None:
    assert rules_on(demand(recipient=OPTED_OUT)) == "T-03"


def test_t_04_revocation_binds_before_the_next_send_though_the_message_was_queued_before() -> None:
    queued = answer()
    assert rules_on(queued) == "allowed"
    assert rules_on(replace(queued, recipient=replace(queued.recipient, opted_out=True))) == "T-04"


@pytest.mark.parametrize("purpose", ["stop_confirmation", "help", "emergency"])
def test_t_04_mandated_answers_still_leave_after_stop(purpose: str) -> None:
    assert rules_on(answer(purpose, recipient=OPTED_OUT)) == "allowed"


def test_t_05_one_confirmation_of_a_stop_and_no_second() -> None:
    assert rules_on(answer("stop_confirmation", recipient=OPTED_OUT)) == "allowed"
    assert rules_on(answer("stop_confirmation", recipient={**OPTED_OUT, "confirmations": 1})) == "T-05"


@pytest.mark.parametrize(("change", "outcome"), [
    ({"inbound_age": timedelta(minutes=5)}, "send"),
    ({"inbound_age": timedelta(minutes=5, seconds=1)}, "withhold"),
    ({"inbound_age": None}, "withhold"),
    ({"carrier_answered": True}, "withhold"),
    ({"links": 1}, "withhold"),
    ({"amount_minor": 100}, "withhold"),
])
def test_t_05_within_five_minutes_with_nothing_in_it_and_not_after_the_carrier(
        change: dict[str, Any], outcome: str) -> None:
    assert decide(answer("stop_confirmation", message=change, recipient=OPTED_OUT)).outcome == outcome


def test_t_07_a_channel_without_replies_says_so_in_every_text() -> None:
    deaf = replace(practice(), takes_replies=False)
    assert rules_on(demand(practice=deaf)) == "T-07"
    assert rules_on(demand(practice=deaf, message={"says_no_replies": True})) == "allowed"


def test_t_08_a_demand_at_night_waits_and_an_answer_does_not() -> None:
    assert decide(demand(now=NIGHT)).outcome == "defer"
    assert rules_on(answer(now=NIGHT)) == "allowed"


def test_t_12_help_is_answered_after_stop_at_night_and_with_sending_off() -> None:
    facts = answer("help", now=NIGHT, recipient=OPTED_OUT, practice=practice(sending="off"))
    assert rules_on(facts) == "allowed"


def test_t_12_help_is_not_answered_twice() -> None:
    assert rules_on(answer("help", message={"carrier_answered": True})) == "T-12"


def test_t_14_the_first_text_introduces_itself() -> None:
    assert rules_on(demand(recipient={"introduced": False})) == "T-14"
    assert rules_on(demand(recipient={"introduced": False}, message={"introduces": True})) == "allowed"


def test_t_14_a_consent_record_without_its_parts_is_none() -> None:
    assert rules_on(demand(recipient={"consent_complete": False})) == "T-14"


def test_t_17_no_public_shortener() -> None:
    assert rules_on(demand(message={"shorteners": ("bit.ly",)})) == "T-17"


def test_t_17_a_sane_number_of_segments_but_never_a_limit_on_an_emergency() -> None:
    assert rules_on(demand(message={"segments": 6})) == "allowed"
    assert rules_on(demand(message={"segments": 7})) == "T-17"
    assert rules_on(answer(message={"segments": 10})) == "allowed"
    assert rules_on(answer(message={"segments": 11})) == "T-17"
    assert rules_on(answer("emergency", message={"segments": 11})) == "allowed"


def test_t_18_verification_of_webhooks_is_in_the_register_with_its_place() -> None:
    rule = rule_by_id("T-18")
    assert rule is not None and rule.judge is None and "bot/channels/sms.py" in rule.configured


def test_t_32_the_unverified_get_the_allow_list_only() -> None:
    assert rules_on(answer(message=AMOUNTS)) == "T-32"
    assert rules_on(answer()) == "allowed"
    assert rules_on(answer(message=AMOUNTS, recipient=VERIFIED)) == "allowed"


def test_t_33_amounts_only_by_recorded_wish_after_the_warning() -> None:
    assert rules_on(demand(message=AMOUNTS, recipient={"detail_event_id": None})) == "T-33"
    assert rules_on(answer(message=AMOUNTS, recipient={**VERIFIED, "detail_event_id": None})) == "T-33"
    assert rules_on(demand(message=AMOUNTS)) == "allowed"


def test_t_34_identity_is_proved_again_after_fifteen_minutes_of_silence() -> None:
    idle = {"verified": True, "verified_idle": 15 * MINUTE}
    assert rules_on(answer(message=AMOUNTS, recipient=idle)) == "allowed"
    assert rules_on(answer(message=AMOUNTS, recipient={**idle, "verified_idle": 15.1 * MINUTE})) == "T-34"


def test_t_34_a_locked_identity_sees_no_amounts() -> None:
    assert rules_on(answer(message=AMOUNTS, recipient={**VERIFIED, "locked": True})) == "T-34"


@pytest.mark.parametrize("purpose", ["reply", "receipt", "staff", "start_confirmation"])
def test_t_35_nothing_at_all_to_a_wrong_number(purpose: str) -> None:
    assert rules_on(answer(purpose, recipient={"contact_status": "wrong_number"})) == "T-35"
    assert rules_on(demand(recipient={"contact_status": "wrong_number"})) == "T-35"


@pytest.mark.parametrize("purpose", ["help", "stop_confirmation", "emergency"])
def test_t_35_spares_what_carriers_require_and_what_a_life_may_hang_on(purpose: str) -> None:
    assert rules_on(answer(purpose, recipient={"contact_status": "wrong_number"})) == "allowed"


def test_t_37_no_amounts_through_a_vendor_without_an_agreement() -> None:
    unsigned = replace(practice(), policy=practice().policy.model_copy(update={"baa_signed": ()}))
    assert rules_on(demand(message=AMOUNTS, practice=unsigned)) == "T-37"
    assert rules_on(demand(practice=unsigned)) == "allowed"
    assert rules_on(demand(message=AMOUNTS, practice=replace(unsigned, vendor=""))) == "allowed"


def test_t_39_no_account_ids_in_a_text() -> None:
    assert rules_on(answer(message={"identifiers": ("account number",)})) == "T-39"


def test_t_51_never_charged_above_the_live_balance() -> None:
    assert may_charge(charge(amount_minor=12_000)).outcome == "send"
    assert may_charge(charge(amount_minor=12_001, split=(("visit_1", 12_001),))).rule == "T-51"
    assert may_charge(charge(amount_minor=0, split=())).rule == "T-51"


def test_t_51_nor_above_what_is_due_on_one_visit_nor_with_a_split_that_does_not_add_up() -> None:
    two = {"due_now_minor": 12_000, "due_visits": (("visit_1", 7_000), ("visit_2", 5_000))}
    assert may_charge(charge(account=two, split=(("visit_1", 7_000), ("visit_2", 5_000)))).outcome == "send"
    assert may_charge(charge(account=two, split=(("visit_1", 8_000), ("visit_2", 4_000)))).rule == "T-51"
    assert may_charge(charge(account=two, split=(("visit_1", 7_000),))).rule == "T-51"


def test_t_52_a_card_number_in_a_text_stops_it() -> None:
    assert rules_on(answer(message={"card_number": True})) == "T-52"


def test_t_53_processors_get_opaque_ids_only() -> None:
    ids = {"payment_id": "pay_0123456789abcdefghjk", "attempt": 2}
    assert allowed_metadata(ids) == {"payment_id": "pay_0123456789abcdefghjk", "attempt": "2"}
    for wrong in ({"name": "pay_0123456789abcdefghjk"}, {"payment_id": "Ann Smith"}, {"payment_id": "+12125550142"},
                  {"payment_id": "pay_0123456789abcdefghjk", "visit": "1"}, {"attempt": "12125550142"}):
        with pytest.raises(MetadataRefused) as error:
            allowed_metadata(wrong)
        assert "Ann" not in str(error.value) and "2125550142" not in str(error.value)


def test_t_57_a_qmb_hold_stops_every_demand_and_charges_on_its_visit() -> None:
    assert rules_on(demand(account=held("qmb"))) == "T-57"
    assert rules_on(demand(account=held("qmb", "visit_9"))) == "T-57"
    assert may_charge(charge(account=held("qmb", "visit_1"))).rule == "T-57"
    assert may_charge(charge(account=held("qmb", "visit_9"))).outcome == "send"


def test_staff_s_answer_is_an_answer_like_any_other() -> None:
    assert rules_on(answer("staff", recipient=OPTED_OUT)) == "T-04"
    late = answer("staff", now=NIGHT, message={"inbound_age": timedelta(hours=10)})
    assert decide(late).rule == "T-08"


def test_a_notice_to_the_practice_s_own_people_needs_no_consent_and_no_hour() -> None:
    notice = Facts(NIGHT, "sending", practice(sending="shadow"), MessageFacts("staff", internal=True), RecipientFacts())
    assert rules_on(notice) == "allowed"


def test_an_emergency_answer_passes_every_stop_there_is() -> None:
    facts = answer("emergency", now=NIGHT, practice=replace(practice(sending="off"), configured=False),
                   recipient={**OPTED_OUT, "contact_status": "wrong_number", "confirmed": False,
                              "consent_event_id": None},
                   account={**held("emergency"), "stale": True, "unfinished_import": True})
    assert rules_on(facts) == "allowed"


def test_answers_pass_all_stops_on_demanding_money() -> None:
    """Whoever asks is told, though nobody may dun them."""
    for name, facts in EXAMPLES.items():
        if name.startswith("hold:") or name in {"stale-ledger", "credit-elsewhere", "payment-pending"}:
            assert rules_on(answer(account={"holds": facts.account.holds, "stale": facts.account.stale})) == "allowed"


def test_receipts_leave_at_night_for_who_has_just_paid_and_wait_for_who_sleeps() -> None:
    idle = {"inbound_age": timedelta(hours=9)}
    assert rules_on(answer("receipt", now=NIGHT, message=idle, recipient={"paid_age": MINUTE})) == "allowed"
    assert rules_on(answer("receipt", now=NIGHT, message=idle, recipient={"paid_age": 20 * MINUTE})) == "T-08"
    assert rules_on(answer("receipt", now=NOON, message=idle)) == "allowed"
