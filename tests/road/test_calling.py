"""Calls to the processor: one charge, whatever is lost on the way; and what is not allowed any more is not made."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from billing import holds, methods, payments, refunds
from billing.store.tables import PaymentMethod, Practice, ProcessorCall, Refund
from bot.calling import call_due
from bot.failpoints import CALL
from bot.road import Road
from bot.write import Store
from tests.conftest import Clock, maple_clinic
from tests.payments import world
from tests.payments.test_orders import foot
from tests.payments.till import Till
from tests.payments.world import ANNA, NEW_MINOR, OLD, OLD_MINOR, PRACTICE, Event

ROOT = Path(__file__).parents[2]


class Desk:
    """Anna with a card on file, a processor, and a clock that is pushed on until nothing is due."""

    def __init__(self, store: Store, clock: Clock, folder: Path) -> None:
        self.store, self.clock = store, clock
        self.till = Till(clock, folder / "till")
        self.road = Road(store, clock, "worker-1", "http://127.0.0.1:8000")
        store.write(lambda session: world.anna(session, clock()))
        self.card = store.write(lambda session: world.card(session, clock()))

    def yes(self) -> str:
        return self.store.write(lambda s: world.yes(s, self.clock(), self.card, policy=maple_clinic()).id)

    def work(self, hours: float = 0, *, step: timedelta = timedelta(minutes=7)) -> None:
        asyncio.run(call_due(self.road, self.till))
        until = self.clock() + timedelta(hours=hours)
        while self.clock() < until:
            self.clock.at += step
            asyncio.run(call_due(self.road, self.till))

    def status(self, payment_id: str) -> str:
        return self.store.read(lambda s: world.payment(s, payment_id).status)

    def call(self) -> ProcessorCall:
        return self.store.read(lambda s: s.scalars(select(ProcessorCall).order_by(ProcessorCall.id).limit(1)).one())


@pytest.fixture
def desk(store: Store, practice: Practice, clock: Clock, tmp_path: Path) -> Desk:
    return Desk(store, clock, tmp_path)


def test_a_yes_is_charged_once_and_booked_by_the_one_function(desk: Desk) -> None:
    one = desk.yes()
    assert desk.yes() == one
    desk.work(1)
    assert desk.status(one) == "succeeded"
    assert desk.store.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    assert desk.till.asked == [("charge", f"{one}:1")]
    assert (desk.call().status, desk.call().attempts, desk.call().result_ref) == ("done", 1, "ch_1")
    assert [kind for kind, _ in desk.store.read(world.news)] == ["payment_paid"]
    desk.store.read(foot)


@pytest.mark.parametrize("faults", [
    ("lost",), ("late",), ("lost", "late", "lost"), ("retry", "late"), ("unknown", "retry", "late"),
    ("configuration", "lost", "late")], ids="-".join)
def test_whatever_is_lost_on_the_way_it_ends_in_one_charge(desk: Desk, faults: tuple[str, ...]) -> None:
    one = desk.yes()
    desk.till.faults = list(faults)
    desk.work(3)
    assert desk.status(one) == "succeeded"
    assert len(desk.till.effects("charge")) == 1
    assert {key for what, key in desk.till.asked if what == "charge"} == {f"{one}:1"}
    desk.store.read(foot)


def test_a_processor_that_refuses_our_settings_is_a_case_for_staff_once_and_is_asked_again(desk: Desk) -> None:
    one = desk.yes()
    desk.till.faults = ["configuration"] * 3
    desk.work(0.2)
    assert desk.store.read(world.cases) == ["processor_configuration"]
    assert desk.status(one) == "created"
    desk.work(3)
    assert desk.status(one) == "succeeded"


@pytest.mark.parametrize(("fault", "status", "calls"), [("lost", "failed", 0), ("late", "succeeded", 1)])
def test_after_23_hours_it_is_looked_for_by_our_id_and_never_repeated(
        desk: Desk, fault: str, status: str, calls: int) -> None:
    one = desk.yes()
    desk.till.faults = [fault] + ["lost"] * 60
    desk.work(30)
    assert desk.status(one) == status
    assert len(desk.till.effects("charge")) == calls
    last = max(place for place, (what, _) in enumerate(desk.till.asked) if what == "charge")
    assert all(what == "find" for what, _ in desk.till.asked[last + 1:])
    assert desk.call().status == ("done" if calls else "not_made")
    if not calls:
        assert desk.store.read(world.cases) == ["charge_not_made"]
        assert desk.store.read(lambda s: world.payment(s, one).failure) == "not_made"


def test_a_decline_is_an_answer_and_a_card_refused_for_good_is_not_charged_again(desk: Desk) -> None:
    desk.till.answer = "failed:stolen_card"
    one = desk.yes()
    desk.work(5)
    assert desk.status(one) == "failed"
    assert len(desk.till.asked) == 1
    assert desk.store.read(lambda s: s.get_one(PaymentMethod, desk.card).status) == "failed"
    assert desk.store.read(world.news) == [("payment_failed", "stolen_card")]


def test_a_hold_that_came_in_the_meantime_withholds_the_charge(desk: Desk) -> None:
    one = desk.yes()
    desk.store.write(lambda s: holds.place(
        s, practice_id=PRACTICE, guarantor_id=ANNA, kind="dispute", reason="r", source="staff", placed_by="ana",
        now=desk.clock(), visit_id=OLD))
    desk.work(1)
    assert desk.status(one) == "cancelled"
    assert (desk.store.read(lambda s: world.payment(s, one).failure) or "").startswith("withheld:")
    assert desk.till.asked == []


def test_paid_at_the_desk_in_the_meantime_it_is_not_charged(desk: Desk) -> None:
    one = desk.yes()
    assert desk.store.read(lambda s: payments.desk_warning(s, ANNA, desk.clock())) == "charge_on_its_way"
    desk.store.write(lambda s: payments.record_desk_payment(
        s, PRACTICE, ANNA, amount_minor=OLD_MINOR, currency="USD", tender="cash", reference="R1", recorded_by="ana",
        now=desk.clock()))
    desk.work(1)
    assert (desk.status(one), desk.till.asked) == ("cancelled", [])


def test_a_charge_that_may_have_been_made_is_looked_for_and_not_repeated_once_a_rule_objects(desk: Desk) -> None:
    one = desk.yes()
    desk.till.faults = ["late"]
    desk.work()
    desk.store.write(lambda s: methods.remove(s, PRACTICE, desk.card, "patient", desk.clock()))
    desk.work(1)
    assert desk.status(one) == "succeeded"
    assert [what for what, _ in desk.till.asked if what == "charge"] == ["charge"]


def test_a_charge_that_was_lost_is_not_made_once_a_rule_objects(desk: Desk) -> None:
    one = desk.yes()
    desk.till.faults = ["lost"]
    desk.work()
    desk.store.write(lambda s: methods.remove(s, PRACTICE, desk.card, "patient", desk.clock()))
    desk.work(1)
    assert (desk.status(one), desk.till.effects("charge")) == ("cancelled", [])
    assert len([what for what, _ in desk.till.asked if what == "find"]) == 2


def test_a_bank_that_asks_the_patient_is_given_a_day_and_then_given_up(desk: Desk) -> None:
    desk.till.answer = "needs_patient"
    one = desk.yes()
    desk.work(1)
    row = desk.store.read(lambda s: world.payment(s, one))
    assert (row.status, row.session_url) == ("needs_patient", "https://bank.example/3ds")
    assert [kind for kind, _ in desk.store.read(world.news)] == ["needs_patient"]
    desk.work(25)
    assert desk.status(one) == "cancelled"
    assert [what for what, _ in desk.till.asked] == ["charge", "cancel"]


@pytest.mark.parametrize("faults", [(), ("lost",), ("late",), ("retry", "late")], ids=["", "lost", "late", "retry"])
def test_a_refund_leaves_once(desk: Desk, faults: tuple[str, ...]) -> None:
    one = desk.yes()
    desk.work()
    desk.till.faults = list(faults)
    desk.store.write(lambda s: refunds.ask(
        s, practice_id=PRACTICE, payment_id=one, amount_minor=2_500, tender="original", reason="billing_error",
        note="", by="ana", dedupe="R-1", policy=maple_clinic(), now=desk.clock()))
    desk.work(2)
    assert len(desk.till.effects("refund")) == 1
    assert desk.store.read(lambda s: s.scalars(select(Refund)).one().status) == "succeeded"
    assert desk.store.read(world.balances) == {"old": 2_500, "new": NEW_MINOR, "cash:stripe:card": 7_500}
    desk.store.read(foot)


def test_a_refused_refund_is_failed_and_a_case(desk: Desk) -> None:
    one = desk.yes()
    desk.work()
    desk.till.faults = ["refused"]
    desk.store.write(lambda s: refunds.ask(
        s, practice_id=PRACTICE, payment_id=one, amount_minor=2_500, tender="original", reason="billing_error",
        note="", by="ana", dedupe="R-1", policy=maple_clinic(), now=desk.clock()))
    desk.work(2)
    row = desk.store.read(lambda s: s.scalars(select(Refund)).one())
    assert (row.status, row.failure) == ("failed", "told_refused")
    assert desk.store.read(world.cases) == ["refund_failed"]
    assert desk.store.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}


def test_a_removed_card_is_forgotten_at_the_processor_as_well(desk: Desk) -> None:
    desk.store.write(lambda s: methods.remove(s, PRACTICE, desk.card, "patient", desk.clock()))
    desk.store.write(lambda s: methods.remove(s, PRACTICE, desk.card, "patient", desk.clock()))
    desk.till.faults = ["unknown"]
    desk.work(1)
    assert [row["content"] for row in desk.till.effects("remove")] == [{"method_ref": "pm_1"}]


def test_the_webhook_may_be_faster_than_the_answer(desk: Desk) -> None:
    one = desk.yes()
    desk.till.faults = ["late"]
    desk.work()
    desk.store.write(lambda s: payments.apply_event(
        s, PRACTICE, Event("paid", one, OLD_MINOR, processor_ref="ch_1"), desk.clock()))
    desk.work(2)
    assert desk.till.asked == [("charge", f"{one}:1")]
    assert desk.call().code == "settled_before"
    desk.store.read(foot)


# Killed --------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-m", "tests.road.calling_process"], cwd=ROOT, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as started:
        yield started
        assert started.stdin is not None
        started.stdin.close()
        started.wait(30)


def live(process: subprocess.Popen[str], url: str, desk: Desk, failpoint: str, fault: str = "") -> int:
    order = {"url": url, "till": str(desk.till.path), "now": desk.clock().isoformat(), "failpoint": failpoint,
             "fault": fault}
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()
    return int(process.stdout.readline())


@pytest.mark.parametrize("again", ["", *CALL])
@pytest.mark.parametrize("failpoint", CALL)
def test_killed_at_every_instant_and_again_during_recovery_it_ends_in_one_charge(
        desk: Desk, database_url: str, process: subprocess.Popen[str], failpoint: str, again: str) -> None:
    one = desk.yes()
    assert live(process, database_url, desk, failpoint, "late" if failpoint == "call.refused" else "") == -9
    for _ in range(2):
        desk.clock.advance(minutes=3)
        live(process, database_url, desk, again)
    for _ in range(3):
        desk.clock.advance(minutes=3)
        assert live(process, database_url, desk, "") == 0
    assert desk.status(one) == "succeeded"
    assert [row["key"] for row in desk.till.effects("charge")] == [f"{one}:1"]
    assert desk.store.read(world.balances) == {"new": NEW_MINOR, "cash:stripe:card": OLD_MINOR}
    desk.store.read(foot)


def test_every_failpoint_of_a_call_is_among_the_tests() -> None:
    assert set(CALL) == {"call.claimed", "call.asked", "call.recorded", "call.refused"}


def test_the_keys_are_written_down_before_the_first_attempt(desk: Desk, now: datetime) -> None:
    one = desk.yes()
    row = desk.call()
    assert (row.idempotency_key, row.status, row.first_called_at) == (f"{one}:1", "queued", None)
