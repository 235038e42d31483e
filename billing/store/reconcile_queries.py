"""SQL of the reconciliation: the processor's books as kept here, and what the ledger has of the same money."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from billing.payment_status import TOOK_MONEY
from billing.store.ledger_queries import balance_of, chunks
from billing.store.tables import LedgerAccount, Payment, Practice, Transfer
from billing.store.tables_money import Difference, Payout, ProcessorCall, ProcessorEntry, Reconciliation
from billing.store.tables_plans import SetupRequest


@dataclass(frozen=True, slots=True)
class Moved:
    """A transfer of a payment that touched cash: cents that came in (negative: went out), and why."""

    payment_id: str
    code: str  # of the row that was taken back, where this one takes it back
    amount_minor: int
    posted_at: datetime


def currency_of(session: Session, practice_id: str) -> str:
    return session.get_one(Practice, practice_id).currency


def known_entries(session: Session, practice_id: str, refs: Collection[str]) -> dict[str, ProcessorEntry]:
    found: dict[str, ProcessorEntry] = {}
    for part in chunks(refs):
        rows = session.scalars(select(ProcessorEntry).where(
            ProcessorEntry.practice_id == practice_id, ProcessorEntry.ref.in_(part)))
        found.update((row.ref, row) for row in rows)
    return found


def known_payouts(session: Session, practice_id: str, refs: Collection[str]) -> dict[str, Payout]:
    rows = session.scalars(select(Payout).where(Payout.practice_id == practice_id, Payout.ref.in_(refs)))
    return {row.ref: row for row in rows}


def add_all(session: Session, rows: Sequence[ProcessorEntry | Payout]) -> None:
    session.add_all(rows)
    session.flush()


def owners(session: Session, payment_ids: Collection[str]) -> dict[str, str]:
    """Payment id -> practice id of those that are on file, whoever's they are."""
    found: dict[str, str] = {}
    for part in chunks(payment_ids):
        found.update((id_, owner) for id_, owner in session.execute(
            select(Payment.id, Payment.practice_id).where(Payment.id.in_(part))))
    return found


def entries_between(session: Session, practice_id: str, since: datetime, until: datetime) -> list[ProcessorEntry]:
    return list(session.scalars(select(ProcessorEntry).where(
        ProcessorEntry.practice_id == practice_id, ProcessorEntry.made_at >= since, ProcessorEntry.made_at <= until)
        .order_by(ProcessorEntry.made_at, ProcessorEntry.ref)))


def entries_of(session: Session, practice_id: str, payment_ids: Collection[str]) -> dict[str, list[ProcessorEntry]]:
    """Every entry that is kept of these payments, of whatever day, oldest first."""
    found: dict[str, list[ProcessorEntry]] = {id_: [] for id_ in payment_ids}
    for part in chunks(payment_ids):
        for row in session.scalars(select(ProcessorEntry).where(
                ProcessorEntry.practice_id == practice_id, ProcessorEntry.payment_id.in_(part))
                .order_by(ProcessorEntry.made_at, ProcessorEntry.ref)):
            found[str(row.payment_id)].append(row)
    return found


def fees_of(session: Session, practice_id: str, source_refs: Collection[str], kinds: Collection[str]) -> dict[str, int]:
    """Cents of fees per source, all of its entries together."""
    found: dict[str, int] = {}
    for part in chunks(source_refs):
        rows = session.execute(select(ProcessorEntry.source_ref, func.sum(ProcessorEntry.fee_minor)).where(
            ProcessorEntry.practice_id == practice_id, ProcessorEntry.source_ref.in_(part),
            ProcessorEntry.kind.in_(kinds)).group_by(ProcessorEntry.source_ref))
        found.update((ref, int(total)) for ref, total in rows)
    return found


def payments(session: Session, practice_id: str, payment_ids: Collection[str]) -> dict[str, Payment]:
    found: dict[str, Payment] = {}
    for part in chunks(payment_ids):
        query = select(Payment).where(Payment.practice_id == practice_id, Payment.id.in_(part))
        rows = session.scalars(query.execution_options(populate_existing=True))
        found.update((row.id, row) for row in rows)
    return found


