"""What the payers were asked and answered: imports, visits, coverages, service lines, remittances line by line."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import Sealed, SealedJSON
from billing.store.types import Base, Code, Hash, Id, Minor, Ref, Serial


class ImportRun(Base):
    """One file given to ``plainbill import``. ``cursor`` is how many claims or rows are already posted."""

    __tablename__ = "imports"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    file_name: Mapped[str]
    digest: Mapped[str]  # SHA-256 of the bytes
    kind: Mapped[Code]
    status: Mapped[Code]  # posting, waiting (other bytes came first), finished, refused, undone
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    options: Mapped[dict[str, Any]]
    cursor: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    as_of_at: Mapped[datetime | None]
    started_by: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]
    __table_args__ = (Index("ix_imports_open", "practice_id", "status"),
                      Index("ix_imports_digest", "practice_id", "digest"))


class Visit(Base):
    """One claim's worth of care. ``external`` is CLM01/CLP01 or the CSV's id; ``ordinal`` tells repeats apart."""

    __tablename__ = "visits"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    patient_id: Mapped[Ref] = mapped_column(ForeignKey("patients.id"))
    external: Mapped[str] = mapped_column(Sealed("visits.external"))
    external_hash: Mapped[Hash]
    ordinal: Mapped[int] = mapped_column(default=1)
    origin: Mapped[Code]  # claim, remittance, charges, balances
    kind: Mapped[Code]  # 837P, 837I, 835, csv
    version: Mapped[int] = mapped_column(default=1)  # of the charges; CLM05-3 = 7 adds one
    void: Mapped[bool] = mapped_column(default=False)
    charge_minor: Mapped[Minor]
    place_of_service: Mapped[str | None]
    provider: Mapped[str | None] = mapped_column(Sealed("visits.provider"))
    provider_npi: Mapped[str | None]
    service_from_on: Mapped[date | None]
    service_to_on: Mapped[date | None]
    confidential: Mapped[bool] = mapped_column(default=False)
    import_id: Mapped[Ref] = mapped_column(ForeignKey("imports.id"))
    created_at: Mapped[datetime]
    first_statement_on: Mapped[date | None]
    __table_args__ = (UniqueConstraint("practice_id", "external_hash", "ordinal"),)


class Coverage(Base):
    """One payer of a visit, in order. ``status`` says whether it still has to answer: that is what "pending" means."""

    __tablename__ = "coverages"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    visit_id: Mapped[Ref] = mapped_column(ForeignKey("visits.id"))
    rank: Mapped[int]
    payer_name: Mapped[str]
    payer_id: Mapped[str]
    remit_payer: Mapped[str | None]  # TRN03 of the payer's first remittance
    member_id: Mapped[str | None] = mapped_column(Sealed("coverages.member_id"))
    filing_code: Mapped[Code]  # SBR09 / CLP06
    status: Mapped[Code]  # pending, answered, denied, closed
    claim_of_record: Mapped[Code] = mapped_column(default="")  # where the answer came from: 835, 837, csv
    import_id: Mapped[Ref]
    __table_args__ = (UniqueConstraint("visit_id", "rank"),)


class ServiceLine(Base):
    __tablename__ = "service_lines"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    visit_id: Mapped[Ref] = mapped_column(ForeignKey("visits.id"))  # the unique key below finds them
    version: Mapped[int]
    number: Mapped[int]
    procedure_code: Mapped[Code]
    modifiers: Mapped[str]
    revenue_code: Mapped[Code]
    units: Mapped[Code]
    charge_minor: Mapped[Minor]
    service_on: Mapped[date | None]
    control_number: Mapped[str]
    words: Mapped[str | None]  # the practice's description, from CSV
    position: Mapped[int]  # segment or line in the source file
    import_id: Mapped[Ref]
    __table_args__ = (UniqueConstraint("visit_id", "version", "number"),)


class ClaimDocument(Base):
    """One 837 claim as it came: ``digest`` covers its amounts, so that the same claim is charged once."""

    __tablename__ = "claim_documents"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    import_id: Mapped[Ref] = mapped_column(ForeignKey("imports.id"), index=True)
    number: Mapped[int]  # order within the file
    position: Mapped[int]
    claim_hash: Mapped[Hash]
    digest: Mapped[str]
    frequency: Mapped[Code]
    charge_minor: Mapped[Minor]
    visit_id: Mapped[str | None] = mapped_column(index=True)
    outcome: Mapped[Code]  # posted, duplicate, suspended, skipped, undone
    reason: Mapped[str]
    __table_args__ = (UniqueConstraint("import_id", "number"),
                      Index("ix_claim_documents_digest", "practice_id", "claim_hash"))


class Remittance(Base):
    """One 835 transaction. ``identity`` is (TRN03, TRN02, BPR16, BPR02); ``digest`` covers amounts, not bytes."""

    __tablename__ = "remittances"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    import_id: Mapped[Ref] = mapped_column(ForeignKey("imports.id"), index=True)
    identity: Mapped[str]
    digest: Mapped[str]
    generation: Mapped[int] = mapped_column(default=1)  # an undone remittance may be imported again
    trace: Mapped[str]
    payer_identifier: Mapped[str]
    payer_name: Mapped[str]
    payer_id: Mapped[str]
    paid_minor: Mapped[Minor]
    paid_on: Mapped[date | None]
    method: Mapped[Code]
    status: Mapped[Code]  # posting, posted, undone
    position: Mapped[int]
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "identity", "generation"),)


class RemittanceClaim(Base):
    """A CLP with what was done about it. ``outcome``: posted, stored, suspended, skipped, reversed."""

    __tablename__ = "remittance_claims"
    id: Mapped[Id]
    practice_id: Mapped[Ref]  # the remittance's; see Transfer
    remittance_id: Mapped[Ref] = mapped_column(ForeignKey("remittances.id"))
    number: Mapped[int]  # order within the transaction
    position: Mapped[int]
    claim_hash: Mapped[Hash]
    claim_id: Mapped[str] = mapped_column(Sealed("remittance_claims.claim_id"))
    payer_claim_id: Mapped[str]
    status_code: Mapped[Code]
    charge_minor: Mapped[Minor]
    paid_minor: Mapped[Minor]
    reported_patient_minor: Mapped[int | None]
    visit_id: Mapped[str | None] = mapped_column(index=True)
    coverage_id: Mapped[str | None] = mapped_column(index=True)
    outcome: Mapped[Code]
    reason: Mapped[str]
    reversed_by_id: Mapped[str | None]
    details: Mapped[Any] = mapped_column(SealedJSON("remittance_claims.details"))  # names, dates, flags
    __table_args__ = (UniqueConstraint("remittance_id", "number"),
                      Index("ix_remittance_claims_claim", "practice_id", "claim_hash"))


class RemittanceLine(Base):
    __tablename__ = "remittance_lines"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    remittance_claim_id: Mapped[Ref] = mapped_column(ForeignKey("remittance_claims.id"), index=True)
    number: Mapped[int]
    position: Mapped[int]
    procedure_code: Mapped[Code]
    modifiers: Mapped[str]
    revenue_code: Mapped[Code]
    units: Mapped[Code]
    charge_minor: Mapped[Minor]
    paid_minor: Mapped[Minor]
    service_on: Mapped[date | None]
    control_number: Mapped[str]
    service_line_id: Mapped[str | None]


class RemittanceAdjustment(Base):
    """One CAS pair; ``line_number`` 0 is claim level. ``treatment`` says what the ledger made of it."""

    __tablename__ = "remittance_adjustments"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    remittance_claim_id: Mapped[Ref] = mapped_column(ForeignKey("remittance_claims.id"), index=True)
    line_number: Mapped[int]
    position: Mapped[int]
    group_code: Mapped[Code]
    reason_code: Mapped[Code]
    amount_minor: Mapped[Minor]
    quantity: Mapped[str | None]
    treatment: Mapped[Code]  # contractual, patient, waiver_check, next_payer, payer, prior_payer, none


class RemittanceRemark(Base):
    __tablename__ = "remittance_remarks"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    remittance_claim_id: Mapped[Ref] = mapped_column(ForeignKey("remittance_claims.id"), index=True)
    line_number: Mapped[int]
    code: Mapped[Code]


class ProviderAdjustmentRow(Base):
    """One PLB pair, X12's sign (positive lowers the payment). Never a patient's money."""

    __tablename__ = "provider_adjustments"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    remittance_id: Mapped[Ref] = mapped_column(ForeignKey("remittances.id"), index=True)
    number: Mapped[int]
    position: Mapped[int]
    reason_code: Mapped[Code]
    reference: Mapped[str]
    amount_minor: Mapped[Minor]


class CsvRow(Base):
    """Which row of which file became what: the source row behind a number that came by CSV."""

    __tablename__ = "csv_rows"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    import_id: Mapped[Ref] = mapped_column(ForeignKey("imports.id"))
    line: Mapped[int]
    record: Mapped[Code]
    identity: Mapped[str]  # the row's own id in its source, or its place
    digest: Mapped[str]
    visit_id: Mapped[str | None]
    outcome: Mapped[Code]
    reason: Mapped[str]
    __table_args__ = (UniqueConstraint("practice_id", "record", "identity", "import_id"),
                      Index("ix_csv_rows_import", "import_id", "line"))
