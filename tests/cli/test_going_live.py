"""``check --golive`` names each thing that is missing before the first message, and nothing once it is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from pydantic import SecretStr

from billing.store.tables import Guarantor
from bot.cli.check import _missing
from bot.cli.going_live import Counts, missing
from config.dunning_policy import (
    AssistancePolicy,
    AssistanceTier,
    CarrierPolicy,
    CollectionsPolicy,
    CollectorPolicy,
    Readiness,
)
from config.practice import PracticePolicy
from config.settings import Settings
from tests.cli.conftest import Office, Run
from tests.conftest import maple_clinic

DAY = date(2026, 11, 3)
STAFFED = Counts(approvers=1, staff=3, with_phone=2, deputies=1, unreleased=0, restored=False)


def _ready() -> PracticePolicy:
    return maple_clinic(
        carrier=CarrierPolicy(brand="B1", campaign="C1"), baa_signed=["twilio"], on_call_phone="+12125550111",
        assistance=(AssistancePolicy(since=DAY, tiers=(AssistanceTier(fpl_percent=200, discount_percent=100),)),),
        readiness=Readiness(opt_outs_taken_over_on=DAY, consent_wording_reviewed_on=DAY,
                            privacy_page="https://maple.example/privacy", risk_analysis_on=DAY, staff_trained_on=DAY,
                            words_read_on=DAY))


def _settings() -> Settings:
    return Settings(backup_key=SecretStr("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")).model_copy(
        update={"environment": "production"})


def test_a_practice_that_has_everything_lacks_nothing() -> None:
    assert missing(_settings(), _ready(), STAFFED) == []


def test_each_thing_that_is_taken_away_is_named() -> None:
    for field in Readiness.model_fields:
        policy = _ready()
        without = policy.model_copy(update={"readiness": policy.readiness.model_copy(update={field: None})})
        assert len(missing(_settings(), without, STAFFED)) == 1, field
    for change in ({"carrier": CarrierPolicy()}, {"baa_signed": ()}, {"on_call_phone": None}, {"assistance": ()}):
        assert len(missing(_settings(), _ready().model_copy(update=change), STAFFED)) == 1, change


def test_people_and_leftovers_count() -> None:
    assert [one.area for one in missing(_settings(), _ready(), Counts(0, 2, 0, 0, 4, True))] == [
        "people", "people", "people", "safety", "data"]
    assert [one.what for one in missing(Settings(), _ready(), STAFFED)] == ["production settings", "backups"]


def test_t_28_a_collector_is_told_that_its_notice_is_off_and_that_nothing_leaves_before_it() -> None:
    collector = _ready().model_copy(update={"collector": CollectorPolicy(capacity="collector")})
    for policy, counts in ((_ready(), replace(STAFFED, collectors=3)), (collector, STAFFED)):
        (lack,) = missing(_settings(), policy, counts)
        assert (lack.area, "T-28" in lack.what, "counsel" in lack.todo) == ("collector", True, True)


def test_t_28_check_warns_as_soon_as_one_account_is_a_collectors(plainbill: Run, office: Office) -> None:
    assert not any("T-28" in one for one in plainbill("check", "--json").json["warnings"])
    office().write(lambda session: session.query(Guarantor).update(
        {"obtained_on": DAY, "defaulted_on": date(2026, 10, 1)}))
    (warning,) = [one for one in plainbill("check", "--json").json["warnings"] if "T-28" in one]
    assert "1 accounts" in warning and "no demand leaves" in warning


def test_a_hospital_lacks_whatever_its_statements_would_not_say_of_assistance() -> None:
    """T-45: each part of the notice, in each language; a practice that is no hospital is not asked for it."""
    whole = {"assistance_url": "https://maple.example/help"}
    for change, lacks in (({}, ["assistance_url in the policy"]), (whole, []),
                          ({**whole, "assistance_note_es": " "}, ["assistance_note_es in the policy"])):
        hospital = _ready().model_copy(update={"collections": CollectionsPolicy(hospital_501r=True), **change})
        assert [one.todo for one in missing(_settings(), hospital, STAFFED)] == lacks
        told = [one for one in _missing(_settings(), hospital, True, 3) if "(T-45)" in one]
        assert [one.split(": ")[1] for one in told] == lacks
