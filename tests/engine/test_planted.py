"""What is known of a patient is planted everywhere through a whole run and then searched for where it must not be: log
lines, metrics, addresses asked for, texts of exceptions, and what the card processor is told (T-39, T-53).
"""

from __future__ import annotations

import logging
import re
import shutil
import traceback
from collections.abc import Iterator
from datetime import datetime
from email import message_from_string
from email.policy import default as reading
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from sqlalchemy.orm import Session

from billing import accounts, campaigns, contacts, segments
from billing.store.tables import Inbox, Outbox
from bot import campaign_previews, campaign_words, campaigning, email_reports, metrics
from bot.campaigning import feed_campaigns
from bot.channels import email_bounces
from bot.channels.base import Outbound, SendError
from bot.demo.stage import FILES, Stage
from bot.importing import files
from bot.logs import configure_logs
from bot.standins.smtp_bounces import report
from bot.statement_runs import accounts_to_send, send_statement
from tests.scenarios import sample
from tests.scenarios.conversation import ANNA
from tests.scenarios.stages import calm, control, lines, open_stage, say

#: Anna of the sample files under values that occur nowhere else.
PLANTED = {
    "Anna": "Zanzibelle", "Keller": "Quillfeather", "ANNA": "ZANZIBELLE", "KELLER": "QUILLFEATHER",
    "14 Vestry St": "77 Plumbago Row", "14 VESTRY ST": "77 PLUMBAGO ROW", "M1001840312": "M7766554433",
    "A-1001": "A-9009117", "1984-03-12": "1953-11-29", "19840312": "19531129"}
PHONE = ANNA.phone
#: Whose e-mail is taken, whose server says no and repeats the address, and whose comes back.
EMAILS = {"A-9009117": "zanzibelle@feather.example", "A-1002": "quillfeather0005@feather.example",
          "A-1006": "quillfeather0004@feather.example", "A-1010": "quillfeather0031@feather.example"}
SAID = "my cat Bartholomew ate the bill, write to quill@feather.example"

#: However it is written. The phone only where no provider needs it.
TRACES = re.compile(
    r"zanzibelle|quillfeather|plumbago|7766554433|9009117|1953.?11.?29|11.?29.?1953|bartholomew|quill@feather|"
    r"555.{0,3}0131", re.IGNORECASE)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """Every line of every library, at the level that says most."""
    stream, root = StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", stream)
    configure_logs("debug", as_json=True)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """The sample practice's files about somebody else."""
    folder = tmp_path / "files"
    shutil.copytree(FILES, folder)
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        for old, new in PLANTED.items():
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.slow
async def test_nothing_of_a_patient_is_in_logs_metrics_addresses_exceptions_or_at_the_processor(
        sqlite_url: str, tmp_path: Path, planted: Path, logged: StringIO) -> None:
    sample.fill(sqlite_url, planted)
    async with open_stage(sqlite_url, tmp_path, sample.TUESDAY, mail=True) as stage:
        mailed = await _write_to_everybody(stage)
        await _talk_and_pay(stage)
        await _provoke(stage)
        await _bill_everybody(stage)
        faults = [*_faults(stage, planted), await _fault_of_mail(stage)]
        journals = _addresses(lines(stage)) + _processor(stage) + mailed
    shown = {"logs": logged.getvalue(), "metrics": metrics.exposition().decode(), "exceptions": "\n".join(faults),
             "addresses and processor": "\n".join(journals)}
    assert "not sent" in shown["logs"] and "inbox row failed" in shown["logs"], "the run logged nothing to search"
    assert '"kind": "refused"' in shown["logs"], "no e-mail was refused"
    assert re.search(r'\{[^}]*channel="email"', shown["metrics"]), "no e-mail was counted"
    assert len(faults) == 4 and "/v1/" in shown["addresses and processor"] and "/u/" in shown["addresses and processor"]
    for where, text in shown.items():
        assert not (found := TRACES.findall(text)), f"{where}: {set(found)}"


