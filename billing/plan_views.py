"""Plans as conversations and staff see them: frozen views, and a plan's whole story."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import methods
from billing.plan_consents import stands
from billing.plan_money import open_of
from billing.plan_status import PROPOSED, RUNNING
from billing.store import plan_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Authorization, Instalment, PaymentMethod, Plan
from billing.views import InstalmentView, MethodView, PlanView


def of_account(session: Session, guarantor_id: str, now: datetime) -> tuple[PlanView, ...]:
    """Offered and running plans of an account, newest first; offers that have run out are left out."""
    found = store.of_account(session, guarantor_id, RUNNING | PROPOSED)
    return tuple(_view(session, plan, now) for plan in found if plan.status in RUNNING or plan.offer_ends_at >= now)


def _view(session: Session, plan: Plan, now: datetime) -> PlanView:
    from billing.plan_changes import skips_left  # the changes need this module's neighbours

    parts = store.instalments(session, plan.id)
    card = store.method(session, plan.method_id)
    return PlanView(
        plan.id, plan.number, plan.status, plan.version, plan.total_minor, sum(open_of(part) for part in parts),
        plan.interval, tuple(int(day) for day in plan.days), plan.collects,
        method_view(card) if card is not None and card.status == "active" else None, plan.on_extra,
        tuple(InstalmentView(p.number, p.due_on, p.amount_minor, p.paid_minor, p.status) for p in parts),
        tuple(visit_id for visit_id, _ in store.visits(session, plan.id)), plan.paused_until_on,
        skips_left(session, plan, now) if plan.status in RUNNING else 0)


def methods_view(session: Session, guarantor_id: str, today: date | None = None) -> tuple[MethodView, ...]:
    """Cards and bank accounts on file that may be used, newest first; with ``today`` without those that ran out."""
    found = sorted(methods.usable(session, guarantor_id), key=lambda one: (one.created_at, one.id), reverse=True)
    return tuple(method_view(one) for one in found
                 if today is None or one.expires_on is None or one.expires_on >= today)


def method_view(row: PaymentMethod) -> MethodView:
    return MethodView(row.id, row.kind, row.brand, row.last4, row.expires_on)


def listing(session: Session, practice_id: str, status: str | None = None) -> list[dict[str, Any]]:
    """Every plan of a practice in a few words, by number; JSON-able."""
    return [_line(session, plan) for plan in store.listed(session, practice_id, status)]


def _line(session: Session, plan: Plan) -> dict[str, Any]:
    parts = store.instalments(session, plan.id)
    coming = next((part for part in parts if open_of(part) > 0), None)
    return {
        "plan": plan.id, "number": plan.number, "account": plan.guarantor_id, "status": plan.status,
        "total_minor": plan.total_minor, "paid_minor": sum(part.paid_minor for part in parts),
        "left_minor": sum(open_of(part) for part in parts), "currency": plan.currency, "collects": plan.collects,
        "instalments": sum(1 for part in parts if part.number > 0),
        "next_on": coming.due_on.isoformat() if coming else None,
        "next_minor": open_of(coming) if coming else None,
        "missed": sum(1 for part in parts if part.missed_on is not None and open_of(part) > 0)}


def show(session: Session, practice_id: str, plan_id: str) -> dict[str, Any]:
    """A plan's whole story, by its id or number; JSON-able, without words that hold PHI but the signed ones.

    Raises LookupError.
    """
    plan = store.find(session, practice_id, plan_id)
    if plan is None:
        raise LookupError("there is no such plan")
    zone = policy_in(session, practice_id).zone
    standing = stands(session, plan)
    return {
        **_line(session, plan), "zone": zone, "version": plan.version, "deposit_minor": plan.deposit_minor,
        "interval": plan.interval, "days": [int(day) for day in plan.days], "on_extra": plan.on_extra,
        "offered_by": plan.offered_by, "offered_at": _iso(plan.offered_at), "offer_ends_at": _iso(plan.offer_ends_at),
        "exception_reason": plan.exception_reason, "approved_by": plan.approved_by,
        "approved_at": _iso(plan.approved_at), "agreed_at": _iso(plan.agreed_at), "paused_at": _iso(plan.paused_at),
        "paused_until_on": _iso(plan.paused_until_on), "pause_reason": plan.pause_reason,
        "behind_since_on": _iso(plan.behind_since_on), "ended_at": _iso(plan.ended_at),
        "end_reason": plan.end_reason, "supersedes": plan.supersedes_id,
        "may_charge": standing is not None and plan.collects == "autopay",
        "visits": [{"visit": visit_id, "agreed_minor": minor} for visit_id, minor in store.visits(session, plan.id)],
        "schedule": [_part(part) for part in store.instalments(session, plan.id)],
        "authorizations": [_authorization(given) for given in store.authorizations(session, plan.id)],
        "payments": [{"payment": p.id, "instalment": p.instalment, "amount_minor": p.amount_minor, "way": p.way,
                      "status": p.status, "failure": p.failure, "at": _iso(p.created_at)}
                     for p in store.payments_of(session, plan.id)],
        "events": [{"kind": e.kind, "at": _iso(e.at), "by": e.by, "instalment": e.instalment,
                    "amount_minor": e.amount_minor, "payment": e.payment_id, "reason": e.reason}
                   for e in store.events(session, plan.id)]}


def _part(part: Instalment) -> dict[str, Any]:
    return {"number": part.number, "due_on": _iso(part.due_on), "agreed_minor": part.agreed_minor,
            "amount_minor": part.amount_minor, "paid_minor": part.paid_minor, "open_minor": open_of(part),
            "status": part.status, "notice": part.notice_id, "noticed_at": _iso(part.noticed_at),
            "tries": part.tries, "retry_on": _iso(part.retry_on), "missed_on": _iso(part.missed_on),
            "settled_at": _iso(part.settled_at)}


def _authorization(given: Authorization) -> dict[str, Any]:
    return {"authorization": given.id, "at": _iso(given.at), "given_by": given.given_by, "message": given.message_id,
            "words": given.words, "words_version": given.words_version, "language": given.language,
            "method": given.method_id, "last4": given.last4, "most_minor": given.most_minor,
            "schedule": given.schedule, "disclosures_version": given.disclosures_version,
            "esign_at": _iso(given.esign_at), "copy": given.copy_message_id, "revoked_at": _iso(given.revoked_at),
            "revoked_by": given.revoked_by}


def _iso(value: date | datetime | None) -> str | None:
    return value.isoformat() if value is not None else None
