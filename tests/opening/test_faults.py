"""A row that cannot be taken over refuses the file, naming its line and its column, and nothing is posted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.csv.world import charge
from tests.opening.takeover import Takeover, person, totals, visit

PLAN: dict[str, Any] = {"record": "plan", "plan_id": "L-1", "account_id": "P-1", "visits": "V-1", "interval": "month",
                        "schedule": "2026-12-01 25.00; 2027-01-01 25.00"}

FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("no such record", {"record": "invoice"}, "column record: one of these is expected: patient, visit"),
    ("a cell that nothing reads", {"record": "credit", "account_id": "P-1", "amount": "1", "step": "first"},
     "column step: a row of record credit has no such cell"),
    ("no amount", {"record": "credit", "account_id": "P-1"}, "column amount: empty; every opening_credit needs it"),
    ("a credit below zero", {"record": "credit", "account_id": "P-1", "amount": "-1"}, "column amount: a credit is"),
    ("an unknown account", {"record": "credit", "account_id": "P-7", "amount": "1"}, "column account_id: there is no"),
    ("a balance below zero", visit("V-2", "-5.00"), "column balance: below zero"),
    ("nothing open", visit("V-2", "0"), "column balance: nothing is open"),
    ("a visit twice", visit("V-1", "5.00"), "column visit_id: this visit stands twice"),
    ("nobody answers", visit("V-2", "5.00", patient_id=""), "column account_id: empty, and patient_id as well"),
    ("a statement before the service", visit("V-2", "5.00", "2025-10-04"), "column first_statement_on: before"),
    ("a statement after the aging", visit("V-2", "5.00", "2026-11-03"), "column first_statement_on: after 2026-11-02"),
    ("a service to come", visit("V-2", "5.00", "", service_on="2026-11-04"), "column service_on: lies in the future"),
    ("a standing nobody knows", visit("V-2", "5.00", standing="angry"), "column standing: one of these is expected"),
    ("a step of no calendar", visit("V-2", "5.00", step="fifth"), "column step: none of your calendar's: first"),
    ("a plan above what is owed", {**PLAN, "schedule": "2026-12-01 50.01"}, "column schedule: it comes to $50.01"),
    ("a plan over other visits", {**PLAN, "visits": "V-8"}, "column visits: one of them is not in this file"),
    ("a plan of somebody else", {**PLAN, "account_id": "P-2"}, "column visits: one of them is another account's"),
    ("a schedule out of order", {**PLAN, "schedule": "2027-01-01 1; 2026-12-01 1"}, "column schedule: the days follow"),
    ("a schedule of words", {**PLAN, "schedule": "monthly"}, "column schedule: days and amounts are expected"),
    ("a bankruptcy of one visit", {"record": "standing", "visit_id": "V-1", "standing": "bankruptcy"},
     "column visit_id: bankruptcy is of the whole account"),
    ("a standing of nobody", {"record": "standing", "standing": "agency"}, "column account_id: give either"),
    ("an agency without its name", visit("V-2", "5.00", standing="agency"), "column agency: empty; say which"),
    ("an agency of nobody's", visit("V-2", "5.00", standing="agency", agency="zen"),
     "column agency: none of your policy"),
    ("an agency for a dispute", visit("V-2", "5.00", standing="dispute", agency="acme"),
     "column agency: the standing is another one"),
    ("a day of no standing", visit("V-2", "5.00", since_on="2026-10-01"), "column since_on: no standing"),
    ("placed before the service", visit("V-2", "5.00", standing="agency", agency="acme", since_on="2025-10-04"),
     "column since_on: before the day of service"),
    ("placed tomorrow", visit("V-2", "5.00", standing="agency", agency="acme", since_on="2026-11-04"),
     "column since_on: lies in the future"),
    ("an agency with a whole account", {"record": "standing", "account_id": "P-1", "standing": "agency",
                                        "agency": "acme"}, "column account_id: an agency has single debts"),
    ("an agency with an insurer's debt", visit("V-2", "0", payer_balance="5", payer="Aetna", standing="agency",
                                               agency="acme"), "column standing: agency, and nothing"),
    ("a standing of no visit", {"record": "standing", "visit_id": "V-8", "standing": "dispute"},
     "column visit_id: there is no such visit in this file"),
    ("two contacts in one", {"record": "contact", "account_id": "P-1", "phone": "518-555-0143", "email": "a@b.org"},
     "column phone: give one"),
    ("half a consent", {"record": "consent", "account_id": "P-1", "phone": "518-555-0143"}, "column consent_given_on:"),
    ("no number refused", {"record": "opt_out", "vendor": "them"}, "column phone: give one phone or one"),
    ("a number that is none", {"record": "opt_out", "phone": "12"}, "column phone:"),
    ("a total twice", {"record": "total", "bucket": "0-30", "amount": "50", "as_of": "2026-11-02"},
     "column bucket: this total stands twice"),
    ("a total of another day", {"record": "total", "bucket": "payers", "amount": "0", "as_of": "2026-11-01"},
     "column as_of: all totals are of one day"),
    ("a bucket of their own", {"record": "total", "bucket": "150+", "amount": "0", "as_of": "2026-11-02"},
     "column bucket: one of these is expected: 0-30"),
]


@pytest.mark.parametrize(("row", "said"), [f[1:] for f in FAULTS], ids=[f[0].replace(" ", "-") for f in FAULTS])
def test_a_wrong_row_refuses_the_whole_file_by_line_and_column(small_move: Takeover, row: dict[str, Any],
                                                               said: str) -> None:
    small_move.settle(dunning={})
    rows = [person(), person("P-2"), visit("V-1", "50.00"), *totals(b0="50.00")[:6], row]
    report = small_move.take(*rows)
    assert report.outcome == "refused"
    assert f"line {len(rows) + 1}, {said}" in str(report.reason)
    assert (small_move.taken(), small_move.open_holds(), small_move.revocations()) == ([], [], [])


def test_a_file_that_is_no_opening_file_says_so(small_move: Takeover) -> None:
    report = small_move.take_file(small_move.write("visit_id,amount\nV-1,5\n"))
    assert "column 'amount'" not in str(report.reason)
    assert "there is no column 'record'" in str(report.reason)
    report = small_move.take_file(small_move.write("record,visit,balance\nvisit,V-1,5\n"))
    assert "column 'visit' is none of this file; did you mean 'visits'?" in str(report.reason)


def test_a_visit_that_is_on_file_is_not_owed_twice(small_move: Takeover) -> None:
    small_move.give("charges", charge("V-1", "50.00"))
    report = small_move.take(visit("V-1", "50.00"), *totals(b0="50.00"))
    assert "line 2, column visit_id: this visit is on file already" in str(report.reason)
    assert small_move.open_minor("V-1") == {"V-1": 5_000}


def test_no_cell_is_repeated_in_what_is_said(small_move: Takeover) -> None:
    report = small_move.take(person(born_on="Ruizday"), *totals())
    assert "Ruizday" not in str(report.reason)
    assert "line 2, column born_on" in str(report.reason)
