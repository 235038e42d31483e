"""SQL of payments. Rows that are about to change are locked first, guarantor before payment (the ledger's order)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from billing.store import ledger_queries, practices
from billing.store.prepared import Query, given, prepared
from billing.store.tables import (
    Case,
    Conversation,
    Guarantor,
    Hold,
    LedgerAccount,
    Payment,
    PaymentMethod,
    PlanVisit,
    Practice,
    SetupRequest,
    Statement,
    Transfer,
    Visit,
)


def lock_guarantor(session: Session, guarantor_id: str) -> None:
    ledger_queries.lock_guarantors(session, [guarantor_id])


def practice(session: Session, practice_id: str) -> Practice | None:
    return practices.find_practice(session, practice_id)


def guarantor(session: Session, practice_id: str, guarantor_id: str) -> Guarantor | None:
    query = select(Guarantor).where(Guarantor.practice_id == practice_id, Guarantor.id == guarantor_id)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


@prepared
def _language() -> Query:
    return select(Guarantor.language).where(Guarantor.practice_id == given("practice_id"), Guarantor.id == given("id"))


def language_of(session: Session, practice_id: str, guarantor_id: str) -> str | None:
    """The account's language; None where there is no such account."""
    found: str | None = _language.value(session, practice_id=practice_id, id=guarantor_id)
    return found


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


def practice_of_event(session: Session, payment_id: str | None, session_ref: str, processor_ref: str, *,
                      setup_id: str | None = None, method_ref: str = "") -> str | None:
    """Which practice an event of the processor belongs to; None when nothing of ours fits."""
    for table, named in (
            (Payment, ((Payment.id, payment_id), (Payment.session_ref, session_ref),
                       (Payment.processor_ref, processor_ref))),
            (SetupRequest, ((SetupRequest.id, setup_id), (SetupRequest.session_ref, session_ref))),
            (PaymentMethod, ((PaymentMethod.method_ref, method_ref),))):
        wanted = [column == value for column, value in named if value]
        found = session.scalar(select(table.practice_id).where(or_(*wanted)).limit(1)) if wanted else None
        if found is not None:
            return found
    return None


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


@prepared
def _statement() -> Query:
    """The one that is named, or the newest where none is."""
    wanted = given("statement_id")
    return (select(Statement.id).where(Statement.guarantor_id == given("guarantor_id"),
                                       or_(Statement.id == wanted, wanted == ""))
            .order_by(Statement.number.desc()).limit(1))


def statement_of(session: Session, guarantor_id: str, statement_id: str) -> str | None:
    """This statement if it is the account's; without an id the account's newest."""
    found: str | None = _statement.value(session, guarantor_id=guarantor_id, statement_id=statement_id)
    return found


def visits_of_plan(session: Session, plan_id: str) -> list[str]:
    return list(session.scalars(select(PlanVisit.visit_id).where(PlanVisit.plan_id == plan_id)))


def visits_of_statement(session: Session, guarantor_id: str, statement_id: str) -> list[str]:
    """The visits that a statement of this account lists."""
    row = session.scalars(select(Statement).where(
        Statement.id == statement_id, Statement.guarantor_id == guarantor_id)).one_or_none()
    return [str(visit["visit_id"]) for visit in row.content["visits"]] if row is not None else []


def newest_transfer(session: Session, payment_id: str) -> int:
    """The id of the last thing posted for a payment; 0 for none."""
    return int(session.scalar(select(func.max(Transfer.id)).where(Transfer.payment_id == payment_id)) or 0)


def cash_under(session: Session, payment_id: str, ref_prefix: str) -> int:
    """Cents that a payment's transfers with such a reference brought into cash, less what they took out of it."""
    return _toward(session, "cash", Transfer.payment_id == payment_id,
                   Transfer.source_ref.startswith(ref_prefix, autoescape=True))


def payable_of(session: Session, payment_id: str) -> int:
    """Cents that went back although no account of the payment held them, and that have not come in again."""
    return _toward(session, "refunds_payable", Transfer.payment_id == payment_id)


def fees_under(session: Session, practice_id: str, ref_prefix: str) -> int:
    """Cents of fees booked under such references."""
    return _toward(session, "fees", Transfer.practice_id == practice_id, Transfer.source == "payment",
                   Transfer.source_ref.startswith(ref_prefix, autoescape=True))


def newest_under(session: Session, practice_id: str, ref_prefix: str) -> int:
    """The id of the last transfer under such references; 0 for none."""
    return int(session.scalar(select(func.max(Transfer.id)).where(
        Transfer.practice_id == practice_id, Transfer.source == "payment",
        Transfer.source_ref.startswith(ref_prefix, autoescape=True))) or 0)


