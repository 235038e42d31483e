"""What a passkey or security key is asked to sign, and whether its answer is genuine (W3C Web Authentication, Level 2).

Pure: it knows no rows and no people's rights. Nobody is asked what make of key they have (attestation "none"), and
none has to keep a name (resident key "discouraged"): the login is typed anyway, and a security key has few places.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

T = TypeVar("T")

_LONGEST = 1023  # bytes of a key's own id, at most (4. Terminology, Credential ID)
_WAIT = 2 * 60 * 1000  # milliseconds that a browser waits for the person
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Site:
    """The console as browsers know it: a key signs for this ``name`` alone, and the browser says which ``origin``."""

    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it said of itself when it was added: its id and its public key (COSE) in base64url."""

    credential_id: str
    public_key: str
    sign_count: int


def site_of(public_url: str) -> Site | None:
    """None where no browser makes a key: at an address of numbers, and without https anywhere but on localhost."""
    parts = urlsplit(public_url)
    name = (parts.hostname or "").casefold()
    local = name == "localhost" or name.endswith(".localhost")
    if not name or _is_number(name) or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        return None
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return Site(name, f"{parts.scheme}://{name}{port}")


def ask_new(site: Site, challenge: str, practice: str, staff_id: str, login: str, name: str, known: Sequence[str],
            ) -> str:
    """What a browser is to ask of a key that is added, as JSON. ``known``: the person's keys, none of them anew."""
    return webauthn.options_to_json(webauthn.generate_registration_options(
        rp_id=site.name, rp_name=practice, user_id=staff_id.encode(), user_name=login, user_display_name=name,
        challenge=challenge.encode(), timeout=_WAIT, attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.PREFERRED),
        exclude_credentials=_named(known)))


def ask_known(site: Site, challenge: str, known: Sequence[str]) -> str:
    """What a browser is to ask of one of these keys, as JSON."""
    return webauthn.options_to_json(webauthn.generate_authentication_options(
        rp_id=site.name, challenge=challenge.encode(), timeout=_WAIT, allow_credentials=_named(known),
        user_verification=UserVerificationRequirement.PREFERRED))


def read_new(site: Site, challenge: str, answer: str) -> NewKey | None:
    """The key behind a browser's answer to ``ask_new``; None unless it is one to just this challenge and site."""
    def check() -> NewKey:
        found = webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge.encode(), expected_rp_id=site.name,
            expected_origin=site.origin)
        if len(found.credential_id) > _LONGEST:
            raise ValueError("longer than a key's id may be")
        return NewKey(bytes_to_base64url(found.credential_id), bytes_to_base64url(found.credential_public_key),
                      found.sign_count)

    return _unless_broken(check)


def id_in(answer: str) -> str:
    """Which key an answer says that it is from; empty where it says nothing of the kind."""
    return _unless_broken(lambda: parse_authentication_credential_json(answer).id) or ""


def count_in(site: Site, challenge: str, public_key: str, answer: str) -> int | None:
    """How often the key has signed so far, by its own count (0 for one that does not count), if this key has signed
    just this challenge for this site; else None.
    """
    def check() -> int:
        # The count is the caller's to compare, once the signature is known to be the key's.
        return webauthn.verify_authentication_response(
            credential=answer, expected_challenge=challenge.encode(), expected_rp_id=site.name,
            expected_origin=site.origin, credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=0).new_sign_count

    return _unless_broken(check)


def _unless_broken(check: Callable[[], T]) -> T | None:
    try:
        return check()
    except Exception:  # noqa: BLE001 - anybody's bytes: whatever the library trips over in them is a wrong answer
        return None


def _named(known: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known]


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
