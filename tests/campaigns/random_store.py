"""Stores made by chance: accounts with everything that the gate looks at, in all mixtures."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing.hold_kinds import KINDS
from billing.phones import address_hash, line_of
from billing.store.seal import blind, normal_account
from billing.store.standing_queries import ON_PLAN
from billing.store.tables import (
    Campaign,
    Consent,
    ContactPoint,
    Conversation,
    Coverage,
    Guarantor,
    Hold,
    ImportRun,
    Inbox,
    Instalment,
    LedgerAccount,
    Outbox,
    Patient,
    Payment,
    Plan,
    PlanVisit,
    Preference,
    Segment,
    SendWindow,
    Transfer,
    Visit,
)
from tests.parties.scene import WORDING

PHONES = ["+12125550142", "+13125550143", "+13035550144", "+13105550145", "+18085550146", "+18005550147",
          "+19075550148", "+16025550149", "+447911123456", "+12085550150"]
PLACES = [("NY", "10001", "America/New_York"), ("TX", "79901", "America/Denver"), ("FL", "32501", None),
          ("AZ", "86001", None), (None, None, None), ("HI", "96801", "Pacific/Honolulu"), ("OR", None, "Nowhere/Land"),
          (None, "60601-1234", None), ("CA", "10001", None)]
CHANNELS = ["sms", "sms", "sms", "telegram", "email", "paper", "console"]


class Maker:
    """Adds rows for one practice; every choice comes from ``chance``."""

    def __init__(self, session: Session, practice_id: str, chance: random.Random, now: datetime) -> None:
        self.session, self.practice_id, self.chance, self.now = session, practice_id, chance, now
        self.count = 0

    def id(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_{self.practice_id[-4:]}{self.count:05}"

    def add(self, *rows: Any) -> None:
        self.session.add_all(rows)
        self.session.flush()  # in the order of the calls: the keys between these tables are no relationships

    def maybe(self, percent: int) -> bool:
        return self.chance.random() * 100 < percent

    def earlier(self, hours: int) -> datetime:
        return self.now - timedelta(minutes=self.chance.randint(0, hours * 60))

    def address(self, channel: str) -> tuple[str, str]:
        """Few addresses for many accounts: households, shared and foreign numbers."""
        number = self.chance.choice(PHONES)
        address = {"telegram": number[-6:], "email": f"a{number[-3:]}@mail.example", "paper": f"{number[-2:]} Elm St"}
        found = address.get(channel, number)
        return found, address_hash(self.practice_id, channel, found)


def fill(practice_id: str, seed: int, accounts: int, now: datetime, *, plain: int = 0,
         ) -> Callable[[Session], list[str]]:
    """Return a function for ``store.write`` that adds accounts and returns their ids; ``plain`` of a hundred of them
    owe, agreed to texts and have nothing odd about them.
    """

    def work(session: Session) -> list[str]:
        maker = Maker(session, practice_id, random.Random(seed), now)
        _imports(maker)
        maker.add(Segment(id=f"seg_{practice_id}", practice_id=practice_id, name="all", version=1, definition={},
                          created_by="test", created_at=now))
        for number, status in enumerate(("sending", "paused", "stopped", "draft"), 1):
            maker.add(Campaign(
                id=f"camp_{status}_{practice_id}", practice_id=practice_id, number=number, name="x",
                segment_id=f"seg_{practice_id}", purpose="statement", template="statement_ready", ways=["sms"],
                status=status, created_by="test", created_at=now))
        odd = [_account(maker) for _ in range(accounts * (100 - plain) // 100)]
        for guarantor_id in odd:
            _history(maker, guarantor_id)
        ids = odd + [_plain(maker) for _ in range(accounts - len(odd))]
        _talks(maker)
        _windows(maker)
        return ids

    return work


def _imports(maker: Maker) -> None:
    for name, status in (("done", "finished"), ("open", "posting" if maker.maybe(40) else "undone")):
        maker.add(ImportRun(id=f"imp_{name}_{maker.practice_id}", practice_id=maker.practice_id, file_name="a.csv",
                            digest=name, kind="csv", status=status, options={}, started_by="test",
                            started_at=maker.now, cursor=0, total=0))
    maker.add(LedgerAccount(practice_id=maker.practice_id, key="revenue", kind="revenue", practice_wide=True))


def _account(maker: Maker) -> str:
    chance, guarantor_id = maker.chance, maker.id("gua")
    region, postal, zone = chance.choice(PLACES)
    external = chance.choice([f"AC-{guarantor_id}", "10001", "STOP", "555-0199", f"{maker.count}", "Ab3", "2125550199"])
    external = f"{external}" if maker.maybe(70) else f"{external}x{maker.count}"
    known = blind("account", maker.practice_id, normal_account(external))
    if maker.session.query(Guarantor).filter_by(practice_id=maker.practice_id, external_hash=known).first():
        external = f"AC-{guarantor_id}"
        known = blind("account", maker.practice_id, normal_account(external))
    maker.add(Guarantor(
        id=guarantor_id, practice_id=maker.practice_id, external=external, external_hash=known, name="Ann Lee",
        surname_hash="lee", postal_code=postal, postal_hash=postal and blind("postal", maker.practice_id, postal),
        region=region, zone=zone, language=chance.choice(["en", "es", "en", "fr"]), origin="patients",
        confirmed_at=maker.now if maker.maybe(85) else None, balance_version=chance.randint(0, 9),
        capacity=chance.choice(["creditor", "creditor", "collector"]), created_at=maker.now,
        defaulted_on=date(2026, 5, 1) if maker.maybe(20) else None,
        obtained_on=chance.choice([None, None, date(2026, 4, 1), date(2026, 6, 1)])))
    maker.add(Patient(id=maker.id("pat"), practice_id=maker.practice_id, guarantor_id=guarantor_id, name="Ann Lee",
                      given="Ann", surname_hash="lee", given_hash="ann", created_at=maker.now))
    _points(maker, guarantor_id)
    visits = [_visit(maker, guarantor_id) for _ in range(chance.randint(0, 3))]
    _holds(maker, guarantor_id, visits)
    _plan(maker, guarantor_id, visits)
    _money(maker, guarantor_id)
    return guarantor_id


def _plain(maker: Maker) -> str:
    """A number of its own, a complete consent, an introduction that left a month ago, one visit that is due."""
    guarantor_id, practice_id = maker.id("gua"), maker.practice_id
    region, postal, zone = maker.chance.choice(PLACES[:3])
    number = f"+1{maker.chance.choice(['212', '214', '850'])}{2_000_000 + maker.count}"
    hashed = address_hash(practice_id, "sms", number)
    maker.add(Guarantor(
        id=guarantor_id, practice_id=practice_id, external=guarantor_id, external_hash=guarantor_id, name="Ann Lee",
        surname_hash="lee", postal_code=postal, region=region, zone=zone, language=maker.chance.choice(["en", "es"]),
        origin="patients", confirmed_at=maker.now, balance_version=1, created_at=maker.now))
    maker.add(Patient(id=maker.id("pat"), practice_id=practice_id, guarantor_id=guarantor_id, name="Ann Lee",
                      given="Ann", surname_hash="lee", given_hash="ann", created_at=maker.now))
    point = ContactPoint(id=maker.id("cp"), practice_id=practice_id, guarantor_id=guarantor_id, channel="sms",
                         address=number, address_hash=hashed, status="ok", source="test", created_at=maker.now,
                         carrier=maker.chance.choice(["", "tmobile"]))
    maker.add(point, Consent(
        practice_id=practice_id, guarantor_id=guarantor_id, channel="sms", address_hash=hashed, event="given",
        purpose="texts", wording=WORDING, medium="form", recorded_by="test", at=maker.now))
    visit_id = maker.id("visit")
    patient = maker.session.query(Patient.id).filter_by(guarantor_id=guarantor_id).scalar()
    maker.add(Visit(
        id=visit_id, practice_id=practice_id, guarantor_id=guarantor_id, patient_id=patient, external=visit_id,
        external_hash=visit_id, origin="charges", kind="csv", charge_minor=9_000, confidential=False,
        service_from_on=date(2026, 9, 1), import_id=f"imp_done_{practice_id}", created_at=maker.now))
    maker.add(LedgerAccount(practice_id=practice_id, key=f"patient:{visit_id}", kind="patient", visit_id=visit_id,
                            practice_wide=False, balance_minor=maker.chance.randint(1_000, 20_000)))
    return guarantor_id


def _points(maker: Maker, guarantor_id: str) -> None:
    seen = set()
    for _ in range(maker.chance.choice([0, 1, 1, 1, 2, 3])):
        channel = maker.chance.choice(CHANNELS)
        address, hashed = maker.address(channel)
        if (channel, hashed) in seen:
            continue
        seen.add((channel, hashed))
        maker.add(ContactPoint(
            id=maker.id("cp"), practice_id=maker.practice_id, guarantor_id=guarantor_id, channel=channel,
            address=address, address_hash=hashed, source="test", created_at=maker.earlier(900),
            status=maker.chance.choice(["ok", "ok", "ok", "wrong_number", "unreachable", "returned", "unlinked"]),
            carrier=maker.chance.choice(["", "att", "tmobile", "verizon", "other"]), at_work=maker.maybe(15),
            reassigned_checked_on=maker.now.date() - timedelta(days=9) if maker.maybe(30) else None))


def _visit(maker: Maker, guarantor_id: str) -> str:
    chance, visit_id, practice_id = maker.chance, maker.id("visit"), maker.practice_id
    patient = maker.session.query(Patient.id).filter_by(guarantor_id=guarantor_id).scalar()
    maker.add(Visit(
        id=visit_id, practice_id=practice_id, guarantor_id=guarantor_id, patient_id=patient, external=visit_id,
        external_hash=visit_id, origin="charges", kind="csv", charge_minor=9_000, confidential=maker.maybe(10),
        service_from_on=chance.choice([None, date(2026, 9, 1), date(2026, 8, 1), date(2026, 9, 1)]),
        import_id=f"imp_done_{practice_id}", created_at=maker.now))
    for rank in range(1, chance.choice([1, 2, 3])):
        maker.add(Coverage(id=maker.id("cov"), practice_id=practice_id, visit_id=visit_id, rank=rank, payer_name="Acme",
                           payer_id="1", filing_code="CI", import_id=f"imp_done_{practice_id}",
                           status=chance.choice(["answered", "answered", "pending", "closed", "denied"])))
    if maker.maybe(90):
        balance = LedgerAccount(practice_id=practice_id, key=f"patient:{visit_id}", kind="patient", visit_id=visit_id,
                                practice_wide=False, balance_minor=chance.choice([0, 5_000, 12_345, -700, 99]))
        maker.add(balance)
        _posting(maker, balance.id, visit_id, guarantor_id)
    return visit_id


def _posting(maker: Maker, account_id: int, visit_id: str, guarantor_id: str) -> None:
    revenue = maker.session.query(LedgerAccount.id).filter_by(practice_id=maker.practice_id, key="revenue").scalar()
    run = f"imp_{'open' if maker.maybe(15) else 'done'}_{maker.practice_id}"
    maker.add(Transfer(
        practice_id=maker.practice_id, debit_id=account_id, credit_id=revenue, amount_minor=100, currency="USD",
        code="charge", effective_on=date(2026, 9, 1), posted_at=maker.now, source="csv", source_ref=visit_id,
        guarantor_id=guarantor_id, visit_id=visit_id, reason="", import_id=run))


def _holds(maker: Maker, guarantor_id: str, visits: list[str]) -> None:
    for _ in range(maker.chance.choice([0, 0, 0, 1, 2])):
        kind = KINDS[maker.chance.choice(sorted(KINDS))]
        on_visit = kind.scope != "account" and visits and maker.maybe(60)
        maker.add(Hold(
            id=maker.id("hold"), practice_id=maker.practice_id, guarantor_id=guarantor_id, kind=kind.name,
            visit_id=maker.chance.choice(visits) if on_visit else None, reason="test", source="test",
            amount_minor=maker.chance.choice([None, 300]), placed_by="test", placed_at=maker.now, dedupe=maker.id("d"),
            released_at=maker.now if maker.maybe(25) else None))


def _plan(maker: Maker, guarantor_id: str, visits: list[str]) -> None:
    if not visits or not maker.maybe(30):
        return
    plan_id = maker.id("plan")
    maker.add(Plan(
        id=plan_id, practice_id=maker.practice_id, number=maker.count, guarantor_id=guarantor_id, currency="USD",
        status=maker.chance.choice([*ON_PLAN, "completed", "offered"]), total_minor=6_000, interval="month", days=[],
        first_on=date(2026, 10, 1), collects="link", balance_version=1, language="en", offered_by="patient",
        offered_at=maker.now, offer_ends_at=maker.now, idempotency_key=plan_id))
    for visit_id in maker.chance.sample(visits, maker.chance.randint(1, len(visits))):
        maker.add(PlanVisit(plan_id=plan_id, practice_id=maker.practice_id, visit_id=visit_id, agreed_minor=2_000))
    for number in (1, 2):
        maker.add(Instalment(
            plan_id=plan_id, practice_id=maker.practice_id, number=number, amount_minor=3_000, agreed_minor=3_000,
            paid_minor=maker.chance.choice([0, 1_000]), status="planned",
            due_on=date(2026, 10, 1) + timedelta(days=40 * number - 40)))


def _money(maker: Maker, guarantor_id: str) -> None:
    if maker.maybe(25):
        maker.add(LedgerAccount(practice_id=maker.practice_id, key=f"credit:{guarantor_id}", kind="credit",
                                guarantor_id=guarantor_id, practice_wide=False,
                                balance_minor=maker.chance.choice([0, -2_500, 400])))
    for _ in range(maker.chance.choice([0, 0, 1, 2])):
        status = maker.chance.choice(["pending", "paid", "failed"])
        maker.add(Payment(
            id=maker.id("pay"), practice_id=maker.practice_id, guarantor_id=guarantor_id, amount_minor=500,
            currency="USD", processor=maker.chance.choice(["stripe", "manual"]), tender="card", status=status,
            instruction=[], balance_version=1, idempotency_key=maker.id("k"), recorded_by="test",
            session_ref=maker.id("cs") if maker.maybe(50) else None,
            processor_ref=maker.id("pi") if maker.maybe(30) else None, created_at=maker.now,
            link_expires_at=maker.now + timedelta(hours=maker.chance.choice([-1, 1])) if maker.maybe(70) else None,
            paid_at=maker.earlier(100) if status == "paid" else None))


def _history(maker: Maker, guarantor_id: str) -> None:
    """What was said to the account's addresses and from them, in any order of outcome."""
    points = maker.session.query(ContactPoint).filter_by(guarantor_id=guarantor_id).all()
    for point in points:
        for _ in range(maker.chance.choice([0, 1, 1, 3])):
            _consent(maker, guarantor_id, point)
        for _ in range(maker.chance.choice([0, 0, 1, 2])):
            _wish(maker, guarantor_id, point)
        for _ in range(maker.chance.choice([0, 1, 2, 3])):
            _message(maker, guarantor_id, point)


