"""What must hold after every step, computed by means that posting and reconciling do not use.

Witnesses: the stand-in's own objects, the bare rows of the ledger, and what a naive dictionary says each account owes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from billing import figures
from billing.store.tables import (
    Authorization,
    Instalment,
    LedgerAccount,
    Payment,
    Plan,
    PlanVisit,
    Transfer,
)
from billing.verify import verify
from tests.scenarios.payment_machine_clinic import PRACTICE, Clinic

RUNNING = frozenset({"active", "cured", "behind", "paused"})
OBJECTS = ("payment_intents", "charges", "refunds", "disputes", "balance_transactions")


@dataclass
class Stripe:
    """The stand-in's objects, and whose they are."""

    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    owner: dict[str, str] = field(default_factory=dict)  # id of a charge, refund or dispute -> our payment

    def __post_init__(self) -> None:
        ours = {intent["id"]: intent["metadata"].get("payment_id", "") for intent in self.rows["payment_intents"]}
        for charge in self.rows["charges"]:
            self.owner[charge["id"]] = ours[charge["payment_intent"]]
        for row in (*self.rows["refunds"], *self.rows["disputes"]):
            self.owner[row["id"]] = self.owner[row["charge"]]

    def balance(self) -> int:
        return sum(entry["net"] for entry in self.rows["balance_transactions"])

    def net(self) -> dict[str, int]:
        """Cents that each payment of ours has brought and not given back, before fees; "" is a stranger's."""
        found: dict[str, int] = defaultdict(int)
        for entry in self.rows["balance_transactions"]:
            if entry["source"] in self.owner:
                found[self.owner[entry["source"]]] += entry["amount"]
        return {payment_id: minor for payment_id, minor in found.items() if minor}

    def taken(self) -> Counter[str]:
        """How often each payment of ours was charged or is being charged."""
        return Counter(intent["metadata"].get("payment_id", "") for intent in self.rows["payment_intents"]
                       if intent["status"] in ("succeeded", "processing"))

    def under_way(self) -> dict[str, int]:
        """Cents of each debit that a bank is working on: in Stripe's books already, and in ours when it has come."""
        return {intent["metadata"].get("payment_id", ""): intent["amount"] for intent in self.rows["payment_intents"]
                if intent["status"] == "processing"}

    def charged(self) -> dict[str, tuple[str, int]]:
        """Intent -> (our payment, cents) of every charge of a card on file that was made or is being made."""
        return {intent["id"]: (intent["metadata"]["payment_id"], intent["amount"])
                for intent in self.rows["payment_intents"]
                if intent["metadata"].get("payment_id") and intent["status"] in ("succeeded", "processing")}


async def ask_stripe(clinic: Clinic) -> Stripe:
    await clinic.order("sweep")
    return Stripe({kind: await clinic.listed(kind) for kind in OBJECTS})


def cash(session: Session) -> dict[str, int]:
    """Cents in each payment's transfers that came in to a cash account and did not leave it, by payment."""
    debit, credit = aliased(LedgerAccount), aliased(LedgerAccount)
    found: dict[str, int] = defaultdict(int)
    query = (select(Transfer.payment_id, Transfer.amount_minor, debit.key, credit.key)
             .join(debit, debit.id == Transfer.debit_id).join(credit, credit.id == Transfer.credit_id)
             .where(Transfer.practice_id == PRACTICE, Transfer.payment_id.is_not(None)))
    for payment_id, minor, into, out_of in session.execute(query):
        found[payment_id or ""] += minor * (into.startswith("cash:") - out_of.startswith("cash:"))
    return found


def payable(session: Session) -> dict[str, int]:
    """Cents that left for a payment without belonging to anything it paid (a person was told), by payment."""
    found: dict[str, int] = defaultdict(int)
    account = select(LedgerAccount.id).where(LedgerAccount.key == "refunds_payable").scalar_subquery()
    for row in session.scalars(select(Transfer).where(
            Transfer.payment_id.is_not(None), (Transfer.debit_id == account) | (Transfer.credit_id == account))):
        sign = 1 if row.debit_id == session.scalar(select(account)) else -1
        found[row.payment_id or ""] += sign * row.amount_minor
    return found


def at_stripe(session: Session) -> int:
    """What our books say that Stripe holds for us."""
    key = LedgerAccount.key
    accounts = select(LedgerAccount.id).where(key.like("cash:stripe:%"))
    came = session.scalars(select(Transfer.amount_minor).where(Transfer.debit_id.in_(accounts)))
    went = session.scalars(select(Transfer.amount_minor).where(Transfer.credit_id.in_(accounts)))
    return sum(came) - sum(went)


def the_ledger_foots(clinic: Clinic) -> None:
    problems = clinic.store.read(verify).problems
    assert problems == [], problems


