"""What a processor's event says, as the payments core reads it (bot/processors/base.py: PaymentEvent)."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from billing.methods import Kept
from billing.store.tables import Payment

#: Only what was paid can be refunded, disputed or returned: the news that it was paid is merely late.
SAY_IT_WAS_PAID = frozenset({"refunded", "refund_made", "refund_pending", "refund_failed", "disputed", "dispute_won",
                             "dispute_lost", "reinstated", "returned"})

#: These carry an amount that has to fit the payment's.
_WEIGHED = frozenset({"refunded", "refund_made", "refund_pending", "disputed", "returned"})

#: These may come without one: the dispute is known already.
_WEIGHED_IF_TOLD = frozenset({"dispute_lost", "dispute_won", "reinstated"})


class ProcessorEvent(Protocol):
    """What a processor says. For "refunded" the amount is all that was refunded so far; for refund_* one refund's."""

    @property
    def kind(self) -> str: ...
    @property
    def payment_id(self) -> str | None: ...
    @property
    def amount_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def session_ref(self) -> str: ...
    @property
    def processor_ref(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def method(self) -> Kept | None: ...
    @property
    def setup_id(self) -> str | None: ...
    @property
    def refund_id(self) -> str | None: ...
    @property
    def refund_ref(self) -> str: ...
    @property
    def dispute_ref(self) -> str: ...
    @property
    def evidence_due_at(self) -> datetime | None: ...
    @property
    def fee_minor(self) -> int: ...
    @property
    def next_url(self) -> str: ...
    @property
    def tender(self) -> str: ...
    @property
    def inquiry(self) -> bool: ...


def when(payment: Payment, event: ProcessorEvent, now: datetime) -> datetime:
    """The processor's clock is not ours: its time counts only within the payment's life."""
    return max(min(event.occurred_at, now), min(payment.created_at, now))


def in_words(event: ProcessorEvent) -> str:
    """Amount and the processor's ids, for a case."""
    return f"{event.kind} {event.amount_minor} {event.currency} ({event.processor_ref or event.session_ref})"


def fits(payment: Payment, event: ProcessorEvent) -> bool:
    """Whether an event's amount and currency can be this payment's."""
    if event.kind == "paid":
        return event.currency == payment.currency and event.amount_minor == payment.amount_minor
    told = event.kind in _WEIGHED or (event.kind in _WEIGHED_IF_TOLD and event.amount_minor != 0)
    if not told:
        return True
    return event.currency == payment.currency and 0 < event.amount_minor <= payment.amount_minor


def of_other_charge(payment: Payment, event: ProcessorEvent) -> str:
    """The second charge that an event is about, where a payment was paid twice; empty for the payment's own."""
    other = event.processor_ref and payment.processor_ref and event.processor_ref != payment.processor_ref
    return event.processor_ref if other else ""
