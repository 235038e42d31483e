"""Messages, opt-outs, talks, cases, plans and refunds are counted by the days of the practice, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import ledger, reports
from billing.reports.shape import Report, scope_of
from billing.store.tables import (
    Campaign,
    Case,
    Consent,
    Conversation,
    Inbox,
    Outbox,
    Payment,
    Plan,
    Practice,
    Refund,
    Segment,
    Visit,
)
from billing.threads import of_hash
from bot.write import Store
from tests.conftest import maple_clinic
from tests.payments import world
from tests.payments.world import ANNA, NEW, OLD, PRACTICE

TODAY = date(2026, 11, 5)
FIRST = date(2026, 11, 1)  # the clock goes back on this day
BEGINS = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)  # midnight in New York
NOON = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
AFTER = datetime(2026, 11, 6, 5, 0, tzinfo=UTC)


class Rows:
    """Adds rows with what they need and nothing else."""

    def __init__(self, session: Session) -> None:
        self.session, self.count = session, 0

    def add(self, row: Any) -> None:
        self.session.add(row)
        self.session.flush()

    def number(self) -> int:
        self.count += 1
        return self.count

    def message(self, at: datetime, *, hashed: str = "h1", **more: Any) -> None:
        n = self.number()
        self.add(Outbox(**{
            "id": f"msg_{n}", "practice_id": PRACTICE, "guarantor_id": ANNA, "channel": "sms", "address": "x",
            "address_hash": hashed, "purpose": "statement", "template": "x", "template_version": "1", "language": "en",
            "privacy": "open", "arguments": {}, "body": "Hi", "segments": 2, "status": "delivered", "due_at": at,
            "created_at": at, "sending_at": at, "idempotency_key": f"k{n}", **more}))

    def stop(self, at: datetime, hashed: str = "h1") -> None:
        self.add(Consent(practice_id=PRACTICE, guarantor_id=None, channel="sms", address_hash=hashed, event="revoked",
                         purpose="texts", wording="stop", medium="text", recorded_by="patient", at=at))

    def campaign(self, started_at: datetime) -> None:
        self.add(Segment(id="seg", practice_id=PRACTICE, name="x", version=1, definition={}, created_by="ana",
                         created_at=started_at))
        self.add(Campaign(id="camp", practice_id=PRACTICE, number=1, name="autumn", segment_id="seg",
                          purpose="statement", template="x", ways=["sms"], status="done", created_by="ana",
                          created_at=started_at, started_at=started_at))

    def talk(self, hashed: str = "h1") -> str:
        self.add(Conversation(id=f"conv_{hashed}", practice_id=PRACTICE, channel="sms", address="x",
                              address_hash=hashed, language="en", state={}, created_at=BEGINS))
        return f"conv_{hashed}"

    def wrote(self, at: datetime, hashed: str = "h1") -> None:
        self.add(Inbox(practice_id=PRACTICE, source="sms", external_id=f"SM{self.number()}", kind="message",
                       thread=of_hash(PRACTICE, "sms", hashed), payload={}, status="done", received_at=at, due_at=at))

    def case(self, at: datetime, kind: str, conversation_id: str | None = None) -> None:
        n = self.number()
        self.add(Case(id=f"case_{n}", practice_id=PRACTICE, number=n, kind=kind, title="x", detail="", status="open",
                      conversation_id=conversation_id, due_at=at, opened_at=at, dedupe=f"d{n}"))

    def plan(self, status: str, agreed_at: datetime, ended_at: datetime | None = None) -> None:
        n = self.number()
        self.add(Plan(id=f"plan_{n}", practice_id=PRACTICE, number=n, guarantor_id=ANNA, status=status, currency="USD",
                      total_minor=5_000, interval="month", days=[], first_on=FIRST, collects="link", balance_version=1,
                      language="en", offered_by="patient", offered_at=agreed_at, offer_ends_at=agreed_at,
                      agreed_at=agreed_at, ended_at=ended_at, idempotency_key=f"p{n}"))

    def refund(self, paid_at: datetime, settled_at: datetime, reason: str = "billing_error") -> None:
        n = self.number()
        self.add(Payment(id=f"pay_{n}", practice_id=PRACTICE, guarantor_id=ANNA, amount_minor=5_000, currency="USD",
                         processor="manual", tender="cash", status="succeeded", instruction=[], balance_version=1,
                         idempotency_key=f"pay{n}", recorded_by="ana", created_at=paid_at, paid_at=paid_at))
        self.add(Refund(id=f"ref_{n}", practice_id=PRACTICE, payment_id=f"pay_{n}", guarantor_id=ANNA,
                        amount_minor=1_000, currency="USD", tender="original", reason=reason, note="",
                        status="succeeded", requested_by="ana", requested_at=paid_at, settled_at=settled_at,
                        dedupe=f"r{n}"))


@pytest.fixture
def opened(store: Store, practice: Practice) -> Store:
    store.write(lambda s: world.anna(s, BEGINS))
    return store


def made(store: Store, name: str) -> Report:
    return store.read(lambda s: reports.make(s, name, scope_of(PRACTICE, maple_clinic(), FIRST, TODAY, TODAY)))


def test_opt_outs_are_counted_within_the_practices_days_and_each_number_once(opened: Store) -> None:
    def add(session: Session) -> None:
        rows = Rows(session)
        rows.campaign(NOON)
        for hashed in ("h1", "h1", "h2"):
            rows.message(NOON, hashed=hashed, campaign_id="camp")
        rows.message(NOON, hashed="h3", channel="paper", campaign_id="camp")
        rows.message(NOON, hashed="h4", status="withheld", campaign_id="camp")
        rows.message(BEGINS - timedelta(seconds=1), hashed="h5")
        rows.stop(NOON + timedelta(hours=1))
        rows.stop(NOON + timedelta(hours=2))
        rows.stop(AFTER, "h2")
        rows.stop(BEGINS - timedelta(seconds=1), "h5")

    opened.write(add)
    report = made(opened, "opt-outs")
    assert (report.value("texted"), report.value("opted_out"), report.value("share")) == (2, 1, 5_000)
    assert report.tables[0].rows == (("1 autumn", 4, 3, 2, 6_667),)


def test_costs_count_what_left_by_whatever_way_and_whatever_for(opened: Store) -> None:
    def add(session: Session) -> None:
        rows = Rows(session)
        rows.message(BEGINS)
        rows.message(NOON, purpose="reply", status="undelivered")
        rows.message(NOON, purpose="redaction")
        rows.message(NOON, channel="paper", purpose="reminder")
        rows.message(NOON, status="queued", sending_at=None)
        rows.message(AFTER)

    opened.write(add)
    report = made(opened, "cost")
    assert report.value("cost_micros") == 4 * 11_900 + 950_000
    assert report.value("demands") == 2


def test_a_talk_is_handed_over_by_its_own_case_and_by_a_colleagues_message(opened: Store) -> None:
    def add(session: Session) -> None:
        rows = Rows(session)
        for hashed in ("h1", "h2", "h3"):
            rows.talk(hashed)
            rows.wrote(NOON, hashed)
            rows.wrote(NOON + timedelta(minutes=1), hashed)
        rows.case(NOON + timedelta(minutes=2), "dispute", "conv_h1")
        rows.message(NOON + timedelta(hours=3), purpose="staff", conversation_id="conv_h2")
        rows.case(NOON, "call", None)
        rows.wrote(AFTER, "h3")

    opened.write(add)
    report = made(opened, "self-service")
    assert (report.value("talks"), report.value("handed_over"), report.value("alone_share")) == (3, 2, 3_333)
    assert report.value("stays_share") is None  # no talk has had its seven days


def test_disputes_are_divided_by_accounts_that_a_demand_left_for(opened: Store) -> None:
    def add(session: Session) -> None:
        rows = Rows(session)
        rows.message(NOON)
        rows.message(NOON, purpose="reminder")
        rows.message(NOON, purpose="receipt")
        rows.case(NOON, "dispute")
        rows.case(AFTER, "dispute")

    opened.write(add)
    report = made(opened, "disputes")
    assert (report.value("asked"), report.value("dispute_share")) == (1, 10_000)


def test_a_plan_that_ended_after_the_last_day_was_still_running_on_it(opened: Store) -> None:
    def add(session: Session) -> None:
        rows = Rows(session)
        rows.plan("defaulted", NOON, NOON + timedelta(hours=1))
        rows.plan("defaulted", NOON, AFTER)
        rows.plan("completed", NOON - timedelta(days=300), NOON)
        rows.plan("completed", NOON - timedelta(days=400), NOON)

    opened.write(add)
    report = made(opened, "plans")
    assert (report.value("agreed"), report.value("default_share"), report.value("ended_default_share")) == (
        3, 3_333, 5_000)


def test_a_refund_is_dunnings_only_when_the_demand_left_before_the_payment(opened: Store) -> None:
    def add(session: Session) -> None:
        rows = Rows(session)
        rows.refund(NOON - timedelta(days=40), NOON)  # before any demand
        rows.message(NOON - timedelta(days=31))
        rows.message(NOON - timedelta(days=2), status="withheld")
        rows.message(NOON - timedelta(days=2), purpose="receipt")
        rows.refund(NOON - timedelta(days=1), NOON)
        rows.refund(NOON - timedelta(days=1), NOON, "assistance")
        rows.refund(NOON, NOON)  # 31 days after the demand
        rows.refund(NOON - timedelta(days=1), AFTER)

    opened.write(add)
    report = made(opened, "dunning-refunds")
    assert (report.value("caused"), report.value("caused_minor"), report.value("all")) == (1, 1_000, 4)


def test_who_pays_on_the_day_of_the_statement_has_paid_within_no_days_and_who_paid_before_is_no_payer(
        opened: Store) -> None:
    def add(session: Session) -> None:
        for visit_id, paid_on in ((OLD, FIRST), (NEW, FIRST - timedelta(days=1))):
            visit = session.get_one(Visit, visit_id)
            visit.first_statement_on = FIRST
            ledger.post(session, [ledger.Posting(
                PRACTICE, ledger.wide("cash:manual:cash"), ledger.patient(visit_id), visit.charge_minor, "USD",
                "patient_payment", paid_on, "desk", visit_id, ANNA, visit_id)], NOON)

    opened.write(add)
    report = made(opened, "time-to-pay")
    assert (report.value("median_days"), report.value("unpaid_share"), report.value("visits")) == (0, 0, 2)
    assert report.tables[0].rows[0][:2] == ("0-30", 1)
    assert ("Closed without a payment", 1, None) in report.tables[0].rows


@pytest.mark.parametrize(("age", "name"), [(0, "0-30"), (30, "0-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"),
                                           (90, "61-90"), (91, "91-120"), (120, "91-120"), (121, "121+"), (-1, "none")])
def test_both_days_of_a_bucket_are_in_it(sqlite_store: Store, sqlite_practice: Practice, age: int, name: str) -> None:
    def add(session: Session) -> None:
        world.account(session, ANNA, "A1", NOON)
        world.visit(session, OLD, ANNA, "A1", TODAY, 10_000, NOON)
        session.get_one(Visit, OLD).first_statement_on = TODAY - timedelta(days=age)

    sqlite_store.write(add)
    rows = made(sqlite_store, "aging").tables[0].rows
    told = {"none": "No statement yet"}.get(name, name)
    assert [row[0] for row in rows[:-1] if row[2]] == [told]
