"""The report says of every account what became of it, and counts only what followed a message that left."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from billing import campaign_reports, consents, outbox
from billing.campaign_reports import Row, Summary
from billing.phones import address_hash
from billing.store.tables import Campaign, Inbox, Outbox
from billing.threads import of_address
from tests.campaigns.world import Town
from tests.payments.world import PRACTICE


@pytest.fixture
def five(town: Town) -> Town:
    """Four accounts that may be texted and one without a number."""
    for number in range(1, 6):
        town.account(number, phone=number != 5)
    return town


def rows(town: Town, campaign_id: str, days: int = 30) -> dict[str, Row]:
    return town.do(lambda session: {one.account_id: one for one in campaign_reports.rows(
        session, session.get_one(Campaign, campaign_id), town.policy.carrier, days)})


def summary(town: Town, campaign_id: str, days: int = 30) -> Summary:
    return town.do(lambda session: campaign_reports.summarize(
        session, session.get_one(Campaign, campaign_id), town.policy.carrier, days))


def write_back(session: Session, town: Town, number: int) -> None:
    now = town.clock()
    session.add(Inbox(practice_id=PRACTICE, source="sms", external_id=f"SM{number}{now}", kind="message",
                      thread=of_address(PRACTICE, "sms", f"+1212555{number:04}"), payload={}, status="done",
                      received_at=now, due_at=now))


def test_every_account_has_one_row_with_its_fate_and_its_reason(five: Town) -> None:
    campaign_id = five.launched()
    five.pay("acct_1", 10_000)
    five.clock.advance(minutes=1)
    five.feed()
    five.pay("acct_2", 10_000)
    five.deliver()
    found = rows(five, campaign_id)
    assert [(one.account, one.fate, one.rule) for one in found.values()] == [
        ("N00001", "left_out", "nothing-due"), ("N00002", "cancelled", found["acct_2"].rule), ("N00003", "sent", ""),
        ("N00004", "sent", ""), ("N00005", "left_out", "no-way")]
    assert found["acct_2"].rule in ("balance-moved", "nothing-due")
    assert (found["acct_1"].paid_between_minor, found["acct_2"].paid_between_minor) == (10_000, 10_000)
    assert summary(five, campaign_id).paid_between == 2


def test_replies_opt_outs_and_payments_count_within_their_days_after_the_message(five: Town) -> None:
    campaign_id = five.launched()
    five.do(lambda s: write_back(s, five, 1))  # in the same moment as the message, hence not after it
    five.work()
    five.clock.advance(days=3)

    def follow(session: Session) -> None:
        write_back(session, five, 2)
        consents.record_revoked(session, PRACTICE, "sms", address_hash(PRACTICE, "sms", "+12125550003"),
                                wording="STOP", medium="text", recorded_by="patient", now=five.clock())

    five.do(follow)
    five.pay("acct_4", 2_500)
    five.clock.advance(days=3)
    five.pay("acct_4", 500)
    within, short = summary(five, campaign_id), summary(five, campaign_id, 1)
    assert (within.replied, within.opted_out, within.paid, within.paid_minor) == (1, 1, 1, 3_000)
    assert (short.replied, short.opted_out, short.paid, short.paid_minor) == (0, 0, 0, 0)
    assert summary(five, campaign_id, 4).paid_minor == 2_500
    assert rows(five, campaign_id)["acct_3"].opted_out


def test_cost_is_what_left_times_what_the_carrier_takes(five: Town) -> None:
    campaign_id = five.launched()
    five.work()
    total = summary(five, campaign_id)
    assert total.left == 4 and total.segments == 4
    assert total.cost_micros == 4 * five.policy.carrier.segment_cost_micros


def test_delivered_is_counted_when_the_carrier_says_so(five: Town) -> None:
    campaign_id = five.launched()
    five.work()

    def report(session: Session) -> None:
        row = session.query(Outbox).filter(Outbox.guarantor_id == "acct_1").one()
        outbox.apply_receipt(session, outbox.DeliveryReport("sms", row.provider_id or "", "delivered"), five.clock())

    five.do(report)
    total = summary(five, campaign_id)
    assert (total.left, total.delivered, dict(total.fates)) == (4, 1, {"delivered": 1, "sent": 3, "left_out": 1})
