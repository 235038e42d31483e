"""For each rule about messages a small world, made on a real store, in which it alone keeps a message back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from billing import carrier_caps, consents, holds, ledger, preferences
from billing.hold_kinds import KINDS
from billing.phones import address_hash
from billing.store import consent_queries, window_queries
from billing.store.tables import (
    Campaign,
    ContactPoint,
    Conversation,
    Guarantor,
    ImportRun,
    Instalment,
    Outbox,
    Payment,
    Plan,
    PlanVisit,
    Segment,
    Visit,
)
from tests.conftest import maple_clinic
from tests.parties import scene as made
from tests.parties.scene import BODY, Scene, text

NIGHT = datetime(2026, 11, 4, 8, 0, tzinfo=UTC)  # 03:00 in New York
EMAIL = "ann@example.org"
COLLECTOR = "This is a debt collector attempting to collect a debt. Information you give us is used for that purpose."
WAY_OUT = "You can unsubscribe from these e-mails."

Prepare = Callable[[Session, Scene, datetime], None]


def _nothing(session: Session, scene: Scene, now: datetime) -> None:
    """The world as it is."""


@dataclass(frozen=True)
class World:
    """``prepare`` changes the scene; ``message`` the statement. ``answers``: it answers a text of a moment ago.
    ``beside``: rules that keep the same message back on purpose, turned off from the start.
    """

    prepare: Prepare = _nothing
    message: Mapping[str, Any] = field(default_factory=dict)
    scene: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] | None = None
    at: datetime | None = None
    one_way: bool = False
    beside: tuple[str, ...] = ()


def put(session: Session, world: World, scene: Scene, now: datetime, key: str) -> Outbox:
    """Queue the message under ``key``."""
    changes = dict(world.message)
    if world.answers is not None:
        told_apart = {f"part_{number}": "" for number in range(len(key))}
        changes["reply_to"] = made.wrote(session, scene, now, **told_apart, **world.answers)
    if changes.get("channel") == "email":
        changes = {"address": EMAIL, "address_hash": address_hash(scene.practice_id, "email", EMAIL),
                   "subject": "A message", "conversation_id": None, **changes}
    return text(session, scene, now, key, **changes)


def _row(session: Session, scene: Scene) -> Guarantor:
    return session.get_one(Guarantor, scene.guarantor_id)


def _revoke(session: Session, scene: Scene, now: datetime) -> None:
    consents.record_revoked(session, scene.practice_id, "sms", scene.hashed, wording="stop", medium="text",
                            recorded_by="patient", now=now)


def _confirmed_already(session: Session, scene: Scene, now: datetime) -> None:
    _revoke(session, scene, now)
    row = text(session, scene, now, "first", purpose="stop_confirmation", body="Bye.",
               reply_to=made.wrote(session, scene, now))
    row.status, row.sending_at = "sent", now
    session.flush()


def _status(status: str) -> Prepare:
    def mark(session: Session, scene: Scene, now: datetime) -> None:
        consent_queries.set_contact_status(session, scene.practice_id, scene.hashed, status)

    return mark


def _verified(session: Session, scene: Scene, now: datetime) -> None:
    talk = session.get_one(Conversation, scene.conversation_id)
    talk.guarantor_id, talk.verified_at, talk.last_inbound_at = scene.guarantor_id, now, now
    session.flush()


def _detail(session: Session, scene: Scene, now: datetime) -> None:
    consents.record_detail(session, scene.practice_id, "sms", scene.hashed, guarantor_id=scene.guarantor_id,
                           allowed=True, wording="detail_warning 1", recorded_by="patient", now=now)


def _verified_long_ago(session: Session, scene: Scene, now: datetime) -> None:
    _verified(session, scene, now - timedelta(minutes=16))
    _detail(session, scene, now)


def _day_used_up(session: Session, scene: Scene, now: datetime) -> None:
    caps = maple_clinic().carrier
    for window in carrier_caps.windows(caps, practice_id=scene.practice_id, number=maple_clinic().sms_number or "",
                                       carrier="", segments=2, now=now):
        window_queries.take(session, scene.practice_id, window.key, window.begins_at, window.limit, None)


def _stopped_campaign(session: Session, scene: Scene, now: datetime) -> None:
    session.add(Segment(id="seg_1", practice_id=scene.practice_id, name="all", version=1, definition={},
                        created_by="b", created_at=now))
    session.flush()
    session.add(Campaign(id="camp_1", practice_id=scene.practice_id, number=1, name="november", segment_id="seg_1",
                         purpose="statement", template="statement_ready", ways=["sms"], status="stopped",
                         created_by="b", created_at=now))
    session.flush()


def _wish(kind: str, value: Mapping[str, Any]) -> Prepare:
    def wish(session: Session, scene: Scene, now: datetime) -> None:
        preferences.record(session, scene.practice_id, "sms", scene.hashed, kind=kind, value=value, now=now,
                           wording="as they said", recorded_by="patient", guarantor_id=scene.guarantor_id)

    return wish


def _collected(session: Session, scene: Scene, now: datetime) -> None:
    """A collector's account whose validation notice left ninety days ago."""
    _row(session, scene).capacity = "collector"
    session.flush()
    row = text(session, scene, now - timedelta(days=90), "validation", channel="paper", template="validation_notice",
               purpose="notice", body=COLLECTOR)
    row.status, row.sending_at = "sent", now - timedelta(days=90)
    session.flush()


