"""Which way a message takes, and why not the others."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from billing import preferences, ways
from billing.phones import address_hash
from billing.store.tables import Guarantor
from billing.ways import Choice, NoWay
from config.dunning_policy import EVERY_WAY
from tests.dunning.house import ANNA, PHONE, House
from tests.payments.world import PRACTICE


def chosen(house: House, **how: object) -> tuple[str, list[tuple[str, str]]]:
    found = house.do(lambda s: ways.choose(s, ANNA, EVERY_WAY, **how))  # type: ignore[arg-type]
    return found.way if isinstance(found, Choice) else "", [(one.way, one.why) for one in found.passed]


def wish(house: House, way: str, only: bool) -> None:
    house.do(lambda s: preferences.record(
        s, PRACTICE, "sms", address_hash(PRACTICE, "sms", PHONE), kind="way", value={"way": way, "only": only},
        wording="please", recorded_by="bill", now=house.clock()))


def test_what_the_patient_asked_for_comes_first(house: House) -> None:
    house.account()
    assert chosen(house)[0] == "sms"
    wish(house, "paper", only=False)
    assert chosen(house) == ("paper", [])


def test_paper_only_is_paper_only(house: House) -> None:
    house.account()
    wish(house, "paper", only=True)
    house.do(lambda s: setattr(s.get_one(Guarantor, ANNA), "address", None))
    assert chosen(house) == ("", [("paper", "no_address"), ("sms", "asked_other_way"),
                                  ("telegram", "not_set_up"), ("email", "not_set_up")])


def test_who_asked_to_be_called_gets_no_texts_but_a_letter_still(house: House) -> None:
    house.account()
    wish(house, "call", only=True)
    assert chosen(house)[0] == "paper"


def test_a_collectors_account_is_never_texted(house: House) -> None:
    """T-15."""
    house.account()
    house.do(lambda s: setattr(s.get_one(Guarantor, ANNA), "capacity", "collector"))
    assert chosen(house) == ("paper", [("sms", "collector"), ("telegram", "not_set_up"), ("email", "not_set_up")])


def test_an_account_obtained_in_default_is_a_collectors_and_told_on_paper_not_left_without_a_word(house: House) -> None:
    """T-20: the gate derives it so, and would withhold the text; the letter has to be chosen in its place."""
    house.account()

    def obtain(session: Session) -> None:
        row = session.get_one(Guarantor, ANNA)
        row.defaulted_on, row.obtained_on = date(2026, 5, 1), date(2026, 6, 1)

    house.do(obtain)
    assert chosen(house) == ("paper", [("sms", "collector"), ("telegram", "not_set_up"), ("email", "not_set_up")])


@pytest.mark.parametrize(("minor", "way"), [(499, ""), (500, "paper")])
def test_a_ways_minimum_counts_from_the_cent_that_it_names(house: House, minor: int, way: str) -> None:
    house.account(phone="")
    assert chosen(house, amount_minor=minor, minimum_minor={"paper": 500})[0] == way


def test_a_confidential_request_lets_through_what_the_patient_named_since(house: House) -> None:
    """45 CFR 164.522(b); T-33."""
    house.account()
    house.do(lambda s: preferences.record(
        s, PRACTICE, "sms", address_hash(PRACTICE, "sms", PHONE), kind="confidential", value={"on": True},
        wording="not here", recorded_by="bill", now=house.clock(), guarantor_id=ANNA))
    assert chosen(house) == ("", [("sms", "confidential"), ("telegram", "not_set_up"), ("email", "not_set_up"),
                                  ("paper", "confidential")])
    house.clock.at += timedelta(days=1)
    wish(house, "paper", only=True)
    assert chosen(house)[0] == "paper"


def test_no_way_says_every_reason_in_words_without_an_address(house: House) -> None:
    house.account(phone="")
    house.do(lambda s: setattr(s.get_one(Guarantor, ANNA), "address", None))
    found = house.do(lambda s: ways.choose(s, ANNA, ("sms", "paper")))
    assert isinstance(found, NoWay)
    assert found.words == ("no way to reach them; sms: there is no such address on file; paper: there is no such "
                           "address on file")
