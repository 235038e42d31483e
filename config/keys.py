"""Keys as they stand in the environment: base64 of 32 random bytes, several of them with an id each."""

from __future__ import annotations

import base64
import binascii
import re

KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class KeyFault(ValueError):
    """A key does not have its form. The text says what to do and holds nothing of the key."""


def parse_key(text: str) -> bytes:
    """Return the 32 bytes of a key in base64 (either alphabet). Raises KeyFault."""
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyFault("is not base64; `plainbill keys new` prints one") from error
    if len(key) != KEY_BYTES:
        raise KeyFault(f"holds {len(key)} bytes instead of {KEY_BYTES}; `plainbill keys new` prints one")
    return key


def parse_keys(text: str) -> dict[str, bytes]:
    """Return the keys of ``id:base64,id2:base64`` in their order; the first seals, the others still open.

    Raises KeyFault.
    """
    keys: dict[str, bytes] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        key_id, mark, body = part.partition(":")
        if not mark or not _KEY_ID.fullmatch(key_id):
            raise KeyFault("write id:base64, several with commas between; `plainbill keys new` prints one")
        if key_id in keys:
            raise KeyFault("two keys have the same id; give every key an id of its own")
        keys[key_id] = parse_key(body)
    if not keys:
        raise KeyFault("holds no key; `plainbill keys new` prints one")
    return keys
