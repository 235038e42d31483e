"""The facts of a ruling as JSON for the verdict: ids, dates, codes and amounts; no name, number, address or words."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from billing.own_hours import OwnHours
from billing.policy.core import (
    AccountFacts,
    ChargeFacts,
    Facts,
    HoldFact,
    MessageFacts,
    PracticeFacts,
    RecipientFacts,
    Ruling,
    Zone,
)
from config.practice import PracticePolicy

#: All of a practice's policy that a rule about messages looks at.
POLICY_READ = frozenset({"sending", "zone", "region", "languages", "text_window", "baa_signed", "ledger_of_record",
                         "telegram", "frequency", "collections"})

#: And what one about charges looks at as well.
CHARGING_READ = frozenset({"payments", "plans"})

#: What a policy must have and no rule looks at: names and addresses stay out of verdicts.
_NAMELESS = {"name": "On record", "legal_name": "On record", "phone": "On record", "address": "On record"}


class RecordError(ValueError):
    """Facts on record that lack what a ruling needs; they were written by an older version."""


def as_json(facts: Facts, objections: tuple[Ruling, ...] = ()) -> dict[str, Any]:
    """Return all that was known, so that the ruling can be made again later, by these rules or others."""
    charge = {"charge": _charge(facts.charge), "charging": _charging(facts)} if facts.charge is not None else {}
    return {
        "now": _instant(facts.now), "stage": facts.stage, "practice": _practice(facts),
        "message": _message(facts.message), "recipient": _recipient(facts.recipient, facts.now),
        "account": _account(facts.account), **charge,
        "objections": [{"rule": o.rule, "outcome": o.outcome, "reason": o.reason, "until_at": _instant(o.until_at)}
                       for o in objections],
    }


def _practice(facts: Facts) -> dict[str, Any]:
    policy = facts.practice.policy
    kept = policy.model_dump(mode="json", include=set(POLICY_READ))
    kept["collections"] = {"states": list(policy.collections.states)}
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
        "campaign": m.campaign, "says_opt_out": m.says_opt_out, "says_collector": m.says_collector,
        "says_attempt": m.says_attempt, "validates": m.validates, "bad_words": list(m.bad_words),
        "room_at": _instant(m.room_at),
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
        "capacity": r.capacity, "household_at": [_instant(at) for at in r.household_at],
        "demanded_at": _instant(r.demanded_at), "at_work": r.at_work, "texted_age_seconds": _seconds(r.texted_age),
        "reassigned_age_seconds": _seconds(r.reassigned_age), "pilot": r.pilot, "contacted": r.contacted,
        "validated_at": _instant(r.validated_at),
    }


def _clock(zone: Zone, now: datetime) -> dict[str, str]:
    local = now.astimezone(ZoneInfo(zone.name))
    return {"zone": zone.name, "known_by": zone.known_by, "local": local.isoformat(timespec="minutes"),
            "weekday": local.strftime("%a")}


def _account(a: AccountFacts) -> dict[str, Any]:
    return {
        "due_now_minor": a.due_now_minor, "pending_minor": a.pending_minor, "on_plan_minor": a.on_plan_minor,
        "credit_minor": a.credit_minor, "balance_version": a.balance_version,
        "due_visits": [list(pair) for pair in a.due_visits],
        "payable_visits": [list(pair) for pair in a.payable_visits], "pending_visits": list(a.pending_visits),
        "confidential_visits": list(a.confidential_visits), "negative_pending": a.negative_pending,
        "holds": [{"kind": h.kind, "visit_id": h.visit_id, "id": h.hold_id} for h in a.holds],
        "unfinished_import": a.unfinished_import, "stale": a.stale, "payment_in_flight": a.payment_in_flight,
        "language_met": a.language_met,
    }


def _charge(c: ChargeFacts) -> dict[str, Any]:
    kept = {field.name: getattr(c, field.name) for field in fields(c) if field.name != "notice_age"}
    return {**kept, "split": [list(part) for part in c.split], "notice_age_seconds": _seconds(c.notice_age)}


def _charging(facts: Facts) -> dict[str, Any]:
    """All of a practice's policy that rules about charges look at, beside what those about messages do."""
    policy = facts.practice.policy
    plans = policy.plans.model_dump(mode="json", include={"autopay", "notice_days"}) if policy.plans else None
    return {"payments": {"saved_cards": policy.payments.saved_cards}, "plans": plans}


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _seconds(age: timedelta | None) -> int | str | None:
    """Whole seconds as such; with parts of one the microseconds as text, as a limit may lie between."""
    if age is None:
        return None
    return f"{age // timedelta(microseconds=1)}us" if age.microseconds else age // timedelta(seconds=1)


