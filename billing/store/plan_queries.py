"""SQL of instalment plans. What is about to change is locked first: guarantor, then plan (the ledger's order)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import BindParameter, ColumnElement, Date, Integer, Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from billing.store import ledger_queries
from billing.store.prepared import Query, given, prepared
from billing.store.tables import (
    Authorization,
    ContactPoint,
    Conversation,
    Inbox,
    Instalment,
    Outbox,
    Payment,
    PaymentMethod,
    Plan,
    PlanEvent,
    PlanVisit,
    Verdict,
    Visit,
)

_FRESH = {"populate_existing": True}


def lock_guarantor(session: Session, guarantor_id: str) -> None:
    ledger_queries.lock_guarantors(session, [guarantor_id])


def bump(session: Session, guarantor_id: str) -> None:
    ledger_queries.bump_versions(session, [guarantor_id])


def add(session: Session, plan: Plan, visits: Sequence[PlanVisit], instalments: Sequence[Instalment]) -> Plan:
    session.add(plan)
    session.flush()
    session.add_all([*visits, *instalments])
    session.flush()
    return plan


def add_instalment(session: Session, row: Instalment) -> None:
    session.add(row)
    session.flush()


def add_event(session: Session, row: PlanEvent) -> None:
    session.add(row)
    session.flush()


def by_key(session: Session, practice_id: str, key: str) -> Plan | None:
    return session.scalars(select(Plan).where(
        Plan.practice_id == practice_id, Plan.idempotency_key == key)).one_or_none()


def by_id(session: Session, plan_id: str) -> Plan | None:
    return session.get(Plan, plan_id)


def find(session: Session, practice_id: str, ref: str) -> Plan | None:
    """A plan by its id or its number."""
    own = Plan.number == int(ref) if ref.isascii() and ref.isdigit() else Plan.id == ref
    return session.scalars(select(Plan).where(Plan.practice_id == practice_id, own)).one_or_none()


def lock(session: Session, plan_id: str) -> Plan | None:
    """The plan as it is now, its guarantor and itself locked until the commit."""
    owner = session.scalar(select(Plan.guarantor_id).where(Plan.id == plan_id))
    if owner is None:
        return None
    lock_guarantor(session, owner)
    session.flush()
    query = select(Plan).where(Plan.id == plan_id).with_for_update()
    return session.scalars(query.execution_options(**_FRESH)).one()


def instalments(session: Session, plan_id: str) -> list[Instalment]:
    """By number: the deposit first."""
    session.flush()
    query = select(Instalment).where(Instalment.plan_id == plan_id).order_by(Instalment.number)
    return list(session.scalars(query.execution_options(**_FRESH)))


def visits(session: Session, plan_id: str) -> list[tuple[str, int]]:
    """(visit id, cents agreed), oldest service first."""
    found = session.execute(
        select(PlanVisit.visit_id, PlanVisit.agreed_minor).join(Visit, Visit.id == PlanVisit.visit_id)
        .where(PlanVisit.plan_id == plan_id).order_by(Visit.service_from_on, Visit.id))
    return [(visit_id, int(minor)) for visit_id, minor in found]


def owed_by_visit(session: Session, practice_id: str, visit_ids: Collection[str]) -> dict[str, int]:
    """Live patient balances."""
    found = ledger_queries.balances_by_key(session, practice_id, [f"patient:{v}" for v in visit_ids])
    return {v: found[f"patient:{v}"] for v in visit_ids}


@prepared
def ids_of_account() -> Query:
    return select(Plan.id).where(Plan.guarantor_id == given("guarantor_id"))


def of_account(session: Session, guarantor_id: str, statuses: Collection[str]) -> list[Plan]:
    """Newest first."""
    if not ids_of_account(session, guarantor_id=guarantor_id):
        return []  # as most accounts; the rows themselves are dear to ask for
    query = select(Plan).where(Plan.guarantor_id == guarantor_id, Plan.status.in_(statuses))
    return list(session.scalars(query.order_by(Plan.number.desc()).execution_options(**_FRESH)))


def with_visits(session: Session, visit_ids: Collection[str], statuses: Collection[str]) -> list[str]:
    """Ids of the plans in these states that any of the visits is on, oldest first."""
    query = select(Plan.id).join(PlanVisit, PlanVisit.plan_id == Plan.id).where(
        PlanVisit.visit_id.in_(visit_ids), Plan.status.in_(statuses))
    return list(session.scalars(query.distinct().order_by(Plan.id)))


def with_method(session: Session, method_id: str, statuses: Collection[str]) -> list[str]:
    return list(session.scalars(select(Plan.id).where(
        Plan.method_id == method_id, Plan.status.in_(statuses)).order_by(Plan.id)))


def listed(session: Session, practice_id: str, status: str | None) -> list[Plan]:
    query = select(Plan).where(Plan.practice_id == practice_id)
    if status is not None:
        query = query.where(Plan.status == status)
    return list(session.scalars(query.order_by(Plan.number)))


def method(session: Session, method_id: str | None) -> PaymentMethod | None:
    if method_id is None:
        return None
    return session.scalars(select(PaymentMethod).where(PaymentMethod.id == method_id)
                           .execution_options(**_FRESH)).one_or_none()


def methods_of(session: Session, guarantor_id: str) -> list[PaymentMethod]:
    """Every card that was ever on file, newest first."""
    return list(session.scalars(select(PaymentMethod).where(PaymentMethod.guarantor_id == guarantor_id)
                                .order_by(PaymentMethod.created_at.desc(), PaymentMethod.id.desc())))


def authorization(session: Session, authorization_id: str | None) -> Authorization | None:
    return session.get(Authorization, authorization_id) if authorization_id else None


def authorizations(session: Session, plan_id: str) -> list[Authorization]:
    return list(session.scalars(select(Authorization).where(Authorization.plan_id == plan_id)
                                .order_by(Authorization.at, Authorization.id)))


def events(session: Session, plan_id: str, kinds: Collection[str] = ()) -> list[PlanEvent]:
    query = select(PlanEvent).where(PlanEvent.plan_id == plan_id)
    if kinds:
        query = query.where(PlanEvent.kind.in_(kinds))
    return list(session.scalars(query.order_by(PlanEvent.id)))


def filled_by(session: Session, plan_id: str, payment_id: str) -> list[tuple[int, int]]:
    """(instalment, cents) that a payment still fills, in the order in which it filled them."""
    totals: dict[int, int] = {}
    rows = session.scalars(select(PlanEvent).where(
        PlanEvent.plan_id == plan_id, PlanEvent.payment_id == payment_id,
        PlanEvent.kind.in_(("paid", "extra", "back"))).order_by(PlanEvent.id))
    for row in rows:
        if row.instalment is not None and row.amount_minor is not None:
            signed = -row.amount_minor if row.kind == "back" else row.amount_minor
            totals[row.instalment] = totals.get(row.instalment, 0) + signed
    return [(number, minor) for number, minor in totals.items() if minor > 0]


def filled_plans(session: Session, payment_id: str) -> list[str]:
    """The plans whose instalments a payment ever filled."""
    return list(session.scalars(select(PlanEvent.plan_id).where(
        PlanEvent.payment_id == payment_id, PlanEvent.kind.in_(("paid", "extra"))).distinct()
        .order_by(PlanEvent.plan_id)))


def payments_of(session: Session, plan_id: str) -> list[Payment]:
    return list(session.scalars(select(Payment).where(Payment.plan_id == plan_id)
                                .order_by(Payment.created_at, Payment.id)))


def news(session: Session, external_id: str) -> Inbox | None:
    """The inbox row of a piece of news that was put into a conversation."""
    return session.scalars(select(Inbox).where(Inbox.source == "event", Inbox.external_id == external_id)
                           .execution_options(**_FRESH)).one_or_none()


def contacts(session: Session, guarantor_id: str) -> list[ContactPoint]:
    return list(session.scalars(select(ContactPoint).where(ContactPoint.guarantor_id == guarantor_id)
                                .order_by(ContactPoint.created_at, ContactPoint.id)))


def said_in_answer(session: Session, inbox_id: int) -> Outbox | None:
    """The message that a piece of news became: the first of its replies."""
    return session.scalars(select(Outbox).where(Outbox.reply_to == inbox_id)
                           .order_by(Outbox.sequence, Outbox.id).limit(1)
                           .execution_options(**_FRESH)).one_or_none()


def message(session: Session, outbox_id: str) -> Outbox | None:
    return session.scalars(select(Outbox).where(Outbox.id == outbox_id).execution_options(**_FRESH)).one_or_none()


def conversation(session: Session, conversation_id: str | None) -> Conversation | None:
    return session.get(Conversation, conversation_id) if conversation_id else None


def conversations_of(session: Session, practice_id: str, hashes: Collection[str]) -> list[Conversation]:
    """The talks at these addresses, the one that was heard from last first."""
    return list(session.scalars(select(Conversation).where(
        Conversation.practice_id == practice_id, Conversation.address_hash.in_(hashes))
        .order_by(Conversation.last_inbound_at.desc().nulls_last(), Conversation.id)))


# The plans' day asks these of every practice each minute: built once, run with that day's values. ---------------------

def _open() -> ColumnElement[bool]:
    return Instalment.amount_minor > Instalment.paid_minor


def _plans_with(*where: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(Plan.practice_id == bindparam("practice_id"), Plan.status.in_(bindparam("statuses", expanding=True)),
                select(Instalment.number).where(Instalment.plan_id == Plan.id, _open(), *where).exists())


def _select(where: ColumnElement[bool]) -> Select[str]:
    return select(Plan.id).where(where).order_by(Plan.id).limit(bindparam("most", type_=Integer))


def _ids(session: Session, query: Select[str], practice_id: str, limit: int, **values: object) -> list[str]:
    return list(session.scalars(query, {"practice_id": practice_id, "most": limit, **values}))


_TO_RESUME = _select(and_(Plan.practice_id == bindparam("practice_id"), Plan.status == "paused",
                          Plan.paused_until_on <= bindparam("today")))
_TO_NOTICE = _select(_plans_with(Instalment.status == "planned", Instalment.due_on <= bindparam("until_on")))
_TO_CONFIRM = _select(_plans_with(Instalment.status == "noticed", Instalment.notice_id.startswith("event:")))
_BEHIND = _select(and_(Plan.practice_id == bindparam("practice_id"), Plan.status == "behind"))
_OFFERS_OVER = _select(and_(Plan.practice_id == bindparam("practice_id"), Plan.offer_ends_at < bindparam("now"),
                            Plan.status.in_(("offered", "awaiting_authorization"))))


def _to_charge() -> Select[str]:
    today = bindparam("today", type_=Date)
    ready = _plans_with(
        Instalment.due_on <= today, Instalment.noticed_at.is_not(None), Instalment.notice_id.not_like("event:%"),
        or_(and_(Instalment.status == "noticed", or_(Instalment.retry_on.is_(None), Instalment.retry_on <= today)),
            and_(Instalment.status == "retrying", Instalment.retry_on <= today)))
    looked = select(PlanEvent.id).where(
        PlanEvent.plan_id == Plan.id, PlanEvent.at >= bindparam("not_since"),
        PlanEvent.kind.in_(("charge_started", "charge_withheld"))).exists()
    busy = select(Instalment.number).where(Instalment.plan_id == Plan.id, Instalment.status == "charging").exists()
    return _select(and_(ready, Plan.collects == "autopay", ~looked, ~busy))


def _to_miss() -> Select[str]:
    late = Instalment.due_on < bindparam("due_before", type_=Date)
    autopay = _plans_with(late, Instalment.status == "retrying", Instalment.retry_on.is_(None))
    by_link = _plans_with(late, Instalment.retry_on.is_(None), Instalment.status.in_(("noticed", "retrying")),
                          Instalment.noticed_at <= bindparam("noticed_by"))
    return _select(or_(autopay, and_(by_link, Plan.collects == "link")))


def _unasked() -> Select[str]:
    since: BindParameter[datetime] = bindparam("not_since")
    told = select(Verdict.id).where(Verdict.plan_id == Plan.id, Verdict.instalment == Instalment.number,
                                    Verdict.at >= since).correlate(Plan, Instalment)
    made = select(Payment.id).where(Payment.plan_id == Plan.id, Payment.instalment == Instalment.number,
                                    Payment.created_at >= since).correlate(Plan, Instalment)
    waits = _plans_with(
        Instalment.due_on <= bindparam("today", type_=Date),
        Instalment.status.in_(bindparam("waiting", expanding=True)),
        or_(Instalment.status != "retrying", Instalment.retry_on.is_not(None)), ~told.exists(), ~made.exists())
    return _select(and_(waits, Plan.collects == "autopay"))


_TO_CHARGE, _TO_MISS, _UNASKED = _to_charge(), _to_miss(), _unasked()


def to_resume(session: Session, practice_id: str, today: date, limit: int) -> list[str]:
    return _ids(session, _TO_RESUME, practice_id, limit, today=today)


def to_notice(session: Session, practice_id: str, statuses: Collection[str], until_on: date, limit: int) -> list[str]:
    """Plans with an instalment that nobody was told of yet and whose day is near."""
    return _ids(session, _TO_NOTICE, practice_id, limit, statuses=sorted(statuses), until_on=until_on)


def to_confirm(session: Session, practice_id: str, statuses: Collection[str], limit: int) -> list[str]:
    """Plans with a notice of which it is not known yet whether it left."""
    return _ids(session, _TO_CONFIRM, practice_id, limit, statuses=sorted(statuses))


def to_charge(session: Session, practice_id: str, statuses: Collection[str], today: date, not_since: datetime,
              limit: int) -> list[str]:
    """Autopay plans with an instalment whose day and notice have come, not looked at since ``not_since``."""
    return _ids(session, _TO_CHARGE, practice_id, limit, statuses=sorted(statuses), today=today, not_since=not_since)


def unasked(session: Session, practice_id: str, statuses: Collection[str], waiting: Collection[str], today: date,
            not_since: datetime, limit: int) -> list[str]:
    """Autopay plans with an instalment that is due, in a state of ``waiting``, of which there is neither a charge nor a
    verdict since ``not_since``.
    """
    return _ids(session, _UNASKED, practice_id, limit, statuses=sorted(statuses), waiting=sorted(waiting), today=today,
                not_since=not_since)


def asked_since(session: Session, plan_id: str, since: datetime) -> set[int]:
    """The numbers of a plan's instalments of which there is a charge or a verdict since then."""
    told = select(Verdict.instalment).where(Verdict.plan_id == plan_id, Verdict.at >= since)
    made = select(Payment.instalment).where(Payment.plan_id == plan_id, Payment.created_at >= since)
    return {number for query in (told, made) for number in session.scalars(query) if number is not None}


