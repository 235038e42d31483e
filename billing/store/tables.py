"""All tables in one place for whoever queries them."""

from __future__ import annotations

from billing.store.tables_campaigns import (
    Campaign,
    CampaignRow,
    DeliveryTrouble,
    DunningDay,
    MailBatch,
    MailLetter,
    Segment,
    SegmentMember,
    SendWindow,
)
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
from billing.store.tables_collections import (
    AssistanceApplication,
    Offer,
    OpeningVisit,
    Placement,
    PlacementEvent,
    PlacementFile,
    ReportRun,
    WriteOff,
)
from billing.store.tables_console import (
    ApiKey,
    CannedReply,
    Credential,
    Passkey,
    Presence,
    SignIn,
    ThreadCare,
    ThreadNote,
)
from billing.store.tables_desk import ClaimWork, Correction, PrivacyIncident, WordsChange
from billing.store.tables_desk_campaigns import CampaignLook, CampaignLookList, PolicyChange
from billing.store.tables_ledger import ImportedBalance, LedgerAccount, Payment, Posting, PostingBatch, Transfer
from billing.store.tables_money import (
    BankLine,
    DayClose,
    DayCount,
    Difference,
    PaymentDispute,
    Payout,
    ProcessorCall,
    ProcessorEntry,
    Reconciliation,
    Refund,
)
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
from billing.store.tables_plans import (
    Authorization,
    Instalment,
    PaymentMethod,
    Plan,
    PlanEvent,
    PlanVisit,
    SetupRequest,
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
from billing.store.tables_uploads import ImportFile, ImportPart
from billing.store.tables_wishes import CheckCode, Passcode, Preference
from billing.store.types import Base

#: Rows that the database itself refuses to change or delete.
APPEND_ONLY = ("transfers", "consents", "verdicts", "audit", "plan_events")

#: Rows that are only ever added too, but whose sealed columns a new key seals anew: what never changes in them.
ADD_ONLY = (("case_files", ("id", "practice_id", "case_id", "number", "label", "media_type", "bytes_count", "digest",
                            "sent_at")),)

__all__ = [
    "ADD_ONLY", "APPEND_ONLY", "ApiKey", "AssistanceApplication", "Audit", "Authorization", "BankLine", "Base",
    "Campaign", "CampaignLook", "CampaignLookList", "CampaignRow", "CannedReply", "Case", "CaseFile", "CaseNote",
    "CheckCode", "ClaimDocument", "ClaimWork", "Consent", "ContactPoint", "Conversation", "Correction", "Counter",
    "Coverage", "Credential", "CsvRow", "DayClose", "DayCount", "DeliveryTrouble", "Difference", "DunningDay",
    "Estimate", "Guarantor", "Hold", "ImportFile", "ImportPart", "ImportRun", "ImportedBalance", "Inbox", "Instalment",
    "Lease", "LedgerAccount", "Link", "MailBatch", "MailLetter", "Offer", "OpeningVisit", "Outbox", "Passcode",
    "Passkey", "Patient", "Payment", "PaymentDispute", "PaymentMethod", "Payout", "Placement", "PlacementEvent",
    "PlacementFile", "Plan", "PlanEvent", "PlanVisit", "PolicyChange", "Posting", "PostingBatch", "Practice",
    "Preference", "Presence", "PrivacyIncident", "Procedure", "ProcessorCall", "ProcessorEntry",
    "ProviderAdjustmentRow", "Reconciliation", "Refund", "Remittance", "RemittanceAdjustment", "RemittanceClaim",
    "RemittanceLine", "RemittanceRemark", "ReportRun", "Segment", "SegmentMember", "SendWindow", "ServiceLine",
    "SetupRequest", "SignIn", "Staff", "Statement", "ThreadCare", "ThreadNote", "Transfer", "Verdict", "Visit",
    "WordsChange", "WriteOff",
]