def _collected_by_attorney(session: Session, scene: Scene, now: datetime) -> None:
    _collected(session, scene, now)
    _hold("attorney")(session, scene, now)


def _not_validated(session: Session, scene: Scene, now: datetime) -> None:
    _row(session, scene).capacity = "collector"
    session.flush()


def _at_work(session: Session, scene: Scene, now: datetime) -> None:
    session.add(ContactPoint(id="cp_work", practice_id=scene.practice_id, channel="email", address=EMAIL,
                             guarantor_id=scene.guarantor_id, status="ok", source="csv", created_at=now, at_work=True,
                             address_hash=address_hash(scene.practice_id, "email", EMAIL)))
    session.flush()


def _hold(kind: str) -> Prepare:
    """Of the whole account, or of ten dollars of a visit where a hold of this kind lies on a visit."""
    def place(session: Session, scene: Scene, now: datetime) -> None:
        on_visit = KINDS[kind].scope == "visit"
        holds.place(session, practice_id=scene.practice_id, guarantor_id=scene.guarantor_id, kind=kind,
                    reason="as asked", source="test", placed_by="ann", now=now,
                    visit_id=scene.visits[0] if on_visit else None, amount_minor=1_000 if on_visit else None)

    return place


def _held(kind: str) -> World:
    """What is held as a whole is not due, either: both say so."""
    if KINDS[kind].scope == "visit":
        return World(_hold(kind), {"amount_minor": 11_000 if KINDS[kind].not_due else 12_000})
    return World(_hold(kind), beside=_NOT_DUE if KINDS[kind].not_due else ())


def _confidential(session: Session, scene: Scene, now: datetime) -> None:
    session.execute(update(Visit).values(confidential=True))


def _page_open(session: Session, scene: Scene, now: datetime) -> None:
    session.add(Payment(
        id="pay_1", practice_id=scene.practice_id, guarantor_id=scene.guarantor_id, amount_minor=7_000,
        refunded_minor=0, currency="USD", processor="stripe", tender="card", status="pending", instruction=[],
        balance_version=0, language="en", idempotency_key="k", attempt=1, recorded_by="patient", created_at=now,
        session_ref="cs_1", link_expires_at=now + timedelta(minutes=30)))
    session.flush()


def _pending(session: Session, scene: Scene, now: datetime) -> None:
    for visit_id in scene.visits:
        made.await_payer(session, scene, visit_id)


def _post(session: Session, scene: Scene, debit: ledger.Account, credit: ledger.Account, minor: int, code: str,
          now: datetime, visit_id: str | None = None) -> None:
    ledger.post(session, [ledger.Posting(
        scene.practice_id, debit, credit, minor, "USD", code, date(2026, 10, 1), "csv", f"{code}:{visit_id}",
        guarantor_id=scene.guarantor_id, visit_id=visit_id)], now)


def _below_zero(session: Session, scene: Scene, now: datetime) -> None:
    """A third visit whose payer has to answer, and more was paid on it than was charged."""
    made.owe(session, scene, "visit_3", 1_000)
    made.await_payer(session, scene, "visit_3")
    _post(session, scene, ledger.wide("cash:manual:cash"), ledger.patient("visit_3"), 3_000, "patient_payment", now,
          "visit_3")


def _paid(session: Session, scene: Scene, now: datetime) -> None:
    for visit_id, minor in zip(scene.visits, (7_000, 5_000), strict=True):
        _post(session, scene, ledger.wide("cash:manual:cash"), ledger.patient(visit_id), minor, "patient_payment", now,
              visit_id)


def _on_plan(session: Session, scene: Scene, now: datetime) -> None:
    """Everything is on a plan whose first instalment is still to come."""
    session.add(Plan(
        id="plan_1", practice_id=scene.practice_id, number=1, guarantor_id=scene.guarantor_id, currency="USD",
        status="active", total_minor=12_000, interval="month", days=[], first_on=date(2026, 12, 1), collects="link",
        balance_version=1, language="en", offered_by="patient", offered_at=now, offer_ends_at=now,
        idempotency_key="plan_1"))
    session.flush()
    session.add_all(PlanVisit(plan_id="plan_1", practice_id=scene.practice_id, visit_id=visit_id, agreed_minor=minor)
                    for visit_id, minor in zip(scene.visits, (7_000, 5_000), strict=True))
    session.add_all(Instalment(
        plan_id="plan_1", practice_id=scene.practice_id, number=number, amount_minor=6_000, agreed_minor=6_000,
        paid_minor=0, status="planned", due_on=due_on)
        for number, due_on in enumerate((date(2026, 12, 1), date(2027, 1, 1)), 1))
    session.flush()


def _credit(session: Session, scene: Scene, now: datetime) -> None:
    _post(session, scene, ledger.wide("cash:manual:cash"), ledger.credit(scene.guarantor_id), 500, "patient_payment",
          now)


