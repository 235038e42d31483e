"""A number or address as somebody writes it down, and what the patient agreed to there: read whole, or refused."""

from __future__ import annotations

from datetime import datetime

from billing.contact_changes import Unreadable
from billing.contacts import Given
from billing.mail_addresses import email_address
from billing.telephones import e164


def read(channel: str, text: str) -> str:
    """In its one written form. Raises Unreadable."""
    try:
        if channel == "sms":
            return e164(text)
        if channel == "email":
            return email_address(text)
    except ValueError as error:
        raise Unreadable(str(error)) from None
    if channel != "paper":
        raise Unreadable("a chat is joined to an account in the chat itself")
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) < 3:
        raise Unreadable("an address has a street, a town, and state with ZIP, with commas between")
    return ", ".join(parts)


def agreement(channel: str, wording: str, medium: str, *, by: str, now: datetime) -> Given | None:
    """What was agreed to there, if anything was: a consent has words and a way in which they were said. Raises
    Unreadable.
    """
    if bool(wording.strip()) != bool(medium):
        raise Unreadable("what was agreed, word for word, and how it was said go together")
    if not medium:
        return None
    if channel == "paper":
        raise Unreadable("letters need no consent; leave what was agreed empty")
    return Given(now, wording, medium, by)
