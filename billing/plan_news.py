"""Who hears about a plan: its own log, the patient in a conversation, staff by a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from billing import cases, consents, inbox
from billing.plan_status import RUNNING, move
from billing.store import consent_queries
from billing.store import plan_queries as store
from billing.store.tables import Conversation, Instalment, Outbox, Plan, PlanEvent

#: What a case says in lists: no PHI.
TITLES = {
    "autopay_opt_out": "Texts were stopped by somebody on autopay: ask what was meant",
    "plan_more_owed": "A visit on a plan owes more than was agreed to",
    "plan_paused": "A plan is paused: money for it was taken back",
    "plan_notice": "A plan's notice cannot be sent: give it another way",
    "plan_withheld": "A plan's charge is withheld day after day",
    "plan_defaulted": "A plan has ended because instalments were missed",
    "plan_exception": "A plan outside the policy waits for approval",
    "plan_copy": "The copy of a signed plan did not leave: mail it",
    "plan_stuck": "A plan contradicts itself and was left as it is",
    "plan_rest": "What is left of a plan is too little to charge",
}

#: These statuses of a message mean that it left (billing/message_life.py).
LEFT = frozenset({"sent", "delivered"})

#: These mean that it never will, or never arrived.
LOST = frozenset({"withheld", "failed", "undelivered", "cancelled"})

SYSTEM = "system"


def log(session: Session, plan: Plan, kind: str, now: datetime, *, by: str = SYSTEM, reason: str = "",
        instalment: int | None = None, amount_minor: int | None = None, payment_id: str | None = None) -> None:
    """Add to the plan's log. ``reason`` is a code or staff's own words; no PHI."""
    session.flush()
    store.add_event(session, PlanEvent(
        practice_id=plan.practice_id, plan_id=plan.id, kind=kind, instalment=instalment, amount_minor=amount_minor,
        payment_id=payment_id, by=by, reason=reason[:200], at=now))


def changed(session: Session, plan: Plan, kind: str, now: datetime, *, by: str = SYSTEM, reason: str = "",
            instalment: int | None = None, amount_minor: int | None = None, payment_id: str | None = None) -> None:
    """Log what changed the plan's figures or status: its version and its account's rise, so that nothing decided on
    the old ones is carried out.
    """
    plan.version += 1
    log(session, plan, kind, now, by=by, reason=reason, instalment=instalment, amount_minor=amount_minor,
        payment_id=payment_id)
    store.bump(session, plan.guarantor_id)


def enter(session: Session, plan: Plan, status: str, now: datetime, *, by: str = SYSTEM, reason: str = "") -> None:
    """Take a step of the plan's life and log it. Raises lives.IllegalMove."""
    before = plan.status
    move(plan, status)
    if status not in RUNNING and before in RUNNING:
        plan.ended_at, plan.end_reason = now, reason or status
    changed(session, plan, status, now, by=by, reason=reason)


def tell(session: Session, plan: Plan, kind: str, once: str, now: datetime, *, part: Instalment | None = None,
         more: Mapping[str, Any] | None = None) -> str | None:
    """Put news into a conversation that texts may reach, once per ``once``; return its key, None where there is none.

    The key finds the message that came of it (``said``). ``data`` has account_id, plan_id, plan_number, currency,
    collects, left_minor and, of ``part``, instalment, amount_minor (open cents) and due_on (ISO).
    """
    talk = talk_of(session, plan)
    if talk is None:
        return None
    data: dict[str, Any] = {
        "account_id": plan.guarantor_id, "plan_id": plan.id, "plan_number": plan.number, "currency": plan.currency,
        "collects": plan.collects, "left_minor": left_of(store.instalments(session, plan.id)), "reason": ""}
    if part is not None:
        data |= {"instalment": part.number, "amount_minor": part.amount_minor - part.paid_minor,
                 "due_on": part.due_on.isoformat()}
    card = store.method(session, plan.method_id)
    data |= {"last4": card.last4 if card else "", "method_kind": card.kind if card else "",
             "brand": card.brand if card else ""}
    data |= plain(more or {})
    key = f"{kind}:{plan.id}:{once}"
    inbox.accept_news(session, talk, kind, key, now, data)
    return key


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def left_of(parts: list[Instalment]) -> int:
    """Open cents of all instalments."""
    return sum(max(part.amount_minor - part.paid_minor, 0) for part in parts)


def talk_of(session: Session, plan: Plan) -> Conversation | None:
    """Where a notice may go: the plan's own conversation, else another of the account's; never a number that opted
    out or is wrong (T-48: without notice there is no charge). One whose owner has agreed to be written to first comes
    before those that may only be answered (T-01), such as a phone without a consent beside a chat that was linked.
    """
    points = store.contacts(session, plan.guarantor_id)
    hashes = [point.address_hash for point in points]
    own = store.conversation(session, plan.conversation_id)
    others = [talk for talk in store.conversations_of(session, plan.practice_id, hashes)
              if own is None or talk.id != own.id]
    open_to = [talk for talk in ([own] if own is not None else []) + others if _permitted(session, plan, talk)]
    agreed = (talk for talk in open_to if _agreed(session, plan, talk))
    return next(agreed, open_to[0] if open_to else None)


def _permitted(session: Session, plan: Plan, talk: Conversation) -> bool:
    if not reaches(session, plan.practice_id, talk.address_hash, plan.guarantor_id):
        return False
    return not opted_out(session, plan.practice_id, talk)


def _agreed(session: Session, plan: Plan, talk: Conversation) -> bool:
    """Whether a consent to be written to first is on record for this account here, and complete (T-01, T-14)."""
    return consents.standing(session, plan.practice_id, talk.channel, talk.address_hash, plan.guarantor_id).complete


def reaches(session: Session, practice_id: str, address_hash: str, guarantor_id: str) -> bool:
    """Whether an address may be the guarantor's: nobody has said that it is wrong, or that nothing arrives."""
    statuses = consent_queries.contact_statuses(session, practice_id, address_hash, guarantor_id)
    return not statuses or "ok" in statuses


def opted_out(session: Session, practice_id: str, talk: Conversation) -> bool:
    return consents.standing(session, practice_id, talk.channel, talk.address_hash).opted_out


@dataclass(frozen=True, slots=True)
class Said:
    """What became of news: waits, left (``at``: when) or lost; ``message_id`` is the outbox row once there is one."""

    state: Literal["waits", "left", "lost"]
    message_id: str | None = None
    at: datetime | None = None


def said(session: Session, key: str) -> Said:
    """Whether the news under ``key`` reached the road."""
    inbox_row = store.news(session, key)
    if inbox_row is None:
        return Said("lost")
    message = store.said_in_answer(session, inbox_row.id)
    if message is None:
        return Said("lost" if inbox_row.status in ("done", "failed") else "waits")
    return of_message(message)


def of_message(message: Outbox) -> Said:
    if message.status in LEFT:
        return Said("left", message.id, message.sending_at or message.settled_at or message.created_at)
    return Said("lost" if message.status in LOST else "waits", message.id)


def call_staff(session: Session, plan: Plan, kind: str, once: str, detail: str, now: datetime, *,
               hold: str = "") -> None:
    """Open a case, once per cause; ``detail`` names plans by number and amounts in cents."""
    cases.open_case(session, plan.practice_id, kind=kind, title=TITLES[kind], detail=f"Plan {plan.number}: {detail}",
                    now=now, dedupe=f"{kind}:{once}", guarantor_id=plan.guarantor_id,
                    conversation_id=plan.conversation_id, hold=hold)
