"""`plainbill ledger`: verify says what does not hold and by its exit code; show lists; snapshot folds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Run, plainbill
from tests.ledger.paper import Bill, Clp, claims, remittance

__all__ = ["plainbill"]


@pytest.fixture
def imported(plainbill: Run, tmp_path: Path) -> Run:
    """The command line in a folder whose database holds one claim and its answer."""
    (tmp_path / "a.837").write_text(claims([Bill("A1", [("99213", 20000)])]))
    (tmp_path / "a.835").write_text(remittance("T1", [Clp("A1", 10000, [("CO", "45", 6000), ("PR", "1", 4000)])]))
    assert plainbill("import", "a.837", "a.835").code == 0
    return plainbill


def test_verify_ends_with_0_where_everything_holds(imported: Run) -> None:
    done = imported("ledger", "verify", "--json")
    assert (done.code, done.json["ok"], done.json["problems"]) == (0, True, [])
    assert done.json["checked"]["transfers"] == 4
    assert imported("ledger", "verify").out.startswith("The ledger holds: ")


def test_verify_ends_with_1_and_names_what_does_not_hold(imported: Run, tmp_path: Path) -> None:
    [database] = tmp_path.rglob("*.db")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE ledger_accounts SET balance_minor = balance_minor + 1 WHERE kind = 'patient'")
    done = imported("ledger", "verify", "--json")
    assert done.code == 1
    assert {p["check"] for p in done.json["problems"]} == {"balance-kept", "account-open"}
    assert {p["difference_minor"] for p in done.json["problems"]} == {1}
    assert "balance-kept" in imported("ledger", "verify").out


def test_show_lists_the_transfers_of_a_visit_or_account_by_the_number_of_its_source(imported: Run) -> None:
    rows = imported("ledger", "show", "A1", "--json").json
    assert [(r["code"], r["amount_minor"]) for r in rows] == [
        ("charge", 20000), ("payer_payment", 10000), ("patient_share", 4000), ("contractual", 6000)]
    assert "patient_share" in imported("ledger", "show", "A1").out
    assert imported("ledger", "show", "nobody").code == 5


def test_a_snapshot_folds_only_what_is_old_enough_and_changes_no_balance(imported: Run) -> None:
    assert imported("ledger", "snapshot", "--json").json == {"up_to_transfer": 0}
    later = imported("ledger", "snapshot", "--json", CLOCK="2099-01-05T15:00:00+00:00")
    assert later.json == {"up_to_transfer": 4}
    assert imported("ledger", "verify").code == 0
