"""Passwords of the console: Argon2id as RFC 9106's second recommendation has it, and what may be one at all.

Hashing takes some 50 ms of a core on purpose: callers do it in a thread, outside of any transaction.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

SHORTEST, LONGEST = 12, 128
"""NIST SP 800-63B asks for eight characters beside a second factor, and for no rules of composition."""

_COMMON = ("password", "passwort", "contrasena", "qwerty", "letmein", "welcome", "iloveyou", "123456", "abc123",
           "admin", "plainbill", "billing", "clinic", "changeme", "secret")


class PasswordRefused(ValueError):
    """Not good enough; the text says what to do and never repeats the password."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


def make_hash(password: str) -> str:
    """The encoded hash, its salt and parameters in it."""
    return _hasher().hash(_normal(password))


def is_right(hashed: str | None, password: str) -> bool:
    """Compare; without a hash the same work is done for nothing, so that time tells nobody which logins there are."""
    try:
        return _hasher().verify(hashed or _nobody(), _normal(password)) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def require_good(password: str, *about: str) -> None:
    """Raise PasswordRefused for one that is short, common, or made of ``about``: login, name, the practice's name."""
    plain = _normal(password).casefold()
    if len(plain) < SHORTEST:
        raise PasswordRefused(f"a password has {SHORTEST} characters or more; four plain words make a good one")
    if len(plain) > LONGEST:
        raise PasswordRefused(f"a password has {LONGEST} characters at most")
    left = plain
    for word in (*_COMMON, *(part for one in about for part in one.casefold().split() if len(part) > 3)):
        left = left.replace(word, "")
    if len(set(left)) < 6:
        raise PasswordRefused("that is too easy to guess: it is mostly a common word, a name or one character again "
                              "and again; four plain words make a good password")


def _normal(password: str) -> str:
    """The same password from every keyboard."""
    return unicodedata.normalize("NFKC", password)


@cache
def _nobody() -> str:
    return make_hash("nobody has this password")