def to_miss(session: Session, practice_id: str, statuses: Collection[str], due_before: date, noticed_by: datetime,
            limit: int) -> list[str]:
    """Plans with an instalment past its grace that waits for nothing of ours."""
    return _ids(session, _TO_MISS, practice_id, limit, statuses=sorted(statuses), due_before=due_before,
                noticed_by=noticed_by)


def behind(session: Session, practice_id: str, limit: int) -> list[str]:
    return _ids(session, _BEHIND, practice_id, limit)


_CHARGED = _select(and_(Plan.practice_id == bindparam("practice_id"), Plan.collects == "autopay",
                        Plan.status.in_(bindparam("statuses", expanding=True))))


def charged(session: Session, practice_id: str, statuses: Collection[str], limit: int) -> list[str]:
    """Plans that a card or a bank account is charged for."""
    return _ids(session, _CHARGED, practice_id, limit, statuses=sorted(statuses))


_TO_COPY = (select(Authorization.plan_id).where(
    Authorization.practice_id == bindparam("practice_id"), Authorization.purpose == "plan",
    Authorization.plan_id.is_not(None), Authorization.copy_message_id.is_(None))
    .distinct().order_by(Authorization.plan_id).limit(bindparam("most", type_=Integer)))


def to_copy(session: Session, practice_id: str, limit: int) -> list[str]:
    """Plans with an authorization whose copy has not been seen leaving."""
    found = session.scalars(_TO_COPY, {"practice_id": practice_id, "most": limit})
    return [plan_id for plan_id in found if plan_id is not None]


def offers_over(session: Session, practice_id: str, now: datetime, limit: int) -> list[str]:
    return _ids(session, _OFFERS_OVER, practice_id, limit, now=now)


def practices(session: Session) -> list[str]:
    """Practices with a plan that has not ended."""
    query = select(Plan.practice_id).where(Plan.ended_at.is_(None)).distinct()
    return list(session.scalars(query.order_by(Plan.practice_id)))
