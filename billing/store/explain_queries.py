"""What an explanation is read from: transfers, and the source rows behind them. Reading only, a fixed number of
queries however many visits are asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.store.tables import (
    Coverage,
    CsvRow,
    Hold,
    ImportedBalance,
    LedgerAccount,
    Payment,
    RemittanceAdjustment,
    RemittanceClaim,
    ServiceLine,
    Transfer,
    Visit,
)


@dataclass(frozen=True, slots=True)
class VisitRow:
    id: str
    guarantor_id: str
    external: str
    service_on: date | None
    version: int
    void: bool
    charge_minor: int


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A ledger account of a visit; ``side`` is patient or payer. Debits - credits, in cents."""

    id: int
    visit_id: str
    side: str
    coverage_id: str | None
    balance_minor: int


@dataclass(frozen=True, slots=True)
class Move:
    """One posted transfer that touches an account of the visits asked for."""

    id: int
    debit_id: int
    credit_id: int
    amount_minor: int
    code: str
    on: date
    source: str
    source_ref: str
    service_line_id: str | None
    remittance_claim_id: str | None
    payment_id: str | None
    reason: str
    reverses_id: int | None
    import_id: str | None


@dataclass(frozen=True, slots=True)
class LineRow:
    id: str
    visit_id: str
    version: int
    charge_minor: int


@dataclass(frozen=True, slots=True)
class CoverageRow:
    id: str
    visit_id: str
    rank: int
    payer_name: str
    status: str


@dataclass(frozen=True, slots=True)
class ClaimRow:
    id: str
    visit_id: str | None
    coverage_id: str | None
    outcome: str
    paid_minor: int


@dataclass(frozen=True, slots=True)
class AdjustmentRow:
    id: int
    remittance_claim_id: str
    code: str  # "PR-1"
    amount_minor: int
    treatment: str


@dataclass(frozen=True, slots=True)
class CsvSource:
    """A row of an imported file, or of its balances: ``name`` is the source's own name, such as "csv_row:7"."""

    visit_id: str
    import_id: str
    name: str


def visits_by_id(session: Session, visit_ids: Collection[str]) -> list[VisitRow]:
    return [_visit(row) for row in session.scalars(select(Visit).where(Visit.id.in_(visit_ids)))]


def visits_of(session: Session, guarantor_id: str) -> list[VisitRow]:
    """Oldest service first; visits without a date last."""
    rows = [_visit(row) for row in session.scalars(select(Visit).where(Visit.guarantor_id == guarantor_id))]
    return sorted(rows, key=lambda v: (v.service_on or date.max, v.id))


def _visit(row: Visit) -> VisitRow:
    return VisitRow(row.id, row.guarantor_id, row.external, row.service_from_on, row.version, row.void,
                    row.charge_minor)


def accounts(session: Session, visit_ids: Collection[str]) -> list[AccountRow]:
    found = session.execute(
        select(LedgerAccount.id, LedgerAccount.visit_id, LedgerAccount.key, LedgerAccount.coverage_id,
               LedgerAccount.balance_minor).where(LedgerAccount.visit_id.in_(visit_ids)))
    return [AccountRow(id_, visit_id or "", key.partition(":")[0], coverage_id, balance)
            for id_, visit_id, key, coverage_id, balance in found]


def moves(session: Session, account_ids: Collection[int]) -> list[Move]:
    found = session.execute(
        select(Transfer.id, Transfer.debit_id, Transfer.credit_id, Transfer.amount_minor, Transfer.code,
               Transfer.effective_on.label("on"), Transfer.source, Transfer.source_ref, Transfer.service_line_id,
               Transfer.remittance_claim_id, Transfer.payment_id, Transfer.reason, Transfer.reverses_id,
               Transfer.import_id)
        .where(Transfer.debit_id.in_(account_ids) | Transfer.credit_id.in_(account_ids))
        .order_by(Transfer.id))
    return [Move(**row._asdict()) for row in found]


