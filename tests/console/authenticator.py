"""A security key in software: a P-256 pair, and a count that goes up with each signature, as FIDO2 keys have them.

It answers what it is asked, for whatever site and origin it is told to: refusing is the console's part.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Authenticator:
    """``name`` and ``origin``: the site that it is asked by, as the browser tells it. ``step`` 0: it does not count."""

    name: str
    origin: str
    step: int = 1
    count: int = 0
    flags: int = _PRESENT | _VERIFIED
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    secret: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: dict[str, Any]) -> str:
        """The browser's answer to what a page asks when a key is added (attestation "none")."""
        spot = self.secret.public_key().public_numbers()
        key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: spot.x.to_bytes(32, "big"), -3: spot.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._said(_ATTESTED) + attested})
        return self._answer({"attestationObject": text(made),
                             "clientDataJSON": text(self._client("webauthn.create", options))})

    def get(self, options: dict[str, Any]) -> str:
        """The browser's answer to what a page asks when somebody signs in."""
        self.count += self.step
        said, client = self._said(), self._client("webauthn.get", options)
        signed = self.secret.sign(said + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer({"authenticatorData": text(said), "clientDataJSON": text(client),
                             "signature": text(signed)})

    def _said(self, more: int = 0) -> bytes:
        return (hashlib.sha256(self.name.encode()).digest() + bytes([self.flags | more])
                + self.count.to_bytes(4, "big"))

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin,
                           "crossOrigin": False}).encode()

    def _answer(self, response: dict[str, str]) -> str:
        return json.dumps({"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response})
