"""Cards on file, what patients agreed to be charged, and instalment plans with everything that happened to them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import Sealed, SealedJSON
from billing.store.types import Base, Code, Id, Minor, Ref, Serial


class PaymentMethod(Base):
    """A card or bank account that the processor keeps for a guarantor; we hold its opaque ids and last four digits."""

    __tablename__ = "payment_methods"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    processor: Mapped[Code]
    customer_ref: Mapped[str]
    method_ref: Mapped[str] = mapped_column(index=True)
    kind: Mapped[Code]  # card, bank
    brand: Mapped[str]
    last4: Mapped[Code]
    expires_on: Mapped[date | None]  # last day of the card's month
    status: Mapped[Code]  # active, failed (a hard decline), removed
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str | None]
    __table_args__ = (UniqueConstraint("practice_id", "guarantor_id", "method_ref"),)


class SetupRequest(Base):
    """A hosted page on which a patient gives a card without paying: for a plan, or to change the card on file."""

    __tablename__ = "setup_requests"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    purpose: Mapped[Code]  # plan (authorises it), plan_card (changes the card of a running one), card
    plan_id: Mapped[str | None]
    status: Mapped[Code]  # created, open, done, expired, cancelled
    attempt: Mapped[int] = mapped_column(default=0)
    session_ref: Mapped[str | None] = mapped_column(index=True)
    session_url: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    method_id: Mapped[str | None]
    conversation_id: Mapped[str | None]
    language: Mapped[Code]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class Authorization(Base):
    """What a patient agreed to be charged: the exact words, their version, when, and the answer that agreed (T-48,
    T-50). Only the revocation is ever written into a row.
    """

    __tablename__ = "authorizations"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    purpose: Mapped[Code]  # plan, once (one charge of a saved card)
    plan_id: Mapped[str | None] = mapped_column(index=True)
    payment_id: Mapped[str | None]
    method_id: Mapped[str | None]  # empty: the patient pays each instalment by link or at the desk
    last4: Mapped[str | None]
    most_minor: Mapped[Minor]  # never charged above this at one time, in cents
    words: Mapped[str] = mapped_column(Sealed("authorizations.words"))
    words_version: Mapped[Code]
    language: Mapped[Code]
    schedule: Mapped[Any] = mapped_column(SealedJSON("authorizations.schedule"))  # [[number, ISO day, cents], ...]
    given_by: Mapped[Code]  # text, page, staff
    message_id: Mapped[str | None]  # inbox row of the yes, or "link:..." of the page
    disclosures_version: Mapped[str | None]  # T-47: shown before signing
    disclosures: Mapped[Any | None] = mapped_column(SealedJSON("authorizations.disclosures"))  # as they were shown
    esign_at: Mapped[datetime | None]  # consent to electronic records (15 USC 7001(c)), where disclosures were due
    at: Mapped[datetime]
    copy_message_id: Mapped[str | None]  # outbox row of the copy
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    revoked_words: Mapped[str | None] = mapped_column(Sealed("authorizations.revoked_words"))
    __table_args__ = (CheckConstraint("most_minor > 0", name="positive"),)


class Plan(Base):
    """A schedule over named visits, never an account of its own (DESIGN.md, "Figures"). ``status`` changes only by the
    table of billing/plan_status.py.
    """

    __tablename__ = "plans"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    number: Mapped[int]  # of the practice, for people
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    status: Mapped[Code]
    currency: Mapped[Code]
    total_minor: Mapped[Minor]  # agreed, deposit included
    deposit_minor: Mapped[Minor] = mapped_column(default=0)
    interval: Mapped[Code]  # week, two_weeks, twice_month, month
    days: Mapped[list[Any]]  # days of the month as asked for ([31], [1, 15]); empty for weeks
    first_on: Mapped[date]
    collects: Mapped[Code]  # autopay, link
    method_id: Mapped[str | None] = mapped_column(ForeignKey("payment_methods.id"))
    authorization_id: Mapped[str | None]
    on_extra: Mapped[Code] = mapped_column(default="shorten")  # shorten, lower: the patient's choice
    balance_version: Mapped[int]  # on which it was offered
    conversation_id: Mapped[str | None]
    language: Mapped[Code]
    offered_by: Mapped[str]  # patient, or a staff login
    exception_reason: Mapped[str | None]  # outside policy: why
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    offered_at: Mapped[datetime]
    offer_ends_at: Mapped[datetime]
    agreed_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    paused_until_on: Mapped[date | None]  # practice-local; empty while paused: until a person or the patient says
    pause_reason: Mapped[str | None]
    behind_since_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    supersedes_id: Mapped[str | None]
    idempotency_key: Mapped[str]
    version: Mapped[int] = mapped_column(default=0)  # one more with every change; commands carry it
    __table_args__ = (UniqueConstraint("practice_id", "number"), UniqueConstraint("practice_id", "idempotency_key"),
                      CheckConstraint("total_minor > 0", name="positive"), Index("ix_plans_status", "status"))


class PlanVisit(Base):
    """A visit of a plan and how much of its balance was agreed on; what the visit owes above that is not the plan's."""

    __tablename__ = "plan_visits"
    plan_id: Mapped[Ref] = mapped_column(ForeignKey("plans.id"), primary_key=True)
    visit_id: Mapped[Ref] = mapped_column(ForeignKey("visits.id"), primary_key=True, index=True)
    practice_id: Mapped[Ref]
    agreed_minor: Mapped[Minor]
    __table_args__ = (CheckConstraint("agreed_minor > 0", name="positive"),)


class Instalment(Base):
    """One dated part of a plan. ``number`` 0 is the deposit. Open is ``amount_minor - paid_minor``."""

    __tablename__ = "instalments"
    plan_id: Mapped[Ref] = mapped_column(ForeignKey("plans.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    practice_id: Mapped[Ref]
    due_on: Mapped[date] = mapped_column(index=True)
    amount_minor: Mapped[Minor]  # what it asks now; falls when less is owed, never rises without consent
    agreed_minor: Mapped[Minor]  # what was signed
    paid_minor: Mapped[Minor] = mapped_column(default=0)
    status: Mapped[Code]  # planned, noticed, charging, retrying, paid, skipped, missed
    notice_id: Mapped[str | None]  # outbox row of the notice before it
    noticed_at: Mapped[datetime | None]
    noticed_minor: Mapped[int | None]
    tries: Mapped[int] = mapped_column(default=0)  # charges attempted
    retry_on: Mapped[date | None]
    missed_on: Mapped[date | None]
    settled_at: Mapped[datetime | None]
    __table_args__ = (CheckConstraint("amount_minor >= 0", name="not_negative"),
                      CheckConstraint("paid_minor >= 0", name="paid_not_negative"))


class PlanEvent(Base):
    """What happened to a plan, by whom and why, in order. Rows are only ever added."""

    __tablename__ = "plan_events"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    plan_id: Mapped[Ref] = mapped_column(ForeignKey("plans.id"), index=True)
    kind: Mapped[Code]
    instalment: Mapped[int | None]
    amount_minor: Mapped[int | None]
    payment_id: Mapped[str | None]
    by: Mapped[str]  # patient, system, or a staff login
    reason: Mapped[str]  # a code or staff's own words; no PHI
    at: Mapped[datetime]
