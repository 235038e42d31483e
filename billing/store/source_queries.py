"""The rows of source documents behind the steps of a derivation: one statement for each kind of row, asked with
``practice_id`` and ``ids``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from billing.store.prepared import Query, given, one_of, prepared
from billing.store.tables import (
    AssistanceApplication,
    CsvRow,
    ImportedBalance,
    ImportRun,
    Payment,
    Remittance,
    RemittanceAdjustment,
    RemittanceClaim,
    ServiceLine,
    Transfer,
)


def _ours(query: Query, rows: type[Any]) -> Query:
    return query.where(rows.practice_id == given("practice_id"), one_of(rows.id, "ids"))


@prepared
def service_lines() -> Query:
    return _ours(select(
        ServiceLine.id, ServiceLine.service_on, ServiceLine.charge_minor, ServiceLine.procedure_code,
        ServiceLine.words), ServiceLine)


@prepared
def answers() -> Query:
    """What a payer answered to a claim, with the payment that it came with."""
    return _ours(select(
        RemittanceClaim.id, Remittance.paid_on, RemittanceClaim.paid_minor, RemittanceClaim.payer_claim_id,
        Remittance.payer_name).join(Remittance, Remittance.id == RemittanceClaim.remittance_id),
        RemittanceClaim)


@prepared
def adjustments() -> Query:
    return _ours(select(
        RemittanceAdjustment.id, Remittance.paid_on, RemittanceAdjustment.amount_minor, RemittanceAdjustment.group_code,
        RemittanceAdjustment.reason_code, Remittance.payer_name)
        .join(RemittanceClaim, RemittanceClaim.id == RemittanceAdjustment.remittance_claim_id)
        .join(Remittance, Remittance.id == RemittanceClaim.remittance_id),
        RemittanceAdjustment)


@prepared
def payments() -> Query:
    return _ours(select(Payment.id, Payment.paid_at, Payment.amount_minor, Payment.tender),
                 Payment)


@prepared
def transfers() -> Query:
    return _ours(select(Transfer.id, Transfer.effective_on, Transfer.amount_minor), Transfer)


@prepared
def file_rows() -> Query:
    return _ours(select(CsvRow.id, ImportRun.started_at, CsvRow.line)
                 .join(ImportRun, ImportRun.id == CsvRow.import_id), CsvRow)


@prepared
def balances() -> Query:
    return _ours(select(ImportedBalance.id, ImportedBalance.as_of_at, ImportedBalance.line),
                 ImportedBalance)


@prepared
def imports() -> Query:
    return _ours(select(ImportRun.id, ImportRun.started_at), ImportRun)


@prepared
def applications() -> Query:
    return _ours(select(AssistanceApplication.id, AssistanceApplication.decided_at, AssistanceApplication.number),
                 AssistanceApplication)
