"""``plainbill accounts`` and ``plainbill postings`` as staff type them, and importing with a template and a map."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, plainbill
from tests.csv.world import SAMPLES, charge, filled, person

__all__ = ["plainbill"]

POLICY = """
name = "Maple Clinic"
legal_name = "Maple Clinic PLLC"
phone = "+12125550199"
address = "12 Maple St, New York, NY 10001"
"""


@pytest.fixture
def clinic(plainbill: Run, tmp_path: Path) -> Run:
    rows = (charge("V-1", "145.00"), charge("V-2", "5", patient_id="P-2"))
    (tmp_path / "charges.csv").write_text(filled("charges", *rows))
    (tmp_path / "patients.csv").write_text(filled("patients", person(phone="518-555-0143")))
    assert plainbill("import", "patients.csv", "charges.csv").code == 0
    return plainbill


def test_accounts_that_nobody_confirmed_are_listed_and_confirmed_with_a_reason(clinic: Run) -> None:
    listed = clinic("accounts", "list", "--unconfirmed", "--json").json
    assert [(a["account"], a["open_minor"], a["confirmed"]) for a in listed] == [("P-2", 500, False)]
    assert clinic("accounts", "confirm", "P-2").code == 2
    done = clinic("accounts", "confirm", "V-2", "--language", "es", "--reason", "called her", "--json", STAFF="ana")
    assert (done.json["confirmed_by"], done.json["language"]) == ("ana", "es")
    assert clinic("accounts", "list", "--unconfirmed", "--json").json == []


def test_an_account_may_be_joined_to_the_confirmed_one_of_the_same_person(clinic: Run) -> None:
    assert clinic("accounts", "confirm", "P-2", "--into", "P-1", "--reason", "same person").code == 0
    shown = clinic("accounts", "show", "V-2", "--json").json
    assert (shown["account"], shown["open_minor"]) == ("P-1", 15_000)


def test_a_number_comes_with_the_wording_that_was_agreed_to(clinic: Run) -> None:
    assert clinic("accounts", "phone", "P-1", "518-555-0144", "--medium", "phone").code == 2
    done = clinic("accounts", "phone", "P-1", "518-555-0144", "--consent-wording", "Yes, text me about bills",
                  "--medium", "phone", "--json")
    assert (done.json["added"], done.json["consent_recorded"]) == (True, True)
    shown = clinic("accounts", "show", "P-1", "--json").json
    assert [(p["address"], p["consent"]) for p in shown["phones"]] == [("+15185550143", False), ("+15185550144", True)]
    assert clinic("accounts", "phone", "P-1", "12").code == 2


def test_an_account_that_is_not_there_is_exit_code_5(clinic: Run) -> None:
    assert clinic("accounts", "show", "nobody").code == 5
    assert clinic("accounts", "confirm", "nobody", "--reason", "x").code == 5
    assert "no such account" in clinic("accounts", "phone", "nobody", "518-555-0144").err


def test_people_can_read_all_of_it(clinic: Run) -> None:
    assert "P-2" in clinic("accounts", "list").out
    assert "+15185550143" in clinic("accounts", "show", "P-1").out


def test_a_practice_with_its_own_record_is_told_that_there_is_nothing_to_export(clinic: Run) -> None:
    done = clinic("postings", "export")
    assert (done.code, "There is nothing to export" in done.err) == (3, True)


def test_postings_go_out_are_listed_and_acknowledged(plainbill: Run, tmp_path: Path) -> None:
    (tmp_path / "practice.toml").write_text(POLICY + 'ledger_of_record = "northwind"\n')
    assert plainbill("practice", "set", "practice.toml").code == 0
    assert "Nothing to export" in plainbill("postings", "export", "--to", "out").out
    assert plainbill("postings", "list", "--json").json == {"batches": [], "waiting": {"rows": 0, "total_minor": 0}}
    assert plainbill("postings", "differences", "--json").json == []
    assert plainbill("postings", "ack", "pob_none").code == 5
    assert "Waiting for the next export: 0 rows" in plainbill("postings", "list").out


def test_a_template_is_written_to_standard_output_as_it_is_to_be_filled(plainbill: Run, tmp_path: Path) -> None:
    text = plainbill("import", "--template", "charges").out
    (tmp_path / "mine.csv").write_text(text + "T-1,V-1,P-1,,2026-10-05,,99213,,,1,145.00,,,,,,,,,\n")
    assert plainbill("import", "mine.csv", "--json").json["outcome"] == "posted"
    assert plainbill("import", "--template", "nonsense").code == 2


def test_a_map_may_be_called_by_name_on_the_command_line(plainbill: Run) -> None:
    expected = json.loads((SAMPLES / "ledger-export.expected.json").read_text())
    done = plainbill("import", "--map", "synthea", str(SAMPLES / "ledger-export.csv"), "--json")
    assert (done.code, done.json["kind"], done.json["outcome"]) == (0, "csv", "posted")
    claims = {c["claim_id"]: c["patient_due_minor"] for c in done.json["transactions"][0]["claims"]}
    assert claims == {**expected["patient"]}
    assert plainbill("balance", "p1", "--json").json["open_minor"] == expected["accounts"]["p1"]
    assert plainbill("ledger", "verify").code == 0