def _consent(maker: Maker, guarantor_id: str, point: ContactPoint) -> None:
    event, purpose = maker.chance.choice([("given", "texts"), ("given", "texts"), ("given", "texts"),
                                          ("revoked", "texts"), ("restored", "texts"), ("voided", "texts"),
                                          ("given", "detail"), ("revoked", "detail"), ("given", "start")])
    message_id = _message(maker, guarantor_id, point) if purpose == "start" else None
    maker.add(Consent(
        practice_id=maker.practice_id, guarantor_id=guarantor_id if maker.maybe(60) else None,
        channel=line_of(point.channel), address_hash=point.address_hash, event=event, purpose=purpose,
        wording=WORDING if maker.maybe(80) else "I agree.", medium="form", recorded_by="test", message_id=message_id,
        at=maker.earlier(200)))


def _wish(maker: Maker, guarantor_id: str, point: ContactPoint) -> None:
    kind, value = maker.chance.choice([
        ("hours", {"spans": [["12:00", "18:00"]], "days": [0, 1, 2, 3, 4]}), ("hours", {}),
        ("way", {"way": "paper", "only": True}), ("way", {"way": "email", "only": False}), ("way", {"way": "text"}),
        ("confidential", {"on": True}), ("confidential", {"on": False}), ("place", {})])
    maker.add(Preference(
        practice_id=maker.practice_id, guarantor_id=guarantor_id if maker.maybe(70) else None, kind=kind, value=value,
        channel=line_of(point.channel), address_hash=point.address_hash, wording="so", recorded_by="test",
        at=maker.earlier(200)))


