"""What is past due, a page at a time: what a person does next first, then by value, as billing/collections_worklist.py
has it for all. A practice of a hundred thousand accounts opens a page as fast as one of a hundred does.

SQL names the accounts that an action may be the next of, the largest first; what it really is, is read of those alone.
Nothing is kept from one page to the next: every amount is of the moment in which the page is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing.collections_worklist import ACTIONS, Line, lines_of
from billing.placement_checks import OPEN_APPLICATION
from billing.placement_money import APPROVED, PROPOSED
from billing.store import collection_page_queries as store
from billing.store.collection_page_queries import Owners
from billing.store.collection_queries import LIVE
from billing.store.practices import policy_in
from config.practice import PracticePolicy

#: Accounts that are read together, and how many are looked at for one page at most.
AT_ONCE, MOST = 100, 500

#: Nobody here has to do anything about these: they come last, all together by value.
LAST = ("wait", "dunning", "at_agency", "on_plan")
FIRST = tuple(one for one in ACTIONS if one not in LAST)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind the account with that value (cents), among those of an action."""

    action: str
    after: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """``following`` empty: this is the end. A page may have fewer lines than it could: so many were looked at."""

    lines: list[Line]
    following: Place | None


@dataclass(frozen=True, slots=True)
class _Asked:
    session: Session
    practice_id: str
    policy: PracticePolicy
    now: datetime


def page(session: Session, practice_id: str, now: datetime, *, action: str = "", start: Place | None = None,
         size: int = 50) -> Page:
    """``action``: only accounts whose next it is."""
    policy = policy_in(session, practice_id)
    asked = _Asked(session, practice_id, policy, now)
    groups: list[tuple[str, ...]] = [(action,)] if action else [*((one,) for one in FIRST), LAST]
    at = next((place for place, group in enumerate(groups) if start is not None and start.action in group), 0)
    found: list[Line] = []
    looked, after = 0, start.after if start is not None else None
    for group in groups[at:]:
        following, seen = _fill(asked, group, after, found, size, MOST - looked)
        if following is not None:
            return Page(found, following)
        looked, after = looked + seen, None
    return Page(found, None)


def _fill(asked: _Asked, group: tuple[str, ...], after: tuple[int, str] | None, found: list[Line], size: int,
          most: int) -> tuple[Place | None, int]:
    """Add this group's lines to ``found``; where the page goes on if it is full or enough was looked at, and how many
    were.
    """
    looked = 0
    while True:
        if looked >= most:
            return Place(group[0], after), looked
        rows = _candidates(asked, group, after)
        if not rows:
            return None, looked
        lines = {one.guarantor_id: one for one in lines_of(
            asked.session, asked.practice_id, [owner for owner, _ in rows], asked.policy, asked.now)}
        for owner, minor in rows:
            line = lines.get(owner)
            if line is not None and line.action in group:
                if len(found) == size:
                    return Place(group[0], after), looked
                found.append(line)
            after, looked = (minor, owner), looked + 1
        if len(rows) < AT_ONCE:
            return None, looked


def _candidates(asked: _Asked, group: tuple[str, ...], after: tuple[int, str] | None) -> list[tuple[str, int]]:
    small = asked.policy.collections.small_balance_minor if group == ("write_off_small",) else None
    return list(store.by_value(asked.session, asked.practice_id, _MAY_BE[group[0]](asked), after, AT_ONCE, small))


def _said_finally(asked: _Asked) -> Owners:
    """Some days fewer than the policy's, so that no clock's odd hour counts: a message leaves when it was queued, or
    later.
    """
    steps = [one.name for one in asked.policy.dunning.steps if one.final] if asked.policy.dunning else []
    before = asked.now - timedelta(days=asked.policy.collections.final_notice_days - 2)
    return store.told_finally(asked.practice_id, steps, before)


def _late(asked: _Asked, days: int = 0) -> Owners:
    return store.past_due(asked.practice_id, asked.policy.local_day(asked.now) - timedelta(days=max(days - 1, 0)))


def _last(asked: _Asked) -> Owners:
    return _late(asked).union(store.with_placement(asked.practice_id, LIVE)).subquery().select()


#: By action: the accounts of which it may be the next. Too many are no harm, one too few would be.
_MAY_BE: Mapping[str, Callable[[_Asked], Owners]] = {
    "approve_write_off": lambda asked: store.with_write_off(asked.practice_id),
    "approve_placement": lambda asked: store.with_placement(asked.practice_id, (PROPOSED,)),
    "export_placement": lambda asked: store.with_placement(asked.practice_id, (APPROVED,)),
    "decide_assistance": lambda asked: store.with_application(asked.practice_id, OPEN_APPLICATION),
    "review_hold": lambda asked: store.with_hold(asked.practice_id),
    "write_off_small": lambda asked: _late(asked, asked.policy.collections.small_balance_days),
    "propose_placement": _said_finally, "write_off_bad_debt": _said_finally,
    "find_address": lambda asked: store.with_hold(asked.practice_id, ("address",)),
    "wait": _last, "dunning": _late, "at_agency": lambda asked: store.with_placement(asked.practice_id, LIVE),
    "on_plan": lambda asked: store.with_plan(asked.practice_id)}
