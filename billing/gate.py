"""The one gate at its work: facts are read from the store, the policy rules on them, the verdict is written down.

Asked when a message is queued, asked again when it is sent, and asked before a payment is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy.orm import Session

from billing import carrier_caps, consents, gate_facts, preferences
from billing.account_facts import account_facts
from billing.phones import line_of
from billing.policy import core, record, wording
from billing.policy.core import (
    DEMANDS,
    AccountFacts,
    ChargeFacts,
    Facts,
    MessageFacts,
    PracticeFacts,
    RecipientFacts,
    Ruling,
    Stage,
)
from billing.store import collection_queries, consent_queries, household_queries
from billing.store import facts as store
from billing.store.figure_queries import practice_of
from billing.store.practices import rules_in
from billing.store.tables import Conversation, Outbox
from billing.zones import candidate_zones
from config.practice import PracticePolicy

#: Whose network carries a channel's words, as a practice names it in baa_signed; no entry: nobody's but our own.
VENDORS = {"sms": "twilio", "telegram": "telegram", "email": "email"}

#: Channels on which nobody reads what comes back (T-07). None of today's.
ONE_WAY: frozenset[str] = frozenset()


def judge(session: Session, row: Outbox, stage: Stage, now: datetime) -> Ruling:
    """Rule on a message that is in the outbox, and keep the verdict with its facts. The caller obeys it."""
    if stage == "sending" and gate_facts.is_capped(row):
        gate_facts.lock_households(session, [row])
    return conclude(session, [rule_on(row, gather(session, row, stage, now))], now)[0].ruling


@dataclass(frozen=True, slots=True)
class Judged:
    """One message, what is known and what follows. ``carrier`` is its number's; None: not read yet."""

    row: Outbox
    facts: Facts
    objections: tuple[Ruling, ...]
    ruling: Ruling
    carrier: str | None


def rule_on(row: Outbox, facts: Facts, carrier: str | None = None) -> Judged:
    objections = core.message_objections(facts)
    return Judged(row, facts, objections, core.strictest(objections, "no rule objects"), carrier)


def conclude(session: Session, judged: Sequence[Judged], now: datetime) -> list[Judged]:
    """Count what is about to leave against the carriers' caps, rule again on what finds no place there any more, and
    keep the verdicts; return what now holds of each message of one practice.
    """
    leaving = [one for one in judged if one.ruling.sends and one.facts.stage == "sending"]
    places = carrier_caps.take_all(session, [(one.row, one.carrier) for one in leaving],
                                   judged[0].facts.practice.policy, now) if leaving else []
    late = {one.row.id for one, place in zip(leaving, places, strict=True) if not place}
    held = [_without_room(one, now) if one.row.id in late else one for one in judged]
    store.add_verdicts(session, [_verdict_row(one) for one in held])
    consents.record_introductions(session, [
        (one.row.practice_id, one.row.channel, one.row.address_hash, one.row.id) for one in leaving
        if one.row.id not in late and one.facts.message.introduces and not one.facts.recipient.introduced], now)
    return held


def _without_room(one: Judged, now: datetime) -> Judged:
    """Another worker took the last place between our reading and our counting."""
    message = replace(one.facts.message, room_at=carrier_caps.next_window_at(now))
    return rule_on(one.row, replace(one.facts, message=message), one.carrier)


def _verdict_row(one: Judged) -> dict[str, object]:
    """The receipt of one ruling: a row of Verdict."""
    ruling = one.ruling
    return {"practice_id": one.row.practice_id, "outbox_id": one.row.id, "stage": one.facts.stage,
            "outcome": ruling.outcome, "rule": ruling.rule, "reason": ruling.reason, "until_at": ruling.until_at,
            "facts": record.as_json(one.facts, one.objections), "at": one.facts.now}


