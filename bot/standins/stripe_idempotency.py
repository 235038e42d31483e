"""Idempotency keys as Stripe keeps them: replayed for 24 hours, refused with other parameters, 409 while in flight.

Only what an endpoint executed is remembered: successes, declines and saved 500s; a request refused for its parameters
may be corrected and sent again under the same key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, StripeError

REMEMBERED = frozenset({200, 402, 500})


@dataclass(frozen=True)
class Answer:
    status: int
    body: Row
    replayed: bool = False


def fingerprint(method: str, path: str, pairs: list[tuple[str, str]]) -> str:
    """What must be equal for a key to be used again."""
    return hashlib.sha256(json.dumps([method, path, sorted(pairs)]).encode()).hexdigest()


def recall(account: Account, key: str | None, print_: str) -> Answer | None:
    """The first answer under this key; raises StripeError idempotency_error when the parameters differ."""
    kept = account.journal.table("idempotency").get(key or "")
    if key is None or kept is None:
        return None
    if account.journal.clock() - kept["at"] >= account.options.idempotency_ttl_s:
        account.journal.remove("idempotency", key)
        return None
    if kept["fingerprint"] != print_:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request."
        )
        raise StripeError(400, message, kind="idempotency_error")
    return Answer(kept["status"], kept["body"], replayed=True)


def remember(account: Account, key: str | None, print_: str, answer: Answer) -> None:
    if key is not None and answer.status in REMEMBERED:
        row = {"at": account.journal.clock(), "fingerprint": print_, "status": answer.status, "body": answer.body}
        account.journal.put("idempotency", key, row)


def in_use() -> Answer:
    message = "There is currently another in-progress request using this Idempotent Key."
    return Answer(409, StripeError(409, message, code="idempotency_key_in_use").body)


@contextmanager
def flying(account: Account, key: str | None) -> Iterator[None]:
    """Mark a key as being worked on."""
    if key is not None:
        account.in_flight.add(key)
    try:
        yield
    finally:
        account.in_flight.discard(key or "")
