"""Money outside the ledger's own rows: refunds, disputes, calls to a processor, its own books, the daily close."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import Sealed
from billing.store.types import Base, Code, Id, Minor, Ref, Serial


class ProcessorCall(Base):
    """A request to a processor, written down before it is made (DESIGN.md, "Unknown outcomes"). ``request`` is frozen,
    so that a repeat under the same key has the same content; it holds opaque ids and amounts alone (T-53).
    """

    __tablename__ = "processor_calls"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    kind: Mapped[Code]  # charge, refund, expire_page, cancel_charge, remove_method
    object_id: Mapped[str] = mapped_column(index=True)  # our payment, refund, or payment method
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    request: Mapped[dict[str, Any]]
    status: Mapped[Code]  # queued, calling, unknown, done, refused, not_made, staff
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    first_called_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    result_ref: Mapped[str | None]
    code: Mapped[str | None]  # the processor's own word for what went wrong
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_processor_calls_due", "status", "due_at"),)


class Refund(Base):
    """Money to be given back, from the request to the bank's word. ``status`` by billing/refund_status.py's table."""

    __tablename__ = "refunds"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    payment_id: Mapped[Ref] = mapped_column(ForeignKey("payments.id"), index=True)
    guarantor_id: Mapped[Ref] = mapped_column(index=True)
    charge_ref: Mapped[str | None]  # of a payment that was paid twice: its second charge; empty: the payment's own
    amount_minor: Mapped[Minor]
    currency: Mapped[Code]
    tender: Mapped[Code]  # original (back to the card or bank account), check, cash
    reason: Mapped[Code]  # overpaid, billing_error, duplicate, insurer_paid, assistance, dispute_upheld, other
    note: Mapped[str] = mapped_column(Sealed("refunds.note"))
    status: Mapped[Code]  # waiting, approved, sent, succeeded, failed, declined
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    processor_ref: Mapped[str | None] = mapped_column(index=True)
    failure: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    dedupe: Mapped[str]
    __table_args__ = (UniqueConstraint("practice_id", "dedupe"),
                      CheckConstraint("amount_minor > 0", name="positive"))


class PaymentDispute(Base):
    """A chargeback or a late return of a bank debit, as the processor tells of it."""

    __tablename__ = "payment_disputes"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    payment_id: Mapped[Ref] = mapped_column(ForeignKey("payments.id"), index=True)
    processor_ref: Mapped[str]
    amount_minor: Mapped[Minor]
    fee_minor: Mapped[Minor] = mapped_column(default=0)
    reason: Mapped[str]
    status: Mapped[Code]  # inquiry, open, evidence_sent, accepted (not contested), won, lost, returned
    evidence_due_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("practice_id", "processor_ref"),)


class ProcessorEntry(Base):
    """A line of the processor's own books (a Stripe balance transaction), as fetched by ``plainbill reconcile``."""

    __tablename__ = "processor_entries"
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[Code]  # charge, refund, dispute, dispute_reversal, fee, payout, payout_failure, other
    source_ref: Mapped[str]
    payment_id: Mapped[str | None] = mapped_column(index=True)
    payout_ref: Mapped[str | None] = mapped_column(index=True)
    processor_ref: Mapped[str]  # what to ask about, where it belongs to a payment; else ""
    refund_id: Mapped[str | None]  # ours, of a refund that we asked for
    amount_minor: Mapped[Minor]  # signed as it moves the processor's balance, before the fee
    fee_minor: Mapped[Minor]
    net_minor: Mapped[Minor]
    currency: Mapped[Code]
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Payout(Base):
    """Money that the processor sends to the practice's bank, and the line of the bank's file that shows it arrived."""

    __tablename__ = "payouts"
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    amount_minor: Mapped[Minor]
    currency: Mapped[Code]
    status: Mapped[Code]  # pending, in_transit, paid, failed, canceled
    arrival_on: Mapped[date]
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Reconciliation(Base):
    """One run of ``plainbill reconcile`` over a span of processor time."""

    __tablename__ = "reconciliations"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    since_at: Mapped[datetime]
    until_at: Mapped[datetime]
    started_by: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    entries: Mapped[int] = mapped_column(default=0)
    repaired: Mapped[int] = mapped_column(default=0)
    left: Mapped[int] = mapped_column(default=0)
    processor_minor: Mapped[int | None]  # the processor's balance by its own books
    ledger_minor: Mapped[int | None]  # ours of the same


class Difference(Base):
    """Something on which processor, payout, bank and ledger do not agree; named once, however often it is found."""

    __tablename__ = "differences"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    reconciliation_id: Mapped[str | None]
    kind: Mapped[Code]
    object_ref: Mapped[str]
    payment_id: Mapped[str | None]
    processor_minor: Mapped[int | None]
    ledger_minor: Mapped[int | None]
    status: Mapped[Code]  # repaired, open, explained
    what_was_done: Mapped[str]
    case_id: Mapped[str | None]
    found_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    dedupe: Mapped[str]
    __table_args__ = (UniqueConstraint("practice_id", "dedupe"),)


class BankLine(Base):
    """A credit or debit of the practice's bank account, from the bank's CSV file, and what it was matched to."""

    __tablename__ = "bank_lines"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    import_ref: Mapped[str]  # digest of the file
    line: Mapped[int]
    booked_on: Mapped[date]
    amount_minor: Mapped[Minor]  # signed: positive came in
    text: Mapped[str] = mapped_column(Sealed("bank_lines.text"))
    matched_kind: Mapped[str | None]  # payout, remittance, deposit
    matched_ref: Mapped[str | None]
    matched_by: Mapped[str | None]
    matched_at: Mapped[datetime | None]
    dedupe: Mapped[str]
    __table_args__ = (UniqueConstraint("practice_id", "dedupe"),
                      Index("ix_bank_lines_matched", "practice_id", "matched_kind", "matched_ref"))


class DayClose(Base):
    """A practice-local day that was counted, signed and locked: nothing more is posted into it."""

    __tablename__ = "day_closes"
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    day_on: Mapped[date] = mapped_column(primary_key=True)
    totals: Mapped[dict[str, Any]]  # by person and tender, in cents, as counted and as booked
    over_short_minor: Mapped[int]
    note: Mapped[str]
    signed_by: Mapped[str]
    signed_at: Mapped[datetime]


class DayCount(Base):
    """What was counted in one person's drawer for one tender, before the day is signed; ``counted_by`` whom."""

    __tablename__ = "day_counts"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    day_on: Mapped[date]
    person: Mapped[str]
    tender: Mapped[Code]
    counted_minor: Mapped[Minor]
    counted_by: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (Index("ix_day_counts_day", "practice_id", "day_on"),)
