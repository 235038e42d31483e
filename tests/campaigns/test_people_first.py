"""A bulk run asks nobody for what a person has yet to look at, and reminds nobody of what no statement has told."""

from __future__ import annotations

from datetime import date, timedelta

from billing import cased_holds, holds, ledger
from tests.campaigns.world import Town
from tests.payments import world
from tests.payments.world import PRACTICE

OLD = date(2026, 2, 2)


def new_visit(town: Town, account_id: str, minor: int) -> None:
    number = account_id.replace("acct_", "N0000")
    town.do(lambda s: world.visit(s, "visit_new", account_id, number, date(2026, 10, 20), minor, town.clock()))


def test_a_reminder_waits_for_a_statement_that_names_what_is_due_and_an_older_bill_s_is_none(town: Town) -> None:
    """An old statement, long paid, is no statement of the visit that came since."""
    town.account(1)
    town.launched()
    town.work()
    town.pay("acct_1", 10_000)
    town.clock.advance(days=20)
    new_visit(town, "acct_1", 8_000)
    reminders = town.launched(purpose="reminder", template="reminder_first")
    town.work()
    assert town.fates(reminders) == {"acct_1": ("left_out", "statement-first")}
    assert len(town.channel.taken) == 1


def test_a_bill_that_first_comes_late_waits_for_a_person_in_a_bulk_run_as_well(town: Town) -> None:
    town.account(1, on=OLD)
    town.account(2)
    campaign_id = town.launched()
    town.work()
    assert town.fates(campaign_id)["acct_1"] == ("left_out", "hold:first_look")
    assert len(town.channel.taken) == 1


def test_a_bill_that_rose_after_it_was_paid_waits_for_a_person_in_a_bulk_run_as_well(town: Town) -> None:
    town.account(1)
    town.launched()
    town.work()
    town.pay("acct_1", 10_000)
    town.clock.advance(days=20)
    town.do(lambda s: ledger.post(s, [ledger.Posting(
        PRACTICE, ledger.patient("visit_1"), ledger.wide("revenue"), 2_500, "USD", "charge",
        town.policy.local_day(town.clock()), "desk", "charge:again", "acct_1", "visit_1")], town.clock()))
    campaign_id = town.launched()
    town.work()
    assert town.fates(campaign_id) == {"acct_1": ("left_out", "hold:first_look")}
    assert len(town.channel.taken) == 1


def test_a_bill_checks_itself_before_a_bulk_run_reminds_of_it_and_what_was_released_is_asked_for(town: Town) -> None:
    """A hundred days after the service when it was stated; so old when it is reminded of that the law may bar it."""
    town.settle(dunning={"very_old_days": 180})
    town.account(1, on=town.policy.local_day(town.clock()) - timedelta(days=175))
    town.launched()
    town.work()
    town.clock.advance(days=10)
    first = town.launched(purpose="reminder", template="reminder_first")
    town.work()
    assert town.fates(first) == {"acct_1": ("left_out", "hold:audit")}
    assert len(town.channel.taken) == 1
    for hold in town.do(lambda s: holds.open_holds(s, "acct_1")):
        town.do(lambda s, hold=hold: cased_holds.release(  # type: ignore[misc]
            s, PRACTICE, hold.id, by="ana", reason="agreed with counsel", now=town.clock()))
    town.clock.advance(days=1)
    second = town.launched(purpose="reminder", template="reminder_first")
    town.work()
    assert town.fates(second) == {"acct_1": ("queued", "")}
    assert len(town.channel.taken) == 2


def test_a_notice_asks_for_nothing_and_is_held_back_by_no_check(town: Town) -> None:
    town.account(1, on=town.policy.local_day(town.clock()) - timedelta(days=300))
    campaign_id = town.launched(purpose="notice", template="ask_us")
    town.work()
    assert town.fates(campaign_id) == {"acct_1": ("queued", "")}
