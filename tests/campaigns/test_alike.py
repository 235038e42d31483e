"""One ruling for accounts that are alike is each one's own: they differ in nothing that moves any rule of the gate."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import gate_set_facts, gate_set_sheet, gate_sets, planning_alike, planning_sets, planning_ways
from billing.gate_sets import Candidate
from billing.planning_alike import Known, Likeness
from billing.policy import core
from billing.policy.core import DEMANDS, AccountFacts, Facts, MessageFacts, RecipientFacts
from billing.policy.household import rests_until
from billing.store.practices import policy_in, rules_in
from billing.store.tables import ContactPoint, Outbox
from billing.ways import Choice
from bot.write import Store
from tests.campaigns.random_store import fill
from tests.campaigns.test_planning import PRACTICE, order, practice
from tests.conftest import practice_row
from tests.policy.random_facts import crowd

Visits = tuple[Any, ...]


def outline(facts: Facts) -> Facts:
    """The facts with everything blotted out in which accounts of one likeness may differ."""
    recipient, account, message = facts.recipient, facts.account, facts.message
    number = {visit_id: str(place) for place, visit_id in enumerate(dict.fromkeys(
        [*account.pending_visits, *account.confidential_visits, *(one for one, _ in account.payable_visits)]))}
    seen = {name: getattr(recipient, name) is not None for name in (
        "consent_event_id", "opt_out_event_id", "detail_event_id", "paid_age", "texted_age")}
    return replace(
        facts,
        recipient=replace(recipient, guarantor_id="", demanded_at=rests_until(  # type: ignore[arg-type]
            facts.practice.policy, recipient.demanded_at, facts.now), **seen),  # type: ignore[arg-type]
        message=replace(message, amount_minor=_sign(message.amount_minor), balance_version=0),
        account=replace(
            account, balance_version=0, due_now_minor=_sign(account.due_now_minor) or 0,
            pending_minor=_sign(account.pending_minor) or 0, credit_minor=_sign(account.credit_minor) or 0,
            due_visits=tuple((number[one], _sign(minor) or 0) for one, minor in account.due_visits),
            payable_visits=tuple((number[one], _sign(minor) or 0) for one, minor in account.payable_visits),
            pending_visits=tuple(number[one] for one in account.pending_visits),
            confidential_visits=tuple(number[one] for one in account.confidential_visits)))


def _sign(minor: int | None) -> int | None:
    return None if minor is None else (minor > 0) - (minor < 0)


@pytest.mark.parametrize("purpose", ["statement", "notice"])
def test_accounts_of_one_likeness_differ_in_ids_and_amounts_alone(
        sqlite_store: Store, now: datetime, purpose: str) -> None:
    ids = practice(sqlite_store, 31, 150, now)
    found = sqlite_store.read(lambda session: _likenesses(session, ids, purpose, now))
    shared = [kind for kind, facts in found.items() if kind is not None and len(facts) > 1]
    assert len(shared) > 3 and sum(len(found[kind]) for kind in shared) > 15, "too few are alike to prove anything"
    for kind in shared:
        first, *others = map(outline, found[kind])
        for other in others:
            assert other == first, kind


def _likenesses(session: Session, ids: list[str], purpose: str, now: datetime) -> dict[Likeness | None, list[Facts]]:
    asked = order(purpose)
    policy, configured = rules_in(session, PRACTICE)
    sheet = gate_set_sheet.read(session, PRACTICE, policy, ids, now)
    due = {id_: gate_set_facts.account(sheet, id_, one.language).due_now_minor for id_, one in sheet.people.items()}
    chosen, wished = planning_ways.choose(session, sheet, asked.ways, due, {})
    ordinary = planning_alike.ordinary(sheet, wished)
    setting = gate_sets.setting_of(session, sheet, configured)
    found: dict[Likeness | None, list[Facts]] = {}
    for id_, choice in chosen.items():
        if isinstance(choice, Choice) and sheet.people[id_].language in ("en", "es"):
            key = (choice.way, sheet.people[id_].language, True)
            one = Candidate(id_, choice.way, choice.address, choice.address_hash, purpose, asked.words[key],
                            purpose != "notice")
            room = setting.reading.room_at(one) if choice.way == "sms" and one.is_capped else None
            kind = planning_alike.likeness(ordinary, id_, choice, key, due[id_], room)
            found.setdefault(kind, []).append(gate_sets.facts_of(setting, sheet, one))
    return found


def test_numbers_of_one_stance_are_those_of_which_the_same_holds(sqlite_store: Store, now: datetime) -> None:
    """One derivation speaks for every number of which the same was said: in any order, each hears its own."""
    ids = practice(sqlite_store, 31, 150, now)

    def stances(session: Session) -> tuple[int, int]:
        policy = policy_in(session, PRACTICE)
        sheet = gate_set_sheet.read(session, PRACTICE, policy, ids, now)
        points = [point for own in sheet.points.values() for point in own]
        gate_set_sheet.cover(session, sheet, [(point.channel, point.hashed) for point in points])
        places = [(id_, line, hashed) for line, hashed in sheet.consents for id_, _ in sheet.at[hashed]]
        for id_, line, hashed in places:
            of = gate_set_facts.standing(sheet, id_, line, hashed)
            assert gate_set_facts.stance(sheet, id_, line, hashed) == (
                of.opted_out, of.consent_event_id is None, of.complete, of.detail_event_id is None, of.introduced)
        return len(places), len(sheet.stances)

    asked, derived = sqlite_store.read(stances)
    assert 10 < derived < asked - 40, "too few share a stance to prove anything"


def test_who_lives_with_somebody_told_elsewhere_is_judged_by_itself(sqlite_store: Store, now: datetime) -> None:
    """A household's other number counts, also when the account that has it is in no set of the preview."""
    sqlite_store.write(practice_row(now))
    ann, bob, *_ = sqlite_store.write(fill(PRACTICE, 5, 12, now, plain=100))
    sqlite_store.write(partial(_share_a_number, ann=ann, bob=bob, now=now))

    def odd(session: Session) -> frozenset[str]:
        policy = policy_in(session, PRACTICE)
        sheet = gate_set_sheet.read(session, PRACTICE, policy, [ann], now)
        _, wished = planning_ways.choose(session, sheet, order().ways, {ann: 5_000}, {})
        return planning_alike.ordinary(sheet, wished).odd

    assert ann in sqlite_store.read(odd)


