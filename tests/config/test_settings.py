"""Settings are frozen, refuse to start on any fault, name the variable and print no value."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.standins.twilio import TwilioOptions
from config.clock import StartedClock, SystemClock, make_clock
from config.settings import Settings, SettingsError, load, reveal, unknown_variables
from config.standins import STAND_IN_SECRETS

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
PRODUCTION = {
    "ENVIRONMENT": "production",
    "ENCRYPTION_KEYS": f"k2:{KEY},k1:{KEY[::-1].strip('=')}=",
    "INDEX_KEY": KEY,
    "LINK_SECRET": KEY,
    "TWILIO_ACCOUNT_SID": "AC" + "1f" * 16,
    "TWILIO_AUTH_TOKEN": "hush-twilio",
    "STRIPE_SECRET_KEY": "sk_live_hush",
    "STRIPE_WEBHOOK_SECRET": "whsec_hush",
    "PUBLIC_URL": "https://bills.example.org/",
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PLAINBILL_")]:
        monkeypatch.delenv(name)


def _set(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv("PLAINBILL_" + name, value)


def _production(monkeypatch: pytest.MonkeyPatch, **changed: str) -> None:
    _set(monkeypatch, {**PRODUCTION, "ENCRYPTION_KEYS": f"k1:{KEY}", **changed})


def _faults(env_file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(env_file)
    return caught.value.faults


def test_an_empty_environment_starts_in_development_on_stand_ins_that_lie_on_this_machine() -> None:
    settings = load(None)
    assert settings.stand_ins() == tuple(STAND_IN_SECRETS)
    assert settings.twilio_base_url.startswith("http://127.0.0.1:")
    assert settings.stripe_base_url.startswith("http://127.0.0.1:")
    assert settings.database_url == "sqlite:///var/plainbill.db"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert len(settings.index_key_bytes) == len(settings.link_secret_bytes) == 32


def test_real_credentials_lead_to_the_real_service_and_an_explicit_address_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _set(monkeypatch, {"TWILIO_AUTH_TOKEN": "real", "STRIPE_BASE_URL": "http://127.0.0.1:9/"})
    settings = load(None)
    assert settings.twilio_base_url == "https://api.twilio.com"
    assert settings.stripe_base_url == "http://127.0.0.1:9"


def test_the_stand_ins_for_twilio_know_the_same_secrets_as_the_settings() -> None:
    options = TwilioOptions()
    settings = load(None)
    assert options.account_sid == settings.twilio_account_sid
    assert options.auth_token == reveal(settings.twilio_auth_token)
    assert options.shared_key_secret == reveal(settings.twilio_signature_key)


def test_settings_cannot_be_changed_once_read() -> None:
    settings = load(None)
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]  # frozen: that is the promise


def test_a_complete_production_environment_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    _production(monkeypatch, DATABASE_URL="postgresql://app:hush@db/plainbill")
    settings = load(None)
    assert settings.in_production and settings.stand_ins() == ()
    assert settings.public_url == "https://bills.example.org"
    assert settings.database_url == "postgresql+psycopg://app:hush@db/plainbill"


def test_an_empty_production_environment_is_refused_with_every_missing_setting_in_one_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _set(monkeypatch, {"ENVIRONMENT": "production"})
    named = {fault.partition(":")[0] for fault in _faults()}
    assert named == {"PLAINBILL_" + name for name in PRODUCTION if name != "ENVIRONMENT"}


@pytest.mark.parametrize("name", sorted(STAND_IN_SECRETS))
def test_production_refuses_every_stand_in_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _production(monkeypatch, **{name.upper(): STAND_IN_SECRETS[name]})
    (fault,) = _faults()
    assert fault.startswith(f"PLAINBILL_{name.upper()}: is a stand-in secret")


def test_production_refuses_the_stand_in_key_under_another_id_and_in_second_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in = STAND_IN_SECRETS["encryption_keys"].partition(":")[2]
    _production(monkeypatch, ENCRYPTION_KEYS=f"k1:{KEY},old:{stand_in}")
    assert "PLAINBILL_ENCRYPTION_KEYS" in _faults()[0]


@pytest.mark.parametrize(("name", "value"), [
    ("CLOCK", "2026-11-03T10:00:00-05:00"),
    ("FAILPOINT", "deliver.after_post"),
    ("PUBLIC_URL", "http://bills.example.org"),
    ("TWILIO_BASE_URL", "http://elsewhere.example.org"),
    ("TWILO_AUTH_TOKEN", "x"),
])
def test_production_refuses_what_belongs_to_demonstrations_what_is_not_encrypted_and_what_is_misspelt(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _production(monkeypatch, **{name: value})
    (fault,) = _faults()
    assert fault.startswith(f"PLAINBILL_{name}: ")


@pytest.mark.parametrize(("name", "value"), [
    ("ENVIRONMENT", "prod"),
    ("DATABASE_URL", "mysql://hush@db/x"),
    ("DATABASE_URL", "sqlite://"),
    ("CLOCK", "2026-11-03T10:00:00"),
    ("CLOCK", "soon"),
    ("ENCRYPTION_KEYS", "hush-not-a-key"),
    ("ENCRYPTION_KEYS", "k1:aHVzaA=="),
    ("ENCRYPTION_KEYS", f"k1:{KEY},k1:{KEY}"),
    ("INDEX_KEY", "hush!"),
    ("LINK_SECRET", "aHVzaA=="),
    ("TWILIO_ACCOUNT_SID", "hush"),
    ("TWILIO_BASE_URL", "hush.example.org"),
    ("STRIPE_BASE_URL", "https://user:hush@example.org"),
    ("PUBLIC_URL", "ftp://hush"),
    ("PORT", "hush"),
    ("PRACTICE", "hush hush"),
    ("LOG_LEVEL", "hush"),
])
def test_a_malformed_value_is_refused_by_name_without_being_repeated(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, {name: value})
    with pytest.raises(SettingsError) as caught:
        load(None)
    assert str(caught.value).count("PLAINBILL_") >= 1
    assert caught.value.faults[0].startswith(f"PLAINBILL_{name}: ")
    assert "hush" not in str(caught.value) and KEY not in str(caught.value)


def test_malformed_and_missing_settings_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, {"ENVIRONMENT": "production", "PORT": "x", "INDEX_KEY": "y"})
    faults = _faults()
    assert len([f for f in faults if f.startswith(("PLAINBILL_PORT", "PLAINBILL_INDEX_KEY"))]) == 2
    assert any(f.startswith("PLAINBILL_LINK_SECRET") for f in faults)


def test_nothing_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    _production(monkeypatch, DATABASE_URL="postgresql://app:hush@db/plainbill?password=hush",
                TELEGRAM_TOKEN="1:hush", TWILIO_SIGNATURE_KEY="hush")
    settings = load(None)
    shown = f"{settings!r} {settings} {settings.redacted()}"
    assert "hush" not in shown and KEY not in shown
    assert settings.redacted()["stripe_secret_key"] == "set"
    assert settings.redacted()["database_url"] == "postgresql+psycopg://app:***@db/plainbill"


def test_the_first_key_seals_and_the_others_still_open(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
    _set(monkeypatch, {"ENCRYPTION_KEYS": f"2026b:{other}, 2026a:{KEY}"})
    settings = load(None)
    assert settings.current_key == "2026b"
    assert settings.sealing_keys["2026a"] == b"0123456789abcdef" * 2


def test_a_dotenv_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("PLAINBILL_PORT=8100\nPLAINBILL_STAFF=ana\n", encoding="utf-8")
    _set(monkeypatch, {"STAFF": "ben"})
    settings = load(tmp_path / ".env")
    assert (settings.port, settings.staff) == (8100, "ben")


def test_a_misspelt_variable_is_told_with_the_likely_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, {"DATABASE_ULR": "x"})
    assert unknown_variables() == ("PLAINBILL_DATABASE_ULR; did you mean PLAINBILL_DATABASE_URL?",)


def test_every_setting_stands_in_the_example_file_and_in_the_interfaces() -> None:
    root = Path(__file__).parents[2]
    for text in ((root / ".env.example").read_text("utf-8"), (root / "docs/interfaces.md").read_text("utf-8")):
        missing = [name for name in Settings.model_fields if f"PLAINBILL_{name.upper()}" not in text]
        assert missing == []


def test_a_started_clock_runs_on_from_its_instant_in_utc() -> None:
    start = datetime.fromisoformat("2026-11-03T10:00:00-05:00")
    clock = make_clock(start)
    first, second = clock.now(), clock.now()
    assert isinstance(clock, StartedClock)
    assert start <= first <= second < start + timedelta(minutes=1)
    assert first.tzinfo is UTC


def test_a_clock_without_a_start_is_the_systems_and_a_naive_start_is_refused() -> None:
    assert isinstance(make_clock(None), SystemClock)
    with pytest.raises(ValueError, match="zone"):
        make_clock(datetime(2026, 11, 3))
