"""SQL of the posting file: what another system's ledger of record has to be told, and what it has been told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, insert, or_, select
from sqlalchemy.orm import Session, aliased

from billing.store.ledger_queries import chunks
from billing.store.tables import (
    Guarantor,
    ImportedBalance,
    ImportRun,
    LedgerAccount,
    Payment,
    Posting,
    PostingBatch,
    Transfer,
    Visit,
)

#: What a ledger of record has to hear of. What came from it by a file (import_id) it knows already.
TOLD = ("patient_payment", "refund", "adjustment", "charity", "bad_debt", "small_balance", "discount", "placement",
        "recall")


@dataclass(frozen=True, slots=True)
class PostingRow:
    """One line of a posting file. ``debit_kind`` and ``credit_kind`` say which side of the visit it touched."""

    transfer_id: int
    posting_id: str
    code: str
    amount_minor: int
    currency: str
    effective_on: date
    posted_at: datetime
    reason: str
    debit_kind: str
    credit_kind: str
    visit: str
    account: str
    payment_id: str
    processor: str
    tender: str
    processor_ref: str
    reverses_id: int | None


@dataclass(frozen=True, slots=True)
class Effect:
    """Cents that a transfer of ours changed a visit's balance by; ``acknowledged_at`` empty: not posted there yet."""

    visit_id: str
    side: str
    amount_minor: int
    acknowledged_at: datetime | None


def _ours(reversed_row: type[Transfer]) -> ColumnElement[bool]:
    return and_(Transfer.import_id.is_(None),
                or_(Transfer.code.in_(TOLD), and_(Transfer.code == "reversal", reversed_row.code.in_(TOLD),
                                                  reversed_row.import_id.is_(None))))


def untold(session: Session, practice_id: str) -> list[tuple[int, int]]:
    """(transfer, cents) of what is in no batch yet, oldest first."""
    reversed_row = aliased(Transfer)
    query = (select(Transfer.id, Transfer.amount_minor)
             .outerjoin(reversed_row, reversed_row.id == Transfer.reverses_id)
             .outerjoin(Posting, Posting.transfer_id == Transfer.id)
             .where(Transfer.practice_id == practice_id, Posting.id.is_(None), _ours(reversed_row)))
    return [(id_, amount) for id_, amount in session.execute(query.order_by(Transfer.id))]


def add_batch(session: Session, batch: PostingBatch, rows: Sequence[dict[str, object]]) -> None:
    session.add(batch)
    session.flush()
    for part in chunks(rows):
        session.execute(insert(Posting.__table__), part)  # type: ignore[arg-type]  # a Table, typed FromClause


def batches(session: Session, practice_id: str) -> Sequence[PostingBatch]:
    return session.scalars(select(PostingBatch).where(PostingBatch.practice_id == practice_id)
                           .order_by(PostingBatch.exported_at, PostingBatch.id)).all()


def find_batch(session: Session, practice_id: str, batch_id: str, *, lock: bool) -> PostingBatch | None:
    query = select(PostingBatch).where(PostingBatch.practice_id == practice_id, PostingBatch.id == batch_id)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def acknowledge(session: Session, batch_id: str, now: datetime) -> None:
    for row in session.scalars(select(Posting).where(Posting.batch_id == batch_id)):
        row.acknowledged_at = now


def rows_of(session: Session, batch_id: str) -> list[PostingRow]:
    """A batch's lines in order of posting: the same for ever, as neither transfers nor batches change."""
    debit, credit = aliased(LedgerAccount), aliased(LedgerAccount)
    query = (
        select(Transfer, Posting.id, debit.kind, credit.kind, Visit.external, Guarantor.external, Payment)
        .join(Posting, Posting.transfer_id == Transfer.id)
        .join(debit, debit.id == Transfer.debit_id).join(credit, credit.id == Transfer.credit_id)
        .outerjoin(Visit, Visit.id == Transfer.visit_id).outerjoin(Guarantor, Guarantor.id == Transfer.guarantor_id)
        .outerjoin(Payment, Payment.id == Transfer.payment_id).where(Posting.batch_id == batch_id))
    return [PostingRow(t.id, posting_id, t.code, t.amount_minor, t.currency, t.effective_on, t.posted_at, t.reason,
                       debit_kind, credit_kind, visit or "", account or "", t.payment_id or "",
                       payment.processor if payment else "", payment.tender if payment else "",
                       (payment.processor_ref or "") if payment else "", t.reverses_id)
            for t, posting_id, debit_kind, credit_kind, visit, account, payment
            in session.execute(query.order_by(Transfer.id))]


