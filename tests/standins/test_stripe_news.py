"""Events of the Stripe stand-in that are lost, doubled, held back and reordered on demand."""

from __future__ import annotations

from tests.standins.stripe_scene import Shop

MADE = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


async def test_the_next_event_of_a_type_is_lost(shop: Shop) -> None:
    """Dropped once: Stripe's own list still has it, and it can be delivered again by its type."""
    await shop.events("drop_next", type="payment_intent.succeeded")
    await shop.charge(5_000)
    await shop.charge(6_000)
    await shop.settle()
    assert [one["amount"] for one in shop.told("payment_intent.succeeded")] == [6_000]
    assert len((await shop.client.v1.events.list_async({"type": "payment_intent.succeeded"})).data) == 2
    await shop.events("redeliver", type="payment_intent.succeeded")
    await shop.settle()
    assert [one["amount"] for one in shop.told("payment_intent.succeeded")] == [6_000, 5_000, 6_000]


async def test_the_next_event_comes_twice(shop: Shop) -> None:
    """Doubled with the same id; the others come once."""
    await shop.events("double_next", type="charge.*")
    await shop.charge(5_000)
    await shop.settle()
    assert sorted(shop.told()) == sorted([*MADE, "charge.succeeded"])
    assert len({one["id"] for one in shop.told("charge.succeeded")}) == 1


async def test_one_event_waits_while_the_others_pass(shop: Shop) -> None:
    """Held until told; what is waiting can be asked for."""
    await shop.events("hold_next", type="payment_intent.succeeded")
    await shop.charge(5_000)
    await shop.settle()
    assert shop.told() == MADE[:2]
    waiting = (await shop.events("waiting"))["waiting"]
    assert [one["type"] for one in waiting] == MADE[2:]
    assert (await shop.events("release", event=waiting[0]["event"]))["released"] == 1
    await shop.settle()
    assert shop.told() == MADE
    assert (await shop.events("waiting"))["waiting"] == []


async def test_what_is_held_is_let_go_one_by_one(shop: Shop) -> None:
    """All held: the newest first by count, then one type, and the rest stays held until everything is normal again."""
    await shop.events("hold")
    await shop.charge(5_000)
    await shop.events("release", order="reversed", most=1)
    await shop.settle()
    assert shop.told() == MADE[2:]
    await shop.events("release", type="charge.succeeded")
    await shop.settle()
    assert shop.told() == [MADE[2], MADE[1]]
    await shop.charge(6_000)
    await shop.settle()
    assert len(shop.told()) == 2
    await shop.events("normal")
    await shop.settle()
    assert shop.told()[2:] == [MADE[0], *MADE]


async def test_events_are_late_by_as_much_as_told(shop: Shop) -> None:
    """A delay in milliseconds holds every delivery back that long; the payment is long done when its event comes."""
    await shop.events("delay", ms=80)
    made = await shop.charge(5_000)
    assert made.status == "succeeded" and shop.told() == []
    await shop.settle()
    assert shop.told() == MADE
