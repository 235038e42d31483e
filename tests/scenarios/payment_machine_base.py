"""A history of one clinic: what is checked after every step and at the end, and how steps are carried out."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import holds
from billing.commands import CommandRefused
from billing.payment_limits import limits
from billing.payment_requests import RequestContext
from billing.plan_consents import PlanRefused
from billing.reallocation import ReallocationRefused
from billing.refunds import RefundRefused
from billing.staff import StaffRefused
from billing.store.tables import Guarantor, Payment, PaymentMethod
from tests.scenarios import payment_machine_checks as checks
from tests.scenarios.payment_machine_clinic import CHARGES, PRACTICE, Clinic, share

T = TypeVar("T")

#: What a command or a page may answer instead of doing it.
REFUSALS = (CommandRefused, RefundRefused, ReallocationRefused, StaffRefused, PlanRefused, holds.HoldRefused,
            LookupError)


class Base(RuleBasedStateMachine):
    """Nothing happens yet: see the subclasses, which lead to payment_machine_rules.Machine."""

    def __init__(self, clinic: Clinic) -> None:
        super().__init__()
        self.clinic = clinic
        self.counter = itertools.count(1)
        self.shares = {claim: share(claim, charge // 2, 1) for claim, (_, charge) in CHARGES.items()}
        self.owner = {claim: who for claim, (who, _) in CHARGES.items()}
        self.checked = 0  # how many writes the last check had seen
        self.heard = 0  # events of Stripe's that were looked at
        self.news: list[dict[str, Any]] = []  # not delivered yet
        self.agreed: dict[str, int] = {}  # plan id -> cents
        self.pages: list[str] = []  # payments by page, in the order they were asked for
        self.refunds: list[str] = []
        for who, method in (("A", "pm_card_visa"), ("A", "pm_usBankAccount_processing"), ("B", "pm_card_visa")):
            self.clinic.run(self.clinic.keep_method(who, method))

    def teardown(self) -> None:
        try:
            self.end()
        finally:
            self.clinic.close()

    def end(self) -> None:
        """However it went, one reconciliation makes both sides equal."""
        self.clinic.death.disarm()
        self.clinic.run(self.clinic.order("fault", path="*", mode="none"))
        self.clinic.clock.advance(hours=2)
        self.reconciled(self.clinic.run(self.clinic.reconcile()))
        self.plans_follow_their_visits()

    def the_books_are_reconciled(self) -> None:
        self.clinic.run(self.clinic.order("fault", path="*", mode="none"))
        self.clinic.clock.advance(minutes=2)
        summary = self.clinic.run(self.clinic.reconcile())
        if summary is not None:
            self.reconciled(summary)

    def reconciled(self, summary: Any) -> None:
        """Both sides are equal, but for strangers' money and for debits that a bank still works on."""
        stripe = self.stripe()
        strange, under_way = stripe.net().get("", 0), stripe.under_way()
        left = [told.sentence for told in self.left_open(summary)]
        assert left == [], left
        assert summary.unanswered == 0, summary.unanswered
        assert sum(told.processor_minor for told in summary.open if told.kind == "stranger") == strange
        assert summary.processor_minor == stripe.balance()
        ours = stripe.balance() - strange - sum(under_way.values())
        assert summary.ledger_minor == ours, (summary.ledger_minor, ours, under_way)
        checks.stripe_and_ledger_agree(self.clinic, stripe)

    def plans_follow_their_visits(self) -> None:
        """A minute's work on plans leaves none above what its visits owe, unless the process dies of it."""
        before = self.clinic.crashes
        self.clinic.run(self.clinic.work_on_plans())
        above = checks.plans_above_their_visits(self.clinic)
        assert above == [] or self.clinic.crashes > before, above

    # what holds

    def left_open(self, summary: Any) -> list[Any]:
        """Differences that nothing in this history explains."""
        return [told for told in summary.open if told.kind != "stranger"]

    @invariant()
    def it_holds(self) -> None:
        if self.clinic.store.writes == self.checked:
            return
        owed = dict.fromkeys(self.clinic.ids, 0)
        for claim, answer in self.shares.items():
            owed[self.owner[claim]] += sum(minor for group, _, minor in answer.cas if group == "PR")
        checks.the_ledger_foots(self.clinic)
        checks.everybody_owes_what_they_owe(self.clinic, owed)
        checks.plans_ask_no_more_than_was_agreed(self.clinic, self.agreed)
        checks.nobody_is_charged_twice(self.stripe())
        self.checked = self.clinic.store.writes

    # how it is done

    def tried(self, fn: Callable[[Session], T]) -> T | None:
        """Carry it out, unless it is refused as it should be; None then, or if the process died of it."""
        try:
            return self.clinic.write(fn)
        except REFUSALS:
            return None

    def payment(self, payment_id: str) -> Payment:
        return self.clinic.store.read(lambda session: session.get_one(Payment, payment_id))

    def _payable(self, guarantor: str, early: bool) -> dict[str, int]:
        return self.clinic.store.read(partial(limits, practice_id=PRACTICE, guarantor_id=guarantor,
                                              now=self.clinic.clock(), early=early))

    def _split(self, session: Session, who: str, percent: int, early: bool) -> tuple[tuple[tuple[str, int], ...], int]:
        """So much of what may be paid now, oldest first; and the balance's version."""
        found = limits(session, PRACTICE, self.clinic.ids[who], self.clinic.clock(), early=early)
        left = max(sum(found.values()) * percent // 100, min(sum(found.values()), 1000))
        split = []
        for visit, minor in sorted(found.items()):
            part = min(minor, left)
            left -= part
            if part:
                split.append((visit, part))
        return tuple(split), session.get_one(Guarantor, self.clinic.ids[who]).balance_version

    def _context(self, who: str) -> RequestContext:
        return RequestContext(PRACTICE, self.clinic.policy, self.clinic.clock(), f"conv_{who}",
                              f"inbox:{next(self.counter)}")

    def _visits(self, who: str) -> list[str]:
        return [self.clinic.visits[claim] for claim, owner in sorted(self.owner.items()) if owner == who]

    def _charge(self, pick: int) -> dict[str, Any] | None:
        rows = self.clinic.run(self.clinic.listed("charges")) or []
        return self.chosen([row for row in rows if row["paid"] and row["metadata"].get("payment_id")], pick)

    def stripe(self) -> checks.Stripe:
        found = self.clinic.run(checks.ask_stripe(self.clinic))
        assert found is not None
        return found

    @staticmethod
    def chosen(items: list[T], pick: int) -> T | None:
        return items[pick % len(items)] if items else None



def cards(session: Session, guarantor_id: str) -> list[PaymentMethod]:
    return list(session.scalars(select(PaymentMethod).where(
        PaymentMethod.guarantor_id == guarantor_id, PaymentMethod.status == "active").order_by(
        PaymentMethod.created_at, PaymentMethod.last4)))


def of_money(session: Session) -> list[Payment]:
    return list(session.scalars(select(Payment).where(Payment.paid_at.is_not(None)).order_by(
        Payment.created_at, Payment.amount_minor, Payment.way, Payment.instalment)))
