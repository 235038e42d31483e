"""What a button carries: the text it stands for, which message it was on, until when, and our signature.

Telegram hands back whatever a client sends, so nothing in it is believed unsigned; and 64 bytes are all there is.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

GOOD_FOR = timedelta(hours=24)
MOST_BYTES = 64
_PREFIX = "msg_"
_SIGNATURE_BYTES = 12
_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class Press:
    """A genuine press: on our message ``outbox_id``, for ``text``."""

    outbox_id: str
    text: str


def derive_key(secret: bytes) -> bytes:
    """The key of buttons, apart from that of links and cookies, which come from the same secret."""
    return hmac.new(secret, b"telegram buttons", sha256).digest()


def seal(key: bytes, chat: str, press: Press, until: datetime) -> str | None:
    """Return the callback data; None when it does not fit: such a button is left out, its words remain."""
    stamp = format(int(until.timestamp()) // 60, "x")
    short = press.outbox_id.removeprefix(_PREFIX)
    data = f"{stamp}:{short}:{_sign(key, chat, press, stamp)}:{press.text}"
    return data if len(data.encode()) <= MOST_BYTES else None


def unseal(key: bytes, chat: str, data: str, now: datetime) -> Press | None:
    """Return what was pressed; None, without saying why, for anything forged, of another chat, or too old."""
    parts = data.split(":", 3)
    if len(parts) != 4 or not all(parts):
        return None
    stamp, short, signature, text = parts
    press = Press(short if "_" in short else _PREFIX + short, text)
    if not hmac.compare_digest(_sign(key, chat, press, stamp).encode(), signature.encode()):
        return None
    until = datetime.fromtimestamp(int(stamp, 16) * 60, UTC)  # our own stamp: the signature was right
    return press if now < until else None


def rows(key: bytes, chat: str, outbox_id: str, buttons: Sequence[tuple[str, str]], now: datetime,
         ) -> list[list[tuple[str, str]]]:
    """Return (label, callback data) in rows for a keyboard; empty when there is nothing to press."""
    until = now + GOOD_FOR
    made = [(label, seal(key, chat, Press(outbox_id, text), until)) for label, text in buttons]
    kept = [(label, data) for label, data in made if data is not None]
    return [kept[at:at + _IN_A_ROW] for at in range(0, len(kept), _IN_A_ROW)]


def _sign(key: bytes, chat: str, press: Press, stamp: str) -> str:
    said = "\n".join((chat, press.outbox_id, stamp, press.text)).encode()
    digest = hmac.new(key, said, sha256).digest()[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(digest).decode()
