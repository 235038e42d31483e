"""``plainbill dunning``: what a biller sees and may do."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from tests.cli.conftest import EXAMPLE, Office, Run, office, plainbill, stores

__all__ = ["office", "plainbill", "stores"]

NOON = "2027-06-01T12:05:00-04:00"  # the account of the office is of September 2026


@pytest.fixture
def calendar(office: Office, plainbill: Run, tmp_path: Path) -> Run:
    """The office's practice with the shipped calendar, at noon on 1 June 2027."""
    policy = tmp_path / "calendar.toml"
    policy.write_text(Path(EXAMPLE).read_text(encoding="utf-8") + "\n[dunning]\n", encoding="utf-8")
    assert plainbill("practice", "set", str(policy)).code == 0
    return plainbill


def test_without_a_calendar_the_command_says_what_to_write(office: Office, plainbill: Run) -> None:
    done = plainbill("dunning", "show", "A-1", CLOCK=NOON)
    assert done.code == 3 and "[dunning]" in done.err


def test_show_says_where_an_account_stands_and_why(calendar: Run) -> None:
    told = calendar("dunning", "show", "A-1", "--json", CLOCK=NOON).json
    assert told["due_minor"] == 14_550
    assert told["verdict"] == "held" and told["next"] == "statement"
    assert any("after the service" in one for one in told["findings"])
    words = calendar("dunning", "show", "A-1", CLOCK=NOON).out
    assert "a person has to look first" in words and "145.50" in words


def test_a_dry_run_lists_and_changes_nothing_and_a_run_holds_what_a_person_has_to_see(calendar: Run) -> None:
    rows = calendar("dunning", "run", "--dry-run", "--json", CLOCK=NOON).json
    assert [row["verdict"] for row in rows] == ["held"]
    assert calendar("dunning", "audit", "--json", CLOCK=NOON).json == []
    assert calendar("dunning", "run", "--json", CLOCK=NOON).json == []
    (entry,) = calendar("dunning", "audit", "--json", CLOCK=NOON).json
    assert (entry["check"], entry["owner"]) == ("late", "ana")
    assert "late" in calendar("dunning", "audit", CLOCK=NOON).out


def test_a_hold_is_released_with_a_reason_or_kept_and_listed_by_its_day(calendar: Run) -> None:
    calendar("dunning", "run", CLOCK=NOON)
    (entry,) = calendar("dunning", "audit", "--json", CLOCK=NOON).json
    assert calendar("dunning", "holds", "--json", CLOCK=NOON).json == []
    assert calendar("dunning", "holds", "--release", entry["hold_id"], CLOCK=NOON).code == 2
    assert calendar("dunning", "holds", "--keep", entry["hold_id"], "--days", "1", "--reason", "asked the doctor",
                    CLOCK=NOON).code == 0
    later = "2027-06-02T12:05:00-04:00"
    assert [row["kind"] for row in calendar("dunning", "holds", "--json", CLOCK=later).json] == ["first_look"]
    assert calendar("dunning", "holds", "--release", entry["hold_id"], "--reason", "all right", STAFF="aud",
                    CLOCK=later).code == 3
    assert calendar("dunning", "holds", "--release", entry["hold_id"], "--reason", "all right", STAFF="ana",
                    CLOCK=later).code == 0
    assert calendar("dunning", "audit", "--json", CLOCK=later).json == []


def test_returned_mail_is_noted_and_an_unknown_account_is_not_found(calendar: Run) -> None:
    assert calendar("dunning", "returned-mail", "A-77", CLOCK=NOON).code == 5
    assert calendar("dunning", "returned-mail", "msg_nothing", CLOCK=NOON).code == 3


def test_a_run_ends_with_a_code_of_its_own_when_an_account_could_not_be_worked(calendar: Run, office: Office) -> None:
    office().write(lambda s: s.execute(text("UPDATE patients SET name = X'00'")))
    office().write(lambda s: s.execute(text("UPDATE visits SET first_statement_on = '2026-09-10', external = X'00'")))
    done = calendar("dunning", "run", CLOCK=NOON)
    assert done.code == 4 and "could not be worked" in done.err
    assert done.out.startswith("acct_A-1: fault. nothing was sent")
