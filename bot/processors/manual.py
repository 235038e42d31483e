"""Money taken by people: cash, cheques and the card terminal at the desk. No network and no hosted page.

Staff record such a payment by ``billing.payments.record_desk_payment``; this processor exists so that a practice
without Stripe is a configuration and not a special case.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.processors.base import CheckoutPage, CheckoutRequest, PaymentEvent, ProcessorError


class ManualProcessor:
    name = "manual"

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Always refused: the patient is asked to call or to pay at the desk."""
        raise ProcessorError("configuration", "no_online_payment")

    async def fetch_checkout(self, session_ref: str) -> PaymentEvent:
        raise ProcessorError("configuration", "no_online_payment")

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        """Always refused: nobody sends events about cash."""
        raise ProcessorError("refused", "no_events")

    async def close(self) -> None:
        """Nothing to free."""
