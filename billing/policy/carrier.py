"""What carriers ask of a text: T-07, T-12, T-16, T-17, T-18."""

from __future__ import annotations

from billing.policy.core import MANDATED, Facts, Finding, Rule, withhold
from billing.policy.hours import defer_until_legal

MOST_SEGMENTS = 10  # 1,600 characters at Twilio; more is refused (21617)
MOST_SEGMENTS_UNASKED = 6


def says_no_replies(facts: Facts) -> Finding | None:
    if facts.practice.takes_replies or facts.message.says_no_replies or facts.message.internal:
        return None
    return withhold("nobody reads replies on this channel, and the text does not say so with another way to reach us")


def help_once(facts: Facts) -> Finding | None:
    """HELP is answered even after STOP; only not a second time when the carrier has answered it."""
    if facts.message.purpose == "help" and facts.message.carrier_answered:
        return withhold("the carrier has answered this HELP itself")
    return None


def plain_links_and_size(facts: Facts) -> Finding | None:
    message = facts.message
    if message.shorteners:
        return withhold(f"links through a public shortener ({', '.join(message.shorteners)}) are filtered by carriers")
    if not facts.is_text:
        return None
    limit = MOST_SEGMENTS_UNASKED if facts.is_proactive else MOST_SEGMENTS
    if message.segments > limit and message.purpose not in MANDATED:
        return withhold(f"{message.segments} segments; the limit here is {limit}")
    return None


def room_at_the_carrier(facts: Facts) -> Finding | None:
    """Only what goes out on our own initiative waits; answers count and leave."""
    at = facts.message.room_at
    if at is None or at <= facts.now or not facts.is_proactive:
        return None
    return defer_until_legal(facts, at, "the carrier's cap for the number or the brand is reached")


RULES = (
    Rule("T-07", "A channel that takes no replies says so in every text", "47 CFR 64.1200(a)(10)", "S",
         says_no_replies, configured="channel"),
    Rule("T-12", "HELP is answered once, whatever else is stopped", "CTIA Messaging Principles 5.1.2.1", "S",
         help_once),
    Rule("T-16", "No more texts than the carriers take in a minute and in a day", "AT&T and T-Mobile 10DLC limits", "V",
         room_at_the_carrier, configured="policy carrier; billing/carrier_caps.py"),
    Rule("T-17", "No public link shorteners, a sane number of segments", "CTIA Messaging Principles 5.3", "M",
         plain_links_and_size),
    Rule("T-18", "Carrier webhooks are verified and applied once", "Twilio webhook security", "S",
         configured="bot/channels/sms.py; billing/inbox.py"),
)
