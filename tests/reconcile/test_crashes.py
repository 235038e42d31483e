"""SIGKILL at every step of a reconciliation: the next run ends where an undisturbed one would have ended."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing import ledger
from billing.store.tables import LedgerAccount, Payment, Practice
from billing.store.tables_money import Difference, ProcessorEntry, Reconciliation
from billing.verify import verify
from bot.failpoints import RECONCILE
from bot.write import Store
from tests.conftest import Clock
from tests.payments.world import PRACTICE, anna
from tests.reconcile.standing import Standing, standing
from tests.reconcile.test_at_stripe import asked
from tests.road.forking import live_once, running

KILLED = -9


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    with running("tests.reconcile.process") as started:
        yield started


@pytest.fixture
def stripe(clock: Clock) -> Iterator[Standing]:
    with standing(lambda: clock().timestamp()) as found:
        yield found


def lose_everything(store: Store, stripe: Standing, now: datetime) -> None:
    """Two charges, one given back in part, and no news of any of it."""
    for payment_id, amount in (("pay_1", 10_000), ("pay_2", 2_000)):
        store.write(partial(asked, payment_id=payment_id, amount=amount, now=now))
        intent = stripe.post("/v1/payment_intents", {
            "amount": str(amount), "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true",
            "return_url": "https://pay.example/back", "metadata[payment_id]": payment_id})["id"]
    stripe.post("/v1/refunds", {"payment_intent": intent, "amount": "500"})


def picture(session: Session) -> dict[str, Any]:
    """What the books say: balances, payments, differences; ids and times left out."""
    keys = session.scalars(select(LedgerAccount.key).order_by(LedgerAccount.key)).all()
    accounts = session.scalars(select(LedgerAccount).order_by(LedgerAccount.key)).all()
    return {
        "balances": {key: ledger.balance(session, PRACTICE, ledger.Account(key)) for key in keys},
        "kept": [(a.key, a.balance_minor) for a in accounts],
        "payments": [(p.id, p.status, p.refunded_minor) for p in session.scalars(select(Payment).order_by(Payment.id))],
        "entries": session.scalar(select(func.count()).select_from(ProcessorEntry)),
        "differences": sorted((d.kind, d.status, d.payment_id or "") for d in session.scalars(select(Difference)))}


@pytest.mark.parametrize("failpoint", [*RECONCILE, "reconcile.asked", "reconcile.applied", "reconcile.judged:2"])
def test_a_killed_reconciliation_is_run_again_and_ends_the_same(
        database_url: str, store: Store, practice: Practice, clock: Clock, stripe: Standing,
        process: subprocess.Popen[str], failpoint: str) -> None:
    store.write(partial(anna, now=clock()))
    lose_everything(store, stripe, clock())
    if "payouts" in failpoint:
        clock.advance(days=3)  # what was charged is there to be paid out
        stripe.wait(stripe.server.order("payout"))
    order = {"url": database_url, "stripe": stripe.server.url, "now": (clock() + timedelta(minutes=5)).isoformat()}
    assert live_once(process, order | {"failpoint": failpoint}) == KILLED
    assert live_once(process, order | {"failpoint": ""}) == 0
    ended = store.read(picture)
    assert store.read(verify).problems == []
    assert [p[1] for p in ended["payments"]] == ["succeeded", "partly_refunded"]
    assert ended["differences"] == [("missed_event", "repaired", "pay_1"), ("missed_event", "repaired", "pay_2")]
    run = store.read(lambda s: s.scalars(select(Reconciliation).where(
        Reconciliation.finished_at.is_not(None))).one())
    assert (run.left, run.processor_minor) == (0, run.ledger_minor)
    assert live_once(process, order | {"failpoint": ""}) == 0
    assert store.read(picture) == ended