def _toward(session: Session, kind: str, *conditions: ColumnElement[bool]) -> int:
    total = 0
    for column, sign in ((Transfer.debit_id, 1), (Transfer.credit_id, -1)):
        amount = session.scalar(select(func.coalesce(func.sum(Transfer.amount_minor), 0)).join(
            LedgerAccount, LedgerAccount.id == column).where(LedgerAccount.kind == kind, *conditions))
        total += sign * int(amount or 0)
    return total


def second_charges(session: Session, payment_id: str) -> list[tuple[str, int]]:
    """(the processor's ref, cents not given back) of charges beyond the first, where a payment was paid twice."""
    prefix = f"{payment_id}:extra:"
    refs = session.scalars(select(Transfer.source_ref).where(
        Transfer.payment_id == payment_id, Transfer.source_ref.startswith(prefix, autoescape=True))
        .order_by(Transfer.id)).all()
    charges = dict.fromkeys(ref.removeprefix(prefix).rsplit(":", 1)[0] for ref in refs)
    left = {charge: cash_under(session, payment_id, f"{prefix}{charge}:")
            + cash_under(session, payment_id, f"{payment_id}:refund:{charge}:") for charge in charges}
    return [(charge, minor) for charge, minor in left.items() if minor > 0]


def taken_from_visits(session: Session, payment_id: str, ref_prefix: str) -> list[tuple[str, int]]:
    """(visit id, cents) that transfers with such a reference have taken off visits and not put back."""
    totals: dict[str, int] = {}
    for row in ledger_queries.transfers_where(session, Transfer.payment_id == payment_id,
                                              Transfer.source_ref.startswith(ref_prefix, autoescape=True)):
        for side, sign in ((row.debit, 1), (row.credit, -1)):
            if side.visit_id is not None and side.key.startswith("patient:"):
                totals[side.visit_id] = totals.get(side.visit_id, 0) + sign * row.amount_minor
    return [(visit_id, minor) for visit_id, minor in totals.items() if minor > 0]


def open_case_number(session: Session, practice_id: str, dedupe: str) -> int | None:
    """The number of the case of a cause that is not closed."""
    return session.scalar(select(Case.number).where(
        Case.practice_id == practice_id, Case.dedupe == dedupe, Case.status != "closed"))


def open_cases(session: Session, practice_id: str, causes: Collection[str]) -> dict[str, Case]:
    """cause -> its case that is not closed."""
    rows = session.scalars(select(Case).where(
        Case.practice_id == practice_id, Case.dedupe.in_(causes), Case.status != "closed"))
    return {row.dedupe: row for row in rows if row.dedupe}


def open_case_of_kind(session: Session, guarantor_id: str, kind: str) -> bool:
    """Whether a person still has to look at something of this kind for the account."""
    return session.scalar(select(Case.id).where(
        Case.guarantor_id == guarantor_id, Case.kind == kind, Case.status != "closed").limit(1)) is not None


def standing_payments(session: Session, payment_id: str) -> list[ledger_queries.TransferRow]:
    """Money that a payment brought to visits and credit and that no reversing row took back, in order of posting."""
    rows = [row for row in ledger_queries.transfers_where(
        session, Transfer.payment_id == payment_id, Transfer.code == "patient_payment")
        if row.debit.key.startswith("cash:")]
    undone = ledger_queries.reversed_ids(session, [row.id for row in rows])
    return [row for row in rows if row.id not in undone]


def payment_in(session: Session, practice_id: str, payment_id: str) -> Payment | None:
    return session.scalars(select(Payment).where(
        Payment.practice_id == practice_id, Payment.id == payment_id)).one_or_none()


def transfers_of(session: Session, payment_id: str) -> list[ledger_queries.TransferRow]:
    """Everything that was posted for a payment, in order."""
    return ledger_queries.transfers_where(session, Transfer.payment_id == payment_id)


def visits_touched(session: Session, payment_ids: Collection[str]) -> list[str]:
    """Every visit that these payments ever paid, or were meant for."""
    paid = session.scalars(select(Transfer.visit_id).where(
        Transfer.payment_id.in_(payment_ids), Transfer.visit_id.is_not(None)).distinct())
    meant = session.scalars(select(Payment.instruction).where(Payment.id.in_(payment_ids)))
    return sorted({str(v) for v in paid} | {str(v) for one in meant for v, _ in one})
