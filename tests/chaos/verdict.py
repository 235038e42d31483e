"""What must be true when everything has settled, counted from the stand-ins' journals and not from our word alone."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing import ledger
from billing.store.tables import Campaign, CampaignRow, Case, Outbox, Payment, ProcessorCall
from billing.verify import verify
from bot.processors.base import Processor
from bot.reconcile import reconcile
from bot.road import Road
from tests.chaos.arena import Arena
from tests.chaos.people import OPENS_AT, phone_of
from tests.payments.world import PRACTICE

#: A message in one of these has reached its end; ``unknown`` only with a case before staff.
ENDED = {"sent", "delivered", "undelivered", "failed", "withheld", "cancelled"}
LEFT = {"sent", "delivered", "undelivered"}


def made(arena: Arena) -> list[tuple[str, str, str]]:
    """(recipient, words, our message's id) of every text that the carrier made."""
    return [(line["params"]["To"], line["params"]["Body"], line["params"]["StatusCallback"].rsplit("/", 1)[-1])
            for line in arena.twilio.journal.lines()
            if line["kind"] == "request" and line["method"] == "POST" and line["status"] == 201]


def check_messages(arena: Arena, told: int, campaign_id: str) -> dict[str, int]:
    """Zero lost, zero doubled; returns how many messages ended how."""
    texts = made(arena)
    twice = [pair for pair, n in Counter((to, words) for to, words, _ in texts).items() if n > 1]
    assert not twice, f"{len(twice)} recipients got the same words twice"
    assert max(Counter(id_ for _, _, id_ in texts).values()) == 1, "a message of ours was made twice"
    ends: dict[str, int] = arena.store.read(lambda session: _check_rows(session, campaign_id, told, {
        id_ for _, _, id_ in texts}))
    reached = Counter(to for to, _, _ in texts)
    assert all(reached[phone_of(number)] == 1 for number in range(1, told + 1)) or ends.get("unknown") or (
        ends.get("failed")), "an account of the campaign was not told once"
    return ends


def _check_rows(session: Session, campaign_id: str, told: int, made_ids: set[str]) -> dict[str, int]:
    assert session.get_one(Campaign, campaign_id).status == "done"
    outcomes = {row.guarantor_id: row.outcome for row in session.scalars(select(CampaignRow).where(
        CampaignRow.campaign_id == campaign_id))}
    owing = {f"acct_{number}" for number in range(1, told + 1)}
    assert {outcomes[one] for one in owing} == {"queued"}
    assert set(outcomes.values()) <= {"queued", "left_out"}
    rows = session.scalars(select(Outbox).where(Outbox.created_at >= OPENS_AT)).all()
    assert Counter(row.guarantor_id for row in rows if row.campaign_id and row.guarantor_id in owing) == Counter(owing)
    asked = set(session.scalars(select(Case.dedupe).where(Case.status == "open")))
    for row in rows:
        if row.status in LEFT:
            assert row.id in made_ids, f"{row.id} is {row.status} and was never made"
        elif row.status == "unknown":
            assert any(row.id in one for one in asked if one), f"{row.id} is unknown and before nobody"
        else:
            assert row.status in ENDED, f"{row.id} is {row.status}"
            assert row.id not in made_ids, f"{row.id} is {row.status}, but the carrier has it"
    return dict(Counter(row.status for row in rows))


def check_charges(arena: Arena, plans: int) -> int:
    """Every plan's card was charged once, and the ledger has those cents and no others; returns the cents."""
    paid = [row for row in arena.stripe.journal.table("payment_intents").values() if row["status"] == "succeeded"]
    assert len(paid) == plans, f"{len(paid)} charges instead of {plans}"
    keys = Counter(row["metadata"].get("payment_id", row["id"]) for row in paid)
    assert max(keys.values()) == 1, "a payment was charged twice"
    assert max(Counter(row["customer"] for row in paid).values()) == 1, "a card was charged twice"
    cents: int = sum(row["amount_received"] for row in paid)
    assert arena.store.read(_cash) == cents, "the ledger's cash is not what the processor took"
    assert arena.store.read(_open_calls) == 0
    return cents


def _cash(session: Session) -> int:
    states = Counter(session.scalars(select(Payment.status)))
    assert set(states) == {"succeeded"}, states
    return ledger.balance(session, PRACTICE, ledger.wide("cash:stripe:card"))


def _open_calls(session: Session) -> int:
    return session.scalar(select(func.count()).where(ProcessorCall.status != "done")) or 0


async def check_books(arena: Arena, road: Road, processor: Processor) -> None:
    """The independent replay equals the ledger, and the processor's books equal both."""
    found = await arena.store.aread(lambda session: verify(session, PRACTICE))
    assert not found.problems, found.problems
    summary = await reconcile(road, processor, PRACTICE, since=OPENS_AT, until=arena.clock.now(), by="ana")
    assert not summary.open, [one.sentence for one in summary.open]
