"""Double entry, one transfer per row. The migration adds triggers that refuse UPDATE and DELETE of transfers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.types import Base, Code, Id, Minor, Ref, Serial


def _where_given(name: str, column: str, *, unique: bool = False) -> Index:
    """An index of the rows that have a value at all: a transfer names its payment or its remittance, seldom both."""
    given = text(f"{column} IS NOT NULL")
    return Index(name, column, unique=unique, sqlite_where=given, postgresql_where=given)


class LedgerAccount(Base):
    """An account of the ledger. ``balance_minor`` = debits - credits, kept beside the transfers in the same
    transaction for visits and guarantors; for practice-wide accounts it is the snapshot up to ``snapshot_id``.
    """

    __tablename__ = "ledger_accounts"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    key: Mapped[str]  # "patient:VISIT", "payer:COVERAGE", "credit:GUARANTOR", "revenue", "cash:stripe" ...
    kind: Mapped[Code]
    guarantor_id: Mapped[str | None] = mapped_column(index=True)
    visit_id: Mapped[str | None] = mapped_column(index=True)
    coverage_id: Mapped[str | None]
    practice_wide: Mapped[bool]
    balance_minor: Mapped[Minor] = mapped_column(default=0)
    snapshot_id: Mapped[int] = mapped_column(Serial, default=0)
    __table_args__ = (UniqueConstraint("practice_id", "key"),)


class Transfer(Base):
    __tablename__ = "transfers"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    # Its accounts' (ledger verify: practice), which are bound to it. A key of its own would lock the practice's
    # one row for each transfer, and batches that post at the same time would wait at that door.
    practice_id: Mapped[Ref]
    debit_id: Mapped[int] = mapped_column(Serial, ForeignKey("ledger_accounts.id"))
    credit_id: Mapped[int] = mapped_column(Serial, ForeignKey("ledger_accounts.id"))
    amount_minor: Mapped[Minor]
    currency: Mapped[Code]
    code: Mapped[Code]  # billing/ledger.py: Why
    effective_on: Mapped[date]
    posted_at: Mapped[datetime]
    source: Mapped[Code]  # claim, remittance, csv, payment, desk, settle, reversal, opening, external
    source_ref: Mapped[str]
    guarantor_id: Mapped[str | None]  # whose account it was when posted
    visit_id: Mapped[str | None]
    coverage_id: Mapped[str | None]
    service_line_id: Mapped[str | None]
    remittance_claim_id: Mapped[str | None]
    payment_id: Mapped[str | None]
    reason: Mapped[str]  # "PR-1", "CO-45", "" ...
    reverses_id: Mapped[int | None] = mapped_column(Serial)
    import_id: Mapped[str | None]
    __table_args__ = (
        UniqueConstraint("practice_id", "source", "source_ref"),
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        Index("ix_transfers_debit", "debit_id", "id"),
        Index("ix_transfers_credit", "credit_id", "id"),
        Index("ix_transfers_visit", "visit_id"),
        _where_given("ix_transfers_reverses", "reverses_id", unique=True),
        _where_given("ix_transfers_import", "import_id"),
        _where_given("ix_transfers_remittance_claim", "remittance_claim_id"),
        _where_given("ix_transfers_payment", "payment_id"),
    )


class Payment(Base):
    """A patient's payment through its life; ``status`` changes only by billing/payments.py's table."""

    __tablename__ = "payments"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    amount_minor: Mapped[Minor]
    refunded_minor: Mapped[Minor] = mapped_column(default=0)
    currency: Mapped[Code]
    processor: Mapped[Code]  # stripe, manual
    tender: Mapped[Code]  # card, bank, cash, check, terminal
    way: Mapped[Code] = mapped_column(default="page")  # page (hosted), saved (a yes in the thread), autopay, desk
    method_id: Mapped[str | None]  # the card on file, for saved and autopay
    plan_id: Mapped[str | None] = mapped_column(index=True)
    instalment: Mapped[int | None]  # the plan's instalment that it was asked for
    statement_id: Mapped[str | None]  # the statement that it answers
    saves_method: Mapped[bool] = mapped_column(default=False)  # the patient asked the page to keep the card
    early: Mapped[bool] = mapped_column(default=False)  # the patient chose to pay what a plan asks for later
    status: Mapped[Code]
    instruction: Mapped[list[Any]]  # [[visit id, amount_minor], ...]: the patient's own split
    balance_version: Mapped[int]
    consent_message_id: Mapped[str | None]
    conversation_id: Mapped[str | None]
    language: Mapped[Code] = mapped_column(default="en")
    idempotency_key: Mapped[str]
    attempt: Mapped[int] = mapped_column(default=0)
    session_ref: Mapped[str | None] = mapped_column(index=True)  # Stripe Checkout session
    session_url: Mapped[str | None]
    processor_ref: Mapped[str | None] = mapped_column(index=True)  # Stripe PaymentIntent
    failure: Mapped[str | None]
    recorded_by: Mapped[str]
    created_at: Mapped[datetime]
    link_expires_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    import_id: Mapped[str | None]
    __table_args__ = (UniqueConstraint("practice_id", "idempotency_key"),
                      CheckConstraint("amount_minor > 0", name="positive"))


class Posting(Base):
    """A payment, refund or adjustment that another system's ledger of record has to be told, exactly once."""

    __tablename__ = "postings"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    transfer_id: Mapped[int] = mapped_column(Serial, ForeignKey("transfers.id"), unique=True)
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("posting_batches.id"), index=True)
    acknowledged_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class PostingBatch(Base):
    __tablename__ = "posting_batches"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    file_name: Mapped[str]
    rows: Mapped[int]
    total_minor: Mapped[Minor]
    exported_by: Mapped[str]
    exported_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]


class ImportedBalance(Base):
    """What the ledger of record said a visit's balances were; the newest row of a visit counts."""

    __tablename__ = "imported_balances"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    visit_id: Mapped[Ref] = mapped_column(ForeignKey("visits.id"), index=True)
    import_id: Mapped[Ref] = mapped_column(ForeignKey("imports.id"))
    line: Mapped[int]
    as_of_at: Mapped[datetime]
    patient_minor: Mapped[Minor]
    payer_minor: Mapped[Minor]
    our_patient_minor: Mapped[Minor]  # what we held before taking theirs over: the listed difference
    our_payer_minor: Mapped[Minor]
    __table_args__ = (UniqueConstraint("import_id", "visit_id"),)
