"""The rules once more, written down naively and sharing nothing with billing/policy: what may certainly not leave.

One plain function a rule, named in RULES as the register names it. They read the facts and nothing else of the gate.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.policy.core import Facts
from tests.policy import naive_holds
from tests.policy.naive_hours import in_own_hours, is_awake, quiet

__all__ = ["RULES", "forbids", "objections", "quiet"]

CARRIER = ("stop_confirmation", "start_confirmation", "help", "emergency")
WEEK = timedelta(days=7)


def is_demand(f: Facts) -> bool:
    return f.message.purpose == "statement" or f.message.purpose == "reminder"


def is_unasked(f: Facts) -> bool:
    if is_demand(f):
        return True
    if f.message.purpose in CARRIER or f.message.internal:
        return False
    return f.message.inbound_age is None or f.message.inbound_age > WEEK


def is_text(f: Facts) -> bool:
    return f.message.channel in ("sms", "telegram", "console")


def is_free(f: Facts) -> bool:
    """Neither a carrier's answer nor a note to the practice's own people."""
    return f.message.purpose not in CARRIER and not f.message.internal


def due_visits(f: Facts) -> list[str]:
    return [visit for visit, minor in f.account.due_visits if minor > 0]


def zones(f: Facts) -> list[str]:
    return [zone.name for zone in f.recipient.zones] or [f.practice.policy.zone]


def waits(f: Facts) -> bool:
    """Whether the hour matters at all: not for letters, nor for what answers a text or a payment of just now."""
    if f.message.channel == "paper":
        return False
    if is_demand(f):
        return True
    if not is_free(f):
        return False
    paid = f.recipient.paid_age
    if f.message.purpose == "receipt" and paid is not None and paid <= timedelta(minutes=15):
        return False
    return f.message.inbound_age is None or f.message.inbound_age > timedelta(hours=1)


def t_01(f: Facts) -> bool:
    return is_text(f) and is_unasked(f) and f.recipient.consent_event_id is None


def t_03(f: Facts) -> bool:
    return is_unasked(f) and f.recipient.opted_out


def t_04(f: Facts) -> bool:
    return not is_unasked(f) and f.recipient.opted_out and f.message.purpose not in CARRIER


def t_05(f: Facts) -> bool:
    m = f.message
    if m.purpose not in ("stop_confirmation", "start_confirmation"):
        return False
    second = m.purpose == "stop_confirmation" and f.recipient.confirmations > 0
    late = m.inbound_age is None or m.inbound_age > timedelta(minutes=5)
    return second or late or m.carrier_answered or m.links > 0 or m.amount_minor is not None or m.privacy == "amounts"


def t_07(f: Facts) -> bool:
    return not f.practice.takes_replies and not f.message.says_no_replies and not f.message.internal


def t_08(f: Facts) -> bool:
    state_cap = {"FL": 3, "OK": 3, "MD": 3, "OR": 3}.get(f.recipient.region or "", 10)
    cap = min(f.practice.policy.text_window.per_24_hours, state_cap)
    lately = [at for at in f.recipient.demands_at if f.now - at < timedelta(hours=24)]
    return (is_demand(f) and len(lately) >= cap) or (waits(f) and quiet(f, f.now, zones(f)))


def t_12(f: Facts) -> bool:
    return f.message.purpose == "help" and f.message.carrier_answered


def t_14(f: Facts) -> bool:
    r = f.recipient
    if not is_text(f) or not is_unasked(f) or r.consent_event_id is None:
        return False
    return not r.consent_complete or not (r.introduced or f.message.introduces)


def t_15(f: Facts) -> bool:
    if not is_text(f):
        return False
    if f.recipient.capacity == "collector" and is_free(f):
        return True
    return is_unasked(f) and "debt relief" in f.message.bad_words


def t_16(f: Facts) -> bool:
    return f.message.room_at is not None and f.message.room_at > f.now and is_unasked(f)


def t_17(f: Facts) -> bool:
    if f.message.shorteners:
        return True
    most = 6 if is_unasked(f) else 10
    return is_text(f) and f.message.segments > most and f.message.purpose not in CARRIER


def t_19(f: Facts) -> bool:
    risk, today = f.practice.policy.telegram, f.now.astimezone(ZoneInfo(f.practice.policy.zone)).date()
    if f.message.channel != "telegram" or f.message.purpose == "emergency":
        return False
    if risk is None or risk.accepted_on > today:
        return True
    if f.message.privacy == "open":
        return False
    return is_demand(f) or not risk.detail_allowed or f.recipient.detail_event_id is None


def t_21(f: Facts) -> bool:
    own = f.recipient.own_hours
    if own is None or not is_unasked(f) or not waits(f):
        return False
    return quiet(f, f.now, zones(f)) or not all(in_own_hours(own, f.now, zone) for zone in zones(f))


def t_21_outer(f: Facts) -> bool:
    if f.recipient.capacity != "collector" or not is_unasked(f) or not is_free(f) or f.message.channel == "paper":
        return False
    return not all(is_awake(f.now, zone) for zone in zones(f))


def t_22(f: Facts) -> bool:
    if not is_free(f) or f.message.says_opt_out:
        return False
    return f.message.channel == "email" or (f.recipient.capacity == "collector" and f.message.channel != "paper")


def t_23(f: Facts) -> bool:
    if f.recipient.capacity != "collector" or not is_unasked(f) or not is_free(f):
        return False
    return any(hold.kind == "attorney" or hold.kind == "cease" for hold in f.account.holds)


def t_24(f: Facts) -> bool:
    return f.message.channel == "email" and f.recipient.at_work and f.message.purpose not in CARRIER


def t_26(f: Facts) -> bool:
    if f.recipient.capacity != "collector" or not is_free(f):
        return False
    return not f.message.says_collector or not (f.recipient.contacted or f.message.says_attempt)


def t_28(f: Facts) -> bool:
    if f.recipient.capacity != "collector":
        return False
    if f.message.validates:
        return f.message.channel != "paper"
    sent = f.recipient.validated_at
    return is_demand(f) and (sent is None or f.now - sent < timedelta(days=35))


def t_30(f: Facts) -> bool:
    return is_unasked(f) and "lawsuit" in f.message.bad_words


def t_46(f: Facts) -> bool:
    return is_unasked(f) and "credit report" in f.message.bad_words


def t_32(f: Facts) -> bool:
    return f.message.privacy == "amounts" and not is_unasked(f) and not f.recipient.verified


def t_33(f: Facts) -> bool:
    return f.message.privacy == "amounts" and f.message.channel != "paper" and f.recipient.detail_event_id is None


def t_34(f: Facts) -> bool:
    r = f.recipient
    if f.message.privacy == "open" or is_unasked(f) or not r.verified:
        return False
    return r.locked or r.verified_idle is None or r.verified_idle > timedelta(minutes=15)


def t_35(f: Facts) -> bool:
    return (f.recipient.contact_status == "wrong_number"
            and f.message.purpose not in ("help", "stop_confirmation", "emergency"))


def t_37(f: Facts) -> bool:
    vendor, risk = f.practice.vendor, f.practice.policy.telegram
    if f.message.privacy == "open" or vendor == "" or vendor in f.practice.policy.baa_signed:
        return False
    today = f.now.astimezone(ZoneInfo(f.practice.policy.zone)).date()
    by_wish = (vendor == "telegram" and risk is not None and risk.accepted_on <= today and risk.detail_allowed
               and f.recipient.detail_event_id is not None)
    return not by_wish


def t_39(f: Facts) -> bool:
    fine = ("account number",) if f.message.channel == "paper" else ()
    return any(kind not in fine for kind in f.message.identifiers)


def t_52(f: Facts) -> bool:
    return f.message.card_number


def t_57(f: Facts) -> bool:
    return is_demand(f) and any(hold.kind == "qmb" for hold in f.account.holds)


def campaign_state(f: Facts) -> bool:
    return f.message.campaign not in ("", "sending", "done")


def guarantor_unconfirmed(f: Facts) -> bool:
    return not f.recipient.confirmed and (is_demand(f) or f.message.privacy == "amounts" or f.charge is not None)


def unreachable(f: Facts) -> bool:
    return is_unasked(f) and f.recipient.contact_status == "unreachable"


def minor_confidential(f: Facts) -> bool:
    return is_demand(f) and any(visit in due_visits(f) for visit in f.account.confidential_visits)


def insurance_pending(f: Facts) -> bool:
    a = f.account
    waiting = a.due_now_minor <= 0 and a.pending_minor > 0
    return is_demand(f) and (waiting or any(visit in due_visits(f) for visit in a.pending_visits))


def balance_moved(f: Facts) -> bool:
    m, a = f.message, f.account
    other = (m.balance_version is not None and m.balance_version != a.balance_version) or (
        m.amount_minor is not None and m.amount_minor != a.due_now_minor)
    return is_demand(f) and other


def confidential_contact(f: Facts) -> bool:
    if not is_unasked(f):
        return False
    held = not is_demand(f) and any(hold.kind == "confidential_contact" for hold in f.account.holds)
    return f.recipient.confidential_id is not None or held


def asked_another_way(f: Facts) -> bool:
    way = f.message.channel if f.message.channel in ("email", "paper") else "text"
    return is_demand(f) and f.recipient.way_only and f.recipient.way != way


def sending_mode(f: Facts) -> bool:
    if not is_free(f) or f.message.channel == "console":
        return False
    mode = f.practice.policy.sending
    return not f.practice.configured or not (mode == "on" or (mode == "pilot" and f.recipient.pilot))


def restored_copy(f: Facts) -> bool:
    return f.practice.policy.sending == "restored" and (not f.message.internal or f.charge is not None)


def household_frequency(f: Facts) -> bool:
    most = f.practice.policy.frequency.per_7_days
    if "NYC" in f.practice.policy.collections.states and f.now >= datetime.fromisoformat("2026-09-01T00:00:00+00:00"):
        most = min(most, 3)
    counted = is_demand(f) or (f.message.campaign != "" and is_unasked(f))
    return counted and len([at for at in f.recipient.household_at if f.now - at < WEEK]) >= most


def between_demands(f: Facts) -> bool:
    last, policy = f.recipient.demanded_at, f.practice.policy
    if not is_demand(f) or last is None or last > f.now + timedelta(hours=1):
        return False
    here = ZoneInfo(policy.zone)
    return (f.now.astimezone(here).date() - last.astimezone(here).date()).days < policy.frequency.between_demands_days


def on_demand(stops: Callable[[Facts], bool]) -> Callable[[Facts], bool]:
    return lambda f: is_demand(f) and stops(f)


RULES: dict[str, Callable[[Facts], bool]] = {
    "T-01": t_01, "T-03": t_03, "T-04": t_04, "T-05": t_05, "T-07": t_07, "T-08": t_08, "T-12": t_12, "T-14": t_14,
    "T-15": t_15, "T-16": t_16, "T-17": t_17, "T-19": t_19, "T-21": t_21, "T-21:outer": t_21_outer, "T-22": t_22,
    "T-23": t_23, "T-24": t_24, "T-26": t_26, "T-28": t_28, "T-30": t_30, "T-32": t_32, "T-33": t_33, "T-34": t_34,
    "T-35": t_35, "T-37": t_37, "T-39": t_39, "T-46": t_46, "T-52": t_52, "T-57": t_57,
    "campaign-state": campaign_state, "guarantor-unconfirmed": guarantor_unconfirmed, "unreachable": unreachable,
    "minor-confidential": minor_confidential, "insurance-pending": insurance_pending, "balance-moved": balance_moved,
    "confidential-contact": confidential_contact, "asked-another-way": asked_another_way,
    "restored-copy": restored_copy,
    "sending-mode": sending_mode, "household-frequency": household_frequency, "between-demands": between_demands,
    "language-unmet": on_demand(lambda f: not f.account.language_met),
    "stale-ledger": lambda f: f.account.stale and (is_demand(f) or f.charge is not None),
    "payment-pending": lambda f: f.account.payment_in_flight and (is_demand(f) or f.charge is not None),
    "negative-pending": lambda f: f.account.negative_pending and (is_demand(f) or f.charge is not None),
    "credit-elsewhere": on_demand(lambda f: f.account.credit_minor > 0),
    "plan-current": on_demand(lambda f: f.account.on_plan_minor > 0 and f.account.due_now_minor <= 0),
    "nothing-due": on_demand(lambda f: f.account.due_now_minor <= 0),
    "unfinished-import": on_demand(lambda f: f.account.unfinished_import),
    **{f"hold:{kind}": on_demand(naive_holds.stops(kind, due_visits)) for kind in naive_holds.STOPPING},
}


def objections(f: Facts) -> set[str]:
    """The rules that object to the message."""
    return {name for name, objects in RULES.items() if objects(f)}


def forbids(f: Facts) -> str:
    """The rules for which the message may not leave now, or nothing."""
    return ", ".join(sorted(objections(f)))
