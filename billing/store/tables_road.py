"""The road of a message: inbox, conversation, gate, outbox; and what staff see of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import Sealed, SealedJSON
from billing.store.types import Base, Code, Hash, Id, Minor, Ref, Serial


class Inbox(Base):
    """Whatever arrived, accepted once. ``thread`` is the lane in which rows are worked in order."""

    __tablename__ = "inbox"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    source: Mapped[Code]  # sms, sms-status, stripe, console, link
    external_id: Mapped[str]
    kind: Mapped[Code]  # message, receipt, processor, event
    thread: Mapped[str]
    payload: Mapped[Any] = mapped_column(SealedJSON("inbox.payload"))
    status: Mapped[Code]  # accepted, working, done, failed
    attempts: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    done_at: Mapped[datetime | None]
    note: Mapped[str | None]
    __table_args__ = (UniqueConstraint("source", "external_id"),
                      Index("ix_inbox_due", "status", "due_at"),
                      Index("ix_inbox_thread", "thread", "status", "id"))


class Conversation(Base):
    __tablename__ = "conversations"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    channel: Mapped[Code]
    address: Mapped[str] = mapped_column(Sealed("conversations.address"))
    address_hash: Mapped[Hash]
    language: Mapped[Code]
    language_chosen: Mapped[bool] = mapped_column(default=False)
    state: Mapped[Any] = mapped_column(SealedJSON("conversations.state"))  # handlers/core.py: State
    guarantor_id: Mapped[str | None]  # the verified account
    verified_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=0)
    last_inbound_at: Mapped[datetime | None]
    silent_at: Mapped[datetime | None] = mapped_column(index=True)  # when an open question is put away
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "channel", "address_hash"),
                      Index("ix_conversations_address", "practice_id", "address_hash"))


class Outbox(Base):
    """A rendered message with its life-cycle (billing/outbox.py has the table of legal moves)."""

    __tablename__ = "outbox"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    conversation_id: Mapped[str | None] = mapped_column(index=True)
    guarantor_id: Mapped[str | None] = mapped_column(index=True)
    channel: Mapped[Code]
    address: Mapped[str] = mapped_column(Sealed("outbox.address"))
    address_hash: Mapped[Hash]
    purpose: Mapped[Code]  # reply, stop_confirmation, help, statement, reminder, receipt, staff, emergency
    template: Mapped[Code]
    template_version: Mapped[Code]
    language: Mapped[Code]
    privacy: Mapped[Code]  # open, amounts: the template's declared level (T-32, T-33)
    arguments: Mapped[Any] = mapped_column(SealedJSON("outbox.arguments"))
    body: Mapped[str] = mapped_column(Sealed("outbox.body"))
    segments: Mapped[int]
    buttons: Mapped[list[Any] | None]  # [label, text] each, on channels that have buttons; never about anybody
    balance_version: Mapped[int | None]
    amount_minor: Mapped[int | None]  # what the words ask for, compared again before sending
    reply_to: Mapped[int | None] = mapped_column(Serial)  # the inbox row answered
    statement_id: Mapped[str | None]
    campaign_id: Mapped[str | None] = mapped_column(index=True)  # the bulk run that it belongs to
    step: Mapped[str | None]  # the step of the dunning schedule that it is
    subject: Mapped[str] = mapped_column(default="")  # of an e-mail: neutral, and about nobody
    passed: Mapped[list[Any] | None]  # [way, why] of each channel that was passed over for this one
    mail_batch_id: Mapped[str | None] = mapped_column(index=True)  # the print run that a letter left with
    status: Mapped[Code]
    due_at: Mapped[datetime]
    sequence: Mapped[int] = mapped_column(default=0)  # order among replies of one turn
    idempotency_key: Mapped[str]
    provider_id: Mapped[str | None] = mapped_column(index=True)
    error_code: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    sending_at: Mapped[datetime | None]
    looked_up_at: Mapped[datetime | None]
    lookups: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("practice_id", "idempotency_key"),
                      Index("ix_outbox_due", "status", "due_at"),
                      Index("ix_outbox_address", "practice_id", "address_hash", "created_at"))


class Verdict(Base):
    """One answer of the gate: which rule, on which facts. Rows are only ever added. It is about one message, or one
    payment, or an instalment of a plan of which no payment was made.
    """

    __tablename__ = "verdicts"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    outbox_id: Mapped[str | None] = mapped_column(String(40), ForeignKey("outbox.id"), index=True)
    payment_id: Mapped[str | None] = mapped_column(String(40), ForeignKey("payments.id"))
    plan_id: Mapped[str | None] = mapped_column(String(40), ForeignKey("plans.id"))
    instalment: Mapped[int | None]
    stage: Mapped[Code]  # queueing, sending
    outcome: Mapped[Code]  # send, defer, withhold
    rule: Mapped[Code]
    reason: Mapped[str]
    until_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]]  # ids, dates, codes: no PHI
    at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("(outbox_id IS NULL) <> (COALESCE(payment_id, plan_id) IS NULL)", name="message_or_charge"),
        CheckConstraint("payment_id IS NULL OR plan_id IS NULL", name="one_charge"),
        # Of part of the rows: nearly all are about messages, and would pay for an entry that nobody looks for.
        *(Index(f"ix_verdicts_{name}", name, sqlite_where=text(f"{name} IS NOT NULL"),
                postgresql_where=text(f"{name} IS NOT NULL")) for name in ("payment_id", "plan_id")))


class Statement(Base):
    """A numbered snapshot; its content never changes once made."""

    __tablename__ = "statements"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    number: Mapped[int]
    statement_on: Mapped[date]
    due_on: Mapped[date]
    language: Mapped[Code]
    currency: Mapped[Code]
    total_minor: Mapped[Minor]
    balance_version: Mapped[int]
    content: Mapped[Any] = mapped_column(SealedJSON("statements.content"))
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "number"),)


class Link(Base):
    """A random, expiring, revocable door for one account (T-39). The token itself is not kept."""

    __tablename__ = "links"
    token_hash: Mapped[Hash] = mapped_column(primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    purpose: Mapped[Code]  # statement, pay, receipt, itemised, passcode, telegram
    object_id: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)


class Case(Base):
    """Work for a person. ``dedupe`` keeps one open case per cause."""

    __tablename__ = "cases"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    number: Mapped[int]
    kind: Mapped[Code]
    title: Mapped[str]  # no PHI: it is shown in lists and notices
    guarantor_id: Mapped[str | None] = mapped_column(index=True)
    visit_id: Mapped[str | None]
    conversation_id: Mapped[str | None] = mapped_column(index=True)  # every turn asks for what is open in it
    reason: Mapped[str | None] = mapped_column(String(40))  # why, as a code, where the patient was asked
    detail: Mapped[str] = mapped_column(Sealed("cases.detail"))
    status: Mapped[Code]  # open, answered, closed
    owner: Mapped[str | None]  # staff login
    level: Mapped[int] = mapped_column(default=0)  # 0 owner, 1 deputy, 2 manager
    told_level: Mapped[int] = mapped_column(default=-1)  # the highest level whose person was sent a notice
    due_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    resolution: Mapped[str | None] = mapped_column(Sealed("cases.resolution"))
    dedupe: Mapped[str]
    __table_args__ = (UniqueConstraint("practice_id", "dedupe"), UniqueConstraint("practice_id", "number"),
                      Index("ix_cases_due", "status", "due_at"))


class CaseNote(Base):
    __tablename__ = "case_notes"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    case_id: Mapped[Ref] = mapped_column(ForeignKey("cases.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str]
    kind: Mapped[Code]  # note, reply, notice, escalation
    body: Mapped[str] = mapped_column(Sealed("case_notes.body"))


class CaseFile(Base):
    """A picture or paper that a patient sent for a case, sealed. Rows are only ever added; the database lets nothing in
    them change but the seal, for a new key.
    """

    __tablename__ = "case_files"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    case_id: Mapped[Ref] = mapped_column(ForeignKey("cases.id"), index=True)
    number: Mapped[int]  # 1, 2 ... within the case
    label: Mapped[Code]  # front, back, paper: what the page asked for; the phone's own file name is not kept
    media_type: Mapped[Code]  # by content
    bytes_count: Mapped[int]
    digest: Mapped[Hash]  # keyed: the same picture again is not kept twice
    content: Mapped[str] = mapped_column(Sealed("case_files.content"))  # base64
    sent_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("case_id", "number"), UniqueConstraint("case_id", "digest"))


class Audit(Base):
    """Who saw or did what to whose account, when and why; reads too. Rows are only ever added (T-36)."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[Code]
    object_kind: Mapped[Code]
    object_id: Mapped[str]
    reason: Mapped[str]
    __table_args__ = (Index("ix_audit_object", "object_kind", "object_id", "at"),)


class Lease(Base):
    __tablename__ = "leases"
    name: Mapped[Code] = mapped_column(primary_key=True)
    owner: Mapped[str]
    until_at: Mapped[datetime]


class Counter(Base):
    """Gapless numbers per practice: statements, cases."""

    __tablename__ = "counters"
    practice_id: Mapped[Ref] = mapped_column(primary_key=True)
    name: Mapped[Code] = mapped_column(primary_key=True)
    value: Mapped[int]
