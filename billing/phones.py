"""The keyed hash under which consents, contact points and conversations find an address."""

from __future__ import annotations

from billing.store.seal import blind
from billing.telephones import NotAPhone, e164

__all__ = ["NotAPhone", "address_hash", "e164", "line_of"]

#: The console stands in for a phone's thread: a STOP typed there binds the number.
_SAME_LINE = {"console": "sms"}


def line_of(channel: str) -> str:
    """Return the channel under which consents of a number are kept."""
    return _SAME_LINE.get(channel, channel)


def address_hash(practice_id: str, channel: str, address: str) -> str:
    """Return the keyed hash of an address; phones must be in E.164. The same for every channel of one line."""
    kind = "phone" if line_of(channel) == "sms" else line_of(channel)
    return blind(kind, practice_id, address)