def service_lines(session: Session, visit_ids: Collection[str]) -> list[LineRow]:
    found = session.execute(
        select(ServiceLine.id, ServiceLine.visit_id, ServiceLine.version, ServiceLine.charge_minor)
        .where(ServiceLine.visit_id.in_(visit_ids)).order_by(ServiceLine.visit_id, ServiceLine.number))
    return [LineRow(*row) for row in found]


def coverages(session: Session, visit_ids: Collection[str]) -> list[CoverageRow]:
    found = session.execute(
        select(Coverage.id, Coverage.visit_id, Coverage.rank, Coverage.payer_name, Coverage.status)
        .where(Coverage.visit_id.in_(visit_ids)).order_by(Coverage.visit_id, Coverage.rank))
    return [CoverageRow(*row) for row in found]


def claims(session: Session, visit_ids: Collection[str]) -> list[ClaimRow]:
    found = session.execute(
        select(RemittanceClaim.id, RemittanceClaim.visit_id, RemittanceClaim.coverage_id, RemittanceClaim.outcome,
               RemittanceClaim.paid_minor).where(RemittanceClaim.visit_id.in_(visit_ids)))
    return [ClaimRow(*row) for row in found]


def adjustments(session: Session, claim_ids: Collection[str]) -> list[AdjustmentRow]:
    found = session.execute(
        select(RemittanceAdjustment.id, RemittanceAdjustment.remittance_claim_id, RemittanceAdjustment.group_code,
               RemittanceAdjustment.reason_code, RemittanceAdjustment.amount_minor, RemittanceAdjustment.treatment)
        .where(RemittanceAdjustment.remittance_claim_id.in_(claim_ids)).order_by(RemittanceAdjustment.id))
    return [AdjustmentRow(id_, claim_id, f"{group}-{reason}", amount, treatment)
            for id_, claim_id, group, reason, amount, treatment in found]


def csv_sources(session: Session, visit_ids: Collection[str]) -> list[CsvSource]:
    rows = session.execute(select(CsvRow.visit_id, CsvRow.import_id, CsvRow.id)
                           .where(CsvRow.visit_id.in_(visit_ids)).order_by(CsvRow.id))
    balances = session.execute(select(ImportedBalance.visit_id, ImportedBalance.import_id, ImportedBalance.id)
                               .where(ImportedBalance.visit_id.in_(visit_ids)).order_by(ImportedBalance.id))
    return ([CsvSource(visit_id or "", import_id, f"csv_row:{id_}") for visit_id, import_id, id_ in rows]
            + [CsvSource(visit_id, import_id, f"imported_balance:{id_}") for visit_id, import_id, id_ in balances])


def known_payments(session: Session, payment_ids: Collection[str]) -> frozenset[str]:
    return frozenset(session.scalars(select(Payment.id).where(Payment.id.in_(payment_ids))))


def suspended(session: Session, claim_ids: Collection[str]) -> dict[str, int]:
    """Cents of a remittance claim's payment that went to suspense instead of the visit, reversals taken off."""
    reversed_ids = select(Transfer.reverses_id).where(Transfer.reverses_id.is_not(None))
    found = session.execute(
        select(Transfer.remittance_claim_id, LedgerAccount.key, Transfer.amount_minor)
        .join(LedgerAccount, LedgerAccount.id == Transfer.credit_id)
        .where(Transfer.remittance_claim_id.in_(claim_ids), Transfer.code == "suspense",
               Transfer.id.not_in(reversed_ids)))
    totals: dict[str, int] = {}
    for claim_id, key, amount in found:
        totals[claim_id or ""] = totals.get(claim_id or "", 0) + (amount if key == "suspense" else -amount)
    return totals


def waiver_held(session: Session, visit_ids: Collection[str]) -> frozenset[str]:
    """Visits whose patient part still waits for a look at the signed waiver (receivables.md D1)."""
    found = session.scalars(select(Hold.visit_id).where(
        Hold.visit_id.in_(visit_ids), Hold.kind == "waiver_check", Hold.released_at.is_(None)))
    return frozenset(visit_id for visit_id in found if visit_id)
