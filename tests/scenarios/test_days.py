"""Days on which texts have to wait, numbers that may not be texted, a carrier in trouble: each ends as it should."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from billing import accounts, payments
from billing.phones import address_hash
from billing.store import consent_queries
from billing.store.tables import Case
from bot.demo.people import PEOPLE, person_of
from bot.demo.stage import FILES, Stage
from bot.statement_runs import Line
from tests.databases import copy_sqlite
from tests.scenarios import sample
from tests.scenarios.stages import (
    asked,
    calm,
    cases_of,
    control,
    last_verdict,
    message,
    open_stage,
    opted_out,
    pass_to,
    say,
    texts,
)

ANNA, JOAN, PAUL = PEOPLE[0], person_of("A-1009"), person_of("A-1013")
INTRODUCTION = ("Maple Street Med: You have a new billing message. Read it here: LINK You can also reply to ask us a "
                "question. We text you about your account here. Message frequency varies. Msg & data rates may apply. "
                "Reply HELP for help, STOP to stop.")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
async def tuesday(sample_or_slow_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Tuesday, 17 November 2026, 10:00: nothing has to wait."""
    async with open_stage(sample_or_slow_url, tmp_path, sample.TUESDAY) as stage:
        yield stage


@pytest.fixture
async def night(sample_or_slow_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Tuesday, 17 November 2026, 03:00: statements wait until 09:00."""
    async with open_stage(sample_or_slow_url, tmp_path, at("2026-11-17T03:00:00-05:00")) as stage:
        yield stage


MORNING = at("2026-11-17T09:00:00-05:00")


async def statement_to(stage: Stage, account: str) -> Line:
    lines = await stage.send_statements()
    await calm(stage)
    return next(line for line in lines if line.account == account)


@pytest.mark.parametrize(("begins", "goes"), [
    ("2026-11-03T03:00:00-05:00", "2026-11-03T09:00:00-05:00"),  # at night
    ("2026-11-03T22:15:00-05:00", "2026-11-04T09:00:00-05:00"),  # late in the evening
    ("2026-11-08T09:30:00-05:00", "2026-11-08T12:00:00-05:00"),  # a Sunday morning
    ("2026-11-01T00:30:00-04:00", "2026-11-01T12:00:00-05:00"),  # the night in which the clocks go back
    ("2026-11-01T01:30:00-04:00", "2026-11-01T12:00:00-05:00"),  # 1:30 for the first time
    ("2026-11-01T01:30:00-05:00", "2026-11-01T12:00:00-05:00"),  # and for the second
    ("2026-11-26T10:00:00-05:00", "2026-11-27T09:00:00-05:00"),  # Thanksgiving
    ("2026-11-30T21:00:00-05:00", "2026-12-01T09:00:00-05:00"),  # the last evening of a month
    ("2026-12-31T23:59:00-05:00", "2027-01-02T09:00:00-05:00"),  # the next day is a holiday
    ("2027-02-28T20:30:00-05:00", "2027-03-01T09:00:00-05:00"),  # the end of February, a Sunday
    ("2027-03-14T01:59:00-05:00", "2027-03-14T12:00:00-04:00"),  # the night in which the clocks go forward
])
async def test_a_statement_waits_for_its_hour_and_then_goes_exactly_once(
        sample_sqlite_url: str, tmp_path: Path, begins: str, goes: str) -> None:
    async with open_stage(sample_sqlite_url, tmp_path, at(begins)) as stage:
        line = await statement_to(stage, ANNA.account)
        assert line.outcome == "deferred"
        assert last_verdict(stage, line.message_id).until_at == at(goes)
        await pass_to(stage, at(goes) - timedelta(seconds=30))
        assert asked(stage) == []
        for _ in range(2):
            await pass_to(stage, stage.clock.now() + timedelta(seconds=31))
            assert texts(stage, ANNA.phone) == [INTRODUCTION]
        await stage.send_statements()
        await calm(stage)
        assert texts(stage, ANNA.phone) == [INTRODUCTION], "the same balance was sent again"
        assert message(stage, line.message_id).status == "delivered"


async def test_on_an_ordinary_morning_nothing_waits(tuesday: Stage) -> None:
    line = await statement_to(tuesday, ANNA.account)
    assert line.outcome == "queued"
    assert texts(tuesday, ANNA.phone) == [INTRODUCTION]


async def test_a_stop_at_night_and_the_waiting_statement_never_goes(night: Stage) -> None:
    line = await statement_to(night, ANNA.account)
    answers = await say(night, ANNA.phone, "STOP")
    await pass_to(night, MORNING + timedelta(minutes=5))
    await pass_to(night, MORNING + timedelta(days=2))
    assert texts(night, ANNA.phone) == answers == []  # the carrier has confirmed it itself
    assert message(night, line.message_id).status == "withheld"
    assert last_verdict(night, line.message_id).rule == "T-03"


async def test_a_stop_in_own_words_and_the_waiting_statement_never_goes(night: Stage) -> None:
    """No keyword of the carrier's: ours is the one confirmation."""
    line = await statement_to(night, ANNA.account)
    answers = await say(night, ANNA.phone, "please stop texting me")
    assert len(answers) == 1
    await pass_to(night, MORNING + timedelta(minutes=5))
    assert texts(night, ANNA.phone) == answers
    assert message(night, line.message_id).status == "withheld"


async def test_paid_at_the_desk_meanwhile_the_waiting_statement_is_cancelled(night: Stage) -> None:
    line = await statement_to(night, ANNA.account)
    pay_at_the_desk(night, 4000)
    await pass_to(night, MORNING + timedelta(minutes=5))
    assert texts(night, ANNA.phone) == []
    assert message(night, line.message_id).status == "cancelled"
    assert last_verdict(night, line.message_id).rule == "balance-moved"
    again = await statement_to(night, ANNA.account)
    assert (again.outcome, again.due_minor) == ("queued", 4420)
    assert texts(night, ANNA.phone) == [INTRODUCTION]


async def test_paid_in_full_meanwhile_there_is_nothing_more_to_send(night: Stage) -> None:
    line = await statement_to(night, ANNA.account)
    pay_at_the_desk(night, 8420)
    await pass_to(night, MORNING + timedelta(minutes=5))
    assert texts(night, ANNA.phone) == []
    assert message(night, line.message_id).status == "cancelled"
    assert (await statement_to(night, ANNA.account)).outcome == "none"


def pay_at_the_desk(stage: Stage, amount_minor: int) -> None:
    now = stage.clock.now()

    def pay(session: Session) -> None:
        anna = accounts.find_account(session, sample.PRACTICE, ANNA.account)
        assert anna is not None
        payments.record_desk_payment(
            session, sample.PRACTICE, anna.id, amount_minor=amount_minor, currency="USD", tender="cash",
            reference="R-1", recorded_by="dana", now=now)

    stage.store.write(pay)


async def test_one_stop_binds_a_shared_number_for_everybody_on_it(night: Stage) -> None:
    """Joan's and Paul's accounts have one phone; Paul's statement was waiting."""
    line = await statement_to(night, PAUL.account)
    assert (line.outcome, line.due_minor) == ("deferred", 4000)
    await say(night, JOAN.phone, "STOP")
    await pass_to(night, MORNING + timedelta(minutes=5))
    assert texts(night, PAUL.phone) == []
    assert message(night, line.message_id).status == "withheld"


async def test_start_restores_consent_and_yes_does_not(tuesday: Stage) -> None:
    await say(tuesday, ANNA.phone, "STOP")
    assert await say(tuesday, ANNA.phone, "yes") == []
    assert opted_out(tuesday, ANNA.phone)
    assert (await statement_to(tuesday, ANNA.account)).way == "paper"
    assert texts(tuesday, ANNA.phone) == []
    await say(tuesday, ANNA.phone, "START")
    assert not opted_out(tuesday, ANNA.phone)
    assert len(await say(tuesday, ANNA.phone, "what do I owe?")) > 0


async def test_after_stop_a_question_is_a_call_for_staff(tuesday: Stage) -> None:
    await say(tuesday, ANNA.phone, "STOP")
    assert await say(tuesday, ANNA.phone, "what do I owe?") == []
    assert calls(tuesday) == 1
    assert asked(tuesday) == [], "Twilio was asked to send to a number that sent STOP"


async def test_a_stop_that_only_the_carrier_heard_is_learnt_from_its_refusal(tuesday: Stage) -> None:
    """21610: the answer is not repeated, the opt-out is recorded, and a person calls."""
    await control(tuesday, "webhook", number=sample.NUMBER, url=f"{tuesday.settings.public_url}/nowhere")
    await tuesday.text(ANNA.phone, "STOP")
    await control(tuesday, "webhook", number=sample.NUMBER, url=f"{tuesday.settings.public_url}/hooks/twilio/sms")
    assert not opted_out(tuesday, ANNA.phone)
    assert await say(tuesday, ANNA.phone, "are you a robot?") == []
    refused = [line["answer"]["code"] for line in asked(tuesday)]
    assert set(refused) == {21610}
    assert opted_out(tuesday, ANNA.phone)
    assert calls(tuesday) == 1
    await pass_to(tuesday, tuesday.clock.now() + timedelta(hours=3))
    assert len(asked(tuesday)) == len(refused), "a refused text was tried again"


def calls(stage: Stage) -> int:
    """How many cases ask staff to call somebody."""
    return stage.store.read(lambda session: session.query(Case).where(Case.kind == "call").count())


async def test_a_number_that_cannot_be_reached_is_marked_and_a_person_calls(
        sqlite_template: Path, tmp_path: Path) -> None:
    """30003 comes in a delivery report, after the carrier had taken the text."""
    files = tmp_path / "files"
    shutil.copytree(FILES, files)
    patients = files / "patients.csv"
    dead = "+12125550004"
    patients.write_text(patients.read_text(encoding="utf-8").replace(ANNA.phone, dead), encoding="utf-8")
    url = copy_sqlite(sqlite_template, tmp_path)
    sample.fill(url, files)
    async with open_stage(url, tmp_path, sample.TUESDAY) as stage:
        line = await statement_to(stage, ANNA.account)
        assert message(stage, line.message_id).status == "undelivered"
        assert cases_of(stage, ANNA.account) == ["call"]
        hashed = address_hash(sample.PRACTICE, "sms", dead)
        found = stage.store.read(lambda session: consent_queries.contact_statuses(
            session, sample.PRACTICE, hashed, None))
        assert set(found) == {"unreachable"}
        await pass_to(stage, sample.TUESDAY + timedelta(days=1))
        assert len(texts(stage, dead)) == 1


@pytest.mark.parametrize("mode", ["500", "429"])
async def test_a_carrier_in_trouble_is_asked_again_and_sends_once(tuesday: Stage, mode: str) -> None:
    await control(tuesday, "fault", to=ANNA.phone, mode=mode, times=2)
    line = await statement_to(tuesday, ANNA.account)
    assert message(tuesday, line.message_id).status == "queued"
    for _ in range(3):
        await pass_to(tuesday, tuesday.clock.now() + timedelta(seconds=45))
    tried = [row["status"] for row in asked(tuesday) if row["params"]["To"] == ANNA.phone]
    assert tried == [int(mode), int(mode), 201]
    assert message(tuesday, line.message_id).status == "delivered"


async def test_accepted_but_the_answer_was_lost_the_delivery_report_settles_it(tuesday: Stage) -> None:
    await control(tuesday, "fault", to=ANNA.phone, mode="drop_after")
    line = await statement_to(tuesday, ANNA.account)
    await calm(tuesday)
    assert message(tuesday, line.message_id).status == "delivered"
    assert texts(tuesday, ANNA.phone) == [INTRODUCTION]
    assert asked(tuesday, "GET") == []


async def test_accepted_answer_lost_and_no_report_the_carrier_is_asked(tuesday: Stage) -> None:
    await control(tuesday, "callbacks", drop_next=100)
    await control(tuesday, "fault", to=ANNA.phone, mode="drop_after")
    line = await statement_to(tuesday, ANNA.account)
    assert message(tuesday, line.message_id).status == "unknown"
    await pass_to(tuesday, tuesday.clock.now() + timedelta(minutes=2))
    assert message(tuesday, line.message_id).status == "sent"
    await pass_to(tuesday, tuesday.clock.now() + timedelta(hours=1))
    assert texts(tuesday, ANNA.phone) == [INTRODUCTION]


async def test_lost_before_it_was_accepted_it_goes_after_two_look_ups_ten_minutes_apart(tuesday: Stage) -> None:
    await control(tuesday, "fault", to=ANNA.phone, mode="drop_before")
    line = await statement_to(tuesday, ANNA.account)
    assert message(tuesday, line.message_id).status == "unknown"
    status = partial(message, tuesday, line.message_id)
    for minutes, expected in ((2, "unknown"), (9, "unknown"), (2, "delivered")):
        await pass_to(tuesday, tuesday.clock.now() + timedelta(minutes=minutes))
        assert status().status == expected
    assert len(asked(tuesday, "GET")) == 2
    assert texts(tuesday, ANNA.phone) == [INTRODUCTION]
