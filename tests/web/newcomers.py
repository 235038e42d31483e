"""Accounts of any practice with one self-pay visit each."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from billing import ledger
from billing.store.seal import blind, normal_account, normal_name
from billing.store.tables import Guarantor, ImportRun, Patient, ServiceLine, Visit

OWED_MINOR = 145_50


def add(session: Session, practice: str, number: str, language: str, now: datetime,
        owed_minor: int = OWED_MINOR) -> str:
    """Somebody born on 1976-02-29 in ZIP 10001 who owes ``owed_minor`` cents; returns the account's id."""
    account_id, on = f"acct_{number}", (now - timedelta(days=40)).date()
    hashed = blind("account", practice, normal_account(number))
    session.add(ImportRun(id=f"imp_{number}", practice_id=practice, file_name="x.csv", digest=number, kind="csv",
                          status="finished", options={}, cursor=0, total=0, started_by="ana", started_at=now))
    session.add(Guarantor(
        id=account_id, practice_id=practice, external=number, external_hash=hashed, name="Rivera, Alex",
        surname_hash=blind("surname", practice, normal_name("Rivera")), born_on="1976-02-29",
        born_hash=blind("born", practice, "1976-02-29"), postal_code="10001",
        postal_hash=blind("postal", practice, "10001"), address="1 Elm St, New York, NY", region="NY",
        language=language, origin="patients", confirmed_at=now, confirmed_by="ana", balance_version=0,
        created_at=now))
    session.flush()
    session.add(Patient(
        id=f"pat_{number}", practice_id=practice, guarantor_id=account_id, external=number, external_hash=hashed,
        name="Rivera, Alex", given="Alex", surname_hash=blind("surname", practice, "rivera"),
        given_hash=blind("given", practice, "alex"), created_at=now))
    session.flush()
    _visit(session, practice, account_id, number, on, owed_minor)
    return account_id


def _visit(session: Session, practice: str, account_id: str, number: str, on: date, owed_minor: int) -> None:
    """The whole charge is the patient's."""
    visit_id, now = f"visit_{number}", session.get_one(Guarantor, account_id).created_at
    session.add(Visit(
        id=visit_id, practice_id=practice, guarantor_id=account_id, patient_id=f"pat_{number}", external=visit_id,
        external_hash=blind("account", practice, visit_id), origin="charges", kind="csv", charge_minor=owed_minor,
        service_from_on=on, import_id=f"imp_{number}", created_at=now))
    session.flush()
    session.add(ServiceLine(
        id=f"line_{number}", practice_id=practice, visit_id=visit_id, version=1, number=1, procedure_code="99213",
        modifiers="", revenue_code="", units="1", charge_minor=owed_minor, service_on=on, control_number="1",
        words="Office visit", position=1, import_id=f"imp_{number}"))
    session.flush()
    ledger.post(session, [ledger.Posting(
        practice, ledger.patient(visit_id), ledger.wide("revenue"), owed_minor, "USD", "charge", on, "csv",
        f"charge:{visit_id}", account_id, visit_id, service_line_id=f"line_{number}")], now)
