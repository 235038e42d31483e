"""Who may read what: T-32 to T-35, T-37, T-39 (45 CFR 164)."""

from __future__ import annotations

from datetime import timedelta

from billing.policy.core import MANDATED, Facts, Finding, Rule, withhold
from config.practice import TelegramRisk

IDLE_LIMIT = timedelta(minutes=15)

#: What a stranger at a wrong number still gets: the answers carriers require and the one a life may hang on.
_TO_ANYBODY = MANDATED - {"start_confirmation"}


def open_unless_verified(facts: Facts) -> Finding | None:
    """Answers: nobody unverified sees more than the practice's name, "you have a message", a link, STOP."""
    if facts.message.privacy == "open" or facts.is_proactive or facts.recipient.verified:
        return None
    return withhold("amounts are for a verified person only")


def detail_asked_for(facts: Facts) -> Finding | None:
    """Amounts only after the warning and by the patient's own wish on record; everybody else gets a link."""
    if facts.message.privacy == "open" or facts.recipient.detail_event_id is not None:
        return None
    if facts.message.channel == "paper":
        return None  # a sealed letter is the way that needs no warning
    return withhold("amounts by text were not asked for after the warning that texts are not private")


def still_verified(facts: Facts) -> Finding | None:
    if facts.message.privacy == "open" or facts.is_proactive or not facts.recipient.verified:
        return None
    if facts.recipient.locked:
        return withhold("identity is locked after too many tries")
    idle = facts.recipient.verified_idle
    if idle is None or idle > IDLE_LIMIT:
        return withhold("identity was proved more than 15 minutes of silence ago")
    return None


def nothing_to_a_wrong_number(facts: Facts) -> Finding | None:
    if facts.recipient.contact_status == "wrong_number" and facts.message.purpose not in _TO_ANYBODY:
        return withhold("the person at this number is not the guarantor")
    return None


def telegram_as_accepted(facts: Facts) -> Finding | None:
    """Nothing before the practice accepted the risk in writing. Then links; amounts only where that acceptance allows
    them and the patient, warned in Telegram's own words, asked for them; and never to ask for money.
    """
    if facts.message.channel != "telegram" or facts.message.purpose == "emergency":
        return None  # 911 and 988 hold nothing of anybody
    risk = _telegram_risk(facts)
    if risk is None:
        return withhold("the practice has not accepted Telegram's risk in writing")
    if facts.message.privacy == "open":
        return None
    if facts.is_demand:
        return withhold("money is asked for on Telegram by link only")
    if not risk.detail_allowed:
        return withhold("the practice has accepted Telegram for links only")
    if facts.recipient.detail_event_id is None:
        return withhold("amounts on Telegram were not asked for after Telegram's own warning")
    return None


def _telegram_risk(facts: Facts) -> TelegramRisk | None:
    policy = facts.practice.policy
    return policy.telegram_on(policy.local_day(facts.now))


def vendor_has_agreement(facts: Facts) -> Finding | None:
    """Telegram signs none: there T-19 decides, by the practice's acceptance and the patient's own wish on record."""
    vendor = facts.practice.vendor
    if facts.message.privacy == "open" or not vendor or vendor in facts.practice.policy.baa_signed:
        return None
    risk = _telegram_risk(facts)
    if vendor == "telegram" and risk is not None and risk.detail_allowed and facts.recipient.detail_event_id:
        return None
    return withhold(f"no business associate agreement with {vendor} is recorded, so no account facts may pass it")


def no_identifiers(facts: Facts) -> Finding | None:
    found = facts.message.identifiers
    if facts.message.channel == "paper":
        found = tuple(kind for kind in found if kind != "account number")  # a letter has to say which account it means
    if found:
        return withhold(f"the text names {', '.join(found)}; links and words carry no account ids")
    return None


FIRST = (
    Rule("T-35", "Nothing at all to a wrong number", "45 CFR 164.502(a); rules.md T-10", "S",
         nothing_to_a_wrong_number),
)

RULES = (
    Rule("T-19", "Telegram only as the practice accepted it in writing: links, amounts by the warned patient's wish",
         "45 CFR 164.308(b), 164.522(b); docs/telegram.md", "own", telegram_as_accepted, configured="policy telegram"),
    Rule("T-32", "The unverified get the allow-list of words only", "45 CFR 164.502(b), 164.514(d)", "S",
         open_unless_verified, configured="each template's privacy level"),
    Rule("T-33", "Amounts in texts only by recorded wish after the warning", "45 CFR 164.522(b)", "S",
         detail_asked_for),
    Rule("T-34", "Identity is proved again after 15 minutes of silence", "45 CFR 164.514(h)", "S", still_verified),
    Rule("T-37", "No account facts through a vendor without an agreement", "45 CFR 164.308(b), 164.504(e)", "S",
         vendor_has_agreement, configured="policy baa_signed"),
    Rule("T-39", "No account ids in texts and links", "45 CFR 164.312, 164.502(b)", "S", no_identifiers),
)
