"""Instalment plans, saved cards and bank debits: T-47 to T-50, T-54. T-51 is in billing/policy/payments.py.

The gate asks these before each charge (Facts.charge); what a rule needs elsewhere stands here as a pure function.
"""

from __future__ import annotations

from datetime import date, timedelta

from billing.plan_terms import DISCLOSED_FROM, PlanTerms
from billing.policy import retries
from billing.policy.core import ChargeFacts, Facts, Finding, Rule, withhold
from config.payment_policy import PayOverTime, PlanPolicy
from config.practice import PracticePolicy

#: Written notice before a transfer above what was agreed (12 CFR 1005.10(d)(1), T-48).
RAISE_NOTICE_DAYS = 10


def disclosures_due(terms: PlanTerms, extends: PlanTerms | None = None) -> bool:
    """Whether the disclosures of 12 CFR 1026.17-18 come before signing ``terms`` (T-47).

    More than four instalments, a down payment not counted (12 CFR 1026.2(a)(17)(i)). A plan that takes the place of
    ``extends`` (more time, or a balance that joins) is counted together with the instalments of it that came before,
    so that nobody gets to a fifth payment undisclosed by steps.
    """
    payable = [part for part in terms.instalments if part.amount_minor > 0]
    begins_on = min((part.due_on for part in payable), default=None)
    before = [part for part in extends.instalments if begins_on is not None and part.due_on < begins_on
              and part.amount_minor > 0] if extends else []
    return len(before) + len(payable) >= DISCLOSED_FROM


def raise_effective_on(consented_on: date) -> date:
    """The first day on which more may be charged than an authorization said: new consent, and ten days' written notice
    (T-48). ``consented_on`` is the practice-local day on which the patient agreed and the notice was sent.
    """
    return consented_on + timedelta(days=RAISE_NOTICE_DAYS)


def card_warning_due(policy: PracticePolicy, region: str | None) -> bool:
    """Whether the warning of NY GBL 519-a comes before a card is asked for: a bill paid by card loses protections that
    medical debt has. ``region`` is the patient's state; the practice's own counts as well (T-54).
    """
    return policy.payments.ny_card_warning and "NY" in (policy.region, region)


def may_charge_plans(policy: PracticePolicy) -> bool:
    """Whether the practice has cards charged for instalments. What was signed while it did goes on by link. A practice
    that offers no new plans at all (``plans`` unset) lets those that run go on.
    """
    return policy.payments.saved_cards and (policy.plans is None or policy.plans.autopay)


def lender_link(lender: PayOverTime) -> str:
    """The lender's page exactly as configured: nothing about a patient is ever added to it (T-54: NY GBL 349-g)."""
    return lender.url


def undisclosed(facts: Facts) -> Finding | None:
    charge = facts.charge
    if charge is not None and charge.instalments >= DISCLOSED_FROM and not charge.disclosed:
        return withhold(f"a plan of {charge.instalments} instalments was signed without its disclosures")
    return None


def unauthorized(facts: Facts) -> Finding | None:
    charge = facts.charge
    if charge is None:
        return None
    if not charge.authorized:
        return withhold("no authorization stands, or it was revoked")
    if charge.most_minor is not None and (charge.amount_minor or 0) > charge.most_minor:
        return withhold(f"{charge.amount_minor} cents are more than the {charge.most_minor} that were agreed to")
    return _unnoticed(facts, charge) if charge.practice_starts else None


def _unnoticed(facts: Facts, charge: ChargeFacts) -> Finding | None:
    """Practice-local days are counted, as the notice names a day: clocks that change take nothing from them."""
    if not may_charge_plans(facts.practice.policy):
        return withhold("the practice has switched charges for plans off")
    if charge.opted_out:
        return withhold("texts were stopped and nobody has asked yet whether that meant the charges as well")
    if charge.noticed_minor is None or charge.notice_age is None:
        return withhold("no notice of this charge has left")
    policy = facts.practice.policy
    days = (policy.local_day(facts.now) - policy.local_day(facts.now - charge.notice_age)).days
    wanted = (policy.plans or PlanPolicy()).notice_days
    if days < wanted:
        return withhold(f"the notice of this charge is {days} days old, not {wanted}")
    if (charge.amount_minor or 0) > charge.noticed_minor:
        return withhold(f"{charge.amount_minor} cents are more than the {charge.noticed_minor} of the notice")
    return None


def presented_too_often(facts: Facts) -> Finding | None:
    charge = facts.charge
    if charge is None or charge.method_kind != "bank":
        return None
    if charge.tries_180_days >= retries.BANK_PRESENTMENTS:
        return withhold("a returned bank debit was presented three times in 180 days")
    if not charge.practice_starts or not charge.last_failure:
        return None
    if not retries.may_be_repeated(charge.last_failure, "bank"):
        return withhold(f"a bank debit returned as {charge.last_failure} is not presented again")
    if charge.first_tried_minor not in (None, charge.amount_minor):
        return withhold("a bank debit is presented again for the same amount only")
    return None


def card_worn_out(facts: Facts) -> Finding | None:
    charge = facts.charge
    if charge is None:
        return None
    if not charge.method_usable:
        return withhold("the card or account on file cannot be used any more")
    if charge.method_kind != "card":
        return None
    if charge.tries_30_days >= retries.CARD_TRIES_30_DAYS:
        return withhold("the card was tried fifteen times in 30 days")
    if charge.practice_starts and charge.last_failure and not retries.may_be_repeated(charge.last_failure, "card"):
        return withhold(f"a card declined as {charge.last_failure} is not tried again without the patient")
    return None


RULES = (
    Rule("T-47", "A plan of five instalments or more is charged only after its disclosures",
         "12 CFR 1026.2(a)(17), 1026.17-18", "V", charge=undisclosed,
         configured="billing/plan_terms.py DISCLOSED_FROM; config/payment_policy.py refuses any price"),
    Rule("T-48", "Charged without the patient only as authorized and noticed", "12 CFR 1005.10(b)-(e)", "M",
         charge=unauthorized, configured="policy plans.notice_days; billing/policy/plans.py RAISE_NOTICE_DAYS"),
    Rule("T-49", "A returned bank debit is presented twice more at most", "Nacha Operating Rules, reinitiation", "S",
         charge=presented_too_often, configured="billing/policy/retries.py BANK_CODES, BANK_PRESENTMENTS"),
    Rule("T-50", "Cards that were declined for good are left alone", "Visa rules on stored credentials and retries",
         "S", charge=card_worn_out, configured="billing/policy/retries.py CARD_CODES, CARD_TRIES_30_DAYS"),
    Rule("T-54", "No card before care, a warning before a card, no lender's form filled in", "NY GBL 519-a, 349-g",
         "V", jurisdictions=("NY",), configured="policy payments.ny_card_warning, payments.pay_over_time; a plan and a "
         "card on file are offered for visits that have a balance only"),
)
