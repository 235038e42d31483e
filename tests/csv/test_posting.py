"""Rows of CSV files in the ledger: once each, in any order, refused whole or posted whole, and taken back."""

from __future__ import annotations

import json

import pytest

from billing.store.tables import CsvRow, Transfer
from billing.undoing import UndoRefused
from bot.importing import csv_files
from tests.csv.world import SAMPLES, World, charge, moved, outcomes, paid, person


def test_another_systems_ledger_ends_at_the_figures_worked_out_by_hand(world: World) -> None:
    expected = json.loads((SAMPLES / "ledger-export.expected.json").read_text())
    report = world.load(SAMPLES / "ledger-export.csv", column_map=csv_files.SHIPPED_MAPS / "synthea.toml")
    assert (report.outcome, report.reason) == ("posted", None)
    assert world.open_minor(*expected["open"]) == expected["open"]
    assert {c: world.visit(c).patient_minor for c in expected["patient"]} == expected["patient"]
    assert {p: world.account(p).total.open_minor for p in expected["accounts"]} == expected["accounts"]
    assert sum(expected["accounts"].values()) == expected["total"]
    world.check()


def test_an_insurer_has_answered_once_nothing_is_left_with_it_and_not_before(world: World) -> None:
    world.load(SAMPLES / "ledger-export.csv", column_map=csv_files.SHIPPED_MAPS / "synthea.toml")
    waiting = {v.external: [(c.rank, c.status) for c in v.coverages] for p in ("p1", "p2", "p3")
               for v in world.account(p).visits}
    assert waiting == {"c1": [(1, "answered")], "c2": [(1, "answered"), (2, "pending")], "c3": [(1, "answered")],
                       "c4": [], "c5": [(1, "pending")]}


def test_a_map_is_found_by_its_name(small_world: World) -> None:
    from pathlib import Path

    report = small_world.load(SAMPLES / "ledger-export.csv", column_map=Path("synthea"))
    assert report.outcome == "posted"


def test_days_first_and_decimal_commas_are_a_matter_of_the_map(small_world: World) -> None:
    report = small_world.load(SAMPLES / "ledger-export-semicolons.csv",
                              column_map=SAMPLES / "ledger-export-semicolons.toml")
    assert report.outcome == "posted"
    assert small_world.open_minor("v1", "v2") == {"v1": 120_000, "v2": 0}


def test_the_same_file_again_posts_nothing(world: World) -> None:
    rows = [charge("V-1", "145.00", id="T-1", payer="Blue Shield"), charge("V-1", "20.00", id="T-2", procedure="36415")]
    first, second = world.give("charges", *rows), world.give("charges", *rows)
    assert outcomes([first, second]) == ["posted", "duplicate"]
    assert world.visit("V-1").payer_minor == 16_500
    world.check()


def test_the_same_row_in_a_longer_file_posts_once(world: World) -> None:
    world.give("charges", charge("V-1", "145.00", id="T-1"))
    report = world.give("charges", charge("V-1", "145.00", id="T-1"), charge("V-2", "10.00", id="T-2"))
    assert report.tally == {"duplicate": 1, "posted": 1}
    assert world.open_minor("V-1", "V-2") == {"V-1": 14_500, "V-2": 1_000}


def test_the_same_id_with_another_amount_is_an_error_that_names_line_and_column(world: World) -> None:
    world.give("charges", charge("V-1", "145.00", id="T-1"))
    report = world.give("charges", charge("V-9", "1.00", id="T-9"), charge("V-1", "146.00", id="T-1"))
    assert report.outcome == "refused"
    assert "line 27, column id: a row with this id was imported before with other content" in str(report.reason)
    with pytest.raises(AssertionError, match="no account V-9"):
        world.visit("V-9")


def test_one_file_may_not_use_an_id_for_two_things(small_world: World) -> None:
    report = small_world.give("charges", charge("V-1", "1.00", id="T-1"), charge("V-1", "2.00", id="T-1"))
    assert report.outcome == "refused" and "same id and other content" in str(report.reason)


def test_rows_without_an_id_are_told_apart_by_content_and_place(world: World) -> None:
    """Two equal payments of a day are two payments; the file given again is no third and no fourth."""
    world.give("charges", charge("V-1", "100.00"))
    rows = [paid("V-1", "20.00"), paid("V-1", "20.00")]
    assert outcomes([world.give("payments", *rows), world.give("payments", *rows)]) == ["posted", "duplicate"]
    assert world.visit("V-1").patient_minor == 6_000
    world.check()


def test_a_row_may_stand_twice_in_one_file_and_posts_once(world: World) -> None:
    row = charge("V-1", "30.00", id="T-1")
    assert world.give("charges", row, row).tally == {"posted": 1, "duplicate": 1}
    assert world.visit("V-1").patient_minor == 3_000


