"""PHI at rest: AES-256-GCM with key ids for rotation, and keyed hashes for exact look-up.

A sealed value is ``version, key id (4 bytes), nonce (12 bytes), ciphertext``. The column's name is bound in as
associated data, so that a value copied into another column does not open. A blind index is an HMAC under a key of
its own, which rotation of the sealing keys leaves alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_VERSION = b"\x01"
_HEAD = 1 + 4 + 12

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


class SealError(Exception):
    """A sealed value did not open: wrong or missing key, or the bytes were altered."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Sealing keys by id, which of them seals anew, and the key of the blind index. Never printed."""

    keys: Mapping[str, bytes]
    current: str
    index_key: bytes

    def __repr__(self) -> str:
        return f"Keyring(ids={sorted(self.keys)}, current={self.current!r})"


_ring: Keyring | None = None
_openers: dict[bytes, Callable[[bytes, bytes, bytes], bytes]] = {}  # of the ring, by the head of what they open


def install_keyring(ring: Keyring) -> None:
    """Set the process's keys; called once, at wiring. Column types have no other way to reach them."""
    global _ring
    _ring = ring
    _openers.clear()
    for key_id, key in reversed(list(ring.keys.items())):
        _openers[_VERSION + _key_tag(key_id)] = _cipher(key).decrypt


def keyring() -> Keyring:
    if _ring is None:
        raise SealError("no encryption keys are installed; open the store through bot.write first")
    return _ring


@lru_cache(maxsize=64)
def _cipher(key: bytes) -> AESGCM:
    """Expanding a key costs more than opening a short value with it."""
    return AESGCM(key)


@lru_cache(maxsize=64)
def _key_tag(key_id: str) -> bytes:
    return hashlib.sha256(key_id.encode()).digest()[:4]


def seal(value: str, column: str) -> bytes:
    return seal_all([value], column)[0]


def seal_all(values: Sequence[str], column: str) -> list[bytes]:
    """Seal values of one column, each under a nonce of its own."""
    ring = keyring()
    encrypt, head, name = _cipher(ring.keys[ring.current]).encrypt, _VERSION + _key_tag(ring.current), column.encode()
    chance = os.urandom(12 * len(values))
    nonces = [chance[at:at + 12] for at in range(0, len(chance), 12)]
    return [head + nonce + encrypt(nonce, value.encode(), name) for nonce, value in zip(nonces, values, strict=True)]


def unseal(blob: bytes, column: str) -> str:
    """Open a sealed value. Raises SealError, whose text holds the column's name and nothing of the value."""
    keyring()
    decrypt = _openers.get(blob[:5])
    if decrypt is None:
        raise SealError(f"{column}: sealed under a key that this process does not have")
    try:
        return decrypt(blob[5:_HEAD], blob[_HEAD:], column.encode()).decode()
    except InvalidTag as error:
        raise SealError(f"{column}: the sealed value was altered or belongs elsewhere") from error


def sealed_under_current(blob: bytes) -> bool:
    return blob[1:5] == _key_tag(keyring().current)


def blind(kind: str, practice_id: str, value: str) -> str:
    """Return the keyed hash for exact look-up; ``value`` must already be in its normal form."""
    begun, ending = _hmac_states(keyring().index_key)
    inner, outer = begun.copy(), ending.copy()
    inner.update("\x1f".join((kind, practice_id, value)).encode())
    outer.update(inner.digest())
    return urlsafe_b64encode(outer.digest()[:24]).decode()


@lru_cache(maxsize=64)
def _hmac_states(key: bytes) -> tuple[Any, Any]:
    """HMAC-SHA-256 (RFC 2104) with the key taken in already: an import asks for four keyed hashes to a claim, and
    taking the key in is two thirds of each.
    """
    whole = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
    return hashlib.sha256(whole.translate(_INNER)), hashlib.sha256(whole.translate(_OUTER))


_BLOCK = 64  # bytes, of SHA-256
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def normal_name(name: str) -> str:
    """Return a surname as it is hashed: no accents, no case, letters only ("O'Brien-Núñez" -> "obriennunez")."""
    plain = name if name.isascii() else unicodedata.normalize("NFKD", name)
    return "".join(filter(str.isalpha, plain.casefold()))


def normal_account(number: str) -> str:
    """Return an account number as it is hashed: trimmed, upper case; inner marks stay, they tell numbers apart."""
    return number.strip().upper()


def as_json(value: Any) -> str:
    """A JSON value as it is sealed."""
    return _encode(value)


class Sealed(TypeDecorator[str]):
    """Text, encrypted at rest."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else seal(value, self.column)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else unseal(bytes(value), self.column)


class SealedJSON(TypeDecorator[Any]):
    """A JSON value, encrypted at rest."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else seal(as_json(value), self.column)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(unseal(bytes(value), self.column))
