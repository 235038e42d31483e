"""What a passcode is compared by: scrypt over its digits and a salt that was made under our key. Pure."""

from __future__ import annotations

import hashlib
import hmac

from billing.views import PasscodeView


def digest(digits: str, salt: str) -> str:
    """About 50 ms, so that trying a million codes takes its time. The digits cannot be read back from it."""
    return hashlib.scrypt(digits.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=32).hex()


def same(known: PasscodeView, given: str) -> bool:
    """Compare in constant time a digest that ``digest`` made under ``known.salt``."""
    return hmac.compare_digest(given.encode(), known.digest.encode())


def matches(known: PasscodeView, digits: str) -> bool:
    return same(known, digest(digits, known.salt))
