"""Simulation: the same accounts under another day, state, policy or book of rules, and nothing is written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing import consents
from billing.campaign_simulation import Change, Shift, Simulation, altered
from billing.phones import address_hash
from billing.policy.core import Facts, MessageFacts, PracticeFacts, RecipientFacts
from billing.store.tables import Audit, Campaign, Outbox, Verdict
from bot.campaign_simulating import simulate
from tests.campaigns.world import Town
from tests.conftest import TUESDAY, maple_clinic
from tests.payments.world import PRACTICE


@pytest.fixture
def evening(town: Town) -> tuple[Town, str]:
    """Half past eight in the evening, at a practice that texts until nine; the fourth of four accounts sent STOP."""
    town.settle(text_window={"weekday": {"opens": "08:00", "closes": "21:00"}})
    for number in range(1, 5):
        town.account(number)
    town.do(lambda s: consents.record_revoked(
        s, PRACTICE, "sms", address_hash(PRACTICE, "sms", "+12125550004"), wording="STOP", medium="text",
        recorded_by="patient", now=town.clock()))
    town.clock.at = datetime(2026, 11, 4, 1, 30, tzinfo=UTC)
    return town, town.campaign()


def run(town: Town, campaign_id: str, change: Change) -> Simulation:
    return town.do(lambda s: simulate(s, town.road, town.policy, s.get_one(Campaign, campaign_id), change,
                                      town.clock()))


def test_another_states_hours_make_messages_late(evening: tuple[Town, str]) -> None:
    found = run(*evening, Change(region="FL"))
    assert found.accounts[Shift("lawful", "late", "T-08")] == ["acct_1", "acct_2", "acct_3"]
    assert found.unreached == ["acct_4"]


def test_a_rule_taken_away_makes_messages_lawful(evening: tuple[Town, str]) -> None:
    town, campaign_id = evening
    town.clock.advance(hours=1)
    found = run(town, campaign_id, Change(without=("T-08",)))
    assert found.accounts == {Shift("late", "lawful", "T-08"): ["acct_1", "acct_2", "acct_3"]}


def test_the_rules_of_another_day_are_asked_in_the_same_moment(evening: tuple[Town, str]) -> None:
    town, campaign_id = evening
    town.clock.advance(hours=1)
    found = run(town, campaign_id, Change(on=date(2019, 6, 1)))
    assert found.to_json()["unchanged"] == 0
    assert all(shift.after == "lawful" for shift in found.accounts)


def test_nothing_is_written_by_it(evening: tuple[Town, str]) -> None:
    town, campaign_id = evening

    def count(session: Session) -> list[int]:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in (Outbox, Verdict, Audit)]

    before = town.do(count)
    run(town, campaign_id, Change(region="TX"))
    assert town.do(count) == before


def test_in_another_moment_everything_known_is_that_much_older() -> None:
    message = MessageFacts("reply", inbound_age=timedelta(hours=1), room_at=TUESDAY)
    facts = Facts(TUESDAY, "queueing", PracticeFacts(maple_clinic()), message,
                  RecipientFacts(paid_age=timedelta(days=1)))
    later = altered(facts, Change(at=TUESDAY + timedelta(days=2)))
    assert later.now == TUESDAY + timedelta(days=2)
    assert later.message.inbound_age == timedelta(days=2, hours=1)
    assert later.recipient.paid_age == timedelta(days=3)
    assert later.message.room_at is None and later.recipient.texted_age is None
    assert altered(facts, Change()) == facts
