"""A lender beside the practice: its word is noted, and nobody is asked for the same money meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.edge import keyring
from bot.cli.exits import NOT_FOUND, OK, REFUSED
from bot.write import open_store
from config.settings import load
from tests.cli.conftest import ROOT, Run
from tests.conftest import TUESDAY
from tests.web.newcomers import add

LENDER = '\n[payments.pay_over_time]\nname = "Sunny Pay"\nurl = "https://lender.example/maple"\nsince = 2020-01-01\n'


@pytest.fixture
def office(plainbill: Run, tmp_path: Path) -> Run:
    """One account that owes $145.50, and a biller."""
    plainbill("practice", "set", str(ROOT / "config/practice.example.toml"))
    plainbill("staff", "add", "ana", "--name", "Ana")
    store = open_store(f"sqlite:///{tmp_path}/var/plainbill.db", keyring(load(None)))
    store.write(lambda session: add(session, "main", "A-1", "en", TUESDAY))
    store.close()
    return plainbill


def test_a_practice_without_a_lender_has_nothing_to_note(office: Run) -> None:
    refused = office("payments", "lender", "A-1", "applied")
    assert refused.code == REFUSED and "pay_over_time" in refused.err


def test_while_the_lender_decides_nothing_is_due_and_its_word_ends_that(office: Run, tmp_path: Path) -> None:
    policy = tmp_path / "practice.toml"
    policy.write_text((ROOT / "config/practice.example.toml").read_text(encoding="utf-8") + LENDER, encoding="utf-8")
    office("practice", "set", str(policy))
    assert office("balance", "A-1", "--json").json["due_now_minor"] == 145_50
    assert office("payments", "lender", "A-1", "applied", staff="ana").code == OK
    held = office("balance", "A-1", "--json").json
    assert (held["due_now_minor"], held["held_minor"]) == (0, 145_50)
    assert office("payments", "lender", "A-1", "applied", "--json", staff="ana").json["changed"] is False
    assert office("payments", "lender", "A-1", "declined", staff="ana").code == OK
    assert office("balance", "A-1", "--json").json["due_now_minor"] == 145_50
    assert office("payments", "lender", "A-1", "thinking", staff="ana").code == REFUSED
    assert office("payments", "lender", "A-9", "paid", staff="ana").code == NOT_FOUND
