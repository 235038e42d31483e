"""Lists to their end, our ids found by listing, and Stripe's own books, whatever a server leaves out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.processors.base import EntryRow, ProcessorError, RefundRequest
from bot.processors.stripe import StripeProcessor
from tests.contracts.stripe_servers import Heard, Script, listing, refusal

PAY, OTHER, REF = "pay_0123456789abcdefghjk", "pay_zzzzzzzzzzzzzzzzzzzz", "ref_0123456789abcdefghjk"
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=1)
AT = int(SINCE.timestamp())
REFUND = RefundRequest(REF, PAY, "pi_1", 500, f"{REF}:1")


def paged(rows: list[dict[str, Any]], size: int = 2, **filters: str) -> Callable[[Heard], Any]:
    """A list endpoint that gives ``size`` rows at a time after ``starting_after``."""

    def answer(heard: Heard) -> Any:
        ids = [row["id"] for row in rows]
        start = ids.index(heard.params["starting_after"]) + 1 if "starting_after" in heard.params else 0
        return listing(*rows[start:start + size], more=start + size < len(rows))

    return answer


def intent(number: int, payment_id: str = OTHER, status: str = "succeeded", **more: Any) -> dict[str, Any]:
    return {"id": f"pi_{number}", "created": AT + number, "status": status, "amount": 500, "currency": "usd",
            "metadata": {"payment_id": payment_id}, **more}


async def test_a_charge_is_found_on_the_third_page(script: Script, told: StripeProcessor) -> None:
    rows = [intent(number) for number in (9, 8, 7, 6)] + [intent(5, PAY)]
    script.answers["GET /v1/payment_intents"] = paged(rows)
    assert [event.processor_ref for event in await told.find_charges(PAY, SINCE)] == ["pi_5"]
    assert [heard.params.get("starting_after") for heard in script.heard] == [None, "pi_8", "pi_6"]
    assert {heard.params["limit"] for heard in script.heard} == {"100"}
    assert int(script.heard[0].params["created[gt]"]) < AT - 60  # clocks differ


async def test_every_charge_of_ours_is_told_newest_first(script: Script, told: StripeProcessor) -> None:
    rows = [intent(1, PAY, "canceled"), intent(3, PAY), intent(2, PAY, "requires_payment_method",
                                                               last_payment_error={"decline_code": "lost_card"})]
    script.answers["GET /v1/payment_intents"] = listing(*rows)
    found = await told.find_charges(PAY, SINCE)
    assert [(event.kind, event.processor_ref, event.reason) for event in found] == [
        ("paid", "pi_3", ""), ("failed", "pi_2", "lost_card"), ("cancelled", "pi_1", "")]
    assert {event.payment_id for event in found} == {PAY}


async def test_a_charge_is_found_by_its_charge_where_the_intent_lost_our_id(script: Script,
                                                                           told: StripeProcessor) -> None:
    bare = {**intent(1), "metadata": {}}
    script.answers |= {
        "GET /v1/payment_intents": listing(bare), "GET /v1/payment_intents/pi_1": bare,
        "GET /v1/charges": listing({"id": "ch_1", "created": AT, "payment_intent": "pi_1",
                                    "metadata": {"payment_id": PAY}})}
    assert [event.payment_id for event in await told.find_charges(PAY, SINCE)] == [PAY]


async def test_what_was_never_made_is_not_found(script: Script, told: StripeProcessor) -> None:
    script.answers |= {"GET /v1/payment_intents": listing(intent(1)), "GET /v1/charges": listing()}
    assert await told.find_charges(PAY, SINCE) == ()


async def test_not_to_know_is_not_the_same_as_not_to_find(script: Script, told: StripeProcessor) -> None:
    script.answers |= {"GET /v1/payment_intents": (500, {}), "GET /v1/refunds": (429, {"error": {}})}
    for act, kind in ((told.find_charges(PAY, SINCE), "unknown"), (told.find_refund(REF, "pi_1"), "retry")):
        with pytest.raises(ProcessorError) as caught:
            await act
        assert caught.value.kind == kind


async def test_a_server_that_pages_in_circles_does_not_hold_us(script: Script, told: StripeProcessor) -> None:
    script.answers |= {"GET /v1/payment_intents": listing(intent(1), intent(2), more=True),
                       "GET /v1/charges": listing(more=True)}
    assert await told.find_charges(PAY, SINCE) == ()
    assert len(script.heard) == 3


async def test_a_server_that_cannot_filter_is_asked_for_everything(script: Script, told: StripeProcessor) -> None:
    script.answers["GET /v1/payment_intents"] = [refusal(400), listing(intent(1, PAY))]
    assert len(await told.find_charges(PAY, SINCE)) == 1
    assert set(script.heard[1].params) == {"limit"}


async def test_a_refund_is_found_by_our_id_on_the_third_page(script: Script, told: StripeProcessor) -> None:
    rows = [{"id": f"re_{n}", "created": AT + n, "amount": n, "status": "succeeded", "metadata": {}} for n in range(5)]
    rows[4]["metadata"] = {"refund_id": REF, "payment_id": PAY}
    script.answers["GET /v1/refunds"] = paged(rows)
    event = await told.find_refund(REF, "pi_1")
    assert event is not None and (event.kind, event.refund_ref, event.processor_ref) == ("refund_made", "re_4", "pi_1")
    assert {heard.params["payment_intent"] for heard in script.heard} == {"pi_1"}
    assert await told.find_refund("ref_zzzzzzzzzzzzzzzzzzzz", "pi_1") is None


async def test_what_is_refunded_already_is_looked_for_before_it_is_called_failed(script: Script,
                                                                                told: StripeProcessor) -> None:
    script.answers |= {"POST /v1/refunds": refusal(400, "charge_already_refunded"), "GET /v1/refunds": listing()}
    event = await told.refund(REFUND)
    assert (event.kind, event.reason, event.refund_id) == ("refund_failed", "charge_already_refunded", REF)
    script.answers["GET /v1/refunds"] = listing({"id": "re_1", "amount": 500, "status": "succeeded",
                                                 "metadata": {"refund_id": REF}})
    assert (await told.refund(REFUND)).kind == "refund_made"


# The books ----------------------------------------------------------------------------------------------------------

def line(number: int, kind: str, amount: int, source: Any, **more: Any) -> dict[str, Any]:
    return {"id": f"txn_{number}", "type": kind, "amount": amount, "fee": 30, "net": amount - 30, "currency": "usd",
            "created": AT + number, "source": source, **more}


def ours(ref: str, **more: Any) -> dict[str, Any]:
    return {"id": ref, "payment_intent": "pi_1", "metadata": {"payment_id": PAY, **more}}


LINES = [
    line(9, "payout_failure", 700, "po_2"),
    line(8, "payout", -700, "po_1"),
    line(7, "stripe_fee", -100, None),
    line(6, "adjustment", 500, {"id": "du_1", "payment_intent": "pi_1"}, reporting_category="dispute_reversal"),
    line(5, "adjustment", -500, "du_1"),
    line(4, "adjustment", -9, None, reporting_category="other_adjustment"),
    line(3, "refund", -200, ours("re_1", refund_id=REF)),
    line(2, "payment", 800, {"id": "py_2", "payment_intent": "pi_2", "metadata": {}}),
    line(1, "charge", 500, "ch_1"),
    line(0, "charge", 500, {"id": "ch_0", "metadata": {}}),
]
SOURCES = {
    "GET /v1/charges/ch_1": ours("ch_1"), "GET /v1/payment_intents/pi_2": intent(2, OTHER),
    "GET /v1/disputes/du_1": {"id": "du_1", "charge": "ch_1"}, "GET /v1/payment_intents/pi_1": intent(1, PAY),
    "GET /v1/payouts": listing({"id": "po_1", "created": AT + 8, "automatic": True},
                               {"id": "po_3", "created": AT + 90_000, "automatic": True},
                               {"id": "po_4", "created": AT + 8, "automatic": False}),
}


def books(heard: Heard) -> Any:
    taken = {"po_1": [LINES[-1]], "po_3": [LINES[-2]]}
    if "payout" in heard.params:
        return listing(*taken[heard.params["payout"]])
    return paged(LINES, 4)(heard)


async def all_entries(told: StripeProcessor) -> list[EntryRow]:
    return [row async for row in told.entries(SINCE, UNTIL)]


async def test_the_books_are_read_oldest_first_over_three_pages(script: Script, told: StripeProcessor) -> None:
    script.answers |= {**SOURCES, "GET /v1/balance_transactions": books}
    rows = await all_entries(told)
    assert [row.ref for row in rows] == [f"txn_{n}" for n in range(10)]
    assert [row.kind for row in rows] == ["charge", "charge", "charge", "refund", "other", "dispute",
                                          "dispute_reversal", "fee", "payout", "payout_failure"]
    assert all(row.net_minor == row.amount_minor - row.fee_minor and row.currency == "USD" for row in rows)


async def test_each_line_names_its_payment_expanded_or_not(script: Script, told: StripeProcessor) -> None:
    script.answers |= {**SOURCES, "GET /v1/balance_transactions": books}
    found = {row.ref: (row.payment_id, row.processor_ref, row.refund_id) for row in await all_entries(told)}
    assert found == {
        "txn_0": (None, "ch_0", None), "txn_1": (PAY, "pi_1", None), "txn_2": (OTHER, "pi_2", None),
        "txn_3": (PAY, "pi_1", REF), "txn_4": (None, "", None), "txn_5": (PAY, "pi_1", None),
        "txn_6": (PAY, "pi_1", None), "txn_7": (None, "", None), "txn_8": (None, "", None),
        "txn_9": (None, "", None)}


async def test_each_line_names_the_payout_that_took_it_to_the_bank(script: Script, told: StripeProcessor) -> None:
    script.answers |= {**SOURCES, "GET /v1/balance_transactions": books}
    taken = {row.ref: row.payout_ref for row in await all_entries(told) if row.payout_ref}
    assert taken == {"txn_0": "po_1", "txn_1": "po_3", "txn_8": "po_1", "txn_9": "po_2"}


async def test_books_of_a_server_that_neither_filters_nor_expands(script: Script, told: StripeProcessor) -> None:
    lines = [*LINES, line(-5, "charge", 1, None), line(86_400, "charge", 1, None)]

    def bare(heard: Heard) -> Any:
        return refusal(400) if set(heard.params) - {"limit"} else listing(*lines)

    script.answers |= {**SOURCES, "GET /v1/payouts": bare, "GET /v1/balance_transactions": bare}
    assert [row.ref for row in await all_entries(told)] == [f"txn_{n}" for n in range(10)]


async def test_payouts_between_two_instants_and_the_day_they_arrive(script: Script, told: StripeProcessor) -> None:
    arrives = int(datetime(2026, 11, 3, tzinfo=UTC).timestamp())
    rows = [{"id": f"po_{n}", "created": AT + n * 3_600, "amount": n, "currency": "usd", "status": "paid",
             "arrival_date": arrives} for n in (30, 23, 12, 1, -1)]
    script.answers["GET /v1/payouts"] = paged(rows)
    found = [row async for row in told.payouts(SINCE, UNTIL)]
    assert [row.ref for row in found] == ["po_1", "po_12", "po_23"]
    assert {(row.arrival_on, row.status, row.currency) for row in found} == {(date(2026, 11, 3), "paid", "USD")}


async def test_the_balance_is_what_is_available_and_what_is_on_its_way(script: Script, told: StripeProcessor) -> None:
    script.answers["GET /v1/balance"] = {
        "available": [{"amount": 700, "currency": "usd"}, {"amount": 5, "currency": "eur"}],
        "pending": [{"amount": -200, "currency": "usd"}], "instant_available": [{"amount": 9, "currency": "usd"}]}
    assert (await told.balance_minor("USD"), await told.balance_minor("GBP")) == (500, 0)


async def test_books_that_cannot_be_read_raise_their_verdict(script: Script, told: StripeProcessor) -> None:
    script.answers |= {"GET /v1/payouts": listing(), "GET /v1/balance_transactions": (500, {}),
                       "GET /v1/balance": listing()}
    with pytest.raises(ProcessorError, match="unknown"):
        await all_entries(told)
    script.answers["GET /v1/balance_transactions"] = listing({"id": "txn_1", "created": AT})  # no amount
    with pytest.raises(ProcessorError, match="unknown"):
        await all_entries(told)