def everybody_owes_what_they_owe(clinic: Clinic, owed: Mapping[str, int]) -> None:
    """Patient balances less credit are what was owed less what was collected: nothing is kept without being shown."""
    payments, moved, spare = clinic.store.read(lambda s: (_owners(s), cash(s), payable(s)))
    for who, guarantor in clinic.ids.items():
        account = clinic.store.read(partial(figures.account_figures, guarantor_id=guarantor, today=clinic.today))
        total, waiting = account.total, -sum(min(v.figures.patient_minor, 0) for v in account.visits)
        own = [payment_id for payment_id, owner in payments.items() if owner == guarantor]
        collected = sum(moved.get(one, 0) + spare.get(one, 0) for one in own)
        assert total.patient_minor - total.credit_minor == owed[who] - collected, who
        assert total.credit_minor >= 0, who
        assert total.credit_minor + waiting >= collected - owed[who], who  # waiting: for an insurer (verify sees to it)


def _owners(session: Session) -> dict[str, str]:
    return {row.id: row.guarantor_id for row in session.execute(select(Payment.id, Payment.guarantor_id))}


def plans_ask_no_more_than_was_agreed(clinic: Clinic, agreed: Mapping[str, int]) -> None:
    """No plan comes to more than its patient agreed to; no charge is above what was consented to."""
    clinic.store.read(partial(_plans, agreed=agreed))


def _plans(session: Session, agreed: Mapping[str, int]) -> None:
    for plan in session.scalars(select(Plan)):
        parts = session.scalars(select(Instalment).where(Instalment.plan_id == plan.id)).all()
        assert all(0 <= part.paid_minor <= part.amount_minor for part in parts), [
            (part.number, part.status, part.amount_minor, part.paid_minor) for part in parts]
        assert sum(part.amount_minor for part in parts) <= plan.total_minor
        assert plan.total_minor == agreed.get(plan.id, plan.total_minor)
        consent = session.scalars(select(Authorization.most_minor).where(
            Authorization.plan_id == plan.id, Authorization.method_id.is_not(None))).all()
        for payment in session.scalars(select(Payment).where(Payment.plan_id == plan.id, Payment.way == "autopay")):
            assert payment.amount_minor <= max(consent, default=0)
    for given in session.scalars(select(Authorization).where(Authorization.payment_id.is_not(None))):
        assert session.get_one(Payment, given.payment_id).amount_minor <= given.most_minor


def plans_above_their_visits(clinic: Clinic) -> list[tuple[str, int, int]]:
    """Running plans that ask for more than their visits owe: (plan, open, owed), in cents."""
    return clinic.store.read(_above)


def _above(session: Session) -> list[tuple[str, int, int]]:
    found = []
    for plan in session.scalars(select(Plan).where(Plan.status.in_(RUNNING))):
        parts = session.scalars(select(Instalment).where(Instalment.plan_id == plan.id)).all()
        still = sum(max(part.amount_minor - part.paid_minor, 0) for part in parts)
        visits = session.scalars(select(PlanVisit.visit_id).where(PlanVisit.plan_id == plan.id)).all()
        owed = sum(_balance(session, f"patient:{visit}") for visit in visits)
        if still > owed:
            found.append((plan.id, still, owed))
    return found


def _balance(session: Session, key: str) -> int:
    account = session.scalar(select(LedgerAccount).where(LedgerAccount.key == key))
    return max(account.balance_minor, 0) if account is not None else 0


def nobody_is_charged_twice(stripe: Stripe) -> None:
    twice = {payment_id: count for payment_id, count in stripe.taken().items() if payment_id and count > 1}
    assert twice == {}


def stripe_and_ledger_agree(clinic: Clinic, stripe: Stripe) -> None:
    """After a reconciliation: payment by payment, and the balance but for what strangers paid."""
    ledger, by_hand = clinic.store.read(lambda s: ({
        payment_id: minor for payment_id, minor in cash(s).items()
        if s.get_one(Payment, payment_id).processor == "stripe"}, given_by_hand(s)))
    theirs, under_way = stripe.net(), stripe.under_way()
    strange = theirs.pop("", 0)
    theirs = {payment_id: minor for payment_id, minor in theirs.items() if payment_id not in under_way}
    ours = {key: minor + by_hand.get(key, 0) for key, minor in ledger.items() if minor + by_hand.get(key, 0)}
    assert ours == theirs, (ours, theirs)
    assert clinic.store.read(at_stripe) + strange + sum(under_way.values()) == stripe.balance()


def given_by_hand(session: Session) -> dict[str, int]:
    """Cents of payments at Stripe that were given back by check or in cash."""
    found: dict[str, int] = defaultdict(int)
    hand = select(LedgerAccount.id).where(LedgerAccount.key.like("cash:manual:%"))
    for row in session.scalars(select(Transfer).join(Payment, Payment.id == Transfer.payment_id).where(
            Payment.processor == "stripe", Transfer.credit_id.in_(hand))):
        found[row.payment_id or ""] += row.amount_minor
    return found
