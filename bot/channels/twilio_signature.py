"""Who may call a Twilio webhook: both signature forms, checked in constant time.

Twilio signs the public URL followed by every form parameter, sorted by name, with HMAC. The classic form is SHA-1
under the account's auth token. The newer one is SHA-256 under a shared key, announced in a header of its own.
Own code because the SDK's validator costs ten times as much as the rest of the request, skips the parameters when the
URL carries ``bodySHA256``, and raises on a missing signature; the tests keep it as the oracle.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit, urlunsplit

SIGNATURE = "x-twilio-signature"
SETTINGS = "x-twilio-webhooks-signature-settings"
_HASHES = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
_MAX_FIELDS = 400


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """The account's auth token and, for the newer form, the shared webhook key. Never printed."""

    auth_token: str
    signature_key: str = ""

    def for_algorithm(self, algorithm: str) -> tuple[str, ...]:
        """Secrets that may have signed; the auth token stays acceptable for the newer form, because whoever holds
        it could sign in the classic form anyway.
        """
        allowed = (self.auth_token, self.signature_key) if algorithm == "HMAC_SHA256" else (self.auth_token,)
        return tuple(secret for secret in allowed if secret)


def read_form(body: bytes) -> tuple[tuple[str, str], ...]:
    """Form pairs in order, empty values kept. Raises ValueError when there are more than Twilio ever sends."""
    text = body.decode("utf-8", errors="replace")
    return tuple(parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=_MAX_FIELDS))


def public_url(base: str, path: str, query: str = "") -> str:
    """The URL that Twilio was given: behind a TLS proxy the request's own scheme and host are the proxy's."""
    return base.rstrip("/") + path + (f"?{query}" if query else "")


def is_genuine(url: str, pairs: Sequence[tuple[str, str]], headers: Mapping[str, str], secrets: Secrets) -> bool:
    """True when one of the account's secrets signed this request. ``headers`` are looked up without regard to case."""
    named = {name.lower(): value for name, value in headers.items()}
    given = named.get(SIGNATURE, "")
    algorithm = read_algorithm(named.get(SETTINGS, ""))
    if not given or algorithm not in _HASHES:
        return False
    matches = [
        hmac.compare_digest(compute(candidate, pairs, key, algorithm).encode(), given.encode())
        for key in secrets.for_algorithm(algorithm) for candidate in _with_and_without_port(url)
    ]
    return any(matches)


def compute(url: str, pairs: Iterable[tuple[str, str]], secret: str, algorithm: str = "HMAC_SHA1") -> str:
    """Base64 HMAC over the URL and the distinct pairs, sorted by name and then value."""
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    digest = hmac.new(secret.encode(), text.encode("utf-8", errors="replace"), _HASHES[algorithm]).digest()
    return base64.b64encode(digest).decode()


def read_algorithm(settings: str) -> str:
    """The algorithm of the settings header; an absent header means the classic form."""
    parts = dict(part.strip().split("=", 1) for part in settings.split(",") if "=" in part)
    return parts.get("algorithm", "").strip().upper() or "HMAC_SHA1"


def _with_and_without_port(url: str) -> tuple[str, str]:
    """Twilio signs sometimes with the port and sometimes without it, so both are tried."""
    parts = urlsplit(url)
    host = parts.netloc.rsplit("@", 1)[-1]
    bare = host[: -len(f":{parts.port}")] if parts.port is not None and host.endswith(f":{parts.port}") else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return urlunsplit(parts._replace(netloc=bare)), urlunsplit(parts._replace(netloc=f"{bare}:{port}"))
