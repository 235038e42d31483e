"""Offers to take less: only by the written policy, never to federal payers' patients, taken by paying in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing import settlement_offers
from billing.credit_lines import FEDERAL
from billing.lives import IllegalMove
from billing.policy.wording import bad_words
from billing.settlement_offers import MOVES, OfferRefused
from billing.store.tables import Offer
from bot.collection_days import work_practice
from tests.collections.office import OWED, RIPE, START, VISIT, Office
from tests.dunning.house import ANNA
from tests.payments.world import PRACTICE


def make(office: Office, kind: str = "past_due") -> str:
    return office.do(lambda s: settlement_offers.make(
        s, practice_id=PRACTICE, guarantor_id=ANNA, kind=kind, by="bill", now=office.clock()).id)


def offer(office: Office, one: str) -> Offer:
    return office.do(lambda s: s.get_one(Offer, one))


def refusal(office: Office, kind: str = "past_due") -> str:
    with pytest.raises(OfferRefused) as caught:
        make(office, kind)
    return caught.value.rule


def test_paid_in_time_the_rest_is_a_discount_to_the_cent(office: Office) -> None:
    office.overdue()
    one = make(office)
    assert (offer(office, one).owed_minor, offer(office, one).pay_minor) == (OWED, 7_500)
    assert make(office) == one
    office.pay(7_000)
    assert (offer(office, one).status, office.owes()) == ("offered", 3_000)
    office.clock.advance(days=1)
    office.pay(500)
    assert (offer(office, one).status, office.owes(), office.cash()) == ("paid", 0, {"discounts": 2_500})
    assert office.holds() == []
    office.clean()


def test_while_it_stands_nothing_else_is_asked_for_and_it_lapses_after_its_last_day(office: Office) -> None:
    office.overdue()
    one = make(office)
    said = len(office.said())
    office.live(20, RIPE)
    assert len(office.said()) == said
    office.at(offer(office, one).until_on, 23)
    office.do(lambda s: work_practice(s, PRACTICE, office.clock()))
    assert offer(office, one).status == "offered"
    office.at(offer(office, one).until_on + timedelta(days=1), 9)
    office.do(lambda s: work_practice(s, PRACTICE, office.clock()))
    assert (offer(office, one).status, office.holds()) == ("lapsed", [])
    office.pay(7_500)
    assert (office.owes(), office.cash()) == (2_500, {})


@pytest.mark.parametrize("code", sorted(FEDERAL))
def test_t_58_a_federal_payers_patient_is_offered_nothing(office: Office, code: str) -> None:
    office.overdue()
    office.insure(code)
    assert refusal(office) == "T-58"
    assert office.holds() == []


def test_t_58_another_payers_patient_is_offered_what_the_policy_says(office: Office) -> None:
    office.overdue()
    office.insure("CI")
    assert offer(office, make(office)).pay_minor == 7_500


def test_t_58_without_a_written_policy_or_outside_it_nothing_is_offered(office: Office) -> None:
    office.overdue()
    rules: dict[str, Any] = {**office.policy.model_dump(mode="json")}
    for written in (None, {"written_on": "2026-01-01", "signed_by": "Dr. Rowan"},
                    {"written_on": "2027-03-01", "signed_by": "Dr. Rowan", "past_due_percent": 10},
                    {"written_on": "2026-01-01", "signed_by": "Dr. Rowan", "past_due_percent": 10,
                     "past_due_from_days": 300}):
        office.settle(**{**rules, "settlement": written})
        assert refusal(office) == "T-58"


def test_prompt_pay_is_for_what_is_not_late(office: Office) -> None:
    office.account()
    office.at(START, 11)
    assert offer(office, make(office, "prompt_pay")).pay_minor == 9_000
    office.do(lambda s: settlement_offers.lapse(s, PRACTICE, office.clock()))


def test_prompt_pay_of_what_is_late_is_refused(office: Office) -> None:
    office.overdue()
    assert refusal(office, "prompt_pay") == "T-58"


@pytest.mark.parametrize(("kind", "visit"), [("dispute", VISIT), ("insurance_update", VISIT), ("bankruptcy", None),
                                             ("assistance_pending", None), ("staff_flag", None)])
def test_nothing_held_is_settled(office: Office, kind: str, visit: str | None) -> None:
    office.overdue()
    office.hold(kind, visit)
    assert refusal(office) == f"hold:{kind}"


@pytest.mark.parametrize("before", sorted(MOVES))
def test_an_offer_takes_no_step_that_its_life_does_not_have(office: Office, before: str) -> None:
    office.overdue()
    one = make(office)
    office.do(lambda s: setattr(s.get_one(Offer, one), "status", before))
    act = lambda s: settlement_offers.withdraw(s, PRACTICE, one, by="bill", reason="x", now=office.clock())  # noqa: E731
    if "withdrawn" in MOVES[before]:
        office.do(act)
    else:
        with pytest.raises(IllegalMove):
            office.do(act)


def test_t_15_no_words_of_an_offer_look_like_debt_relief(office: Office) -> None:
    """What a patient reads of a discount, on a page or in an answer, in both languages."""
    from billing.views import Step
    from templates.sentences import sentence
    for language in ("en", "es"):
        for kind in ("discount", "assistance", "written_off", "placed"):
            for minor in (-2_500, 2_500):
                words = sentence(Step(kind, minor), language)
                assert bad_words(words) == () and words
