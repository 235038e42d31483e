"""What a key signed is taken byte by byte as it stands, for the console's own name, or not at all."""

from __future__ import annotations

import json

import pytest
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from billing import passkey_proofs
from billing.passkey_proofs import Site
from tests.console.authenticator import Authenticator

SITE = Site("bills.maple.example", "https://bills.maple.example")


@pytest.mark.parametrize(("address", "site"), [
    ("https://bills.maple.example", SITE), ("https://Bills.Maple.example:443/sub", SITE),
    ("https://bills.maple.example:8443", Site(SITE.name, "https://bills.maple.example:8443")),
    ("http://localhost:8000", Site("localhost", "http://localhost:8000")),
    ("http://127.0.0.1:8000", None), ("https://203.0.113.7", None), ("https://[2001:db8::1]", None),
    ("http://bills.maple.example", None), ("", None)])
def test_where_browsers_make_keys_and_for_which_site(address: str, site: Site | None) -> None:
    assert passkey_proofs.site_of(address) == site


@pytest.mark.parametrize("nasty", [
    "", "x", "null", "[]", "{}", "[" * 5000, '{"id": 1}', '{"id": "AA", "rawId": "AA", "type": "public-key"}',
    json.dumps({"id": "\ud800", "rawId": "\ud800", "type": "public-key", "response": dict.fromkeys(
        ("clientDataJSON", "authenticatorData", "signature", "attestationObject"), "oA")})])
def test_what_is_no_answer_at_all_is_a_wrong_one_and_breaks_nothing(nasty: str) -> None:
    assert passkey_proofs.read_new(SITE, "asked", nasty) is None
    assert passkey_proofs.count_in(SITE, "asked", "pQECAyYgASFYIA", nasty) is None
    assert isinstance(passkey_proofs.id_in(nasty), str)


def test_no_byte_of_an_answer_can_be_another_one() -> None:
    key = Authenticator(SITE.name, SITE.origin)
    asked = {"challenge": bytes_to_base64url(b"asked")}
    made = passkey_proofs.read_new(SITE, "asked", key.create(asked))
    assert made is not None
    whole = json.loads(key.get(asked))
    assert passkey_proofs.count_in(SITE, "asked", made.public_key, json.dumps(whole)) == 1
    for part, said in whole["response"].items():
        raw = base64url_to_bytes(said)
        for place in range(len(raw)):
            spoilt = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1:]
            other = {**whole, "response": {**whole["response"], part: bytes_to_base64url(spoilt)}}
            assert passkey_proofs.count_in(SITE, "asked", made.public_key, json.dumps(other)) is None, (part, place)


def test_a_key_whose_own_id_is_longer_than_ids_are_is_not_added() -> None:
    asked = {"challenge": bytes_to_base64url(b"asked")}
    for length, taken in ((1023, True), (1024, False)):
        key = Authenticator(SITE.name, SITE.origin, id=b"x" * length)
        assert (passkey_proofs.read_new(SITE, "asked", key.create(asked)) is not None) is taken
