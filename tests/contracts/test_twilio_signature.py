"""Nobody but Twilio gets a text into the inbox: both signature forms, judged against the SDK's own validator."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from bot.channels.twilio_signature import Secrets, compute, is_genuine, public_url, read_form

SECRETS = Secrets("the-auth-token", "the-shared-key")
URL = "https://bills.example/hooks/twilio/sms"
FORM = (("Body", "why do I owe this?"), ("From", "+12125550123"), ("NumMedia", "0"), ("MediaUrl", ""))
SHARED = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text(st.characters(min_codepoint=48, max_codepoint=122, categories=["L", "N"]), min_size=1, max_size=6)
urls = st.builds(
    lambda scheme, port, path, query: f"{scheme}://bills.example{port}/{path}{query}",
    st.sampled_from(["https", "http"]), st.sampled_from(["", ":443", ":8443", ":80"]), names,
    st.sampled_from(["", "?a=1&b=", "?bodySHA256=00"]))


@pytest.mark.parametrize(("secret", "algorithm", "header"), [
    ("the-auth-token", "HMAC_SHA1", {}),
    ("the-shared-key", "HMAC_SHA256", {"X-Twilio-Webhooks-Signature-Settings": SHARED}),
])
@given(url=urls, pairs=st.lists(st.tuples(names, texts), max_size=6))
def test_what_twilios_own_validator_accepts_is_accepted(
        secret: str, algorithm: str, header: dict[str, str], url: str, pairs: list[tuple[str, str]]) -> None:
    signed = RequestValidator(secret).compute_signature(url, MultiDict(pairs), algorithm)
    assert is_genuine(url, pairs, {"X-Twilio-Signature": signed, **header}, SECRETS)
    assert RequestValidator(secret).validate(url, MultiDict(pairs), signed, algorithm)


@given(url=urls, pairs=st.lists(st.tuples(names, texts), max_size=4), other=st.tuples(names, texts),
       signature=st.text(st.characters(codec="utf-8"), max_size=30))
def test_what_twilios_own_validator_refuses_is_refused(
        url: str, pairs: list[tuple[str, str]], other: tuple[str, str], signature: str) -> None:
    signed = RequestValidator("the-auth-token").compute_signature(url, MultiDict(pairs))
    changed = [*pairs, other]
    expected = RequestValidator("the-auth-token").validate(url, MultiDict(changed), signed)
    assert is_genuine(url, changed, {"X-Twilio-Signature": signed}, SECRETS) == expected
    assert not is_genuine(url, pairs, {"X-Twilio-Signature": signature}, SECRETS)


@pytest.mark.parametrize("headers", [
    {},
    {"X-Twilio-Signature": ""},
    {"X-Twilio-Signature": "not base64 é"},
    {"X-Twilio-Signature": compute(URL, FORM, "another-token")},
    {"X-Twilio-Signature": compute(URL, FORM, "the-shared-key")},
    {"X-Twilio-Signature": compute(URL, FORM, "the-auth-token", "HMAC_SHA256")},
    {"X-Twilio-Signature": compute(URL, FORM, "the-auth-token"),
     "X-Twilio-Webhooks-Signature-Settings": "key=1,algorithm=HMAC_MD5"},
    {"X-Twilio-Signature": compute(URL, FORM, "the-auth-token"), "X-Twilio-Webhooks-Signature-Settings": SHARED},
])
def test_a_missing_foreign_or_misannounced_signature_is_refused(headers: dict[str, str]) -> None:
    assert not is_genuine(URL, FORM, headers, SECRETS)


def test_a_body_hash_in_the_url_does_not_excuse_the_parameters() -> None:
    url = f"{URL}?bodySHA256=ab"
    signature = compute(url, (), "the-auth-token")
    assert not is_genuine(url, FORM, {"X-Twilio-Signature": signature}, SECRETS)


def test_an_account_without_a_token_accepts_nothing() -> None:
    assert not is_genuine(URL, FORM, {"X-Twilio-Signature": compute(URL, FORM, "")}, Secrets(""))


def test_header_names_are_read_in_any_case() -> None:
    assert is_genuine(URL, FORM, {"x-tWiLiO-signature": compute(URL, FORM, "the-auth-token")}, SECRETS)


@given(st.one_of(st.binary(max_size=40), st.text("ab=&+%20cFé", max_size=30).map(str.encode)))
def test_a_form_is_read_as_pythons_own_parser_reads_it(body: bytes) -> None:
    assert list(read_form(body)) == parse_qsl(body.decode(errors="replace"), keep_blank_values=True, errors="replace")


def test_a_form_of_more_fields_than_twilio_ever_sends_is_refused() -> None:
    assert len(read_form(b"a=1&" * 399 + b"a=1")) == 400
    with pytest.raises(ValueError, match="400 fields"):
        read_form(b"a=1&" * 400 + b"a=1")


def test_empty_values_and_odd_bytes_of_a_form_survive_reading() -> None:
    assert read_form(urlencode(FORM).encode()) == FORM
    assert read_form(b"Body=%ff&From=") == (("Body", "�"), ("From", ""))


def test_the_url_is_the_public_one_whatever_the_proxy_called_us_by() -> None:
    assert public_url("https://bills.example/", "/hooks/twilio/sms", "a=1") == f"{URL}?a=1"


def test_secrets_are_not_shown() -> None:
    assert "token" not in repr(SECRETS).replace("auth_token", "") and "shared" not in repr(SECRETS)
