"""By which way each account of a set is told: billing/ways.pick, on what a sheet has read of thousands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from billing import gate_set_facts, gate_set_sheet, preferences, ways
from billing.gate_set_sheet import Sheet
from billing.phones import address_hash, line_of
from billing.store import gate_set_queries as store
from billing.store.seal import unseal
from billing.ways import Owner
from config.dunning_policy import Way


@dataclass(frozen=True, slots=True)
class _Contact:
    """A contact point whose address is opened only when it is asked for."""

    point: store.Point
    created_at: datetime | None

    @property
    def address(self) -> str:
        return address_of(self.point)

    @property
    def channel(self) -> str:
        return self.point.channel

    @property
    def address_hash(self) -> str:
        return self.point.hashed

    @property
    def status(self) -> str:
        return self.point.status

    @property
    def at_work(self) -> bool:
        return self.point.at_work


def address_of(point: store.Point) -> str:
    return unseal(bytes(point.sealed), "contact_points.address")


def choose(session: Session, sheet: Sheet, order: Sequence[Way], due_minor: Mapping[str, int],
           minimum_minor: Mapping[Way, int],
           ) -> tuple[dict[str, ways.Choice | ways.NoWay], Collection[str]]:
    """The way of each account of ``due_minor``, as billing/ways.choose picks it. The sheet then covers every address
    chosen, but for when each was last heard of. The second answer: whose wishes are on record, whatever they are.
    """
    gate_set_sheet.cover(session, sheet, {
        (point.channel, point.hashed) for points in sheet.points.values() for point in points}, heard=False)
    wished = store.wishes_of(session, sheet.practice_id, due_minor)
    found: dict[str, ways.Choice | ways.NoWay] = {}
    others = []
    for id_ in due_minor:
        plain = None if id_ in wished else _plain(sheet, id_, order, due_minor[id_], minimum_minor)
        if plain is not None:
            found[id_] = plain
        else:
            others.append(id_)
    if others:
        found |= _search(session, sheet, others, order, due_minor, minimum_minor, wished)
    return found, wished.keys()


def _plain(sheet: Sheet, id_: str, order: Sequence[Way], due_minor: int, minimum_minor: Mapping[Way, int],
           ) -> ways.Choice | None:
    """Most accounts have wished for nothing and have a number that works: the first that is asked about it is taken."""
    if not order or order[0] != "sms" or due_minor < minimum_minor.get("sms", 0):
        return None
    point = None
    for one in sheet.points.get(id_, ()):
        if point is None and one.channel == "sms":
            point = one
        if sheet.preferences[line_of(one.channel), one.hashed]:
            return None
    if point is None or point.status != "ok" or point.at_work or id_ in sheet.collectors:
        return None
    stands = gate_set_facts.stance(sheet, id_, "sms", point.hashed)
    if stands.opted_out or stands.unasked:
        return None
    return ways.Choice("sms", address_of(point), point.hashed)


def _search(session: Session, sheet: Sheet, ids: Sequence[str], order: Sequence[Way], due_minor: Mapping[str, int],
            minimum_minor: Mapping[Way, int], wished: Mapping[str, Sequence[Any]],
            ) -> dict[str, ways.Choice | ways.NoWay]:
    own = store.own_addresses(session, ids) if "paper" in order else {}
    letters = {id_: address_hash(sheet.practice_id, "paper", address) for id_, address in own.items()}
    gate_set_sheet.cover(session, sheet, {("paper", hashed) for hashed in letters.values()}, heard=False)
    set_up = store.set_up_at(session, sheet.practice_id, wished)
    found: dict[str, ways.Choice | ways.NoWay] = {}
    for id_ in ids:
        points = sheet.points.get(id_, [])
        events = [one for point in points for one in sheet.preferences.get((point.channel, point.hashed), ())]
        party = Owner(id_, sheet.practice_id, "collector" if id_ in sheet.collectors else "creditor", own.get(id_))
        seeker = ways.seeker_of(
            partial(gate_set_facts.standing, sheet, id_), partial(_wishes, sheet, id_), party, sheet.policy,
            [_Contact(point, set_up.get((id_, point.channel, point.hashed))) for point in points],
            wished.get(id_, ()), events, due_minor[id_], minimum_minor)
        found[id_] = ways.pick(seeker, order)
    return found


def _wishes(sheet: Sheet, id_: str, way: str, hashed: str) -> preferences.Wishes:
    return preferences.derive(sheet.preferences[way, hashed], id_)
