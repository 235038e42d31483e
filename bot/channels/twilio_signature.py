"""Who may call a Twilio webhook: both signature forms, checked in constant time.

Twilio signs the public URL followed by every form parameter, sorted by name, with HMAC. The classic form is SHA-1
under the account's auth token. The newer one is SHA-256 under a shared key, announced in a header of its own.
Own code because the SDK's validator costs ten times as much as the rest of the request, skips the parameters when the
URL carries ``bodySHA256``, and raises on a missing signature; the tests keep it as the oracle.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

SIGNATURE = "x-twilio-signature"
SETTINGS = "x-twilio-webhooks-signature-settings"
_HASHES = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
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
    fields = body.decode("utf-8", errors="replace").split("&")
    if len(fields) > _MAX_FIELDS:
        raise ValueError(f"a form of more than {_MAX_FIELDS} fields")
    pairs = [field.partition("=") for field in fields if field]
    return tuple([(_unquoted(name), _unquoted(value)) for name, _, value in pairs])


def _unquoted(text: str) -> str:
    """As ``parse_qsl`` does it, which looks three times at what needs no change at all."""
    plain = text.replace("+", " ")
    return unquote(plain, errors="replace") if "%" in plain else plain


def public_url(base: str, path: str, query: str = "") -> str:
    """The URL that Twilio was given: behind a TLS proxy the request's own scheme and host are the proxy's."""
    return base.rstrip("/") + path + (f"?{query}" if query else "")


def is_genuine(url: str, pairs: Sequence[tuple[str, str]], headers: Mapping[str, str], secrets: Secrets) -> bool:
    """True when one of the account's secrets signed this request. ``headers`` are looked up without regard to case."""
    named = {name.lower(): value for name, value in headers.items()}
    given = named.get(SIGNATURE, "").encode()
    algorithm = read_algorithm(named.get(SETTINGS, ""))
    if not given or algorithm not in _HASHES:
        return False
    fields = _sorted_fields(pairs)
    matches = [
        hmac.compare_digest(_sign(candidate + fields, key, algorithm), given)
        for key in secrets.for_algorithm(algorithm) for candidate in _with_and_without_port(url)
    ]
    return any(matches)


def compute(url: str, pairs: Iterable[tuple[str, str]], secret: str, algorithm: str = "HMAC_SHA1") -> str:
    """Base64 HMAC over the URL and the distinct pairs, sorted by name and then value."""
    return _sign(url + _sorted_fields(pairs), secret, algorithm).decode()


def _sorted_fields(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join([name + value for name, value in sorted(set(pairs))])


def _sign(text: str, secret: str, algorithm: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode("utf-8", errors="replace"), _HASHES[algorithm]))


def read_algorithm(settings: str) -> str:
    """The algorithm of the settings header; an absent header means the classic form."""
    if not settings:
        return "HMAC_SHA1"
    parts = dict(part.strip().split("=", 1) for part in settings.split(",") if "=" in part)
    return parts.get("algorithm", "").strip().upper() or "HMAC_SHA1"


def _with_and_without_port(url: str) -> tuple[str, str]:
    """Twilio signs sometimes with the port and sometimes without it, so both are tried."""
    scheme, _, rest = url.partition("://")
    netloc, slash, path = rest.partition("/")
    bare, named = _hosts(scheme, netloc)
    return f"{scheme}://{bare}{slash}{path}", f"{scheme}://{named}{slash}{path}"


@lru_cache(maxsize=64)
def _hosts(scheme: str, netloc: str) -> tuple[str, str]:
    parts = urlsplit(f"{scheme}://{netloc}")
    host = parts.netloc.rsplit("@", 1)[-1]
    bare = host[: -len(f":{parts.port}")] if parts.port is not None and host.endswith(f":{parts.port}") else host
    return bare, f"{bare}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
