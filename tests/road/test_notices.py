"""Whoever has a patient's case is told by text, once a level, without a word about the patient."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from billing import cases, staff
from billing.store.tables import Case, Outbox, Practice
from bot.channels.console import ConsoleChannel
from bot.road import Road
from bot.tick import escalate_cases, notify_staff
from bot.worker import drain
from bot.write import Store
from tests.conftest import Clock, practice_row
from tests.road.test_turns import PATIENT, text


def make_road(store: Store, practice: Practice, clock: Clock) -> Road:
    def add(session: Session) -> None:
        for login, deputy, number in (("eli", None, "+12125550172"), ("dana", "eli", "+12125550171")):
            staff.add(session, practice.id, login=login, name=login.title(), role="biller", actor="test", now=clock(),
                      deputy_login=deputy, phone=number)

    store.write(add)
    return Road(store, clock, "w1", "https://bills.example", {"console": ConsoleChannel(clock)})


def notices(store: Store) -> list[Outbox]:
    return store.read(lambda s: s.query(Outbox).filter(Outbox.purpose == "staff").order_by(Outbox.created_at).all())


async def test_a_hand_over_is_told_to_its_owner_once_and_to_the_deputy_when_overdue(
        store: Store, practice: Practice, clock: Clock) -> None:
    road = make_road(store, practice, clock)
    await text(road, "human")
    await drain(road)
    assert await notify_staff(road) == 1
    assert await notify_staff(road) == 0
    case = store.read(lambda s: s.query(Case).one())
    first = notices(store)[0]
    assert first.address in ("+12125550171", "+12125550172")
    assert f"Case {case.number}" in first.body
    assert PATIENT not in first.body
    clock.advance(days=5)
    assert await escalate_cases(road) == 1
    moved = store.read(lambda s: s.query(Case).one())
    assert moved.level == (1 if case.owner == "dana" else 2)
    assert await notify_staff(road) == 1
    assert await notify_staff(road) == 0


async def test_cases_of_an_import_text_nobody(store: Store, practice: Practice, clock: Clock) -> None:
    road = make_road(store, practice, clock)
    store.write(lambda s: cases.open_case(s, practice.id, kind="denial", title="Denial", detail="", now=clock()))
    assert await notify_staff(road) == 0


async def test_whoever_is_on_call_is_told_of_an_emergency_at_any_hour_and_again_until_somebody_answers(
        store: Store, clock: Clock) -> None:
    clock.at = datetime(2026, 11, 8, 8, 0, tzinfo=UTC)  # a Sunday, 3:00 in New York
    practice = store.write(practice_row(clock(), on_call_phone="+12125550188"))
    road = make_road(store, practice, clock)
    await text(road, "i want to kill myself")
    await drain(road)
    await notify_staff(road)
    on_call = [row for row in notices(store) if row.address == "+12125550188"]
    assert len(on_call) == 1 and on_call[0].status in ("queued", "sending", "sent", "delivered")
    assert "$" not in on_call[0].body and PATIENT not in on_call[0].body
    clock.advance(minutes=15)
    assert await escalate_cases(road) == 1
    await notify_staff(road)
    assert len([row for row in notices(store) if row.address == "+12125550188"]) == 2
