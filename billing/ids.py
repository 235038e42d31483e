"""Row ids, made before the first attempt and reused by every retry."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """Return ``prefix_`` and 20 characters that sort by the moment of making.

    The leading part is the machine's clock in milliseconds, used for the locality of index pages alone:
    no rule reads a time out of an id. The tail is 50 random bits.
    """
    number = (time.time_ns() // 1_000_000) << 50 | secrets.randbits(50)
    return f"{prefix}_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(95, -1, -5))


def new_token() -> str:
    """Return a link token of 128 random bits; only its keyed hash is ever stored (T-39)."""
    return secrets.token_urlsafe(16)
