"""Consent and its revocation: T-01, T-03, T-04, T-05, T-14."""

from __future__ import annotations

from datetime import date, timedelta

from billing.policy.core import MANDATED, Facts, Finding, Rule, withhold

CONFIRMATION_WITHIN = timedelta(minutes=5)
_CONFIRMATIONS = frozenset({"stop_confirmation", "start_confirmation"})


def consent_on_record(facts: Facts) -> Finding | None:
    """Of texts and chats: a letter needs none, and an e-mail a way out (T-22)."""
    if facts.is_text and facts.is_proactive and facts.recipient.consent_event_id is None:
        return withhold("no consent to texts is on record for this number")
    return None


def revoked_for_proactive(facts: Facts) -> Finding | None:
    if facts.is_proactive and facts.recipient.opted_out:
        return withhold(f"the number opted out (consent event {facts.recipient.opt_out_event_id})")
    return None


def revoked_for_answers(facts: Facts) -> Finding | None:
    """Answers too: the carrier refuses them after STOP, and staff call instead."""
    if facts.recipient.opted_out and not facts.is_proactive and facts.message.purpose not in MANDATED:
        return withhold(f"the number opted out (consent event {facts.recipient.opt_out_event_id}); call instead")
    return None


def one_confirmation(facts: Facts) -> Finding | None:
    message = facts.message
    if message.purpose not in _CONFIRMATIONS:
        return None
    if message.carrier_answered:
        return withhold("the carrier has confirmed it already")
    if message.inbound_age is None or message.inbound_age > CONFIRMATION_WITHIN:
        return withhold("a confirmation goes out within 5 minutes of the request or not at all")
    if message.purpose == "stop_confirmation" and facts.recipient.confirmations:
        return withhold("this opt-out was confirmed once; there is no second text")
    if message.links or message.amount_minor is not None or message.privacy != "open":
        return withhold("a confirmation carries no link, no amount and nothing to sell")
    return None


def complete_and_introduced(facts: Facts) -> Finding | None:
    if not facts.is_text or not facts.is_proactive or facts.recipient.consent_event_id is None:
        return None  # T-01 speaks when there is no consent at all
    if not facts.recipient.consent_complete:
        return withhold("the consent record lacks its wording (naming texts), its medium or who took it")
    if not facts.recipient.introduced and not facts.message.introduces:
        return withhold("the first text must name the practice, HELP, STOP, how often we text, and message rates")
    return None


RULES = (
    Rule("T-04", "Revocation binds before the next text, answers included",
         "47 CFR 64.1200(a)(10), (a)(11); Twilio error 21610", "S", revoked_for_answers, since=date(2025, 4, 11)),
    Rule("T-03", "After revocation nothing goes out on our initiative",
         "47 CFR 64.1200(a)(10)", "S", revoked_for_proactive, since=date(2025, 4, 11)),
    Rule("T-01", "Texts on our initiative need consent on record",
         "47 USC 227(b)(1)(A); 47 CFR 64.1200(a)(1)", "S", consent_on_record),
    Rule("T-05", "One confirmation of a STOP, within five minutes, with nothing else in it",
         "47 CFR 64.1200(a)(12); Twilio error 21610", "S", one_confirmation),
    Rule("T-14", "A complete consent record, and an introduction in the first text",
         "CTIA Messaging Principles 5.1.2, 5.1.2.1; Twilio errors 30544, 30551", "S", complete_and_introduced),
)
