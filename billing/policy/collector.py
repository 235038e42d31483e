"""What binds whoever collects a debt for another: 12 CFR 1006 (Regulation F), T-15 and T-20 to T-30.

In which capacity we ask is kept for each account, not for the installation (T-20). A creditor's accounts are spared by
every rule here that names the collector; words that nobody may use stand here as well. A collector's account is never
texted, so the text halves of T-22, T-24 and T-26 are proved by refusal; so are T-25 and T-27, as nothing here places a
call or leaves a message on a machine.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from billing.policy.core import MANDATED, Facts, Finding, Rule, withhold

OPENS, CLOSES = time(8), time(21)

#: The thirty days count from when the consumer has the notice; five for the post are added to its leaving [M].
DISPUTE_WINDOW = timedelta(days=30 + 5)

_NO_CONTACT = frozenset({"attorney", "cease"})


def capacity_of(recorded: str, defaulted_on: date | None, obtained_on: date | None) -> str:
    """``creditor`` or ``collector`` (T-20). By default whoever asks is the creditor; a billing company that obtained an
    account when it was in default already is a collector for it (15 USC 1692a(6)(F)(iii)). A due date that has passed
    is no default: only a day on record is.
    """
    late = obtained_on is not None and defaulted_on is not None and defaulted_on <= obtained_on
    return "collector" if late or recorded == "collector" else "creditor"


def _binds(facts: Facts) -> bool:
    return facts.is_collector and facts.message.purpose not in MANDATED and not facts.message.internal


def never_texted(facts: Facts) -> Finding | None:
    if _binds(facts) and facts.is_text:
        return withhold("a debt collector's account is never texted, by SMS or chat: e-mail or paper only")
    if facts.is_text and facts.is_proactive and "debt relief" in facts.message.bad_words:
        return withhold("carriers refuse texts that look like debt reduction or forgiveness, even with consent")
    return None


def outer_hours(facts: Facts) -> Finding | None:
    """An electronic message counts when it is sent; a letter has no hour."""
    if not _binds(facts) or not facts.is_proactive or facts.message.channel == "paper":
        return None
    zones = facts.recipient.zone_names or (facts.practice.policy.zone,)
    at = _next_awake(zones, facts.now)
    return Finding("defer", "before 8:00 or after 21:00 where the person may be", at) if at > facts.now else None


def _next_awake(zones: tuple[str, ...], at: datetime) -> datetime:
    """The first moment that lies between 8:00 and 21:00 in every zone."""
    end = at + timedelta(days=3)
    while at < end:
        later = max(_open_in(ZoneInfo(zone), at) for zone in zones)
        if later == at:
            break
        at = later
    return at


def _open_in(zone: ZoneInfo, at: datetime) -> datetime:
    local = at.astimezone(zone)
    if OPENS <= local.time() < CLOSES:
        return at
    day = local.date() if local.time() < OPENS else local.date() + timedelta(days=1)
    return datetime.combine(day, OPENS, zone).astimezone(UTC)


def way_out(facts: Facts) -> Finding | None:
    message = facts.message
    if message.internal or message.purpose in MANDATED or message.says_opt_out or message.channel == "paper":
        return None
    if message.channel == "email" or facts.is_collector:
        return withhold("it does not say how to stop messages like it")
    return None


def no_contact(facts: Facts) -> Finding | None:
    """Whatever it is about: represented by an attorney, or asked in writing to be left alone. Demands of anybody are
    stopped by the holds themselves.
    """
    if _binds(facts) and facts.is_proactive and any(hold.kind in _NO_CONTACT for hold in facts.account.holds):
        return withhold("a collector does not write to who has an attorney, or asked in writing not to be contacted")
    return None


def not_at_work(facts: Facts) -> Finding | None:
    message = facts.message
    if message.channel == "email" and facts.recipient.at_work and message.purpose not in MANDATED:
        return withhold("this is an employer's address; nothing about a bill goes there")
    return None


def says_who_asks(facts: Facts) -> Finding | None:
    if not _binds(facts):
        return None
    if not facts.message.says_collector:
        return withhold("it does not say that it comes from a debt collector")
    if not facts.recipient.contacted and not facts.message.says_attempt:
        return withhold("the first message says that it attempts to collect a debt and what information is used for")
    return None


def validated_first(facts: Facts) -> Finding | None:
    """The validation information comes first, on paper (electronically it would need an E-SIGN consent that nobody
    records here); within the window for a dispute nothing asks beside it.
    """
    if not facts.is_collector:
        return None
    if facts.message.validates:
        return None if facts.message.channel == "paper" else withhold("validation information goes out on paper")
    if not facts.is_demand:
        return None
    sent_at = facts.recipient.validated_at
    if sent_at is None:
        return withhold("the validation information has not been sent; it comes before or with the first demand")
    ends_at = sent_at + DISPUTE_WINDOW
    if facts.now >= ends_at:
        return None
    return Finding("defer", "the thirty days for a dispute have not passed; nothing may overshadow them", ends_at)


def no_threat(facts: Facts) -> Finding | None:
    """No state's period of limitation is known here, so every debt is treated as one that may be time-barred."""
    if facts.is_proactive and "lawsuit" in facts.message.bad_words:
        return withhold("it speaks of a lawsuit, a lien or the like; that is never threatened")
    return None


