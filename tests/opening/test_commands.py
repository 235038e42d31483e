"""The commands as staff type them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from billing.importers.opening_columns import EXAMPLE, RECORDS, columns
from bot.importing.opening_template import write, write_control
from tests.cli.conftest import EXAMPLE as POLICY
from tests.cli.conftest import Run
from tests.opening.takeover import QUIET, written

ROOT = Path(__file__).parents[2]
ACME = '[[collections.agencies]]\nkey = "acme"\nname = "Acme Recovery"\ncontract_on = 2026-01-01\n'
PLANS = "\n[plans]\nminimum_balance_minor = 5000\nminimum_instalment_minor = 2000\n"


@pytest.fixture
def clinic(plainbill: Run, tmp_path: Path) -> Run:
    policy = tmp_path / "policy.toml"
    policy.write_text(Path(POLICY).read_text("utf-8").replace("# [[collections.agencies]]", ACME) + PLANS, "utf-8")
    assert plainbill("practice", "set", str(policy)).code == 0
    for login, role in (("ana", "biller"), ("bea", "supervisor")):
        assert plainbill("staff", "add", login, "--name", login, "--role", role).code == 0
    (tmp_path / "old.csv").write_text(written(EXAMPLE))
    return plainbill


def test_a_takeover_is_told_by_bucket_and_released_by_another_person(clinic: Run) -> None:
    tried = clinic("import", "--opening", "--dry-run", "old.csv", STAFF="ana")
    assert (tried.code, "would be posted" in tried.out) == (0, True)
    done = clinic("import", "--opening", "old.csv", "--json", STAFF="ana")
    assert (done.code, done.json["kind"], done.json["outcome"]) == (0, "opening", "posted")
    assert done.json["transactions"][0]["totals_minor"] == {
        "0-30": 0, "31-60": 0, "61-90": 12_000, "91-120": 0, "121+": 8_000, "not_billed": 0, "payers": 0,
        "credits": 1_500}
    import_id = done.json["import_id"]
    told = clinic("explain", "V-1", "--lang", "es")
    assert (told.code, "$120.00 viene de nuestros registros anteriores." in told.out) == (0, True)
    assert "2 visits taken over" in clinic("check", "--golive").out
    assert clinic("import", "--opening", "--release", import_id, STAFF="ana").code == 3
    one = clinic("import", "--opening", "--release", import_id, "--account", "A-1", "--json", STAFF="bea")
    assert one.json == {"import": import_id, "accounts": 1, "visits": 2, "holds": 2}
    assert "Nothing of import" in clinic("import", "--opening", "--release", import_id, STAFF="bea").out
    assert "visits taken over" not in clinic("check", "--golive").out
    assert clinic("import", "--undo", import_id, "--reason", "wrong file").code == 0


def test_a_plan_that_takes_the_place_of_one_taken_over_is_offered_over_its_visits(clinic: Run, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text(written(QUIET))
    asked = ("plans", "offer", "A-1", "--count", "3", "--every", "month", "--json")
    imported = clinic("import", "--opening", "old.csv", "--json", STAFF="ana").json["import_id"]
    clinic("accounts", "confirm", "A-1", STAFF="ana")
    clinic("import", "--opening", "--release", imported, STAFF="bea")
    assert clinic(*asked, STAFF="ana").json["why"] == "nothing_due"  # all of it is on the plan taken over
    offered = clinic(*asked, "--replaces", "1", STAFF="ana").json
    assert (offered["total_minor"], offered["plan"]["status"]) == (12_000, "awaiting_authorization")
    story = clinic("plans", "show", str(offered["plan"]["number"]), "--json").json
    assert story["supersedes"] == clinic("plans", "show", "1", "--json").json["plan"]
    assert clinic(*asked, "--replaces", "9", STAFF="ana").code == 5
    assert clinic(*asked, "--replaces", "1", "--visit", "V-1", STAFF="ana").code == 2


def test_an_option_without_its_other_half_is_told(clinic: Run) -> None:
    assert clinic("import", "--release", "imp_1").code == 2
    assert clinic("import", "--control", "old.csv", "old.csv").code == 2
    assert clinic("import", "--opening", "--skip-bad-claims", "old.csv").code == 2
    assert clinic("import", "--opening", "--control", "none.csv", "old.csv").code == 2
    assert clinic("import", "--opening", "old.csv", "old.csv").code == 2
    assert clinic("import", "--account", "A-1", "old.csv").code == 2
    refused = clinic("import", "--opening", "--release", "imp_none", STAFF="bea")
    assert (refused.code, "There is no import imp_none" in refused.err) == (5, True)


def test_the_templates_are_what_the_command_reads(clinic: Run, tmp_path: Path) -> None:
    assert clinic("import", "--template", "opening").out.strip() == write()
    rows = [row for row in EXAMPLE if row["record"] != "total"]
    (tmp_path / "mine.csv").write_text(write() + "\n" + written(rows).split("\n", 1)[1])
    filled = {row["bucket"]: row["amount"] for row in EXAMPLE if row["record"] == "total"}
    lines = [",".join((bucket, filled.get(bucket, "0"), "2026-11-02")) if bucket != "bucket" else line
             for line in write_control().splitlines() for bucket in [line.split(",")[0]] if not line.startswith("#")]
    (tmp_path / "control.csv").write_text("\n".join(lines) + "\n")
    assert clinic("import", "--opening", "mine.csv", "--control", "control.csv").code == 0


def test_the_manual_lists_every_column_of_every_record_as_the_program_has_it() -> None:
    text = (ROOT / "docs" / "opening.md").read_text("utf-8")
    told = {name: re.findall(r"^\| `(\w+)`", part, re.MULTILINE)
            for name, part in re.findall(r"^### `(\w+)`.*?$(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)}
    assert told == {word: [f.name for f in kind.fields] for word, kind in RECORDS.items() if word != "patient"}
    assert next(csv.reader([write().splitlines()[-1]])) == list(columns())


def test_the_mode_is_explained_when_a_policy_is_set(clinic: Run, tmp_path: Path) -> None:
    text = Path(POLICY).read_text("utf-8")
    (tmp_path / "silent.toml").write_text(text.replace('sending = "shadow"', ""))
    assert "sending is shadow: everything is decided and written down" in clinic("practice", "set", "silent.toml").out
    (tmp_path / "on.toml").write_text(text.replace('sending = "shadow"', 'sending = "on"'))
    assert "sending is on: messages leave." in clinic("practice", "set", "on.toml").out
    (tmp_path / "pilot.toml").write_text(text.replace('sending = "shadow"', 'sending = "pilot"'))
    assert "names nobody, so nothing leaves" in clinic("practice", "set", "pilot.toml").out
