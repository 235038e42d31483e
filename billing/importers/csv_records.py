"""What rows of CSV files say, as plain facts: checked for form, not yet for meaning.

Every record carries ``position`` (line of the file) and ``source_id`` (the row's own id there, "" when it has none).
Money is signed integer cents. Who pays or owes is a number: PATIENT, ANY_PAYER, or the payer's rank from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from billing.importers.opening_records import OpeningRecord

PATIENT = 0
ANY_PAYER = -1
"""An insurer, but the row does not say which: the last one that the visit's money went to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRow:
    position: int
    source_id: str = ""
    patient_id: str
    account_id: str = ""
    given: str
    surname: str
    born_on: date
    relation: str = ""  # self, child, spouse, other
    guarantor_given: str = ""
    guarantor_surname: str = ""
    guarantor_born_on: date | None = None
    confirmed: bool | None = None
    address: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    language: str = ""
    phones: tuple[str, ...] = ()  # E.164; the consent is for the first
    email: str = ""
    consent_given_on: date | None = None
    consent_wording: str = ""
    consent_medium: str = ""
    consent_recorded_by: str = ""
    opted_out: bool | None = None
    opted_out_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    position: int
    source_id: str = ""
    visit_id: str = ""
    patient_id: str = ""
    rank: int
    payer: str
    payer_id: str = ""
    member_id: str = ""
    filing_code: str = ""
    status: str = ""  # pending, answered, denied, closed; "" where the file does not say
    from_on: date | None = None
    until_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRow:
    position: int
    source_id: str = ""
    visit_id: str
    patient_id: str = ""
    account_id: str = ""
    service_on: date
    service_to: date | None = None
    procedure: str = ""
    modifiers: tuple[str, ...] = ()
    revenue_code: str = ""
    units: str = ""
    amount_minor: int
    words: str = ""
    words_es: str = ""
    provider: str = ""
    provider_npi: str = ""
    place_of_service: str = ""
    payer: str = ""
    payer_id: str = ""
    member_id: str = ""
    filing_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    position: int
    source_id: str = ""
    visit_id: str
    paid_on: date
    amount_minor: int  # negative: given back
    who: int
    tender: str = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentRow:
    position: int
    source_id: str = ""
    visit_id: str
    adjusted_on: date
    amount_minor: int  # positive lowers the balance
    reason: str  # contractual, charity, bad_debt, small_balance, discount
    who: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRow:
    """Money still owed that passes from one to another: no payment, and the visit's total stays."""

    position: int
    source_id: str = ""
    visit_id: str
    moved_on: date
    amount_minor: int
    from_who: int
    to_who: int
    reason: str = ""  # PR-1 ...; "" where the file does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """What another system, whose ledger is the record, holds open for a visit. ``as_of`` a day means its beginning."""

    position: int
    source_id: str = ""
    visit_id: str
    patient_id: str = ""
    account_id: str = ""
    service_on: date | None = None
    patient_minor: int
    payer_minor: int
    as_of: date | datetime
    pending: bool | None = None
    payer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRow:
    position: int
    source_id: str = ""
    visit_id: str
    provider: str
    amount_minor: int
    given_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureRow:
    position: int
    source_id: str = ""
    code: str
    language: str
    words: str


Record: TypeAlias = (PatientRow | CoverageRow | ChargeRow | PaymentRow | AdjustmentRow | TransferRow | BalanceRow
                     | EstimateRow | ProcedureRow | OpeningRecord)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One line of the file: what it says, or why it cannot be read."""

    line: int
    records: tuple[tuple[str, Record], ...]  # (kind, record)
    fault: str = ""
    visit_id: str = ""


def kind_of(record: Record) -> str:
    return _KINDS[type(record)]


_KINDS: dict[type, str] = {
    PatientRow: "patient", CoverageRow: "coverage", ChargeRow: "charge", PaymentRow: "payment",
    AdjustmentRow: "adjustment", TransferRow: "transfer", BalanceRow: "balance", EstimateRow: "estimate",
    ProcedureRow: "procedure",
}
