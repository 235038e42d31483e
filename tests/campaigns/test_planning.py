"""The preview before the button: every account is somewhere, by the gate's own ruling, and nothing is written."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import account_stops, figures, gate, planning, ways
from billing.account_facts import account_facts
from billing.gate_sets import Words
from billing.planning import Order, Preview, preview
from billing.policy import core
from billing.policy.core import RecipientFacts
from billing.store.facts import page_open
from billing.store.practices import policy_in
from billing.store.tables import Campaign, Guarantor, Outbox, Verdict
from billing.zones import _zones_of_any, zones_of_phone
from bot.planning_processes import spread
from bot.write import Store
from tests.campaigns.random_store import fill
from tests.conftest import TEST_KEYS, TUESDAY, practice_row
from tests.parties.scene import BODY

PRACTICE = "prac_maple"
WAYS = ("sms", "telegram", "email", "paper")
POLICY: dict[str, Any] = {
    "mail": {"sender": "billing@maple.example"},
    "carrier": {"segment_cost_micros": 10_000, "letter_cost_micros": 1_000_000, "email_cost_micros": 1_000}}


def order(purpose: str = "statement", **changes: Any) -> Order:
    words = {(way, language, introduced): Words(f"{way}_x", "1", language, "open", BODY, 2)
             for way in WAYS for language in ("en", "es") for introduced in (True, False)}
    return Order(**{"practice_id": PRACTICE, "purpose": purpose, "ways": WAYS, "words": words, **changes})


def practice(store: Store, seed: int, accounts: int, now: datetime) -> list[str]:
    store.write(practice_row(now, **POLICY))
    return store.write(fill(PRACTICE, seed, accounts, now, plain=40))


def one_by_one(session: Session, asked: Order, id_: str, now: datetime) -> tuple[str, str, int]:
    """What becomes of one account, by the functions that queue and judge one message."""
    guarantor = session.get_one(Guarantor, id_)
    policy = policy_in(session, PRACTICE)
    due = figures.account_figures(session, id_, now.date()).total.due_now_minor
    if due <= 0 and asked.purpose != "notice":
        account = account_facts(session, PRACTICE, policy, id_, now, in_flight=page_open(session, id_, now),
                                language_met=guarantor.language in policy.languages)
        recipient = RecipientFacts(id_, confirmed=guarantor.confirmed_at is not None, region=guarantor.region)
        return "none", account_stops.why_nothing_due(policy, recipient, account, now).rule, due
    if guarantor.confirmed_at is None:
        return "none", "guarantor-unconfirmed", due
    if guarantor.language not in policy.languages:
        return "none", "language-unmet", due
    choice = ways.choose(session, id_, asked.ways, amount_minor=due, minimum_minor=asked.minimum_minor)
    if isinstance(choice, ways.NoWay):
        return "none", "no-way", due
    language = guarantor.language
    words = asked.words[choice.way, language, True]
    row = Outbox(id="msg_candidate", practice_id=PRACTICE, guarantor_id=id_, channel=choice.way, address=choice.address,
                 address_hash=choice.address_hash, purpose=asked.purpose, template=words.template, template_version="1",
                 language=language, privacy="open", body=words.body, segments=2, campaign_id=asked.campaign_id,
                 amount_minor=None if asked.purpose == "notice" else due,
                 balance_version=None if asked.purpose == "notice" else guarantor.balance_version)
    ruling = core.decide(gate.gather(session, row, "queueing", now))
    return ruling.outcome, ruling.rule, due


@pytest.mark.parametrize("purpose", ["statement", "notice"])
def test_the_preview_says_of_each_account_what_the_gate_says_of_it_alone(
        store: Store, now: datetime, purpose: str) -> None:
    ids = practice(store, 21, 100, now)
    asked = order(purpose, campaign_id=f"camp_sending_{PRACTICE}", minimum_minor={"paper": 10_00})

    def compare(session: Session) -> None:
        found = preview(session, asked, ids, now)
        alone = {id_: one_by_one(session, asked, id_, now) for id_ in ids}
        assert {(one.outcome, one.rule): set(found.ids(one.outcome, one.rule)) for one in found.groups} == {
            fate: {id_ for id_, (outcome, rule, _) in alone.items() if (outcome, rule) == fate}
            for fate in {one[:2] for one in alone.values()}}
        assert (found.accounts, found.total_minor) == (len(ids), sum(due for *_, due in alone.values()))
        assert found.messages == sum(outcome in ("send", "defer") for outcome, *_ in alone.values())
        assert found.messages_minor == sum(due for outcome, _, due in alone.values() if outcome in ("send", "defer"))
        assert len(found.groups) > 5

    store.read(compare)


def test_counts_add_up_and_lists_may_be_read_again(sqlite_store: Store, now: datetime) -> None:
    ids = practice(sqlite_store, 4, 50, now)
    found = sqlite_store.read(lambda session: preview(session, order(), ids, now))
    assert sum(one.accounts for one in found.groups) == len(ids) == found.accounts
    assert sum(one.minor for one in found.groups) == found.total_minor
    assert sum(found.ways.values()) == found.messages == sum(one.messages for one in found.languages)
    assert sum(one.segments for one in found.languages) == found.segments == 2 * found.ways.get("sms", 0)
    assert found.cost_micros == (10_000 * found.segments + 1_000_000 * found.ways.get("paper", 0)
                                 + 1_000 * found.ways.get("email", 0))
    for _ in range(2):
        listed = Counter(id_ for one in found.groups for id_ in found.ids(one.outcome, one.rule))
        assert listed == Counter(ids)
    assert list(found.ids("send", "no such rule")) == []


def test_sets_make_no_difference_and_progress_is_told_after_each(
        sqlite_store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = practice(sqlite_store, 5, 40, now)
    told: list[int] = []

    def look(session: Session) -> Preview:
        return preview(session, order(), iter(ids), now, progress=told.append)

    whole = sqlite_store.read(look)
    monkeypatch.setattr(planning, "SET", 15)
    parts = sqlite_store.read(look)
    assert (parts, parts.to_json()) == (whole, whole.to_json())
    assert told == [40, 15, 30, 40]


def test_nothing_is_written_and_the_json_names_nobody(sqlite_store: Store, now: datetime) -> None:
    ids = practice(sqlite_store, 6, 30, now)

    def count(session: Session) -> tuple[int, int]:
        return session.query(Outbox).count(), session.query(Verdict).count()

    before = sqlite_store.read(count)
    found = sqlite_store.read(lambda session: preview(
        session, order(), ids, now, render=lambda id_, way: f"{id_} {way}"))
    assert sqlite_store.read(count) == before
    assert not [id_ for id_ in ids if id_ in str(found.to_json())]
    assert found.samples and all(one.text == f"{one.guarantor_id} {one.way}" for one in found.samples)
    assert max(Counter(one.language for one in found.samples).values()) <= 3


def test_a_campaign_that_is_still_a_draft_is_judged_as_if_it_ran(sqlite_store: Store, now: datetime) -> None:
    ids = practice(sqlite_store, 7, 40, now)
    drafted = sqlite_store.read(lambda session: preview(
        session, order(campaign_id=f"camp_draft_{PRACTICE}"), ids, now))
    assert sqlite_store.read(lambda session: session.get_one(Campaign, f"camp_draft_{PRACTICE}").status) == "draft"
    assert "campaign-state" not in {one.rule for one in drafted.groups} and drafted.messages > 0


def test_at_night_everything_waits_and_each_zone_has_its_morning(sqlite_store: Store, now: datetime) -> None:
    ids = practice(sqlite_store, 8, 80, now)
    night = datetime(2026, 11, 4, 6, 0, tzinfo=UTC)
    found = sqlite_store.read(lambda session: preview(session, order(ways=("sms",)), ids, night))
    assert not [one for one in found.groups if one.outcome == "send"] and found.messages > 0
    assert all(one.starts_at is not None and one.starts_at >= night + timedelta(hours=8) for one in found.zones)
    assert sum(one.texts for one in found.zones) == found.messages
    assert found.finishes_at == max(one.finishes_at for one in found.zones if one.finishes_at is not None)


def test_two_processes_come_to_the_same(postgresql_store: Store, postgresql_url: str, now: datetime,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    ids = practice(postgresql_store, 11, 30, now)
    monkeypatch.setattr(planning, "SET", 8)
    alone = postgresql_store.read(lambda session: preview(session, order(), ids, now))
    shared = postgresql_store.read(lambda session: preview(
        session, order(), ids, now, spread=spread(postgresql_url, TEST_KEYS, order(), now)))
    assert (shared, shared.to_json()) == (alone, alone.to_json())
    assert [sorted(shared.ids(one.outcome, one.rule)) for one in shared.groups] == [
        sorted(alone.ids(one.outcome, one.rule)) for one in alone.groups]


def test_an_empty_segment_has_an_empty_preview(sqlite_store: Store, now: datetime) -> None:
    practice(sqlite_store, 1, 1, now)
    found = sqlite_store.read(lambda session: preview(session, order(), [], now))
    assert (found.accounts, found.messages, found.groups, found.zones, found.finishes_at) == (0, 0, (), (), None)


def test_an_american_number_s_zones_are_those_that_the_library_names() -> None:
    chance = random.Random(TUESDAY.year)
    for _ in range(3_000):
        number = f"+1{chance.randrange(2_000_000_000, 9_999_999_999)}"
        assert zones_of_phone(number) == _zones_of_any.__wrapped__(number), number[:5]
