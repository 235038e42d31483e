"""Help before demand: from the asking to the refund nothing is asked, what the policy gives is posted to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from billing import assistance, payments, refunds, staff
from billing.apply import carry_out
from billing.assistance import MOVES, AssistanceRefused
from billing.command_context import Context
from billing.commands import OpenCase
from billing.lives import IllegalMove
from billing.store.tables import AssistanceApplication, Coverage, Refund
from bot.collection_days import work_practice
from tests.architecture.source import ROOT
from tests.collections.office import OWED, RIPE, START, VISIT, Office
from tests.dunning.house import ANNA
from tests.payments.world import PRACTICE, Event

HOUSEHOLD = {"people": 3, "income_minor": 3_000_000, "fpl_percent": 150, "source": "paper"}


def ask(office: Office) -> str:
    return str(office.do(lambda s: assistance.ask(
        s, practice_id=PRACTICE, guarantor_id=ANNA, by="bill", now=office.clock()).number))


def receive(office: Office, number: str, **changes: Any) -> None:
    office.do(lambda s: assistance.receive(s, PRACTICE, number, household={**HOUSEHOLD, **changes}, by="bill",
                                           now=office.clock()))


def approve(office: Office, number: str, by: str = "max") -> AssistanceApplication:
    return office.do(lambda s: assistance.approve(s, PRACTICE, number, by=by, now=office.clock()))


def row(office: Office, number: str) -> AssistanceApplication:
    return office.do(lambda s: assistance.find(s, PRACTICE, number))


def kinds(office: Office) -> list[str]:
    return [kind for kind, _ in office.holds()]


def work(office: Office) -> int:
    return office.do(lambda s: work_practice(s, PRACTICE, office.clock()))


def test_from_the_asking_nothing_is_demanded_and_a_second_asking_is_the_same_application(office: Office) -> None:
    office.account()
    number = ask(office)
    assert ask(office) == number
    office.live(40, START)
    assert (office.said(), kinds(office)) == ([], ["assistance_pending"])


def test_a_patient_who_asks_by_text_has_an_application(office: Office) -> None:
    office.account()
    context = Context(PRACTICE, "conv_1", "+12125550123", "hash", "sms", None, "en", office.clock())
    office.do(lambda s: carry_out(s, OpenCase("assistance", "Asks for help", "", ANNA, None, "assistance_pending",
                                              dedupe=f"assistance:{ANNA}"), context))
    assert row(office, "1").status == "asked"


def test_approved_the_whole_bill_is_charity_and_the_hold_ends(office: Office) -> None:
    office.account()
    number = ask(office)
    receive(office, number)
    done = approve(office, number)
    assert (done.discount_percent, done.forgiven_minor, done.refund_minor) == (100, OWED, 0)
    assert (office.owes(), office.cash(), kinds(office)) == (0, {"charity": OWED}, [])
    office.clean()


def test_a_tier_gives_its_part_and_the_rest_is_due(office: Office) -> None:
    office.account(due_minor=10_001)
    number = ask(office)
    receive(office, number, fpl_percent=300)
    approve(office, number)
    assert (office.owes(), office.cash()) == (5_000, {"charity": 5_001})
    office.clean()


def test_above_every_tier_nothing_is_given(office: Office) -> None:
    office.account()
    number = ask(office)
    receive(office, number, fpl_percent=301)
    with pytest.raises(AssistanceRefused, match="above every tier"):
        approve(office, number)
    assert office.cash() == {}


def test_t_44_what_was_paid_above_it_goes_back_from_five_dollars_on(office: Office) -> None:
    """26 CFR 1.501(r)-6(c)(6): $5.00 goes back, $4.99 stays as credit."""
    for paid, back in ((500, 500), (499, 0)):
        account, visit = f"acct_{paid}", f"visit_B{paid}"
        office.account(account, f"B{paid}", phone="")
        office.pay(paid, account)
        number = str(office.do(lambda s, who=account: assistance.ask(  # type: ignore[misc]
            s, practice_id=PRACTICE, guarantor_id=who, by="bill", now=office.clock()).number))
        receive(office, number)
        done = approve(office, number)
        assert (done.forgiven_minor, done.refund_minor) == (OWED, back)
        assert office.owes(visit) == 0
        assert office.figures(account).credit_minor == paid - back
        office.clock.advance(minutes=1)
    office.clean()


def test_half_forgiven_after_everything_was_paid_half_goes_back_once(office: Office) -> None:
    office.account()
    office.pay(OWED)
    number = ask(office)
    receive(office, number, fpl_percent=250)
    done = approve(office, number)
    assert (done.forgiven_minor, done.refund_minor) == (5_000, 5_000)
    assert office.do(lambda s: [(r.amount_minor, r.reason, r.tender) for r in refunds.listing(s, PRACTICE)]) == [
        (5_000, "assistance", "check")]
    for _ in range(3):
        work(office)
    assert len(office.do(lambda s: list(refunds.listing(s, PRACTICE)))) == 1
    office.clean()


def test_what_is_placed_comes_home_before_the_discount(office: Office) -> None:
    office.overdue()
    one = office.place()
    number = ask(office)
    receive(office, number, fpl_percent=250)
    assert office.events(one)[-1] == ("suspended", 0, "assistance")
    approve(office, number)
    assert (office.owes(), office.cash(), office.placement(one).status) == (5_000, {"charity": 5_000}, "recalled")
    assert office.events(one)[-1] == ("recalled", OWED, "assistance")
    office.clean()


def test_t_44_an_application_suspends_the_agency_and_a_denial_lets_it_go_on_after_the_day_of_appeal(
        office: Office) -> None:
    office.overdue()
    one = office.place()
    number = ask(office)
    receive(office, number)
    office.do(lambda s: assistance.deny(s, PRACTICE, number, reason="not a resident", by="max", now=office.clock()))
    assert row(office, number).appeal_by_on == RIPE + timedelta(days=30)
    office.at(RIPE + timedelta(days=30), 12)
    work(office)
    assert (office.events(one)[-1][0], "assistance_pending" in kinds(office)) == ("suspended", True)
    office.at(RIPE + timedelta(days=31), 12)
    work(office)
    assert (office.events(one)[-1][0], "assistance_pending" in kinds(office)) == ("resumed", False)
    assert work(office) == 0


def test_an_appeal_in_time_is_heard_once(office: Office) -> None:
    office.account()
    number = ask(office)
    receive(office, number)
    deny = lambda s: assistance.deny(s, PRACTICE, number, reason="too high", by="max", now=office.clock())  # noqa: E731
    office.do(deny)
    office.at(START + timedelta(days=30), 12)
    office.do(lambda s: assistance.appeal(s, PRACTICE, number, by="bill", now=office.clock()))
    assert kinds(office)[:1] == ["assistance_pending"]
    office.do(deny)
    assert kinds(office) == []
    office.at(START + timedelta(days=31), 12)
    with pytest.raises(AssistanceRefused, match="day of appeal"):
        office.do(lambda s: assistance.appeal(s, PRACTICE, number, by="bill", now=office.clock()))


def test_deadlines_come_before_a_person_and_never_into_dunning_by_themselves(office: Office) -> None:
    office.account()
    number = ask(office)
    office.at(START + timedelta(days=31), 12)
    work(office)
    assert office.cases() == ["assistance_silent"]
    office.do(lambda s: assistance.find_missing(s, PRACTICE, number, missing=["signature"], by="bill",
                                                now=office.clock()))
    assert row(office, number).complete_by_on == START + timedelta(days=61)
    office.at(START + timedelta(days=62), 12)
    work(office)
    receive(office, number)
    office.at(START + timedelta(days=93), 12)
    work(office)
    assert office.cases() == ["assistance_silent", "assistance_incomplete", "assistance_overdue"]
    assert "assistance_pending" in kinds(office)


def test_an_approval_reaches_a_visit_whose_insurer_answers_later_and_no_visit_twice(office: Office) -> None:
    office.account()
    office.insure("CI")
    office.do(lambda s: setattr(s.get_one(Coverage, f"cov_{VISIT}_CI"), "status", "pending"))
    number = ask(office)
    receive(office, number)
    assert approve(office, number).forgiven_minor == 0
    office.do(lambda s: setattr(s.get_one(Coverage, f"cov_{VISIT}_CI"), "status", "answered"))
    assert [work(office), work(office)] == [1, 0]
    assert (row(office, number).forgiven_minor, office.owes()) == (OWED, 0)
    office.clean()


def test_only_a_manager_decides_where_the_policy_says_so(office: Office) -> None:
    office.account()
    number = ask(office)
    receive(office, number)
    for by in ("sam", "bill"):
        with pytest.raises(staff.StaffRefused):
            approve(office, number, by=by)


@pytest.mark.parametrize("source", ["sms", "telegram", "text", ""])
def test_what_a_household_has_is_never_taken_by_text(office: Office, source: str) -> None:
    office.account()
    number = ask(office)
    with pytest.raises(AssistanceRefused, match="never asked or taken by text"):
        receive(office, number, source=source)


def test_no_template_asks_what_a_household_earns() -> None:
    asked = ("your income", "do you earn", "do you make", "household income", "su ingreso", "sus ingresos",
             "gana usted")
    for path in sorted(Path(ROOT, "templates").glob("e[ns]/**/*.txt")):
        words = path.read_text("utf-8").casefold()
        assert not [one for one in asked if one in words], path.name


@pytest.mark.parametrize("before", sorted(MOVES))
def test_an_application_takes_no_step_that_its_life_does_not_have(office: Office, before: str) -> None:
    office.account()
    number = ask(office)
    one, now = row(office, number).id, office.clock()

    def set_up(s: Any) -> None:
        known = s.get_one(AssistanceApplication, one)
        known.status, known.household, known.appeal_by_on = before, HOUSEHOLD, date(2027, 1, 1)

    office.do(set_up)
    acts = {
        "received": lambda s: assistance.receive(s, PRACTICE, number, household=HOUSEHOLD, by="bill", now=now),
        "incomplete": lambda s: assistance.find_missing(s, PRACTICE, number, missing=["other"], by="bill", now=now),
        "approved": lambda s: assistance.approve(s, PRACTICE, number, by="max", now=now),
        "denied": lambda s: assistance.deny(s, PRACTICE, number, reason="x", by="max", now=now),
        "appealed": lambda s: assistance.appeal(s, PRACTICE, number, by="bill", now=now),
        "withdrawn": lambda s: assistance.withdraw(s, PRACTICE, number, reason="x", by="bill", now=now)}
    for after, act in acts.items():
        if after not in MOVES[before]:
            with pytest.raises(IllegalMove):
                office.do(act)


def test_the_policy_in_force_on_the_day_of_asking_decides(office: Office) -> None:
    old = [{"since": "2026-01-01", "tiers": [{"fpl_percent": 200, "discount_percent": 100}]},
           {"since": "2026-11-10", "tiers": [{"fpl_percent": 200, "discount_percent": 40}]}]
    office.settle(**{**office.policy.model_dump(mode="json"), "assistance": old})
    office.account()
    number = ask(office)
    office.at(date(2026, 11, 20), 11)
    receive(office, number)
    assert approve(office, number).discount_percent == 100


def test_card_money_goes_back_to_the_card(office: Office) -> None:
    office.account()
    paid = office.ask_to_pay(OWED, early=False)
    office.do(lambda s: payments.apply_event(s, PRACTICE, Event("paid", paid, OWED), office.clock()))
    number = ask(office)
    receive(office, number)
    assert approve(office, number).refund_minor == OWED
    assert office.do(lambda s: [(r.payment_id, r.tender) for r in s.scalars(select(Refund))]) == [(paid, "original")]
