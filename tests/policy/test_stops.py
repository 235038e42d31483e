"""Every stop of receivables.md D4 by its own name, on the texts' side and on the charges' side."""

from __future__ import annotations

import pytest

from billing.hold_kinds import KINDS
from billing.policy.core import decide, may_charge
from tests.policy.examples import NOON, answer, autopay, charge, demand, held, practice

ELSEWHERE = "visit_9"  # a visit of the account on which nothing is due


def demand_under(kind: str, visit_id: str | None = None) -> str:
    return decide(demand(account=held(kind, visit_id))).rule


def charge_under(kind: str, visit_id: str | None = None) -> str:
    return may_charge(charge(account=held(kind, visit_id))).rule


def test_hold_dispute_a_disputed_visit_is_not_asked_for_but_another_one_may_be_paid() -> None:
    assert demand_under("dispute") == "hold:dispute"
    assert demand_under("dispute", ELSEWHERE) == "allowed"
    assert charge_under("dispute") == "hold:dispute"
    assert charge_under("dispute", ELSEWHERE) == "allowed"


def test_hold_bankruptcy_bankruptcy_stays_everything() -> None:
    assert demand_under("bankruptcy") == "hold:bankruptcy"
    assert charge_under("bankruptcy") == "hold:bankruptcy"


def test_hold_attorney_no_demand_to_somebody_with_an_attorney_who_may_still_pay() -> None:
    assert demand_under("attorney") == "hold:attorney"
    assert charge_under("attorney") == "allowed"


def test_hold_cease_no_demand_after_a_written_cease() -> None:
    assert demand_under("cease") == "hold:cease"
    assert charge_under("cease") == "allowed"


def test_hold_deceased_nothing_is_asked_of_or_charged_to_the_dead() -> None:
    assert demand_under("deceased") == "hold:deceased"
    assert charge_under("deceased") == "hold:deceased"


def test_hold_insurance_update_a_visit_whose_new_insurance_is_being_billed_waits() -> None:
    assert demand_under("insurance_update") == "hold:insurance_update"
    assert demand_under("insurance_update", ELSEWHERE) == "allowed"
    assert charge_under("insurance_update") == "hold:insurance_update"
    assert charge_under("insurance_update", ELSEWHERE) == "allowed"


def test_hold_ppdr_no_collection_while_a_patient_provider_dispute_is_open() -> None:
    assert demand_under("ppdr") == "hold:ppdr"
    assert demand_under("ppdr", ELSEWHERE) == "allowed"
    assert charge_under("ppdr") == "hold:ppdr"
    assert charge_under("ppdr", ELSEWHERE) == "allowed"


def test_hold_gfe_exceeded_a_bill_above_its_estimate_waits() -> None:
    assert demand_under("gfe_exceeded") == "hold:gfe_exceeded"
    assert demand_under("gfe_exceeded", ELSEWHERE) == "allowed"
    assert charge_under("gfe_exceeded") == "hold:gfe_exceeded"
    assert charge_under("gfe_exceeded", ELSEWHERE) == "allowed"


def test_hold_assistance_pending_no_demand_and_no_charge_while_assistance_is_being_decided() -> None:
    assert demand_under("assistance_pending") == "hold:assistance_pending"
    assert demand_under("assistance_pending", ELSEWHERE) == "hold:assistance_pending"
    assert charge_under("assistance_pending") == "hold:assistance_pending"
    assert charge_under("assistance_pending", ELSEWHERE) == "hold:assistance_pending"


def test_hold_agency_what_is_with_an_agency_is_not_ours_to_ask_for() -> None:
    assert demand_under("agency") == "hold:agency"
    assert demand_under("agency", ELSEWHERE) == "allowed"
    assert charge_under("agency") == "hold:agency"
    assert charge_under("agency", ELSEWHERE) == "allowed"


def test_hold_litigation_nothing_during_a_lawsuit() -> None:
    assert demand_under("litigation") == "hold:litigation"
    assert demand_under("litigation", ELSEWHERE) == "hold:litigation"
    assert charge_under("litigation") == "hold:litigation"
    assert charge_under("litigation", ELSEWHERE) == "hold:litigation"


def test_hold_minor_confidential_care_that_a_minor_consented_to_is_not_the_guarantor_s() -> None:
    assert demand_under("minor_confidential") == "hold:minor_confidential"
    assert demand_under("minor_confidential", ELSEWHERE) == "allowed"
    assert charge_under("minor_confidential") == "hold:minor_confidential"
    assert charge_under("minor_confidential", ELSEWHERE) == "allowed"


