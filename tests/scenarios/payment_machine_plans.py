"""The same histories with instalment plans in them: offered, signed, changed, charged day by day, ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import figures, plan_changes, plan_offers, plan_staff, plans
from billing.command_context import Context
from billing.commands import ChangePlan
from billing.payments import record_desk_payment
from billing.phones import address_hash
from billing.plan_offers import Ask
from billing.plan_terms import PlanTerms
from billing.store.tables import Guarantor, Instalment, Plan, PlanVisit
from tests.scenarios.payment_machine_back import GoingBack
from tests.scenarios.payment_machine_base import cards
from tests.scenarios.payment_machine_checks import RUNNING
from tests.scenarios.payment_machine_clinic import PHONES, PRACTICE, Clinic


class Life(GoingBack):
    """Payments and plans."""

    def __init__(self, clinic: Clinic) -> None:
        super().__init__(clinic)
        self.plans: list[str] = []

    def signs_a_plan(self, who: str, pick: int, ask: Ask, autopay: bool, both: bool, changes: bool) -> None:
        """Offered and agreed to; ``changes`` takes the place of a running one."""
        def sign(session: Session) -> Plan | None:
            older = session.scalar(select(Plan).where(
                Plan.guarantor_id == self.clinic.ids[who], Plan.status.in_(RUNNING)).order_by(Plan.number))
            replaces = older.id if older is not None and changes else None
            card = self.chosen(cards(session, self.clinic.ids[who]), pick) if autopay else None
            terms = self._terms(session, who, ask, card.id if card else None, replaces, both, pick)
            if terms is None:
                return None
            plan = self._offer(session, who, terms)
            plans.agree(session, plan, words=f"Yes, by this schedule, card {card.last4 if card else ''}",
                        words_version="1", given_by="page", message_id=f"link:{next(self.counter)}", method=card,
                        disclosures_version="2026-11", esign_at=self.clinic.clock(), now=self.clinic.clock())
            return plan

        plan = self.tried(sign)
        if plan is not None:
            self.plans.append(plan.id)
            self.agreed[plan.id] = plan.total_minor

    def asks_for_a_plan_and_thinks_about_it(self, who: str, ask: Ask) -> None:
        def offer(session: Session) -> None:
            terms = self._terms(session, who, ask, None, None, True, 0)
            if terms is not None:
                self._offer(session, who, terms)

        self.tried(offer)

    def _terms(self, session: Session, who: str, ask: Ask, card: str | None, replaces: str | None, both: bool,
               pick: int) -> PlanTerms | None:
        account = figures.account_figures(session, self.clinic.ids[who], self.clinic.today)
        ours = {v: m for v, m in ((v.visit_id, v.figures.due_now_minor + (
            v.figures.on_plan_minor if self._may_replace(session, v.visit_id, replaces) else 0))
            for v in account.visits) if m > 0}
        chosen = sorted(ours) if both else [self.chosen(sorted(ours), pick)] if ours else []
        shares = [(visit, ours[visit]) for visit in chosen if visit]
        rules = self.clinic.policy.plans
        if not shares or rules is None:
            return None
        answer = plan_offers.make(sum(m for _, m in shares), shares, rules, self.clinic.today, ask)
        offer = self.chosen(list(answer.offers), pick)
        return offer.terms("autopay" if card else "link", card, replaces) if offer is not None else None

    @staticmethod
    def _may_replace(session: Session, visit: str, replaces: str | None) -> bool:
        return replaces is not None and session.get(PlanVisit, (replaces, visit)) is not None

    def _offer(self, session: Session, who: str, terms: PlanTerms) -> Plan:
        assert self.clinic.policy.plans is not None
        return plans.offer(
            session, practice_id=PRACTICE, guarantor_id=self.clinic.ids[who], terms=terms,
            policy=self.clinic.policy.plans, language="en", offered_by="patient", key=f"offer{next(self.counter)}",
            balance_version=session.get_one(Guarantor, self.clinic.ids[who]).balance_version,
            conversation_id=f"conv_{who}", now=self.clinic.clock())

    def changes_a_plan(self, pick: int, change: Any, which: int) -> None:
        def act(session: Session) -> None:
            plan = self._running(session, pick)
            if plan is None:
                return
            who = next(who for who, one in self.clinic.ids.items() if one == plan.guarantor_id)
            card = self.chosen(cards(session, plan.guarantor_id), which)
            plan_changes.apply_change(session, ChangePlan(
                plan.guarantor_id, plan.id, plan.version, change, f"card {card.last4 if card else ''}",
                days=((1,), (15,), (31,))[which % 3] if plan.interval == "month" else (),
                on=None, method_id=card.id if card else None,
                value=("shorten", "lower")[which % 2]), Context(
                PRACTICE, f"conv_{who}", PHONES[who], address_hash(PRACTICE, "sms", PHONES[who]), "sms", None, "en",
                self.clinic.clock()))

        self.tried(act)

    def staff_work_on_a_plan(self, pick: int, act: str) -> None:
        def work(session: Session) -> None:
            plan = self._running(session, pick)
            if plan is not None:
                step = {"pause": plan_staff.pause, "resume": plan_staff.resume, "cancel": plan_staff.cancel}[act]
                step(session, PRACTICE, plan.id, by="ana", reason="asked", now=self.clinic.clock())

        self.tried(work)

    def an_instalment_is_paid_at_the_desk(self, pick: int, percent: int) -> None:
        def pay(session: Session) -> None:
            plan = self._running(session, pick)
            if plan is None:
                return
            part = session.scalars(select(Instalment).where(
                Instalment.plan_id == plan.id, Instalment.amount_minor > Instalment.paid_minor).order_by(
                Instalment.number)).first()
            if part is not None:
                record_desk_payment(
                    session, PRACTICE, plan.guarantor_id, amount_minor=max(part.amount_minor * percent // 50, 1),
                    currency="USD", tender="cash", reference=f"instalment {next(self.counter)}", recorded_by="ana",
                    now=self.clinic.clock(), plan_id=plan.id, instalment=part.number)

        self.tried(pay)

    def plans_run(self, days: int) -> None:
        for _ in range(days):
            self.clinic.pass_days(1, 11)
            self.clinic.run(self.clinic.work())

    def _running(self, session: Session, pick: int) -> Plan | None:
        rows = session.scalars(select(Plan).where(Plan.status.in_(RUNNING)).order_by(Plan.number))
        return self.chosen(list(rows), pick)

