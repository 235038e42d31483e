"""Row ids, made before the first attempt and reused by every retry."""

from __future__ import annotations

import os
import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

_PAIRS = [one + other for one in _ALPHABET for other in _ALPHABET]  # two characters at a time: an import makes millions
_SHIFTS = (40, 30, 20, 10, 0)
_LOW = (1 << 50) - 1

_last = 0
_last_moment = (0, "")  # the leading part, and its text


def new_id(prefix: str) -> str:
    """Return ``prefix_`` and 20 characters that sort by the moment of making, within a process by its order.

    The leading part is the machine's clock in milliseconds, used for the locality of index pages and to tell apart what
    was made in one moment: no rule reads a time out of an id. The tail is 50 random bits, or 40 above the last one's.
    """
    global _last, _last_moment
    chance = int.from_bytes(os.urandom(7), "big")
    number = (time.time_ns() // 1_000_000) << 50 | chance >> 6
    if number <= _last:
        number = _last + 1 + (chance >> 16)
    _last = number  # no lock: two threads at once get different ids all the same, only their order is open
    high, head = _last_moment
    if high != number >> 50:
        high = number >> 50
        head = "".join([_PAIRS[high >> shift & 1023] for shift in _SHIFTS])
        _last_moment = high, head
    low = number & _LOW
    return f"{prefix}_{head}" + "".join([_PAIRS[low >> shift & 1023] for shift in _SHIFTS])


def new_token() -> str:
    """Return a link token of 128 random bits; only its keyed hash is ever stored (T-39)."""
    return secrets.token_urlsafe(16)