async def _write_to_everybody(stage: Stage) -> list[str]:
    """A campaign by e-mail and by text: preview, approval, sending; one comes back, one is stopped by its page. Return
    every address in what arrived.
    """
    now = stage.clock.now()
    stage.store.write(partial(_give_emails, now=now))
    campaign_id = stage.store.write(partial(_draft, now=now))
    words = campaign_words.versions("statement_ready", ("email", "sms"), stage.policy.languages)

    def launch(session: Session) -> None:
        row = campaigns.find(session, sample.PRACTICE, campaign_id)
        assert row is not None
        shown = campaign_previews.preview(session, stage.app.road, stage.policy, row, now)
        assert shown.to_json()["ways"]["email"] == len(EMAILS)
        with_words: dict[str, Any] = {"policy": stage.policy, "words": words, "by": "dana", "now": now}
        kept = campaigns.keep_preview(session, campaign_id, shown.to_json(), **with_words)
        campaigns.approve(session, campaign_id, digest=kept.preview_digest, **with_words)
        campaigning.begin(session, campaign_id, "dana", stage.policy, now)

    stage.store.write(launch)
    await feed_campaigns(stage.app.road)
    stage.app.road.wake.outbox.set()
    await calm(stage)
    return await _read_mail(stage)


def _give_emails(session: Session, now: datetime) -> None:
    for account, address in EMAILS.items():
        found = accounts.find_account(session, sample.PRACTICE, account)
        assert found is not None
        contacts.add_email(session, sample.PRACTICE, found.id, address, source="desk", now=now)


def _draft(session: Session, now: datetime) -> str:
    everybody = segments.keep(session, sample.PRACTICE, "everybody", segments.parse({}), by="dana", now=now)
    return campaigns.create(
        session, practice_id=sample.PRACTICE, name="november", segment=everybody, by="dana", now=now,
        purpose="statement", template="statement_ready", ways=("email", "sms")).id


async def _read_mail(stage: Stage) -> list[str]:
    """As patients do: one presses stop, one's server sends it back."""
    assert stage.mail is not None
    arrived = list(stage.mail.post.journal.table("messages").values())
    assert sorted(row["to"] for row in arrived) == [EMAILS["A-1006"], EMAILS["A-9009117"]]
    bodies = [message_from_string(row["raw"], policy=reading) for row in arrived]
    pages = [str(mail["List-Unsubscribe"]).partition(">")[0].removeprefix("<") for mail in bodies]
    async with aiohttp.ClientSession() as browser:
        await browser.get(pages[0])
        async with browser.post(pages[0], data={"List-Unsubscribe": "One-Click"}) as answer:
            assert answer.status == 200
        await browser.post(f"{stage.settings.public_url}/u/quillfeather-{PHONE}")
    back = email_bounces.parse(message_from_string(report(
        next(row for row in arrived if row["bounces"]), "5.1.1")))
    told = stage.store.write(partial(email_reports.apply, practice_id=sample.PRACTICE, found=[back],
                                     now=stage.clock.now()))
    assert told.undelivered == 1
    text = "\n".join(str(part.get_content()) for mail in bodies for part in mail.iter_parts())
    return [*pages, *re.findall(r"http[^\s\"<>]+", text), *(str(mail["Message-ID"]) for mail in bodies)]


async def _fault_of_mail(stage: Stage) -> str:
    """What is raised where a server repeats the address that it refuses."""
    with pytest.raises(SendError) as caught:
        await stage.app.road.channels["email"].send(Outbound(
            "msg_planted", "Maple <billing@maplestreet.example>", EMAILS["A-1002"], SAID, subject="A message"))
    return "".join(traceback.format_exception(caught.value))


