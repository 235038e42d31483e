"""Bounces become delivery reports: what did not arrive, so that another way is tried and no clock counts from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from billing import outbox
from billing.outbox import DeliveryReport
from billing.store import dunning_queries
from bot.channels import email_bounces
from bot.channels.email import receipt_kind
from bot.channels.email_bounces import Bounce


@dataclass(frozen=True, slots=True)
class Told:
    """What a reading came to. ``strange``: no report, or about no e-mail of this practice."""

    reports: int
    undelivered: int
    known: int
    waiting: int
    strange: int


def read(path: Path) -> list[Bounce | None]:
    """One entry for each e-mail in the file or folder; None for what is no report of ours. Raises OSError."""
    return [email_bounces.parse(one) for one in email_bounces.read_file(path)]


def apply(session: Session, practice_id: str, found: Sequence[Bounce | None], now: datetime) -> Told:
    """Settle the e-mails that the reports are about."""
    undelivered = known = waiting = strange = 0
    for one in found:
        row = dunning_queries.message(session, practice_id, one.outbox_id) if one is not None else None
        if one is None or row is None or row.channel != "email":
            strange += 1
        elif not one.failed:
            waiting += 1
        elif outbox.apply_receipt(session, DeliveryReport("email", row.provider_id or "", "undelivered", one.status,
                                                          receipt_kind(one.status), row.id), now):
            undelivered += 1
        else:
            known += 1
    return Told(len(found), undelivered, known, waiting, strange)
