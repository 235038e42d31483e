"""What an importer hands over: plain facts of a source file, checked for form, not yet for meaning.

Importers never write and never decide. Every record carries its ``position`` (1-based segment number in the
file, or CSV line number), so that a refusal can name the place. Money is signed integer cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


class ImportFault(Exception):
    """A file that cannot be taken as it is. The text names the place and what to do; it holds no PHI."""

    def __init__(self, message: str, *, position: int | None = None, segment: str | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.segment = segment


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong (or odd) at one place. ``difference_minor`` where two sums disagree."""

    position: int
    segment: str
    reason: str
    difference_minor: int | None = None
    claim_id: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    surname: str = ""
    given: str = ""
    middle: str = ""
    born_on: date | None = None
    sex: str = ""
    member_id: str = ""
    address: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One reason/amount pair of a CAS segment, kept apart from its neighbours of the same segment."""

    group: str  # CO PR OA PI CR
    reason: str  # CARC
    amount_minor: int
    position: int
    quantity: str | None = None


@dataclass(frozen=True, slots=True)
class PaidLine:
    """Loop 2110 of an 835."""

    position: int
    procedure_code: str
    modifiers: tuple[str, ...]
    revenue_code: str
    charge_minor: int
    paid_minor: int
    units: str
    service_on: date | None
    control_number: str  # REF*6R
    adjustments: tuple[Adjustment, ...]
    remarks: tuple[str, ...]  # LQ*HE


@dataclass(frozen=True, slots=True)
class PaidClaim:
    """Loop 2100 of an 835 with its service lines."""

    position: int
    claim_id: str  # CLP01
    status_code: str  # CLP02
    charge_minor: int  # CLP03
    paid_minor: int  # CLP04
    reported_patient_minor: int | None  # CLP05, compared and flagged, never posted
    filing_code: str  # CLP06
    payer_claim_id: str  # CLP07
    patient: Person
    subscriber: Person
    service_from_on: date | None
    service_to_on: date | None
    adjustments: tuple[Adjustment, ...]  # claim level
    lines: tuple[PaidLine, ...]
    remarks: tuple[str, ...]  # MIA / MOA
    crossover_payer: str  # NM1*TT
    rendering_name: str  # NM1*82
    corrected: Person = Person()  # NM1*74, what the payer says the patient's or insured's name and id should be
    faults: tuple[Fault, ...] = ()  # amounts that are no amounts: the claim's figures cannot be trusted
    flags: tuple[Fault, ...] = ()  # odd, never refused


@dataclass(frozen=True, slots=True)
class RemittanceOpened:
    """ST to the first CLP of an 835 transaction."""

    position: int
    control_number: str  # ST02
    trace: str  # TRN02
    payer_identifier: str  # TRN03
    paid_minor: int  # BPR02, negative when BPR03 = D
    handling_code: str  # BPR01
    method: str  # BPR04
    paid_on: date | None  # BPR16
    payer_name: str
    payer_id: str  # N1*PR N104 or REF*2U
    payee_name: str
    payee_id: str  # N1*PE N104
    payment_position: int = 0  # of BPR
    on_paper: bool = False  # typed in from an EOB on paper: there need be no TRN03
    flags: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderAdjustment:
    """One reason/amount pair of PLB; X12's sign: positive lowers the payment."""

    position: int
    reason: str
    reference: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class RemittanceClosed:
    """SE of an 835 transaction; ``faults`` are PLB amounts that are no amounts. ``footing`` checks the sums."""

    position: int
    control_number: str
    provider_adjustments: tuple[ProviderAdjustment, ...]
    faults: tuple[Fault, ...] = ()
    flags: tuple[Fault, ...] = ()  # SE01 announces another number of segments


@dataclass(frozen=True, slots=True)
class ClaimCoverage:
    """One payer of a claim: loop 2000B/2010BB, or 2320/2330."""

    rank: str  # SBR01: P S T A B ...
    payer_name: str
    payer_id: str
    member_id: str
    filing_code: str  # SBR09
    relation: str  # SBR02 / PAT01
    subscriber: Person
    is_destination: bool
    paid_minor: int | None = None  # 2320 AMT*D
    paid_on: date | None = None  # 2330B / 2430 DTP*573
    adjustments: tuple[Adjustment, ...] = ()  # 2320 CAS


@dataclass(frozen=True, slots=True)
class LineAdjudication:
    """Loop 2430: what an earlier payer did with the line."""

    payer_id: str  # SVD01
    paid_minor: int
    adjustments: tuple[Adjustment, ...]
    paid_on: date | None = None


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """Loop 2400."""

    position: int
    number: int
    procedure_code: str
    modifiers: tuple[str, ...]
    revenue_code: str
    charge_minor: int
    units: str
    service_on: date | None
    control_number: str  # REF*6R
    adjudications: tuple[LineAdjudication, ...] = ()


@dataclass(frozen=True, slots=True)
class BilledClaim:
    """Loop 2300 of an 837P or 837I with its payers and service lines."""

    position: int
    kind: str  # 837P, 837I
    claim_id: str  # CLM01
    charge_minor: int  # CLM02
    place_of_service: str
    frequency: str  # CLM05-3
    original_reference: str  # REF*F8
    patient: Person
    coverages: tuple[ClaimCoverage, ...]
    lines: tuple[ClaimLine, ...]
    patient_paid_minor: int  # AMT*F5
    service_from_on: date | None
    service_to_on: date | None
    billing_name: str
    billing_npi: str
    rendering_name: str
    purpose: str  # BHT06: CH charge, RP encounter report, 31
    reissued: bool = False  # BHT02 = 18: the same batch sent again
    faults: tuple[Fault, ...] = ()  # amounts that are no amounts
    flags: tuple[Fault, ...] = ()
