"""The day is closed, the bank's file is read and the processor reconciled from the command line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.exits import FOUND_PROBLEMS, NOT_FOUND, OK, REFUSED, USAGE
from tests.cli.conftest import ROOT, Run, plainbill
from tests.reconcile.standing import standing

__all__ = ["plainbill"]

EXAMPLE = str(ROOT / "config/practice.example.toml")
NOON = "2026-11-03T12:00:00-05:00"
CHARGES = ("visit_id,patient_id,account_id,service_on,procedure,amount\n"
           "V-1,P-1,A-1,2026-10-05,99213,130.00\n")


@pytest.fixture
def office(plainbill: Run, tmp_path: Path) -> Run:
    plainbill("practice", "set", EXAMPLE)
    for login, role in (("mia", "supervisor"), ("ben", "biller")):
        plainbill("staff", "add", login, "--name", login.title(), "--role", role)
    return plainbill


def test_a_day_is_counted_signed_and_locked(office: Run) -> None:
    """A count by the person whose drawer it is; a biller may not sign, a supervisor may, once."""
    counted = office("close", "day", "2026-11-03", "--count", "cash=100.00", STAFF="ben", CLOCK=NOON)
    assert counted.code == FOUND_PROBLEMS  # nothing was booked: it is over
    shown = office("close", "day", "2026-11-03", "--json", CLOCK=NOON).json
    assert [(d["person"], d["tender"], d["counted_minor"], d["over_short_minor"]) for d in shown["drawers"]] == [
        ("ben", "cash", 10_000, 10_000)]
    refused = office("close", "day", "2026-11-03", "--sign", STAFF="mia", CLOCK=NOON)
    assert (refused.code, "ben, cash, $100.00" in refused.err) == (REFUSED, True)
    assert office("close", "day", "2026-11-03", "--sign", "--note", "x", STAFF="ben", CLOCK=NOON).code == REFUSED
    signed = office("close", "day", "2026-11-03", "--sign", "--note", "float left in", "--json", STAFF="mia",
                    CLOCK=NOON)
    assert (signed.code, signed.json["locked"], signed.json["signed_by"]) == (OK, True, "mia")
    again = office("close", "day", "2026-11-03", "--sign", "--note", "x", STAFF="mia", CLOCK=NOON)
    assert (again.code, "is locked" in again.err) == (REFUSED, True)
    assert office("close", "days", "--json", CLOCK=NOON).json["signed"][0]["over_short_minor"] == 10_000


def test_whoever_counted_a_day_that_is_over_signs_it_on_the_next_day_at_the_earliest(office: Run) -> None:
    """She is the only one here who may; with a colleague of her role she would have to ask."""
    day = ("close", "day", "2026-11-03", "--sign", "--note", "float left in")
    office("close", "day", "2026-11-03", "--count", "cash=100.00", "--person", "ben", STAFF="mia", CLOCK=NOON)
    refused = office(*day, STAFF="mia", CLOCK=NOON)
    assert (refused.code, "a night has to pass" in refused.err) == (REFUSED, True)
    assert office(*day, STAFF="mia", CLOCK="2026-11-04T09:00:00-05:00").code == OK


@pytest.mark.parametrize("words", ["cash", "cash=", "cash=12.345", "=5"])
def test_a_count_that_is_no_count_is_a_usage_error(office: Run, words: str) -> None:
    assert office("close", "day", "--count", words, CLOCK=NOON).code in (USAGE, REFUSED)


def test_the_slip_is_printed_and_written(office: Run, tmp_path: Path) -> None:
    office("close", "day", "2026-11-03", "--count", "cash=100.00", CLOCK=NOON)
    found = office("close", "slip", "2026-11-03", "--json", "--pdf", "slip.pdf", CLOCK=NOON)
    assert found.json["total_minor"] == 10_000
    assert (tmp_path / "slip.pdf").read_bytes().startswith(b"%PDF")
    assert "$100.00" in office("close", "slip", "2026-11-03", CLOCK=NOON).out


def test_the_banks_file_is_matched_and_the_rest_worked(office: Run, tmp_path: Path) -> None:
    """A typed EOB's check is found at the bank; interest is matched by hand, with a reason, and can be taken back."""
    (tmp_path / "claims.csv").write_text(CHARGES)
    (tmp_path / "eob.csv").write_text(
        "payer,check_number,check_on,check_amount,claim,service_on,procedure,charge,adjustments,paid\n"
        "Blue Shield,447100,2026-11-03,80.00,V-1,2026-10-05,99213,130.00,CO-45:30.00 PR-1:20.00,80.00\n")
    (tmp_path / "bank.csv").write_text(
        "date,amount,text\n2026-11-05,80.00,CHECK 447100\n2026-11-06,1.25,INTEREST\n")
    office("import", "claims.csv", CLOCK=NOON)
    assert office("import", "eob.csv", "--json", CLOCK=NOON).json["kind"] == "paper"
    read = office("close", "bank", "bank.csv", "--json", CLOCK=NOON).json
    assert (read["new"], [p["kind"] for p in read["matched"]]) == (2, ["remittance"])
    assert office("close", "bank", "bank.csv", "--json", CLOCK=NOON).json["known"] == 2
    left = office("close", "worklist", "--json", CLOCK=NOON).json
    assert [(w["kind"], w["amount_minor"]) for w in left] == [("line", 125)]
    assert office("close", "match", left[0]["ref"], "other", CLOCK=NOON).code == REFUSED
    assert office("close", "match", left[0]["ref"], "other", "--reason", "interest", CLOCK=NOON).code == OK
    assert office("close", "worklist", "--json", CLOCK=NOON).json == []
    assert office("close", "unmatch", left[0]["ref"], "--reason", "wrong", CLOCK=NOON).code == OK
    assert office("close", "match", "bnk_x", "other", "--reason", "x", CLOCK=NOON).code in (NOT_FOUND, REFUSED)
    assert office("ledger", "verify", CLOCK=NOON).code == OK


def test_a_bank_file_with_a_fault_is_refused_with_its_line(office: Run, tmp_path: Path) -> None:
    (tmp_path / "bank.csv").write_text("date,amount,text\n2026-11-05,eighty,CHECK\n")
    refused = office("close", "bank", "bank.csv", CLOCK=NOON)
    assert (refused.code, "line 2, column amount" in refused.err) == (REFUSED, True)


@pytest.fixture
def stripe_url() -> Iterator[str]:
    with standing(time.time) as found:
        yield found.server.url


def test_reconcile_says_what_it_found(office: Run, stripe_url: str) -> None:
    """In words and as JSON; exit code 0 where everything agrees; a day or a span that cannot be is a usage error."""
    found = office("reconcile", "--json", STRIPE_BASE_URL=stripe_url)
    assert (found.code, found.json["processor_minor"], found.json["open"]) == (OK, 0, [])
    assert "Processor, payouts and ledger agree." in office("reconcile", STRIPE_BASE_URL=stripe_url).out
    assert office("reconcile", "--day", "soon").code == USAGE
    assert office("reconcile", "--day", "2026-11-03", "--since", "2026-11-01").code == USAGE
    assert office("reconcile", "--list", "--json").json == []
    assert office("reconcile", "--explain", "dif_x", "--note", "x").code == REFUSED
