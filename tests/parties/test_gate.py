"""The gate on a real store: facts as they are now, a verdict with every answer, the same again when it is sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from billing import consents, gate, holds, outbox, verdicts
from billing.store.tables import Conversation, Guarantor, ImportRun, Outbox, Payment, Practice
from bot.write import Store
from tests.conftest import practice_row
from tests.parties import scene as made
from tests.parties.scene import PHONE, Scene, set_up, text, verdict


@pytest.fixture
def scene(store: Store, practice: Practice, now: datetime) -> Scene:
    return store.write(set_up(practice, now))


def ruled(store: Store, scene: Scene, now: datetime, key: str = "k", **changes: object) -> tuple[str, str]:
    def work(session: Session) -> tuple[str, str]:
        found = verdict(session, text(session, scene, now, key, **changes))
        return found.outcome, found.rule

    return store.write(work)


def test_a_statement_of_what_is_due_passes_and_its_verdict_holds_the_facts(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        row = text(session, scene, scene.now, "k")
        found = verdict(session, row)
        assert (row.status, found.stage, found.outcome, found.rule) == ("queued", "queueing", "send", "allowed")
        assert found.facts["account"]["due_now_minor"] == 12_000
        assert found.facts["recipient"]["consent_event_id"] is not None
        assert found.facts["recipient"]["local_time"] == [{
            "zone": "America/New_York", "known_by": "address", "local": "2026-11-03T10:00-05:00", "weekday": "Tue"}]

    store.write(work)


def test_verdicts_hold_no_name_number_birthday_or_words(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        told = json.dumps(verdicts.explain_message(session, text(session, scene, scene.now, "k").id))
        for secret in ("Ann", "Lee", PHONE, PHONE[2:], "1980", "10001", "AC-guar", "billing message"):
            assert secret not in told

    store.write(work)


def test_a_text_queued_in_time_and_late_to_leave_waits_and_why_tells_both_verdicts(store: Store, scene: Scene) -> None:
    night = datetime(2026, 11, 4, 8, 0, tzinfo=UTC)

    def work(session: Session) -> None:
        row = text(session, scene, scene.now, "k")
        assert outbox.claim(session, "w", night) == [row.id]
        assert outbox.begin_sending(session, row.id, "w", night) is None
        assert (row.status, row.due_at) == ("deferred", datetime(2026, 11, 4, 14, 0, tzinfo=UTC))
        told = verdicts.explain_message(session, row.id)
        assert [(v["stage"], v["rule"]) for v in told["verdicts"]] == [("queueing", "allowed"), ("sending", "T-08")]
        assert "47 CFR 64.1200" in told["verdicts"][1]["citation"]
        assert told["life"][0]["what"] == "queued"

    store.write(work)


def test_why_of_an_unknown_message_says_so(store: Store, scene: Scene) -> None:
    with pytest.raises(LookupError, match="msg_nothing"):
        store.read(lambda session: verdicts.explain_message(session, "msg_nothing"))


def test_a_balance_that_moves_between_queueing_and_sending_cancels_the_demand(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        row = text(session, scene, scene.now, "k")
        made.owe(session, scene, "visit_3", 1_000)
        outbox.claim(session, "w", scene.now)
        assert outbox.begin_sending(session, row.id, "w", scene.now) is None
        assert (row.status, verdict(session, row).rule) == ("cancelled", "balance-moved")

    store.write(work)


def test_stop_between_queueing_and_sending_keeps_the_text_back(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        row = text(session, scene, scene.now, "k")
        consents.record_revoked(session, scene.practice_id, "sms", scene.hashed, wording="stop", medium="text",
                                recorded_by="patient", now=scene.now)
        outbox.claim(session, "w", scene.now)
        assert outbox.begin_sending(session, row.id, "w", scene.now) is None
        assert (row.status, verdict(session, row).rule) == ("withheld", "T-03")

    store.write(work)


def test_the_first_text_has_to_introduce_itself_and_the_second_need_not(store: Store, scene: Scene) -> None:
    plain = "Maple Clinic: You have a new billing message. https://pay.example/l/Ab3"
    assert ruled(store, scene, scene.now, "plain", body=plain) == ("withhold", "T-14")

    def send_first(session: Session) -> None:
        row = text(session, scene, scene.now, "first")
        outbox.claim(session, "w", scene.now)
        assert outbox.begin_sending(session, row.id, "w", scene.now) is not None
        outbox.record_sent(session, [(row.id, "SM1")])

    store.write(send_first)
    assert ruled(store, scene, scene.now + timedelta(days=7), "second", body=plain) == ("send", "allowed")


def test_an_introduction_that_never_left_is_no_introduction(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        row = text(session, scene, scene.now, "first")
        outbox.claim(session, "w", scene.now)
        outbox.begin_sending(session, row.id, "w", scene.now)
        outbox.record_error(session, row.id, "unreachable", "30006", scene.now)
        standing = consents.standing(session, scene.practice_id, "sms", scene.hashed)
        assert not standing.introduced

    store.write(work)


def test_a_fourth_demand_in_a_day_waits_until_the_first_is_a_day_old(store: Store, now: datetime) -> None:
    """A practice that wants no days between two demands still meets the daily cap."""
    practice = store.write(practice_row(now, frequency={"between_demands_days": 0, "per_7_days": 7}))
    scene = store.write(set_up(practice, now))

    def work(session: Session) -> None:
        for number in range(3):
            row = text(session, scene, scene.now, f"k{number}")
            outbox.claim(session, "w", scene.now)
            assert outbox.begin_sending(session, row.id, "w", scene.now) is not None
        found = verdict(session, text(session, scene, scene.now + timedelta(hours=1), "k4"))
        assert (found.rule, found.until_at) == ("T-08", scene.now + timedelta(hours=24))

    store.write(work)


def test_answers_of_amounts_want_a_verified_person_on_a_signed_vendor_after_the_warning(
        store: Store, now: datetime) -> None:
    practice = store.write(practice_row(now, baa_signed=["twilio"]))
    scene = store.write(set_up(practice, now))
    answer = {"purpose": "reply", "privacy": "amounts", "body": "You owe $120.00 now."}

    def ask(session: Session, key: str) -> str:
        return verdict(session, text(session, scene, now, key, reply_to=made.wrote(session, scene, now), **answer)).rule

    def work(session: Session) -> None:
        assert ask(session, "a") == "T-32"
        talk = session.get(Conversation, scene.conversation_id)
        assert talk is not None
        talk.guarantor_id, talk.verified_at = scene.guarantor_id, now
        session.flush()
        talk.last_inbound_at = now
        assert [verdict(session, text(session, scene, now, "b", **answer)).rule] == ["T-33"]
        consents.record_detail(session, scene.practice_id, "sms", scene.hashed, guarantor_id=scene.guarantor_id,
                               allowed=True, wording="detail_warning 1", recorded_by="patient", now=now)
        assert verdict(session, text(session, scene, now, "c", **answer)).rule == "allowed"
        late = now + timedelta(minutes=16)
        assert verdict(session, text(session, scene, late, "d", **answer)).rule == "T-34"

    store.write(work)


def test_one_stop_confirmation_in_five_minutes_and_none_if_the_carrier_sent_one(store: Store, scene: Scene) -> None:
    confirm = {"purpose": "stop_confirmation", "body": "Maple Clinic: We will not text you again."}

    def work(session: Session) -> None:
        consents.record_revoked(session, scene.practice_id, "sms", scene.hashed, wording="stop", medium="text",
                                recorded_by="patient", now=scene.now)
        first = made.wrote(session, scene, scene.now)
        assert verdict(session, text(session, scene, scene.now, "a", reply_to=first, **confirm)).rule == "allowed"
        assert verdict(session, text(session, scene, scene.now, "b", reply_to=first, **confirm)).rule == "T-05"

    store.write(work)


def test_the_carrier_s_own_confirmation_is_enough(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        asked = made.wrote(session, scene, scene.now, carrier_keyword="STOP")
        row = text(session, scene, scene.now, "a", purpose="stop_confirmation", body="Bye", reply_to=asked)
        assert verdict(session, row).rule == "T-05"

    store.write(work)


def test_a_number_that_is_wrong_for_the_account_gets_nothing(store: Store, scene: Scene) -> None:
    from billing.store import consent_queries

    store.write(lambda s: consent_queries.set_contact_status(s, scene.practice_id, scene.hashed, "wrong_number"))
    assert ruled(store, scene, scene.now) == ("withhold", "T-35")
    assert ruled(store, scene, scene.now, "r", purpose="reply") == ("withhold", "T-35")


def test_a_visit_that_waits_for_its_payer_is_neither_demanded_nor_charged(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        for visit_id in scene.visits:
            made.await_payer(session, scene, visit_id)

    store.write(work)
    assert ruled(store, scene, scene.now, amount_minor=None)[1] == "insurance-pending"
    assert store.read(lambda s: gate.may_charge(s, scene.guarantor_id, scene.visits, scene.now)).rule == (
        "insurance-pending")


def test_an_import_under_way_delays_demands(store: Store, scene: Scene) -> None:
    def start(session: Session) -> None:
        run = session.get(ImportRun, f"imp_{scene.guarantor_id}")
        assert run is not None
        session.add(ImportRun(id="imp_running", practice_id=scene.practice_id, file_name="b.835", digest="e",
                              kind="835", status="posting", options={}, started_by="test", started_at=scene.now))

    store.write(start)
    assert ruled(store, scene, scene.now) == ("defer", "unfinished-import")


def test_account_numbers_in_a_body_are_found(store: Store, scene: Scene) -> None:
    body = made.BODY.replace("l/Ab3", f"l/{scene.guarantor_id}")
    assert ruled(store, scene, scene.now, body=body) == ("withhold", "T-39")
    assert ruled(store, scene, scene.now, "n", body=f"{made.BODY} AC-guar_ann") == ("withhold", "T-39")


def test_another_language_than_the_guarantor_s_is_not_sent(store: Store, scene: Scene) -> None:
    assert ruled(store, scene, scene.now, language="es") == ("withhold", "language-unmet")


def test_charging_follows_the_holds_of_the_visits_it_is_for(store: Store, scene: Scene) -> None:
    first, second = scene.visits

    def work(session: Session) -> None:
        holds.place(session, practice_id=scene.practice_id, guarantor_id=scene.guarantor_id, kind="dispute",
                    reason="asked", source="test", placed_by="ann", now=scene.now, visit_id=first)
        assert gate.may_charge(session, scene.guarantor_id, [first], scene.now).rule == "hold:dispute"
        assert gate.may_charge(session, scene.guarantor_id, [second], scene.now).sends
        ruling = gate.may_charge(session, scene.guarantor_id, [second], scene.now, amount_minor=5_001,
                                 split=[(second, 5_001)])
        assert ruling.rule == "T-51"

    store.write(work)


def test_a_payment_at_the_bank_stops_another_and_an_open_page_stops_demands_only(store: Store, scene: Scene) -> None:
    def pay(session: Session, processor_ref: str | None) -> None:
        session.merge(Payment(
            id="pay_1", practice_id=scene.practice_id, guarantor_id=scene.guarantor_id, amount_minor=7_000,
            refunded_minor=0, currency="USD", processor="stripe", tender="card", status="pending", instruction=[],
            balance_version=0, language="en", idempotency_key="k", attempt=1, recorded_by="patient",
            created_at=scene.now, session_ref="cs_1", processor_ref=processor_ref,
            link_expires_at=scene.now + timedelta(minutes=30)))
        session.flush()

    def work(session: Session) -> None:
        pay(session, None)
        assert verdict(session, text(session, scene, scene.now, "a")).rule == "payment-pending"
        assert gate.may_charge(session, scene.guarantor_id, scene.visits, scene.now).sends
        assert verdict(session, text(session, scene, scene.now + timedelta(minutes=31), "b")).rule == "allowed"
        pay(session, "pi_1")
        assert gate.may_charge(session, scene.guarantor_id, scene.visits, scene.now).rule == "payment-pending"

    store.write(work)


def test_nobody_unconfirmed_is_asked_or_charged(store: Store, practice: Practice, now: datetime) -> None:
    scene = store.write(set_up(practice, now, name="guar_bob", confirmed=False))
    assert ruled(store, scene, now) == ("withhold", "guarantor-unconfirmed")
    assert store.read(lambda s: gate.may_charge(s, "guar_bob", scene.visits, now)).rule == "guarantor-unconfirmed"


def test_a_ledger_of_record_elsewhere_that_told_nothing_yet_is_stale(store: Store, now: datetime) -> None:
    practice = store.write(practice_row(now, ledger_of_record="epic"))
    scene = store.write(set_up(practice, now))
    assert ruled(store, scene, now) == ("withhold", "stale-ledger")


def test_a_demand_about_no_account_is_nobody_s(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        row = text(session, scene, scene.now, "k", guarantor_id=None)
        assert row.status == "withheld"
        assert session.get(Outbox, row.id) is row
        assert session.get(Guarantor, scene.guarantor_id) is not None

    store.write(work)
