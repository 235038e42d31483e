"""What the campaign's play is made of: two hundred accounts, days that pass at the pace of what is due, and tables."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.carrier_caps import PACIFIC
from billing.money import dollars
from billing.planning import Preview
from billing.policy.register import rule_by_id
from billing.store import account_queries, demo_queries
from billing.store.demo_queries import BulkMessage
from billing.store.practices import save_policy
from bot.campaigning import feed_campaigns
from bot.cli.campaign_previewing import OWN
from bot.demo import crowd
from bot.demo.acts import Say
from bot.demo.desk import BILLER, SUPERVISOR
from bot.demo.opening import say_import
from bot.demo.stage import Stage, StageError
from bot.importing import files as importing
from bot.standins.journal import read_lines
from bot.tick import wake_deferred
from config.practice import PracticePolicy

MAKER, APPROVER = BILLER.login, SUPERVISOR.login

ZONES = {"NY": "America/New_York", "IL": "America/Chicago", "CO": "America/Denver", "CA": "America/Los_Angeles"}
_FATES = {"send": "told now", "defer": "told later", "withhold": "left out", "none": "left out"}


@dataclass(frozen=True, slots=True)
class Post:
    """A text that the carrier's journal shows as taken."""

    to: str
    at: datetime


async def open_office(stage: Stage, say: Say, **carrier: Any) -> Stage:
    """The practice's files and the crowd's are imported; the policy gets ``carrier`` caps and a second pair of eyes."""
    policy = PracticePolicy.model_validate({
        **stage.policy.model_dump(), "bulk": {"approval_above": 100}, "carrier": carrier})

    def settle(session: Session) -> None:
        save_policy(session, stage.practice_id, policy, True, stage.clock.now())

    await stage.store.awrite(settle)
    stage = replace(stage, policy=policy)
    await stage.import_sample(lambda report: say_import(report, say))
    job = importing.Job(stage.practice_id, policy, "demo", stage.clock.now)
    for path in crowd.write_files(stage.journals):
        await asyncio.to_thread(importing.import_file, path, stage.store, job, lambda report: say_import(report, say))
    return stage


async def pass_until(stage: Stage, until: datetime) -> None:
    """Let everything happen that is due until then, each at its own moment; the clock ends there."""
    while True:
        await quiet(stage)
        then = await stage.store.aread(lambda s: demo_queries.next_moment(s, stage.practice_id))
        if then is None or then > until:
            break
        stage.clock.move_to(max(then, stage.clock.now() + timedelta(seconds=1)))
    stage.clock.move_to(until)
    await quiet(stage)


async def quiet(stage: Stage) -> None:
    """Work what is due in this moment, until nothing is and the carrier has reported on what it took."""
    road = stage.app.road
    for _ in range(200):
        worked = await wake_deferred(road) + await feed_campaigns(road)
        road.wake.outbox.set()
        await stage.wait_for(lambda: _settled(stage), "the end of what was due", seconds=60)
        if not worked:
            return
    raise StageError("what is due does not come to an end")


async def _settled(stage: Stage) -> bool:
    async with stage.http.post(f"{stage.twilio.url}/_standin/settle") as answer:
        answer.raise_for_status()
    return await stage.store.aread(lambda s: account_queries.nothing_under_way(s, stage.practice_id))


def at(stage: Stage, day: date, hour: int, minute: int = 0) -> datetime:
    """An instant by the practice's clock."""
    return datetime.combine(day, time(hour, minute), ZoneInfo(stage.policy.zone))


async def posts(stage: Stage, campaign_id: str) -> list[tuple[BulkMessage, Post]]:
    """The campaign's texts as the carrier's journal has them, each with our own row."""
    asked = [line for line in read_lines(stage.journals / "twilio.jsonl") if line["kind"] == "request"
             and line["method"] == "POST" and line["status"] == 201 and line["path"].endswith("/Messages.json")]
    taken = {line["answer"]["sid"]: Post(line["params"]["To"], datetime.fromisoformat(line["at"])) for line in asked}
    rows = await stage.store.aread(lambda s: demo_queries.bulk_messages(s, campaign_id))
    return [(row, taken[row.provider_id]) for row in rows if row.provider_id in taken]


def per_day(found: Sequence[tuple[BulkMessage, Post]]) -> Counter[date]:
    """Texts by the carrier's day, which begins at midnight Pacific."""
    return Counter(post.at.astimezone(PACIFIC).date() for _, post in found)


async def say_day(stage: Stage, campaign_id: str, day: date, say: Say) -> None:
    """What the carrier took on one day, by state, with the first and the last text's hour there."""
    found = [(row, post) for row, post in await posts(stage, campaign_id) if post.at.astimezone(PACIFIC).date() == day]
    say(f"\n{day:%A}: {len(found)} texts left.")
    for state, zone in ZONES.items():
        there = sorted(post.at.astimezone(ZoneInfo(zone)) for row, post in found if row.region == state)
        if there:
            say(f"  {state}  {len(there):3}  from {there[0]:%H:%M} to {there[-1]:%H:%M} by their own clock")
    rows = await stage.store.aread(lambda s: demo_queries.bulk_rows(s, campaign_id))
    left_out = Counter(rule for _, _, outcome, rule in rows if outcome == "left_out")
    say(f"  {sum(outcome == 'waiting' for _, _, outcome, _ in rows)} accounts wait for their day; left out so far: "
        + (", ".join(f"{rule} {count}" for rule, count in sorted(left_out.items())) or "nobody") + ".")


def say_preview(shown: Preview, stage: Stage, say: Say) -> None:
    """Who would be told, who is left out by which rule, the words, what it costs, and when it would be done."""
    say(f"  {shown.accounts} accounts; {shown.messages} would be told, of {dollars(shown.messages_minor)}.\n")
    for line in shown.groups:
        say(f"  {line.accounts:4}  {dollars(line.minor):>10}  {_FATES[line.outcome]:10}  {line.rule:18}  "
            f"{_title(line.rule)}")
    say("\n  By time zone: texts, begins, done")
    for zone in shown.zones:
        hours = [_local(moment, zone.zone) for moment in (zone.starts_at, zone.finishes_at)]
        say(f"  {zone.texts:4}  {hours[0]}  {hours[1]}  {zone.zone}")
    ways = ", ".join(f"{way} {count}" for way, count in sorted(shown.ways.items()))
    say(f"\n  Ways: {ways}. {shown.segments} segments, about {dollars(-(-shown.cost_micros // 10_000))}.")
    for sample in {one.language: one for one in reversed(shown.samples)}.values():
        say(f"  As they would read it ({sample.language}):\n    {sample.text}")


def _title(rule: str) -> str:
    found = rule_by_id(rule)
    return found.title if found is not None else OWN.get(rule, "")


def _local(moment: datetime | None, zone: str) -> str:
    if moment is None:
        return "never    "
    return f"{moment.astimezone(ZoneInfo(zone.partition(' + ')[0])):%a %H:%M}"