def test_a_file_is_refused_whole_and_posts_nothing(world: World) -> None:
    report = world.give("charges", charge("V-1", "10.00"), charge("V-2", "ten"), charge("V-3", "10.00"))
    assert report.outcome == "refused"
    assert "line 27, column amount: an amount in dollars is expected" in str(report.reason)
    assert world.store.read(lambda s: (s.query(Transfer).count(), s.query(CsvRow).count())) == (0, 0)


def test_bad_rows_are_skipped_on_request_and_reported_with_their_lines(world: World) -> None:
    report = world.give("charges", charge("V-1", "10.00"), charge("V-2", "ten"), charge("V-3", "10.00"), skip=True)
    assert (report.outcome, report.tally) == ("partial", {"posted": 2, "skipped": 1})
    faults = next(iter(report.transactions()))["faults"]
    assert [f["line"] for f in faults] == [27] and "column amount" in faults[0]["reason"]
    assert world.open_minor("V-1", "V-3") == {"V-1": 1_000, "V-3": 1_000}
    world.check()


def test_a_dry_run_tells_the_same_and_posts_nothing(world: World) -> None:
    rows = [charge("V-1", "10.00", payer="Aetna"), charge("V-2", "20.00")]
    dry = world.give("charges", *rows, dry=True)
    assert world.store.read(lambda s: s.query(Transfer).count()) == 0
    wet = world.give("charges", *rows)
    assert (dry.outcome, dry.tally) == (wet.outcome, wet.tally)
    assert list(dry.transactions()) == list(wet.transactions())


def test_the_report_tells_for_each_visit_what_the_file_brought(world: World) -> None:
    world.give("charges", charge("V-1", "100.00", payer="Aetna"))
    world.give("transfers", moved("V-1", "30.00", share_reason="deductible"))
    report = world.give("payments", paid("V-1", "70.00", "payer"), paid("V-1", "5.00"))
    claim = next(iter(report.transactions()))["claims"][0]
    assert {k: claim[k] for k in ("claim_id", "charge_minor", "paid_minor", "service_lines", "patient_due_minor")} == {
        "claim_id": "V-1", "charge_minor": 10_000, "paid_minor": 7_500, "service_lines": 1, "patient_due_minor": 2_500}


def test_money_for_a_visit_that_nobody_knows_is_refused(world: World) -> None:
    report = world.give("payments", paid("V-404", "20.00"))
    assert report.outcome == "refused"
    assert "line 12, column visit_id: there is no such visit on file nor in this file" in str(report.reason)


def test_coverages_may_come_after_the_charges(world: World) -> None:
    """What stood with the patient for want of an insurer passes to the insurer, who has to answer first."""
    world.give("charges", charge("V-1", "100.00"))
    world.give("coverages", {"visit_id": "V-1", "rank": "1", "payer": "Aetna", "payer_id": "60054"})
    figures = world.visit("V-1")
    assert (figures.payer_minor, figures.patient_minor, figures.due_now_minor) == (10_000, 0, 0)
    world.check()


def test_a_patients_coverage_is_for_all_visits_of_its_days(world: World) -> None:
    world.give("charges", charge("V-1", "100.00", service_on="2025-12-30"), charge("V-2", "50.00"))
    row = {"patient_id": "P-1", "rank": "primary", "payer": "Aetna", "from_on": "2026-01-01"}
    assert world.give("coverages", row).outcome == "posted"
    assert (world.visit("V-1").patient_minor, world.visit("V-2").payer_minor) == (10_000, 5_000)
    assert world.give("coverages", row).outcome == "duplicate"


def test_a_stated_status_of_an_insurer_counts_more_than_what_is_left(world: World) -> None:
    world.give("charges", charge("V-1", "100.00", payer="Aetna"))
    world.give("coverages", {"visit_id": "V-1", "rank": "1", "payer": "Aetna", "status": "pending"})
    world.give("payments", paid("V-1", "70.00", "1"))
    world.give("transfers", moved("V-1", "30.00", "1"))
    figures = world.visit("V-1")
    assert (figures.payer_minor, figures.pending_minor, figures.due_now_minor) == (0, 3_000, 0)


def test_adjustments_lower_what_they_are_for(world: World) -> None:
    world.give("charges", charge("V-1", "100.00", payer="Aetna"), charge("V-2", "80.00", patient_id="P-2"))
    world.give("adjustments", *({"visit_id": v, "amount": a, "reason": r, "adjusted_on": "2026-10-20"} for v, a, r in (
        ("V-1", "40.00", "contractual"), ("V-2", "50.00", "charity"), ("V-2", "5.00", "small_balance"))))
    assert (world.visit("V-1").payer_minor, world.visit("V-2").patient_minor) == (6_000, 2_500)
    world.check()