def cash_moves(session: Session, practice_id: str, processor: str, payment_ids: Collection[str]) -> list[Moved]:
    """What payments did to the processor's cash, in order of posting; a refund by check is no business of its."""
    debit, credit, undone = aliased(LedgerAccount), aliased(LedgerAccount), aliased(Transfer)
    found: list[Moved] = []
    for part in chunks(payment_ids):
        query = (
            select(Transfer, undone.code, debit.key, credit.key)
            .join(debit, debit.id == Transfer.debit_id).join(credit, credit.id == Transfer.credit_id)
            .outerjoin(undone, undone.id == Transfer.reverses_id)
            .where(Transfer.practice_id == practice_id, Transfer.payment_id.in_(part),
                   or_(debit.key.startswith(f"cash:{processor}:", autoescape=True),
                       credit.key.startswith(f"cash:{processor}:", autoescape=True))).order_by(Transfer.id))
        for row, undone_code, debit_key, credit_key in session.execute(query):
            theirs = [key.startswith(f"cash:{processor}:") for key in (debit_key, credit_key)]
            found.append(Moved(str(row.payment_id), undone_code or row.code,
                               (int(theirs[0]) - int(theirs[1])) * row.amount_minor, row.posted_at))
    return found


def without_entry(session: Session, practice_id: str, processor: str, since: datetime,
                  before: datetime) -> list[Payment]:
    """Payments that the ledger has as paid in the span and of which the processor's books know no charge."""
    charge = select(ProcessorEntry.ref).where(
        ProcessorEntry.practice_id == practice_id, ProcessorEntry.payment_id == Payment.id,
        ProcessorEntry.kind == "charge")
    return list(session.scalars(select(Payment).where(
        Payment.practice_id == practice_id, Payment.processor == processor, Payment.status.in_(TOOK_MONEY),
        Payment.paid_at >= since, Payment.paid_at < before, ~charge.exists()).order_by(Payment.paid_at)))


def cash_of(session: Session, practice_id: str, processor: str) -> int:
    """What the ledger says the processor holds: all of its cash accounts, in cents."""
    keys = session.scalars(select(LedgerAccount.key).where(
        LedgerAccount.practice_id == practice_id,
        LedgerAccount.key.startswith(f"cash:{processor}:", autoescape=True))).all()
    return sum(balance_of(session, practice_id, key, practice_wide=True) for key in keys)


def silent_setups(session: Session, now: datetime, limit: int) -> list[tuple[str, str]]:
    """(practice id, session) of pages for giving a card that ran out without a word."""
    query = select(SetupRequest.practice_id, SetupRequest.session_ref).where(
        SetupRequest.status == "open", SetupRequest.session_ref.is_not(None), SetupRequest.expires_at < now)
    return [(practice_id, str(ref)) for practice_id, ref in session.execute(
        query.order_by(SetupRequest.expires_at).limit(limit))]


def silent_charges(session: Session, practice_id: str, processor: str, before: datetime) -> list[tuple[str, str]]:
    """(payment id, processor's ref) of what is pending since before then, with no call of ours under way: a bank may
    have answered without our hearing of it, and a failure leaves no line in the processor's books.
    """
    calls = select(ProcessorCall.id).where(
        ProcessorCall.object_id == Payment.id, ProcessorCall.status.in_(["queued", "calling", "unknown"]))
    query = select(Payment.id, Payment.processor_ref).where(
        Payment.practice_id == practice_id, Payment.processor == processor, Payment.status == "pending",
        Payment.processor_ref.is_not(None), Payment.created_at < before, ~calls.exists())
    return [(id_, str(ref)) for id_, ref in session.execute(query.order_by(Payment.created_at))]


def add_run(session: Session, run: Reconciliation) -> None:
    session.add(run)
    session.flush()


