"""What a payment processor is. Nothing about a patient passes this line but opaque ids (T-53)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A hosted page for one payment. ``idempotency_key`` was written down before the first attempt.

    ``saves_method``: the patient asked for the card to be kept; ``customer_ref`` is the processor's own id of somebody
    whose card it keeps already.
    """

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
    bank_debits: bool = False
    saves_method: bool = False
    customer_ref: str | None = None


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """A hosted page on which a card is given and nothing is paid."""

    setup_id: str
    practice_id: str
    currency: str
    language: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    idempotency_key: str
    bank_debits: bool = False
    customer_ref: str | None = None


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    session_ref: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A charge of a card or bank account on file.

    ``practice_starts``: nobody is there (off-session, a merchant-initiated charge under an earlier consent); else the
    patient has just said yes in the thread, and may be sent to ``return_url``'s page to satisfy their bank.
    """

    payment_id: str
    practice_id: str
    amount_minor: int
    currency: str
    customer_ref: str
    method_ref: str
    method_kind: str  # card, bank
    description: str  # neutral
    practice_starts: bool
    return_url: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class RefundRequest:
    refund_id: str
    payment_id: str
    processor_ref: str  # of the payment at the processor
    amount_minor: int
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """A card or bank account that the processor keeps: its opaque ids and what a patient knows it by."""

    customer_ref: str
    method_ref: str
    kind: str  # card, bank
    brand: str
    last4: str
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """What a processor says has happened, in our words. ``event_id`` is its own id, for accepting once.

    kind: paid, failed, expired, processing (a bank works on it), needs_patient (``next_url``: the bank wants to ask
    them), cancelled, refunded (``amount_minor``: all so far), refund_made, refund_pending, refund_failed (one refund,
    ``refund_id``), disputed, dispute_won, dispute_lost, returned (a bank took a debit back late), reinstated (the money
    of a dispute is back), method_saved (``method``; with ``setup_id`` a card was given without paying),
    setup_expired, method_gone, ignored.
    """

    event_id: str
    kind: str
    payment_id: str | None
    amount_minor: int
    currency: str
    session_ref: str
    processor_ref: str
    reason: str  # the processor's own code, such as a decline code
    occurred_at: datetime
    method: SavedMethod | None = None  # known with "paid" too, where the card was kept
    setup_id: str | None = None
    refund_id: str | None = None
    refund_ref: str = ""
    dispute_ref: str = ""
    evidence_due_at: datetime | None = None
    fee_minor: int = 0  # of a dispute
    next_url: str = ""
    tender: str = ""  # card, bank: what it was paid with, where the event says
    inquiry: bool = False  # of a dispute: a bank asks, and no money has moved (yet)


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A line of the processor's own books; amounts in cents, signed as they move its balance for us."""

    ref: str
    kind: str  # charge, refund, dispute, dispute_reversal, fee, payout, payout_failure, other
    source_ref: str
    payment_id: str | None
    payout_ref: str | None
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    made_at: datetime
    processor_ref: str = ""  # of the payment that it belongs to, where it belongs to one
    refund_id: str | None = None


@dataclass(frozen=True, slots=True)
class PayoutRow:
    ref: str
    amount_minor: int
    currency: str
    status: str  # pending, in_transit, paid, failed, canceled
    arrival_on: date
    made_at: datetime


#: Code of a page that could not be opened: the processor failed, and may have kept that answer for the key.
KEPT_FAILURE = "server_error"


class ProcessorError(Exception):
    """kind: retry (nothing happened), unknown (repeat with the same key), refused (never repeat), configuration."""

    def __init__(self, kind: str, code: str) -> None:
        super().__init__(f"{kind} ({code})")
        self.kind = kind
        self.code = code


class Processor(Protocol):
    """Every call raises ProcessorError and nothing else."""

    name: str

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Make the hosted page, or return the same one for the same key. KEPT_FAILURE: the key may be spoilt."""

    async def fetch_checkout(self, session_ref: str) -> PaymentEvent:
        """Ask what became of a session, of a payment or of a setup (return page, reconciliation)."""

    async def open_setup(self, request: SetupRequest) -> CheckoutPage:
        """Make the page on which a card is given without paying; as ``open_checkout``."""

    async def expire_page(self, session_ref: str) -> PaymentEvent:
        """Close a page that must not be paid any more; says what stands: "expired", or "paid" if it was too late."""

    async def charge(self, request: ChargeRequest) -> PaymentEvent:
        """Charge a card on file: paid, processing, failed (a decline is an answer, no error) or needs_patient."""

    async def fetch_charge(self, processor_ref: str) -> PaymentEvent:
        """Ask what became of a charge or of what was paid on a page."""

    async def find_charges(self, payment_id: str, since: datetime) -> tuple[PaymentEvent, ...]:
        """Every charge that carries our id and was made since then, newest first: by listing, as the processor's
        search lags behind its writes.
        """

    async def cancel_charge(self, processor_ref: str, idempotency_key: str) -> PaymentEvent:
        """Give up a charge that waits for the patient; says what stands ("cancelled", or "paid")."""

    async def refund(self, request: RefundRequest) -> PaymentEvent:
        """Give money back: refund_made, refund_pending or refund_failed."""

    async def find_refund(self, refund_id: str, processor_ref: str) -> PaymentEvent | None:
        """The refund that carries our id, of that payment."""

    async def describe_method(self, method_ref: str) -> SavedMethod:
        """What a patient knows a kept card or bank account by; ``customer_ref`` is "" where it is kept no more."""

    async def complete(self, event: PaymentEvent) -> PaymentEvent:
        """The same event with what its sender left out of a card that was kept: ``parse_event`` reads offline, and
        may know its ids only. Costs no call where nothing is missing.
        """

    async def remove_method(self, method_ref: str) -> None:
        """Forget a card; one that is gone already is no error."""

    def entries(self, since: datetime, until: datetime) -> AsyncIterator[EntryRow]:
        """The processor's books between two instants, oldest first, page by page."""

    def payouts(self, since: datetime, until: datetime) -> AsyncIterator[PayoutRow]:
        """Payouts made between two instants."""

    async def balance_minor(self, currency: str) -> int:
        """What the processor holds for us now, available and pending together, in cents."""

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        """Verify the signature and read the event. ProcessorError("refused", ...) for a bad signature."""

    async def close(self) -> None:
        """Free sockets."""


Metadata = Mapping[str, Any]
