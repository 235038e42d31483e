"""Cards and bank accounts on file: kept, used, refused for good, removed. Only opaque ids and last digits (T-52)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.orm import Session

from billing import audit, plan_changes, processor_calls
from billing.ids import new_id
from billing.store import money_queries as store
from billing.store import payment_queries
from billing.store.tables import PaymentMethod

#: The processor's word for an id that it does not have: on a page that names a customer, the customer.
CUSTOMER_GONE = "resource_missing"


class MethodRefused(ValueError):
    """There is no such card on file."""


class Kept(Protocol):
    """What a processor says of a card that it keeps (bot/processors/base.py: SavedMethod)."""

    @property
    def customer_ref(self) -> str: ...
    @property
    def method_ref(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def brand(self) -> str: ...
    @property
    def last4(self) -> str: ...
    @property
    def expires_on(self) -> date | None: ...


def usable(session: Session, guarantor_id: str) -> Sequence[PaymentMethod]:
    """Cards and bank accounts that may be charged, newest first."""
    return [row for row in store.methods_in(session, guarantor_id, ("active",)) if row.last4]


def find(session: Session, practice_id: str, guarantor_id: str, method_id: str) -> PaymentMethod | None:
    """A usable card of this account; never another account's."""
    row = store.method_of(session, practice_id, method_id)
    return row if row is not None and row.guarantor_id == guarantor_id and row.status == "active" else None


def is_of(session: Session, practice_id: str, guarantor_id: str, method_id: str) -> bool:
    """Whether a card is this account's, in whatever state."""
    row = store.method_of(session, practice_id, method_id)
    return row is not None and row.guarantor_id == guarantor_id


def customer_ref(session: Session, guarantor_id: str) -> str | None:
    """The processor's own id of somebody whose card it keeps already."""
    return next((row.customer_ref for row in store.methods_in(session, guarantor_id, ("active", "failed"))
                 if row.customer_ref), None)


def keep(session: Session, practice_id: str, guarantor_id: str, method: Kept, now: datetime, *,
         processor: str = "stripe") -> PaymentMethod:
    """Write a kept card down; told again, it completes what was missing. One that was removed or failed stays so."""
    known = store.method_by_ref(session, practice_id, method.method_ref, guarantor_id)
    if known is None:
        return store.add(session, PaymentMethod(
            id=new_id("card"), practice_id=practice_id, guarantor_id=guarantor_id, processor=processor,
            customer_ref=method.customer_ref, method_ref=method.method_ref, kind=method.kind, brand=method.brand,
            last4=method.last4, expires_on=method.expires_on, status="active", created_at=now))
    if method.last4:
        known.brand, known.last4, known.expires_on = method.brand, method.last4, method.expires_on
    known.customer_ref = method.customer_ref or known.customer_ref
    return known


def remove(session: Session, practice_id: str, method_id: str, by: str, now: datetime) -> PaymentMethod:
    """Forget a card here at once and at the processor by a call; whatever was to be charged to it stops (T-50). Where
    another account keeps the same card, the processor keeps it for that one.

    Raises MethodRefused when there is none of that id; removing it again changes nothing.
    """
    row = _find(session, practice_id, method_id)
    if row.status == "removed":
        return row
    _end(session, row, by, now)
    if not any(other.status == "active" for other in store.methods_by_ref(session, practice_id, row.method_ref)):
        processor_calls.enqueue(
            session, practice_id=practice_id, kind="remove_method", object_id=row.id, key=f"{row.id}:remove",
            request={"method_ref": row.method_ref}, now=now)
    return row


def gone(session: Session, practice_id: str, method_ref: str, now: datetime) -> None:
    """The processor keeps this card no more, for none of the accounts that have it."""
    for found in store.methods_by_ref(session, practice_id, method_ref):
        row = _find(session, practice_id, found.id)
        if row.status != "removed":
            _end(session, row, "processor", now)


def customer_gone(session: Session, guarantor_id: str, now: datetime) -> None:
    """The processor knows the account's customer no more, and so none of its cards: the next page makes a new one."""
    for row in store.methods_in(session, guarantor_id, ("active", "failed")):
        _end(session, row, "processor", now)


def _end(session: Session, row: PaymentMethod, by: str, now: datetime) -> None:
    row.status, row.removed_at, row.removed_by = "removed", now, by
    audit.record(session, row.practice_id, by, "card_removed", "account", row.guarantor_id, row.id, now)
    session.flush()
    plan_changes.card_gone(session, row.id, now)


def fail(session: Session, practice_id: str, method_id: str, code: str, now: datetime) -> PaymentMethod:
    """Its bank refused the card for good (lost, stolen, closed): it is never charged again (T-50).

    Raises MethodRefused.
    """
    row = _find(session, practice_id, method_id)
    if row.status == "active":
        row.status, row.failure = "failed", code[:200]
        session.flush()
        plan_changes.card_gone(session, row.id, now)
    return row


def _find(session: Session, practice_id: str, method_id: str) -> PaymentMethod:
    """Its guarantor is locked before it changes: the order in which payments and plans take them."""
    row = store.method_of(session, practice_id, method_id)
    if row is None:
        raise MethodRefused("there is no such card on file")
    payment_queries.lock_guarantor(session, row.guarantor_id)
    session.refresh(row)
    return row
