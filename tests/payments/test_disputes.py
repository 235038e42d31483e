"""A dispute takes the money out, holds the demand, and ends as the bank says; the pack of evidence is ours to give."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import ledger, payment_disputes, payments
from billing.payment_disputes import DisputeRefused
from billing.store.tables import Hold, Outbox, PaymentDispute, Practice
from bot.write import Store
from tests.conftest import maple_clinic
from tests.payments import world
from tests.payments.test_events import ask, paid, tell
from tests.payments.test_orders import foot
from tests.payments.world import NEW_MINOR, OLD_MINOR, PRACTICE, TALK, Event

DUE = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    return store


def dispute(store: Store) -> PaymentDispute:
    return store.read(lambda s: s.scalars(select(PaymentDispute)).one())


def open_holds(store: Store) -> list[str]:
    return store.read(lambda s: [row.kind for row in s.scalars(select(Hold).where(Hold.released_at.is_(None)))])


def told(store: Store, now: datetime, *kinds: str, **more: Any) -> str:
    one = ask(store, now)
    tell(store, now, paid(one))
    for kind in kinds:
        tell(store, now, Event(kind, one, OLD_MINOR, dispute_ref="du_1", **more))
    return one


def test_the_case_names_the_day_by_which_evidence_is_due_and_the_fee_is_booked_once(anna: Store, now: datetime) -> None:
    told(anna, now, "disputed", "disputed", "dispute_lost", evidence_due_at=DUE, fee_minor=1_500, reason="fraudulent")
    row = dispute(anna)
    assert (row.status, row.fee_minor, row.evidence_due_at, row.reason) == ("lost", 1_500, DUE, "fraudulent")
    assert anna.read(lambda s: ledger.balance(s, PRACTICE, ledger.wide("fees"))) == 1_500
    assert anna.read(world.cases) == ["chargeback"]
    assert open_holds(anna) == ["dispute"]  # until a person has decided what follows
    anna.read(foot)


def test_a_dispute_that_was_won_ends_its_hold(anna: Store, now: datetime) -> None:
    told(anna, now, "disputed", "dispute_won")
    assert (dispute(anna).status, open_holds(anna)) == ("won", [])


def test_told_lost_after_it_was_won_changes_no_money_and_calls_staff(anna: Store, now: datetime) -> None:
    one = told(anna, now, "disputed", "dispute_won", "dispute_lost")
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    assert anna.read(lambda s: world.payment(s, one).status) == "succeeded"
    assert "payment_mismatch" in anna.read(world.cases)


def test_a_lost_dispute_whose_money_comes_after_all_is_paid_again(anna: Store, now: datetime) -> None:
    one = told(anna, now, "disputed", "dispute_lost", "reinstated")
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    assert anna.read(lambda s: world.payment(s, one).status) == "succeeded"
    anna.read(foot)


def test_an_inquiry_moves_no_money_until_it_becomes_a_dispute(anna: Store, now: datetime) -> None:
    one = told(anna, now, "disputed", inquiry=True)
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    assert (dispute(anna).status, open_holds(anna), anna.read(world.cases)) == ("inquiry", [], ["bank_inquiry"])
    tell(anna, now, Event("disputed", one, OLD_MINOR, dispute_ref="du_1"))
    assert (dispute(anna).status, open_holds(anna)) == ("open", ["dispute"])
    assert anna.read(world.balances) == {"old": OLD_MINOR, "new": NEW_MINOR}


@pytest.mark.parametrize(("reason", "held"), [("insufficient_funds", []), ("debit_not_authorized", ["dispute"])])
def test_a_bank_debit_that_comes_back_is_owed_again_and_held_only_if_it_was_never_allowed(
        anna: Store, now: datetime, reason: str, held: list[str]) -> None:
    one = told(anna, now)
    for _ in range(2):
        tell(anna, now, Event("returned", one, OLD_MINOR, dispute_ref="du_1", reason=reason))
    tell(anna, now, paid(one))  # late
    row = anna.read(lambda s: world.payment(s, one))
    assert (row.status, row.failure, open_holds(anna)) == ("returned", reason, held)
    assert anna.read(world.balances) == {"old": OLD_MINOR, "new": NEW_MINOR}
    assert anna.read(world.cases) == ["bank_return"]
    assert anna.read(world.news) == [("payment_paid", ""), ("payment_failed", "returned")]
    anna.read(foot)


def test_a_bank_debit_waits_for_days_and_its_money_is_booked_by_what_it_was_paid_with(
        anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    assert tell(anna, now, Event("processing", one, OLD_MINOR, tender="bank")) == "pending"
    assert tell(anna, now, Event("paid", one, OLD_MINOR, tender="bank")) == "succeeded"
    assert anna.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:bank": OLD_MINOR}


def test_the_pack_has_the_words_agreed_to_our_messages_and_nothing_the_patient_wrote(
        anna: Store, now: datetime) -> None:
    def prepare(session: Session) -> str:
        card = world.card(session, now)
        one = world.yes(session, now, card, policy=maple_clinic())
        session.add(Outbox(
            id="out_1", practice_id=PRACTICE, conversation_id=TALK, guarantor_id=world.ANNA, channel="sms",
            address="+12125550123", address_hash="hash", purpose="receipt", template="payment_receipt",
            template_version="1", language="en", privacy="amounts", arguments={}, body="Thank you for $100.00.",
            segments=1, status="delivered", due_at=now, idempotency_key="k", created_at=now, sending_at=now))
        payments.apply_event(session, PRACTICE, paid(one.id), now)
        payments.apply_event(session, PRACTICE, Event("disputed", one.id, OLD_MINOR, dispute_ref="du_1"), now)
        return one.id

    one = anna.write(prepare)
    pack = anna.read(lambda s: payment_disputes.evidence(s, world.PRACTICE, s.scalars(select(PaymentDispute)).one().id))
    text = json.dumps(pack)
    assert pack["consent"][0]["words"].startswith("Charge your Visa ending in 4242")
    assert [row["body"] for row in pack["messages"]] == ["Thank you for $100.00."]
    assert pack["payment"]["payment_id"] == one and pack["paid_for"][0]["amount_minor"] == OLD_MINOR
    assert "Rivera" not in text and "+12125550123" not in text


def test_staff_say_when_they_have_handed_the_evidence_in(anna: Store, now: datetime) -> None:
    told(anna, now, "disputed")
    known = dispute(anna).id
    anna.write(lambda s: payment_disputes.mark_evidence_sent(s, PRACTICE, known, by="ana", now=now))
    assert dispute(anna).status == "evidence_sent"
    assert len(anna.read(lambda s: payment_disputes.listing(s, PRACTICE, "evidence_sent"))) == 1
    one = anna.read(lambda s: s.scalars(select(PaymentDispute)).one().payment_id)
    tell(anna, now, Event("dispute_lost", one, OLD_MINOR, dispute_ref="du_1"))
    with pytest.raises(DisputeRefused, match="is lost"):
        anna.write(lambda s: payment_disputes.mark_evidence_sent(s, PRACTICE, known, by="ana", now=now))
    with pytest.raises(DisputeRefused, match="no dispute"):
        anna.write(lambda s: payment_disputes.mark_evidence_sent(s, PRACTICE, "disp_x", by="ana", now=now))
