"""The command line answers in messages and exit codes, never in tracebacks, and keeps secrets to itself."""

from __future__ import annotations

from pathlib import Path

from bot.cli.exits import FOUND_PROBLEMS, NOT_FOUND, REFUSED, UNAVAILABLE, UNEXPECTED, USAGE, Stop, explain
from tests.cli.conftest import ROOT, Run

EXAMPLE = str(ROOT / "config/practice.example.toml")


def test_check_on_an_empty_folder_makes_a_database_and_says_what_is_missing(plainbill: Run, tmp_path: Path) -> None:
    done = plainbill("check", "--json")
    assert done.code == FOUND_PROBLEMS
    assert done.json["database"]["schema"] is not None
    assert done.json["practice"] == {"id": "main", "configured": False, "name": "Unconfigured practice",
                                     "sending": "off", "ledger_of_record": "plainbill"}
    assert any("plainbill practice set" in line for line in done.json["missing_for_sending"])
    assert (tmp_path / "var/plainbill.db").is_file()


def test_check_shows_no_secret(plainbill: Run) -> None:
    done = plainbill("check", STRIPE_SECRET_KEY="sk_live_hush", TWILIO_AUTH_TOKEN="hush")
    assert "stripe_secret_key" in done.out
    assert "hush" not in done.out + done.err


def test_a_configured_practice_with_staff_is_ready_to_send(plainbill: Run, tmp_path: Path) -> None:
    text = Path(EXAMPLE).read_text("utf-8").replace('sending = "shadow"', 'sending = "on"')
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert plainbill("practice", "set", "mine.toml").code == 0
    assert plainbill("staff", "add", "ana", "--name", "Ana B", "--role", "manager").code == 0
    done = plainbill("check", "--json")
    assert (done.code, done.json["missing_for_sending"]) == (0, [])


def test_production_does_not_start_on_an_empty_environment_and_names_what_it_lacks(plainbill: Run) -> None:
    done = plainbill("check", ENVIRONMENT="production")
    assert done.code == USAGE
    assert "PLAINBILL_ENCRYPTION_KEYS" in done.err
    assert "Traceback" not in done.err


def test_an_unreachable_database_is_told_without_its_password(plainbill: Run) -> None:
    done = plainbill("check", DATABASE_URL="postgresql://app:hush@127.0.0.1:1/x")
    assert done.code == UNAVAILABLE
    assert "PLAINBILL_DATABASE_URL" in done.err
    assert "hush" not in done.err


def test_a_database_under_other_keys_is_told_as_such(plainbill: Run) -> None:
    plainbill("staff", "add", "ana", "--name", "Ana", "--phone", "+12125550199")
    done = plainbill("staff", "list", ENCRYPTION_KEYS="k9:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    assert done.code == UNAVAILABLE
    assert "PLAINBILL_ENCRYPTION_KEYS" in done.err


def test_an_unforeseen_error_is_a_reference_and_a_log_file_whose_digits_are_masked(
    plainbill: Run, tmp_path: Path
) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var/plainbill.db").write_bytes(b"not a database at all, but +12125550123" * 100)
    done = plainbill("check")
    assert done.code in (UNEXPECTED, UNAVAILABLE)
    assert "Traceback" not in done.err
    try:
        raise RuntimeError("patient +12125550123")
    except RuntimeError as error:
        code, words = _explained_in(tmp_path, error)
    assert code == UNEXPECTED
    assert "2125550123" not in words + (tmp_path / "errors.log").read_text("utf-8")
    assert "RuntimeError" in (tmp_path / "errors.log").read_text("utf-8")


def _explained_in(folder: Path, error: BaseException) -> tuple[int, str]:
    import os

    os.environ["PLAINBILL_VAR"] = str(folder)
    try:
        return explain(error)
    finally:
        del os.environ["PLAINBILL_VAR"]


def test_a_traceback_is_shown_to_whoever_asks_for_it(plainbill: Run) -> None:
    assert "Traceback" in plainbill("practice", "set", "absent.toml", DEBUG="1").err
    assert "Traceback" not in plainbill("practice", "set", "absent.toml").err


def test_known_errors_have_the_exit_codes_of_the_interface() -> None:
    assert explain(Stop("no", REFUSED)) == (REFUSED, "no")
    missing = FileNotFoundError(2, "No such file or directory", "remit.835")
    assert explain(missing) == (NOT_FOUND, "remit.835: there is no such file.")


def test_a_faulty_policy_names_every_field_and_changes_nothing(plainbill: Run, tmp_path: Path) -> None:
    plainbill("practice", "set", EXAMPLE)
    (tmp_path / "bad.toml").write_text('name = "X"\nzone = "Mars"\ncolour = "red"\n', encoding="utf-8")
    done = plainbill("practice", "set", "bad.toml")
    assert done.code == USAGE
    for field in ("name", "zone", "colour", "legal_name", "phone", "address"):
        assert f"  {field}: " in done.err
    assert plainbill("practice", "show", "--json").json["policy"]["name"] == "Maple Clinic"


def test_a_policy_that_is_no_toml_names_the_line(plainbill: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("name = \n", encoding="utf-8")
    done = plainbill("practice", "set", "bad.toml")
    assert done.code == USAGE
    assert "line 1" in done.err


def test_two_people_cannot_share_a_login_and_a_deputy_must_exist(plainbill: Run) -> None:
    assert plainbill("staff", "add", "ana", "--name", "Ana").code == 0
    assert plainbill("staff", "add", "ana", "--name", "Other").code == REFUSED
    assert plainbill("staff", "add", "ben", "--name", "Ben", "--deputy", "nobody").code == REFUSED
    assert plainbill("staff", "add", "ben", "--name", "Ben", "--deputy", "ana").code == 0
    assert [one["login"] for one in plainbill("staff", "list", "--json").json] == ["ana", "ben"]
    assert plainbill("staff", "add", "b b", "--name", "B").code == USAGE


def test_an_unknown_command_is_a_usage_error(plainbill: Run) -> None:
    assert plainbill("nonsense").code == USAGE


def test_the_schema_is_upgraded_by_command_and_a_second_time_does_nothing(plainbill: Run) -> None:
    first = plainbill("db", "upgrade", "--json").json
    second = plainbill("db", "upgrade", "--json").json
    assert first["before"] is None
    assert second["before"] == second["after"] == first["after"]


def test_a_new_key_is_random_and_fits_the_settings(plainbill: Run) -> None:
    first, second = (plainbill("keys", "new", "--id", "k1").out.strip() for _ in range(2))
    assert first != second
    assert plainbill("check", ENCRYPTION_KEYS=first).code == FOUND_PROBLEMS