def _import_running(session: Session, scene: Scene, now: datetime) -> None:
    session.add(ImportRun(id="imp_running", practice_id=scene.practice_id, file_name="b.835", digest="e", kind="835",
                          status="posting", options={}, started_by="test", started_at=now))
    session.flush()


def _left(purpose: str, *ages: timedelta) -> Prepare:
    """Messages to the same address that left so long ago."""
    def leave(session: Session, scene: Scene, now: datetime) -> None:
        for number, age in enumerate(ages):
            row = text(session, scene, now - age, f"before {number}", purpose=purpose)
            row.status, row.sending_at = "delivered", now - age
        session.flush()

    return leave


_NOT_DUE = ("nothing-due", "balance-moved")
_REPLY = {"purpose": "reply", "body": "You owe $120.00 now.", "privacy": "amounts"}
_PLAIN = {"purpose": "reply", "body": "Thank you."}
_SIGNED = {"baa_signed": ["twilio"]}
_DAYS = tuple(timedelta(days=days) for days in (6, 4, 2))
_COLLECTORS = {"channel": "email", "body": f"{COLLECTOR} {WAY_OUT}"}

WORLDS: dict[str, World] = {
    "restored-copy": World(policy={"sending": "restored"}, beside=("sending-mode",)),
    "T-01": World(scene={"consent": ""}),
    "T-03": World(_revoke),
    "T-04": World(_revoke, _PLAIN, answers={}),
    "T-05": World(_confirmed_already, {"purpose": "stop_confirmation", "body": "Bye."}, answers={}),
    "T-07": World(one_way=True),
    "T-08": World(at=NIGHT),
    "T-12": World(message={"purpose": "help", "body": BODY}, answers={"carrier_keyword": "HELP"}),
    "T-14": World(message={"body": "Maple Clinic: You have a new billing message. https://pay.example/l/Ab3"}),
    "T-15": World(_collected, {"body": f"{BODY} {COLLECTOR}"}),
    "T-16": World(_day_used_up),
    "T-17": World(message={"body": f"{BODY} https://bit.ly/x"}),
    "T-19": World(message={**_PLAIN, "channel": "telegram", "address": "2125550142"}, answers={}),
    "T-21": World(_wish("hours", {"days": [0, 1, 2, 3, 4, 5, 6], "spans": [["18:00", "24:00"]]})),
    "T-21:outer": World(_collected, {**_COLLECTORS, "purpose": "notice"}, at=NIGHT, beside=("T-08",)),
    "T-22": World(message={"channel": "email", "body": "You have a new billing message."}),
    "T-23": World(_collected_by_attorney, {**_COLLECTORS, "purpose": "notice"}),
    "T-24": World(_at_work, {"channel": "email", "body": WAY_OUT}),
    "T-26": World(_collected, {"channel": "email", "body": WAY_OUT}),
    "T-28": World(_not_validated, _COLLECTORS),
    "T-30": World(message={"body": f"{BODY} Or we file a lawsuit."}),
    "T-32": World(_detail, _REPLY, policy=_SIGNED, answers={}),
    "T-33": World(message={"privacy": "amounts"}, policy=_SIGNED),
    "T-34": World(_verified_long_ago, _REPLY, policy=_SIGNED),
    "T-35": World(_status("wrong_number"), _PLAIN, answers={}),
    "T-37": World(_detail, {"privacy": "amounts"}),
    "T-39": World(message={"body": f"{BODY} AC-guar_ann"}),
    "T-46": World(message={"body": f"{BODY} We tell the credit bureau."}),
    "T-52": World(message={"body": f"{BODY} 4111 1111 1111 1111"}),
    "T-57": _held("qmb"),
    "campaign-state": World(_stopped_campaign, {"campaign_id": "camp_1"}),
    "guarantor-unconfirmed": World(scene={"confirmed": False}),
    "unreachable": World(_status("unreachable")),
    "minor-confidential": World(_confidential),
    "language-unmet": World(message={"language": "es"}),
    "stale-ledger": World(policy={"ledger_of_record": "other"}),
    "payment-pending": World(_page_open),
    "negative-pending": World(_below_zero),
    "insurance-pending": World(_pending, beside=_NOT_DUE),
    "credit-elsewhere": World(_credit),
    "plan-current": World(_on_plan, {"amount_minor": 0}, beside=("nothing-due",)),
    "nothing-due": World(_paid, {"amount_minor": 0}),
    "balance-moved": World(message={"amount_minor": 13_000}),
    "unfinished-import": World(_import_running),
    "confidential-contact": World(_wish("confidential", {"on": True})),
    "asked-another-way": World(_wish("way", {"way": "paper", "only": True})),
    "sending-mode": World(policy={"sending": "off"}),
    "household-frequency": World(_left("notice", *_DAYS)),
    "between-demands": World(_left("statement", timedelta(days=4))),
    **{f"hold:{kind.name}": _held(kind.name) for kind in KINDS.values()
       if kind.stops_demand and kind.name != "qmb"},
}