def _message(maker: Maker, guarantor_id: str, point: ContactPoint) -> str:
    chance, message_id = maker.chance, maker.id("msg")
    status = chance.choice(["sent", "delivered", "queued", "withheld", "failed", "undelivered", "deferred", "unknown"])
    at = maker.earlier(chance.choice([24, 24 * 8, 24 * 30]))
    asked = _asked(maker, at) if maker.maybe(20) else None
    maker.add(Outbox(
        id=message_id, practice_id=maker.practice_id, guarantor_id=guarantor_id if maker.maybe(85) else None,
        channel=point.channel, address=point.address, address_hash=point.address_hash, status=status, body="Hi",
        purpose=chance.choice(["statement", "reminder", "reply", "notice", "stop_confirmation", "staff", "receipt"]),
        template=chance.choice(["statement_ready", "plan_notice", "letter_validation_notice", "x"]), language="en",
        template_version="1", privacy="open", arguments={}, segments=1, reply_to=asked, due_at=at, created_at=at,
        sending_at=at if status not in ("queued", "deferred") and maker.maybe(90) else None,
        idempotency_key=message_id))
    return message_id


def _asked(maker: Maker, at: datetime) -> int:
    row = Inbox(practice_id=maker.practice_id, source="sms", external_id=maker.id("SM"), thread="t", payload={},
                kind=maker.chance.choice(["message", "event"]), status="done", received_at=at, due_at=at)
    maker.add(row)
    return row.id


def _talks(maker: Maker) -> None:
    for channel in ("sms", "telegram"):
        for number in maker.chance.sample(PHONES, 4):
            address = number if channel == "sms" else number[-6:]
            maker.add(Conversation(
                id=maker.id("conv"), practice_id=maker.practice_id, channel=channel, address=address, language="en",
                address_hash=address_hash(maker.practice_id, channel, address), state={}, created_at=maker.now,
                last_inbound_at=maker.earlier(2000) if maker.maybe(80) else None))


def _windows(maker: Maker) -> None:
    """Some caps are full: the day's, the minute's, the number's."""
    from billing.carrier_caps import windows
    from config.dunning_policy import CarrierPolicy

    for one in windows(CarrierPolicy(), practice_id=maker.practice_id, number="+12125550100", carrier="", segments=1,
                       now=maker.now):
        if maker.maybe(40) and maker.session.get(SendWindow, (one.key, one.begins_at)) is None:
            maker.add(SendWindow(key=one.key, window_at=one.begins_at, practice_id=maker.practice_id, used=one.limit))
