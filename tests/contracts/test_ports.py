"""What every channel and every payment processor keeps, whichever it is: one suite over all implementations."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import Channel, Outbound, SendError
from bot.channels.console import ConsoleChannel
from bot.processors.base import (
    ChargeRequest,
    CheckoutPage,
    CheckoutRequest,
    PaymentEvent,
    Processor,
    ProcessorError,
    RefundRequest,
    SetupRequest,
)
from bot.processors.manual import ManualProcessor
from tests.contracts.conftest import Served

TEXT = Outbound("out_1", "+12125550100", "+12125550123", "You have a message about your bill.")
SEND_KINDS = {"retry", "unknown", "opted_out", "unreachable", "configuration"}
PROCESSOR_KINDS = {"retry", "unknown", "refused", "configuration"}


@pytest.fixture(params=["sms", "console", "console_with_journal"])
async def askable(request: pytest.FixtureRequest, twilio: Served, tmp_path: Path) -> AsyncIterator[Channel]:
    """A channel whose provider can be asked what it was given."""
    if request.param == "sms":
        yield twilio.adapter
    else:
        journal = tmp_path / "journal" if request.param == "console_with_journal" else None
        yield ConsoleChannel(lambda: datetime.now(UTC), io.StringIO(), journal)


@pytest.fixture(params=["sms", "console", "telegram", "email"])
async def channel(request: pytest.FixtureRequest, twilio: Served, telegram: Served, email: Served) -> Channel:
    console = ConsoleChannel(lambda: datetime.now(UTC), io.StringIO())
    made: dict[str, Channel] = {"sms": twilio.adapter, "telegram": telegram.adapter, "console": console,
                                "email": email.adapter}
    return made[request.param]


def text_for(channel: Channel, **changes: Any) -> Outbound:
    """A message to an address such as the channel has."""
    to = {"telegram": TEXT.to.removeprefix("+"), "email": "ana@patient.example"}.get(channel.name, TEXT.to)
    sender = "billing@maple.example" if channel.name == "email" else TEXT.sender
    return replace(TEXT, **{"to": to, "sender": sender, **changes})


@pytest.fixture(params=["stripe", "manual"])
def processor(request: pytest.FixtureRequest, stripe: Served) -> Processor:
    made: Processor = stripe.adapter if request.param == "stripe" else ManualProcessor()
    return made


async def outcome(act: Awaitable[Any]) -> Any:
    """What a call returned, or the verdict that it raised."""
    try:
        return await act
    except (SendError, ProcessorError) as error:
        return error


async def test_a_sent_message_has_an_id_of_its_own_and_is_found_again(askable: Channel) -> None:
    before = datetime.now(UTC)
    one, other = await askable.send(TEXT), await askable.send(replace(TEXT, outbox_id="out_2", body="Other words"))
    assert one.provider_id != other.provider_id
    assert (await askable.look_up(TEXT, before)).provider_ids == (one.provider_id,)


async def test_what_was_never_sent_is_not_found(askable: Channel) -> None:
    await askable.send(TEXT)
    since = datetime.now(UTC) - timedelta(hours=1)
    for strange in (replace(TEXT, body="x"), replace(TEXT, to="+12125550124"), replace(TEXT, sender="+12125550199")):
        assert (await askable.look_up(strange, since)).provider_ids == ()


async def test_two_messages_alike_are_two_messages(channel: Channel) -> None:
    one, other = await channel.send(text_for(channel)), await channel.send(text_for(channel, outbox_id="out_2"))
    assert one.provider_id and one.provider_id != other.provider_id


async def test_buttons_are_taken_or_left_out_and_never_in_the_way(channel: Channel) -> None:
    assert (await channel.send(text_for(channel, buttons=(("Yes", "YES"), ("No", "NO"))))).provider_id


async def test_what_cannot_be_asked_says_so_and_guesses_nothing(channel: Channel) -> None:
    await channel.send(text_for(channel))
    met = await outcome(channel.look_up(text_for(channel), datetime.now(UTC) - timedelta(hours=1)))
    assert met.kind == "configuration" if isinstance(met, SendError) else len(met.provider_ids) == 1


async def test_a_fault_is_a_verdict_of_the_five_and_holds_nothing_of_the_message(channel: Channel) -> None:
    met = await outcome(channel.send(replace(TEXT, to="+12125550001")))
    assert getattr(met, "kind", "retry") in SEND_KINDS
    assert TEXT.body not in str(met) and "12125550001" not in str(met)


async def test_a_channel_says_which_it_is_and_closes_twice_without_harm(channel: Channel) -> None:
    assert channel.name in {"sms", "console", "telegram", "email"}
    await channel.close()
    await channel.close()


def request_of(key: str) -> CheckoutRequest:
    at = datetime.now(UTC).replace(microsecond=0, second=0) + timedelta(hours=2)
    return CheckoutRequest("pay_0123456789abcdefghjk", "prac_maple", 500, "USD", "en", "Maple Clinic: payment",
                           "https://bills.example/l/t/done", "https://bills.example/l/t", at, key)


async def test_a_processor_opens_a_page_or_says_why_not(processor: Processor) -> None:
    first, again = [await outcome(processor.open_checkout(request_of("k1"))) for _ in range(2)]
    if isinstance(first, CheckoutPage):
        assert first.expires_at.tzinfo is not None and again == first
    else:
        assert first.kind in PROCESSOR_KINDS and again.kind == first.kind


async def test_a_processor_never_believes_an_unsigned_event(processor: Processor) -> None:
    for body in (b"", b"{}", b'{"type":"checkout.session.completed"}'):
        with pytest.raises(ProcessorError) as caught:
            processor.parse_event(body, {})
        assert caught.value.kind == "refused"


async def test_a_session_that_nobody_opened_is_an_error_and_not_a_payment(processor: Processor) -> None:
    with pytest.raises(ProcessorError) as caught:
        await processor.fetch_checkout("cs_test_none")
    assert caught.value.kind in PROCESSOR_KINDS


PAY, REF, SET = (f"{prefix}_0123456789abcdefghjk" for prefix in ("pay", "ref", "set"))
SOON = datetime.now(UTC) + timedelta(hours=2)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CHARGE = ChargeRequest(PAY, "prac_maple", 500, "USD", "cus_nobody", "pm_nothing", "card", "Maple Clinic: payment", True,
                       "https://bills.example/l/t", f"{PAY}:1")
SETUP = SetupRequest(SET, "prac_maple", "USD", "en", "https://bills.example/l/t/done", "https://bills.example/l/t",
                     SOON, f"{SET}:1")
EVENT = PaymentEvent("evt_1", "paid", PAY, 500, "USD", "", "pi_1", "", LONG_AGO)

#: Calls about things that nobody made: the processor's verdict, or an answer that says that there is nothing.
CALLS: dict[str, Callable[[Processor], Awaitable[Any]]] = {
    "open_setup": lambda processor: processor.open_setup(SETUP),
    "expire_page": lambda processor: processor.expire_page("cs_test_none"),
    "charge": lambda processor: processor.charge(CHARGE),
    "fetch_charge": lambda processor: processor.fetch_charge("pi_none"),
    "find_charges": lambda processor: processor.find_charges(PAY, LONG_AGO),
    "cancel_charge": lambda processor: processor.cancel_charge("pi_none", "k"),
    "refund": lambda processor: processor.refund(RefundRequest(REF, PAY, "pi_none", 500, f"{REF}:1")),
    "find_refund": lambda processor: processor.find_refund(REF, "pi_none"),
    "describe_method": lambda processor: processor.describe_method("pm_none"),
    "remove_method": lambda processor: processor.remove_method("pm_none"),
    "entries": lambda processor: listed(processor.entries, LONG_AGO, LONG_AGO),
    "payouts": lambda processor: listed(processor.payouts, LONG_AGO, LONG_AGO),
    "balance_minor": lambda processor: processor.balance_minor("USD"),
}


async def listed(rows: Callable[[datetime, datetime], AsyncIterator[Any]], since: datetime,
                 until: datetime) -> list[Any]:
    return [row async for row in rows(since, until)]


@pytest.mark.parametrize("call", CALLS)
async def test_every_call_of_a_processor_ends_in_an_answer_or_in_a_verdict(call: str, processor: Processor) -> None:
    met = await outcome(CALLS[call](processor))
    if processor.name == "manual":
        assert (met.kind, met.code) == ("configuration", "no_online_payment")
    elif isinstance(met, ProcessorError):
        assert met.kind == "refused" and call not in {"open_setup", "find_charges", "remove_method"}
    else:
        assert isinstance(met, CheckoutPage) or not met


def test_no_call_of_the_port_is_left_out_here() -> None:
    elsewhere = {"name", "open_checkout", "fetch_checkout", "complete", "parse_event", "close"}
    assert set(CALLS) | elsewhere == {name for name in vars(Processor) if not name.startswith("_")} | {"name"}


async def test_an_event_that_lacks_nothing_is_complete_and_costs_no_call(processor: Processor) -> None:
    await processor.close()
    assert await processor.complete(EVENT) == EVENT


async def test_a_processor_says_which_it_is_and_closes_twice_without_harm(processor: Processor) -> None:
    assert processor.name in {"stripe", "manual"}
    await processor.close()
    await processor.close()