def _share_a_number(session: Session, ann: str, bob: str, now: datetime) -> None:
    """Bob has Ann's number too; he was told of something yesterday, at a number of his own."""
    hers, his = (session.query(ContactPoint).filter_by(guarantor_id=one).one() for one in (ann, bob))
    session.add(ContactPoint(
        id="cp_shared", practice_id=PRACTICE, guarantor_id=bob, channel="sms", address=hers.address,
        address_hash=hers.address_hash, status="ok", source="test", created_at=now))
    at = now - timedelta(days=1)
    session.add(Outbox(
        id="msg_his", practice_id=PRACTICE, guarantor_id=bob, channel="sms", address=his.address,
        address_hash=his.address_hash, status="delivered", body="Hi", purpose="statement", template="statement_ready",
        language="en", template_version="1", privacy="open", arguments={}, segments=1, due_at=at, created_at=at,
        sending_at=at, idempotency_key="msg_his"))


def another(facts: Facts, number: int) -> Facts:
    """Somebody else's facts of the same outline: other ids, other amounts, other times of no consequence."""
    recipient, account, message = facts.recipient, facts.account, facts.message
    changes: dict[str, Any] = {name: value + number for name in (
        "consent_event_id", "opt_out_event_id", "detail_event_id") if (value := getattr(recipient, name)) is not None}
    if recipient.paid_age is not None and recipient.paid_age > timedelta(days=1):
        changes["paid_age"] = recipient.paid_age + timedelta(days=number)
    if recipient.texted_age is not None:
        changes["texted_age"] = recipient.texted_age + timedelta(hours=number)
    if rests_until(facts.practice.policy, recipient.demanded_at, facts.now) is None:
        changes["demanded_at"] = None if number % 2 else facts.now - timedelta(days=300)
    version, minor = message.balance_version, message.amount_minor
    return replace(
        facts, recipient=replace(recipient, guarantor_id=f"gua_{number}", **changes), account=_others(account, number),
        message=replace(message, balance_version=None if version is None else version + number,
                        amount_minor=None if minor is None else minor * number))


