"""SQL of payments. Rows that are about to change are locked first, guarantor before payment (the ledger's order)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from billing.store import ledger_queries
from billing.store.tables import Conversation, Guarantor, Hold, Outbox, Payment, Practice, Statement, Transfer, Visit


def lock_guarantor(session: Session, guarantor_id: str) -> None:
    ledger_queries.lock_guarantors(session, [guarantor_id])


def practice(session: Session, practice_id: str) -> Practice | None:
    return session.get(Practice, practice_id)


def guarantor(session: Session, practice_id: str, guarantor_id: str) -> Guarantor | None:
    query = select(Guarantor).where(Guarantor.practice_id == practice_id, Guarantor.id == guarantor_id)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def add(session: Session, payment: Payment) -> Payment:
    session.add(payment)
    session.flush()
    return payment


def by_key(session: Session, practice_id: str, idempotency_key: str) -> Payment | None:
    return session.scalars(select(Payment).where(
        Payment.practice_id == practice_id, Payment.idempotency_key == idempotency_key)).one_or_none()


def lock_payment(session: Session, practice_id: str, payment_id: str) -> Payment | None:
    """The payment as it is now, its guarantor and itself locked until the commit."""
    return _locked(session, select(Payment).where(Payment.practice_id == practice_id, Payment.id == payment_id))


def lock_for_event(session: Session, practice_id: str, payment_id: str | None, session_ref: str,
                   processor_ref: str) -> Payment | None:
    """The payment that an event is about: by our id where the event carries one, else by the processor's."""
    if payment_id:
        return lock_payment(session, practice_id, payment_id)
    named = [column == value for column, value in
             ((Payment.session_ref, session_ref), (Payment.processor_ref, processor_ref)) if value]
    if not named:
        return None
    return _locked(session, select(Payment).where(Payment.practice_id == practice_id, or_(*named))
                   .order_by(Payment.id).limit(1))


def _locked(session: Session, query: Select[Payment]) -> Payment | None:
    found = session.scalars(query).one_or_none()
    if found is None:
        return None
    lock_guarantor(session, found.guarantor_id)
    fresh = select(Payment).where(Payment.id == found.id).with_for_update()
    return session.scalars(fresh.execution_options(populate_existing=True)).one()


def practice_of_event(session: Session, payment_id: str | None, session_ref: str, processor_ref: str) -> str | None:
    """Which practice an event of the processor belongs to; None when no payment of ours fits."""
    named = [column == value for column, value in
             ((Payment.id, payment_id), (Payment.session_ref, session_ref), (Payment.processor_ref, processor_ref))
             if value]
    return session.scalar(select(Payment.practice_id).where(or_(*named)).limit(1)) if named else None


def of_account(session: Session, guarantor_id: str, statuses: Collection[str]) -> Sequence[Payment]:
    """An account's payments in these states, oldest first."""
    return session.scalars(select(Payment).where(
        Payment.guarantor_id == guarantor_id, Payment.status.in_(statuses)).order_by(Payment.created_at)).all()


def owned_visits(session: Session, guarantor_id: str, visit_ids: Collection[str]) -> list[str]:
    """Those of ``visit_ids`` that are this account's, oldest service first."""
    query = select(Visit.id).where(Visit.guarantor_id == guarantor_id, Visit.id.in_(visit_ids))
    return list(session.scalars(query.order_by(Visit.service_from_on, Visit.id)))


@dataclass(frozen=True, slots=True)
class Net:
    """What a payment's transfers come to on one account: cents still standing to its credit. ``first`` orders them."""

    visit_id: str | None
    amount_minor: int


def net_of_payment(session: Session, payment_id: str) -> list[Net]:
    """Where a payment's money stands now, in order of its first posting; refunds are taken off."""
    totals: dict[str | None, int] = {}
    for row in ledger_queries.transfers_where(session, Transfer.payment_id == payment_id):
        for side, sign in ((row.credit, 1), (row.debit, -1)):
            if side.key.startswith(("patient:", "credit:")):
                visit_id = side.visit_id if side.key.startswith("patient:") else None
                totals[visit_id] = totals.get(visit_id, 0) + sign * row.amount_minor
    return [Net(visit_id, amount) for visit_id, amount in totals.items() if amount > 0]


def moved_to_credit(session: Session, visit_ids: Collection[str]) -> int:
    """Cents that these visits gave up to their guarantors' credit and have not taken back."""
    total = 0
    for row in ledger_queries.transfers_where(session, Transfer.visit_id.in_(list(visit_ids)),
                                              Transfer.code.in_(["to_credit", "from_credit"])):
        total += row.amount_minor if row.credit.key.startswith("credit:") else -row.amount_minor
    return total


def uncertain(session: Session, now: datetime, limit: int) -> list[tuple[str, str]]:
    """(practice id, session) of pages that ran out without a word: the processor is asked what became of them."""
    query = select(Payment.practice_id, Payment.session_ref).where(
        Payment.status.in_(["pending", "failed"]), Payment.session_ref.is_not(None), Payment.link_expires_at < now)
    return [(practice_id, ref) for practice_id, ref in session.execute(
        query.order_by(Payment.link_expires_at).limit(limit)) if ref is not None]


def open_holds(session: Session, guarantor_id: str, kinds: Collection[str]) -> set[str | None]:
    """Visits of the account under an open hold of these kinds; None stands for the whole account."""
    return set(session.scalars(select(Hold.visit_id).where(
        Hold.guarantor_id == guarantor_id, Hold.kind.in_(kinds), Hold.released_at.is_(None))))


def posted_under(session: Session, payment_id: str, ref_prefix: str) -> int:
    """Cents of a payment's transfers whose source reference starts so."""
    return int(session.scalar(select(func.coalesce(func.sum(Transfer.amount_minor), 0)).where(
        Transfer.payment_id == payment_id, Transfer.source_ref.startswith(ref_prefix, autoescape=True))) or 0)


def conversation(session: Session, conversation_id: str) -> Conversation | None:
    return session.get(Conversation, conversation_id)


def payment_of(session: Session, practice_id: str, guarantor_id: str, payment_id: str) -> Payment | None:
    return session.scalars(select(Payment).where(
        Payment.id == payment_id, Payment.practice_id == practice_id,
        Payment.guarantor_id == guarantor_id)).one_or_none()


def visits_by_id(session: Session, visit_ids: Collection[str]) -> dict[str, Visit]:
    return {row.id: row for row in session.scalars(select(Visit).where(Visit.id.in_(visit_ids)))}


def latest_conversation(session: Session, practice_id: str, guarantor_id: str) -> str | None:
    """Where this account last spoke with us, for receipts of what is paid on a page."""
    return session.scalar(select(Conversation.id).where(
        Conversation.practice_id == practice_id, Conversation.guarantor_id == guarantor_id)
        .order_by(Conversation.last_inbound_at.desc().nulls_last()).limit(1))


def practice_of_message(session: Session, outbox_id: str) -> str | None:
    """Which practice sent a message, for a report that names it."""
    return session.scalar(select(Outbox.practice_id).where(Outbox.id == outbox_id))


def statement_of(session: Session, guarantor_id: str, statement_id: str) -> str | None:
    """This statement if it is the account's; without an id the account's newest."""
    query = select(Statement.id).where(Statement.guarantor_id == guarantor_id)
    if statement_id:
        query = query.where(Statement.id == statement_id)
    return session.scalar(query.order_by(Statement.number.desc()).limit(1))
