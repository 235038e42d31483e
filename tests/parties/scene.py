"""A guarantor who owes for two visits, made with the product's own functions, and texts about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import consents, ledger, outbox
from billing.phones import address_hash
from billing.store.seal import blind, normal_account, normal_name
from billing.store.tables import (
    ContactPoint,
    Conversation,
    Coverage,
    Guarantor,
    ImportRun,
    Inbox,
    Outbox,
    Patient,
    Practice,
    ServiceLine,
    Verdict,
    Visit,
)

PHONE = "+12125550142"
WORDING = "I agree to text messages about my bills from Maple Clinic."
BODY = ("Maple Clinic: You have a new billing message. Read it here: https://pay.example/l/Ab3 Message frequency "
        "varies. Msg & data rates may apply. Reply HELP for help, STOP to stop.")


@dataclass(frozen=True)
class Scene:
    practice_id: str
    guarantor_id: str
    visits: tuple[str, ...]
    conversation_id: str
    hashed: str
    now: datetime


def set_up(practice: Practice, now: datetime, *, name: str = "guar_ann", phone: str = PHONE, region: str = "NY",
           consent: str = WORDING, confirmed: bool = True) -> Callable[[Session], Scene]:
    """Return a function for ``store.write``: $70.00 and $50.00 due, consent to texts, a conversation."""

    def make(session: Session) -> Scene:
        hashed = address_hash(practice.id, "sms", phone)
        scene = Scene(practice.id, name, (f"{name}_v1", f"{name}_v2"), f"conv_{name}", hashed, now)
        _party(session, scene, phone, region, confirmed)
        for visit_id, minor in zip(scene.visits, (7_000, 5_000), strict=True):
            owe(session, scene, visit_id, minor)
        if consent:
            consents.record_given(session, practice.id, "sms", hashed, guarantor_id=name, wording=consent,
                                  medium="form", recorded_by="import", now=now)
        session.add(Conversation(id=scene.conversation_id, practice_id=practice.id, channel="sms", address=phone,
                                 address_hash=address_hash(practice.id, "sms", phone + name), language="en", state={},
                                 created_at=now, tries=0, version=0, language_chosen=False))
        session.flush()
        return scene

    return make


def _party(session: Session, scene: Scene, phone: str, region: str, confirmed: bool) -> None:
    def hashed(kind: str, value: str) -> str:
        return blind(kind, scene.practice_id, value)

    number = f"AC-{scene.guarantor_id}"
    session.add(Guarantor(
        id=scene.guarantor_id, practice_id=scene.practice_id, external=number, name="Ann Lee",
        external_hash=hashed("account", normal_account(number)), surname_hash=hashed("surname", normal_name("Lee")),
        born_on="1980-02-03", born_hash=hashed("born", "1980-02-03"), postal_code="10001", region=region,
        postal_hash=hashed("postal", "10001"), language="en", origin="patients", created_at=scene.now,
        balance_version=0, confirmed_at=scene.now if confirmed else None))
    session.add(ImportRun(id=f"imp_{scene.guarantor_id}", practice_id=scene.practice_id, file_name="a.csv", digest="d",
                          kind="csv", status="finished", options={}, started_by="test", started_at=scene.now,
                          cursor=0, total=0))
    session.flush()
    session.add(Patient(id=f"pat_{scene.guarantor_id}", practice_id=scene.practice_id, given="Ann", name="Ann Lee",
                        guarantor_id=scene.guarantor_id, surname_hash=hashed("surname", "lee"),
                        given_hash=hashed("given", "ann"), created_at=scene.now))
    session.add(ContactPoint(id=f"cp_{scene.guarantor_id}", practice_id=scene.practice_id, channel="sms", address=phone,
                             guarantor_id=scene.guarantor_id, address_hash=scene.hashed, status="ok", source="csv",
                             created_at=scene.now))
    session.flush()


def owe(session: Session, scene: Scene, visit_id: str, minor: int) -> None:
    """A visit whose whole charge the patient owes."""
    session.add(Visit(
        id=visit_id, practice_id=scene.practice_id, guarantor_id=scene.guarantor_id, external=visit_id, ordinal=1,
        patient_id=f"pat_{scene.guarantor_id}", external_hash=blind("account", scene.practice_id, visit_id.upper()),
        origin="charges", kind="csv", version=1, void=False, charge_minor=minor, confidential=False,
        service_from_on=date(2026, 9, 1), import_id=f"imp_{scene.guarantor_id}", created_at=scene.now))
    session.flush()
    session.add(ServiceLine(
        id=f"line_{visit_id}", practice_id=scene.practice_id, visit_id=visit_id, version=1, number=1, position=1,
        procedure_code="G0463", modifiers="", revenue_code="", units="1", charge_minor=minor, control_number="1",
        service_on=date(2026, 9, 1), import_id=f"imp_{scene.guarantor_id}"))
    session.flush()
    ledger.post(session, [ledger.Posting(
        scene.practice_id, ledger.patient(visit_id), ledger.wide("revenue"), minor, "USD", "charge", date(2026, 9, 1),
        "csv", f"{visit_id}:charge", guarantor_id=scene.guarantor_id, visit_id=visit_id,
        service_line_id=f"line_{visit_id}")], scene.now)


def await_payer(session: Session, scene: Scene, visit_id: str) -> None:
    session.add(Coverage(id=f"cov_{visit_id}", practice_id=scene.practice_id, visit_id=visit_id, rank=1,
                         payer_name="Acme", payer_id="1", filing_code="CI", status="pending",
                         import_id=f"imp_{scene.guarantor_id}", claim_of_record=""))
    session.flush()


def wrote(session: Session, scene: Scene, now: datetime, **payload: Any) -> int:
    """The patient's text in the inbox; return its row's id."""
    row = Inbox(practice_id=scene.practice_id, source="sms", external_id=f"SM{now.timestamp()}{len(payload)}",
                kind="message", thread="t", payload={"body": "hi", **payload}, status="done", received_at=now,
                due_at=now, attempts=1)
    session.add(row)
    talk = session.get(Conversation, scene.conversation_id)
    assert talk is not None
    talk.last_inbound_at = now
    session.flush()
    return row.id


def version(session: Session, scene: Scene) -> int:
    row = session.get(Guarantor, scene.guarantor_id)
    assert row is not None
    session.refresh(row)
    return row.balance_version


def text(session: Session, scene: Scene, now: datetime, key: str, **changes: Any) -> Outbox:
    """Queue a text through the gate; a statement of all that is due unless ``changes`` say otherwise."""
    values: dict[str, Any] = {
        "practice_id": scene.practice_id, "channel": "sms", "address": PHONE, "address_hash": scene.hashed,
        "purpose": "statement", "template": "statement_ready", "template_version": "1", "language": "en",
        "privacy": "open", "body": BODY, "segments": 2, "idempotency_key": key, "guarantor_id": scene.guarantor_id,
        "conversation_id": scene.conversation_id}
    if changes.get("purpose", "statement") in ("statement", "reminder"):
        values |= {"amount_minor": 12_000, "balance_version": version(session, scene)}
    return outbox.put(session, outbox.Draft(**(values | changes)), now)


def verdict(session: Session, row: Outbox) -> Verdict:
    from billing.store import facts

    return facts.verdicts_of(session, row.id)[-1]
