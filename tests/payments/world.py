"""A self-pay account with two visits, and what tests ask about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing import ledger, methods, saved_charges
from billing.commands import ChargeSavedCard
from billing.payment_requests import RequestContext
from billing.store.seal import blind, normal_account, normal_name
from billing.store.tables import (
    Case,
    Conversation,
    Guarantor,
    ImportRun,
    Inbox,
    LedgerAccount,
    Patient,
    Payment,
    ServiceLine,
    Transfer,
    Visit,
)
from billing.threads import of_hash
from config.practice import PracticePolicy

PRACTICE = "prac_maple"
ANNA = "acct_anna"
TALK = "conv_anna"
OLD, NEW = "visit_old", "visit_new"
OLD_MINOR, NEW_MINOR = 10_000, 4_550


@dataclass(frozen=True)
class Event:
    """A processor's event, as bot/processors/base.py shapes it."""

    kind: str
    payment_id: str | None
    amount_minor: int = 0
    currency: str = "USD"
    session_ref: str = ""
    processor_ref: str = "pi_1"
    reason: str = ""
    occurred_at: datetime = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
    method: Card | None = None
    setup_id: str | None = None
    refund_id: str | None = None
    refund_ref: str = ""
    dispute_ref: str = ""
    evidence_due_at: datetime | None = None
    fee_minor: int = 0
    next_url: str = ""
    tender: str = ""
    inquiry: bool = False


@dataclass(frozen=True)
class Card:
    """A kept card, as bot/processors/base.py's SavedMethod."""

    customer_ref: str = "cus_1"
    method_ref: str = "pm_1"
    kind: str = "card"
    brand: str = "visa"
    last4: str = "4242"
    expires_on: date | None = date(2028, 2, 29)


def account(session: Session, account_id: str, number: str, now: datetime, *, confirmed: bool = True) -> None:
    """An account with its patient; born 1976-02-29, ZIP 10001."""
    session.add(Guarantor(
        id=account_id, practice_id=PRACTICE, external=number, external_hash=_hash(number), name="Rivera, Anna",
        surname_hash=blind("surname", PRACTICE, normal_name("Rivera")), born_on="1976-02-29",
        born_hash=blind("born", PRACTICE, "1976-02-29"), postal_code="10001",
        postal_hash=blind("postal", PRACTICE, "10001"), address="1 Elm St", region="NY", language="en",
        origin="patients", confirmed_at=now if confirmed else None, confirmed_by="ana", balance_version=0,
        created_at=now))
    session.flush()
    session.add(Patient(
        id=f"pat_{number}", practice_id=PRACTICE, guarantor_id=account_id, external=number, external_hash=_hash(number),
        name="Rivera, Anna", given="Anna", surname_hash=blind("surname", PRACTICE, "rivera"),
        given_hash=blind("given", PRACTICE, "anna"), created_at=now))
    session.flush()


def visit(session: Session, visit_id: str, account_id: str, number: str, on: date, amount_minor: int,
          now: datetime) -> None:
    """A self-pay visit: the whole charge is the patient's."""
    if session.get(ImportRun, "imp_1") is None:
        session.add(ImportRun(id="imp_1", practice_id=PRACTICE, file_name="x.csv", digest="0", kind="csv",
                              status="finished", options={}, cursor=0, total=0, started_by="ana", started_at=now))
        session.flush()
    session.add(Visit(
        id=visit_id, practice_id=PRACTICE, guarantor_id=account_id, patient_id=f"pat_{number}", external=visit_id,
        external_hash=_hash(visit_id), origin="charges", kind="csv", charge_minor=amount_minor, service_from_on=on,
        import_id="imp_1", created_at=now))
    session.flush()
    session.add(ServiceLine(
        id=f"line_{visit_id}", practice_id=PRACTICE, visit_id=visit_id, version=1, number=1, procedure_code="99213",
        modifiers="", revenue_code="", units="1", charge_minor=amount_minor, service_on=on, control_number="1",
        words="Office visit", position=1, import_id="imp_1"))
    session.flush()
    ledger.post(session, [ledger.Posting(
        PRACTICE, ledger.patient(visit_id), ledger.wide("revenue"), amount_minor, "USD", "charge", on, "csv",
        f"charge:{visit_id}", account_id, visit_id, service_line_id=f"line_{visit_id}")], now)


def anna(session: Session, now: datetime) -> None:
    """Anna owes $100.00 for January and $45.50 for June, and has a conversation."""
    account(session, ANNA, "A1", now)
    visit(session, OLD, ANNA, "A1", date(2026, 1, 5), OLD_MINOR, now)
    visit(session, NEW, ANNA, "A1", date(2026, 6, 5), NEW_MINOR, now)
    session.add(Conversation(id=TALK, practice_id=PRACTICE, channel="sms", address="+12125550123",
                             address_hash="hash", language="en", state={}, guarantor_id=ANNA, created_at=now))
    session.flush()


def _hash(number: str) -> str:
    return blind("account", PRACTICE, normal_account(number))


def version(session: Session, account_id: str = ANNA) -> int:
    return session.scalars(select(Guarantor.balance_version).where(Guarantor.id == account_id)).one()


def balances(session: Session) -> dict[str, int]:
    """Anna's balances and the cash that came in, in cents; zeros left out. Credit is positive here."""
    cash = list(session.scalars(select(LedgerAccount.key).where(LedgerAccount.key.startswith("cash:"))))
    found = {
        "old": ledger.balance(session, PRACTICE, ledger.patient(OLD)),
        "new": ledger.balance(session, PRACTICE, ledger.patient(NEW)),
        "credit": -ledger.balance(session, PRACTICE, ledger.credit(ANNA)),
        "payable": ledger.balance(session, PRACTICE, ledger.wide("refunds_payable")),
        **{key: ledger.balance(session, PRACTICE, ledger.wide(key)) for key in cash},
    }
    return {name: amount for name, amount in found.items() if amount}


def payment(session: Session, payment_id: str) -> Payment:
    return session.get_one(Payment, payment_id)


def cases(session: Session) -> list[str]:
    return list(session.scalars(select(Case.kind).order_by(Case.number)))


def news(session: Session) -> list[tuple[str, Any]]:
    """(kind, reason) of what the patient is told, in order; every row is in the conversation's lane."""
    rows = session.scalars(select(Inbox).where(Inbox.source == "event").order_by(Inbox.id)).all()
    assert all(row.thread == of_hash(PRACTICE, "sms", "hash") for row in rows)
    return [(row.payload["kind"], row.payload["data"]["reason"]) for row in rows]


def transfers(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Transfer)) or 0


def card(session: Session, now: datetime, method_ref: str = "pm_1") -> str:
    """Anna's card on file."""
    return methods.keep(session, PRACTICE, ANNA, Card(method_ref=method_ref), now).id


def yes(session: Session, now: datetime, card_id: str, split: tuple[tuple[str, int], ...] = ((OLD, OLD_MINOR),), *,
        message: str = "inbox:9", policy: PracticePolicy) -> Payment:
    """Anna says yes, in the thread, to being charged."""
    command = ChargeSavedCard(ANNA, card_id, sum(m for _, m in split), split, version(session), "en",
                              "Charge your Visa ending in 4242 $100.00 today?", "1")
    return saved_charges.by_yes(session, command, RequestContext(PRACTICE, policy, now, TALK, message))