def find_run(session: Session, run_id: str) -> Reconciliation:
    return session.get_one(Reconciliation, run_id)


def spans(session: Session, practice_id: str) -> list[tuple[datetime, datetime]]:
    """(since, until) of finished runs, by their beginning."""
    rows = session.execute(select(Reconciliation.since_at, Reconciliation.until_at).where(
        Reconciliation.practice_id == practice_id, Reconciliation.finished_at.is_not(None))
        .order_by(Reconciliation.since_at, Reconciliation.until_at))
    return [(since, until) for since, until in rows]


def first_payment_at(session: Session, practice_id: str, processor: str) -> datetime | None:
    return session.scalar(select(func.min(Payment.created_at)).where(
        Payment.practice_id == practice_id, Payment.processor == processor))


def practices_paid_by(session: Session, processor: str) -> list[str]:
    """Practices that ever asked for a payment through this processor."""
    asked = select(Payment.id).where(Payment.practice_id == Practice.id, Payment.processor == processor)
    return list(session.scalars(select(Practice.id).where(asked.exists()).order_by(Practice.id)))


def by_dedupe(session: Session, practice_id: str, dedupe: str) -> Difference | None:
    return session.scalars(select(Difference).where(
        Difference.practice_id == practice_id, Difference.dedupe == dedupe)).one_or_none()


def find_difference(session: Session, practice_id: str, difference_id: str) -> Difference | None:
    return session.scalars(select(Difference).where(
        Difference.practice_id == practice_id, Difference.id == difference_id).with_for_update()).one_or_none()


def differences(session: Session, practice_id: str, statuses: Collection[str]) -> list[Difference]:
    """Oldest first."""
    return list(session.scalars(select(Difference).where(
        Difference.practice_id == practice_id, Difference.status.in_(statuses))
        .order_by(Difference.found_at, Difference.id)))


def repaired_by(session: Session, reconciliation_id: str) -> list[Difference]:
    """What a run found and repaired itself, oldest first."""
    return list(session.scalars(select(Difference).where(
        Difference.reconciliation_id == reconciliation_id, Difference.status == "repaired")
        .order_by(Difference.found_at, Difference.id)))


def touched_since(session: Session, practice_id: str, processor: str, since: datetime) -> set[str]:
    """Payments of this processor that something was posted for after ``since``."""
    return set(session.scalars(
        select(Transfer.payment_id).join(Payment, Payment.id == Transfer.payment_id)
        .where(Transfer.practice_id == practice_id, Transfer.posted_at > since, Payment.processor == processor)))


def unpaid_in_books(session: Session, practice_id: str, processor: str) -> set[str]:
    """Payments of which the processor's books have a charge that stands, and the ledger has none: mostly a bank debit
    that its bank works on.
    """
    entry = ProcessorEntry
    query = select(entry.payment_id).join(Payment, Payment.id == entry.payment_id).where(
        entry.practice_id == practice_id, Payment.practice_id == practice_id, Payment.processor == processor,
        Payment.status.not_in(TOOK_MONEY)).group_by(entry.payment_id).having(func.sum(entry.amount_minor) != 0)
    return set(session.scalars(query))


def add_difference(session: Session, difference: Difference) -> Difference:
    session.add(difference)
    session.flush()
    return difference


def sums_by_kind(session: Session, practice_id: str, since: datetime,
                 until: datetime) -> Mapping[str, tuple[int, int, int]]:
    """kind -> (entries, cents before fees, fees in cents)."""
    rows = session.execute(
        select(ProcessorEntry.kind, func.count(), func.sum(ProcessorEntry.amount_minor),
               func.sum(ProcessorEntry.fee_minor))
        .where(ProcessorEntry.practice_id == practice_id, ProcessorEntry.made_at >= since,
               ProcessorEntry.made_at <= until).group_by(ProcessorEntry.kind).order_by(ProcessorEntry.kind))
    return {kind: (int(count), int(amount), int(fees)) for kind, count, amount, fees in rows}
