"""A campaign's facts for a simulation: each account with the message that it would be sent today, in sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from billing import campaigns, gate_set_facts, gate_set_sheet, gate_sets, planning_ways, segments
from billing.campaign_simulation import Change, Simulation
from billing.campaign_simulation import simulate as rule_twice
from billing.gate_sets import Candidate, Words
from billing.planning import Order
from billing.policy.core import Facts
from billing.store.ledger_queries import chunks
from billing.store.practices import rules_in
from billing.store.tables import Campaign
from billing.ways import Choice
from bot.campaign_previews import order_of
from bot.road import Road
from config.practice import PracticePolicy

Spoken = Mapping[tuple[str, str, bool], Words]


def simulate(session: Session, road: Road, policy: PracticePolicy, campaign: Campaign, change: Change,
             now: datetime, *, progress: Callable[[int], None] | None = None) -> Simulation:
    """Rule on the campaign as it stands today and under ``change``. Nothing is written. ``progress`` is told how many
    accounts were asked about, before each set.
    """
    members = segments.members(session, campaigns.segment_of(session, campaign), policy.local_day(now))
    order = order_of(campaign, policy, road)
    return rule_twice(_every(session, order, members, now, progress), change)


def _every(session: Session, order: Order, members: list[str], now: datetime,
           progress: Callable[[int], None] | None) -> Iterator[tuple[str, Facts | None]]:
    done = 0
    for part in chunks(members, gate_sets.SET):
        if progress is not None:
            progress(done)
        yield from _facts(session, order, part, now)
        done += len(part)


def _facts(session: Session, order: Order, guarantor_ids: list[str], now: datetime,
           ) -> Iterator[tuple[str, Facts | None]]:
    policy, configured = rules_in(session, order.practice_id)
    sheet = gate_set_sheet.read(session, order.practice_id, policy, guarantor_ids, now)
    books = {one: gate_set_facts.account(sheet, one, person.language) for one, person in sheet.people.items()}
    due = {one: book.due_now_minor for one, book in books.items()}
    chosen, _ = planning_ways.choose(session, sheet, order.ways, due, order.minimum_minor)
    gate_set_sheet.hear(session, sheet, {one.address_hash for one in chosen.values() if isinstance(one, Choice)})
    setting = gate_sets.setting_of(session, sheet, configured)
    for one, book in books.items():
        choice, language = chosen[one], sheet.people[one].language
        words = _words(order.words, choice, language, sheet, one) if isinstance(choice, Choice) else None
        if words is None or not isinstance(choice, Choice):
            yield one, None
            continue
        asked = Candidate(one, choice.way, choice.address, choice.address_hash, order.purpose, words,
                          order.purpose != "notice", None, order.campaign_id, running=True)
        yield one, gate_sets.facts_of(setting, sheet, asked, book)


def _words(spoken: Spoken, choice: Choice, language: str, sheet: gate_set_sheet.Sheet, guarantor_id: str,
           ) -> Words | None:
    known = choice.way not in ("sms", "telegram") or gate_set_facts.standing(
        sheet, guarantor_id, choice.way, choice.address_hash).introduced
    return spoken.get((choice.way, language, known))