def may_charge(session: Session, guarantor_id: str, visit_ids: Sequence[str], now: datetime, *,
               amount_minor: int | None = None, split: Sequence[tuple[str, int]] = (),
               balance_version: int | None = None, early: bool = False) -> Ruling:
    """Rule on a payment that the patient asks for; with ``amount_minor`` (cents) also on the amount and its ``split``.

    Raises LookupError for an unknown account.
    """
    parts: tuple[tuple[str, int | None], ...] = tuple(split) or tuple((visit_id, None) for visit_id in visit_ids)
    if amount_minor is not None and not split:
        parts = ()
    charge = ChargeFacts(amount_minor, parts, balance_version, early)
    return core.may_charge(gather_charge(session, guarantor_id, charge, "sending", now))


def gather_charge(session: Session, guarantor_id: str, charge: ChargeFacts, stage: Stage, now: datetime) -> Facts:
    """Read what a ruling on this charge needs. Raises LookupError for an unknown account."""
    practice_id = practice_of(session, guarantor_id)
    policy, configured = rules_in(session, practice_id)
    person = store.person(session, practice_id, guarantor_id)
    account = account_facts(session, practice_id, policy, guarantor_id, now,
                            in_flight=store.bank_at_work(session, guarantor_id))
    if charge.early and not charge.practice_starts:
        account = _with_placed(session, account)
    return Facts(now, stage, PracticeFacts(policy, configured), MessageFacts("reply"),
                 RecipientFacts(guarantor_id, confirmed=person is not None and person.confirmed), account, charge)


def _with_placed(session: Session, account: AccountFacts) -> AccountFacts:
    """What is at a collection agency may still be paid here, by the patient's own wish and no other way."""
    held = [hold.visit_id for hold in account.holds if hold.kind == "agency" and hold.visit_id is not None]
    placed = collection_queries.placed_minor(session, held) if held else {}
    payable = dict(account.payable_visits)
    payable |= {visit_id: payable.get(visit_id, 0) + minor for visit_id, minor in placed.items()}
    paid_here = tuple(h for h in account.holds if h.kind != "agency" or h.visit_id not in placed)
    return replace(account, payable_visits=tuple(payable.items()), holds=paid_here) if placed else account


def gather(session: Session, row: Outbox, stage: Stage, now: datetime) -> Facts:
    """Read everything that a ruling on this message needs, as it is in this moment."""
    policy, configured = rules_in(session, row.practice_id)
    practice = PracticeFacts(policy, configured, row.channel not in ONE_WAY, VENDORS.get(row.channel, ""))
    talk = store.conversation(session, row.conversation_id)
    person = store.person(session, row.practice_id, row.guarantor_id)
    account = AccountFacts()
    if person is not None and row.guarantor_id is not None:
        met = {person.language} | ({talk.language} if talk is not None and talk.language_chosen else set())
        account = account_facts(session, row.practice_id, policy, row.guarantor_id, now,
                                in_flight=store.page_open(session, row.guarantor_id, now),
                                language_met=row.language in met & set(policy.languages))
    message = _message(session, row, practice, talk, person, account, now)
    recipient = _recipient(session, row, practice, talk, person, now)
    return Facts(now, stage, practice, message, recipient, account)


def _message(session: Session, row: Outbox, practice: PracticeFacts, talk: Conversation | None,
             person: store.Person | None, account: AccountFacts, now: datetime) -> MessageFacts:
    asked = store.asked(session, row.reply_to)
    wrote_at = asked.received_at if asked is not None and asked.kind == "message" else talk and talk.last_inbound_at
    return message_facts(
        row, practice.policy, account, person.external if person else "",
        inbound_age=now - wrote_at if wrote_at else None, carrier_answered=asked is not None and asked.by_carrier,
        campaign=household_queries.campaign_status(session, row.campaign_id),
        room_at=carrier_caps.room_at(session, row, practice.policy, now))


