"""Questions that nobody answers are put away kindly, once, and never over a text that came in between."""

from __future__ import annotations

from billing.store.tables import Conversation, Practice
from bot.channels.console import ConsoleChannel
from bot.road import Road
from bot.tick import close_silent
from bot.worker import drain
from bot.write import Store
from handlers.core import State
from tests.conftest import Clock
from tests.road.test_turns import outbox, text


def make_road(store: Store, clock: Clock) -> Road:
    return Road(store, clock, "w1", "https://bills.example", {"console": ConsoleChannel(clock)})


def bodies(road: Road) -> list[str]:
    return [row.body for row in outbox(road)]


def state_of(store: Store) -> State:
    return store.read(lambda s: State.from_json(s.query(Conversation).one().state))


async def test_an_unanswered_question_is_put_away_with_one_kind_text(
        store: Store, practice: Practice, clock: Clock) -> None:
    road = make_road(store, clock)
    await text(road, "what do I owe")
    await drain(road)
    assert state_of(store).flow == "verify"
    before = len(bodies(road))
    clock.advance(minutes=31)
    assert await close_silent(road) == 1
    assert await close_silent(road) == 0
    await drain(road)
    assert len(bodies(road)) == before + 1
    assert "put this away" in bodies(road)[-1]
    assert not state_of(store).flow


async def test_a_text_that_comes_before_the_time_out_is_worked_makes_it_void(
        store: Store, practice: Practice, clock: Clock) -> None:
    road = make_road(store, clock)
    await text(road, "what do I owe")
    await drain(road)
    clock.advance(minutes=31)
    await text(road, "help")
    assert await close_silent(road) == 1
    await drain(road)
    assert not any("put this away" in body for body in bodies(road))


async def test_nothing_is_said_while_no_question_is_open(store: Store, practice: Practice, clock: Clock) -> None:
    road = make_road(store, clock)
    await text(road, "thanks")
    await drain(road)
    clock.advance(hours=2)
    assert await close_silent(road) == 0