def _others(account: AccountFacts, number: int) -> AccountFacts:
    def pairs(visits: Visits) -> Visits:
        return tuple((f"{one}_{number}", minor * number) for one, minor in visits)

    def names(visits: Visits) -> Visits:
        return tuple(f"{one}_{number}" for one in visits)

    return replace(
        account, balance_version=account.balance_version + number, due_now_minor=account.due_now_minor * number,
        pending_minor=account.pending_minor * number, credit_minor=account.credit_minor * number,
        due_visits=pairs(account.due_visits), payable_visits=pairs(account.payable_visits),
        pending_visits=names(account.pending_visits), confidential_visits=names(account.confidential_visits),
        holds=tuple(replace(hold, hold_id=f"hold_{number}", visit_id=hold.visit_id and f"{hold.visit_id}_{number}")
                    for hold in account.holds))


def test_whose_id_it_is_and_how_many_cents_moves_no_ruling() -> None:
    """Asked of a crowd of facts under which every rule speaks somewhere: a rule that began to look at an id, or at
    more of an amount than whether there is one, would show here.
    """
    asked = [facts for facts in crowd(4_000) if facts.message.purpose in DEMANDS | {"notice"}]
    rules = Counter[str]()
    for place, facts in enumerate(asked):
        ruling, other = core.decide(facts), core.decide(another(facts, 2 + place % 7))
        assert (other.outcome, other.rule, other.until_at) == (ruling.outcome, ruling.rule, ruling.until_at)
        rules[ruling.rule] += 1
    assert len(rules) > 40 and rules["allowed"] > 20


def test_nothing_that_the_gate_knows_is_left_out_of_the_likeness() -> None:
    """A new fact of the gate has to be looked at here: is it in the likeness, does it set an account apart, or does it
    move no ruling?
    """
    told: dict[type[MessageFacts | RecipientFacts | AccountFacts], str] = {
        MessageFacts: "purpose template template_version privacy internal language channel segments inbound_age "
        "carrier_answered amount_minor balance_version statement_id introduces says_no_replies links shorteners "
        "identifiers card_number campaign says_opt_out says_collector room_at says_attempt validates bad_words",
        RecipientFacts: "guarantor_id confirmed region zones opted_out opt_out_event_id consent_event_id "
        "consent_complete contact_status detail_event_id verified verified_idle locked demands_at confirmations "
        "introduced paid_age own_hours own_hours_id way way_only way_id confidential_id capacity household_at at_work "
        "texted_age reassigned_age pilot demanded_at contacted validated_at",
        AccountFacts: "due_now_minor pending_minor on_plan_minor credit_minor balance_version due_visits "
        "payable_visits pending_visits confidential_visits negative_pending holds unfinished_import stale "
        "payment_in_flight language_met"}
    for kind, names in told.items():
        assert {one.name for one in fields(kind)} == set(names.split())


def test_a_preview_remembers_kinds_and_not_accounts(sqlite_store: Store, now: datetime) -> None:
    sqlite_store.write(practice_row(now))
    ids = sqlite_store.write(fill(PRACTICE, 3, 120, now, plain=95))
    known, asked = Known(), order()

    def judge(session: Session, some: list[str]) -> planning_sets.Part:
        return planning_sets.judge_set(session, asked, some, now, known=known)

    whole = sqlite_store.read(lambda session: planning_sets.judge_set(session, asked, ids, now))
    parts = [sqlite_store.read(partial(judge, some=ids[at:at + 30])) for at in range(0, 120, 30)]
    assert sum(part.accounts for part in parts) == whole.accounts == 120
    for group, members in whole.members.items():
        assert [one for part in parts for one in part.members.get(group, [])] == members
    assert 0 < len(known.fates) < 100
