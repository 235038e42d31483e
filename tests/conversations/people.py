"""The accounts that transcripts name, as hand-built views, and the practice they belong to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from billing.passcode_digest import digest
from billing.views import (
    AccountView,
    CoverageView,
    Explanation,
    Figures,
    InstalmentView,
    MethodView,
    PasscodeView,
    PaymentView,
    PlanView,
    PracticeView,
    Step,
    VisitView,
)
from config.payment_policy import PaymentPolicy, PayOverTime, PlanPolicy
from config.practice import PracticePolicy, TelegramRisk
from templates.foreign import languages

NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)  # a Tuesday, 10:00 in New York
POLICY = PracticePolicy.model_validate({
    "name": "Maple Clinic", "legal_name": "Maple Clinic PLLC", "phone": "+12125550199", "address": "12 Maple St",
    "sms_number": "+12125550100", "sending": "on",
    "interpreter_lines": [iso for iso in languages() if iso != "it"]})
PRACTICE = PracticeView("prac", POLICY, True, True, NOW + timedelta(hours=7))  # answered by 5 PM
TELEGRAM = replace(PRACTICE, policy=POLICY.model_copy(update={"telegram": TelegramRisk(
    accepted_by="Dr. Rowan, owner", accepted_on=date(2026, 11, 1), wording_version="2026-11")}))
PLANS = POLICY.model_copy(update={"plans": PlanPolicy()})  # instalment plans as the defaults have them
LENDER = PaymentPolicy(pay_over_time=PayOverTime(name="Sunbit", url="https://sunbit.example/maple",
                                                 since=date(2026, 1, 1)))
CLOSED = replace(PRACTICE, open_now=False, answer_by_at=NOW + timedelta(hours=31))

STEPS = (Step("charge", 20000), Step("contractual", -4500, "Blue Shield", "CO-45"),
         Step("plan_paid", -11000, "Blue Shield"), Step("deductible", 3000, "Blue Shield", "PR-1"),
         Step("copay", 1500, "Blue Shield", "PR-3"), Step("left", 4500))


def visit(name: str, on: date, figures: Figures, coverages: tuple[str, ...] = ("answered",),
          steps: tuple[Step, ...] = STEPS, foots: bool = True) -> VisitView:
    views = tuple(CoverageView(f"cov_{name}_{rank}", rank, "Blue Shield", status)
                  for rank, status in enumerate(coverages, 1))
    explanation = Explanation(name, name.upper(), on, foots, "" if foots else "lines do not foot", steps,
                              figures.patient_minor)
    return VisitView(name, name.upper(), on, 20000, "Dr. Rowan", False, figures, views, explanation)


def due(amount_minor: int) -> Figures:
    return Figures(open_minor=amount_minor, patient_minor=amount_minor, due_now_minor=amount_minor)


def owed(**part: int) -> Figures:
    """A patient balance of $45.00 of which ``part`` is pending, held or on a plan."""
    return Figures(open_minor=4500, patient_minor=4500, **part)


def account(name: str, *visits: VisitView, credit_minor: int = 0, **changes: Any) -> AccountView:
    total = Figures(open_minor=-credit_minor, credit_minor=credit_minor)
    for each in visits:
        total = total.plus(each.figures)
    made = AccountView(
        account_id=name, external=name.upper(), language="en", born_on=date(1980, 3, 14), postal_code="10001-1234",
        confirmed=True, balance_version=7, figures=total, visits=visits, detail_allowed=True,
        last_statement_id="stmt_1", last_statement_number=1, last_statement_on=date(2026, 10, 20),
        last_statement_due_on=date(2026, 11, 19))
    return replace(made, **changes)


MARCH, APRIL = date(2026, 3, 4), date(2026, 4, 11)
TWO_STEPS = (Step("charge", 20000), Step("plan_paid", -7950, "Blue Shield"),
             Step("coinsurance", 12050, "Blue Shield", "PR-2"), Step("left", 12050))
LONG_STEPS = (*STEPS[:5], Step("coinsurance", 500, "Blue Shield", "PR-2"), Step("patient_paid", -500),
              Step("left", 4500))
ONE = visit("march", MARCH, due(4500))
TWO = visit("april", APRIL, due(12050), steps=TWO_STEPS)
PENDING = visit("march", MARCH, owed(pending_minor=4500), ("pending",))
HELD = visit("march", MARCH, owed(held_minor=4500))
PLANNED = visit("march", MARCH, owed(on_plan_minor=4500))
DENIED = visit("march", MARCH, Figures(open_minor=4500, payer_minor=4500), ("denied", "pending"))
BROKEN = visit("march", MARCH, due(4500), foots=False)
SELF_PAY = visit("march", MARCH, due(4500), (), (Step("charge", 4500), Step("left", 4500)))
LONG = visit("march", MARCH, due(4500), steps=LONG_STEPS)
JUNE = visit("june", date(2026, 6, 9), due(9900))
PLACED = replace(visit("march", MARCH, Figures(placed_minor=4500)), holds=("agency",))
SETTLED = visit("march", MARCH, Figures())
PAID = PaymentView("pay_1", 4500, "succeeded", "card", NOW, NOW, (("march", 4500),))
REFUNDED = PaymentView("pay_1", 4500, "refunded", "card", NOW, NOW, (), 4500, date(2026, 10, 30))
ON_ITS_WAY = PaymentView("pay_0", 4500, "created", "card", NOW, None, (), way="saved")
LINKED = PaymentView("pay_0", 4500, "link_sent", "card", NOW, None, (("march", 4500),))

BIG = visit("march", MARCH, due(60000), steps=(Step("charge", 60000), Step("left", 60000)))
HUGE = visit("march", MARCH, due(2000000), steps=(Step("charge", 2000000), Step("left", 2000000)))
VISA = MethodView("pm_1", "card", "visa", "4242", date(2028, 5, 31))
AMEX = MethodView("pm_2", "card", "amex", "0005", date(2027, 1, 31))


def on_plan(due_now_minor: int = 0, left_minor: int = 45000) -> VisitView:
    """A visit of $600.00 of which $450.00 are still on its plan, or in part due today."""
    figures = Figures(open_minor=left_minor, patient_minor=left_minor, due_now_minor=due_now_minor,
                      on_plan_minor=left_minor - due_now_minor)
    return visit("march", MARCH, figures, steps=(Step("charge", 60000), Step("patient_paid", left_minor - 60000),
                                                 Step("left", left_minor)))


def plan(**changes: Any) -> PlanView:
    """Twelve payments of $50.00 on the 15th from August 2026; three are paid, the next is on November 15."""
    parts = tuple(InstalmentView(n, date(2026 + (6 + n) // 12, (6 + n) % 12 + 1, 15), 5000, 5000 if n < 4 else 0,
                                 "paid" if n < 4 else "planned") for n in range(1, 13))
    made = PlanView("plan_1", 1, "active", 3, 60000, 45000, "month", (15,), "autopay", VISA, "shorten", parts,
                    ("march",), None, 1)
    return replace(made, **changes)


def charging() -> tuple[InstalmentView, ...]:
    parts = plan().instalments
    return (*parts[:3], replace(parts[3], status="charging"), *parts[4:])


WEEKLY = plan(interval="week", days=(), instalments=tuple(
    InstalmentView(n, date(2026, 11, 6) + timedelta(weeks=n), 5000, 0, "planned") for n in range(9)))
TWICE = plan(interval="twice_month", days=(1, 15), instalments=tuple(
    InstalmentView(n, date(2026, 11, 15) if n == 1 else date(2026, 12, 1), 22500, 0, "planned") for n in (1, 2)))
ON_IT: dict[str, Any] = {"methods": (VISA,), "plans": (plan(),)}

PASSCODE = PasscodeView("salt", digest("482913", "salt"))

#: What the header of a transcript may name. Several names make several accounts on one number.
PEOPLE: dict[str, AccountView] = {
    "one_visit": account("one_visit", ONE),
    "two_visits": account("two_visits", ONE, TWO),
    "private": account("private", ONE, detail_allowed=False),
    "private_paid": account("private_paid", ONE, detail_allowed=False, payments=(PAID,)),
    "pending": account("pending", PENDING),
    "held": account("held", HELD),
    "program": account("program", replace(HELD, holds=("qmb",))),
    "program_wide": account("program_wide", PENDING, holds=("qmb",)),
    "estimate": account("estimate", replace(HELD, holds=("gfe_exceeded",))),
    "placed": account("placed", PLACED),
    "placed_card": account("placed_card", PLACED, methods=(VISA,)),
    "planned": account("planned", PLANNED),
    "denied": account("denied", DENIED),
    "broken": account("broken", BROKEN),
    "self_pay": account("self_pay", SELF_PAY),
    "long": account("long", LONG),
    "credit": account("credit", credit_minor=2500),
    "nothing": account("nothing", last_statement_due_on=None),
    "stale": account("stale", ONE, stale=True),
    "paid": account("paid", SETTLED, payments=(PAID,)),
    "paid_one_of_two": account("paid_one_of_two", TWO, payments=(PAID,)),
    "refunded": account("refunded", SETTLED, payments=(REFUNDED,)),
    "two_private": account("two_private", ONE, TWO, detail_allowed=False),
    "linked": account("linked", ONE, payments=(LINKED,)),
    "confidential": account("confidential", ONE, replace(TWO, confidential=True)),
    "unloaded": account("unloaded", replace(ONE, explanation=None)),
    "spouse": account("spouse", JUNE, born_on=date(1982, 7, 1)),
    "twin": account("twin", JUNE),
    "coded": account("coded", ONE, passcode=PASSCODE),
    "owing": account("owing", BIG),
    "owing_card": account("owing_card", BIG, methods=(VISA,)),
    "owing_huge": account("owing_huge", HUGE),
    "card": account("card", ONE, methods=(VISA,)),
    "card_charging": account("card_charging", ONE, methods=(VISA,), payments=(ON_ITS_WAY,)),
    "card_private": account("card_private", ONE, methods=(VISA,), detail_allowed=False),
    "on_plan": account("on_plan", on_plan(), **ON_IT),
    "on_plan_link": account("on_plan_link", on_plan(), plans=(plan(collects="link", method=None),)),
    "on_plan_due": account("on_plan_due", on_plan(5000), **ON_IT),
    "on_plan_behind": account("on_plan_behind", on_plan(5000), methods=(VISA,), plans=(plan(status="behind"),)),
    "on_plan_paused": account("on_plan_paused", on_plan(), methods=(VISA,), plans=(plan(
        status="paused", paused_until_on=date(2027, 1, 2)),)),
    "on_plan_charging": account("on_plan_charging", on_plan(), methods=(VISA,), plans=(plan(
        instalments=charging()),)),
    "on_plan_no_skips": account("on_plan_no_skips", on_plan(), methods=(VISA,), plans=(plan(skips_left=0),)),
    "on_plan_two_cards": account("on_plan_two_cards", on_plan(), methods=(VISA, AMEX), plans=(plan(),)),
    "on_plan_weekly": account("on_plan_weekly", on_plan(), methods=(VISA,), plans=(WEEKLY,)),
    "on_plan_twice": account("on_plan_twice", on_plan(), methods=(VISA,), plans=(TWICE,)),
    "on_plan_and_new": account("on_plan_and_new", on_plan(), TWO, **ON_IT),
    "on_plan_private": account("on_plan_private", on_plan(), detail_allowed=False, **ON_IT),
    "plan_waits": account("plan_waits", BIG, plans=(plan(status="awaiting_authorization"),)),
    "unconfirmed": account("unconfirmed", ONE, confirmed=False),
}
