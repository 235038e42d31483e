"""What a patient agreed to be charged under a plan: written down once, ended by revoking it (T-48, T-50)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing.ids import new_id
from billing.plan_news import changed, tell
from billing.store import money_queries
from billing.store import plan_queries as store
from billing.store.tables import Authorization, Instalment, PaymentMethod, Plan


class PlanRefused(Exception):
    """A plan cannot be offered, agreed to or changed so; ``reason`` is one of commands.Refused's, or: disclosures
    (T-47: not shown, or no consent to electronic records), words (they do not name the card), offer_over, no_change.
    """

    def __init__(self, reason: str, why: str = "") -> None:
        super().__init__(f"{reason} ({why})" if why else reason)
        self.reason = reason
        self.why = why


def write(session: Session, plan: Plan, *, words: str, words_version: str, given_by: str, message_id: str | None,
          method: PaymentMethod | None, disclosures_version: str | None, esign_at: datetime | None,
          now: datetime) -> Authorization:
    """Keep what was agreed to, with the schedule as it stands, and make it the plan's."""
    parts = [part for part in store.instalments(session, plan.id) if part.amount_minor > part.paid_minor]
    given = money_queries.add(session, Authorization(
        id=new_id("auth"), practice_id=plan.practice_id, guarantor_id=plan.guarantor_id, purpose="plan",
        plan_id=plan.id, method_id=method.id if method else None, last4=method.last4 if method else None,
        most_minor=max((_open(part) for part in parts), default=plan.total_minor), words=words,
        words_version=words_version, language=plan.language,
        schedule=[[part.number, part.due_on.isoformat(), _open(part)] for part in parts], given_by=given_by,
        message_id=message_id, disclosures_version=disclosures_version, esign_at=esign_at, at=now))
    plan.authorization_id = given.id
    plan.method_id = method.id if method else None
    plan.collects = "autopay" if method else "link"
    return given


def _open(part: Instalment) -> int:
    return part.amount_minor - part.paid_minor


def copy_key(authorization: Authorization) -> str:
    """Under what its copy was put into the conversation."""
    return f"plan_agreed:{authorization.plan_id}:{authorization.id}"


def send_copy(session: Session, plan: Plan, given: Authorization, now: datetime) -> None:
    """T-48: a copy of what was agreed to. The row learns of its message when that has left (plan_days)."""
    tell(session, plan, "plan_agreed", given.id, now,
         more={"authorization_id": given.id, "total_minor": plan.total_minor, "most_minor": given.most_minor})


def stands(session: Session, plan: Plan) -> Authorization | None:
    """The authorization under which the plan may be charged now."""
    given = store.authorization(session, plan.authorization_id)
    return given if given is not None and given.revoked_at is None and given.method_id is not None else None


def revoke(session: Session, plan: Plan, by: str, words: str, now: datetime) -> None:
    """End what was agreed to be charged; what is on its way already is asked about again just before it is made."""
    given = store.authorization(session, plan.authorization_id)
    if given is not None and given.revoked_at is None:
        given.revoked_at, given.revoked_by, given.revoked_words = now, by, words
        session.flush()


def to_link(session: Session, plan: Plan, by: str, words: str, reason: str, now: datetime) -> None:
    """No more charges: the plan goes on, each instalment paid by link or at the desk."""
    revoke(session, plan, by, words, now)
    plan.collects, plan.method_id = "link", None
    for part in store.instalments(session, plan.id):
        if part.status == "noticed" and part.paid_minor < part.amount_minor:
            forget_notice(part)
        elif part.status == "retrying":
            part.retry_on = None
    changed(session, plan, "pay_by_link", now, by=by, reason=reason)


def forget_notice(part: Instalment) -> None:
    """Its notice said something else: it will be told of anew before anything is asked for."""
    part.status = "planned"
    part.notice_id = part.noticed_at = part.noticed_minor = part.retry_on = None
