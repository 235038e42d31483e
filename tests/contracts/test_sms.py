"""The SMS channel against a server that speaks Twilio's interface: what is sent, and what every failure comes to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channels.base import Outbound, SendError
from bot.channels.sms import (
    ERROR_KINDS,
    SmsChannel,
    TwilioAccount,
    parse_inbound,
    parse_status,
    receipt_kind,
    status_callback,
)
from tests.contracts.conftest import PUBLIC, Served

OUR_NUMBER = "+12125550100"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def to(number: str, body: str = "You have a message about your bill.", sender: str = OUR_NUMBER) -> Outbound:
    return Outbound("out_1", sender, number, body)


async def kind_of(act: Coroutine[Any, Any, Any]) -> tuple[str, str]:
    with pytest.raises(SendError) as caught:
        await act
    return caught.value.kind, caught.value.code


async def test_a_text_is_handed_over_with_our_id_in_its_callback(twilio: Served) -> None:
    sent = await twilio.adapter.send(to("+12125550123"))
    asked = next(line for line in await twilio.journal() if line.get("kind", line.get("event")) == "request")
    assert sent.provider_id.startswith("SM")
    assert asked["params"] == {"To": "+12125550123", "From": OUR_NUMBER, "Body": "You have a message about your bill.",
                               "StatusCallback": f"{PUBLIC}/hooks/twilio/status/out_1"}


@pytest.mark.parametrize(("ending", "verdict"), [
    ("0001", ("unreachable", "21211")), ("0020", ("retry", "20429")), ("0021", ("retry", "20500")),
    ("0022", ("unknown", "ServerDisconnectedError")), ("0023", ("unknown", "ServerDisconnectedError")),
])
async def test_every_refusal_has_its_verdict(twilio: Served, ending: str, verdict: tuple[str, str]) -> None:
    assert await kind_of(twilio.adapter.send(to(f"+1212555{ending}"))) == verdict


async def test_a_number_that_sent_stop_is_opted_out(twilio: Served) -> None:
    await twilio.order("inbound", {"from": "+12125550123", "to": OUR_NUMBER, "body": "STOP"})
    assert await kind_of(twilio.adapter.send(to("+12125550123"))) == ("opted_out", "21610")


async def test_a_foreign_sender_and_a_wrong_token_stop_the_channel(twilio: Served) -> None:
    assert await kind_of(twilio.adapter.send(to("+12125550123", sender="+12125559999"))) == ("configuration", "21660")
    stranger = SmsChannel(TwilioAccount("AC" + "0" * 32, "wrong", twilio.url, PUBLIC))
    assert await kind_of(stranger.send(to("+12125550123"))) == ("configuration", "20003")
    await stranger.close()


async def test_a_server_that_is_not_there_was_surely_not_told(unused_tcp_port: int) -> None:
    channel = SmsChannel(TwilioAccount("AC" + "0" * 32, "t", f"http://127.0.0.1:{unused_tcp_port}", PUBLIC))
    kind, _ = await kind_of(channel.send(to("+12125550123")))
    assert kind == "retry"
    await channel.close()


async def test_a_lost_answer_is_found_again_by_its_words_and_only_by_them(twilio: Served) -> None:
    assert (await kind_of(twilio.adapter.send(to("+12125550022"))))[0] == "unknown"
    found = await twilio.adapter.look_up(to("+12125550022"), datetime.now(UTC) - timedelta(minutes=1))
    assert len(found.provider_ids) == 1
    other = await twilio.adapter.look_up(to("+12125550022", "Other words"), datetime.now(UTC) - timedelta(minutes=1))
    assert other.provider_ids == ()


async def test_a_request_that_never_arrived_is_not_found(twilio: Served) -> None:
    assert (await kind_of(twilio.adapter.send(to("+12125550023"))))[0] == "unknown"
    assert (await twilio.adapter.look_up(to("+12125550023"), LONG_AGO)).provider_ids == ()


async def test_older_texts_of_the_same_words_are_not_taken_for_this_one(twilio: Served) -> None:
    await twilio.adapter.send(to("+12125550123"))
    later = datetime.now(UTC) + timedelta(minutes=10)
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert len((await twilio.adapter.look_up(to("+12125550123"), since)).provider_ids) == 1
    assert len((await twilio.adapter.look_up(to("+12125550123"), later)).provider_ids) == 1  # our clock is ahead


async def test_redaction_empties_the_text_at_twilio(twilio: Served) -> None:
    sent = await twilio.adapter.send(to("+12125550123"))
    assert (await kind_of(twilio.adapter.redact(sent.provider_id)))[0] == "retry"  # still on its way
    await twilio.order("settle", {})
    await twilio.adapter.redact(sent.provider_id)
    assert (await twilio.adapter.look_up(to("+12125550123"), LONG_AGO)).provider_ids == ()


async def test_no_number_and_no_words_reach_the_log(twilio: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await twilio.adapter.send(to("+12125550123", "Words of a patient"))
    await twilio.adapter.look_up(to("+12125550123"), LONG_AGO)
    own = "".join(r.getMessage() for r in caplog.records if not r.name.startswith(("aiohttp", "asyncio")))
    assert "12125550123" not in own and "Words" not in own


async def test_the_shell_cannot_send_our_texts_elsewhere(twilio: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "elsewhere")
    monkeypatch.setenv("TWILIO_REGION", "xx1")
    assert (await twilio.adapter.send(to("+12125550123"))).provider_id


def test_an_inbound_form_becomes_a_message() -> None:
    found = parse_inbound({"MessageSid": "SM1", "From": "+12125550123", "To": OUR_NUMBER, "Body": "STOP",
                           "NumMedia": "2", "OptOutType": "stop"})
    assert (found.external_id, found.sender, found.to, found.body, found.media, found.carrier_keyword) == (
        "SM1", "+12125550123", OUR_NUMBER, "STOP", 2, "STOP")


def test_a_report_keeps_each_status_apart_and_our_id() -> None:
    found = parse_status({"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}, "out_9")
    assert (found.external_id, found.status, found.error_code, found.outbox_id) == (
        "SM1:undelivered", "undelivered", "30003", "out_9")
    assert parse_status({"SmsSid": "SM1", "SmsStatus": "sending"}, "").status == "queued"
    assert receipt_kind(found.error_code) == "unreachable" and receipt_kind("") == "" and receipt_kind("1") == ""


@pytest.mark.parametrize(("parse", "missing"), [
    (lambda: parse_inbound({"From": "+1", "To": "+1"}), "MessageSid"),
    (lambda: parse_inbound({"MessageSid": "SM1", "To": "+1"}), "From"),
    (lambda: parse_status({"MessageStatus": "sent"}, ""), "MessageSid"),
])
def test_a_form_that_lacks_something_names_it(parse: Callable[[], object], missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        parse()


def test_every_code_has_a_verdict_of_the_four() -> None:
    assert set(ERROR_KINDS.values()) == {"opted_out", "unreachable", "retry", "configuration"}
    assert status_callback("https://x/", "out_1") == "https://x/hooks/twilio/status/out_1"
