"""What comes before every scene: the sample practice's files are imported, its statements sent. Before a visitor, one
patient more has written and could not be answered: there has to be a text that the gate did not let out.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.store import account_queries, demo_queries
from billing.store.tables import Conversation
from bot import staff_replies
from bot.demo.acts import Say, clock_of
from bot.demo.inside import places_of
from bot.demo.people import person_of
from bot.demo.stage import Stage, StageError, next_morning
from bot.importing.report import Report
from bot.statement_runs import Line

CARLOS = person_of("A-1010")


async def open_for_visitors(stage: Stage, say: Say) -> None:
    """Import everything, queue the statements, and let what cannot be sent wait for its hour."""
    await stage.import_sample(lambda report: say_import(report, say))
    for line in await stage.send_statements():
        say(f"  statement to {line.account}: {line.outcome}, {line.reason}")
    await write_after_stop(stage, say)


async def write_after_stop(stage: Stage, say: Say) -> None:
    """Carlos has said STOP, and asks something. The bot is silent and opens a case; somebody of the office answers by
    text all the same, as one might in the console, and the gate withholds it.
    """
    await stage.text(CARLOS.phone, "Why do I owe this?")
    await stage.wait_for(lambda: stage.store.aread(lambda s: _waits_for_a_call(s, stage)), "the case about a call")
    outcome = await stage.store.awrite(lambda s: _answer_by_text(s, stage))
    say(f"  {CARLOS.account} wrote after STOP, and the office answered by text: {outcome}")


def _waits_for_a_call(session: Session, stage: Stage) -> bool:
    talk = _talk(session, stage)
    return talk is not None and bool(demo_queries.cases_of(session, "", [talk.id]))


def _talk(session: Session, stage: Stage) -> Conversation | None:
    at = places_of(stage.practice_id, CARLOS).values()
    return demo_queries.talks_at(session, stage.practice_id, at).get("sms")


def _answer_by_text(session: Session, stage: Stage) -> str:
    talk = _talk(session, stage)
    assert talk is not None, "it has a case"
    row = staff_replies.queue(session, stage.policy, talk, "It is your deductible. I am glad to explain it.",
                              "demo:answer-after-stop", stage.clock.now(), talk.guarantor_id)
    verdict = account_queries.last_verdict(session, row.id)
    return f"{row.status}, {verdict.rule}: {verdict.reason}" if verdict is not None else row.status


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
