"""Moving the demo's clock ahead: everything that is due by then happens, as it would have while nobody looked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot import app as wiring
from bot.demo.stage import Stage
from bot.tick import JOBS, tick

OPENS = 9  # o'clock: the first hour at which texts may leave


async def move_on(stage: Stage, instant: datetime) -> None:
    """Jump to ``instant`` and work what is due; nobody waits for the next tick, which counts real minutes."""
    stage.clock.move_to(instant)
    for job in (*JOBS, *wiring.payment_jobs(stage.app.processor)):
        await tick(stage.app.road, job)
    for bell in stage.app.road.wake.by_name().values():
        bell.set()


def half_an_hour(stage: Stage) -> datetime:
    return stage.clock.now() + timedelta(minutes=30)


def next_morning(stage: Stage) -> datetime:
    """Nine o'clock at the practice, tomorrow."""
    local = stage.clock.now().astimezone(ZoneInfo(stage.policy.zone))
    return (local + timedelta(days=1)).replace(hour=OPENS, minute=0, second=0, microsecond=0)


STEPS: Mapping[str, Callable[[Stage], datetime]] = {"later": half_an_hour, "morning": next_morning}
