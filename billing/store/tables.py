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
    CaseFile,
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
from billing.store.tables_wishes import CheckCode, Passcode, Preference
from billing.store.types import Base

#: Rows that the database itself refuses to change or delete.
APPEND_ONLY = ("transfers", "consents", "verdicts", "audit")

#: Rows that are only ever added too, but whose sealed columns a new key seals anew: what never changes in them.
ADD_ONLY = (("case_files", ("id", "practice_id", "case_id", "number", "label", "media_type", "bytes_count", "digest",
                            "sent_at")),)

__all__ = [
    "ADD_ONLY", "APPEND_ONLY", "Audit", "Base", "Case", "CaseFile", "CaseNote", "CheckCode", "ClaimDocument", "Consent",
    "ContactPoint", "Conversation", "Counter", "Coverage", "CsvRow", "Estimate", "Guarantor", "Hold", "ImportRun",
    "ImportedBalance", "Inbox", "Lease", "LedgerAccount", "Link", "Outbox", "Passcode", "Patient", "Payment",
    "Posting", "PostingBatch", "Practice", "Preference", "Procedure", "ProviderAdjustmentRow", "Remittance",
    "RemittanceAdjustment", "RemittanceClaim", "RemittanceLine", "RemittanceRemark", "ServiceLine", "Staff",
    "Statement", "Transfer", "Verdict", "Visit",
]
