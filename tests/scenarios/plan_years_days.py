"""The calendar: which days are worked, and what a day is made of."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import partial

from sqlalchemy.orm import Session

from billing import plan_days
from tests.scenarios import plan_years_lives as lives
from tests.scenarios import plan_years_staff as staff
from tests.scenarios.plan_years_facts import Story
from tests.scenarios.plan_years_world import FIRST, LAST, PRACTICE, World, day_of, enrol

STEPS = 5_000

#: Nobody begins after the third year; plans that were taken up late in it, or made longer, are seen to their end.
AT_LAST = LAST + timedelta(days=550)

#: Asked in a dense life beside the two moments at which everything is done: nothing may depend on them.
ALSO_ASKED = ((0, 5), (1, 30), (2, 30), (3, 30), (13, 0), (15, 0), (23, 55))

#: When people come in lives that are compared.
EVENING = 18


class _Died(Exception):
    """The process died before the commit."""


def live(world: World, customers: int, only: int | None = None) -> int:
    """Three years: ``customers`` begin on days spread over the first two, and every plan has come to its end after.
    Returns the days that were worked.
    """
    first = beginnings(world.seed, customers)
    starts: dict[date, list[int]] = {}
    for index, begins in enumerate(first):
        if only in (None, index):
            starts.setdefault(begins, []).append(index)
    day: date | None = FIRST
    worked, reached = 0, FIRST
    while day is not None and (day <= LAST or (day <= AT_LAST and _some_run(world))):
        reached = day
        if day not in world.asleep:
            waiting = [n for began in sorted(starts) if began <= day for n in starts.pop(began)]
            _day(world, day, waiting)
            worked += 1
        day = _next(world, day, starts)
    world.at(max(LAST, reached), 23)
    return worked


def _some_run(world: World) -> bool:
    return bool(world.rows("select 1 from plans where ended_at is null limit 1"))


def beginnings(seed: int, customers: int) -> list[date]:
    """Days on which plans are asked for; the ends of months, leap day's eve and the weeks of DST are always among them.
    """
    draw = random.Random(f"{seed}:begin")
    always = [date(2027, 1, 31), date(2027, 3, 12), date(2027, 11, 5), date(2028, 1, 31), date(2028, 2, 29)]
    spread = [FIRST + timedelta(days=draw.randrange(0, 26) * 28 + draw.randrange(2)) for _ in range(customers)]
    return (always + spread)[:customers]


def _day(world: World, day: date, waiting: list[int]) -> None:
    luck = random.Random(f"{world.seed}:day:{day.isoformat()}")
    if world.dense:
        _also(world, day, before=True)
    if world.compared:  # people come in the evening: what was news at whatever hour of the day is there for both lives
        _charges(world, day, dies=luck.random() < 0.1)
        _people(world, day, waiting, EVENING)
    else:
        hour = (world.policy.plans.charge_at_hour if world.policy.plans else 10) - 1
        _people(world, day, waiting, min(hour, 9))
        _charges(world, day, dies=luck.random() < 0.1)
    newest = world.rows("select max(number) from cases")[0][0]
    if newest != world.newest_case:  # staff look at it tomorrow
        world.newest_case = newest
        world.soon.add(day + timedelta(days=1))
    if world.dense:
        _also(world, day, before=False)


def _also(world: World, day: date, *, before: bool) -> None:
    """Two of the hours on a common day, all of them where the clocks change or the month is odd."""
    odd = world.zone.utcoffset(_noon(day)) != world.zone.utcoffset(_noon(day - timedelta(days=1))) or day.day > 27
    hours = ALSO_ASKED if odd else random.Random(f"{world.seed}:also:{day}").sample(ALSO_ASKED, 2)
    for hour, minute in sorted(hours):
        if (hour < (EVENING if world.compared else 5)) is before:
            world.at(day, hour, minute)
            work(world)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


def _people(world: World, day: date, waiting: list[int], hour: int) -> None:
    world.at(day, hour)
    world.hear_bank()
    world.carry()
    for index in waiting:
        story = enrol(world, index)
        lives.sign(world, story)
        lives.draw_acts(world, story)
    for story in world.stories.values():
        if story.acts:
            lives.act(world, story, between=False)
        if story.facts and story.facts[-1].on == day:
            staff.react(world, story)
    while staff.work_cases(world) and _again(world, day):
        pass
    staff.use_credit(world)
    staff.pay_what_is_asked(world)


def _again(world: World, day: date) -> bool:
    """Staff look once a day; what they began goes on tomorrow."""
    world.soon.add(day + timedelta(days=1))
    return False


def _charges(world: World, day: date, *, dies: bool) -> None:
    world.at(day, max(11, world.clock().astimezone(world.zone).hour))
    if dies:
        with suppress(_Died):
            world.do(partial(_work_and_die, now=world.clock()))
    for _ in range(4):
        work(world)
        for story in world.stories.values():
            if story.acts:
                lives.act(world, story, between=True)
        heard = world.make_calls() > 0
        heard |= world.hear_bank()
        world.carry()
        if not heard:
            break


def work(world: World) -> int:
    return world.do(lambda session: plan_days.work_due(session, PRACTICE, world.clock(), STEPS))


def _work_and_die(session: Session, now: datetime) -> None:
    plan_days.work_due(session, PRACTICE, now, STEPS)
    raise _Died


def _next(world: World, day: date, starts: dict[date, list[int]]) -> date | None:
    """The next day on which something may happen for somebody; every day of a dense life."""
    tomorrow = day + timedelta(days=1)
    world.soon = {one for one in world.soon if one > day}
    if world.dense:
        return tomorrow
    days = [*world.soon, *starts, *_days_of_plans(world, day)]
    bank_at = world.bank.next_at()
    if bank_at is not None:
        days.append(max(bank_at.astimezone(world.zone).date(), tomorrow))
    coming = min((one for one in days if one > day), default=None)
    while coming is not None and coming in world.asleep:
        coming += timedelta(days=1)
    return coming


def _days_of_plans(world: World, day: date) -> list[date]:
    """Days on which a plan's own facts may ask for something, read from its rows."""
    rules = world.policy.plans
    assert rules is not None
    days: list[date] = []
    grace = timedelta(days=rules.grace_days + 1)
    for due, retry, noticed, paused, status, collects in world.rows(
            "select i.due_on, i.retry_on, i.noticed_at, p.paused_until_on, i.status, p.collects from instalments i"
            " join plans p on p.id = i.plan_id where i.amount_minor > i.paid_minor"
            " and p.status in ('active', 'cured', 'behind', 'paused')"):
        if paused is not None:
            days.append(day_of(paused))
        due_on = day_of(due)
        if status == "planned":
            days.append(due_on - timedelta(days=rules.notice_days))
        days += [due_on, due_on + grace]
        if retry is not None:
            days.append(day_of(retry))
        if noticed is not None and status in ("noticed", "retrying") and collects == "link":
            days += [day_of(noticed) + grace, day_of(noticed) + grace + timedelta(days=1)]
        ahead = timedelta(days=rules.notice_days if status == "planned" else 0)
        if status in ("planned", "noticed", "charging") and due_on <= day + ahead:
            days.append(day + timedelta(days=1))  # something waits: asked about every day
    # A plan that is behind defaults after the day that its patient was told of, as soon as nothing is waited for.
    days += [max(day_of(ends), day) + timedelta(days=1) for (ends,) in world.rows(
        "select e.reason from plan_events e join plans p on p.id = e.plan_id where e.kind = 'default_notice'"
        " and p.status = 'behind'")]
    days += [day_of(ends) + timedelta(days=n) for (ends,) in world.rows(
        "select offer_ends_at from plans where status in ('offered', 'awaiting_authorization')") for n in (0, 1, 2)]
    if staff.due_with_credit(world, day + timedelta(days=1)):
        days.append(day + timedelta(days=1))
    return [one for one in days if one > day]


def settle_all(world: World) -> None:
    """The bank is asked about everything, so that nothing that was lost stays so."""
    world.bank.calm = True
    for _ in range(70):
        world.clock.at += timedelta(days=1)
        world.make_calls()
        if not world.hear_bank() and world.bank.next_at() is None:
            break
    for ref in list(world.bank.charges):
        for event in world.bank.story(ref):
            world.apply(event)
    world.make_calls()


def stories(world: World) -> list[Story]:
    return sorted(world.stories.values(), key=lambda one: one.name)
