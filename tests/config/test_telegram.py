"""Telegram is off until it is switched on, accepted by the practice, and complete."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.policy_file import PolicyError, read_policy
from config.practice import PracticePolicy, TelegramRisk
from config.settings import Settings, SettingsError, load
from tests.config.test_settings import PRODUCTION
from tests.conftest import maple_clinic

REAL = {"TELEGRAM_TOKEN": "123456:AAE-real_token", "TELEGRAM_BOT_NAME": "maple_bot",
        "TELEGRAM_WEBHOOK_SECRET": "a-secret-of-sixteen-or-more"}
RISK = {"accepted_by": "Maria Lopez, manager", "accepted_on": "2026-11-03", "wording_version": "2026-11"}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PLAINBILL_")]:
        monkeypatch.delenv(name)


def faults(monkeypatch: pytest.MonkeyPatch, **values: str) -> list[str]:
    for name, value in {**PRODUCTION, "ENCRYPTION_KEYS": f"k1:{PRODUCTION['LINK_SECRET']}", **values}.items():
        monkeypatch.setenv("PLAINBILL_" + name, value)
    try:
        load(None)
    except SettingsError as error:
        return [fault.partition(":")[0].removeprefix("PLAINBILL_") for fault in error.faults]
    return []


def test_it_is_off_unless_switched_on() -> None:
    settings = load(None)
    assert settings.telegram_mode == "off" and not settings.telegram_on
    assert settings.telegram_base_url == "http://127.0.0.1:8813"
    assert settings.telegram_bot_name == "plainbill_standin_bot"


def test_production_wants_what_each_way_needs_and_nothing_while_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert faults(monkeypatch) == []
    assert faults(monkeypatch, TELEGRAM_MODE="polling") == ["TELEGRAM_BOT_NAME", "TELEGRAM_TOKEN"]
    assert faults(monkeypatch, TELEGRAM_MODE="webhook") == [
        "TELEGRAM_BOT_NAME", "TELEGRAM_TOKEN", "TELEGRAM_WEBHOOK_SECRET"]
    assert faults(monkeypatch, TELEGRAM_MODE="webhook", **REAL) == []
    assert load(None).telegram_base_url == "https://api.telegram.org"


@pytest.mark.parametrize(("name", "value"), [
    ("TELEGRAM_MODE", "on"), ("TELEGRAM_TOKEN", "no token"), ("TELEGRAM_WEBHOOK_SECRET", "short"),
    ("TELEGRAM_WEBHOOK_SECRET", "a secret with spaces in it"), ("TELEGRAM_BOT_NAME", "@maple_bot"),
])
def test_a_malformed_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("PLAINBILL_" + name, value)
    with pytest.raises(SettingsError) as caught:
        load(None)
    (fault,) = caught.value.faults
    assert fault.startswith(f"PLAINBILL_{name}: ") and value not in fault


def test_no_secret_of_telegrams_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REAL.items():
        monkeypatch.setenv("PLAINBILL_" + name, value)
    settings = load(None)
    shown = repr(settings) + str(settings.redacted())
    assert REAL["TELEGRAM_TOKEN"] not in shown and REAL["TELEGRAM_WEBHOOK_SECRET"] not in shown


def test_t_19_a_policy_names_who_accepted_which_wording_and_when() -> None:
    policy = maple_clinic(telegram=RISK)
    assert policy.telegram == TelegramRisk(
        accepted_by="Maria Lopez, manager", accepted_on=date(2026, 11, 3), wording_version="2026-11")
    assert policy.telegram is not None and not policy.telegram.detail_allowed
    assert policy.telegram_on(date(2026, 11, 2)) is None
    assert policy.telegram_on(date(2026, 11, 3)) == policy.telegram
    assert maple_clinic().telegram_on(date(2026, 11, 3)) is None


@pytest.mark.parametrize("missing", ["accepted_by", "accepted_on", "wording_version"])
def test_t_19_an_acceptance_without_all_of_these_is_none(missing: str) -> None:
    with pytest.raises(ValidationError):
        maple_clinic(telegram={name: value for name, value in RISK.items() if name != missing})


def test_t_19_the_wording_that_was_accepted_stands_in_the_documentation(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/telegram.md").read_text("utf-8")
    assert "Statement, version 2026-11" in text
    file = tmp_path / "policy.toml"
    file.write_text('name = "Maple"\nlegal_name = "M"\nphone = "1"\naddress = "x"\n[telegram]\n'
                    'accepted_by = "Maria Lopez"\naccepted_on = 2026-11-03\nwording_version = "2025-01"\n')
    with pytest.raises(PolicyError, match=r"telegram\.wording_version"):
        read_policy(file)


@pytest.mark.parametrize("minutes", [14, 1441])
def test_a_link_that_joins_a_chat_lives_from_a_quarter_of_an_hour_to_a_day(minutes: int) -> None:
    with pytest.raises(ValidationError):
        maple_clinic(telegram={**RISK, "link_minutes": minutes})


def test_what_check_and_practice_print_is_what_is_in_force() -> None:
    dumped = PracticePolicy.model_validate(maple_clinic(telegram=RISK).model_dump(mode="json"))
    assert dumped.telegram is not None and dumped.telegram.accepted_by == "Maria Lopez, manager"
    assert "telegram_mode" in Settings.model_fields
