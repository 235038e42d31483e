"""Facts fetched in sets are the facts that the gate gathers one by one: whoever previews asks the gate that sends."""

from __future__ import annotations

import random
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import gate, gate_sets
from billing.gate_sets import Candidate, Words
from billing.phones import address_hash
from billing.policy import core
from billing.policy.core import Facts
from billing.store.tables import ContactPoint, Outbox, Practice
from bot.write import Store
from tests.campaigns.random_store import Maker, fill
from tests.conftest import practice_row
from tests.parties.scene import BODY

PRACTICE = "prac_maple"
BODIES = {
    "en": BODY, "es": "Maple Clinic: Tiene un mensaje sobre su cuenta 555-0199. bit.ly/x1 Responda ALTO. $10001",
    "bad": "Pay or a lawsuit follows: this is an attempt to collect a debt. https://pay.example/l/10001 STOP 10001"}

POLICIES: list[dict[str, Any]] = [
    {}, {"sending": "pilot", "pilot_accounts": ("10001", "STOP")}, {"ledger_of_record": "epic", "sending": "shadow"},
    {"carrier": {"per_day": 10, "kept_for_replies": 0}, "zone": "America/Los_Angeles"}]


@pytest.mark.parametrize("seed", range(4))
def test_facts_fetched_in_sets_are_those_that_the_gate_gathers(store: Store, now: datetime, seed: int) -> None:
    store.write(practice_row(now, **POLICIES[seed]))
    ids = store.write(fill(PRACTICE, seed, 60, now))
    if seed % 2:
        store.write(lambda session: _restore(session, now))

    def compare(session: Session) -> None:
        candidates = _candidates(session, ids, random.Random(seed), now)
        found = gate_sets.facts_for(session, PRACTICE, candidates, now)
        rulings = set()
        for one, facts in zip(candidates, found, strict=True):
            whole = gate.gather(session, _row(one, facts), "queueing", now)
            _same(whole, facts)
            assert core.message_objections(whole) == core.message_objections(facts)
            rulings.add(core.decide(facts).rule)
        assert len(rulings) > 8, "a store of chance has to bring out many rules, or it proves little"

    store.read(compare)


def _restore(session: Session, now: datetime) -> None:
    """A copy out of a backup, of which somebody said that e-mails and letters may have left since."""
    session.get_one(Practice, PRACTICE).channels_said = {
        one: {"said": said, "by": "ana", "at": now.isoformat(), "until": (now - timedelta(days=2)).isoformat()}
        for one, said in (("email", "left"), ("paper", "left"), ("telegram", "nothing"))}


def test_a_set_larger_than_what_is_fetched_at_a_time_keeps_its_order(
        sqlite_store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_store.write(practice_row(now))
    ids = sqlite_store.write(fill(PRACTICE, 9, 25, now))

    def compare(session: Session) -> None:
        candidates = _candidates(session, ids, random.Random(9), now)
        whole = gate_sets.facts_for(session, PRACTICE, candidates, now)
        monkeypatch.setattr(gate_sets, "SET", 7)
        assert gate_sets.facts_for(session, PRACTICE, candidates, now) == whole
        assert [facts.recipient.guarantor_id for facts in whole] == [one.guarantor_id for one in candidates]

    sqlite_store.read(compare)


def test_a_practice_that_is_not_there_is_an_error(sqlite_store: Store, now: datetime) -> None:
    with pytest.raises(LookupError, match="practice"):
        sqlite_store.read(lambda session: gate_sets.facts_for(session, "prac_none", [], now))


def _candidates(session: Session, ids: list[str], chance: random.Random, now: datetime) -> list[Candidate]:
    """To every address of every account, to a stranger's, and to an account that is gone."""
    places = [(one.guarantor_id, one.channel, one.address, one.address_hash) for one in session.query(ContactPoint)]
    maker = Maker(session, PRACTICE, chance, now)
    for guarantor_id in [*ids, "gua_gone"]:
        channel = chance.choice(["sms", "email", "paper", "telegram"])
        places.append((guarantor_id, channel, *maker.address(channel)))
    places.append((ids[0], "sms", "+15005550006", address_hash(PRACTICE, "sms", "+15005550006")))
    words = {language: Words(chance.choice(["statement_ready", "letter_validation_notice"]), "1",
                             language if language != "bad" else "en", chance.choice(["open", "amounts"]), body, 2)
             for language, body in BODIES.items()}
    return [Candidate(
        *place, purpose=chance.choice(["statement", "reminder", "notice"]), words=words[chance.choice(sorted(words))],
        asks=chance.random() < 0.8, statement_id=chance.choice([None, "stmt_1"]),
        campaign_id=chance.choice([None, None, f"camp_sending_{PRACTICE}", f"camp_paused_{PRACTICE}", "camp_gone"]))
        for place in places]


def _row(one: Candidate, facts: Facts) -> Outbox:
    """The row as it would be queued: with today's amount and version where it asks for what is due."""
    return Outbox(
        id="msg_candidate", practice_id=PRACTICE, guarantor_id=one.guarantor_id, channel=one.channel,
        address=one.address, address_hash=one.address_hash, purpose=one.purpose, template=one.words.template,
        template_version=one.words.version, language=one.words.language, privacy=one.words.privacy,
        body=one.words.body, segments=one.words.segments, statement_id=one.statement_id, campaign_id=one.campaign_id,
        amount_minor=facts.account.due_now_minor if one.asks else None,
        balance_version=facts.account.balance_version if one.asks else None, status="queued")


def _same(whole: Facts, facts: Facts) -> None:
    for part in ("now", "stage", "practice", "message", "recipient", "account", "charge", "rules_on"):
        one, other = getattr(whole, part), getattr(facts, part)
        if one != other:
            names = [field.name for field in fields(one)]
            pytest.fail(f"{part}: " + "; ".join(
                f"{name}: gathered {getattr(one, name)!r}, in sets {getattr(other, name)!r}"
                for name in names if getattr(one, name) != getattr(other, name)))
