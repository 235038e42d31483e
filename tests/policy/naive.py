"""The rules once more, written down naively and sharing nothing with billing/policy: what may certainly not leave."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.policy.core import Facts

#: Federal holidays as the Office of Personnel Management lists them, with the weekdays on which they are observed.
HOLIDAYS = frozenset("""
2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-06-19 2026-07-03 2026-07-04 2026-09-07 2026-10-12 2026-11-11
2026-11-26 2026-12-25 2027-01-01 2027-01-18 2027-02-15 2027-05-31 2027-06-18 2027-06-19 2027-07-04 2027-07-05
2027-09-06 2027-10-11 2027-11-11 2027-11-25 2027-12-24 2027-12-25 2027-12-31
""".split())

CARRIER = ("stop_confirmation", "start_confirmation", "help", "emergency")
EARLY_CLOSING = ("FL", "OK", "MD", "OR")


def quiet(now: datetime, zones: list[str], region: str | None) -> bool:
    """Default windows: Monday to Saturday 9 to 20, Sunday 12 to 20, never on a federal holiday, in every zone."""
    for zone in zones:
        local = now.astimezone(ZoneInfo(zone))
        clock = local.strftime("%H:%M")
        opens = "12:00" if local.strftime("%a") == "Sun" else "09:00"
        if local.strftime("%Y-%m-%d") in HOLIDAYS or clock < opens or clock >= "20:00":
            return True
    return False


def forbids(f: Facts) -> str:
    """A reason for which the message may not leave now, or nothing."""
    answered = f.message.inbound_age is not None and f.message.inbound_age <= timedelta(days=7)
    purpose = f.message.purpose
    demand = purpose in ("statement", "reminder")
    unasked = demand or (purpose in ("reply", "receipt", "staff") and not answered)
    if demand and _not_to_be_demanded(f):
        return "not to be demanded"
    if f.message.identifiers or f.message.card_number or f.message.shorteners:
        return "identifiers, a card number or a shortener"
    if purpose not in CARRIER and (f.practice.policy.sending != "on" or not f.practice.configured):
        return "sending is off"
    return (_of_consent(f, unasked) or _of_telegram(f, demand) or _of_privacy(f, unasked) or _of_hours(f, demand)
            or _of_wishes(f, unasked, demand))


def _of_telegram(f: Facts, demand: bool) -> str:
    risk, today = f.practice.policy.telegram, f.now.astimezone(ZoneInfo(f.practice.policy.zone)).date()
    if f.message.channel != "telegram" or f.message.purpose == "emergency":
        return ""
    if risk is None or risk.accepted_on > today:
        return "the practice has not accepted Telegram"
    amounts = f.message.privacy != "open"
    return "amounts on Telegram" if amounts and (demand or not risk.detail_allowed) else ""


def _of_wishes(f: Facts, unasked: bool, demand: bool) -> str:
    """What the patient asked: nothing here, bills another way, texts in their own hours only."""
    r = f.recipient
    if unasked and (r.confidential_id or any(h.kind == "confidential_contact" for h in f.account.holds)):
        return "asked to be reached elsewhere"
    if demand and r.way_only and r.way in ("paper", "email", "call"):
        return "bills are wanted another way"
    if unasked and r.own_hours is not None and not (f.message.purpose == "receipt" and r.paid_age):
        for zone in {z.name for z in r.zones}:
            local = f.now.astimezone(ZoneInfo(zone))
            clock, day = local.strftime("%H:%M"), local.weekday()
            if day not in r.own_hours.days or not any(a <= clock < b for a, b in r.own_hours.spans):
                return "not in the patient's own hours"
    return ""


def _of_consent(f: Facts, unasked: bool) -> str:
    m, r = f.message, f.recipient
    if r.contact_status == "wrong_number" and m.purpose not in ("help", "stop_confirmation", "emergency"):
        return "wrong number"
    if r.opted_out and m.purpose not in CARRIER:
        return "opted out"
    if unasked and (r.consent_event_id is None or not r.consent_complete or not (r.introduced or m.introduces)):
        return "no consent, or not introduced"
    if m.purpose == "stop_confirmation" and (r.confirmations or m.carrier_answered or m.inbound_age is None
                                             or m.inbound_age > timedelta(minutes=5)):
        return "second or late confirmation"
    return ""


def _of_privacy(f: Facts, unasked: bool) -> str:
    r = f.recipient
    if f.message.privacy == "open":
        return ""
    agreed = "twilio" in f.practice.policy.baa_signed or f.message.channel == "telegram"
    if r.detail_event_id is None or not agreed or not r.confirmed:
        return "amounts not wished, of somebody unconfirmed, or by a vendor without agreement"
    idle = r.verified_idle is None or r.verified_idle > timedelta(minutes=15)
    return "amounts to somebody unverified" if not unasked and (not r.verified or r.locked or idle) else ""


def _of_hours(f: Facts, demand: bool) -> str:
    m, r = f.message, f.recipient
    still = quiet(f.now, [z.name for z in r.zones], r.region)
    if demand:
        return "quiet hours or cap" if still or len(_of_today(f)) >= 3 else ""
    late = m.inbound_age is None or m.inbound_age > timedelta(hours=1)
    just_paid = m.purpose == "receipt" and r.paid_age is not None and r.paid_age <= timedelta(minutes=15)
    asleep = m.purpose in ("reply", "receipt", "staff") and late and not just_paid
    return "quiet hours" if asleep and still else ""


def _of_today(f: Facts) -> list[datetime]:
    return [at for at in f.recipient.demands_at if f.now - at < timedelta(hours=24)]


def _not_to_be_demanded(f: Facts) -> bool:
    a, m = f.account, f.message
    due = [visit for visit, minor in a.due_visits if minor > 0]
    of_visits_only = ("dispute", "insurance_update", "ppdr", "gfe_exceeded", "agency", "minor_confidential")
    for hold in a.holds:
        if hold.kind == "waiver_check":
            continue
        if hold.kind not in of_visits_only or hold.visit_id is None or hold.visit_id in due:
            return True
    return bool(
        not f.recipient.confirmed or f.recipient.contact_status == "unreachable" or a.stale or a.unfinished_import
        or a.payment_in_flight or a.negative_pending or a.credit_minor > 0 or a.due_now_minor <= 0
        or not a.language_met or any(v in due for v in (*a.pending_visits, *a.confidential_visits))
        or (m.balance_version is not None and m.balance_version != a.balance_version)
        or (m.amount_minor is not None and m.amount_minor != a.due_now_minor))
