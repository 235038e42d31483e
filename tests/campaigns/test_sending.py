"""Sending: each account at its own moment and hour, nobody twice, paused and stopped within a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from billing import campaigns, outbox
from billing.store.tables import Campaign, CampaignRow, Outbox, Verdict
from tests.campaigns.world import Town
from tests.conftest import TUESDAY


@pytest.fixture
def four(town: Town) -> Town:
    """Four accounts in New York, which owe $100.00 each."""
    for number in range(1, 5):
        town.account(number)
    return town


def test_everybody_is_told_once_and_then_it_is_done(four: Town) -> None:
    campaign_id = four.launched()
    four.work()
    assert sorted(message.to for message in four.channel.taken) == [f"+1212555000{n}" for n in range(1, 5)]
    row = four.row(campaign_id)
    assert (row.status, row.ended_at) == ("done", four.clock())
    assert set(four.fates(campaign_id).values()) == {("queued", "")}


def test_an_account_that_paid_before_its_turn_is_left_out_by_name_of_the_rule(four: Town) -> None:
    campaign_id = four.launched()
    four.pay("acct_2", 10_000)
    four.work()
    assert four.fates(campaign_id)["acct_2"] == ("left_out", "nothing-due")
    assert len(four.channel.taken) == 3


def test_an_account_that_paid_after_it_was_queued_is_not_told(four: Town) -> None:
    campaign_id = four.launched()
    four.feed()
    four.pay("acct_2", 10_000)
    four.deliver()
    assert len(four.channel.taken) == 3
    assert four.messages()["acct_2"] in ("cancelled", "withheld")
    assert four.fates(campaign_id)["acct_2"] == ("queued", "")


def test_no_number_is_a_reason_and_not_a_failure(four: Town) -> None:
    four.account(5, phone=False)
    campaign_id = four.launched()
    four.work()
    assert four.fates(campaign_id)["acct_5"] == ("left_out", "no-way")
    assert len(four.channel.taken) == 4


def test_a_statement_comes_before_any_reminder(four: Town) -> None:
    first = four.launched()
    four.do(lambda s: campaigns.stop(s, first, by="ana", reason="only a trial", now=four.clock()))
    reminders = four.launched(purpose="reminder")
    four.work()
    assert set(four.fates(reminders).values()) == {("left_out", "statement-first")}
    assert four.channel.taken == []


def test_each_zone_is_fed_when_its_own_hours_open(town: Town) -> None:
    for number, state in enumerate(("CA", "CO", "IL", "NY"), 1):
        town.account(number, state)
    town.clock.at = datetime(2026, 11, 3, 13, 0, tzinfo=UTC)  # 08:00 in New York
    town.launched()
    town.work()
    assert town.channel.taken == [] and town.messages() == {}
    for hours, told in ((1, 1), (1, 2), (1, 3), (1, 4)):  # 09:00 in New York, Chicago, Denver, Los Angeles
        town.clock.advance(hours=hours)
        town.work()
        assert len(town.channel.taken) == told
    assert [m.to[:5] for m in town.channel.taken] == ["+1212", "+1312", "+1303", "+1213"]


def test_nothing_of_it_leaves_while_it_is_paused_and_all_of_it_after(four: Town) -> None:
    campaign_id = four.launched()
    four.feed()
    four.do(lambda s: campaigns.pause(s, campaign_id, by="ana", now=four.clock()))
    four.work()
    assert four.channel.taken == [] and four.feed() == 0
    four.do(lambda s: campaigns.resume(s, campaign_id, by="ana", now=four.clock()))
    four.work()
    assert len(four.channel.taken) == 4


def test_a_pause_of_two_hours_asks_the_gate_three_times_and_not_every_minute(four: Town) -> None:
    campaign_id = four.launched()
    four.feed()
    four.do(lambda s: campaigns.pause(s, campaign_id, by="ana", now=four.clock()))
    for _ in range(13):
        four.work()
        four.clock.advance(minutes=10)
    assert four.do(lambda s: set(s.scalars(select(func.count()).where(Verdict.rule == "campaign-state")
                                           .group_by(Verdict.outbox_id)))) == {3}


def test_what_waits_for_its_hour_waits_for_it_still_when_a_paused_campaign_goes_on(four: Town) -> None:
    four.clock.at = datetime(2026, 11, 4, 0, 55, tzinfo=UTC)  # 19:55 in New York
    campaign_id = four.launched()
    four.feed()
    four.clock.advance(hours=3)
    four.deliver()
    morning = four.do(lambda s: set(s.scalars(select(Outbox.due_at))))
    for act in (campaigns.pause, campaigns.resume):
        four.do(lambda s, act=act: act(s, campaign_id, by="ana", now=four.clock()))  # type: ignore[misc]
    assert set(four.messages().values()) == {"deferred"}
    assert four.do(lambda s: set(s.scalars(select(Outbox.due_at)))) == morning
    assert min(morning) > four.clock() + timedelta(hours=1)


def test_a_stop_reaches_what_another_worker_has_claimed_already(four: Town) -> None:
    """Claimed before the stop, begun after it: the gate withholds it, whichever process has it."""
    campaign_id = four.launched()
    four.feed()
    claimed = four.do(lambda s: outbox.claim(s, "worker-2", four.clock()))
    four.do(lambda s: campaigns.stop(s, campaign_id, by="ana", reason="wrong words", now=four.clock()))
    for one in claimed:
        assert four.do(lambda s, one=one: outbox.begin_sending(s, one, "worker-2", four.clock())) is None  # type: ignore[misc]
    assert set(four.messages().values()) == {"cancelled"}


def test_a_pause_reaches_what_another_worker_has_claimed_already(four: Town) -> None:
    campaign_id = four.launched()
    four.feed()
    claimed = four.do(lambda s: outbox.claim(s, "worker-2", four.clock()))
    four.do(lambda s: campaigns.pause(s, campaign_id, by="ana", now=four.clock()))
    for one in claimed:
        assert four.do(lambda s, one=one: outbox.begin_sending(s, one, "worker-2", four.clock())) is None  # type: ignore[misc]
    assert set(four.messages().values()) == {"deferred"}


def test_stopped_in_the_middle_only_what_had_begun_has_left(four: Town) -> None:
    campaign_id = four.launched()
    four.feed()
    claimed = four.do(lambda s: outbox.claim(s, four.worker, four.clock(), 1))
    order = four.do(lambda s: outbox.begin_sending(s, claimed[0], four.worker, four.clock()))
    assert order is not None
    four.do(lambda s: campaigns.stop(s, campaign_id, by="ana", reason="wrong words", now=four.clock()))
    four.do(lambda s: outbox.record_sent(s, [(claimed[0], "SM1")]))
    four.work()
    assert sorted(four.messages().values()) == ["cancelled"] * 3 + ["sent"]
    assert four.channel.taken == []


def test_no_further_ahead_than_the_caps_have_room_for(town: Town) -> None:
    for number in range(1, 31):
        town.account(number)
    town.settle(carrier={"per_minute": 10, "segments_per_second": None})
    town.launched()
    assert town.feed() == 20
    assert town.feed() == 0


def test_a_campaign_waits_for_its_day(four: Town) -> None:
    campaign_id = four.campaign()

    def later(session: Session) -> None:
        session.get_one(Campaign, campaign_id).not_before_at = TUESDAY + timedelta(days=1)

    four.do(later)
    four.preview(campaign_id)
    four.approve(campaign_id)
    four.start(campaign_id)
    four.work()
    assert four.channel.taken == []
    four.clock.advance(days=1)
    four.work()
    assert len(four.channel.taken) == 4


def test_one_account_that_cannot_be_worked_stops_nobody_else(four: Town) -> None:
    """A name that does not open is that account's fault alone, and the row says so; one whose language has no words is
    left out by the rule's name.
    """
    four.account(5)
    four.account(6, language="fr")
    campaign_id = four.launched()

    def spoil(session: Session) -> None:
        session.execute(text("UPDATE guarantors SET external = :it WHERE id = 'acct_5'"), {"it": b"nothing of ours"})

    four.do(spoil)
    four.work()
    fates = four.fates(campaign_id)
    assert (fates["acct_5"], fates["acct_6"]) == (("left_out", "fault"), ("left_out", "language-unmet"))
    assert len(four.channel.taken) == 4


def test_a_row_that_is_worked_already_is_not_worked_again(four: Town) -> None:
    campaign_id = four.launched()
    four.work()

    def again(session: Session) -> None:
        for row in session.scalars(select(CampaignRow)):
            row.outcome = "waiting"

    four.do(again)
    four.do(lambda s: setattr(s.get_one(Campaign, campaign_id), "status", "sending"))
    four.work()
    assert len(four.channel.taken) == 4
    assert four.do(lambda s: len(s.scalars(select(Outbox)).all())) == 4


def test_a_partial_payment_on_the_way_asks_anew_for_what_is_left(four: Town) -> None:
    """The message about $100.00 is cancelled, and one about $60.00 goes out: never the wrong amount, never silence."""
    campaign_id = four.launched()
    four.feed()
    four.pay("acct_2", 4_000)
    four.work()
    assert len(four.channel.taken) == 4

    def about(session: Session) -> list[tuple[str, int | None]]:
        return [(one.status, one.amount_minor) for one in session.scalars(
            select(Outbox).where(Outbox.guarantor_id == "acct_2").order_by(Outbox.created_at, Outbox.id))]

    assert four.do(about) == [("cancelled", 10_000), ("sent", 6_000)]
    assert four.row(campaign_id).status == "done"


def test_when_the_days_cap_is_used_up_the_rest_is_read_again_on_its_own_day(town: Town) -> None:
    """Five accounts, a brand with two texts a day left for bulk: three days, and who pays in between is not told."""
    for number in range(1, 6):
        town.account(number)
    town.settle(carrier={"per_day": 2, "per_minute": None, "segments_per_second": None, "kept_for_replies": 0})
    campaign_id = town.launched()
    left = []
    for _ in range(3):
        for _ in range(4):  # through the day
            town.work()
            town.clock.advance(minutes=2)
        left.append(len(town.channel.taken))
        if len(left) == 1:
            town.pay("acct_5", 10_000)
        town.clock.advance(hours=23, minutes=52)
    assert left == [2, 4, 4]
    assert town.fates(campaign_id)["acct_5"][1] == "nothing-due"


def test_a_notice_asks_for_nothing_and_reaches_who_owes_nothing(four: Town) -> None:
    four.pay("acct_1", 10_000)
    campaign_id = four.launched(purpose="notice", template="ask_us")
    four.work()
    assert len(four.channel.taken) == 4
    assert set(four.fates(campaign_id).values()) == {("queued", "")}
    assert four.do(lambda s: [one.amount_minor for one in s.scalars(select(Outbox))]) == [None] * 4


def test_a_reminder_follows_a_statement_that_left(four: Town) -> None:
    four.launched()
    four.work()
    four.clock.advance(days=10)
    campaign_id = four.launched(purpose="reminder", template="reminder_first")
    four.work()
    assert set(four.fates(campaign_id).values()) == {("queued", "")}
    assert len(four.channel.taken) == 8
