"""SQL of the console's account pages, in sets: one query a table, however many visits there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from billing.store.tables import (
    Case,
    Consent,
    ContactPoint,
    Guarantor,
    Hold,
    Outbox,
    Patient,
    Payment,
    Plan,
    Statement,
    Verdict,
    Visit,
)


def account(session: Session, practice_id: str, account_id: str) -> Guarantor | None:
    return session.scalar(select(Guarantor).where(Guarantor.practice_id == practice_id, Guarantor.id == account_id))


def by_surname(session: Session, practice_id: str, hashed: str, most: int) -> Sequence[Guarantor]:
    """Accounts whose guarantor, or one of whose patients, has this surname."""
    patients = select(Patient.guarantor_id).where(Patient.practice_id == practice_id, Patient.surname_hash == hashed)
    return session.scalars(select(Guarantor).where(
        Guarantor.practice_id == practice_id, or_(Guarantor.surname_hash == hashed, Guarantor.id.in_(patients)))
        .order_by(Guarantor.created_at, Guarantor.id).limit(most)).all()


def by_address(session: Session, practice_id: str, hashes: Collection[str], most: int) -> Sequence[Guarantor]:
    """Accounts with one of these numbers or addresses, on any channel."""
    at = select(ContactPoint.guarantor_id).where(ContactPoint.practice_id == practice_id,
                                                 ContactPoint.address_hash.in_(hashes))
    return session.scalars(select(Guarantor).where(Guarantor.practice_id == practice_id, Guarantor.id.in_(at))
                           .order_by(Guarantor.created_at, Guarantor.id).limit(most)).all()


def by_birth(session: Session, practice_id: str, hashed: str, most: int) -> Sequence[Guarantor]:
    """Accounts whose guarantor, or one of whose patients, was born on this day."""
    patients = select(Patient.guarantor_id).where(Patient.practice_id == practice_id, Patient.born_hash == hashed)
    return session.scalars(select(Guarantor).where(
        Guarantor.practice_id == practice_id, or_(Guarantor.born_hash == hashed, Guarantor.id.in_(patients)))
        .order_by(Guarantor.created_at, Guarantor.id).limit(most)).all()


def newest(session: Session, practice_id: str, most: int, *, unconfirmed: bool = False) -> Sequence[Guarantor]:
    wanted = select(Guarantor).where(Guarantor.practice_id == practice_id)
    if unconfirmed:
        wanted = wanted.where(Guarantor.confirmed_at.is_(None))
    return session.scalars(wanted.order_by(Guarantor.created_at.desc(), Guarantor.id.desc()).limit(most)).all()


def patients(session: Session, account_id: str) -> Sequence[Patient]:
    return session.scalars(select(Patient).where(Patient.guarantor_id == account_id).order_by(Patient.id)).all()


def visits(session: Session, account_id: str) -> set[str]:
    return set(session.scalars(select(Visit.id).where(Visit.guarantor_id == account_id)))


def patient_of_visit(session: Session, account_id: str) -> dict[str, str]:
    """Whose each visit was, by the visit's id."""
    rows = session.execute(select(Visit.id, Patient.id).join(Patient, Patient.id == Visit.patient_id)
                           .where(Visit.guarantor_id == account_id))
    return {row[0]: row[1] for row in rows}


def contact(session: Session, practice_id: str, contact_id: str) -> ContactPoint | None:
    return session.scalar(select(ContactPoint).where(
        ContactPoint.practice_id == practice_id, ContactPoint.id == contact_id))


def contacts(session: Session, account_id: str) -> Sequence[ContactPoint]:
    return session.scalars(select(ContactPoint).where(ContactPoint.guarantor_id == account_id)
                           .order_by(ContactPoint.channel, ContactPoint.created_at)).all()


def holds(session: Session, account_id: str) -> Sequence[Hold]:
    """Those that stand first, then the released ones, newest first."""
    return session.scalars(select(Hold).where(Hold.guarantor_id == account_id).order_by(
        Hold.released_at.is_not(None), Hold.placed_at.desc())).all()


def statements(session: Session, account_id: str) -> Sequence[Any]:
    """Without their content, which is sealed and long."""
    return session.execute(select(
        Statement.id, Statement.number, Statement.statement_on, Statement.due_on, Statement.total_minor,
        Statement.currency, Statement.created_at).where(Statement.guarantor_id == account_id)
        .order_by(Statement.number.desc())).all()


def payments(session: Session, account_id: str) -> Sequence[Payment]:
    return session.scalars(select(Payment).where(Payment.guarantor_id == account_id)
                           .order_by(Payment.created_at.desc(), Payment.id.desc())).all()


def plans(session: Session, account_id: str) -> Sequence[Plan]:
    return session.scalars(select(Plan).where(Plan.guarantor_id == account_id).order_by(Plan.offered_at.desc())).all()


def consents(session: Session, practice_id: str, account_id: str, hashes: Collection[str]) -> Sequence[Consent]:
    """What was said about the account, or about its numbers without naming an account; newest first."""
    return session.scalars(select(Consent).where(
        Consent.practice_id == practice_id,
        or_(Consent.guarantor_id == account_id,
            and_(Consent.guarantor_id.is_(None), Consent.address_hash.in_(hashes))))
        .order_by(Consent.id.desc())).all()


def cases(session: Session, account_id: str) -> Sequence[Case]:
    return session.scalars(select(Case).where(Case.guarantor_id == account_id).order_by(Case.number.desc())).all()


def messages(session: Session, account_id: str, most: int) -> Sequence[tuple[Outbox, Verdict | None]]:
    """The newest messages, each with the gate's last word on it."""
    last = select(Verdict.outbox_id, func.max(Verdict.id).label("id")).join(
        Outbox, Outbox.id == Verdict.outbox_id).where(Outbox.guarantor_id == account_id).group_by(
        Verdict.outbox_id).subquery()
    rows = session.execute(select(Outbox, Verdict).outerjoin(last, last.c.outbox_id == Outbox.id).outerjoin(
        Verdict, Verdict.id == last.c.id).where(Outbox.guarantor_id == account_id).order_by(
        Outbox.created_at.desc(), Outbox.id.desc()).limit(most))
    return [(row[0], row[1]) for row in rows]


def message(session: Session, practice_id: str, message_id: str) -> Outbox | None:
    return session.scalar(select(Outbox).where(Outbox.practice_id == practice_id, Outbox.id == message_id))