def test_hold_staff_flag_staff_may_stop_all_demands_on_an_account() -> None:
    assert demand_under("staff_flag") == "hold:staff_flag"
    assert demand_under("staff_flag", ELSEWHERE) == "hold:staff_flag"
    assert charge_under("staff_flag") == "allowed"


def test_hold_emergency_no_demand_after_an_emergency_message() -> None:
    assert demand_under("emergency") == "hold:emergency"
    assert charge_under("emergency") == "allowed"


def test_hold_language_unmet_no_demand_in_words_that_the_person_cannot_read() -> None:
    assert demand_under("language_unmet") == "hold:language_unmet"
    assert charge_under("language_unmet") == "allowed"


def test_hold_handover_no_demand_while_a_person_has_the_conversation() -> None:
    assert demand_under("handover") == "hold:handover"
    assert demand_under("handover", ELSEWHERE) == "hold:handover"
    assert charge_under("handover") == "allowed"


def test_hold_paid_already_no_demand_while_a_payment_is_being_looked_for() -> None:
    assert demand_under("paid_already") == "hold:paid_already"
    assert demand_under("paid_already", ELSEWHERE) == "hold:paid_already"
    assert charge_under("paid_already") == "allowed"


def test_hold_takeback_nothing_while_a_payer_s_takeback_is_open() -> None:
    assert demand_under("takeback") == "hold:takeback"
    assert demand_under("takeback", ELSEWHERE) == "hold:takeback"
    assert charge_under("takeback") == "hold:takeback"
    assert charge_under("takeback", ELSEWHERE) == "hold:takeback"


def test_hold_wrong_number_no_demand_while_no_right_number_is_known() -> None:
    assert demand_under("wrong_number") == "hold:wrong_number"
    assert charge_under("wrong_number") == "allowed"


def test_a_waiver_check_only_lessens_what_is_due() -> None:
    assert demand_under("waiver_check", "visit_1") == "allowed"
    assert charge_under("waiver_check", "visit_1") == "allowed"


ASKING_STOPS = sorted(kind.name for kind in KINDS.values() if kind.stops_demand)


@pytest.mark.parametrize("kind", ASKING_STOPS)
def test_what_stops_asking_stops_a_charge_that_nobody_is_there_to_refuse(kind: str) -> None:
    """receivables.md D4: stops are checked when a text is sent and when a card is charged."""
    rule = "T-57" if kind == "qmb" else f"hold:{kind}"
    assert may_charge(autopay(account=held(kind))).rule == rule
    reach = "allowed" if KINDS[kind].stops_demand == "visit" else rule
    assert may_charge(autopay(account=held(kind, ELSEWHERE))).rule == reach


def test_the_stops_of_a_charge_of_our_own_are_those_of_the_notes() -> None:
    assert set(ASKING_STOPS) >= {"attorney", "cease", "staff_flag", "emergency", "handover", "paid_already",
                                 "language_unmet", "confidential_contact", "wrong_number", "takeback"}


def test_guarantor_unconfirmed_is_neither_messaged_with_amounts_nor_charged() -> None:
    nobody = {"confirmed": False}
    assert decide(demand(recipient=nobody)).rule == "guarantor-unconfirmed"
    assert may_charge(charge(recipient=nobody)).rule == "guarantor-unconfirmed"
    assert decide(answer(recipient=nobody)).rule == "allowed"


def test_unreachable_numbers_are_left_alone_but_answered() -> None:
    gone = {"contact_status": "unreachable"}
    assert decide(demand(recipient=gone)).rule == "unreachable"
    assert decide(answer(recipient=gone)).rule == "allowed"


def test_minor_confidential_visits_are_not_demanded_nor_charged() -> None:
    secret = {"confidential_visits": ("visit_1",)}
    assert decide(demand(account=secret)).rule == "minor-confidential"
    assert may_charge(charge(account=secret)).rule == "minor-confidential"
    assert decide(demand(account={"confidential_visits": (ELSEWHERE,)})).rule == "allowed"


def test_language_unmet_stops_a_demand() -> None:
    assert decide(demand(account={"language_met": False})).rule == "language-unmet"


