"""A processor's event as the inbox keeps it. No raw body is kept: it may hold a payer's name and address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.processors.base import PaymentEvent


def to_payload(event: PaymentEvent) -> dict[str, Any]:
    return {**asdict(event), "occurred_at": event.occurred_at.isoformat()}


def from_payload(payload: Mapping[str, Any]) -> PaymentEvent:
    """Read back what ``to_payload`` wrote. Raises KeyError or ValueError for anything else."""
    return PaymentEvent(**{**payload, "occurred_at": datetime.fromisoformat(payload["occurred_at"])})
