"""T-16 on real stores: counted by whoever sends, in the transaction that marks the message; day, minute and number."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing import carrier_caps, outbox
from billing.store import practices
from billing.store.tables import ContactPoint, Outbox, Practice, SendWindow
from bot.write import Store
from config.dunning_policy import CarrierPolicy
from tests.conftest import maple_clinic
from tests.parties.scene import Scene, set_up, text, verdict, wrote

FREE: dict[str, Any] = {"frequency": {"between_demands_days": 0, "per_7_days": 7},
                        "text_window": {"per_24_hours": 10}}
MIDNIGHT = datetime(2026, 11, 4, 8, 0, tzinfo=UTC)  # in Los Angeles


@pytest.fixture
def scene(store: Store, practice: Practice, now: datetime) -> Scene:
    return store.write(set_up(practice, now))


def with_caps(session: Session, scene: Scene, **caps: Any) -> None:
    row = session.get(Practice, scene.practice_id)
    assert row is not None
    policy = maple_clinic(**FREE, carrier={"per_minute": None, "per_day": None, "segments_per_second": None, **caps})
    row.settings = policy.model_dump(mode="json")
    session.flush()


def leave(session: Session, scene: Scene, key: str, now: datetime, **changes: Any) -> Outbox:
    """Queue a text and try to send it at once."""
    row = text(session, scene, now, key, **changes)
    if row.status == "queued":
        outbox.claim(session, "w", now)
        outbox.begin_sending(session, row.id, "w", now)
    return row


def counted(session: Session) -> dict[str, int]:
    return {row.key: row.used for row in session.scalars(select(SendWindow))}


def test_t_16_the_day_of_a_brand_ends_at_midnight_pacific_and_is_23_or_25_hours_long_when_clocks_change() -> None:
    assert carrier_caps.pacific_day(MIDNIGHT - timedelta(seconds=1))[1] == MIDNIGHT
    assert carrier_caps.pacific_day(MIDNIGHT)[0] == MIDNIGHT
    for day, hours in ((datetime(2026, 3, 8, 20, tzinfo=UTC), 23), (datetime(2026, 11, 1, 20, tzinfo=UTC), 25),
                       (datetime(2028, 2, 29, 20, tzinfo=UTC), 24)):
        begins_at, ends_at = carrier_caps.pacific_day(day)
        assert ends_at - begins_at == timedelta(hours=hours)


@pytest.mark.parametrize(("carrier", "kinds"), [
    ("", {"day", "minute", "number"}), ("tmobile", {"day", "number"}), ("att", {"minute", "number"}),
    ("verizon", {"number"}), ("other", {"number"})])
def test_t_16_a_text_counts_where_its_carrier_counts_and_an_unknown_one_everywhere(carrier: str, kinds: set[str],
                                                                                  ) -> None:
    found = carrier_caps.windows(CarrierPolicy(), practice_id="p", number="+12125550100", carrier=carrier, segments=2,
                                 now=MIDNIGHT)
    assert {one.key.split(":")[0] for one in found} == kinds


def test_t_16_accounts_that_disagree_about_a_number_s_carrier_make_it_unknown() -> None:
    assert carrier_caps.carrier_of(["att", "tmobile"]) == carrier_caps.carrier_of([]) == ""
    assert carrier_caps.carrier_of(["att"]) == "att" and carrier_caps.carrier_of(["att", ""]) == ""


def test_t_16_a_full_day_keeps_demands_for_the_next_day_s_legal_hours_and_lets_answers_out(
        store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        with_caps(session, scene, per_day=2, kept_for_replies=0)
        assert [leave(session, scene, key, now).status for key in ("a", "b", "c")] == ["sending", "sending", "deferred"]
        third = session.scalar(select(Outbox).where(Outbox.idempotency_key == "c"))
        assert third is not None and verdict(session, third).rule == "T-16"
        assert third.due_at == datetime(2026, 11, 4, 14, 0, tzinfo=UTC)  # nine in New York, not midnight Pacific
        answered = leave(session, scene, "d", now, purpose="reply", reply_to=wrote(session, scene, now),
                         amount_minor=None, balance_version=None)
        assert answered.status == "sending"
        assert counted(session) == {f"day:{scene.practice_id}": 3}
        assert leave(session, scene, "e", now + timedelta(days=1)).status == "sending"

    store.write(work)


def test_t_16_a_part_of_each_cap_is_kept_for_answers(store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        with_caps(session, scene, per_minute=4, kept_for_replies=50)
        assert [leave(session, scene, key, now).status for key in "abc"] == ["sending", "sending", "deferred"]
        assert leave(session, scene, "d", now + timedelta(minutes=1)).status == "sending"

    store.write(work)


def test_t_16_a_number_s_own_pace_counts_segments(store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        with_caps(session, scene, segments_per_second=1, kept_for_replies=50)
        assert leave(session, scene, "a", now, segments=6).status == "sending"
        assert counted(session) == {"number:+12125550100": 6}

    store.write(work)


def test_t_16_who_loses_the_last_place_to_another_worker_counts_nothing_anywhere_and_waits(
        store: Store, scene: Scene, now: datetime) -> None:
    """The windows are read and then taken; between the two another worker may have been."""
    def work(session: Session) -> None:
        with_caps(session, scene, per_day=5, per_minute=1, kept_for_replies=0)
        row = text(session, scene, now, "a")
        policy = practices.policy_of(_practice(session, scene))
        assert carrier_caps.room_at(session, row, policy, now) is None
        assert carrier_caps.take(session, row, policy, now)
        assert not carrier_caps.take(session, row, policy, now)
        assert counted(session) == {f"day:{scene.practice_id}": 1, f"minute:{scene.practice_id}": 1}
        assert carrier_caps.room_at(session, row, policy, now) == now + timedelta(minutes=1)

    store.write(work)


def test_t_16_of_many_workers_at_once_exactly_as_many_count_as_there_are_places(
        store: Store, scene: Scene, now: datetime) -> None:
    def queue(session: Session) -> list[str]:
        with_caps(session, scene, per_day=5, kept_for_replies=0)
        return [text(session, scene, now, f"k{number}").id for number in range(12)]

    def take(message: str) -> bool:
        def work(session: Session) -> bool:
            row, policy = session.get(Outbox, message), practices.policy_of(_practice(session, scene))
            assert row is not None
            return carrier_caps.take(session, row, policy, now)

        return store.write(work)

    with ThreadPoolExecutor(6) as workers:
        taken = list(workers.map(take, store.write(queue)))
    assert sum(taken) == 5
    assert store.read(counted) == {f"day:{scene.practice_id}": 5}


def test_t_16_what_was_counted_for_a_message_that_did_not_begin_to_leave_is_not_counted(
        store: Store, scene: Scene, now: datetime) -> None:
    def count_and_fail(session: Session) -> None:
        with_caps(session, scene, per_day=5)
        leave(session, scene, "a", now)
        assert counted(session)
        raise RuntimeError("the worker dies before its commit")

    with pytest.raises(RuntimeError):
        store.write(count_and_fail)
    assert store.read(counted) == {}


def test_t_16_no_caps_in_the_policy_no_counting(store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        with_caps(session, scene)
        session.execute(update(ContactPoint).values(carrier="verizon"))
        assert leave(session, scene, "a", now).status == "sending"
        assert counted(session) == {}

    store.write(work)


def _practice(session: Session, scene: Scene) -> Practice:
    row = session.get(Practice, scene.practice_id)
    assert row is not None
    return row