def message_facts(row: Outbox, policy: PracticePolicy, account: AccountFacts, external: str, *,
                  inbound_age: timedelta | None = None, carrier_answered: bool = False, campaign: str,
                  room_at: datetime | None) -> MessageFacts:
    """The message's side of a ruling, of a row and what was read for it. ``external``: the account's number, to look
    for it in the words.
    """
    body = row.body
    known = {"our account id": (row.guarantor_id or "",), "account number": (external,),
             "conversation id": (row.conversation_id or "",), "visit id": tuple(v for v, _ in account.due_visits)}
    return MessageFacts(
        purpose=row.purpose, template=row.template, template_version=row.template_version,
        privacy=cast(Literal["open", "amounts"], row.privacy),
        internal=row.purpose == "staff" and row.guarantor_id is None and row.conversation_id is None,
        language=row.language, channel=row.channel, segments=row.segments,
        inbound_age=inbound_age, carrier_answered=carrier_answered,
        amount_minor=row.amount_minor, balance_version=row.balance_version, statement_id=row.statement_id,
        introduces=wording.introduces(body, policy.name), says_no_replies=wording.says_no_replies(body, policy.phone),
        links=wording.links(body), shorteners=wording.shorteners(body), identifiers=wording.identifiers(body, known),
        card_number=wording.has_card_number(body), campaign=campaign, says_opt_out=wording.says_opt_out(body),
        says_collector=wording.says_collector(body), says_attempt=wording.says_attempt(body),
        validates=row.template.endswith("validation_notice"), bad_words=wording.bad_words(body), room_at=room_at)


def _recipient(session: Session, row: Outbox, practice: PracticeFacts, talk: Conversation | None,
               person: store.Person | None, now: datetime) -> RecipientFacts:
    stands = consents.standing(session, row.practice_id, row.channel, row.address_hash, row.guarantor_id)
    wishes = preferences.standing(session, row.practice_id, row.channel, row.address_hash, row.guarantor_id)
    verified = bool(row.guarantor_id and talk is not None and talk.guarantor_id == row.guarantor_id
                    and talk.verified_at is not None)
    since = stands.opted_out_at or now - timedelta(hours=24)
    paid_at = store.last_paid_at(session, row.guarantor_id) if row.guarantor_id else None
    return RecipientFacts(
        guarantor_id=row.guarantor_id,
        # A message about no account has nobody to confirm; one about an account that is gone has nobody confirmed.
        confirmed=person.confirmed if person is not None else row.guarantor_id is None and row.purpose not in DEMANDS,
        region=person.region if person else None, zones=_zones(row, practice, person), opted_out=stands.opted_out,
        opt_out_event_id=stands.opt_out_event_id, consent_event_id=stands.consent_event_id,
        consent_complete=stands.complete, detail_event_id=stands.detail_event_id, verified=verified,
        verified_idle=_idle(talk, now) if verified else None,
        locked=bool(talk and talk.locked_until and talk.locked_until > now),
        demands_at=store.demands_since(session, row, sorted(DEMANDS), now),
        confirmations=consent_queries.confirmations_since(session, row.practice_id, row.address_hash, since, row.id),
        introduced=stands.introduced, paid_age=now - paid_at if paid_at else None, own_hours=wishes.hours,
        own_hours_id=wishes.hours_id, way=wishes.way, way_only=wishes.only, way_id=wishes.way_id,
        confidential_id=wishes.confidential_id,
        **gate_facts.recipient_facts(session, row, practice.policy, now))


def _zones(row: Outbox, practice: PracticeFacts, person: store.Person | None) -> tuple[core.Zone, ...]:
    return candidate_zones(
        address_zone=person.zone if person else None, region=person.region if person else None,
        postal_code=person.postal_code if person else None,
        phone=row.address if line_of(row.channel) == "sms" else None, practice_zone=practice.policy.zone)


def _idle(talk: Conversation | None, now: datetime) -> timedelta | None:
    if talk is None or talk.verified_at is None:
        return None
    return now - max(talk.verified_at, talk.last_inbound_at or talk.verified_at)
