"""The demo's stage over a copy of the sample practice: the real application in this process, its clock movable."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr
from sqlalchemy.orm import Session

from billing import accounts, consents
from billing.phones import address_hash
from billing.store.tables import Case, Inbox, Outbox, Verdict
from bot import app as wiring
from bot.demo.clock import DemoClock
from bot.demo.stage import Stage
from bot.standins import smtp, stripe, twilio
from bot.standins.journal import Row, read_lines
from bot.standins.wire import start
from bot.tick import JOBS, tick
from bot.write import open_store
from config.settings import Settings
from tests.conftest import TEST_KEYS
from tests.scenarios import sample


@contextlib.asynccontextmanager
async def open_stage(url: str, folder: Path, at: datetime, *, mail: bool = False) -> AsyncIterator[Stage]:
    """Run the application on this database with the clock at ``at``, and the stand-ins beside it; ``mail``: with a mail
    server too.
    """
    clock, port = DemoClock(at), _free_port()
    base = f"http://127.0.0.1:{port}"
    async with contextlib.AsyncExitStack() as stack:
        carrier = await start(twilio.make_app(twilio.TwilioOptions(
            journal=folder / "twilio.jsonl", numbers=(sample.NUMBER,), callback_delay_ms=1,
            webhooks={sample.NUMBER: f"{base}/hooks/twilio/sms"}, clock=clock.timestamp)))
        stack.push_async_callback(carrier.stop)
        cards = await start(stripe.make_app(stripe.StripeOptions(
            journal=folder / "stripe.jsonl", webhook_url=f"{base}/hooks/stripe", clock=clock.timestamp)))
        stack.push_async_callback(cards.stop)
        post = None
        if mail:
            post = await smtp.start(smtp.SmtpOptions(journal=folder / "smtp.jsonl", clock=clock.timestamp))
            stack.push_async_callback(post.stop)
        store = open_store(url, TEST_KEYS)
        stack.callback(store.close)
        settings = Settings(database_url=url, host="127.0.0.1", port=port, public_url=base, var=folder,
                            twilio_base_url=carrier.url, stripe_base_url=cards.url, practice=sample.PRACTICE,
                            smtp_url=SecretStr(post.smtp_url) if post is not None else None)
        made = await stack.enter_async_context(wiring.wire(settings, store, clock))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        stage = Stage(settings, store, clock, made, sample.POLICY, carrier, cards, http, folder, mail=post)
        await stack.enter_async_context(_running(stage))
        yield stage


@contextlib.asynccontextmanager
async def _running(stage: Stage) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(wiring.run(stage.app, stop))
    try:
        await stage.wait_for(lambda: _answers(stage), "the web server")
        yield
    finally:
        stop.set()
        await task


async def _answers(stage: Stage) -> bool:
    with contextlib.suppress(aiohttp.ClientError):
        async with stage.http.get(f"{stage.settings.public_url}/healthz") as answer:
            return answer.status == 200
    return False


async def say(stage: Stage, phone: str, words: str) -> list[str]:
    """Text the practice; return what comes back."""
    before = len(texts(stage, phone))
    await stage.text(phone, words)
    await calm(stage)
    return texts(stage, phone)[before:]


async def calm(stage: Stage) -> None:
    """Wait until nothing is due here and the carrier has delivered what it took, and said so."""
    for _ in range(2):  # a delivery report is work again
        await stage.wait_for(lambda: stage.store.aread(lambda session: nothing_due(session, stage.clock.now())),
                             "calm", seconds=60)
        await control(stage, "settle")


def nothing_due(session: Session, now: datetime) -> bool:
    inbox = session.query(Inbox).where(Inbox.status.in_(("accepted", "working")), Inbox.due_at <= now)
    outbox = session.query(Outbox).where(Outbox.status.in_(("queued", "claimed", "sending")), Outbox.due_at <= now,
                                         Outbox.channel != "paper")  # letters wait for a print run
    return inbox.first() is None and outbox.first() is None


async def pass_to(stage: Stage, instant: datetime) -> None:
    """Let the clock run to ``instant`` and the tick do what is due then."""
    stage.clock.move_to(instant)
    for job in JOBS:
        await tick(stage.app.road, job)
    stage.app.road.wake.outbox.set()
    await calm(stage)


async def control(stage: Stage, what: str, **order: Any) -> None:
    """Tell the Twilio stand-in how to behave."""
    async with stage.http.post(f"{stage.twilio.url}/_standin/{what}", json=order) as answer:
        answer.raise_for_status()


def lines(stage: Stage) -> list[Row]:
    return list(read_lines(stage.journals / "twilio.jsonl"))


def asked(stage: Stage, method: str = "POST") -> list[Row]:
    """Requests for messages in Twilio's journal: POST makes one, GET lists them."""
    return [line for line in lines(stage) if line["kind"] == "request" and line["method"] == method
            and line["path"].endswith("/Messages.json")]


def texts(stage: Stage, phone: str) -> list[str]:
    """What Twilio was made to send to a phone, in order; the addresses of pages are left out."""
    return [re.sub(r"http://\S+/l/[\w-]+", "LINK", line["params"]["Body"]) for line in asked(stage)
            if line["params"]["To"] == phone and line["status"] == 201]


def message(stage: Stage, message_id: str | None) -> Outbox:
    return stage.store.read(lambda session: session.get_one(Outbox, message_id))


def last_verdict(stage: Stage, message_id: str | None) -> Verdict:
    return stage.store.read(lambda session: session.query(Verdict).where(Verdict.outbox_id == message_id)
                            .order_by(Verdict.id.desc()).limit(1).one())


def cases_of(stage: Stage, account: str) -> list[str]:
    """The kinds of an account's open cases."""
    def read(session: Session) -> list[str]:
        found = accounts.find_account(session, sample.PRACTICE, account)
        assert found is not None
        return [case.kind for case in session.query(Case).where(Case.guarantor_id == found.id, Case.status != "closed")]

    return stage.store.read(read)


def opted_out(stage: Stage, phone: str) -> bool:
    hashed = address_hash(sample.PRACTICE, "sms", phone)
    return stage.store.read(lambda session: consents.standing(session, sample.PRACTICE, "sms", hashed).opted_out)




def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