def effects(session: Session, practice_id: str, visit_ids: Collection[str]) -> list[Effect]:
    """What payments, refunds and adjustments of ours did to these visits, and when they were told of."""
    found: list[Effect] = []
    reversed_row = aliased(Transfer)
    for part in chunks(set(visit_ids)):
        for column, sign in ((Transfer.debit_id, 1), (Transfer.credit_id, -1)):
            query = (
                select(Transfer.visit_id, LedgerAccount.kind, Transfer.amount_minor, Posting.acknowledged_at)
                .join(LedgerAccount, LedgerAccount.id == column)
                .outerjoin(reversed_row, reversed_row.id == Transfer.reverses_id)
                .outerjoin(Posting, Posting.transfer_id == Transfer.id)
                .where(Transfer.practice_id == practice_id, Transfer.visit_id.in_(part),
                       LedgerAccount.kind.in_(("patient", "payer")), _ours(reversed_row)))
            found.extend(Effect(visit_id or "", kind, sign * amount, at)
                         for visit_id, kind, amount, at in session.execute(query))
    return found


def newest_balance_of(session: Session, visit_ids: Collection[str]) -> dict[str, datetime]:
    """The newest moment that an import still standing gave each visit's balances for."""
    found: dict[str, datetime] = {}
    for part in chunks(set(visit_ids)):
        query = (select(ImportedBalance.visit_id, func.max(ImportedBalance.as_of_at))
                 .join(ImportRun, ImportRun.id == ImportedBalance.import_id)
                 .where(ImportedBalance.visit_id.in_(part), ImportRun.status != "undone")
                 .group_by(ImportedBalance.visit_id))
        found.update((visit_id, at) for visit_id, at in session.execute(query))
    return found


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """A visit's newest imported balances, and what the import had to move to take them over."""

    visit: str
    account: str
    as_of_at: datetime
    their_patient_minor: int
    their_payer_minor: int
    our_patient_minor: int
    our_payer_minor: int
    moved_patient_minor: int
    moved_payer_minor: int
    import_id: str
    line: int


def newest_balances(session: Session, practice_id: str) -> list[BalanceRow]:
    newest = (select(func.max(ImportedBalance.id)).join(ImportRun, ImportRun.id == ImportedBalance.import_id)
              .where(ImportedBalance.practice_id == practice_id, ImportRun.status != "undone")
              .group_by(ImportedBalance.visit_id))
    query = (select(ImportedBalance, Visit.external, Guarantor.external)
             .join(Visit, Visit.id == ImportedBalance.visit_id).join(Guarantor, Guarantor.id == Visit.guarantor_id)
             .where(ImportedBalance.id.in_(newest)).order_by(ImportedBalance.import_id, ImportedBalance.line))
    rows = session.execute(query).all()
    moved = _moved(session, {b.import_id for b, _, _ in rows})
    return [BalanceRow(
        visit, account, b.as_of_at, b.patient_minor, b.payer_minor, b.our_patient_minor, b.our_payer_minor,
        moved.get((b.import_id, b.visit_id, "patient"), 0), moved.get((b.import_id, b.visit_id, "payer"), 0),
        b.import_id, b.line) for b, visit, account in rows]


def _moved(session: Session, import_ids: Collection[str]) -> dict[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], int] = {}
    for column, sign in ((Transfer.debit_id, 1), (Transfer.credit_id, -1)):
        query = (select(Transfer.import_id, Transfer.visit_id, LedgerAccount.kind, func.sum(Transfer.amount_minor))
                 .join(LedgerAccount, LedgerAccount.id == column)
                 .where(Transfer.import_id.in_(import_ids), Transfer.code == "external",
                        LedgerAccount.kind.in_(("patient", "payer")))
                 .group_by(Transfer.import_id, Transfer.visit_id, LedgerAccount.kind))
        for import_id, visit_id, kind, amount in session.execute(query):
            key = (import_id or "", visit_id or "", kind)
            found[key] = found.get(key, 0) + sign * int(amount)
    return found
