"""A payment processor in a file: it charges, refunds and forgets keys after a day, and can be told to fail.

It keeps what it did on the disk before it answers, as a processor does, so that a test may kill us at any instant and
then count.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

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
from config.clock import Clock

#: Keys are forgotten after this (Stripe: "after at least 24 hours").
REMEMBERS = timedelta(hours=24)


class Till:
    """``faults``: what happens to the next calls, in order: "" or "lost" (never arrived), "late" (done, and the answer
    is lost), or the kind of a ProcessorError. ``answer``: what charges come to.
    """

    name = "stripe"

    def __init__(self, clock: Clock, path: Path, faults: tuple[str, ...] = (), answer: str = "paid") -> None:
        self.clock, self.path, self.faults, self.answer = clock, path, list(faults), answer
        self.asked: list[tuple[str, str]] = []  # (what, key)

    def effects(self, what: str = "") -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        rows = [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]
        return [row for row in rows if not what or row["what"] == what]

    def _do(self, what: str, key: str, content: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append((what, key))
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "lost":
            raise ProcessorError("unknown", "timeout")
        if fault and fault != "late":
            raise ProcessorError(fault, f"told_{fault}")
        known = next((row for row in self.effects() if row["key"] == key
                      and self.clock.now() - datetime.fromisoformat(row["at"]) < REMEMBERS), None)
        if known is not None and known["content"] != json.loads(json.dumps(content, default=str)):
            raise ProcessorError("refused", "idempotency_key_in_use")
        done = known or self._keep(what, key, content)
        if fault == "late":
            raise ProcessorError("unknown", "timeout")
        return done

    def _keep(self, what: str, key: str, content: Mapping[str, Any]) -> dict[str, Any]:
        row = {"what": what, "key": key, "ref": f"{what[:2]}_{len(self.effects()) + 1}",
               "at": self.clock.now().isoformat(), "content": json.loads(json.dumps(content, default=str)),
               "answer": self.answer}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        return row

    def _charged(self, row: Mapping[str, Any]) -> PaymentEvent:
        kind, _, reason = str(row["answer"]).partition(":")
        asked = row["content"]
        return PaymentEvent(
            f"{row['ref']}:{kind}", kind, asked["payment_id"], asked["amount_minor"], asked["currency"], "", row["ref"],
            reason, datetime.fromisoformat(row["at"]), tender=asked["method_kind"],
            next_url="https://bank.example/3ds" if kind == "needs_patient" else "")

    async def charge(self, request: ChargeRequest) -> PaymentEvent:
        return self._charged(self._do("charge", request.idempotency_key, asdict(request)))

    async def find_charges(self, payment_id: str, since: datetime) -> tuple[PaymentEvent, ...]:
        self.asked.append(("find", payment_id))
        return tuple(self._charged(row) for row in reversed(self.effects("charge"))
                     if row["content"]["payment_id"] == payment_id)

    async def refund(self, request: RefundRequest) -> PaymentEvent:
        return self._refunded(self._do("refund", request.idempotency_key, asdict(request)))

    def _refunded(self, row: Mapping[str, Any]) -> PaymentEvent:
        asked, kind = row["content"], {"paid": "refund_made"}.get(row["answer"], row["answer"])
        return PaymentEvent(
            f"{row['ref']}:{kind}", kind, asked["payment_id"], asked["amount_minor"], "USD", "", asked["processor_ref"],
            "", datetime.fromisoformat(row["at"]), refund_id=asked["refund_id"], refund_ref=row["ref"])

    async def find_refund(self, refund_id: str, processor_ref: str) -> PaymentEvent | None:
        self.asked.append(("find", refund_id))
        return next((self._refunded(row) for row in self.effects("refund")
                     if row["content"]["refund_id"] == refund_id), None)

    async def expire_page(self, session_ref: str) -> PaymentEvent:
        self._do("expire", session_ref, {"session_ref": session_ref})
        return PaymentEvent(f"{session_ref}:expired", "expired", None, 0, "USD", session_ref, "", "",
                            self.clock.now())

    async def cancel_charge(self, processor_ref: str, idempotency_key: str) -> PaymentEvent:
        self._do("cancel", idempotency_key, {"ref": processor_ref})
        return PaymentEvent(f"{processor_ref}:cancelled", "cancelled", None, 0, "USD", "", processor_ref, "",
                            self.clock.now())

    async def remove_method(self, method_ref: str) -> None:
        self._do("remove", method_ref, {"method_ref": method_ref})

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        raise ProcessorError("configuration", "not_here")

    async def fetch_checkout(self, session_ref: str) -> PaymentEvent:
        raise ProcessorError("configuration", "not_here")

    async def open_setup(self, request: SetupRequest) -> CheckoutPage:
        raise ProcessorError("configuration", "not_here")

    async def fetch_charge(self, processor_ref: str) -> PaymentEvent:
        raise ProcessorError("configuration", "not_here")

    async def describe_method(self, method_ref: str) -> SavedMethod:
        raise ProcessorError("configuration", "not_here")

    async def complete(self, event: PaymentEvent) -> PaymentEvent:
        return event

    def entries(self, since: datetime, until: datetime) -> AsyncIterator[EntryRow]:
        raise ProcessorError("configuration", "not_here")

    def payouts(self, since: datetime, until: datetime) -> AsyncIterator[PayoutRow]:
        raise ProcessorError("configuration", "not_here")

    async def balance_minor(self, currency: str) -> int:
        return sum(row["content"]["amount_minor"] * (1 if row["what"] == "charge" else -1)
                   for row in self.effects() if row["what"] in ("charge", "refund") and row["answer"] == "paid")

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        raise ProcessorError("refused", "not_here")

    async def close(self) -> None:
        """Nothing to free."""
