"""What a payment processor is. Nothing about a patient passes this line but opaque ids (T-53)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A hosted page for one payment. ``idempotency_key`` was written down before the first attempt."""

    payment_id: str
    practice_id: str
    amount_minor: int
    currency: str
    language: str
    description: str  # neutral: the practice's name and "payment"
    success_url: str
    cancel_url: str
    expires_at: datetime
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    session_ref: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """What a processor says has happened, in our words. ``event_id`` is its own id, for accepting once.

    kind: paid, failed, expired, processing, refunded, disputed, ignored
    """

    event_id: str
    kind: str
    payment_id: str | None
    amount_minor: int
    currency: str
    session_ref: str
    processor_ref: str
    reason: str
    occurred_at: datetime


class ProcessorError(Exception):
    """kind: retry (nothing happened), unknown (repeat with the same key), refused (never repeat), configuration."""

    def __init__(self, kind: str, code: str) -> None:
        super().__init__(f"{kind} ({code})")
        self.kind = kind
        self.code = code


class Processor(Protocol):
    name: str

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Make the hosted page, or return the same one for the same key. Raises ProcessorError."""

    async def fetch_checkout(self, session_ref: str) -> PaymentEvent:
        """Ask what became of a session (return page, reconciliation). Raises ProcessorError."""

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        """Verify the signature and read the event. Raises ProcessorError("refused", ...) for a bad signature."""

    async def close(self) -> None:
        """Free sockets."""


Metadata = Mapping[str, Any]
