"""No log line holds PHI, whoever logs it and however."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from bot.logs import configure_logs, mask, redact

PLANTED = {
    "name": "Rosalind Quimby", "patient_name": "Rosalind Quimby", "phone": "+12125550123", "dob": "1961-07-04",
    "born_on": "1961-07-04", "body": "why do I owe this", "address": "9 Elm St", "account": "ACC-Quimby",
    "member_id": "W-Quimby", "postal_code": "10001", "claim_id": "CLM-Quimby", "email": "rosalind@quimby.example",
    "url": "https://x.example/l/quimby-token",
}
TRACES = ("Rosalind", "Quimby", "quimby", "5550123", "1961", "why do I owe", "Elm", "10001", "rosalind")


@pytest.fixture(params=[True, False], ids=["json", "terminal"])
def stderr(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    stream = StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logs("debug", as_json=request.param)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _is_clean(text: str) -> bool:
    return text != "" and not any(trace in text for trace in TRACES)


def test_phi_given_as_fields_is_dropped(stderr: StringIO) -> None:
    structlog.get_logger().info("message accepted", **PLANTED, nested={"deep": [PLANTED]}, outbox_id="msg_1")
    assert _is_clean(stderr.getvalue())
    assert "message accepted" in stderr.getvalue()
    assert "msg_1" in stderr.getvalue()


def test_numbers_inside_texts_are_masked(stderr: StringIO) -> None:
    structlog.get_logger().warning("no answer from +1 (212) 555-0123, born 1961-07-04, zip 10001", count=3)
    assert _is_clean(stderr.getvalue())
    assert "count" in stderr.getvalue()


def test_a_library_that_logs_in_its_own_way_is_masked_too(stderr: StringIO) -> None:
    logging.getLogger("somebody.else").error("sending to %s failed", "+12125550123")
    assert _is_clean(stderr.getvalue())


def test_digits_in_the_text_of_an_exception_are_masked(stderr: StringIO) -> None:
    try:
        raise ValueError("+12125550123 born 1961-07-04")
    except ValueError:
        structlog.get_logger().exception("it broke")
    assert _is_clean(stderr.getvalue())
    assert "ValueError" in stderr.getvalue()


def test_our_own_ids_stay_readable_so_that_a_message_can_be_followed() -> None:
    assert mask("msg_01234567890123456789 to 2125550123") == "msg_01234567890123456789 to ##########"


def test_small_counts_stay_and_long_numbers_do_not() -> None:
    assert redact({"rows": 250, "amount_minor": 1250, "big": 12125550123}) == {
        "rows": 250, "amount_minor": 1250, "big": "###########"}
