"""One Stripe account of the stand-in: options, state and errors."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web

from bot.standins.courier import Courier
from bot.standins.journal import Clock, Journal, Row
from bot.standins.stripe_state import Agenda, Shelf, Totals, add_up, shelve
from bot.standins.wire import Faults

API_VERSION = "2026-10-28.endive"
API_DATE = "2026-10-28"

TABLES = {
    "ch": "charges",
    "cs": "sessions",
    "cus": "customers",
    "du": "disputes",
    "evt": "events",
    "mandate": "mandates",
    "pi": "payment_intents",
    "pm": "payment_methods",
    "po": "payouts",
    # What is not a card's: a charge of a bank account and its refund.
    "py": "charges",
    "pyr": "refunds",
    "re": "refunds",
    "seti": "setup_intents",
    "txn": "balance_transactions",
}


_NAMES = {"cs": "checkout.session", "pm": "PaymentMethod", "seti": "setupintent"}


@dataclass(frozen=True)
class StripeOptions:
    """How the stand-in behaves.

    `clock` dates the objects and ages the idempotency keys; `sign_clock` dates the signatures, because whoever checks
    them compares with the real time. `search_lag_s`: how long a new PaymentIntent stays unsearchable, as Stripe's
    search is behind its writes. `latency_ms` is how long a request is in flight. `bank_delay_s`: how long a bank works
    on a debit, None to wait for /_standin/bank; `evidence_s`: how long a dispute may be answered. `keep_lines` False
    keeps no record in memory of what was asked (for simulations of years); a journal on disk is always whole.
    """

    api_key: str = "sk_test_standin"
    webhook_url: str = ""
    webhook_secret: str = "whsec_standin"
    journal: Path | None = None
    event_delay_ms: int = 0
    latency_ms: int = 0
    search_lag_s: float = 0.0
    bank_delay_s: float | None = 4 * 86_400.0
    evidence_s: float = 14 * 86_400.0
    keep_lines: bool = True
    idempotency_ttl_s: float = 24 * 3600
    retry_delays_s: tuple[float, ...] = (0.1, 0.3, 1.0)
    timeout_s: float = 15.0
    clock: Clock = time.time
    sign_clock: Clock = time.time


class StripeError(Exception):
    """An error of Stripe's. `extra` goes into the error object (decline_code, charge, payment_intent ...)."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        extra: Row | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        error: Row = {"message": message, "type": kind, **(extra or {})}
        if code is not None:
            error |= {"code": code, "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"}
        if param is not None:
            error["param"] = param
        self.body: Row = {"error": error}


@dataclass(frozen=True)
class Asked:
    """A checked request. `base` is our own address, `id` the object named in the path, `second` the one after it."""

    path: str
    params: dict[str, Any]
    base: str
    request_id: str
    key: str | None = None
    id: str = ""
    second: str = ""


@dataclass
class Account:
    """The running state. All that must survive is in the journal's tables: those of TABLES, "session_extras",
    "method_numbers" (what is behind a PaymentMethod), "idempotency" (key -> {"at", "fingerprint", "status", "body"}),
    "endpoint", "deliveries", "due", "payout_entries".
    """

    options: StripeOptions
    journal: Journal
    courier: Courier
    faults: Faults = field(default_factory=Faults)
    in_flight: set[str] = field(default_factory=set)
    outgoing: list[Row] = field(default_factory=list)
    shelves: dict[str, Shelf] = field(default_factory=dict)
    news_rules: list[Row] = field(default_factory=list)
    cleared_at: float = 0.0

    def __post_init__(self) -> None:
        self.agenda = Agenda(self.journal)
        self.totals: Totals = add_up(self.journal, self.now())

    def now(self) -> int:
        return int(self.journal.clock())

    def flush(self) -> None:
        """Send the events of the line just written."""
        rows, self.outgoing = self.outgoing, []
        if rows:
            self.courier.dispatch_in_order(rows)

    def put(self, thing: Row) -> Row:
        table, key = TABLES[prefix_of(thing["id"])], thing["id"]
        shelf = self.shelf(table)
        old = self.journal.table(table).get(key)
        self.journal.put(table, key, thing)
        shelf.note(thing, old)
        return thing

    def shelf(self, table: str) -> Shelf:
        if table not in self.shelves:
            self.shelves[table] = shelve(self.journal, table)
        return self.shelves[table]

    def shown(self, thing: Row) -> Row:
        """The object as it is told now: time alone makes a balance transaction available."""
        if thing["object"] != "balance_transaction" or thing["status"] == "available":
            return thing
        return {**thing, "status": "available" if thing["available_on"] <= self.now() else "pending"}

    def change(self, thing: Row, **fields: Any) -> Row:
        """A changed copy takes the place of the object, so that events keep what they saw."""
        return self.put({**thing, **fields})

    def find(self, identifier: str, prefix: str, param: str = "id") -> Row:
        """Raises StripeError 404 (in the path) or 400 (in a parameter) resource_missing."""
        row = self.journal.table(TABLES[prefix]).get(identifier)
        if row is None:
            name = _NAMES.get(prefix) or TABLES[prefix].rstrip("s")
            status = 404 if param == "id" else 400
            raise StripeError(status, f"No such {name}: '{identifier}'", code="resource_missing", param=param)
        return row


ACCOUNT: web.AppKey[Account] = web.AppKey("stripe_account", Account)


def new_id(prefix: str) -> str:
    return f"{prefix}_{'test_' if prefix == 'cs' else ''}{uuid4().hex[:24]}"


def prefix_of(identifier: str) -> str:
    return identifier.split("_", 1)[0]


def merge_metadata(old: Row, given: Row | None) -> Row:
    """An empty value removes a key; None (an empty `metadata`) removes all."""
    if given is None:
        return {}
    return {key: value for key, value in {**old, **given}.items() if value != ""}
