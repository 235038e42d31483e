"""What staff keep about work that no machine finishes: claims at payers, corrections, privacy incidents, words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import Sealed
from billing.store.types import Base, Code, Id, Minor, Ref


class ClaimWork(Base):
    """Who looks after a payer's answer that is missing or no, until when something can still be done, what came of it.
    """

    __tablename__ = "claim_work"
    coverage_id: Mapped[Ref] = mapped_column(ForeignKey("coverages.id"), primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    owner: Mapped[str | None]  # login
    file_by_on: Mapped[date | None]  # the payer's day for filing it (again)
    appeal_by_on: Mapped[date | None]
    outcome: Mapped[Code] = mapped_column(default="")  # billing/claim_work.py: OUTCOMES
    note: Mapped[str] = mapped_column(Sealed("claim_work.note"), default="")
    by: Mapped[str]
    at: Mapped[datetime]


class Correction(Base):
    """A patient was told a wrong amount: one correction for one cause, which leaves once a second person has read it.
    """

    __tablename__ = "corrections"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    cause: Mapped[str]  # import:ID, payment:ID, said:ID
    reason: Mapped[str] = mapped_column(Sealed("corrections.reason"))
    said_minor: Mapped[Minor | None]  # what the last message or statement said
    right_minor: Mapped[Minor]  # what is due, when it was asked for; the message has what is due when it leaves
    said_at: Mapped[datetime | None]
    status: Mapped[Code]  # proposed, told, untold, declined
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    review_note: Mapped[str] = mapped_column(Sealed("corrections.review_note"), default="")
    message_id: Mapped[str | None]
    __table_args__ = (UniqueConstraint("practice_id", "guarantor_id", "cause"),
                      Index("ix_corrections_status", "practice_id", "status"))


class PrivacyIncident(Base):
    """Something about somebody reached somebody else. The four factors are those of 45 CFR 164.402(2)."""

    __tablename__ = "privacy_incidents"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    number: Mapped[int]
    kind: Mapped[Code]  # wrong_party, wrong_document, lost, other
    found_at: Mapped[datetime]
    found_by: Mapped[str]
    accounts: Mapped[list[Any]]  # our ids
    what: Mapped[str] = mapped_column(Sealed("privacy_incidents.what"))
    dedupe: Mapped[str]
    nature: Mapped[str] = mapped_column(Sealed("privacy_incidents.nature"), default="")  # what it was
    recipient: Mapped[str] = mapped_column(Sealed("privacy_incidents.recipient"), default="")  # who got it
    seen: Mapped[str] = mapped_column(Sealed("privacy_incidents.seen"), default="")  # was it looked at
    mended: Mapped[str] = mapped_column(Sealed("privacy_incidents.mended"), default="")  # what was done about it
    conclusion: Mapped[Code] = mapped_column(default="")  # breach, low_probability; empty: not assessed
    concluded_by: Mapped[str | None]
    concluded_at: Mapped[datetime | None]
    tell_by_on: Mapped[date]  # the last day for telling the people (45 CFR 164.404(b))
    told_on: Mapped[date | None]
    told_how: Mapped[str] = mapped_column(Sealed("privacy_incidents.told_how"), default="")
    status: Mapped[Code]  # open, assessed, told, closed
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("practice_id", "dedupe"), UniqueConstraint("practice_id", "number"),
                      Index("ix_privacy_incidents_status", "practice_id", "status"))


class WordsChange(Base):
    """Other words for a message, asked for by one person and in force once another has read them."""

    __tablename__ = "words_changes"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    language: Mapped[Code]
    template: Mapped[str]
    words: Mapped[str]
    shipped_version: Mapped[Code]  # of the file that they stand in for: a release that changes it puts them aside
    reason: Mapped[str]
    status: Mapped[Code]  # proposed, in_force, declined, replaced
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    review_note: Mapped[str] = mapped_column(default="")
    __table_args__ = (Index("ix_words_changes_status", "practice_id", "status", "template"),)
