"""The lanes of the inbox: rows of one lane are worked one at a time, oldest first."""

from __future__ import annotations

from billing.phones import address_hash


def of_address(practice_id: str, channel: str, address: str) -> str:
    """The lane of a conversation, for texts and for the news that answer in it."""
    return of_hash(practice_id, channel, address_hash(practice_id, channel, address))


def of_hash(practice_id: str, channel: str, hashed: str) -> str:
    return f"talk:{channel}:{practice_id}:{hashed}"


def of_message(outbox_id: str) -> str:
    """The lane of one message's delivery reports."""
    return f"report:{outbox_id}"


def of_payment(payment_id: str) -> str:
    """The lane of a processor's events about one payment."""
    return f"payment:{payment_id}"
