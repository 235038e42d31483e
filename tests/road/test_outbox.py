"""The outbox on both databases: the gate is asked twice, order is kept, reports settle, nothing unknown is repeated."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy.orm import Session

from billing import consents, outbox, sending_errors, unknown_outcomes
from billing.message_life import STATUSES, report_moves
from billing.store import road_queries
from billing.store.tables import ContactPoint, Guarantor, Inbox, Outbox
from tests.road.desk import PATIENT, Desk
from tests.road.test_inbox import together


def test_a_message_is_queued_once_however_often_it_is_put(desk: Desk) -> None:
    assert desk.put("k1") == desk.put("k1", body="other words")
    assert desk.verdicts(desk.put("k1")) == [("queueing", "send")]


def test_the_gate_is_asked_when_queueing_and_again_when_sending(desk: Desk) -> None:
    outbox_id = desk.sending()
    assert desk.verdicts(outbox_id) == [("queueing", "send"), ("sending", "send")]


def test_arguments_are_kept_as_json_whatever_their_type(desk: Desk) -> None:
    day = desk.clock().date()
    outbox_id = desk.put("k1", arguments={"on": day, "at": desk.clock(), "visits": ({"amount_minor": 5},)})
    assert desk.row(outbox_id).arguments == {
        "on": day.isoformat(), "at": desk.clock().isoformat(), "visits": [{"amount_minor": 5}]}


def test_a_stop_between_queueing_and_sending_withholds_the_reply_and_asks_staff_to_call(desk: Desk) -> None:
    outbox_id = desk.put("k1")
    desk.store.write(lambda session: consents.record_revoked(
        session, desk.practice.id, "console", desk.hash, wording="STOP", medium="text", recorded_by="patient",
        now=desk.clock()))
    (claimed,) = desk.claim()
    assert desk.begin(claimed) is None
    assert desk.status(outbox_id) == "withheld"
    assert desk.cases() == ["call"]


def test_replies_of_one_conversation_leave_in_order(desk: Desk) -> None:
    """A later reply is not claimed while an earlier one is unsettled, whatever the order of putting and waking."""
    second = desk.put("b", sequence=1)
    first = desk.put("a", sequence=0)
    third = desk.put("c", reply_to=desk.text())
    order = []
    for _ in range(3):
        (claimed,) = desk.claim()
        assert desk.claim("w2") == []
        assert desk.begin(claimed) is not None
        assert desk.claim("w2") == []
        desk.store.write(partial(outbox.record_sent, sent=[(claimed, claimed)]))
        order.append(claimed)
    assert order == [first, second, third]


def test_conversations_do_not_wait_for_each_other(desk: Desk) -> None:
    ids = {desk.put(f"k{n}", conversation_id=f"conv_{n}") for n in range(3)}
    assert set(desk.claim()) == ids


def test_a_retried_reply_keeps_its_place(desk: Desk) -> None:
    first, second = desk.put("a"), desk.put("b", sequence=1)
    assert desk.claim() == [first]
    desk.begin(first)
    desk.error(first, "retry")
    assert desk.claim() == [], "the second waits, and the first waits for its time"
    desk.clock.advance(minutes=1)
    assert desk.claim() == [first]
    assert desk.status(second) == "queued"


def test_an_unknown_outcome_does_not_hold_up_the_conversation_for_ever(desk: Desk) -> None:
    first, second = desk.put("a"), desk.put("b", sequence=1)
    desk.claim()
    desk.begin(first)
    desk.error(first, "unknown", "TimeoutError")
    assert desk.status(first) == "unknown"
    assert desk.claim() == [second]


def test_no_message_is_claimed_twice_by_workers_in_parallel(desk: Desk) -> None:
    for n in range(30):
        desk.put(f"k{n}", conversation_id=f"conv_{n}")
    taken: list[str] = []
    together(6, lambda n: taken.extend(desk.claim(f"w{n}", limit=7)))
    assert len(taken) == len(set(taken))


def test_only_the_worker_that_claimed_a_message_begins_to_send_it(desk: Desk) -> None:
    outbox_id = desk.put("k1")
    desk.claim("w1")
    assert desk.begin(outbox_id, "w2") is None
    assert desk.begin(outbox_id, "w1") is not None
    assert desk.begin(outbox_id, "w1") is None, "not twice"


def test_a_claim_of_a_vanished_worker_goes_back_and_what_it_was_sending_is_unknown(desk: Desk) -> None:
    sending = desk.sending("a")
    claimed = desk.put("b", conversation_id="conv_2")
    desk.claim()
    desk.clock.advance(seconds=outbox.LEASE.total_seconds())
    assert desk.store.write(lambda session: outbox.release_expired(session, desk.clock())) == (1, 1)
    assert (desk.status(sending), desk.status(claimed)) == ("unknown", "queued")


# --- delivery reports


@pytest.mark.parametrize("before", STATUSES)
def test_a_report_moves_a_message_only_as_the_table_says(desk: Desk, before: str) -> None:
    outbox_id = desk.sending()
    for reported in ("sent", "delivered", "undelivered", "failed"):
        desk.store.write(partial(_force, outbox_id=outbox_id, status=before))
        changed = desk.report(reported, outbox_id)
        assert changed == report_moves(before, reported)
        assert desk.status(outbox_id) == (reported if changed else before)


def _force(session: Session, outbox_id: str, status: str) -> None:
    session.get_one(Outbox, outbox_id).status = status


def test_a_report_with_our_id_settles_an_unknown_outcome(desk: Desk) -> None:
    outbox_id = desk.sending()
    desk.error(outbox_id, "unknown")
    assert desk.report("queued", outbox_id, "SM9")
    assert (desk.status(outbox_id), desk.row(outbox_id).provider_id) == ("sent", "SM9")


def test_a_report_that_overtakes_our_own_record_is_kept(desk: Desk) -> None:
    outbox_id = desk.sending()
    assert desk.report("delivered", outbox_id, "SM9")
    desk.store.write(partial(outbox.record_sent, sent=[(outbox_id, "SM9")]))
    assert desk.status(outbox_id) == "delivered"


def test_late_and_repeated_reports_change_nothing(desk: Desk) -> None:
    outbox_id = desk.sending()
    assert [desk.report(s, outbox_id) for s in ("delivered", "sent", "delivered", "failed")] == [True] + [False] * 3
    assert desk.status(outbox_id) == "delivered"


def test_a_message_put_back_and_then_reported_after_all_does_not_leave_again(desk: Desk) -> None:
    outbox_id = desk.sending()
    desk.error(outbox_id, "retry")
    assert desk.report("delivered", outbox_id)
    desk.clock.advance(hours=1)
    assert desk.claim() == []


def test_a_report_without_our_id_finds_the_message_by_the_providers(desk: Desk) -> None:
    outbox_id = desk.sending()
    desk.store.write(partial(outbox.record_sent, sent=[(outbox_id, "SM9")]))
    assert desk.report("delivered", provider_id="SM9")
    with pytest.raises(outbox.UnknownMessage):
        desk.report("delivered", provider_id="SM10")


# --- what goes wrong


def test_a_message_that_cannot_be_sent_is_tried_with_patience_and_then_given_to_staff(desk: Desk) -> None:
    outbox_id = desk.put("k1")
    waits: list[timedelta] = []
    for _ in range(sending_errors.MOST_ATTEMPTS):
        assert desk.claim() == [outbox_id]
        desk.begin(outbox_id)
        before = desk.clock()
        desk.error(outbox_id, "retry", "30001")
        desk.clock.at = max(desk.row(outbox_id).due_at, before)
        waits.append(desk.clock() - before)
    assert desk.status(outbox_id) == "failed"
    assert waits[:-1] == sorted(set(waits[:-1]))
    assert desk.cases() == ["undelivered"]


def test_the_providers_own_wait_is_respected(desk: Desk) -> None:
    outbox_id = desk.sending()
    desk.store.write(partial(outbox.record_error, outbox_id=outbox_id, kind="retry", code="429", now=desk.clock(),
                             retry_after_seconds=300))
    assert desk.row(outbox_id).due_at == desk.clock() + timedelta(seconds=300)


def test_a_refusal_because_of_stop_is_recorded_as_a_revocation_and_a_call_task(desk: Desk) -> None:
    outbox_id = desk.sending()
    desk.error(outbox_id, "opted_out", "21610")
    standing = desk.store.read(lambda s: consents.standing(s, desk.practice.id, "console", desk.hash))
    assert standing.opted_out
    assert (desk.status(outbox_id), desk.cases()) == ("failed", ["call"])


@pytest.mark.parametrize("way", ["at once", "by report"])
def test_an_unreachable_number_is_marked_on_every_account_that_has_it(desk: Desk, way: str) -> None:
    desk.store.write(partial(_add_contact, desk=desk))
    outbox_id = desk.sending()
    if way == "at once":
        desk.error(outbox_id, "unreachable", "30005")
    else:
        desk.report("undelivered", outbox_id, error_code="30005", error_kind="unreachable")
    statuses = desk.store.read(lambda session: [one.status for one in session.query(ContactPoint)])
    assert statuses == ["unreachable"]
    assert desk.cases() == ["call"]


def _add_contact(session: Session, desk: Desk) -> None:
    session.add(Guarantor(id="guar_1", practice_id=desk.practice.id, external="A1", external_hash="h", name="Doe, Ann",
                          surname_hash="h", origin="patients", created_at=desk.clock()))
    session.flush()
    session.add(ContactPoint(id="cp_1", practice_id=desk.practice.id, guarantor_id="guar_1", channel="sms",
                             address=PATIENT, address_hash=desk.hash, source="test", created_at=desk.clock()))


def test_a_fault_of_configuration_pauses_the_channel_and_nothing_is_lost(desk: Desk) -> None:
    outbox_id = desk.sending()
    other = desk.put("other", conversation_id="conv_2")
    desk.error(outbox_id, "configuration", "20003")
    desk.clock.advance(minutes=30)
    assert desk.claim() == []
    assert desk.cases() == ["channel_paused"]
    assert desk.store.write(lambda s: sending_errors.resume_channel(s, desk.practice.id, "console"))
    assert desk.claim() == [other]
    desk.clock.advance(hours=1)
    assert desk.status(outbox_id) == "queued"


def test_a_message_that_the_gate_cannot_judge_is_tried_again_and_then_given_to_staff(desk: Desk) -> None:
    outbox_id = desk.put("k1")
    for _ in range(sending_errors.MOST_ATTEMPTS):
        assert desk.claim() == [outbox_id]
        desk.store.write(partial(outbox.give_back, outbox_id=outbox_id, worker="w1", error="LookupError",
                                 now=desk.clock()))
        desk.clock.advance(hours=2)
    assert desk.status(outbox_id) == "failed"


# --- unknown outcomes


def look_up(desk: Desk, outbox_id: str, *provider_ids: str) -> str:
    return desk.store.write(lambda s: unknown_outcomes.record_lookup(s, outbox_id, provider_ids, desk.clock()))


def due(desk: Desk) -> list[str]:
    return desk.store.read(lambda s: [order.outbox_id for order in unknown_outcomes.due(s, desk.clock())])


@pytest.fixture
def unknown(desk: Desk) -> str:
    outbox_id = desk.sending()
    desk.error(outbox_id, "unknown")
    desk.clock.advance(minutes=1)
    return outbox_id


def test_one_match_settles_an_unknown_outcome(desk: Desk, unknown: str) -> None:
    assert due(desk) == [unknown]
    assert look_up(desk, unknown, "SM1") == "sent"
    assert desk.row(unknown).provider_id == "SM1"


def test_none_in_two_look_ups_ten_minutes_apart_means_not_sent_and_back_to_the_gate(desk: Desk, unknown: str) -> None:
    assert look_up(desk, unknown) == "unknown"
    desk.clock.advance(minutes=9)
    assert due(desk) == []
    desk.clock.advance(minutes=1)
    assert due(desk) == [unknown]
    assert look_up(desk, unknown) == "queued"
    assert desk.claim() == [unknown]
    assert desk.begin(unknown) is not None
    assert desk.verdicts(unknown)[-1] == ("sending", "send")


def test_two_matches_are_for_staff_and_never_sent_again(desk: Desk, unknown: str) -> None:
    assert look_up(desk, unknown, "SM1", "SM2") == "unknown"
    desk.clock.advance(days=3)
    assert due(desk) == []
    assert desk.claim() == []
    assert desk.cases() == ["unknown_outcome"]
    desk.store.write(lambda s: unknown_outcomes.settle_by_staff(s, unknown, True, desk.clock()))
    assert desk.status(unknown) == "sent"


def test_a_match_that_is_another_message_of_ours_is_no_match(desk: Desk) -> None:
    """The same words were sent twice to this number, and one of them is already accounted for."""
    first = desk.sending("a")
    desk.store.write(partial(outbox.record_sent, sent=[(first, "SM1")]))
    second = desk.put("b", sequence=1)
    desk.claim()
    desk.begin(second)
    desk.error(second, "unknown")
    assert look_up(desk, second, "SM1") == "unknown"
    assert look_up(desk, second, "SM1", "SM2") == "sent"
    assert desk.row(second).provider_id == "SM2"


# --- taking a text away at the provider


def test_a_redaction_asks_no_gate_holds_up_no_reply_and_is_repeated_until_it_is_done(desk: Desk) -> None:
    redaction = desk.put("r", purpose=outbox.REDACTION, body="", provider_id="SM-in")
    reply = desk.put("k1", sequence=1)
    assert set(desk.claim()) == {redaction, reply}
    assert desk.verdicts(redaction) == []
    desk.begin(redaction)
    desk.error(redaction, "unknown")
    desk.clock.advance(hours=1)
    assert desk.claim() == [redaction]


def test_a_deferred_message_waits_for_its_hour_and_meets_the_gate_again(desk: Desk) -> None:
    outbox_id = desk.put("k1")
    at: datetime = desk.clock() + timedelta(hours=3)

    def defer(session: Session) -> None:
        row = session.get_one(Outbox, outbox_id)
        row.status, row.due_at = "deferred", at

    desk.store.write(defer)
    assert desk.store.write(lambda s: outbox.wake_deferred(s, desk.clock())) == 0
    desk.clock.at = at
    assert desk.store.write(lambda s: outbox.wake_deferred(s, desk.clock())) == 1
    assert desk.claim() == [outbox_id]


def test_what_has_not_begun_to_leave_can_be_cancelled_and_what_has_cannot(desk: Desk) -> None:
    first = desk.put("a")
    assert desk.store.write(lambda s: outbox.cancel(s, first, desk.clock()))
    second = desk.sending("b")
    assert not desk.store.write(lambda s: outbox.cancel(s, second, desk.clock()))


def test_the_number_written_to_picks_the_practice(desk: Desk) -> None:
    assert desk.store.read(lambda s: road_queries.practice_of_number(s, "+12125550100")) == desk.practice.id
    assert desk.store.read(lambda s: road_queries.practice_of_number(s, "+12125550101")) is None


def test_the_answered_row_stays_readable_beside_its_answer(desk: Desk) -> None:
    outbox_id = desk.put("k1")
    reply_to = desk.row(outbox_id).reply_to
    assert desk.store.read(lambda s: s.get_one(Inbox, reply_to).external_id) == "C1"
