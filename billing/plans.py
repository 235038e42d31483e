"""Instalment plans begun: offered inside the policy with live figures, agreed to in exact words, run from then on.

A plan is a schedule over named visits; nothing about it changes what is owed. The balance's version moves with every
step that changes figures, so that nothing decided before is carried out after.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import plan_charges, plan_offers, plan_schedule
from billing.figures import AccountFigures, account_figures
from billing.gate import may_charge
from billing.ids import new_id
from billing.plan_consents import PlanRefused, revoke, send_copy, write
from billing.plan_news import call_staff, changed, enter, log
from billing.plan_staff import approve, cancel, pause, record_notice, resume
from billing.plan_status import ACTIVE, AWAITING_AUTHORIZATION, CANCELLED, OFFERED, PROPOSED, RUNNING, SUPERSEDED
from billing.plan_terms import Part, PlanTerms
from billing.plan_views import listing, methods_view, of_account, show
from billing.policy.plans import disclosures_due
from billing.store import counters, payment_queries
from billing.store import plan_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Authorization, Instalment, PaymentMethod, Plan, PlanVisit
from config.payment_policy import PlanPolicy

__all__ = ["PlanRefused", "agree", "approve", "cancel", "listing", "methods_view", "needs_disclosures", "of_account",
           "offer", "pause", "record_notice", "resume", "show"]

#: Before signing, staff approve exceptions; what a plan must be whoever signs it is not theirs to waive.
_NEVER_WAIVED = frozenset({"nothing_due", "does_not_add_up", "not_a_schedule", "balance_moved"})


def offer(session: Session, *, practice_id: str, guarantor_id: str, terms: PlanTerms, policy: PlanPolicy,
          balance_version: int, language: str, offered_by: str, key: str, conversation_id: str | None, now: datetime,
          exception_reason: str | None = None) -> Plan:
    """Write terms down, ready to be agreed to. The same ``key`` again returns the first plan.

    Outside the policy only with ``exception_reason``, and then it waits for the approval of another person. Raises
    PlanRefused: not_confirmed, stale_balance, hold, on_plan, outside_policy (``why`` is plan_offers.check's),
    card_gone.
    """
    store.lock_guarantor(session, guarantor_id)
    before = store.by_key(session, practice_id, key)
    if before is not None:
        return before
    account = payment_queries.guarantor(session, practice_id, guarantor_id)
    if account is None or account.confirmed_at is None:
        raise PlanRefused("not_confirmed")
    if account.balance_version != balance_version:
        raise PlanRefused("stale_balance")
    why = _fault(session, practice_id, guarantor_id, terms, policy, now)
    if why and (exception_reason is None or why in _NEVER_WAIVED):
        raise PlanRefused("stale_balance" if why == "balance_moved" else "outside_policy", why)
    _usable_method(session, guarantor_id, terms.method_id)
    _withdraw_older(session, guarantor_id, terms, now)
    plan = _add(session, practice_id, guarantor_id, terms, policy, balance_version, language, offered_by, key,
                conversation_id, now, exception_reason if why else None)
    log(session, plan, "offered", now, by=offered_by, reason=why, amount_minor=plan.total_minor)
    if plan.status == OFFERED:
        call_staff(session, plan, "plan_exception", plan.id, f"outside policy ({why}); offered by {offered_by}", now)
    return plan


def _fault(session: Session, practice_id: str, guarantor_id: str, terms: PlanTerms, policy: PlanPolicy,
           now: datetime) -> str:
    """Why the policy does not allow these terms today, or nothing. Raises PlanRefused for what nobody may waive."""
    visit_ids = [visit_id for visit_id, _ in terms.visits]
    running = set(store.with_visits(session, visit_ids, RUNNING)) - {terms.replaces}
    if running:
        raise PlanRefused("on_plan")
    practice = policy_in(session, practice_id)
    today = practice.local_day(now)
    figures = account_figures(session, guarantor_id, today)
    if not may_charge(session, guarantor_id, visit_ids, now).sends:
        raise PlanRefused("hold")
    return plan_offers.check(terms, policy, today, payable(figures, terms))


def payable(account: AccountFigures, terms: PlanTerms) -> dict[str, int]:
    """What each visit of the terms can be asked for, in cents: due now, or on the plan that these terms replace."""
    found = {v.visit_id: v.figures for v in account.visits}
    return {visit_id: found[visit_id].due_now_minor + found[visit_id].on_plan_minor if visit_id in found else 0
            for visit_id, _ in terms.visits}


def _usable_method(session: Session, guarantor_id: str, method_id: str | None) -> PaymentMethod | None:
    if method_id is None:
        return None
    method = store.method(session, method_id)
    if method is None or method.guarantor_id != guarantor_id or method.status != "active":
        raise PlanRefused("card_gone")
    return method


def _withdraw_older(session: Session, guarantor_id: str, terms: PlanTerms, now: datetime) -> None:
    """One offer at a time for a visit: a newer one takes the place of those that nobody has agreed to."""
    wanted = {visit_id for visit_id, _ in terms.visits}
    for older in store.of_account(session, guarantor_id, PROPOSED):
        if wanted & {visit_id for visit_id, _ in store.visits(session, older.id)}:
            older.ended_at, older.end_reason = now, "offered_anew"
            enter(session, older, CANCELLED, now, reason="offered_anew")


def _add(session: Session, practice_id: str, guarantor_id: str, terms: PlanTerms, policy: PlanPolicy,
         balance_version: int, language: str, offered_by: str, key: str, conversation_id: str | None, now: datetime,
         exception_reason: str | None) -> Plan:
    plan_id = new_id("plan")
    first = min(terms.parts, key=lambda part: (part.number == 0, part.number))
    plan = Plan(
        id=plan_id, practice_id=practice_id, number=counters.next_number(session, practice_id, "plans"),
        guarantor_id=guarantor_id, status=OFFERED if exception_reason else AWAITING_AUTHORIZATION,
        currency=policy_in(session, practice_id).currency, total_minor=terms.total_minor,
        deposit_minor=terms.deposit_minor, interval=terms.interval,
        days=list(terms.days or plan_schedule.anchors(first.due_on, terms.interval)), first_on=first.due_on,
        collects=terms.collects, method_id=terms.method_id, on_extra="shorten", balance_version=balance_version,
        conversation_id=conversation_id, language=language, offered_by=offered_by, exception_reason=exception_reason,
        offered_at=now, offer_ends_at=now + timedelta(days=policy.offer_days), supersedes_id=terms.replaces,
        idempotency_key=key, version=0)
    visits = [PlanVisit(plan_id=plan_id, visit_id=visit_id, practice_id=practice_id, agreed_minor=minor)
              for visit_id, minor in terms.visits]
    parts = [Instalment(plan_id=plan_id, number=part.number, practice_id=practice_id, due_on=part.due_on,
                        amount_minor=part.amount_minor, agreed_minor=part.amount_minor, paid_minor=0,
                        status="planned", tries=0) for part in terms.parts]
    return store.add(session, plan, visits, parts)


def terms_of(session: Session, plan: Plan) -> PlanTerms:
    """What was offered, read back from the plan's rows."""
    return PlanTerms(plan.interval, tuple(int(day) for day in plan.days),
                     tuple(Part(part.number, part.due_on, part.agreed_minor)
                           for part in store.instalments(session, plan.id)),
                     tuple(store.visits(session, plan.id)),
                     "autopay" if plan.collects == "autopay" else "link", plan.method_id, plan.supersedes_id)


def needs_disclosures(session: Session, terms: PlanTerms) -> bool:
    """Whether T-47's disclosures come before signing: five instalments or more, counted with those that came before
    under the plans that these terms take the place of (policy.plans.disclosures_due).
    """
    before = _replaced(session, terms.replaces)
    parts = tuple(Part(part.number, part.due_on, part.amount_minor) for older in before
                  for part in store.instalments(session, older.id))
    return disclosures_due(terms, replace(terms, parts=parts) if parts else None)


def _replaced(session: Session, plan_id: str | None) -> list[Plan]:
    """The plans, newest first, each of which the one before it here took the place of."""
    found: list[Plan] = []
    while plan_id is not None:
        older = store.by_id(session, plan_id)
        if older is None or older.agreed_at is None:
            break
        found.append(older)
        plan_id = older.supersedes_id
    return found


def agree(session: Session, plan: Plan, *, words: str, words_version: str, given_by: str, message_id: str | None,
          method: PaymentMethod | None, disclosures_version: str | None, esign_at: datetime | None,
          now: datetime) -> Authorization:
    """The patient said yes to ``words``: keep them, and run the plan. The same yes again returns the first.

    ``method``: the card or account that will be charged, its last digits in the words; None: paid by link. Raises
    PlanRefused: stale_plan (no such offer any more), offer_over, disclosures (T-47), card_gone, words, hold, on_plan,
    stale_balance (a visit owes less than the plan), charging (of the plan that this one replaces).
    """
    fresh = store.lock(session, plan.id)
    if fresh is None:
        raise PlanRefused("stale_plan")
    plan = fresh
    known = store.authorization(session, plan.authorization_id)
    if known is not None and plan.status in RUNNING and message_id is not None and known.message_id == message_id:
        return known
    terms = terms_of(session, plan)
    _still_offered(session, plan, terms, method, words, disclosures_version, esign_at, now)
    if plan.supersedes_id is not None:
        _supersede(session, plan.supersedes_id, now)
    given = write(session, plan, words=words, words_version=words_version, given_by=given_by, message_id=message_id,
                  method=method, disclosures_version=disclosures_version, esign_at=esign_at, now=now)
    plan.agreed_at = now
    _note_outside(session, plan, now)
    enter(session, plan, ACTIVE, now, by="patient")
    plan_charges.take_signing_as_notice(session, plan, now)
    send_copy(session, plan, given, now)
    return given


def _still_offered(session: Session, plan: Plan, terms: PlanTerms, method: PaymentMethod | None, words: str,
                   disclosures_version: str | None, esign_at: datetime | None, now: datetime) -> None:
    if plan.status != AWAITING_AUTHORIZATION:
        raise PlanRefused("stale_plan", plan.status)
    if plan.offer_ends_at < now:
        raise PlanRefused("offer_over")
    if needs_disclosures(session, terms) and (not disclosures_version or esign_at is None):
        raise PlanRefused("disclosures")
    policy = policy_in(session, plan.practice_id)
    if method is not None:
        _usable_method(session, plan.guarantor_id, method.id)
        if policy.plans is None or not policy.plans.autopay or not policy.payments.saved_cards:
            raise PlanRefused("outside_policy", "autopay_not_offered")
        if method.last4 not in words:
            raise PlanRefused("words", "the words do not name the card")
    visit_ids = [visit_id for visit_id, _ in terms.visits]
    if set(store.with_visits(session, visit_ids, RUNNING)) - {plan.supersedes_id}:
        raise PlanRefused("on_plan")
    if not may_charge(session, plan.guarantor_id, visit_ids, now).sends:
        raise PlanRefused("hold")
    today = policy.local_day(now)
    why = plan_offers.check(terms, policy.plans or PlanPolicy(), today,
                            payable(account_figures(session, plan.guarantor_id, today), terms))
    if why == "balance_moved":
        raise PlanRefused("stale_balance")
    if why and plan.approved_by is None:
        raise PlanRefused("outside_policy", why)


def _supersede(session: Session, plan_id: str, now: datetime) -> None:
    """The plan that ends when the new one begins, in the same transaction."""
    older = store.lock(session, plan_id)
    if older is None or older.status not in RUNNING:
        raise PlanRefused("stale_plan", "the plan to be replaced has ended")
    if any(part.status == "charging" for part in store.instalments(session, older.id)):
        raise PlanRefused("charging")
    revoke(session, older, "system", "superseded", now)
    older.paused_until_on = older.pause_reason = None
    enter(session, older, SUPERSEDED, now, by="patient")


def _note_outside(session: Session, plan: Plan, now: datetime) -> None:
    """What the visits owe beside the plan when it is signed is no news later (plan_money: more_owed)."""
    agreed = dict(store.visits(session, plan.id))
    owed = store.owed_by_visit(session, plan.practice_id, list(agreed))
    above = sum(max(minor, 0) for minor in owed.values()) - sum(agreed.values())
    if above > 0:
        changed(session, plan, "outside", now, amount_minor=above)
