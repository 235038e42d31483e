"""The facts of a ruling as JSON for the verdict: ids, dates, codes and amounts; no name, number, address or words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from billing.policy.core import AccountFacts, Facts, MessageFacts, RecipientFacts, Ruling, Zone


def as_json(facts: Facts, objections: tuple[Ruling, ...] = ()) -> dict[str, Any]:
    """Return all that was known, so that the ruling can be made again later, by these rules or others."""
    return {
        "now": _instant(facts.now), "stage": facts.stage, "practice": _practice(facts),
        "message": _message(facts.message), "recipient": _recipient(facts.recipient, facts.now),
        "account": _account(facts.account),
        "objections": [{"rule": o.rule, "outcome": o.outcome, "reason": o.reason, "until_at": _instant(o.until_at)}
                       for o in objections],
    }


def _practice(facts: Facts) -> dict[str, Any]:
    policy = facts.practice.policy
    kept = policy.model_dump(mode="json", include={"sending", "zone", "region", "languages", "text_window",
                                                   "baa_signed", "ledger_of_record", "telegram"})
    if kept["telegram"]:  # when and how far, but not who: a verdict holds no names
        kept["telegram"].pop("accepted_by")
    return {"configured": facts.practice.configured, "takes_replies": facts.practice.takes_replies,
            "vendor": facts.practice.vendor, **kept}


def _message(m: MessageFacts) -> dict[str, Any]:
    return {
        "purpose": m.purpose, "template": m.template, "template_version": m.template_version, "privacy": m.privacy,
        "internal": m.internal, "language": m.language, "channel": m.channel, "segments": m.segments,
        "inbound_age_seconds": _seconds(m.inbound_age), "carrier_answered": m.carrier_answered,
        "amount_minor": m.amount_minor, "balance_version": m.balance_version, "statement_id": m.statement_id,
        "introduces": m.introduces, "says_no_replies": m.says_no_replies, "links": m.links,
        "shorteners": list(m.shorteners), "identifiers": list(m.identifiers), "card_number": m.card_number,
    }


def _recipient(r: RecipientFacts, now: datetime) -> dict[str, Any]:
    return {
        "guarantor_id": r.guarantor_id, "confirmed": r.confirmed, "region": r.region,
        "local_time": [_clock(zone, now) for zone in r.zones], "opted_out": r.opted_out,
        "opt_out_event_id": r.opt_out_event_id, "consent_event_id": r.consent_event_id,
        "consent_complete": r.consent_complete, "contact_status": r.contact_status,
        "detail_event_id": r.detail_event_id, "verified": r.verified,
        "verified_idle_seconds": _seconds(r.verified_idle), "locked": r.locked,
        "demands_at": [_instant(at) for at in r.demands_at], "confirmations": r.confirmations,
        "introduced": r.introduced, "paid_age_seconds": _seconds(r.paid_age),
        "own_hours": r.own_hours.to_json() if r.own_hours else None, "own_hours_id": r.own_hours_id, "way": r.way,
        "way_only": r.way_only, "way_id": r.way_id, "confidential_id": r.confidential_id,
    }


def _clock(zone: Zone, now: datetime) -> dict[str, str]:
    local = now.astimezone(ZoneInfo(zone.name))
    return {"zone": zone.name, "known_by": zone.known_by, "local": local.isoformat(timespec="minutes"),
            "weekday": local.strftime("%a")}


def _account(a: AccountFacts) -> dict[str, Any]:
    return {
        "due_now_minor": a.due_now_minor, "pending_minor": a.pending_minor, "on_plan_minor": a.on_plan_minor,
        "credit_minor": a.credit_minor, "balance_version": a.balance_version,
        "due_visits": [list(pair) for pair in a.due_visits], "pending_visits": list(a.pending_visits),
        "confidential_visits": list(a.confidential_visits), "negative_pending": a.negative_pending,
        "holds": [{"kind": h.kind, "visit_id": h.visit_id, "id": h.hold_id} for h in a.holds],
        "unfinished_import": a.unfinished_import, "stale": a.stale, "payment_in_flight": a.payment_in_flight,
        "language_met": a.language_met,
    }


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _seconds(age: timedelta | None) -> int | None:
    return int(age.total_seconds()) if age is not None else None
