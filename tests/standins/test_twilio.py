"""The Twilio stand-in, asked by Twilio's own SDK over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client

from bot.standins.journal import read_lines, replay
from bot.standins.twilio import TwilioOptions, make_app, start
from bot.standins.wire import Running
from tests.standins.receiver import Receiver, receiving

SID = "AC" + "1" * 32
TOKEN = "token-under-test"
OURS = "+12175550100"
PATIENT = "+12175550142"


class Redirected(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK has no type information
    """Twilio's asynchronous transport, pointed at another host."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        return await super().request(method, url.replace("https://api.twilio.com", self.base), *args, **kwargs)


@dataclass
class Scene:
    """A running stand-in, a client of it, and our own webhook server."""

    options: TwilioOptions
    running: Running
    client: Client
    receiver: Receiver
    http: aiohttp.ClientSession
    spare: list[AsyncTwilioHttpClient] = field(default_factory=list)

    async def send(self, to: str = PATIENT, body: str = "Hello", **more: Any) -> Any:
        return await self.client.messages.create_async(to=to, from_=OURS, body=body, **more)

    async def control(self, path: str, /, **body: Any) -> Any:
        async with self.http.post(f"{self.running.url}/_standin/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def look(self, path: str) -> Any:
        async with self.http.get(f"{self.running.url}/_standin/{path}") as answer:
            return await answer.json()

    async def text_in(self, body: str, sender: str = PATIENT, **more: Any) -> Any:
        return await self.control("inbound", **{"from": sender, "to": OURS, "body": body, "wait": True, **more})

    def valid(self, index: int = -1) -> bool:
        """What our webhook would decide about the signature of the request it got."""
        got = self.receiver.got[index]
        algorithm = get_signature_algorithm(got.headers.get("X-Twilio-Webhooks-Signature-Settings"))
        secret = TOKEN if algorithm == "HMAC_SHA1" else self.options.shared_key_secret
        validator = RequestValidator(secret)
        return bool(validator.validate(got.url, got.form, got.headers["X-Twilio-Signature"], algorithm))


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
def options(tmp_path: Path, receiver: Receiver) -> TwilioOptions:
    return TwilioOptions(
        account_sid=SID,
        auth_token=TOKEN,
        journal=tmp_path / "twilio.jsonl",
        numbers=(OURS,),
        webhooks={OURS: f"{receiver.url}/sms"},
        messaging_services={"MG" + "2" * 32: OURS},
        callback_delay_ms=1,
        retry_delays_s=(0.01, 0.01),
    )


async def open_scene(options: TwilioOptions, receiver: Receiver) -> Scene:
    running = await start(make_app(options))
    client = Client(SID, TOKEN, http_client=Redirected(running.url))
    return Scene(options, running, client, receiver, aiohttp.ClientSession())


async def close_scene(scene: Scene) -> None:
    await scene.client.http_client.close()
    for spare in scene.spare:
        await spare.close()
    await scene.http.close()
    await scene.running.stop()


@pytest_asyncio.fixture
async def scene(options: TwilioOptions, receiver: Receiver) -> AsyncIterator[Scene]:
    opened = await open_scene(options, receiver)
    yield opened
    await close_scene(opened)


async def refusal(scene: Scene, **asked: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as caught:
        await scene.client.messages.create_async(**{"to": PATIENT, "from_": OURS, "body": "Hello", **asked})
    return caught.value.status, caught.value.code


async def test_a_message_is_queued_then_sent_then_delivered(scene: Scene) -> None:
    """The SDK gets a queued message back, and reads the delivered one afterwards."""
    sent = await scene.send(body="Your balance changed.")
    assert (sent.status, sent.num_segments, sent.direction) == ("queued", "1", "outbound-api")
    await scene.control("settle")
    now = await scene.client.messages(sent.sid).fetch_async()
    assert (now.status, now.error_code, now.to, now.from_) == ("delivered", None, PATIENT, OURS)
    assert now.date_sent is not None


@pytest.mark.parametrize("forms", [("HMAC_SHA1",), ("HMAC_SHA256",), ("HMAC_SHA1", "HMAC_SHA256")])
async def test_callbacks_are_signed_as_the_sdk_checks_them(
    options: TwilioOptions, receiver: Receiver, forms: tuple[str, ...]
) -> None:
    """Each signature form passes Twilio's own validator, on a URL with a query of ours."""
    scene = await open_scene(replace(options, signature_forms=forms), receiver)
    try:
        sent = await scene.send(status_callback=f"{receiver.url}/status?message=7&try=1")
        await scene.control("settle")
        assert [got.form["MessageStatus"] for got in receiver.got] == ["sent", "delivered"]
        assert all(got.form["MessageSid"] == sent.sid for got in receiver.got)
        assert [scene.valid(index) for index in range(2)] == [True, True]
        receiver.got[0].form["MessageStatus"] = "failed"
        assert not scene.valid(0)
    finally:
        await close_scene(scene)


@pytest.mark.parametrize(("ending", "code"), [("0004", 30003), ("0005", 30005), ("0006", 30006), ("0007", 30007)])
async def test_special_numbers_end_undelivered(scene: Scene, ending: str, code: int) -> None:
    """An unreachable, unknown, landline or filtered destination is accepted first and reported afterwards."""
    sent = await scene.send(to=f"+1217555{ending}", status_callback=f"{scene.receiver.url}/status")
    await scene.control("settle")
    last = scene.receiver.got[-1].form
    assert (last["MessageStatus"], last["ErrorCode"]) == ("undelivered", str(code))
    assert (await scene.client.messages(sent.sid).fetch_async()).error_code == code


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"to": ""}, (400, 21604)),
        ({"to": "12"}, (400, 21211)),
        ({"to": "+12175550001"}, (400, 21211)),
        ({"body": ""}, (400, 21602)),
        ({"body": "x" * 1601}, (400, 21617)),
        ({"from_": "+13125550199"}, (400, 21660)),
        ({"from_": "CLINIC"}, (400, 21606)),
        ({"status_callback": "not a url"}, (400, 21609)),
        ({"to": "+12175550020"}, (429, 20429)),
        ({"to": "+12175550021"}, (500, 20500)),
    ],
)
async def test_errors_carry_twilios_codes(scene: Scene, asked: dict[str, str], expected: tuple[int, int]) -> None:
    """What Twilio refuses is refused with its code, and nothing is sent."""
    assert await refusal(scene, **asked) == expected
    assert await scene.look("messages") == []


