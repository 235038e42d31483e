"""What a call to Stripe that went wrong means: may it be repeated, and may it have taken effect?

``FAULTS`` is the whole answer, as data; ``fault_of`` only finds the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import stripe

from billing.policy.payments import MetadataRefused
from bot.processors.base import ProcessorError

Verdict = Literal["retry", "unknown", "refused", "configuration", "answer"]


@dataclass(frozen=True, slots=True)
class Fault:
    """``verdict`` is the kind of the ProcessorError; "answer": none is raised, ``event`` is what the call returns."""

    name: str
    seen: str  # what comes back from the wire
    took_effect: Literal["no", "yes", "perhaps"]
    verdict: Verdict
    then: str  # what is done about it
    event: str = ""


FAULTS: tuple[Fault, ...] = (
    Fault("not_connected", "no connection could be made", "no", "retry", "made again later, with the same key"),
    Fault("timed_out", "no answer in time: before it took effect or after, which looks the same", "perhaps", "unknown",
          "the same key is repeated for 23 hours, then our id is looked for"),
    Fault("dropped", "the connection ended before the answer did", "perhaps", "unknown",
          "the same key is repeated for 23 hours, then our id is looked for"),
    Fault("unreadable", "an answer that is not Stripe's JSON", "perhaps", "unknown",
          "the same key is repeated for 23 hours, then our id is looked for"),
    Fault("server_error", "500, 502, 503, 504", "perhaps", "unknown",
          "the same key is repeated; Stripe may have kept the 500 for that key, so our id is looked for in the end"),
    Fault("conflict", "409: the same key is in use this moment, or the object is locked", "perhaps", "unknown",
          "the same key is repeated"),
    Fault("key_reused", "400 idempotency_error: the key is known with other content", "perhaps", "unknown",
          "never sent again as it is; our id is looked for"),
    Fault("rate_limited", "429", "no", "retry", "made again later, with the same key"),
    Fault("declined", "402 with a decline code, on a charge", "yes", "answer",
          "the payment failed with that code; Stripe answers the same for the same key", event="failed"),
    Fault("authentication_required", "402 authentication_required, on a charge with nobody there", "yes", "answer",
          "the payment failed with that code; the patient is asked to pay on a page", event="failed"),
    Fault("needs_patient", "200 requires_action, on a charge with the patient there", "yes", "answer",
          "the patient is sent to their bank's page, else to a payment page", event="needs_patient"),
    Fault("bank_works_on_it", "200 processing, on a bank debit", "yes", "answer",
          "nothing is counted as paid until Stripe says so", event="processing"),
    Fault("bad_request", "400, 404, or 402 elsewhere", "no", "refused", "never repeated; staff are told the code"),
    Fault("bad_key", "401, 403", "no", "configuration", "everything waits until somebody has put the key right"),
    Fault("not_opaque", "an id that is none of ours was about to be sent (T-53)", "no", "configuration",
          "nothing was sent; staff are told"),
)

BY_NAME: Mapping[str, Fault] = {fault.name: fault for fault in FAULTS}

#: All that a call may raise: Stripe's own errors, the network's, and what reading a strange answer comes to.
RAISED = (stripe.StripeError, aiohttp.ClientError, OSError, ValueError, LookupError, ArithmeticError, TypeError,
          AttributeError, ProcessorError)

#: Nothing had left for Stripe when these were raised.
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


@contextmanager
def verdicts() -> Iterator[None]:
    """Whatever a call comes to, its caller sees ProcessorError and nothing else."""
    try:
        yield
    except RAISED as error:
        raise to_processor_error(error) from None


def to_processor_error(error: Exception) -> ProcessorError:
    """The verdict on a failed call; carries Stripe's code and never its words, which may repeat what was sent."""
    if isinstance(error, ProcessorError):
        return error
    verdict = BY_NAME[fault_of(error)].verdict
    return ProcessorError("refused" if verdict == "answer" else verdict, code_of(error))


def code_of(error: Exception) -> str:
    """Stripe's code (idempotency_key_in_use, resource_missing, ...), else the name of the error's class."""
    said = body_of(error)
    return str(said.get("code") or getattr(error, "code", None) or type(error).__name__)


def body_of(error: Exception) -> Mapping[str, Any]:
    """The "error" object of Stripe's answer; empty where the answer had none."""
    whole = getattr(error, "json_body", None)
    said = whole.get("error") if isinstance(whole, Mapping) else None
    return said if isinstance(said, Mapping) else {}


def fault_of(error: Exception) -> str:
    """The name of the row of FAULTS."""
    match error:
        case MetadataRefused():
            return "not_opaque"
        case stripe.APIConnectionError():
            return _network_fault(error.__cause__)
        case stripe.StripeError():
            return _status_fault(error)
        case aiohttp.ClientError() | OSError():
            return _network_fault(error)
        case _:
            return "unreadable"


def _network_fault(cause: BaseException | None) -> str:
    if isinstance(cause, _NEVER_SENT):
        return "not_connected"
    return "timed_out" if isinstance(cause, TimeoutError) else "dropped"


def _status_fault(error: stripe.StripeError) -> str:
    match error:
        case stripe.IdempotencyError():
            return "key_reused"
        case stripe.RateLimitError():
            return "rate_limited"
        case stripe.AuthenticationError() | stripe.PermissionError():
            return "bad_key"
        case stripe.CardError():
            return "authentication_required" if _wants_patient(error) else "declined"
    status = error.http_status or 0
    if status == 409:
        return "conflict"
    if status >= 500:
        return "server_error"
    # 408 comes from something between Stripe and us, and may come after the request went through.
    return "bad_request" if 400 <= status < 500 and status != 408 else "unreadable"


def _wants_patient(error: stripe.CardError) -> bool:
    said = body_of(error)
    return "authentication_required" in (said.get("code"), said.get("decline_code"))
