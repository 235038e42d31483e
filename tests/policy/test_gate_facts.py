"""What the gate reads about household, capacity, campaign and pilot, on real stores."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from billing import gate, outbox
from billing.policy import record
from billing.policy.replay import replay
from billing.store.tables import Campaign, ContactPoint, Guarantor, Inbox, Outbox, Practice, Segment
from bot.write import Store
from tests.conftest import maple_clinic
from tests.parties.scene import Scene, set_up, text, verdict, wrote


@pytest.fixture
def scene(store: Store, practice: Practice, now: datetime) -> Scene:
    return store.write(set_up(practice, now))


def facts(session: Session, scene: Scene, now: datetime, key: str = "asked", **changes: Any) -> Any:
    return gate.gather(session, text(session, scene, now, key, **changes), "sending", now)


def left(session: Session, scene: Scene, key: str, at: datetime, status: str = "delivered", **changes: Any) -> Outbox:
    """A message that left at ``at``, whatever the gate says today."""
    row = text(session, scene, at, key, **changes)
    row.status, row.sending_at = status, at
    session.flush()
    return row


def relative(session: Session, scene: Scene, address_hash: str, key: str) -> None:
    """Another account of the household, with an address of its own beside the shared one."""
    session.add(Guarantor(id=f"guar_{key}", practice_id=scene.practice_id, external=key, name="Bo Lee", language="en",
                          external_hash=key, surname_hash=key, origin="patients", created_at=scene.now,
                          confirmed_at=scene.now))
    session.flush()
    for number, hashed in enumerate((scene.hashed, address_hash)):
        session.add(ContactPoint(id=f"cp_{key}_{number}", practice_id=scene.practice_id, guarantor_id=f"guar_{key}",
                                 channel="sms", address="+12125550123", address_hash=hashed, source="csv",
                                 created_at=scene.now))
    session.flush()


def test_the_household_is_every_account_that_shares_an_address_on_every_channel(
        store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        relative(session, scene, "hash_of_bo", "bo")
        times = [now - timedelta(days=n) for n in (6, 4, 2)]
        left(session, scene, "to_bo", times[0], guarantor_id="guar_bo", address_hash="hash_of_bo")
        left(session, scene, "mail", times[1], channel="paper", guarantor_id="guar_bo", address_hash="hash_of_bo")
        left(session, scene, "notice", times[2], purpose="notice")
        left(session, scene, "elsewhere", now, guarantor_id=None, address_hash="somebody")
        left(session, scene, "too_old", now - timedelta(days=7))
        assert facts(session, scene, now).recipient.household_at == tuple(times)

    store.write(work)


def test_answers_receipts_and_what_never_left_do_not_count_and_plan_news_does(
        store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        asked, day = wrote(session, scene, now), now - timedelta(days=1)
        event = Inbox(practice_id=scene.practice_id, source="event", external_id="plan", kind="event", thread="t",
                      payload={}, status="done", received_at=day, due_at=day, attempts=1)
        session.add(event)
        session.flush()
        left(session, scene, "answer", day, purpose="reply", reply_to=asked)
        left(session, scene, "to_staff", day, purpose="staff", reply_to=asked)
        left(session, scene, "receipt", day, purpose="receipt", template="payment_receipt", reply_to=event.id)
        left(session, scene, "stop", day, purpose="stop_confirmation")
        left(session, scene, "failed", day, status="failed")
        left(session, scene, "to_the_office", day, purpose="staff", guarantor_id=None, conversation_id=None)
        assert facts(session, scene, now).recipient.household_at == ()
        left(session, scene, "plan", day, purpose="receipt", template="plan_notice", reply_to=event.id)
        assert facts(session, scene, now, "again").recipient.household_at == (day,)

    store.write(work)


def test_the_newest_demand_about_the_account_counts_unless_it_is_known_not_to_have_arrived(
        store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        left(session, scene, "old", now - timedelta(days=9))
        left(session, scene, "lost", now - timedelta(days=2), status="undelivered")
        assert facts(session, scene, now).recipient.demanded_at == now - timedelta(days=9)

    store.write(work)


def test_t_20_the_capacity_is_the_account_s_own(store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        assert facts(session, scene, now, "creditor").recipient.capacity == "creditor"
        session.execute(update(Guarantor).values(obtained_on=date(2026, 6, 1), defaulted_on=date(2026, 5, 1)))
        row = text(session, scene, now, "collector")
        assert (verdict(session, row).rule, row.status) == ("T-15", "withheld")

    store.write(work)


def test_t_24_an_employer_s_address_and_a_check_for_a_new_owner_are_read_from_the_contact_point(
        store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        session.execute(update(ContactPoint).values(at_work=True, reassigned_checked_on=date(2026, 11, 1)))
        found = facts(session, scene, now).recipient
        assert found.at_work and found.reassigned_age is not None and found.reassigned_age.days == 2

    store.write(work)


def test_a_pilot_account_is_named_by_the_practice_s_own_number(store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        row = session.get(Practice, scene.practice_id)
        assert row is not None
        for named, outcome in ((["AC-other"], "withheld"), ([f"AC-{scene.guarantor_id}"], "queued")):
            row.settings = maple_clinic(sending="pilot", pilot_accounts=named).model_dump(mode="json")
            session.flush()
            assert text(session, scene, now, named[0]).status == outcome

    store.write(work)


def test_a_campaign_that_is_stopped_between_the_claim_and_the_sending_is_obeyed(
        store: Store, scene: Scene, now: datetime) -> None:
    def begin(session: Session) -> str:
        session.add(Segment(id="seg_1", practice_id=scene.practice_id, name="all", version=1, definition={},
                            created_by="b", created_at=now))
        session.flush()
        session.add(Campaign(id="camp_1", practice_id=scene.practice_id, number=1, name="november", segment_id="seg_1",
                             purpose="statement", template="statement_ready", ways=["sms"], status="sending",
                             created_by="b", created_at=now))
        session.flush()
        row = text(session, scene, now, "k", campaign_id="camp_1")
        outbox.claim(session, "w", now)
        return row.id

    message = store.write(begin)

    def stop_and_send(session: Session) -> tuple[str, str]:
        session.execute(update(Campaign).values(status="stopped"))
        assert outbox.begin_sending(session, message, "w", now) is None
        row = session.get(Outbox, message)
        assert row is not None
        return row.status, verdict(session, row).rule

    assert store.write(stop_and_send) == ("withheld", "campaign-state")


def test_a_verdict_on_record_is_ruled_on_again_as_it_was(store: Store, scene: Scene, now: datetime) -> None:
    def work(session: Session) -> None:
        row = text(session, scene, now.replace(hour=9), "k")  # four in the morning
        found = verdict(session, row)
        again = replay(found.facts, now.date())
        assert (again.ruling.outcome, again.ruling.rule, again.ruling.until_at) == ("defer", "T-08", row.due_at)
        assert (again.came_in, again.fell_away) == ((), ())
        assert record.from_json(found.facts).message.purpose == "statement"

    store.write(work)
