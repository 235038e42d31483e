"""``plainbill check`` and ``practice`` on Telegram: what is missing is named, who accepted the risk is shown."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run

POLICY = """name = "Maple Clinic"
legal_name = "Maple Clinic PLLC"
phone = "(212) 555-0199"
address = "12 Maple St, Albany, NY 12207"
sms_number = "+12125550100"
sending = "on"
"""
ACCEPTED = """[telegram]
accepted_by = "Maria Lopez, practice manager"
accepted_on = 2026-11-03
wording_version = "2026-11"
"""


def missing(plainbill: Run, **settings: str) -> list[str]:
    found = plainbill("check", "--json", **settings).json["missing_for_sending"]
    return [line for line in found if "elegram" in line or "TELEGRAM" in line or "PUBLIC_URL" in line]


def test_nothing_is_missing_while_telegram_is_off(plainbill: Run, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(POLICY)
    assert plainbill("practice", "set", "policy.toml").code == 0
    assert missing(plainbill) == []


def test_t_19_check_names_the_acceptance_that_is_missing(plainbill: Run, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(POLICY)
    plainbill("practice", "set", "policy.toml")
    (line,) = missing(plainbill, TELEGRAM_MODE="polling")
    assert line.startswith("telegram in the practice's policy") and "docs/telegram.md" in line


def test_check_names_an_address_that_telegram_cannot_call(plainbill: Run, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(POLICY + ACCEPTED)
    plainbill("practice", "set", "policy.toml")
    assert missing(plainbill, TELEGRAM_MODE="webhook") == []
    lines = missing(plainbill, TELEGRAM_MODE="webhook", TELEGRAM_TOKEN="1:real", TELEGRAM_BOT_NAME="maple_bot")
    assert lines == ["PLAINBILL_PUBLIC_URL: Telegram calls webhooks at https addresses only"]
    lines = missing(plainbill, TELEGRAM_MODE="polling", TELEGRAM_TOKEN="1:real")
    assert lines == ["PLAINBILL_TELEGRAM_BOT_NAME: Telegram is switched on"]


def test_the_policy_shows_who_accepted_the_risk_and_when(plainbill: Run, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(POLICY + ACCEPTED)
    plainbill("practice", "set", "policy.toml")
    shown = plainbill("practice", "show").out
    assert "Maria Lopez, practice manager" in shown and "2026-11-03" in shown
    assert plainbill("practice", "show", "--json").json["policy"]["telegram"]["detail_allowed"] is False
