"""A bill checks itself before anybody is reminded of it (DESIGN.md, point 2 of "better than").

Every check has a name, a function and one sentence. A hit holds the account (kind ``audit``) with its reason, an owner
(the case's) and a day of review; a person releases it, and what was released is not held again for the same cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import cased_holds
from billing.audit_checks import CHECKS, Finding
from billing.audit_facts import Facts, gather
from billing.figures import AccountFigures
from billing.store import dunning_queries
from billing.store.tables import Guarantor, Hold
from config.dunning_policy import DunningPolicy

__all__ = ["CHECKS", "Entry", "Finding", "audit", "findings", "worklist"]

KIND = "audit"


def findings(session: Session, guarantor_id: str, policy: DunningPolicy, today: date,
             account: AccountFigures | None = None) -> tuple[Finding, ...]:
    """What speaks against asking this account, in the order of the checks; reads only. ``today`` practice-local,
    ``account``: its figures, where they were read already.
    """
    return judge(gather(session, guarantor_id, today, account), policy)


def judge(facts: Facts, policy: DunningPolicy) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for check in CHECKS:
        found += check.find(facts, policy)
    return tuple(found)


def audit(session: Session, guarantor: Guarantor, policy: DunningPolicy, today: date, now: datetime,
          account: AccountFigures | None = None) -> list[Hold]:
    """Hold the account for everything that is found and was not looked at before; return the holds that are open."""
    placed = [_place(session, guarantor, one, now) for one in findings(session, guarantor.id, policy, today, account)]
    return [one for one in placed if one.released_at is None]


def dedupe_of(guarantor_id: str, found: Finding) -> str:
    """The key of a finding's cause."""
    return f"{KIND}:{found.check}:{guarantor_id}:{found.subject}"


def _place(session: Session, guarantor: Guarantor, found: Finding, now: datetime) -> Hold:
    return cased_holds.place(session, guarantor, kind=KIND, title="A bill did not pass its own check",
                             reason=found.words, dedupe=dedupe_of(guarantor.id, found), now=now,
                             visit_id=found.visit_id)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the worklist."""

    hold_id: str
    account: str
    check: str
    reason: str
    visit_id: str | None
    owner: str
    case_number: int | None
    placed_on: date
    review_on: date | None
    overdue: bool


def worklist(session: Session, practice_id: str, today: date) -> list[Entry]:
    """Every bill that waits for a person after its own check or before its first sight; by day of review."""
    rows = dunning_queries.open_holds(session, practice_id, (KIND, "first_look", "address"))
    return [_entry(session, row, today) for row in rows]


def _entry(session: Session, row: Hold, today: date) -> Entry:
    case = cased_holds.case_of(session, row)
    account = session.get_one(Guarantor, row.guarantor_id).external
    check = row.dedupe.split(":")[1] if row.kind != "address" else row.kind
    return Entry(row.id, account, check, row.reason, row.visit_id, (case.owner or "") if case else "",
                 case.number if case else None, row.placed_at.date(), row.review_on,
                 row.review_on is not None and row.review_on <= today)
