"""What the conversation asks of the store about reaching somebody: the code, the hours, the calm after an emergency."""

from __future__ import annotations

from sqlalchemy.orm import Session

from billing import cases, check_codes, staff
from billing.phones import address_hash
from billing.store.tables import Case, Outbox, Practice, Preference
from bot.channels.console import ConsoleChannel
from bot.road import Road
from bot.worker import drain
from bot.write import Store
from tests.conftest import Clock
from tests.road.test_turns import PATIENT, text


def road_of(store: Store, clock: Clock) -> Road:
    return Road(store, clock, "w1", "https://bills.example/", {"console": ConsoleChannel(clock)})


def said(store: Store) -> list[str]:
    return store.read(lambda s: [row.body for row in s.query(Outbox).order_by(Outbox.created_at, Outbox.sequence)])


async def test_is_this_real_is_answered_with_the_code_that_our_page_knows(
        store: Store, practice: Practice, clock: Clock) -> None:
    road = road_of(store, clock)
    await text(road, "is this real?")
    await drain(road)

    def code(session: Session) -> str:
        return check_codes.for_number(session, practice.id, address_hash(practice.id, "console", PATIENT), clock())

    answer = said(store)[-1]
    assert store.write(code) in answer and "https://bills.example/check" in answer


async def test_hours_that_were_confirmed_are_recorded_with_the_words_that_were_said_and_shown(
        store: Store, practice: Practice, clock: Clock) -> None:
    road = road_of(store, clock)
    for line in ("don't text me on Sundays", "yes"):
        await text(road, line)
        await drain(road)
    kept = store.read(lambda s: s.query(Preference).one())
    assert (kept.kind, kept.value["days"]) == ("hours", [0, 1, 2, 3, 4, 5])
    assert kept.wording.startswith("don't text me on Sundays") and "hours_confirm/en" in kept.wording


async def test_the_thread_stays_calm_after_an_emergency_until_a_named_person_has_cleared_it(
        store: Store, practice: Practice, clock: Clock) -> None:
    road = road_of(store, clock)
    store.write(lambda s: staff.add(s, practice.id, login="ana", name="Ana", role="biller", actor="test", now=clock()))
    for line in ("i want to kill myself", "hello"):
        await text(road, line)
        await drain(road)
    assert "What I owe" not in said(store)[-1] and "988" in said(store)[-1]
    store.write(lambda s: cases.close(s, practice.id, str(s.query(Case).one().number), by="ana",
                                      resolution="spoke with the patient", now=clock()))
    await text(road, "hello")
    await drain(road)
    assert "What I owe" in said(store)[-1]
