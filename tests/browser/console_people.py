"""Patients whom only the tests of the console meet: made up, each with one visit, named as people are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import consents, contacts, payments, statements
from billing.phones import address_hash
from billing.store.seal import blind, normal_name
from billing.store.tables import Guarantor, ImportRun, Outbox, Patient, Visit
from bot.demo.people import Person
from tests.browser.running import Demo
from tests.web.newcomers import add

CONSENT = "I agree to get texts (SMS) about my bills. Reply STOP to stop."


def person(number: str, name: str, line: int, language: str = "en") -> Person:
    """Born on 1976-02-29 in ZIP 10001, as every newcomer."""
    return Person(number, name, f"+1212555{line:04}", "02/29/1976", "10001", "Whom no other test meets.", language)


MARTA = person("C-2001", "Marta Delgado", 160, "es")
HENRY = person("C-2002", "Henry Walsh", 161)
PRIYA = person("C-2003", "Priya Nair", 162)
GEORGE = person("C-2004", "George Lindqvist", 163)
EVELYN = person("C-2005", "Evelyn Carter", 164)
THOMAS = person("C-2006", "Thomas Okafor", 165)
NADIA = person("C-2007", "Nadia Petrov", 166)
OWEN = person("C-2008", "Owen Brandt", 167)
ALL = (MARTA, HENRY, PRIYA, GEORGE, EVELYN, THOMAS, NADIA, OWEN)


def account_id(who: Person) -> str:
    return f"acct_{who.account}"


def settle_in(demo: Demo, people: Sequence[Person], owed_minor: int = 145_50, days_ago: int = 0) -> None:
    """Put these accounts on the practice's books, with telephones that may be texted."""
    def write(session: Session) -> None:
        for who in people:
            newcomer(session, demo, who, owed_minor, demo.stage.clock.now() - timedelta(days=days_ago))

    demo.stage.store.write(write)


def newcomer(session: Session, demo: Demo, who: Person, owed_minor: int, at: datetime) -> None:
    practice_id = demo.stage.practice_id
    id_ = add(session, practice_id, who.account, who.language, at, owed_minor)
    given, _, surname = who.name.partition(" ")
    account, patient = session.get_one(Guarantor, id_), session.get_one(Patient, f"pat_{who.account}")
    visit = session.get_one(Visit, f"visit_{who.account}")
    account.name = patient.name = who.name
    patient.given = given
    account.surname_hash = patient.surname_hash = blind("surname", practice_id, normal_name(surname))
    run = session.get_one(ImportRun, visit.import_id)
    run.file_name, run.outcome = f"visits-{at:%Y-%m-%d}.csv", "posted"
    visit.external = f"MS-{who.account.removeprefix('C-')}"
    contacts.add_phone(session, practice_id, id_, who.phone, source="desk", now=at)
    consents.record_given(session, practice_id, "sms", address_hash(practice_id, "sms", who.phone), guarantor_id=id_,
                          wording=CONSENT, medium="form", recorded_by="desk", now=at)


def pay_at_desk(session: Session, demo: Demo, who: Person, minor: int, tender: str, reference: str) -> str:
    """Money that Ben took at the desk; returns the payment's id."""
    return payments.record_desk_payment(
        session, demo.stage.practice_id, account_id(who), amount_minor=minor, currency="USD", tender=tender,
        reference=reference, recorded_by="ben", now=demo.stage.clock.now()).id


def was_told(session: Session, demo: Demo, who: Person, at: datetime, purpose: str, step: str = "") -> None:
    """A demand that was delivered then, with the statement that it asked for."""
    practice_id, id_ = demo.stage.practice_id, account_id(who)
    statement = statements.make(session, id_, who.language, at)
    session.add(Outbox(
        id=f"msg_{who.account}_{purpose}", practice_id=practice_id, channel="sms", address=who.phone,
        address_hash=address_hash(practice_id, "sms", who.phone), purpose=purpose,
        template="statement_ready" if purpose == "statement" else "reminder_final", template_version="1",
        language=who.language, privacy="open", arguments={}, body="Your bill is ready.", segments=1,
        idempotency_key=f"{who.account}:{purpose}", status="delivered", due_at=at, created_at=at, sending_at=at,
        settled_at=at, guarantor_id=id_, statement_id=statement.id, step=step or None,
        amount_minor=statement.total_minor))
    session.flush()


def long_overdue(demo: Demo, who: Person) -> None:
    """Told of the bill seven months ago and for the last time three months ago: it may be placed with an agency."""
    settle_in(demo, [who], 312_40, days_ago=215)
    now = demo.stage.clock.now()
    demo.stage.store.write(lambda s: was_told(s, demo, who, now - timedelta(days=214), "statement"))
    demo.stage.store.write(lambda s: was_told(s, demo, who, now - timedelta(days=95), "reminder", "final"))
