"""What Stripe, banks, insurers and the office do: refunds, disputes, late returns, news, payouts, holds, credit."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import holds, payments, refunds
from billing.overpayments import apply_credit
from billing.store import payment_queries
from billing.store.tables import Hold
from tests.ledger.paper import Clp
from tests.scenarios.payment_machine_base import of_money
from tests.scenarios.payment_machine_clinic import CHARGES, PRACTICE, share
from tests.scenarios.payment_machine_paying import Paying


class GoingBack(Paying):
    """Money that goes back, and everything that moves what is owed."""

    # money goes back

    def asks_for_a_refund(self, pick: int, percent: int, tender: str) -> None:
        def ask(session: Session) -> str:
            payment = self.chosen(of_money(session), pick)
            if payment is None:
                return ""
            return refunds.ask(
                session, practice_id=PRACTICE, payment_id=payment.id, tender=tender, reason="overpaid", note="",
                by="ana", amount_minor=max(payment.amount_minor * percent // 100, 1), dedupe=f"rf{next(self.counter)}",
                policy=self.clinic.policy, now=self.clinic.clock()).id

        refund_id = self.tried(ask)
        if refund_id:
            self.refunds.append(refund_id)

    def decides_on_a_refund(self, pick: int, approved: bool) -> None:
        refund_id = self.chosen(self.refunds, pick)
        if refund_id and approved:
            self.tried(lambda s: refunds.approve(s, PRACTICE, refund_id, by="sam", now=self.clinic.clock()))
        elif refund_id:
            self.tried(lambda s: refunds.decline(s, PRACTICE, refund_id, by="sam", reason="no",
                                                 now=self.clinic.clock()))

    def is_refunded_in_the_dashboard(self, pick: int, percent: int, pending: bool) -> None:
        charge = self._charge(pick)
        if charge:
            if pending:
                self.clinic.run(self.clinic.order("fault", path="/v1/refunds", mode="pending"))
            self.clinic.run(self.clinic.call("/v1/refunds", payment_intent=charge["payment_intent"],
                                             amount=str(max(charge["amount"] * percent // 100, 1))))

    def a_bank_decides_on_a_refund(self, pick: int, failed: bool) -> None:
        rows = self.clinic.run(self.clinic.listed("refunds")) or []
        refund = self.chosen([row for row in rows if row["status"] == "pending"], pick)
        if refund:
            self.clinic.run(self.clinic.order("refund", refund=refund["id"],
                                              status="failed" if failed else "succeeded"))

    def a_bank_takes_money_back(self, pick: int, part: int, inquiry: bool) -> None:
        """A chargeback of a card, a late return of a debit; only a card's bank asks first."""
        charge = self._charge(pick)
        if charge:
            more = {} if part == 100 else {"amount": charge["amount"] * part // 100}
            asks = inquiry and charge["payment_method_details"]["type"] == "card"
            self.clinic.run(self.clinic.order("dispute", charge=charge["id"], inquiry=asks, **more))

    def a_dispute_is_decided(self, pick: int, won: bool) -> None:
        dispute = self.chosen(self.clinic.run(self.clinic.listed("disputes")) or [], pick)
        if dispute:
            self.clinic.run(self.clinic.order("dispute/decide", dispute=dispute["id"], won=won))

    def a_bank_answers_a_debit(self, pick: int, code: str | None) -> None:
        rows = self.clinic.run(self.clinic.listed("payment_intents")) or []
        intent = self.chosen([row for row in rows if row["status"] == "processing"], pick)
        if intent:
            self.clinic.run(self.clinic.order("bank", payment_intent=intent["id"], code=code))

    # Stripe's news, and its books

    def news_arrives(self, how: str, pick: int) -> None:
        events = self.clinic.run(self.clinic.listed("events")) or []
        known = {event["id"] for event in self.news}
        fresh = [event for event in events if event["id"] not in known][-max(len(events) - self.heard, 0):]
        self.news += fresh if len(events) > self.heard else []
        self.heard = max(self.heard, len(events))
        if not self.news:
            return
        at = pick % len(self.news)
        chosen = {"all": self.news, "backwards": self.news[::-1], "one": [self.news[at]], "last": self.news[-1:],
                  "twice": [self.news[at]] * 2, "lose": []}[how]
        for event in list(chosen):
            self.clinic.run(self.clinic.hook(event))
        self.news = [event for event in self.news if event not in chosen] if how != "lose" else []

    def a_payout_is_made(self, days: int, status: str) -> None:
        self.clinic.clock.advance(days=days)
        self.clinic.run(self.clinic.order("payout", status=status))

    def a_stranger_pays_the_same_account(self, minor: int) -> None:
        self.clinic.run(self.clinic.call("/v1/payment_intents", amount=str(minor), currency="usd", confirm="true",
                                         payment_method="pm_card_visa", return_url="https://shop.example/"))

    # insurers, holds, credit

    def the_insurer_thinks_again(self, claim: str, percent: int | None) -> None:
        """A reversal with its correction; without one the claim waits for the insurer again."""
        charge, before = CHARGES[claim][1], self.shares.get(claim)
        told: list[Clp] = []
        if before is not None:
            told.append(before.negated())
            del self.shares[claim]
        if percent is not None:
            self.shares[claim] = share(claim, charge * percent // 100, next(self.counter))
            told.append(self.shares[claim])
        if told:
            with_death, self.clinic.death.at = self.clinic.death.at, ""
            self.clinic.books.pay(f"T{next(self.counter)}", *told)
            self.clinic.death.at = with_death

    def a_hold_is_placed(self, who: str, kind: str, pick: int) -> None:
        wide = kind in ("assistance_pending", "bankruptcy")
        visit = None if wide else self.chosen(self._visits(who), pick)
        self.tried(lambda s: holds.place(
            s, practice_id=PRACTICE, guarantor_id=self.clinic.ids[who], kind=kind, reason="said so", source="staff:ana",
            placed_by="ana", now=self.clinic.clock(), visit_id=visit))

    def a_hold_is_released(self, pick: int) -> None:
        def release(session: Session) -> None:
            rows = session.scalars(select(Hold).where(Hold.released_at.is_(None)).order_by(
                Hold.placed_at, Hold.kind, Hold.visit_id)).all()
            hold = self.chosen(list(rows), pick)
            if hold is not None:
                holds.release(session, PRACTICE, hold.id, released_by="ana", reason="done", now=self.clinic.clock())

        self.tried(release)

    def credit_is_applied(self, who: str) -> None:
        self.tried(lambda s: apply_credit(s, PRACTICE, self.clinic.ids[who], "ana", self.clinic.clock()))

    def money_is_put_elsewhere(self, pick: int, percent: int, onto: int) -> None:
        def move(session: Session) -> None:
            payment = self.chosen(of_money(session), pick)
            if payment is None:
                return
            stands = {net.visit_id: net.amount_minor for net in payment_queries.net_of_payment(session, payment.id)
                      if net.amount_minor > 0}
            owner = next(who for who, one in self.clinic.ids.items() if one == payment.guarantor_id)
            visit = self.chosen(self._visits(owner), onto)
            total = sum(stands.values())
            rest = total - total * percent // 100
            parts = [(visit, total - rest), (None, rest)]
            payments.reallocate(session, PRACTICE, payment.id, [(v, m) for v, m in parts if m], by="ana",
                                reason="asked", now=self.clinic.clock())

        self.tried(move)
