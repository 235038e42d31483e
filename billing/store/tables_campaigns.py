"""Bulk sending: who is in a segment, what a campaign is to send, what became of each account; and what has left."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import SealedJSON
from billing.store.types import Base, Code, Id, Minor, Ref, Serial


class Segment(Base):
    """Whom a campaign is for: named, dated, in versions that never change. ``definition``: billing/segments.py."""

    __tablename__ = "segments"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    name: Mapped[Code]
    version: Mapped[int]
    definition: Mapped[dict[str, Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "name", "version"),)


class SegmentMember(Base):
    """An account of a segment that is a list (a CSV file); ``line`` is the file's."""

    __tablename__ = "segment_members"
    segment_id: Mapped[Ref] = mapped_column(ForeignKey("segments.id"), primary_key=True)
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), primary_key=True)
    line: Mapped[int]


class Campaign(Base):
    """A bulk run. ``status`` changes only by billing/campaigns.py's table. ``preview`` is what was shown before the
    button, counts and amounts alone; ``preview_digest`` binds an approval to it.
    """

    __tablename__ = "campaigns"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    number: Mapped[int]
    name: Mapped[Code]
    segment_id: Mapped[Ref] = mapped_column(ForeignKey("segments.id"))
    purpose: Mapped[Code]  # statement, reminder, notice
    template: Mapped[Code]
    ways: Mapped[list[Any]]  # channels in the order in which they are tried
    status: Mapped[Code]  # draft, previewed, approved, sending, paused, stopped, done
    not_before_at: Mapped[datetime | None]
    preview: Mapped[dict[str, Any] | None]
    preview_digest: Mapped[str] = mapped_column(default="")
    previewed_at: Mapped[datetime | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    started_by: Mapped[str | None]
    started_at: Mapped[datetime | None]
    paused_by: Mapped[str | None]
    stopped_by: Mapped[str | None]
    stop_reason: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("practice_id", "number"), Index("ix_campaigns_status", "status"))


class CampaignRow(Base):
    """One account of a campaign that has begun to send. ``outcome``: waiting, queued (its message is in the outbox and
    has the rest of its story), left_out (by ``rule``, before there was a message), stopped.
    """

    __tablename__ = "campaign_rows"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    campaign_id: Mapped[Ref] = mapped_column(ForeignKey("campaigns.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"))
    outcome: Mapped[Code]
    rule: Mapped[Code] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    outbox_id: Mapped[str | None]
    due_minor: Mapped[Minor] = mapped_column(default=0)  # when its turn came
    due_at: Mapped[datetime]  # when its turn is
    worked_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("campaign_id", "guarantor_id"),
                      Index("ix_campaign_rows_due", "campaign_id", "outcome", "due_at"))


class SendWindow(Base):
    """How many texts left in one window of a carrier's cap (T-16): shared by all workers, counted when they leave."""

    __tablename__ = "send_windows"
    key: Mapped[Code] = mapped_column(primary_key=True)  # such as "day:BRAND", "minute:CAMPAIGN"
    window_at: Mapped[datetime] = mapped_column(primary_key=True)  # when the window began
    practice_id: Mapped[Ref]
    used: Mapped[int]


class MailBatch(Base):
    """Letters handed to a mail house at one time: a folder of PDFs and a manifest, written whole or again."""

    __tablename__ = "mail_batches"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    number: Mapped[int]
    letters: Mapped[int]
    status: Mapped[Code]  # gathering, gathered, written, acknowledged
    folder: Mapped[str] = mapped_column(default="")
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    __table_args__ = (UniqueConstraint("practice_id", "number"),)


class MailLetter(Base):
    """One letter of a print run. Its content is fixed when it is gathered, so that its file can be written again byte
    for byte, whatever becomes of the practice's name or the patient's.
    """

    __tablename__ = "mail_letters"
    outbox_id: Mapped[str] = mapped_column(ForeignKey("outbox.id"), primary_key=True)
    practice_id: Mapped[Ref]
    batch_id: Mapped[Ref] = mapped_column(ForeignKey("mail_batches.id"))
    position: Mapped[int]
    content: Mapped[Any] = mapped_column(SealedJSON("mail_letters.content"))
    gathered_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("batch_id", "position"),)


class DeliveryTrouble(Base):
    """A statement that is known not to have arrived: no clock and no step counts from it."""

    __tablename__ = "delivery_troubles"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    statement_id: Mapped[str | None] = mapped_column(index=True)
    outbox_id: Mapped[str | None]
    kind: Mapped[Code]  # returned_mail, undelivered
    noted_by: Mapped[str]
    noted_on: Mapped[date]
    noted_at: Mapped[datetime]
    dedupe: Mapped[str]
    __table_args__ = (UniqueConstraint("practice_id", "dedupe"),)


class DunningDay(Base):
    """How far the calendar of reminders has been worked on one practice-local day: accounts in the order of their ids.

    Written in the same transaction as the account's message, so that a run killed in the middle goes on behind it.
    """

    __tablename__ = "dunning_days"
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    worked_on: Mapped[date] = mapped_column(primary_key=True)
    after_id: Mapped[str] = mapped_column(default="")
    accounts: Mapped[int] = mapped_column(default=0)
    queued: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None]
