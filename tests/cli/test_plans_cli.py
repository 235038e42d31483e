"""Staff offer plans inside the policy, ask another person outside it, and never agree for a patient."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.exits import NOT_FOUND, OK, REFUSED, USAGE
from tests.cli.conftest import EXAMPLE, Office, Run

PLANS = "\n[plans]\nminimum_instalment_minor = 2000\nmaximum_months = 12\n"


@pytest.fixture
def office(office: Office, plainbill: Run, tmp_path: Path) -> Office:
    """The office of a practice that offers plans."""
    policy = tmp_path / "practice.toml"
    policy.write_text(Path(EXAMPLE).read_text(encoding="utf-8") + PLANS, encoding="utf-8")
    done = plainbill("practice", "set", str(policy))
    assert done.code == OK, done.err
    return office


def test_an_ask_inside_the_policy_becomes_a_plan_with_its_link(plainbill: Run, office: Office) -> None:
    done = plainbill("plans", "offer", "A-1", "--amount", "50", "--every", "month", "--json", STAFF="ana").json
    plan = done["plan"]
    assert (plan["status"], plan["instalments"], plan["amount_minor"]) == ("awaiting_authorization", 3, 5_000)
    assert sum(minor for _, _, minor in plan["parts"]) == 14_550 and "/l/" in plan["link"]
    assert not any(part in plan["link"] for part in (plan["plan"], "A-1", "Rivera"))
    (listed,) = plainbill("plans", "list", "--json").json
    assert (listed["number"], listed["total_minor"]) == (plan["number"], 14_550)
    shown = plainbill("plans", "show", str(plan["number"]), "--json").json
    assert [part["amount_minor"] for part in shown["schedule"]] == [5_000, 5_000, 4_550]
    assert shown["authorizations"] == [] and "$145.50" in plainbill("plans", "show", "1").out


def test_six_payments_say_that_the_law_wants_a_page(plainbill: Run, office: Office) -> None:
    done = plainbill("plans", "offer", "A-1", "--count", "6", "--every", "month", "--day", "15", STAFF="ana")
    assert done.code == OK and "6 payments of $24.25" in done.out and "agrees to it here: " in done.out
    assert plainbill("plans", "show", "1", "--json").json["days"] == [15]


def test_without_an_ask_the_offers_are_printed_and_nothing_is_written(plainbill: Run, office: Office) -> None:
    done = plainbill("plans", "offer", "A-1", STAFF="ana")
    assert done.code == OK and "1) " in done.out and plainbill("plans", "list", "--json").json == []
    shown = plainbill("plans", "offer", "A-1", "--count", "3", "--show-only", "--json", STAFF="ana").json
    assert shown["fits"] and shown["plan"] is None and plainbill("plans", "list", "--json").json == []


def test_outside_the_policy_the_nearest_offers_come_back(plainbill: Run, office: Office) -> None:
    done = plainbill("plans", "offer", "A-1", "--amount", "5", "--every", "month", STAFF="ana")
    assert done.code == REFUSED and "too small" in done.out and "1) " in done.out
    assert plainbill("plans", "list", "--json").json == []


def test_an_exception_waits_for_another_person(plainbill: Run, office: Office) -> None:
    done = plainbill("plans", "offer", "A-1", "--amount", "10", "--every", "month", "--exception", "hardship", "--json",
                     STAFF="sue")
    assert done.code == OK, done.err
    plan = done.json["plan"]
    assert plan["status"] == "offered" and plan["instalments"] == 15
    for login in ("sue", "ana"):  # her own; a biller may not
        assert plainbill("plans", "approve", "1", "--reason", "ok", STAFF=login).code == REFUSED
    assert plainbill("plans", "approve", "1", "--reason", "ok", "--json", STAFF="sam").json == {
        "plan": plan["plan"], "number": 1, "status": "awaiting_authorization"}
    assert plainbill("plans", "approve", "1", "--reason", "again", STAFF="sam").code == REFUSED


def test_a_plan_is_cancelled_with_its_reason_and_not_twice(plainbill: Run, office: Office) -> None:
    plainbill("plans", "offer", "A-1", "--count", "3", STAFF="ana")
    assert plainbill("plans", "cancel", "1", "--reason", "asked", "--json", STAFF="ana").json["status"] == "cancelled"
    done = plainbill("plans", "cancel", "1", "--reason", "asked", STAFF="ana")
    assert done.code == REFUSED and "Traceback" not in done.err
    assert plainbill("plans", "list", "--status", "cancelled", "--json").json[0]["number"] == 1
    for what in ("pause", "resume"):
        assert plainbill("plans", what, "1", "--reason", "x", STAFF="ana").code == REFUSED


@pytest.mark.parametrize(("asked", "said"), [
    (("--amount", "5.555"), "--amount"), (("--amount", "0"), "--amount"), (("--every", "year"), "--every"),
    (("--first", "soon"), "--first"), (("--collects", "force"), "--collects"), (("--visit", "none"), "--visit"),
])
def test_what_cannot_be_read_is_refused_with_the_fields_name(
    plainbill: Run, office: Office, asked: tuple[str, str], said: str,
) -> None:
    done = plainbill("plans", "offer", "A-1", "--count", "3", *asked, STAFF="ana")
    assert done.code in (USAGE, NOT_FOUND) and said in done.err and "Traceback" not in done.err
    assert plainbill("plans", "list", "--json").json == []


def test_auditors_look_and_change_nothing(plainbill: Run, office: Office) -> None:
    plainbill("plans", "offer", "A-1", "--count", "3", STAFF="ana")
    assert plainbill("plans", "show", "1", STAFF="aud").code == OK
    for asked in (("offer", "A-1", "--count", "2"), ("cancel", "1", "--reason", "x"), ("pause", "1", "--reason", "x"),
                  ("notice", "1", "1", "--how", "letter")):
        assert plainbill("plans", *asked, STAFF="aud").code == REFUSED


def test_a_practice_without_plans_in_its_policy_offers_none(plainbill: Run, office: Office) -> None:
    plainbill("practice", "set", EXAMPLE)
    done = plainbill("plans", "offer", "A-1", "--count", "3", STAFF="ana")
    assert done.code == REFUSED and "[plans]" in done.err


@pytest.mark.parametrize("asked", [
    ("show", "99"), ("cancel", "99", "--reason", "x"), ("approve", "99", "--reason", "x"),
    ("offer", "A-9", "--count", "3"), ("list", "--status", "nonsense")])
def test_what_is_not_there_is_said_plainly(plainbill: Run, office: Office, asked: tuple[str, ...]) -> None:
    done = plainbill("plans", *asked, STAFF="sue")
    assert done.code in (NOT_FOUND, USAGE) and done.err.strip() and "Traceback" not in done.err
