"""``plainbill why``: the receipt of a message or a charge, and what the rules of another day or state say of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from billing import outbox, saved_charges
from billing.policy.core import charge_objections
from billing.store.tables import Plan
from bot.cli.exits import NOT_FOUND, USAGE
from tests.cli.conftest import EXAMPLE, Office, Run
from tests.cli.test_plans_cli import PLANS
from tests.conftest import TUESDAY
from tests.policy.examples import charge


@pytest.fixture
def message(plainbill: Run, stores: Office) -> str:
    """A notice to a number that never agreed to texts; the office's example practice is in shadow."""
    plainbill("practice", "set", EXAMPLE)

    def put(session: Session) -> str:
        return outbox.put(session, outbox.Draft(
            practice_id="main", channel="sms", address="+12125550177", address_hash="h", purpose="notice",
            template="t", template_version="1", language="en", privacy="open", body="Hello there", segments=1,
            idempotency_key="k"), TUESDAY).id

    return stores().write(put)


def test_a_receipt_tells_the_rule_its_source_and_the_facts(plainbill: Run, message: str) -> None:
    verdict = plainbill("why", message, "--json").json["verdicts"][0]
    assert (verdict["rule"], verdict["outcome"]) == ("T-01", "withhold")
    assert "47 USC 227" in verdict["citation"] and "replayed" not in verdict


def test_it_is_ruled_on_again_by_the_rules_of_another_day_and_state(plainbill: Run, message: str) -> None:
    replayed = plainbill("why", message, "--as-of", "2019-12-31", "--region", "tx", "--json").json[
        "verdicts"][0]["replayed"]
    assert (replayed["on"], replayed["region"], replayed["outcome"]) == ("2019-12-31", "TX", "send")
    assert "T-01" in replayed["fell_away"]
    told = plainbill("why", message, "--as-of", "2026-11-03").out
    assert "By the rules of 2026-11-03: WITHHOLD by T-01" in told


@pytest.mark.parametrize("arguments", [("--as-of", "yesterday"), ("--region", "Texas")])
def test_a_day_or_a_state_that_is_none_is_refused_with_how_to_write_it(plainbill: Run, message: str,
                                                                      arguments: tuple[str, str]) -> None:
    done = plainbill("why", message, *arguments)
    assert done.code == USAGE and "write the" in done.err and "Traceback" not in done.err


def test_of_a_plan_it_tells_each_charge_that_was_put_off_and_by_which_rule(
        plainbill: Run, office: Office, tmp_path: Path) -> None:
    policy = tmp_path / "practice.toml"
    policy.write_text(Path(EXAMPLE).read_text(encoding="utf-8") + PLANS, encoding="utf-8")
    plainbill("practice", "set", str(policy))
    plainbill("plans", "offer", "A-1", "--count", "3", STAFF="ana")

    def put_off(session: Session) -> str:
        plan = session.query(Plan).one()
        facts = charge(authorized=False)
        asked = saved_charges.Asked(facts, charge_objections(facts))
        saved_charges.keep(session, asked, plan.practice_id, plan_id=plan.id, instalment=2)
        return plan.id

    plan_id = office().write(put_off)
    told = plainbill("why", plan_id, "--as-of", "2019-12-31")
    assert "Asked when sending instalment 2" in told.out and "WITHHOLD by T-48" in told.out
    assert "By the rules of 2019-12-31: SEND by allowed" in told.out
    (verdict,) = plainbill("why", plan_id, "--json").json["verdicts"]
    assert (verdict["plan"], verdict["instalment"], verdict["rule"]) == (plan_id, 2, "T-48")
    assert plainbill("why", "pay_none").code == NOT_FOUND


def test_check_lists_what_people_have_to_see_to(plainbill: Run) -> None:
    told = plainbill("check", "--json").json["people"]
    assert any("privacy officer" in one and "T-38" in one for one in told)
