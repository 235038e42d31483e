"""Messages judged and recorded many at once come to what each would have come to alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import gate, gate_rows, outbox, sending
from billing.store.tables import Outbox, SendWindow, Verdict
from bot.together import Together
from bot.write import Store
from tests.campaigns.random_store import fill
from tests.campaigns.test_sets import PRACTICE, _candidates
from tests.campaigns.world import Town, give_phone, make_town
from tests.conftest import Clock, practice_row

WORKER = "worker-1"


@pytest.mark.parametrize("seed", range(3))
def test_the_facts_of_many_are_those_that_the_gate_gathers_for_each(store: Store, now: datetime, seed: int) -> None:
    store.write(practice_row(now))
    ids = store.write(fill(PRACTICE, seed, 40, now))

    def compare(session: Session) -> None:
        rows = _rows(session, ids, seed, now)
        judged, together = gate_rows.judge_all(session, PRACTICE, rows, now)
        assert {one.row.id for one in judged} | {row.id for row in together} == {row.id for row in rows}
        assert len({one.ruling.rule for one in judged}) > 4
        for one in judged:
            assert gate.gather(session, one.row, "sending", now) == one.facts

    store.write(compare)


def _rows(session: Session, ids: list[str], seed: int, now: datetime) -> list[Outbox]:
    rows = []
    for number, one in enumerate(_candidates(session, ids, random.Random(seed), now)):
        rows.append(Outbox(
            id=f"msg_many_{number}", practice_id=PRACTICE, guarantor_id=one.guarantor_id, channel=one.channel,
            address=one.address, address_hash=one.address_hash, purpose=one.purpose, template=one.words.template,
            template_version=one.words.version, language=one.words.language, privacy=one.words.privacy, arguments={},
            body=one.words.body, segments=one.words.segments, subject="", statement_id=one.statement_id,
            campaign_id=one.campaign_id, amount_minor=100 if one.asks else None, balance_version=1, status="claimed",
            claimed_by=WORKER, due_at=now, sequence=0, idempotency_key=f"many:{number}", attempts=0, lookups=0,
            created_at=now))
    session.add_all(rows)
    session.flush()
    return rows


@pytest.fixture
def town(store: Store, clock: Clock) -> Town:
    return make_town(store, clock)


def test_of_a_household_in_one_set_only_the_first_is_told(town: Town) -> None:
    """The second is judged after the first is marked, and finds that the house has had its message."""
    town.settle(frequency={"per_7_days": 1})
    town.account(1)
    town.account(2, phone=False)
    town.do(lambda session: give_phone(session, "acct_2", "+12125550001", town.clock()))
    town.launched()
    town.feed()
    town.deliver()
    town.deliver()
    assert len(town.channel.taken) == 1


def test_a_set_that_finds_too_little_room_in_the_caps_sends_what_has_room_and_rules_once_on_each(town: Town) -> None:
    town.settle(carrier={"per_minute": 3, "kept_for_replies": 0, "segments_per_second": None})
    for number in range(1, 6):
        town.account(number)
    town.launched()
    town.feed()
    town.deliver()
    assert len(town.channel.taken) == 3
    assert set(town.do(lambda session: session.scalars(select(SendWindow.used)).all())) == {3}
    assert sorted(town.messages().values()) == ["deferred", "deferred", "sent", "sent", "sent"]
    ruled = town.do(lambda session: session.scalars(select(Verdict.rule).where(Verdict.stage == "sending")).all())
    assert sorted(ruled) == ["T-16", "T-16", "allowed", "allowed", "allowed"]


def test_every_message_of_a_set_has_its_receipt_and_is_marked_before_it_is_posted(town: Town) -> None:
    for number in range(1, 5):
        town.account(number)
    town.launched()
    town.feed()
    seen: list[set[str]] = []
    town.channel.before = lambda: seen.append({row.status for row in town.do(lambda s: s.query(Outbox).all())})
    town.deliver()
    assert seen[0] == {"sending"}
    stages = town.do(lambda session: [v.stage for v in session.scalars(select(Verdict).order_by(Verdict.id))])
    assert stages.count("sending") == 4


async def test_two_workers_that_judge_one_household_at_once_let_one_message_go(
        postgresql_store: Store, clock: Clock) -> None:
    """Each would find that none has left yet; the second waits until the first has committed."""
    town = make_town(postgresql_store, clock)
    town.settle(frequency={"per_7_days": 1})
    for number in (1, 2):
        town.account(number, phone=False)
        town.do(lambda session, who=f"acct_{number}": give_phone(session, who, "+12125550001", clock()))  # type: ignore[misc]
    town.launched()
    await asyncio.to_thread(town.feed)
    first, second = town.do(lambda session: outbox.claim(session, WORKER, clock() + timedelta(seconds=1), 9))

    async def begin(outbox_id: str) -> int:
        begun = await town.store.awrite(lambda session: sending.begin_all(session, [outbox_id], WORKER, clock()))
        return len(begun.orders)

    assert sum(await asyncio.gather(begin(first), begin(second))) == 1


class Gone(BaseException):
    """As an end of the process reaches whatever still runs in it."""


async def test_whoever_waits_for_a_group_hears_when_nobody_is_left_to_write_it(sqlite_store: Store) -> None:
    """The writer of a group dies in the middle: nobody waits for ever for what it had taken."""
    def die(session: Session, some: Sequence[int]) -> Sequence[int]:
        raise Gone

    died = Together[int, int](die)
    asked = [asyncio.create_task(died.give(sqlite_store, one)) for one in range(3)]
    async with asyncio.timeout(30):
        told = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in told] == [Gone] * 3
