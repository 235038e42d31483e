"""What was taken over is asked for by nobody before its release, never charged, and says where it is from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import explain, plan_offers, plans, statements
from billing.gate import gather_charge
from billing.importers.opening_columns import EXAMPLE
from billing.plan_consents import PlanRefused
from billing.plan_days import work_due
from billing.plan_offers import Ask
from billing.policy.core import ChargeFacts, may_charge
from billing.store import plan_queries
from billing.store.tables import Guarantor, ProcessorCall, Visit
from bot.road import Road
from bot.statement_runs import Line, send_statement
from templates.sentences import sentence
from tests.conftest import Clock
from tests.opening.takeover import QUIET, Takeover, person, totals, visit

WORDING = {"consent_given_on": "2026-01-10", "consent_wording": "Text me about my bills", "consent_medium": "form",
           "consent_recorded_by": "front desk"}
RUIZ = (person(phone="518-555-0143", zip="12207", state="NY", **WORDING), visit("V-1", "50.00"), *totals(b0="50.00"))


def _send(move: Takeover) -> Line:
    def send(session: Session) -> Line:
        account = session.scalars(select(Guarantor)).one()
        road = Road(move.store, Clock(), "send", "https://pay.maple.example")
        return send_statement(session, road, move.policy, account.id, move.at)

    return move.store.write(send)


def test_nobody_is_asked_before_the_release_and_a_statement_goes_out_after_it(move: Takeover) -> None:
    report = move.take(*RUIZ)
    line = _send(move)
    assert (line.outcome, line.rule) == ("withheld", "hold:carried_over")
    move.hire()
    move.release(report)
    line = _send(move)
    assert (line.outcome, line.rule, line.way) == ("queued", "allowed", "sms")


def test_in_shadow_the_statement_would_have_gone_out(move: Takeover) -> None:
    report = move.take(*RUIZ)
    move.hire()
    move.release(report)
    move.settle(sending="shadow")
    line = _send(move)
    assert (line.outcome, line.rule) == ("withheld", "sending-mode")
    assert "it would have gone out" in line.reason


def test_a_patient_may_pay_meanwhile_and_the_practice_may_not_charge(move: Takeover) -> None:
    move.take(*RUIZ)
    move.settle(payments={"saved_cards": True})

    def ruling(starts: bool) -> Any:
        def ask(session: Session) -> Any:
            account, owed = session.scalars(select(Guarantor)).one(), session.scalars(select(Visit)).one()
            return may_charge(gather_charge(session, account.id, ChargeFacts(
                5_000, ((owed.id, 5_000),), account.balance_version, practice_starts=starts,
                noticed_minor=5_000, notice_age=timedelta(days=20)), "sending", move.at))

        return move.store.read(ask)

    assert ruling(False).sends
    assert (ruling(True).sends, ruling(True).rule) == (False, "hold:carried_over")


def test_every_number_says_that_it_came_from_the_old_records(move: Takeover) -> None:
    report = move.take(*RUIZ)
    move.hire()
    move.release(report)

    def read(session: Session) -> tuple[Any, Any]:
        account = session.scalars(select(Guarantor)).one()
        return (explain.explain_account(session, account.id)[0],
                statements.make(session, account.id, "es", move.at).content)

    told, content = move.store.write(read)
    assert told.foots
    assert [(s.kind, s.amount_minor) for s in told.steps] == [("carried_over", 5_000), ("left", 5_000)]
    assert all(step.sources for step in told.steps)
    assert sentence(told.steps[0], "en") == "$50.00 came over from our old records."
    assert sentence(told.steps[0], "es") == "$50.00 viene de nuestros registros anteriores."
    assert content["visits"][0]["due_minor"] == 5_000


def test_the_age_of_a_bill_goes_on_from_the_old_systems_first_statement(move: Takeover) -> None:
    move.take(*RUIZ)
    assert str(move.store.read(lambda s: s.scalars(select(Visit)).one().first_statement_on)) == "2026-10-20"


def test_a_plan_that_the_patient_agrees_to_here_takes_the_place_of_the_one_taken_over(move: Takeover) -> None:
    move.settle(plans={"minimum_instalment_minor": 2_000})
    report = move.take(*QUIET)
    move.hire()
    move.release(report)
    old = move.plans()[0]

    def agree(session: Session) -> str:
        account, rules = session.get_one(Guarantor, old.guarantor_id), move.policy.plans
        account.confirmed_at, account.confirmed_by = move.at, "ana"
        assert rules is not None
        shares = plan_queries.visits(session, old.id)
        terms = plan_offers.make(12_000, shares, rules, move.at.date(), Ask(count=4)).offers[0]
        new = plans.offer(
            session, practice_id=move.practice_id, guarantor_id=account.id, terms=terms.terms("link", None, old.id),
            policy=rules, balance_version=account.balance_version, language="en", offered_by="ana", key="k1",
            conversation_id=None, now=move.at)
        plans.agree(session, new, words="Yes", words_version="plan_ask:en:1", given_by="page", message_id="m1",
                    method=None, disclosures_version=None, esign_at=None, now=move.at)
        return new.id

    new_id = move.store.write(agree)
    assert {plan.id: plan.status for plan in move.plans()} == {old.id: "superseded", new_id: "active"}
    move.check()


def test_a_plan_taken_over_keeps_its_schedule_and_nothing_of_it_is_charged(move: Takeover) -> None:
    report = move.take(*EXAMPLE)
    move.hire()
    move.release(report)
    plan = move.plans()[0]
    assert (plan.status, plan.collects, plan.method_id, plan.authorization_id, plan.pause_reason, plan.total_minor) == (
        "paused", "link", None, None, "carried_over", 12_000)
    assert move.visit("V-1").on_plan_minor == 12_000
    for _ in range(3):
        move.store.write(lambda s: work_due(s, move.practice_id, move.at.replace(month=12), 100))
    assert move.store.read(lambda s: s.query(ProcessorCall).count()) == 0
    assert move.plans()[0].status == "paused"
    with pytest.raises(PlanRefused, match="agreed to nothing here"):
        move.store.write(lambda s: plans.resume(s, move.practice_id, plan.id, by="bea", reason="go on", now=move.at))
    move.check()
