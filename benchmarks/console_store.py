"""A practice at work, on PostgreSQL: accounts out of claim files, threads with cases, staff who are signed in, a link
for each patient, and a campaign that may begin. Written by the program's own functions, from the files on.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.planning_store import POLICY
from billing import campaigns, cases, links, segments, sign_in, staff, statements
from billing.ids import new_id, new_token
from billing.phones import address_hash
from billing.store.practices import save_policy
from billing.store.tables import Conversation, Guarantor, Inbox, Outbox, SignIn
from billing.threads import of_hash
from bot import campaign_previews, campaign_words, campaigning
from bot.demo.crowd import Resident, Town, write_files
from bot.importing import files as importing
from bot.road import Road
from bot.web import proof
from bot.write import Store
from config.clock import StartedClock
from config.practice import PracticePolicy
from config.settings import load

#: A Tuesday, noon in New York, four days after the payers' answers: everybody's hours are open.
NOW = datetime(2026, 11, 17, 17, tzinfo=UTC)
PRACTICE = "main"
FIRST = 2001
MAKER = "maker"


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient's account, the link of a statement to it, what its door asks, and what a browser has that answered."""

    account: str
    token: str
    born: date
    postal_code: str
    door: str


@dataclass(frozen=True, slots=True)
class Crew:
    """Who is going to ask, and what there is to see. ``staff``: each the cookie of a browser that is signed in."""

    staff: list[str]
    patients: list[Patient]
    threads: list[str]
    campaign: str


def policy(texts_a_minute: int) -> PracticePolicy:
    """``texts_a_minute``: what the carrier takes, so that the campaign lasts as long as is measured."""
    return PracticePolicy.model_validate({
        **POLICY.model_dump(), "bulk": {"approval_above": 100_000}, "console": {"idle_minutes": 60},
        "carrier": {"per_day": None, "per_minute": texts_a_minute, "segments_per_second": None}})


def fill(store: Store, rules: PracticePolicy, people: int, hired: int) -> Crew:
    """Fill an empty, migrated database."""
    store.write(lambda session: save_policy(session, PRACTICE, rules, True, NOW))
    everybody = residents(people)
    _import(store, rules, everybody)
    cookies = store.write(lambda session: [_hire(session, number) for number in range(hired)])
    accounts = store.read(_accounts)
    patients, threads = [], []
    for start in range(0, people, 200):
        some = everybody[start:start + 200]
        patients += store.write(partial(_statements, some=some, accounts=accounts))
        threads += store.write(partial(_threads, some=some, accounts=accounts))
    return Crew(cookies, patients, threads, store.write(partial(_campaign, rules=rules, store=store)))


def residents(count: int) -> list[Resident]:
    """The demo's crowd, as large as wanted, all in one place."""
    town = Town("New York", "NY", "10016", ("646", "917"), count)
    return [Resident(FIRST + place, town, place) for place in range(count)]


def _import(store: Store, rules: PracticePolicy, everybody: Sequence[Resident]) -> None:
    job = importing.Job(PRACTICE, rules, "bench", lambda: NOW - timedelta(days=4))
    with tempfile.TemporaryDirectory(prefix="plainbill-bench-") as folder:
        for path in write_files(Path(folder), everybody):
            importing.import_file(path, store, job, lambda report: None)


def _accounts(session: Session) -> dict[str, str]:
    """Our ids by the accounts' own numbers."""
    return {row.external: row.id for row in session.scalars(select(Guarantor))}


def _hire(session: Session, number: int) -> str:
    """Somebody of the staff, and their browser: signed in a minute ago, as the second step leaves it."""
    login = MAKER if number == 0 else f"staff{number}"
    row = staff.add(session, PRACTICE, login=login, name=f"Staff {number}", role=("biller", "supervisor")[number % 2],
                    actor="bench", now=NOW)
    token = new_token()
    session.add(SignIn(
        token_hash=sign_in.hash_token(token), practice_id=PRACTICE, staff_id=row.id, stage="full", csrf=new_token(),
        browser="bench", started_at=NOW, seen_at=NOW, ends_at=NOW + timedelta(hours=12)))
    return token


def _statements(session: Session, some: Sequence[Resident], accounts: dict[str, str]) -> list[Patient]:
    found = []
    for one in some:
        made = statements.make(session, accounts[one.account], one.language, NOW - timedelta(days=2))
        token = links.make(session, PRACTICE, accounts[one.account], "statement", made.id, 30, NOW)
        door = proof.sign(load(None).link_secret_bytes, token, NOW + proof.GOOD_FOR)
        found.append(Patient(accounts[one.account], token, one.born, one.town.postal_code, door))
    return found


def _threads(session: Session, some: Sequence[Resident], accounts: dict[str, str]) -> list[str]:
    """Every third has written: three questions with their answers; every tenth of all waits for a person."""
    found = []
    for one in some:
        if one.number % 3 == 0 and one.phone:
            found.append(_thread(session, one, accounts[one.account]))
            if one.number % 10 == 0:
                cases.open_case(session, PRACTICE, kind="dispute", title="A visit is disputed", detail="Not there",
                                now=NOW, guarantor_id=accounts[one.account], conversation_id=found[-1])
    return found


def _thread(session: Session, one: Resident, account: str) -> str:
    hashed = address_hash(PRACTICE, "sms", one.phone)
    talk = Conversation(
        id=new_id("conv"), practice_id=PRACTICE, channel="sms", address=one.phone, address_hash=hashed,
        language=one.language, language_chosen=False, state={}, guarantor_id=account,
        last_inbound_at=NOW - timedelta(minutes=one.number % 4000), created_at=NOW - timedelta(days=3))
    session.add(talk)
    for turn in range(3):
        at = NOW - timedelta(days=3 - turn)
        session.add(Inbox(
            practice_id=PRACTICE, source="sms", external_id=f"SM{one.number}-{turn}", kind="message",
            thread=of_hash(PRACTICE, "sms", hashed), payload={"body": "why do i owe this"}, status="done",
            received_at=at, due_at=at, done_at=at))
        session.add(Outbox(
            id=new_id("msg"), practice_id=PRACTICE, conversation_id=talk.id, guarantor_id=account, channel="sms",
            address=one.phone, address_hash=hashed, purpose="reply", template="why", template_version="1",
            language=one.language, privacy="open", arguments={}, body="That leaves $84.20 for you to pay. " * 4,
            segments=2, status="delivered", due_at=at, idempotency_key=f"bench:{one.number}:{turn}", created_at=at))
    session.flush()
    return talk.id


def _campaign(session: Session, rules: PracticePolicy, store: Store) -> str:
    """Drafted and previewed."""
    road = Road(store, StartedClock(NOW, time.monotonic_ns()), "bench", "http://127.0.0.1:8000")
    everybody = segments.keep(session, PRACTICE, "everybody", segments.parse({}), by=MAKER, now=NOW)
    made = campaigns.create(session, practice_id=PRACTICE, name="november", segment=everybody, purpose="statement",
                            template="statement_ready", ways=("sms",), by=MAKER, now=NOW)
    session.flush()
    shown = campaign_previews.preview(session, road, rules, made, NOW)
    words = campaign_words.versions_of(session, made, rules)
    campaign_previews.keep(session, rules, made, shown.to_json(), words, MAKER, NOW)
    return made.id


def begin(store: Store, rules: PracticePolicy, campaign: str, now: datetime) -> None:
    """Send it."""
    store.write(lambda session: campaigning.begin(session, campaign, MAKER, rules, now))
