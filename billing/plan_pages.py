"""An instalment plan as content of its page and its paper: schedule, visits, how it is collected, how it was agreed.

Amounts in cents, days as ISO dates of the practice; words are templates/plan_sheets.py's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import methods, plans
from billing.figures import AccountFigures, account_figures
from billing.plan_status import AWAITING_AUTHORIZATION, PROPOSED
from billing.plan_terms import PlanTerms
from billing.statement_content import StatementRefused, frame
from billing.store import plan_page_queries as store
from billing.store import statement_queries
from billing.store.practices import policy_in
from billing.store.tables import Authorization, Instalment, PaymentMethod, Plan
from config.payment_policy import PlanPolicy
from config.practice import PracticePolicy

#: Where a card payment forgoes protections of medical debt, that is said before a card is asked for (T-54).
_WARNED_REGION = "NY"


def content(session: Session, plan: Plan, language: str, now: datetime, way: str = "") -> dict[str, Any]:
    """Everything that a page or paper of ``plan`` shows. ``way``: how somebody looks at an offer ("link", "auto");
    empty for the plan's own.

    Raises LookupError for an account that is gone, StatementRefused when the plan pays for a confidential visit: a
    person hands that one out.
    """
    guarantor = statement_queries.find_guarantor(session, plan.guarantor_id)
    if guarantor is None:
        raise LookupError("no such account")
    policy = policy_in(session, plan.practice_id)
    today = policy.local_day(now)
    account = account_figures(session, plan.guarantor_id, today)
    rows = store.instalments_of(session, plan.id)
    terms = plans.terms_of(session, plan)
    card, consents = _card_of(session, plan, today), _consents(session, plan, policy)
    return {
        **frame(guarantor, policy, language, today), "kind": "plan", "plan_id": plan.id, "number": plan.number,
        "status": plan.status, "version": plan.version, **_sums(plan, rows, terms),
        "collects": _collects(plan, way), "card": card_facts(card) if card else None,
        "parts": [_part(row) for row in rows], "visits": _visits(session, plan, account),
        "obstacle": obstacle_to(plan, terms, account, now),
        "needs_disclosures": plans.needs_disclosures(session, terms),
        "offer_ends_on": policy.local_day(plan.offer_ends_at).isoformat(),
        "paused_until": plan.paused_until_on.isoformat() if plan.paused_until_on else None,
        "autopay": _autopay(policy), **_rules(policy),
        "ny_warning": policy.region == _WARNED_REGION and policy.payments.ny_card_warning,
        "agreed": consents[0] if consents else None, "since": consents[1:],
    }


def obstacle_to(plan: Plan, terms: PlanTerms, account: AccountFigures, now: datetime) -> str:
    """Why nobody can agree to this plan now: waiting (for a person's approval), ended, held, moved (a visit owes less
    than it did). Empty when nothing is in the way, and for a plan that was agreed to.
    """
    if plan.status not in PROPOSED:
        return ""
    if now >= plan.offer_ends_at:
        return "ended"
    if plan.status != AWAITING_AUTHORIZATION:
        return "waiting"
    by_visit = {visit.visit_id: visit.figures for visit in account.visits}
    figures = [(by_visit.get(visit_id), minor) for visit_id, minor in terms.visits]
    if any(one is not None and one.held_minor > 0 for one, _ in figures):
        return "held"
    left = [(one.due_now_minor + one.on_plan_minor if one is not None else 0, minor) for one, minor in figures]
    return "moved" if any(owed < minor for owed, minor in left) else ""


def card_facts(card: PaymentMethod) -> dict[str, str]:
    """What a patient knows a card or bank account by."""
    return {"kind": card.kind, "brand": card.brand, "last4": card.last4}


def _card_of(session: Session, plan: Plan, today: date) -> PaymentMethod | None:
    """The plan's card; before it is agreed to, the one that the patient would use: given last."""
    own = store.method(session, plan.guarantor_id, plan.method_id) if plan.method_id else None
    if plan.status not in PROPOSED or (own is not None and own.status == "active"):
        return own
    return newest_card(session, plan.guarantor_id, today)


def newest_card(session: Session, guarantor_id: str, today: date) -> PaymentMethod | None:
    """The card on file that was given last and can be used on a practice-local day."""
    return next((card for card in methods.usable(session, guarantor_id)
                 if card.expires_on is None or card.expires_on >= today), None)


def _collects(plan: Plan, way: str) -> str:
    chosen = {"link": "link", "auto": "autopay"}.get(way)
    return chosen if chosen and plan.status in PROPOSED else plan.collects


def _sums(plan: Plan, rows: Sequence[Instalment], terms: PlanTerms) -> dict[str, Any]:
    return {"total_minor": plan.total_minor, "deposit_minor": plan.deposit_minor, "most_minor": terms.most_minor,
            "count": len(terms.instalments), "interval": plan.interval,
            "paid_minor": sum(row.paid_minor for row in rows),
            "left_minor": sum(max(row.amount_minor - row.paid_minor, 0) for row in rows)}


def _part(row: Instalment) -> dict[str, Any]:
    return {"number": row.number, "due_on": row.due_on.isoformat(), "amount_minor": row.amount_minor,
            "agreed_minor": row.agreed_minor, "paid_minor": row.paid_minor, "status": row.status}


def _visits(session: Session, plan: Plan, account: AccountFigures) -> list[dict[str, Any]]:
    about = {visit.visit_id: visit for visit in account.visits}
    covered = store.visits_of(session, plan.id)
    hidden = [one.visit_id for one in covered if one.visit_id in about and about[one.visit_id].confidential]
    if hidden:
        raise StatementRefused("confidential", "the plan pays for a confidential visit", hidden)
    return [{"visit_id": one.visit_id, "external": one.external, "amount_minor": one.agreed_minor,
             "service_on": _iso(one.service_on),
             "provider": about[one.visit_id].provider if one.visit_id in about else ""} for one in covered]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _autopay(policy: PracticePolicy) -> bool:
    return policy.payments.saved_cards and policy.plans is not None and policy.plans.autopay


def _rules(policy: PracticePolicy) -> dict[str, Any]:
    rules = policy.plans or PlanPolicy()
    return {"notice_days": rules.notice_days, "retry_after_days": list(rules.retry_after_days),
            "missed_before_default": rules.missed_before_default}


def _consents(session: Session, plan: Plan, policy: PracticePolicy) -> list[dict[str, Any]]:
    """What began the plan, and what was agreed to since (another card), oldest first."""
    return [_consent(session, one, ZoneInfo(policy.zone)) for one in store.authorizations_of(session, plan.id)]


def _consent(session: Session, given: Authorization, zone: ZoneInfo) -> dict[str, Any]:
    """The words as they were agreed to, and the moments in the practice's own time."""
    def local(at: datetime | None) -> str | None:
        return at.astimezone(zone).isoformat(timespec="minutes") if at else None

    card = store.method(session, given.guarantor_id, given.method_id) if given.method_id else None
    return {"words": given.words, "words_version": given.words_version, "language": given.language,
            "given_by": given.given_by, "card": {**card_facts(card), "last4": given.last4 or ""} if card else None,
            "at": local(given.at), "esign_at": local(given.esign_at), "revoked_at": local(given.revoked_at),
            "disclosures_version": given.disclosures_version, "disclosures": given.disclosures,
            "schedule": [[int(number), str(day), int(minor)] for number, day, minor in given.schedule]}
