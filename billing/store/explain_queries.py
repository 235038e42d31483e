"""What an explanation is read from: transfers, and the source rows behind them. Reading only, in four trips to the
database however many visits are asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from billing.store.prepared import Query, ask_together, given, one_of, prepared
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


class OfVisits(NamedTuple):
    """What is known of some visits, in no order of the visits."""

    accounts: list[AccountRow]
    lines: list[LineRow]
    coverages: list[CoverageRow]
    claims: list[ClaimRow]
    csv: list[CsvSource]
    waiver_held: frozenset[str]  # their patient part still waits for a look at the signed waiver (receivables.md D1)


class OfAccounts(NamedTuple):
    """What happened on some ledger accounts, and what their remittance claims say."""

    moves: list[Move]
    adjustments: list[AdjustmentRow]
    suspended: dict[str, int]  # cents of a claim's payment that went to suspense instead, reversals taken off


_VISIT = (Visit.id, Visit.guarantor_id, Visit.external, Visit.service_from_on, Visit.version, Visit.void,
          Visit.charge_minor)


@prepared
def _visits_by_id() -> Query:
    return select(*_VISIT).where(one_of(Visit.id, "ids"))


@prepared
def _visits_of() -> Query:
    return select(*_VISIT).where(Visit.guarantor_id == given("guarantor_id"))


def visits_by_id(session: Session, visit_ids: Collection[str]) -> list[VisitRow]:
    return [VisitRow(*row) for row in _visits_by_id(session, ids=visit_ids)]


def visits_of(session: Session, guarantor_id: str) -> list[VisitRow]:
    """Oldest service first; visits without a date last."""
    rows = [VisitRow(*row) for row in _visits_of(session, guarantor_id=guarantor_id)]
    return sorted(rows, key=lambda v: (v.service_on or date.max, v.id))


@prepared
def _accounts() -> Query:
    return select(LedgerAccount.id, LedgerAccount.visit_id, LedgerAccount.key, LedgerAccount.coverage_id,
                  LedgerAccount.balance_minor).where(one_of(LedgerAccount.visit_id, "ids"))


@prepared
def _lines() -> Query:
    return (select(ServiceLine.id, ServiceLine.visit_id, ServiceLine.version, ServiceLine.charge_minor)
            .where(one_of(ServiceLine.visit_id, "ids")).order_by(ServiceLine.visit_id, ServiceLine.number))


@prepared
def _coverages() -> Query:
    return (select(Coverage.id, Coverage.visit_id, Coverage.rank, Coverage.payer_name, Coverage.status)
            .where(one_of(Coverage.visit_id, "ids")).order_by(Coverage.visit_id, Coverage.rank))


@prepared
def _claims() -> Query:
    return select(RemittanceClaim.id, RemittanceClaim.visit_id, RemittanceClaim.coverage_id, RemittanceClaim.outcome,
                  RemittanceClaim.paid_minor).where(one_of(RemittanceClaim.visit_id, "ids"))


@prepared
def _csv_rows() -> Query:
    return (select(CsvRow.visit_id, CsvRow.import_id, CsvRow.id).where(one_of(CsvRow.visit_id, "ids"))
            .order_by(CsvRow.id))


@prepared
def _imported_balances() -> Query:
    return (select(ImportedBalance.visit_id, ImportedBalance.import_id, ImportedBalance.id)
            .where(one_of(ImportedBalance.visit_id, "ids")).order_by(ImportedBalance.id))


@prepared
def _waivers() -> Query:
    return select(Hold.visit_id).where(
        one_of(Hold.visit_id, "ids"), Hold.kind == "waiver_check", Hold.released_at.is_(None))


def of_visits(session: Session, visit_ids: Collection[str]) -> OfVisits:
    named: dict[str, object] = {"ids": visit_ids}
    accounts, lines, coverages, claims, rows, balances, held = ask_together(session, *((one, named) for one in (
        _accounts, _lines, _coverages, _claims, _csv_rows, _imported_balances, _waivers)))
    return OfVisits(
        [_account(*row) for row in accounts], [LineRow(*row) for row in lines],
        [CoverageRow(*row) for row in coverages], [ClaimRow(*row) for row in claims],
        [CsvSource(visit_id, import_id, f"{kind}:{id_}") for kind, found in (
            ("csv_row", rows), ("imported_balance", balances)) for visit_id, import_id, id_ in found],
        frozenset(visit_id for visit_id, in held))


def _account(id_: int, visit_id: str, key: str, coverage_id: str | None, balance_minor: int) -> AccountRow:
    return AccountRow(id_, visit_id, key.partition(":")[0], coverage_id, balance_minor)


@prepared
def _moves() -> Query:
    return select(
        Transfer.id, Transfer.debit_id, Transfer.credit_id, Transfer.amount_minor, Transfer.code,
        Transfer.effective_on, Transfer.source, Transfer.source_ref, Transfer.service_line_id,
        Transfer.remittance_claim_id, Transfer.payment_id, Transfer.reason, Transfer.reverses_id, Transfer.import_id,
    ).where(or_(one_of(Transfer.debit_id, "account_ids"), one_of(Transfer.credit_id, "account_ids"))
            ).order_by(Transfer.id)


@prepared
def _adjustments() -> Query:
    return select(
        RemittanceAdjustment.id, RemittanceAdjustment.remittance_claim_id, RemittanceAdjustment.group_code,
        RemittanceAdjustment.reason_code, RemittanceAdjustment.amount_minor, RemittanceAdjustment.treatment,
    ).where(one_of(RemittanceAdjustment.remittance_claim_id, "claim_ids")).order_by(RemittanceAdjustment.id)


@prepared
def _to_suspense() -> Query:
    reversed_ids = select(Transfer.reverses_id).where(Transfer.reverses_id.is_not(None))
    return (select(Transfer.remittance_claim_id, LedgerAccount.key, Transfer.amount_minor)
            .join(LedgerAccount, LedgerAccount.id == Transfer.credit_id)
            .where(one_of(Transfer.remittance_claim_id, "claim_ids"), Transfer.code == "suspense",
                   Transfer.id.not_in(reversed_ids)))


def of_accounts(session: Session, account_ids: Collection[int], claim_ids: Collection[str]) -> OfAccounts:
    named: dict[str, object] = {"claim_ids": claim_ids}
    moves, adjustments, suspense = ask_together(
        session, (_moves, {"account_ids": account_ids}), (_adjustments, named), (_to_suspense, named))
    return OfAccounts(
        [Move(*row) for row in moves],
        [AdjustmentRow(id_, claim_id, f"{group}-{reason}", amount, treatment)
         for id_, claim_id, group, reason, amount, treatment in adjustments], _suspended(suspense))


def _suspended(rows: Collection[tuple[Any, ...]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for claim_id, key, amount in rows:
        totals[claim_id] = totals.get(claim_id, 0) + (amount if key == "suspense" else -amount)
    return totals


@prepared
def _payments() -> Query:
    return select(Payment.id).where(one_of(Payment.id, "ids"))


def known_payments(session: Session, payment_ids: Collection[str]) -> frozenset[str]:
    return frozenset(id_ for id_, in _payments(session, ids=payment_ids)) if payment_ids else frozenset()