def no_credit_report(facts: Facts) -> Finding | None:
    if facts.is_proactive and "credit report" in facts.message.bad_words:
        return withhold("it speaks of credit reporting, which is never mentioned")
    return None


_EITHER = "billing/policy/wording.py"

RULES = (
    Rule("T-15", "A debt collector's account is never texted; no text looks like debt relief",
         "Twilio errors 30863, 30460, 30869, 30466", "V", never_texted, configured="guarantors.capacity"),
    Rule("T-20", "Creditor or collector is decided for each account", "15 USC 1692a(6)", "S",
         configured="policy collector.capacity for new accounts; guarantors.capacity, defaulted_on, obtained_on"),
    Rule("T-22", "Every e-mail, and every text of a collector, says how to stop it", "12 CFR 1006.6(e)", "S", way_out,
         configured=_EITHER),
    Rule("T-23", "A collector leaves alone who has an attorney or asked for it in writing",
         "12 CFR 1006.6(b)(2), (c)", "S", no_contact, configured="holds attorney and cease"),
    Rule("T-24", "No bill goes to an e-mail address at work; a collector's text is refused altogether",
         "12 CFR 1006.6(d)(5), 1006.22(f)(3)", "S", not_at_work, configured="contact_points.at_work"),
    Rule("T-25", "No calls are placed at all", "12 CFR 1006.14(b)", "S",
         configured="no channel of Plainbill places a call"),
    Rule("T-26", "A collector says so, and in the first message what for", "12 CFR 1006.18(e)", "S", says_who_asks,
         configured=_EITHER),
    Rule("T-27", "No voicemail is left at all", "12 CFR 1006.2(j), 1006.6(d)(1)", "S",
         configured="no channel of Plainbill leaves a voicemail"),
    Rule("T-28", "A collector's first demand comes after the validation information and its thirty days",
         "12 CFR 1006.34, 1006.38(b), 1006.42(b)", "S", validated_first,
         configured="billing/policy/collector.py DISPUTE_WINDOW"),
    Rule("T-29", "A dispute stops the demand, and no payment goes to a disputed debt",
         "12 CFR 1006.38(d)(2), 1006.30(c)", "S", configured="hold dispute; billing/allocation.py"),
    Rule("T-30", "No lawsuit is ever threatened", "12 CFR 1006.26(b)", "S", no_threat, configured=_EITHER),
    Rule("T-46", "Credit reporting is never mentioned", "rules.md C7 (bureaus' policy, state bans)", "V",
         no_credit_report, configured=_EITHER),
)

HOURS = (
    Rule("T-21:outer", "A collector writes between 8:00 and 21:00 only, wherever the person may be",
         "12 CFR 1006.6(b)(1)", "M", outer_hours),
)