async def test_undocumented_parameters_are_refused(scene: Scene) -> None:
    """A parameter that Twilio does not document is an error in Twilio's own form."""
    url = f"{scene.running.url}/2010-04-01/Accounts/{SID}/Messages.json"
    form = {"To": PATIENT, "From": OURS, "Body": "x", "IdempotencyKey": "1"}
    async with scene.http.post(
        url, data=form, headers={"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}
    ) as answer:
        body = await answer.json()
    assert answer.status == 400
    assert set(body) == {"code", "message", "more_info", "status"}
    assert "IdempotencyKey" in body["message"]


async def test_a_wrong_token_is_refused(scene: Scene) -> None:
    """Basic authentication is checked: 401, code 20003."""
    transport = Redirected(scene.running.url)
    scene.spare.append(transport)
    with pytest.raises(TwilioRestException) as caught:
        await Client(SID, "wrong", http_client=transport).messages.create_async(to=PATIENT, from_=OURS, body="x")
    assert (caught.value.status, caught.value.code) == (401, 20003)


async def test_a_messaging_service_picks_its_number(scene: Scene) -> None:
    """With MessagingServiceSid the answer has no sender yet; the number is there afterwards."""
    sent = await scene.client.messages.create_async(to=PATIENT, messaging_service_sid="MG" + "2" * 32, body="Hi")
    assert (sent.status, sent.from_) == ("accepted", None)
    await scene.control("settle")
    assert (await scene.client.messages(sent.sid).fetch_async()).from_ == OURS


async def test_an_inbound_text_reaches_the_webhook_signed(scene: Scene) -> None:
    """A patient's text comes as Twilio's webhook, signed, with one SID however often it is delivered."""
    told = await scene.text_in("¿Cuánto debo?", repeat=3)
    forms = [got.form for got in scene.receiver.got]
    assert [form["MessageSid"] for form in forms] == [told["message_sid"]] * 3
    assert (forms[0]["From"], forms[0]["To"], forms[0]["Body"]) == (PATIENT, OURS, "¿Cuánto debo?")
    assert (forms[0]["NumMedia"], forms[0]["SmsStatus"]) == ("0", "received")
    assert scene.valid()


async def test_an_inbound_webhook_is_retried_after_a_failure(scene: Scene) -> None:
    """A webhook that answers 500 is asked again with the same MessageSid and idempotency token."""
    scene.receiver.answers = [500, 500, 200]
    await scene.text_in("balance")
    assert len(scene.receiver.got) == 3
    assert len({got.form["MessageSid"] for got in scene.receiver.got}) == 1
    assert len({got.headers["I-Twilio-Idempotency-Token"] for got in scene.receiver.got}) == 1


@pytest.mark.parametrize("word", ["STOP", " stopall ", "Unsubscribe", "cancel", "END", "quit", "Revoke", "OptOut"])
async def test_stop_words_close_the_number(scene: Scene, word: str) -> None:
    """After a stop word Twilio refuses with 21610 until START, and the webhooks say so in OptOutType."""
    await scene.text_in(word)
    assert scene.receiver.got[-1].form["OptOutType"] == "STOP"
    assert await refusal(scene) == (400, 21610)
    await scene.text_in("start")
    assert scene.receiver.got[-1].form["OptOutType"] == "START"
    assert (await scene.send()).status == "queued"


async def test_a_sentence_with_stop_in_it_is_no_opt_out(scene: Scene) -> None:
    """Twilio matches the whole text only."""
    await scene.text_in("please stop charging me")
    assert "OptOutType" not in scene.receiver.got[-1].form
    assert (await scene.send()).status == "queued"


async def test_an_automatic_reply_is_on_record(options: TwilioOptions, receiver: Receiver) -> None:
    """With auto_reply the thread shows that Twilio itself answered STOP."""
    scene = await open_scene(replace(options, auto_reply=True), receiver)
    try:
        await scene.text_in("STOP")
        thread = await scene.look(f"thread?number={PATIENT}")
        assert [(bubble["direction"], bubble["from"]) for bubble in thread] == [
            ("inbound", PATIENT),
            ("outbound-reply", OURS),
        ]
        assert [line["kind"] for line in await scene.look("journal")].count("auto_reply") == 1
    finally:
        await close_scene(scene)


async def test_a_dropped_answer_leaves_a_message_that_a_look_up_finds(scene: Scene) -> None:
    """Ending 0022: the caller sees a broken connection, the message went out all the same."""
    to = "+12175550022"
    before = datetime.now(UTC) - timedelta(seconds=5)
    with pytest.raises(aiohttp.ClientError):
        await scene.send(to=to, body="Unknown outcome")
    found = await scene.client.messages.list_async(to=to, from_=OURS, date_sent_after=before)
    assert [message.body for message in found] == ["Unknown outcome"]
    assert await scene.client.messages.list_async(to=to, date_sent_before=before) == []


async def test_a_connection_dropped_before_acceptance_sends_nothing(scene: Scene) -> None:
    """Ending 0023: the same broken connection, and no message."""
    with pytest.raises(aiohttp.ClientError):
        await scene.send(to="+12175550023")
    assert await scene.client.messages.list_async(to="+12175550023") == []


@pytest.mark.parametrize(("mode", "count"), [("timeout_after", 1), ("timeout_before", 0)])
async def test_timeouts_on_demand(scene: Scene, mode: str, count: int) -> None:
    """A fault hangs once, before or after the message was accepted, and is used up."""
    await scene.control("fault", to=PATIENT, mode=mode, times=1, delay_ms=10_000)
    with pytest.raises(asyncio.TimeoutError):
        async with asyncio.timeout(0.3):
            await scene.send()
    assert len(await scene.look("messages")) == count
    assert (await scene.send()).status == "queued"


async def test_callbacks_can_come_twice_late_and_out_of_order(scene: Scene) -> None:
    """Held callbacks are released reversed and doubled; the message's own state is not disturbed."""
    await scene.control("hold")
    await scene.send(status_callback=f"{scene.receiver.url}/status")
    await asyncio.sleep(0.1)
    assert scene.receiver.got == []
    assert await scene.control("release", order="reversed", copies=2) == {"released": 2}
    await scene.control("settle")
    assert [got.form["MessageStatus"] for got in scene.receiver.got] == ["delivered", "sent"] * 2


async def test_callbacks_can_be_reordered_and_dropped(scene: Scene) -> None:
    """With reorder the last status comes first; drop_next loses one on the way."""
    await scene.control("callbacks", reorder=True, drop_next=1)
    await scene.send(status_callback=f"{scene.receiver.url}/status")
    await scene.control("settle")
    assert [got.form["MessageStatus"] for got in scene.receiver.got] == ["sent"]


async def test_a_body_can_be_redacted_and_a_message_deleted(scene: Scene) -> None:
    """Redaction empties the body at Twilio; a deleted message is gone."""
    sid = (await scene.text_in("4242 4242 4242 4242"))["message_sid"]
    assert (await scene.client.messages(sid).update_async(body="")).body == ""
    assert (await scene.client.messages(sid).fetch_async()).body == ""
    assert await scene.client.messages(sid).delete_async()
    with pytest.raises(TwilioRestException) as caught:
        await scene.client.messages(sid).fetch_async()
    assert caught.value.code == 20404


async def test_a_list_is_paged_newest_first(scene: Scene) -> None:
    """The SDK walks the pages by next_page_uri and gets every message once."""
    for number in range(5):
        await scene.send(body=f"number {number}")
    found = await scene.client.messages.list_async(to=PATIENT, page_size=2)
    assert [message.body for message in found] == [f"number {number}" for number in (4, 3, 2, 1, 0)]


async def test_a_restart_continues_from_the_journal(options: TwilioOptions, receiver: Receiver) -> None:
    """Messages, opt-outs and unsent callbacks survive a restart on the same journal, and so do torn last lines."""
    first = await open_scene(options, receiver)
    await first.control("hold")
    sent = await first.send(status_callback=f"{receiver.url}/status")
    await first.text_in("STOP", sender="+12175550177")
    await asyncio.sleep(0.1)
    await close_scene(first)
    assert options.journal is not None
    with options.journal.open("ab") as journal:
        journal.write(b'{"seq": 99999, "kind": "requ')
    second = await open_scene(options, receiver)
    try:
        await second.control("settle")
        assert (await second.client.messages(sent.sid).fetch_async()).status == "delivered"
        assert await refusal(second, to="+12175550177") == (400, 21610)
        statuses = {got.form["MessageStatus"] for got in receiver.got if "MessageStatus" in got.form}
        assert {"sent", "delivered"} <= statuses
    finally:
        await close_scene(second)
    assert [line["seq"] for line in read_lines(options.journal)] == sorted(
        {line["seq"] for line in read_lines(options.journal)}
    )
    assert len(replay(options.journal)["messages"]) == 2


async def test_the_journal_counts_every_request(scene: Scene) -> None:
    """Method, path, parameters and answer of each request are on disk before the answer arrives."""
    await scene.send(body="one")
    await refusal(scene, body="")
    assert scene.options.journal is not None
    asked = [line for line in read_lines(scene.options.journal) if line["kind"] == "request"]
    assert [(line["method"], line["status"], line["params"]["To"]) for line in asked] == [
        ("POST", 201, PATIENT),
        ("POST", 400, PATIENT),
    ]
    assert asked[1]["answer"]["code"] == 21602
