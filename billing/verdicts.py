"""The receipts of the gate's rulings, told whole: of a message, of a payment, of a plan's charges.

For ``plainbill why`` and the console: ids, days, amounts, rules and facts; no body, no name, no address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.policy.register import rule_by_id
from billing.store import facts as store
from billing.store import money_queries, plan_queries
from billing.store.practices import policy_in
from billing.store.tables import Outbox, Payment, Plan, ProcessorCall, Verdict


def explain(session: Session, subject_id: str) -> dict[str, Any]:
    """The story of a message, a payment or a plan, told by its id. Raises LookupError for an unknown id."""
    tell = {"payment": explain_payment, "plan": explain_plan, "message": explain_message}[kind_of(subject_id)]
    return tell(session, subject_id)


def kind_of(subject_id: str) -> str:
    """What an id is the id of: message, payment or plan."""
    return {"pay": "payment", "plan": "plan"}.get(subject_id.partition("_")[0], "message")


def explain_message(session: Session, message_id: str) -> dict[str, Any]:
    """A message's life and every verdict with rule, source and facts. Raises LookupError for an unknown id."""
    row = store.message(session, message_id)
    if row is None:
        raise LookupError(f"there is no message {message_id}; the outbox lists them")
    return {
        "message": row.id, "practice": row.practice_id, "status": row.status, "channel": row.channel,
        "purpose": row.purpose, "template": row.template, "template_version": row.template_version,
        "language": row.language, "privacy": row.privacy, "account": row.guarantor_id,
        "statement": row.statement_id, "amount_minor": row.amount_minor, "balance_version": row.balance_version,
        "segments": row.segments, "step": row.step, "passed_over": row.passed or [], "attempts": row.attempts,
        "error_code": row.error_code, "due_at": _iso(row.due_at),
        "life": _life_of_message(row),
        "verdicts": _verdicts(session, row.practice_id, store.verdicts_of(session, row.id)),
    }


def explain_payment(session: Session, payment_id: str) -> dict[str, Any]:
    """A payment's life and every verdict about its charge, those included by which its instalment was put off before.

    Raises LookupError for an unknown id.
    """
    row = session.get(Payment, payment_id)
    if row is None:
        raise LookupError(f"there is no payment {payment_id}; plainbill payments lists them")
    before = [one for one in store.verdicts_of_plan(session, row.plan_id)
              if one.plan_id and one.instalment == row.instalment and one.at <= row.created_at] if row.plan_id else []
    return {
        "payment": row.id, "practice": row.practice_id, "status": row.status, "account": row.guarantor_id,
        "way": row.way, "tender": row.tender, "amount_minor": row.amount_minor, "refunded_minor": row.refunded_minor,
        "plan": row.plan_id, "instalment": row.instalment, "method": row.method_id, "failure": row.failure,
        "life": _life_of_payment(row, money_queries.calls_of(session, [row.id])),
        "verdicts": _verdicts(session, row.practice_id, [*before, *store.verdicts_of_payment(session, row.id)]),
    }


def explain_plan(session: Session, plan_id: str) -> dict[str, Any]:
    """What became of a plan's charges, and every verdict about one. Raises LookupError for an unknown id."""
    row = session.get(Plan, plan_id)
    if row is None:
        raise LookupError(f"there is no plan {plan_id}; plainbill plans lists them")
    return {
        "plan": row.id, "practice": row.practice_id, "status": row.status, "account": row.guarantor_id,
        "collects": row.collects,
        "life": [_moment(event.kind if not event.reason else f"{event.kind}: {event.reason}", event.at,
                         instalment=event.instalment, payment=event.payment_id)
                 for event in plan_queries.events(session, row.id)],
        "verdicts": _verdicts(session, row.practice_id, store.verdicts_of_plan(session, row.id)),
    }


def _life_of_message(row: Outbox) -> list[dict[str, Any]]:
    moments = (("queued", row.created_at), ("began to send", row.sending_at), ("looked up", row.looked_up_at),
               (row.status, row.settled_at))
    return [_moment(what, at) for what, at in moments if at is not None]


def _life_of_payment(row: Payment, calls: Sequence[ProcessorCall]) -> list[dict[str, Any]]:
    moments = [("written down", row.created_at), *((f"{one.kind}: asked", one.first_called_at) for one in calls),
               *((f"{one.kind}: {one.status}{f' ({one.code})' if one.code else ''}", one.settled_at) for one in calls),
               ("paid", row.paid_at)]
    found = [(what, at) for what, at in moments if at is not None]
    return [_moment(what, at) for what, at in sorted(found, key=lambda one: one[1])]


def _moment(what: str, at: datetime, **more: Any) -> dict[str, Any]:
    return {"what": what, "at": at.isoformat(), **{name: value for name, value in more.items() if value is not None}}


def _verdicts(session: Session, practice_id: str, rows: Sequence[Verdict]) -> list[dict[str, Any]]:
    policy = policy_in(session, practice_id)
    return [_verdict(row, policy.zone) for row in rows]


def _verdict(v: Verdict, zone: str) -> dict[str, Any]:
    rule = rule_by_id(v.rule)
    about = {name: value for name, value in (("payment", v.payment_id), ("plan", v.plan_id),
                                             ("instalment", v.instalment)) if value is not None}
    return {**about, "stage": v.stage, "outcome": v.outcome, "rule": v.rule, "title": rule.title if rule else "",
            "citation": rule.citation if rule else "", "evidence": rule.evidence if rule else "",
            "configured": rule.configured if rule else "", "reason": v.reason, "until_at": _iso(v.until_at),
            "at": v.at.isoformat(), "at_practice": v.at.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes"),
            "facts": v.facts}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
