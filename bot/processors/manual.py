"""Money taken by people: cash, cheques and the card terminal at the desk. No network and no hosted page.

Staff record such a payment by ``billing.payments.record_desk_payment``; this processor exists so that a practice
without Stripe is a configuration and not a special case.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import NoReturn

from bot.processors.base import (
    ChargeRequest,
    CheckoutPage,
    CheckoutRequest,
    EntryRow,
    PaymentEvent,
    PayoutRow,
    ProcessorError,
    RefundRequest,
    SavedMethod,
    SetupRequest,
)


class ManualProcessor:
    """Everything that needs a processor ends in ProcessorError("configuration", "no_online_payment"): the patient is
    asked to call or to pay at the desk, and staff are told what is missing.
    """

    name = "manual"

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        _nobody()

    async def fetch_checkout(self, session_ref: str) -> PaymentEvent:
        _nobody()

    async def open_setup(self, request: SetupRequest) -> CheckoutPage:
        _nobody()

    async def expire_page(self, session_ref: str) -> PaymentEvent:
        _nobody()

    async def charge(self, request: ChargeRequest) -> PaymentEvent:
        _nobody()

    async def fetch_charge(self, processor_ref: str) -> PaymentEvent:
        _nobody()

    async def find_charges(self, payment_id: str, since: datetime) -> tuple[PaymentEvent, ...]:
        _nobody()

    async def cancel_charge(self, processor_ref: str, idempotency_key: str) -> PaymentEvent:
        _nobody()

    async def refund(self, request: RefundRequest) -> PaymentEvent:
        _nobody()

    async def find_refund(self, refund_id: str, processor_ref: str) -> PaymentEvent | None:
        _nobody()

    async def describe_method(self, method_ref: str) -> SavedMethod:
        _nobody()

    async def complete(self, event: PaymentEvent) -> PaymentEvent:
        return event

    async def remove_method(self, method_ref: str) -> None:
        _nobody()

    def entries(self, since: datetime, until: datetime) -> AsyncIterator[EntryRow]:
        _nobody()

    def payouts(self, since: datetime, until: datetime) -> AsyncIterator[PayoutRow]:
        _nobody()

    async def balance_minor(self, currency: str) -> int:
        _nobody()

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        """Always refused: nobody sends events about cash."""
        raise ProcessorError("refused", "no_events")

    async def close(self) -> None:
        """Nothing to free."""


def _nobody() -> NoReturn:
    raise ProcessorError("configuration", "no_online_payment")