def test_stale_ledger_of_record_stops_demands_and_charges() -> None:
    assert decide(demand(account={"stale": True})).rule == "stale-ledger"
    assert may_charge(charge(account={"stale": True})).rule == "stale-ledger"


def test_payment_pending_stops_demands_and_a_second_charge() -> None:
    assert decide(demand(account={"payment_in_flight": True})).rule == "payment-pending"
    assert may_charge(charge(account={"payment_in_flight": True})).rule == "payment-pending"


def test_negative_pending_visit_stops_all_else_of_the_guarantor() -> None:
    assert decide(demand(account={"negative_pending": True})).rule == "negative-pending"
    assert may_charge(charge(account={"negative_pending": True})).rule == "negative-pending"


def test_insurance_pending_on_a_visit_stops_asking_for_it_and_not_for_another() -> None:
    assert decide(demand(account={"pending_visits": ("visit_1",)})).rule == "insurance-pending"
    assert may_charge(charge(account={"pending_visits": ("visit_1",)})).rule == "insurance-pending"
    assert decide(demand(account={"pending_visits": (ELSEWHERE,), "pending_minor": 5_000})).rule == "allowed"


def test_insurance_pending_on_everything_says_so_rather_than_nothing_due() -> None:
    waiting = {"due_now_minor": 0, "due_visits": (), "pending_minor": 12_000}
    assert decide(demand(account=waiting)).rule == "insurance-pending"


def test_credit_elsewhere_stops_demands_and_caps_what_the_patient_may_pay() -> None:
    assert decide(demand(account={"credit_minor": 1})).rule == "credit-elsewhere"
    credit = {"credit_minor": 2_000}
    assert may_charge(charge(account=credit)).rule == "credit-elsewhere"
    assert may_charge(charge(account=credit, amount_minor=10_000, split=(("visit_1", 10_000),))).outcome == "send"
    covered = {"credit_minor": 12_000}
    assert may_charge(charge(account=covered, amount_minor=None, split=(("visit_1", None),))).rule == "credit-elsewhere"


def test_plan_current_is_not_dunned() -> None:
    kept = {"due_now_minor": 0, "due_visits": (), "on_plan_minor": 9_000}
    assert decide(demand(account=kept)).rule == "plan-current"
    assert decide(demand(account={"on_plan_minor": 9_000})).rule == "allowed"


@pytest.mark.parametrize("due_minor", [0, -1])
def test_nothing_due_nothing_asked(due_minor: int) -> None:
    assert decide(demand(account={"due_now_minor": due_minor, "due_visits": ()})).rule == "nothing-due"


def test_balance_moved_since_it_was_queued_stops_the_demand_and_tells_both_figures() -> None:
    ruling = decide(demand(account={"balance_version": 5, "due_now_minor": 7_000, "due_visits": (("visit_1", 7_000),)}))
    assert (ruling.outcome, ruling.rule) == ("withhold", "balance-moved")
    for told in ("version 4", "12000", "version 5", "7000"):
        assert told in ruling.reason


def test_balance_moved_stops_a_demand_for_another_sum_and_a_charge_agreed_before() -> None:
    assert decide(demand(message={"amount_minor": 11_999})).rule == "balance-moved"
    assert may_charge(charge(balance_version=3)).rule == "balance-moved"


def test_unfinished_import_delays_demands() -> None:
    ruling = decide(demand(account={"unfinished_import": True}))
    assert (ruling.outcome, ruling.rule) == ("defer", "unfinished-import")
    assert ruling.until_at is not None and ruling.until_at > NOON


def test_unfinished_import_stops_a_charge_of_our_own_but_not_a_patient_who_pays() -> None:
    assert may_charge(autopay(account={"unfinished_import": True})).rule == "unfinished-import"
    assert may_charge(charge(account={"unfinished_import": True})).rule == "allowed"


def test_stale_ledger_stops_a_charge_of_our_own() -> None:
    assert may_charge(autopay(account={"stale": True})).rule == "stale-ledger"


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_sending_mode_other_than_on_keeps_demands_and_answers_back(mode: str) -> None:
    assert decide(demand(practice=practice(sending=mode))).rule == "sending-mode"
    assert decide(answer(practice=practice(sending=mode))).rule == "sending-mode"


def test_sending_mode_in_shadow_names_a_real_stop_first() -> None:
    assert decide(demand(practice=practice(sending="shadow"), account={"stale": True})).rule == "stale-ledger"
