"""Everything that waits for somebody, list by list with how much of it there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing import assistance, claim_work
from billing.store import console_claim_queries, console_list_queries, console_work_queries
from bot.web.console.table import Asked, Nothing, View, of_practice

#: Kinds of case that have a line of their own; every other kind is under "cases".
_OWN_LINE = ("dispute", "insurance_update", "wrong_number")


@dataclass(frozen=True, slots=True)
class List:
    """``where`` is below /console; ``overdue``: of those that wait, how many are past their time."""

    name: str
    where: str
    waiting: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Lists:
    every: list[List]


def claims_cutoff(asked: Asked[Any]) -> datetime:
    """Claims that were on file by then have waited long enough."""
    return asked.now - timedelta(days=asked.policy.console.unanswered_claim_days)


def read(session: Session, asked: Asked[Nothing]) -> Lists:
    practice = asked.practice_id
    kinds = {kind: (waiting, overdue) for kind, waiting, overdue in
             console_work_queries.counts(session, practice, asked.now)}
    found = console_list_queries.counts(session, practice, asked.today, asked.now, assistance.OPEN)
    claims = console_claim_queries.counts(session, practice, claims_cutoff(asked), claim_work.DONE)
    rest = [both for kind, both in kinds.items() if kind not in (*_OWN_LINE, "call", "no_way")]
    calls = [kinds[kind] for kind in ("call", "no_way") if kind in kinds]
    return Lists([
        _cases("cases", "/cases", *rest), _cases("calls", "/worklists/calls", *calls),
        *(_cases(kind, f"/cases?kind={kind}", kinds.get(kind, (0, 0))) for kind in _OWN_LINE),
        List("denied", "/worklists/claims?show=denied", claims.get("denied", 0), 0),
        List("unanswered", "/worklists/claims?show=unanswered", claims.get("pending", 0), 0),
        *(List(name, where, found[name], 0) for name, where in (
            ("identity", "/worklists/identity"), ("assistance", "/worklists/assistance"),
            ("holds", "/worklists/holds"), ("unknown", "/worklists/unknown"), ("plans", "/worklists/plans"))),
        List("collections", "/worklists/collections",
             found["write_offs"] + found["placements"] + found["to_export"], 0),
        *(List(name, where, found[name], 0) for name, where in (
            ("refunds", "/money/waiting"), ("chargebacks", "/money/disputes"), ("credits", "/money/credits"),
            ("suspense", "/money/suspense"), ("bank", "/money/bank"), ("differences", "/money/differences"),
            ("corrections", "/corrections"), ("incidents", "/incidents"), ("words", "/words")))])


def _cases(name: str, where: str, *counts: tuple[int, int]) -> List:
    return List(name, where, sum(one[0] for one in counts), sum(one[1] for one in counts))


VIEWS = (View("worklists", "/worklists", "read", read, Lists, seen=of_practice("worklists")),)
ACTIONS = ()
