"""What comes before every scene: the sample practice's files are imported, its statements sent."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from billing.store import account_queries
from bot.demo.acts import Say, clock_of
from bot.demo.stage import Stage, StageError, next_morning
from bot.importing.report import Report
from bot.statement_runs import Line


async def open_practice(stage: Stage, say: Say) -> list[Line]:
    """Import everything and queue the statements; where nothing may leave now, go to the hour at which it may."""
    say(f"It is {clock_of(stage)} at {stage.policy.legal_name}.\n")
    await stage.import_sample(lambda report: say_import(report, say))
    say("\nStatements, each through the gate:")
    lines = await stage.send_statements()
    for line in lines:
        say(f"  {line.account}: {line.outcome}, {line.reason}")
    waiting = next((line for line in lines if line.outcome == "deferred"), None)
    if waiting is not None:
        await _wait_for_the_hour(stage, waiting, say)
    return lines


def say_import(report: Report, say: Say) -> None:
    """Raises StageError for a file that was not posted."""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.tally.items()))
    say(f"import {report.file.rsplit('/', 1)[-1]}: {report.outcome} ({counts})")
    if report.outcome != "posted":
        raise StageError(f"{report.file} was {report.outcome}: {report.reason}")


async def _wait_for_the_hour(stage: Stage, line: Line, say: Say) -> None:
    """At night, on a Sunday morning or on a holiday the text waits for its hour; the demo's clock goes there."""
    row = await stage.store.aread(lambda s: account_queries.last_verdict(s, line.message_id or ""))
    if row is None or row.until_at is None:
        raise StageError("a deferred message does not say until when")
    until: datetime = row.until_at
    say(f"\nNothing may leave now. The text waits until {until.astimezone(ZoneInfo(stage.policy.zone)):%A %H:%M}.")
    next_morning(stage, until)
