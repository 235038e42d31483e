"""Whoever lets money go is not whoever asked for it; where nobody else may, a night stands for the second person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from billing import staff
from billing.store import practices
from config.practice import PracticePolicy


def require(session: Session, practice_id: str, *, by: str, asked_by: str, asked_at: datetime, role: str,
            policy: PracticePolicy, now: datetime, also_by: Iterable[str] = ()) -> str:
    """Return how the approval came about, for the trail. ``role``: supervisor or manager, as the policy names it.
    ``also_by``: whoever else's work it is, who is no second pair of eyes either.

    Raises staff.StaffRefused: nobody on the list, not of that role, the asker's own request while a colleague could
    approve it, or asked for today by the only one who may (policy.bulk.overnight_if_alone).
    """
    person = staff.require(session, practice_id, by, "approve")
    if role == "manager" and person.role != "manager":
        raise staff.StaffRefused("this practice's policy lets a manager alone approve this")
    makers = {one.strip().casefold() for one in (asked_by, *also_by)}
    if by.strip().casefold() not in makers:
        return "second person"
    others = [one.login for one in practices.list_staff(session, practice_id)
              if one.active and "approve" in staff.RIGHTS[one.role] and one.login.casefold() not in makers
              and (role != "manager" or one.role == "manager")]
    if others or not policy.bulk.overnight_if_alone:
        raise staff.StaffRefused("nobody approves their own request; ask a colleague")
    if policy.local_day(now) <= policy.local_day(asked_at):
        raise staff.StaffRefused("you are the only one here who may approve, so a night has to pass; approve it "
                                 "tomorrow")
    return "alone, overnight"
