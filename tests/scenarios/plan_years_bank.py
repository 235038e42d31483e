"""A processor with a book of its own: what it really took and gave back, whoever heard of it.

It declines, times out before and after it acted, takes days over bank debits and returns some late, loses, doubles and
reorders its news. Everything is drawn per customer from the seed, so that one customer's luck never moves another's.
Its book is the witness of these tests: no code of the ledger is used for it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import holidays

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
from tests.scenarios.plan_years_facts import Card, Moved, Taken

HARD = ("lost_card", "stolen_card", "expired_card", "pickup_card")
SOFT = ("insufficient_funds", "generic_decline", "do_not_honor", "card_declined")
OTHER = ("authentication_required", "processing_error", "revocation_of_authorization", "a_code_nobody_knows")
DEBIT_SOFT = ("insufficient_funds",)
DEBIT_HARD = ("account_closed", "no_account", "debit_not_authorized", "bank_account_restricted")
NEVER_AGAIN = frozenset({*HARD, *DEBIT_HARD, "revocation_of_authorization"})

_CLOSED = holidays.country_holidays("US", years=range(2026, 2031))


#: As its books call the lines.
_KINDS = {"paid": "charge", "refund": "refund", "disputed": "dispute", "returned": "refund",
          "dispute won": "dispute_reversal"}


class _Crash(RuntimeError):
    """Our process died here."""


class Bank:
    """``witness`` sees every charge in the moment it is asked for, before the bank does anything."""

    name = "stripe"

    def __init__(self, seed: int, clock: Callable[[], datetime]) -> None:
        self.seed, self.clock = seed, clock
        self.cards: dict[str, Card] = {}
        self.charges: dict[str, Taken] = {}
        self.book: list[Moved] = []
        self.mail: list[tuple[datetime, int, PaymentEvent | str]] = []  # news, or a charge to be asked about
        self.witness: Callable[[ChargeRequest, Card, bool], None] = lambda request, card, again: None
        self.answered: Callable[[ChargeRequest, Taken], None] = lambda request, taken: None
        self.faults: list[str] = []  # keys sent again with other content
        self._later: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._keys: dict[str, tuple[object, str]] = {}
        self._draws: Counter[str] = Counter()
        self._numbers = 0
        self.calm = False

    # What the world asks of it ------------------------------------------------------------------------------------

    def give_card(self, customer: str, kind: str, luck: tuple[int, int]) -> SavedMethod:
        self._numbers += 1
        card = Card(f"pm_{self._numbers}", customer, kind, f"{self._numbers % 10_000:04}", luck)
        self.cards[card.ref] = card
        return SavedMethod(customer, card.ref, kind, "visa" if kind == "card" else "Bank", card.last4, None)

    def pay_page(self, session_ref: str, customer: str) -> None:
        """Somebody pays a page that is open, with a card of the moment."""
        taken = self.charges[session_ref]
        taken.customer = customer
        self._take(taken)
        self._tell(taken, self._event(taken, "paid"))

    def pass_time(self) -> None:
        """Let what banks decide later happen, up to now."""
        now = self.clock()
        due = sorted((one for one in self._later if one[0] <= now), key=lambda one: one[:2])
        self._later = [one for one in self._later if one[0] > now]
        for at, _, act in due:
            act(at)

    def news(self) -> list[PaymentEvent]:
        """What has arrived by now, in the order in which it arrives."""
        now = self.clock()
        due = sorted((one for one in self.mail if one[0] <= now), key=lambda one: one[:2])
        self.mail = [one for one in self.mail if one[0] > now]
        return [event for _, _, one in due for event in (self.story(one) if isinstance(one, str) else [one])]

    def next_at(self) -> datetime | None:
        return min((one[0] for one in (*self.mail, *self._later)), default=None)

    def story(self, ref: str) -> list[PaymentEvent]:
        """All that can be learnt of a charge by asking: how it stands, its refunds, its dispute."""
        taken = self.charges[ref]
        events = [self._event(taken, taken.status)]
        events += [self._refund_event(taken, ours) for ours in taken.refunds]
        kind = {"open": "disputed", "won": "dispute_won", "lost": "dispute_lost", "returned": "returned"}.get(
            taken.dispute)
        return [*events, self._event(taken, kind)] if kind else events

    def held_minor(self, customer: str = "") -> int:
        return sum(line.amount_minor for line in self.book if customer in ("", line.customer))

    def dispute(self, ref: str) -> bool:
        """A cardholder's bank takes a payment back; decided a month later."""
        taken = self.charges[ref]
        if taken.status != "paid" or taken.dispute or taken.refunds or taken.tender != "card":
            return False
        taken.dispute = "open"
        self._move(taken, -taken.amount_minor, "disputed")
        self._tell(taken, self._event(taken, "disputed"))
        wins = self._random(taken.customer).random() < 0.5
        self._at(timedelta(days=30), lambda at: self._decide(taken, wins))
        return True

    # Processor ------------------------------------------------------------------------------------------------------

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        ref = self._once(request.idempotency_key, request) or self._new("cs")
        if ref not in self.charges:
            self._keys[request.idempotency_key] = (request, ref)
            self.charges[ref] = Taken(ref, request.payment_id, "", request.amount_minor, self.clock(), "card", "open",
                                      session_ref=ref)
        return CheckoutPage(ref, f"https://pay.example/{ref}", request.expires_at)

    async def fetch_checkout(self, session_ref: str) -> PaymentEvent:
        return self._event(self._known(session_ref), self.charges[session_ref].status)

    async def open_setup(self, request: SetupRequest) -> CheckoutPage:
        return CheckoutPage(self._new("cs"), "https://pay.example/setup", request.expires_at)

    async def expire_page(self, session_ref: str) -> PaymentEvent:
        taken = self._known(session_ref)
        if taken.status == "open":
            taken.status = "expired"
        return self._event(taken, taken.status)

    async def charge(self, request: ChargeRequest) -> PaymentEvent:
        card = self.cards[request.method_ref]
        known = self._once(request.idempotency_key, request)
        self.witness(request, card, known is not None)
        if known is not None:
            return self._event(self.charges[known], self.charges[known].status)
        draw = self._random(card.customer)
        trouble = 100 if self.calm else draw.randrange(100)
        if trouble < 3:
            raise ProcessorError("unknown", "timeout")
        if trouble < 5:
            raise ProcessorError("retry", ("rate_limit", "server_error", "lock_timeout")[draw.randrange(3)])
        taken = self._charge(request, card, draw)
        self.answered(request, taken)
        if trouble < 8:
            raise ProcessorError("unknown", "timeout")
        if trouble < 10:
            raise _Crash("before it was written down")
        return self._event(taken, taken.status)

    async def fetch_charge(self, processor_ref: str) -> PaymentEvent:
        return self._event(self._known(processor_ref), self.charges[processor_ref].status)

    async def find_charges(self, payment_id: str, since: datetime) -> tuple[PaymentEvent, ...]:
        return tuple(self._event(one, one.status) for one in reversed(self.charges.values())
                     if one.payment_id == payment_id and not one.session_ref)

    async def cancel_charge(self, processor_ref: str, idempotency_key: str) -> PaymentEvent:
        return await self.fetch_charge(processor_ref)

    async def refund(self, request: RefundRequest) -> PaymentEvent:
        taken = self._known(request.processor_ref)
        known = self._once(request.idempotency_key, request)
        draw = self._random(taken.customer)
        trouble = 100 if self.calm else draw.randrange(100)
        if known is None and trouble < 5:
            raise ProcessorError("unknown", "timeout")
        if known is None:
            if taken.status != "paid" or taken.dispute or request.amount_minor > taken.amount_minor - sum(
                    minor for _, minor, state in taken.refunds.values() if state != "failed"):
                raise ProcessorError("refused", "charge_disputed" if taken.dispute else "amount_too_large")
            self._keys[request.idempotency_key] = (request, taken.ref)
            taken.refunds[request.refund_id] = (self._new("re"), request.amount_minor, "made")
            self._move(taken, -request.amount_minor, "refund", request.refund_id)
            self._tell(taken, self._refund_event(taken, request.refund_id))
            if trouble < 10:
                raise ProcessorError("unknown", "timeout")
        return self._refund_event(taken, request.refund_id)

    async def find_refund(self, refund_id: str, processor_ref: str) -> PaymentEvent | None:
        taken = self._known(processor_ref)
        return self._refund_event(taken, refund_id) if refund_id in taken.refunds else None

    async def describe_method(self, method_ref: str) -> SavedMethod:
        card = self.cards[method_ref]
        return SavedMethod(card.customer, card.ref, card.kind, "visa", card.last4, None)

    async def complete(self, event: PaymentEvent) -> PaymentEvent:
        return event

    async def remove_method(self, method_ref: str) -> None:
        self.cards[method_ref].dead = self.cards[method_ref].dead or "resource_missing"

    async def entries(self, since: datetime, until: datetime) -> AsyncIterator[EntryRow]:
        for number, line in enumerate(self.book):
            if since <= line.at < until:
                yield EntryRow(f"txn_{number}", _KINDS[line.what], line.source, line.payment_id, None,
                               line.amount_minor, 0, line.amount_minor, "USD", line.at, processor_ref=line.charge,
                               refund_id=line.refund_id)

    async def payouts(self, since: datetime, until: datetime) -> AsyncIterator[PayoutRow]:
        """Everything stays with it for these years."""
        rows: tuple[PayoutRow, ...] = ()
        for row in rows:
            yield row

    async def balance_minor(self, currency: str) -> int:
        return self.held_minor()

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        raise ProcessorError("refused", "no_webhook_here")

    async def close(self) -> None:
        return None

    # Inside ---------------------------------------------------------------------------------------------------------

    def _charge(self, request: ChargeRequest, card: Card, draw: random.Random) -> Taken:
        taken = Taken(self._new("pi"), request.payment_id, card.customer, request.amount_minor, self.clock(), card.kind,
                      "processing")
        self.charges[taken.ref] = taken
        self._keys[request.idempotency_key] = (request, taken.ref)
        code = card.dead or self._verdict(card, draw)
        if card.kind == "bank":
            wait, late = _business_days(self.clock().date(), draw.randrange(2, 6)), draw.random() < 0.05
            back_in = timedelta(days=draw.randrange(3, 50))
            self._at(wait, lambda at: self._settle_debit(taken, card, code, back_in if late else None))
            return taken
        if code:
            self._decline(taken, card, code)
        else:
            self._take(taken)
        self._tell(taken, self._event(taken, taken.status))
        return taken

    def _verdict(self, card: Card, draw: random.Random) -> str:
        through, hard = card.luck
        if draw.randrange(100) < through:
            return ""
        soft, for_good = (SOFT, HARD) if card.kind == "card" else (DEBIT_SOFT, DEBIT_HARD)
        if draw.randrange(100) < hard:
            return draw.choice(for_good)
        return draw.choice(OTHER) if card.kind == "card" and draw.randrange(100) < 25 else draw.choice(soft)

    def _decline(self, taken: Taken, card: Card, code: str) -> None:
        taken.status, taken.reason = "failed", code
        if code in NEVER_AGAIN:
            card.dead = code

    def _settle_debit(self, taken: Taken, card: Card, code: str, back_in: timedelta | None) -> None:
        if code:
            self._decline(taken, card, code)
        else:
            self._take(taken)
            if back_in is not None:
                self._at(back_in, lambda at: self._return(taken))
        self._tell(taken, self._event(taken, taken.status))

    def _return(self, taken: Taken) -> None:
        if taken.refunds or taken.dispute:
            return
        taken.dispute = "returned"
        taken.reason = self._random(taken.customer).choice((*DEBIT_SOFT, "debit_not_authorized"))
        self._move(taken, -taken.amount_minor, "returned")
        self._tell(taken, self._event(taken, "returned"))

    def _decide(self, taken: Taken, won: bool) -> None:
        taken.dispute = "won" if won else "lost"
        if won:
            self._move(taken, taken.amount_minor, "dispute won")
        self._tell(taken, self._event(taken, "dispute_won" if won else "dispute_lost"))

    def _take(self, taken: Taken) -> None:
        taken.status = "paid"
        self._move(taken, taken.amount_minor, "paid")

    def _move(self, taken: Taken, minor: int, what: str, refund_id: str | None = None) -> None:
        source = {"paid": taken.ref, "refund": refund_id and taken.refunds[refund_id][0]}.get(what) or f"dp_{taken.ref}"
        self.book.append(Moved(self.clock(), taken.customer, taken.payment_id, minor, what, taken.ref, source,
                               refund_id))

    def _tell(self, taken: Taken, event: PaymentEvent) -> None:
        """Post the news: late, twice, out of order; what is lost is found by asking about the charge days later."""
        draw = self._random(taken.customer)
        if draw.randrange(100) < 8 and not self.calm:
            self._post(timedelta(days=draw.randrange(1, 4)), taken.ref)
            return
        for _ in range(2 if draw.randrange(100) < 10 else 1):
            late = timedelta(hours=draw.choice((0, 0, 0, 0, 3, 30))) if not self.calm else timedelta()
            self._post(late, replace(event, event_id=f"{event.event_id}"))

    def _post(self, wait: timedelta, what: PaymentEvent | str) -> None:
        self._numbers += 1
        self.mail.append((self.clock() + wait, self._numbers, what))

    def _at(self, wait: timedelta, act: Callable[[datetime], None]) -> None:
        self._numbers += 1
        self._later.append((self.clock() + wait, self._numbers, act))

    def _event(self, taken: Taken, kind: str) -> PaymentEvent:
        kind = "processing" if kind == "open" else kind
        page = bool(taken.session_ref)
        return PaymentEvent(
            event_id=f"evt_{taken.ref}_{kind}", kind=kind, payment_id=taken.payment_id,
            amount_minor=taken.amount_minor, currency="USD", session_ref=taken.session_ref,
            processor_ref=taken.ref if not page or kind not in ("processing", "expired") else "", reason=taken.reason,
            occurred_at=self.clock(), tender=taken.tender,
            dispute_ref=f"dp_{taken.ref}" if taken.dispute and kind not in ("paid", "failed", "processing") else "")

    def _refund_event(self, taken: Taken, ours: str) -> PaymentEvent:
        ref, minor, state = taken.refunds[ours]
        kind = {"made": "refund_made", "pending": "refund_pending", "failed": "refund_failed"}[state]
        return replace(self._event(taken, kind), amount_minor=minor, refund_id=ours, refund_ref=ref, dispute_ref="",
                       reason="")

    def _once(self, key: str, content: object) -> str | None:
        known = self._keys.get(key)
        if known is not None and known[0] != content:
            self.faults.append(key)
            raise ProcessorError("refused", "idempotency_error")
        return known[1] if known is not None else None

    def _known(self, ref: str) -> Taken:
        if ref not in self.charges:
            raise ProcessorError("refused", "resource_missing")
        return self.charges[ref]

    def _new(self, prefix: str) -> str:
        self._numbers += 1
        return f"{prefix}_{self._numbers}"

    def _random(self, customer: str) -> random.Random:
        self._draws[customer] += 1
        return random.Random(f"{self.seed}:{customer}:{self._draws[customer]}")


def _business_days(day: date, count: int) -> timedelta:
    end = day
    while count:
        end += timedelta(days=1)
        count -= end.weekday() < 5 and end not in _CLOSED
    return end - day
