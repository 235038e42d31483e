"""The patient file: who answers, how they are reached, what they agreed to; and nothing of it inferred."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from billing import consents
from billing.accounts import find_account
from billing.consents import Standing
from billing.phones import address_hash
from billing.store.tables import Consent, ContactPoint, Guarantor, Patient, Practice
from tests.csv.world import World, charge, outcomes, person
from tests.ledger.paper import Bill, claims

PHONE = "+15185550143"
CONSENT = {"consent_given_on": "2026-01-10", "consent_wording": "I agree to get billing texts",
           "consent_medium": "form", "consent_recorded_by": "front desk"}
CHILD = {"patient_id": "P-2", "account_id": "A-1", "given_name": "Ana", "surname": "Ruiz", "born_on": "2015-04-02"}


def account(world: World, ref: str) -> Guarantor:
    found = world.store.read(lambda s: find_account(s, world.practice_id, ref))
    assert found is not None
    return found


def stands(world: World, number: str = PHONE, ref: str = "P-1") -> Standing:
    hashed = address_hash(world.practice_id, "sms", number)
    return world.store.read(lambda s: consents.standing(s, world.practice_id, "sms", hashed, account(world, ref).id))


def count(world: World, table: Any) -> int:
    return int(world.store.read(lambda s: s.query(table).count()))


@pytest.mark.parametrize(("row", "confirmed"), [
    (person(), True),
    (person(relation=""), False),
    (person(relation="child"), False),
    (person(born_on="2012-05-05"), False),
    (person(guarantor_confirmed="no"), False),
    (person(relation="", guarantor_confirmed="yes"), True),
    (CHILD | {"guarantor_given_name": "Marta", "guarantor_surname": "Ruiz"}, True),
    (CHILD | {"guarantor_surname": "Ruiz", "guarantor_confirmed": "no"}, False),
    (CHILD | {"guarantor_surname": "Ruiz", "guarantor_born_on": "2014-01-01"}, False),
    (CHILD, False),
])
def test_only_a_named_guarantor_or_a_grown_patient_who_is_self_is_confirmed(
        small_world: World, row: dict[str, Any], confirmed: bool) -> None:
    assert small_world.give("patients", row).outcome == "posted"
    assert (account(small_world, row["patient_id"]).confirmed_at is not None) is confirmed


def test_a_child_and_its_mother_share_her_account_in_whatever_order_they_come(world: World) -> None:
    mother = person(patient_id="P-9", account_id="A-1", given_name="Marta", surname="Ruiz", born_on="1988-09-30")
    world.give("patients", CHILD, mother)
    found = account(world, "P-2")
    assert (found.external, found.name, found.confirmed_at is not None) == ("A-1", "Marta Ruiz", True)
    assert account(world, "P-9").id == found.id


def test_a_row_updates_what_changed_and_the_same_row_changes_nothing(world: World) -> None:
    row = person(address="5 Oak St", city="Albany", state="NY", zip="12207", language="Spanish", phone="(518) 555-0143",
                 **CONSENT)
    first, second = world.give("patients", row), world.give("patients", row)
    third = world.give("patients", {**row, "address": "7 Elm St", "language": "en", "phone_2": "518-555-0144"})
    assert outcomes([first, second, third]) == ["posted", "duplicate", "posted"]
    assert (third.tally, account(world, "P-1").address) == ({"updated": 1}, "7 Elm St, Albany, NY 12207")
    assert account(world, "P-1").language == "en"
    assert [count(world, table) for table in (Guarantor, Patient, ContactPoint, Consent)] == [1, 1, 2, 1]


def test_a_leading_zero_that_a_spreadsheet_ate_comes_back_and_states_may_be_written_out(small_world: World) -> None:
    small_world.give("patients", person(zip="2081", state="Massachusetts"))
    assert (account(small_world, "P-1").postal_code, account(small_world, "P-1").region) == ("02081", "MA")


def test_a_consent_is_for_the_first_number_and_complete_with_its_wording(world: World) -> None:
    world.give("patients", person(phone="(518) 555-0143", phone_2="518-555-0144", **CONSENT))
    assert stands(world).complete
    assert stands(world, "+15185550144").consent_event_id is None


def test_a_former_opt_out_binds_the_number_whatever_consent_stands_beside_it(world: World) -> None:
    world.give("patients", person(phone="(518) 555-0143", opted_out="2026-03-01", **CONSENT))
    found = stands(world)
    assert found.opted_out and found.opted_out_at is not None
    assert found.opted_out_at.date() == date(2026, 3, 1)


def test_start_after_an_imported_opt_out_is_not_undone_by_the_next_file(world: World) -> None:
    world.give("patients", person(phone="(518) 555-0143", opted_out="yes", **CONSENT))
    hashed = address_hash(world.practice_id, "sms", PHONE)
    world.store.write(lambda s: consents.record_restored(
        s, world.practice_id, "sms", hashed, wording="START", recorded_by="patient", now=world.at))
    world.give("patients", person(phone="(518) 555-0143", opted_out="yes", city="Troy", **CONSENT))
    assert not stands(world).opted_out


def test_a_consent_from_before_the_number_changed_hands_is_not_taken_up_again(world: World) -> None:
    world.give("patients", person(phone="(518) 555-0143", **CONSENT))
    hashed = address_hash(world.practice_id, "sms", PHONE)
    world.store.write(lambda s: consents.void(
        s, world.practice_id, "sms", hashed, wording="wrong number", recorded_by="patient", now=world.at))
    world.give("patients", person(phone="(518) 555-0143", city="Troy", **CONSENT))
    assert stands(world).consent_event_id is None


def test_an_account_is_never_handed_to_another_person_with_its_debts(world: World) -> None:
    world.give("patients", person(account_id="A-1"))
    other = person(patient_id="P-7", account_id="A-1", given_name="Eva", surname="Stone", born_on="1991-01-01")
    report = world.give("patients", other)
    assert report.outcome == "refused"
    assert "column account_id: this account is on file for a person" in str(report.reason)
    assert account(world, "A-1").name == "Juan Ruiz"


def test_new_visits_go_to_the_account_that_the_newest_row_names_and_old_ones_stay(world: World) -> None:
    world.give("patients", CHILD | {"guarantor_surname": "Ruiz"})
    world.give("charges", charge("V-1", "10.00", patient_id="P-2"))
    world.give("patients", CHILD | {"account_id": "P-2", "born_on": "2008-04-02", "relation": "self"})
    world.give("charges", charge("V-2", "20.00", patient_id="P-2"))
    assert [v.external for v in world.account("A-1").visits] == ["V-1"]
    assert [v.external for v in world.account("V-2").visits] == ["V-2"]


def test_a_claim_file_finds_the_patient_of_exactly_that_name_and_birthday(world: World, practice: Practice) -> None:
    bill = Bill("CLM-1", [("99213", 15000)])
    world.load(world.write(claims([bill]), "claims.837"))
    unknown = account(world, "CLM-1")
    assert unknown.confirmed_at is None
    row = person(given_name=_given(world), surname=_surname(world), born_on=unknown.born_on, account_id="A-1")
    world.give("patients", row)
    second = Bill("CLM-2", [("99213", 15000)])
    world.load(world.write(claims([second], number=2), "more.837"))
    assert account(world, "CLM-2").external == "A-1"
    assert account(world, "CLM-1").external != "A-1", "what was opened before stays until staff join it"


def _given(world: World) -> str:
    return str(world.store.read(lambda s: s.query(Patient).one().given))


def _surname(world: World) -> str:
    return str(world.store.read(lambda s: s.query(Patient).one().name)).removeprefix(_given(world)).strip()


def test_undoing_a_patient_file_takes_numbers_consents_and_confirmations_back(world: World) -> None:
    row = person(phone="(518) 555-0143", **CONSENT)
    world.undo(world.give("patients", row))
    assert account(world, "P-1").confirmed_at is None
    assert count(world, ContactPoint) == 0
    assert stands(world).consent_event_id is None
    assert world.give("patients", row).outcome == "posted"
    assert stands(world).complete and account(world, "P-1").confirmed_at is not None


def test_undoing_leaves_a_consent_that_was_on_file_before(world: World) -> None:
    world.give("patients", person(phone="(518) 555-0143", **CONSENT))
    world.undo(world.give("patients", person(phone="(518) 555-0143", address="9 Fir Rd", **CONSENT)))
    assert stands(world).complete and count(world, ContactPoint) == 1


def test_synthea_patients_stay_unconfirmed_for_want_of_a_guarantor(small_world: World) -> None:
    head = "Id,BIRTHDATE,FIRST,LAST,ADDRESS,CITY,STATE,ZIP"
    row = "b37f,1987-04-27,Margorie48,Cormier289,927 Mann Track,Andover,Massachusetts,01810"
    path = small_world.write(f"{head}\n{row}\n")
    assert small_world.load(path, column_map=Path("synthea-patients")).outcome == "posted"
    assert account(small_world, "b37f").confirmed_at is None


def test_an_email_address_comes_along_and_goes_with_the_undone_file(world: World) -> None:
    given = world.give("patients", person(email="Ana.Ruiz@Patient.example"))
    again = world.give("patients", person(email="ana.ruiz@patient.example"))
    assert outcomes([given, again]) == ["posted", "duplicate"]
    assert count(world, ContactPoint) == 1
    world.undo(given)
    assert count(world, ContactPoint) == 0