def test_what_a_patient_paid_too_much_becomes_credit_and_comes_back_when_it_is_owed(world: World) -> None:
    world.give("charges", charge("V-1", "100.00"))
    world.give("payments", paid("V-1", "130.00"))
    assert (world.visit("V-1").patient_minor, world.account("V-1").total.credit_minor) == (0, 3_000)
    world.give("charges", charge("V-1", "20.00", procedure="36415"))
    assert (world.visit("V-1").patient_minor, world.account("V-1").total.credit_minor) == (0, 1_000)
    world.check()


def test_an_undone_file_leaves_nothing_and_may_be_given_again(world: World) -> None:
    world.give("charges", charge("V-1", "100.00", payer="Aetna", id="T-1"))
    rows = [paid("V-1", "60.00", "payer", id="T-2"), paid("V-1", "10.00", id="T-3")]
    world.undo(world.give("payments", *rows))
    assert (world.visit("V-1").payer_minor, world.visit("V-1").patient_minor) == (10_000, 0)
    assert world.give("payments", *rows).outcome == "posted"
    assert world.visit("V-1").open_minor == 3_000
    world.check()


def test_undone_charges_void_the_visits_that_they_opened(world: World) -> None:
    rows = [charge("V-1", "100.00", id="T-1")]
    world.undo(world.give("charges", *rows))
    assert [v.void for v in world.account("V-1").visits] == [True]
    assert world.account("V-1").total.open_minor == 0
    assert world.give("charges", *rows).outcome == "posted"
    assert world.visit("V-1").patient_minor == 10_000
    world.check()


def test_undone_lines_of_anothers_visit_are_in_force_no_more(world: World) -> None:
    world.give("charges", charge("V-1", "100.00"))
    world.undo(world.give("charges", charge("V-1", "25.00", procedure="36415")))
    visit = world.account("V-1").visits[0]
    assert (visit.charge_minor, visit.figures.patient_minor) == (10_000, 10_000)
    world.check()


def test_charges_that_payments_rest_on_are_not_undone_before_them(world: World) -> None:
    first = world.give("charges", charge("V-1", "100.00"))
    second = world.give("payments", paid("V-1", "10.00"))
    with pytest.raises(UndoRefused, match="undo that first"):
        world.undo(first)
    world.undo(second)
    world.undo(first)
    world.check()


def test_an_undone_coverage_gives_the_visit_back_to_the_patient_and_can_come_again(world: World) -> None:
    world.give("charges", charge("V-1", "100.00"))
    row = {"visit_id": "V-1", "rank": "1", "payer": "Aetna"}
    world.undo(world.give("coverages", row))
    assert (world.visit("V-1").patient_minor, world.visit("V-1").due_now_minor) == (10_000, 10_000)
    world.give("coverages", row)
    assert (world.visit("V-1").payer_minor, world.visit("V-1").pending_minor) == (10_000, 0)
    world.check()


def test_charges_name_the_patient_of_a_known_account(world: World) -> None:
    world.give("patients", person(account_id="A-1"))
    world.give("charges", charge("V-1", "100.00"))
    assert world.account("A-1").visits[0].external == "V-1"
    assert world.account("P-1").guarantor_id == world.account("A-1").guarantor_id


def test_a_visit_does_not_change_its_patient(world: World) -> None:
    world.give("charges", charge("V-1", "10.00"), charge("V-2", "10.00", patient_id="P-2"))
    report = world.give("charges", charge("V-1", "5.00", patient_id="P-2", procedure="36415"))
    assert report.outcome == "refused" and "another patient" in str(report.reason)


def test_an_estimate_that_the_bill_passes_by_400_dollars_holds_it(world: World) -> None:
    world.give("estimates", {"visit_id": "V-1", "provider": "Dr. Lee", "estimate": "100.00", "given_on": "2026-09-28"})
    world.give("charges", charge("V-1", "500.00", provider="Dr. Lee"))
    assert (world.visit("V-1").held_minor, world.visit("V-1").due_now_minor) == (50_000, 0)


def test_a_later_row_with_words_in_spanish_names_the_procedure(small_world: World) -> None:
    small_world.give("charges", charge("V-1", "10.00", words="Office visit", words_es="Visita al consultorio"))
    small_world.give("procedures", {"code": "99213", "language": "en", "words": "Visit"})
    from billing.store.tables import Procedure

    found = small_world.store.read(lambda s: {(p.code, p.language): p.words for p in s.query(Procedure)})
    assert found == {("99213", "es"): "Visita al consultorio", ("99213", "en"): "Visit"}