def from_json(kept: dict[str, Any]) -> Facts:
    """Return the facts that ``as_json`` wrote down. Raises RecordError for facts that are not whole."""
    try:
        return Facts(_at(kept["now"]), kept["stage"], _practice_of({**kept["practice"], **kept.get("charging", {})}),
                     _message_of(kept["message"]), _recipient_of(kept["recipient"]), _account_of(kept["account"]),
                     _charge_of(kept["charge"]) if "charge" in kept else None)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"these facts cannot be replayed, they were recorded by an older version ({error!r})"
                          ) from error


def _practice_of(kept: dict[str, Any]) -> PracticeFacts:
    told = {name: kept[name] for name in POLICY_READ} | {name: kept[name] for name in CHARGING_READ if name in kept}
    if told["telegram"]:
        told["telegram"] = {**told["telegram"], "accepted_by": "On record"}
    policy = PracticePolicy.model_validate({**_NAMELESS, **told})
    return PracticeFacts(policy, kept["configured"], kept["takes_replies"], kept["vendor"])


def _message_of(kept: dict[str, Any]) -> MessageFacts:
    lists = {name: tuple(kept[name]) for name in ("shorteners", "identifiers", "bad_words")}
    read = {**lists, "inbound_age": _age(kept["inbound_age_seconds"]), "room_at": _maybe_at(kept["room_at"])}
    return MessageFacts(**{**_without(kept, "inbound_age_seconds"), **read})


def _recipient_of(kept: dict[str, Any]) -> RecipientFacts:
    ages = ("verified_idle", "paid_age", "texted_age", "reassigned_age")
    read: dict[str, Any] = {name: _age(kept[f"{name}_seconds"]) for name in ages}
    read |= {name: tuple(_at(at) for at in kept[name]) for name in ("demands_at", "household_at")}
    read |= {name: _maybe_at(kept[name]) for name in ("demanded_at", "validated_at")}
    read["zones"] = tuple(Zone(one["zone"], one["known_by"]) for one in kept["local_time"])
    read["own_hours"] = OwnHours.from_json(kept["own_hours"]) if kept["own_hours"] else None
    return RecipientFacts(**{**_without(kept, "local_time", *(f"{name}_seconds" for name in ages)), **read})


def _account_of(kept: dict[str, Any]) -> AccountFacts:
    read: dict[str, Any] = {name: tuple((str(visit), int(minor)) for visit, minor in kept[name])
                            for name in ("due_visits", "payable_visits")}
    read |= {name: tuple(kept[name]) for name in ("pending_visits", "confidential_visits")}
    read["holds"] = tuple(HoldFact(one["kind"], one["visit_id"], one["id"]) for one in kept["holds"])
    return AccountFacts(**{**kept, **read})


def _charge_of(kept: dict[str, Any]) -> ChargeFacts:
    split = tuple((str(visit), minor) for visit, minor in kept["split"])
    return ChargeFacts(**{**_without(kept, "notice_age_seconds"), "split": split,
                          "notice_age": _age(kept["notice_age_seconds"])})


def _without(kept: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in kept.items() if name not in names}


def _at(iso: str) -> datetime:
    return datetime.fromisoformat(iso)


def _maybe_at(iso: str | None) -> datetime | None:
    return _at(iso) if iso is not None else None


def _age(kept: int | str | None) -> timedelta | None:
    if isinstance(kept, str):
        return timedelta(microseconds=int(kept.removesuffix("us")))
    return timedelta(seconds=kept) if kept is not None else None
