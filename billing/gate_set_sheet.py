"""What the store says about a set of accounts and their addresses, read with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import consents as consent_events
from billing import record, taken_as_left
from billing.phones import line_of
from billing.policy.collector import capacity_of
from billing.store import gate_set_queries as store
from billing.store import gate_set_visit_queries, household_queries, standing_queries
from billing.store.consent_queries import NOT_SENT
from billing.store.gate_set_visit_queries import SeenVisit
from billing.store.seal import unseal
from billing.store.standing_queries import HoldFacts, PlanFacts
from billing.zones import state_of_zip
from config.practice import PracticePolicy


@dataclass(frozen=True, slots=True)
class Sheet:
    """By account: people, visits, holds, plans (by visit), credits, payments, demanded, told. By address: the rest,
    consents and preferences by (line, address hash).
    """

    practice_id: str
    policy: PracticePolicy
    now: datetime
    today: date
    stale: bool
    import_runs: bool
    people: dict[str, store.Person]
    collectors: set[str]
    states: dict[str, str | None]
    visits: dict[str, list[SeenVisit]]
    holds: dict[str, list[HoldFacts]]
    plans: dict[str, list[PlanFacts]]
    unfinished: set[str]
    credits: dict[str, int]
    payments: dict[str, tuple[datetime | None, bool]]
    demanded: dict[str, datetime] = field(default_factory=dict)
    told: dict[str, tuple[bool, datetime | None]] = field(default_factory=dict)
    points: dict[str, list[store.Point]] = field(default_factory=dict)
    external: dict[str, str] = field(default_factory=dict)
    at: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # (account, carrier) of each point there
    nearby: dict[str, set[str]] = field(default_factory=dict)
    consents: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    unsent: set[str] = field(default_factory=set)
    stands: dict[tuple[str, str, str], consent_events.Standing] = field(default_factory=dict)
    stances: dict[tuple[Any, ...], Any] = field(default_factory=dict)  # gate_set_facts.Stance, by all that was said
    preferences: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    left: dict[str, list[store.Left]] = field(default_factory=dict)
    inbound: dict[str, datetime] = field(default_factory=dict)
    covered: set[str] = field(default_factory=set)
    carriers: dict[str, str] = field(default_factory=dict)
    said: Mapping[str, datetime] = field(default_factory=dict)  # billing/taken_as_left.py
    channels: dict[str, set[str]] = field(default_factory=dict)  # of each address; read only where something was said


def read(session: Session, practice_id: str, policy: PracticePolicy, ids: Collection[str], now: datetime, *,
         places: bool = True) -> Sheet:
    """Everything by account; without ``places`` not yet what ``reach`` reads. What is kept by address comes with
    ``cover``.
    """
    people = store.people(session, practice_id, ids)
    visits = gate_set_visit_queries.visits(session, practice_id, ids)
    visit_ids = sorted([visit[0] for rows in visits.values() for visit in rows])  # as the indexes have them
    runs = standing_queries.running_imports(session, practice_id)
    pilots = policy.sending == "pilot" and policy.pilot_accounts
    sheet = Sheet(
        practice_id, policy, now, now.astimezone(ZoneInfo(policy.zone)).date(),
        stale=record.is_stale(session, practice_id, policy, now), import_runs=bool(runs),
        people=people, collectors={one for one in people if capacity(people[one]) == "collector"},
        states=_states(people), visits=visits, holds=standing_queries.holds(session, ids),
        plans=standing_queries.plans_by_visit(session, visit_ids),
        unfinished=standing_queries.unfinished(session, runs, visit_ids),
        credits=store.unapplied(session, practice_id, ids), payments=store.payments(session, ids, now),
        external=store.externals(session, ids) if pilots else {},
        said=taken_as_left.moments(session, practice_id))
    if places:
        reach(session, sheet, ids)
    return sheet


def reach(session: Session, sheet: Sheet, ids: Collection[str]) -> None:
    """Read where these accounts of the sheet are reached, and when they were last asked."""
    for point in store.points_of(session, sheet.practice_id, ids):
        sheet.points.setdefault(point.guarantor_id, []).append(point)
    sheet.demanded.update(store.demanded_at(session, ids))
    sheet.told.update(store.told_before(session, sheet.collectors.intersection(ids)))


def cover(session: Session, sheet: Sheet, places: Iterable[tuple[str, str]], *, heard: bool = True) -> None:
    """Read what is kept by address: of ``places`` (channel, address hash), and of every address of these accounts;
    with ``heard`` also when each last wrote to us.
    """
    own = {point.hashed for points in sheet.points.values() for point in points} if not sheet.covered else set()
    lines: dict[str, set[str]] = {}
    for channel, hashed in places:
        lines.setdefault(line_of(channel), set()).add(hashed)
    for line, hashes in lines.items():
        _cover_line(session, sheet, line, hashes)
    new = own.union(*lines.values()) - sheet.covered
    if new:
        _cover_places(session, sheet, new)
    if heard and new:
        hear(session, sheet, new)


def hear(session: Session, sheet: Sheet, hashes: Collection[str]) -> None:
    """Read when each of these addresses last wrote to us."""
    sheet.inbound.update(store.last_inbound_at(session, sheet.practice_id, hashes))


def _cover_line(session: Session, sheet: Sheet, line: str, hashes: set[str]) -> None:
    said = store.consents(session, sheet.practice_id, line, hashes)
    wished = store.preferences(session, sheet.practice_id, line, hashes)
    for hashed in hashes:
        sheet.consents[line, hashed] = said.get(hashed, [])
        sheet.preferences[line, hashed] = wished.get(hashed, [])
    carried = [message_id for events in said.values() for message_id in consent_events.introductions(events)]
    sheet.unsent.update(store.messages_in(session, carried, NOT_SENT))


def _cover_places(session: Session, sheet: Sheet, hashes: set[str]) -> None:
    """The household of an account is every account that shares an address with it, and all the addresses of these."""
    found = store.accounts_at(session, sheet.practice_id, hashes)
    for id_, hashed, carrier in found:
        sheet.at.setdefault(hashed, []).append((id_, carrier))
    strangers = {id_ for id_, _, _ in found} - sheet.points.keys() - sheet.nearby.keys()
    for point in store.points_of(session, sheet.practice_id, strangers) if strangers else ():
        sheet.nearby.setdefault(point.guarantor_id, set()).add(point.hashed)
    every = hashes.union(*(sheet.nearby[one] for one in strangers)) - sheet.left.keys()
    sheet.left.update(dict.fromkeys(every, _NOTHING))
    if sheet.said:
        sheet.channels.update(household_queries.channels_at(session, sheet.practice_id, every))
    for left in store.left_for(session, sheet.practice_id, every, sheet.now):
        rows = sheet.left[left.hashed]
        sheet.left[left.hashed] = [*rows, left]
    sheet.covered.update(hashes)


_NOTHING: list[store.Left] = []


def capacity(person: store.Person) -> str:
    """creditor or collector (T-20)."""
    return capacity_of(person.capacity, person.defaulted_on, person.obtained_on)


def _states(people: dict[str, store.Person]) -> dict[str, str | None]:
    """The state of each account's ZIP. Equal hashes are equal ZIPs: each is opened once."""
    by_hash: dict[str, str | None] = {}
    found: dict[str, str | None] = {}
    for id_, person in people.items():
        if person.postal_code is None:
            continue
        known = person.postal_hash
        if known is None or known not in by_hash:
            state = state_of_zip(unseal(bytes(person.postal_code), "guarantors.postal_code"))
            by_hash[known or id_] = state
        found[id_] = by_hash[known or id_]
    return found
