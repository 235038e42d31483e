"""Whether Stripe sent this: the signature of a webhook and its age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import stripe

from bot.processors.base import ProcessorError

TOLERANCE = timedelta(minutes=5)


def verify_signature(body: bytes, header: str, secret: str, now: datetime) -> None:
    """Raises ProcessorError("refused", ...). The age is checked here and not by the SDK, which asks the machine's
    clock instead of ours and lets any date in the future pass.
    """
    if not secret:
        raise ProcessorError("refused", "bad_signature")  # an empty secret is one that everybody knows
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None)
        signed_at = datetime.fromtimestamp(_timestamp(header), UTC)
    except (stripe.SignatureVerificationError, ValueError, OverflowError, OSError):
        raise ProcessorError("refused", "bad_signature") from None
    if abs(now - signed_at) > TOLERANCE:
        raise ProcessorError("refused", "signature_out_of_time")


def _timestamp(header: str) -> int:
    return int(next(part[2:] for part in header.split(",") if part.startswith("t=")))
