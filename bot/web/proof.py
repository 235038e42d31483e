"""Proof that a browser has answered the questions behind one link: a signed cookie that is good for that link only.

The cookie holds a time and a signature over it and the link's token; it says nothing about anybody, and it is sent
nowhere but to the link's own path.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from starlette.responses import Response

COOKIE = "door"
GOOD_FOR = timedelta(minutes=30)


def sign(secret: bytes, token: str, until: datetime) -> str:
    stamp = str(int(until.timestamp()))
    digest = hmac.new(secret, f"door|{token}|{stamp}".encode(), sha256).digest()
    return f"{stamp}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def is_proved(secret: bytes, token: str, value: str | None, now: datetime) -> bool:
    stamp = (value or "").split(".", 1)[0]
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12:
        return False
    until = datetime.fromtimestamp(int(stamp), UTC)
    return hmac.compare_digest(sign(secret, token, until).encode(), (value or "").encode()) and now < until


def remember(response: Response, secret: bytes, token: str, now: datetime, *, secure: bool) -> None:
    """Set the cookie. Lax, not Strict: the browser comes back from the payment page by a link of another site."""
    response.set_cookie(
        COOKIE, sign(secret, token, now + GOOD_FOR), max_age=int(GOOD_FOR.total_seconds()), path=f"/l/{token}",
        httponly=True, secure=secure, samesite="lax")


def name_of(secret: bytes, token: str) -> str:
    """A name for a link that may be kept: it does not open the link."""
    return hmac.new(secret, f"name|{token}".encode(), sha256).hexdigest()[:24]


def read_birth_date(form: Mapping[str, str]) -> date | None:
    """The date of birth from the form's three fields; None for what is no date."""
    try:
        year, month, day = (int(form.get(name, "").strip()) for name in ("year", "month", "day"))
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None
