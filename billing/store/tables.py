"""All tables in one place for whoever queries them."""

from __future__ import annotations

from billing.store.tables_claims import (
    ClaimDocument,
    Coverage,
    CsvRow,
    ImportRun,
    ProviderAdjustmentRow,
    Remittance,
    RemittanceAdjustment,
    RemittanceClaim,
    RemittanceLine,
    RemittanceRemark,
    ServiceLine,
    Visit,
)
from billing.store.tables_ledger import ImportedBalance, LedgerAccount, Payment, Posting, PostingBatch, Transfer
from billing.store.tables_parties import (
    Consent,
    ContactPoint,
    Estimate,
    Guarantor,
    Hold,
    Patient,
    Practice,
    Procedure,
    Staff,
)
from billing.store.tables_road import (
    Audit,
    Case,
    CaseNote,
    Conversation,
    Counter,
    Inbox,
    Lease,
    Link,
    Outbox,
    Statement,
    Verdict,
)
from billing.store.types import Base

#: Rows that the database itself refuses to change or delete.
APPEND_ONLY = ("transfers", "consents", "verdicts", "audit")

__all__ = [
    "APPEND_ONLY", "Audit", "Base", "Case", "CaseNote", "ClaimDocument", "Consent", "ContactPoint", "Conversation",
    "Counter", "Coverage", "CsvRow", "Estimate", "Guarantor", "Hold", "ImportRun", "ImportedBalance", "Inbox", "Lease",
    "LedgerAccount", "Link", "Outbox", "Patient", "Payment", "Posting", "PostingBatch", "Practice", "Procedure",
    "ProviderAdjustmentRow", "Remittance", "RemittanceAdjustment", "RemittanceClaim", "RemittanceLine",
    "RemittanceRemark", "ServiceLine", "Staff", "Statement", "Transfer", "Verdict", "Visit",
]