async def _talk_and_pay(stage: Stage) -> None:
    """Who is it, what is owed, a link, the page, Stripe's page; and words that mean nothing."""
    for words in (SAID, "what do I owe?", "11/29/1953 10013", "yes", "why?", "pay all", "yes"):
        answers = await say(stage, PHONE, words)
    assert answers, "nobody answered"
    rows = stage.store.read(lambda session: [row.body for row in session.query(Outbox)])
    link = [url for body in rows for url in re.findall(r"http://\S+/l/[\w-]+", body)][-1]
    proof = {"month": "11", "day": "29", "year": "1953", "zip": "10013"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        await browser.get(link)
        await browser.post(link, data=proof)
        async with browser.post(f"{link}/pay", allow_redirects=False) as answer:
            assert answer.status == 303
        await browser.get(f"{stage.settings.public_url}/l/Quillfeather-{PHONE}")
        await browser.post(f"{stage.settings.public_url}/hooks/twilio/sms", data={"From": PHONE, "Body": SAID})


async def _provoke(stage: Stage) -> None:
    """Providers that fail, and a row of our own that cannot be worked."""
    for mode in ("500", "drop_after", "429"):
        await control(stage, "fault", to=PHONE, mode=mode)
        await say(stage, PHONE, f"{SAID} {mode}")
    at = stage.clock.now()
    stage.store.write(lambda session: session.add(Inbox(
        practice_id=sample.PRACTICE, source="sms", external_id="bad", kind="nonsense", thread="x",
        payload={"body": SAID, "from": PHONE}, status="accepted", received_at=at, due_at=at)))
    stage.app.road.wake.inbox.set()
    await stage.wait_for(lambda: stage.store.aread(_has_failed), "the failure", seconds=30)


def _has_failed(session: Session) -> bool:
    return session.query(Inbox).filter(Inbox.external_id == "bad", Inbox.attempts > 0).first() is not None


async def _bill_everybody(stage: Stage) -> None:
    ids = stage.store.read(lambda session: accounts_to_send(session, sample.PRACTICE))
    for one in ids:
        stage.store.write(partial(send_statement, road=stage.app.road, policy=stage.policy, guarantor_id=one,
                                  now=stage.clock.now()))
    await feed_campaigns(stage.app.road)
    stage.app.road.wake.outbox.set()
    await calm(stage)


def _faults(stage: Stage, folder: Path) -> list[str]:
    """Exceptions as a log or a terminal would show them: of a file, of a store, of a look-up."""
    torn = folder / "torn.csv"
    torn.write_text((folder / "patients.csv").read_text(encoding="utf-8").replace("1953-11-29", "Quillfeather,"),
                    encoding="utf-8")
    double = stage.store.read(lambda session: session.query(Outbox).first())
    assert double is not None
    values = {column.name: getattr(double, column.key) for column in Outbox.__table__.columns}


    return [_fault_of(lambda: stage.store.write(lambda session: session.add(Outbox(**{**values, "body": SAID})))),
            _fault_of(lambda: stage.store.write(lambda session: session.add(Inbox(
                practice_id=sample.PRACTICE, source="sms", external_id="bad", kind="message", thread=None,
                payload={"body": SAID, "from": PHONE}, status="accepted", received_at=stage.clock.now(),
                due_at=stage.clock.now())))),
            _fault_of(lambda: files.import_file(torn, stage.store, files.Job(
                sample.PRACTICE, stage.policy, "test", stage.clock.now), _raise))]


def _raise(report: Any) -> None:
    raise RuntimeError(str(report.reason))


def _fault_of(act: Any) -> str:
    try:
        act()
    except Exception as error:
        return "".join(traceback.format_exception_only(error))
    raise AssertionError("nothing was raised")


def _addresses(told: list[dict[str, Any]]) -> list[str]:
    """Every address that Twilio was asked at, or asked at ours."""
    return [str(line.get("path") or line.get("url") or "") for line in told]


def _processor(stage: Stage) -> list[str]:
    """All that Stripe was told, addresses and parameters."""
    from bot.standins.journal import read_lines

    return [f"{line.get('path')} {line.get('params')} {line.get('key')}"
            for line in read_lines(stage.journals / "stripe.jsonl") if line["kind"] == "request"]
