"""The rows of source documents behind the steps of a derivation, by their ids: one query per kind of row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

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

#: A row with an ``id`` and the columns that its query names.
SourceRow = Row[Any]


def service_lines(session: Session, practice_id: str, ids: Collection[str]) -> list[SourceRow]:
    return list(session.execute(select(
        ServiceLine.id, ServiceLine.service_on, ServiceLine.procedure_code, ServiceLine.words, ServiceLine.charge_minor)
        .where(ServiceLine.practice_id == practice_id, ServiceLine.id.in_(ids))))


def answers(session: Session, practice_id: str, ids: Collection[str]) -> list[SourceRow]:
    """What a payer answered to a claim, with the payment that it came with."""
    return list(session.execute(select(
        RemittanceClaim.id, Remittance.paid_on, Remittance.payer_name, RemittanceClaim.payer_claim_id,
        RemittanceClaim.paid_minor).join(Remittance, Remittance.id == RemittanceClaim.remittance_id)
        .where(RemittanceClaim.practice_id == practice_id, RemittanceClaim.id.in_(ids))))


def adjustments(session: Session, practice_id: str, ids: Collection[int]) -> list[SourceRow]:
    return list(session.execute(select(
        RemittanceAdjustment.id, Remittance.paid_on, Remittance.payer_name, RemittanceAdjustment.group_code,
        RemittanceAdjustment.reason_code, RemittanceAdjustment.amount_minor)
        .join(RemittanceClaim, RemittanceClaim.id == RemittanceAdjustment.remittance_claim_id)
        .join(Remittance, Remittance.id == RemittanceClaim.remittance_id)
        .where(RemittanceAdjustment.practice_id == practice_id, RemittanceAdjustment.id.in_(ids))))


def payments(session: Session, practice_id: str, ids: Collection[str]) -> list[SourceRow]:
    return list(session.execute(select(Payment.id, Payment.paid_at, Payment.tender, Payment.amount_minor).where(
        Payment.practice_id == practice_id, Payment.id.in_(ids))))


def transfers(session: Session, practice_id: str, ids: Collection[int]) -> list[SourceRow]:
    return list(session.execute(select(Transfer.id, Transfer.effective_on, Transfer.amount_minor).where(
        Transfer.practice_id == practice_id, Transfer.id.in_(ids))))


def file_rows(session: Session, practice_id: str, ids: Collection[int]) -> list[SourceRow]:
    return list(session.execute(select(CsvRow.id, ImportRun.started_at, CsvRow.line)
                                .join(ImportRun, ImportRun.id == CsvRow.import_id)
                                .where(CsvRow.practice_id == practice_id, CsvRow.id.in_(ids))))


def balances(session: Session, practice_id: str, ids: Collection[int]) -> list[SourceRow]:
    return list(session.execute(select(ImportedBalance.id, ImportedBalance.as_of_at, ImportedBalance.line).where(
        ImportedBalance.practice_id == practice_id, ImportedBalance.id.in_(ids))))


def imports(session: Session, practice_id: str, ids: Collection[str]) -> list[SourceRow]:
    return list(session.execute(select(ImportRun.id, ImportRun.started_at).where(
        ImportRun.practice_id == practice_id, ImportRun.id.in_(ids))))


def applications(session: Session, practice_id: str, ids: Collection[str]) -> list[SourceRow]:
    return list(session.execute(select(
        AssistanceApplication.id, AssistanceApplication.decided_at, AssistanceApplication.number).where(
        AssistanceApplication.practice_id == practice_id, AssistanceApplication.id.in_(ids))))
