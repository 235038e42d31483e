"""Who is who: practices, staff, guarantors (accounts), patients, numbers, consents, holds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import Sealed
from billing.store.types import Base, Code, Hash, Id, Minor, Ref, Serial


class Practice(Base):
    """A medical practice. ``settings`` is the validated policy file (config/policy.py), dated by ``updated_at``."""

    __tablename__ = "practices"
    id: Mapped[Id]
    name: Mapped[str]
    legal_name: Mapped[str]
    phone: Mapped[str]
    zone: Mapped[Code]
    currency: Mapped[Code]
    sms_number: Mapped[str | None]
    ledger_of_record: Mapped[Code] = mapped_column(default="plainbill")
    configured: Mapped[bool] = mapped_column(default=False)
    settings: Mapped[dict[str, Any]]
    #: This copy of the practice came out of a backup that shows ``backup_at``; until it is released nothing leaves it.
    restored_at: Mapped[datetime | None]
    backup_at: Mapped[datetime | None]
    texts_checked_at: Mapped[datetime | None]  # compared with what the carrier sent and received since
    money_checked_at: Mapped[datetime | None]  # compared with the processor's books since
    #: Per channel that cannot be asked: what a person said left since, who, when, and until when it may have left.
    channels_said: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("sms_number"),)


class Staff(Base):
    __tablename__ = "staff"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    login: Mapped[Code]
    name: Mapped[str]
    role: Mapped[Code]  # biller, supervisor, manager, auditor
    deputy_login: Mapped[str | None]
    phone: Mapped[str | None] = mapped_column(Sealed("staff.phone"))
    email: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "login"),)


class Guarantor(Base):
    """An account: the person who answers for the bills. ``confirmed_at`` is empty until staff confirm who that is."""

    __tablename__ = "guarantors"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    external: Mapped[str] = mapped_column(Sealed("guarantors.external"))
    external_hash: Mapped[Hash]
    name: Mapped[str] = mapped_column(Sealed("guarantors.name"))
    surname_hash: Mapped[Hash]
    born_on: Mapped[str | None] = mapped_column(Sealed("guarantors.born_on"))  # ISO day
    born_hash: Mapped[str | None]
    address: Mapped[str | None] = mapped_column(Sealed("guarantors.address"))
    postal_code: Mapped[str | None] = mapped_column(Sealed("guarantors.postal_code"))
    postal_hash: Mapped[str | None]
    region: Mapped[str | None]  # two-letter state, for rules and holidays
    zone: Mapped[str | None]  # IANA zone of the address
    language: Mapped[Code] = mapped_column(default="en")
    origin: Mapped[Code]  # patients, claim, remittance, charges, balances
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None]
    balance_version: Mapped[int] = mapped_column(default=0)  # one more with every posting or hold that touches it
    capacity: Mapped[Code] = mapped_column(default="creditor")  # in which we ask: creditor, collector (T-20)
    defaulted_on: Mapped[date | None]  # when the account was in default, by contract or by notice; empty: it is not
    obtained_on: Mapped[date | None]  # when a billing company took the account over
    created_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("practice_id", "external_hash"),
        Index("ix_guarantors_identity", "practice_id", "born_hash", "postal_hash"),
        Index("ix_guarantors_surname", "practice_id", "surname_hash"),
    )


class Patient(Base):
    __tablename__ = "patients"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    external: Mapped[str | None] = mapped_column(Sealed("patients.external"))
    external_hash: Mapped[str | None]
    name: Mapped[str] = mapped_column(Sealed("patients.name"))
    given: Mapped[str] = mapped_column(Sealed("patients.given"))
    surname_hash: Mapped[Hash]
    given_hash: Mapped[Hash]
    born_on: Mapped[str | None] = mapped_column(Sealed("patients.born_on"))
    born_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("practice_id", "external_hash"),
        Index("ix_patients_identity", "practice_id", "surname_hash", "given_hash", "born_hash"),
    )


class ContactPoint(Base):
    """A number or address of a guarantor. One number may serve several guarantors: one row each."""

    __tablename__ = "contact_points"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    channel: Mapped[Code]  # sms, console, telegram, email, paper
    address: Mapped[str] = mapped_column(Sealed("contact_points.address"))
    address_hash: Mapped[Hash]
    #: ok, wrong_number, unreachable, unlinked (a chat), returned, ended (the account has it no more)
    status: Mapped[Code] = mapped_column(default="ok")
    source: Mapped[Code]
    carrier: Mapped[Code] = mapped_column(default="")  # att, tmobile, verizon, other; empty: not known (T-16)
    reassigned_checked_on: Mapped[date | None]  # against the Reassigned Numbers Database (T-10, T-24)
    at_work: Mapped[bool] = mapped_column(default=False)  # an employer's address (T-24)
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "guarantor_id", "channel", "address_hash"),
                      Index("ix_contact_points_address", "practice_id", "address_hash", "channel"))


class Consent(Base):
    """One event in the life of a consent; rows are only ever added (T-11, T-14)."""

    __tablename__ = "consents"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[str | None]
    channel: Mapped[Code]
    address_hash: Mapped[Hash]
    event: Mapped[Code]  # given, revoked, restored, voided
    purpose: Mapped[Code]  # texts, detail (T-33), start (CTIA introduction sent)
    wording: Mapped[str]  # what was shown or the words received, never PHI
    medium: Mapped[Code]  # form, text, phone, import, staff
    recorded_by: Mapped[str]
    ip: Mapped[str | None]
    message_id: Mapped[str | None]
    at: Mapped[datetime]
    __table_args__ = (Index("ix_consents_address", "practice_id", "channel", "address_hash", "id"),)


class Hold(Base):
    """A stop on demanding or charging. ``amount_minor`` empty means all of the visit, or of the account."""

    __tablename__ = "holds"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    visit_id: Mapped[str | None] = mapped_column(index=True)
    kind: Mapped[Code]  # billing/holds.py lists them
    amount_minor: Mapped[int | None]
    reason: Mapped[str]
    source: Mapped[str]
    placed_by: Mapped[str]
    placed_at: Mapped[datetime]
    review_on: Mapped[date | None]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]
    released_reason: Mapped[str | None]
    dedupe: Mapped[str]
    __table_args__ = (UniqueConstraint("practice_id", "dedupe"),)


class Procedure(Base):
    """The practice's own words for a procedure code; CPT's descriptions are not ours to print."""

    __tablename__ = "procedures"
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    code: Mapped[Code] = mapped_column(primary_key=True)
    language: Mapped[Code] = mapped_column(primary_key=True)
    words: Mapped[str]


class Estimate(Base):
    """A good-faith estimate per visit and provider (T-41)."""

    __tablename__ = "estimates"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    visit_external_hash: Mapped[Hash] = mapped_column(index=True)
    provider: Mapped[str]
    amount_minor: Mapped[Minor]
    given_on: Mapped[date]
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "visit_external_hash", "provider"),
                      CheckConstraint("amount_minor >= 0", name="not_negative"))
