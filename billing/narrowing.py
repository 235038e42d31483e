"""A case that is about less than was feared: the number's becomes one account's, the account's becomes one visit's.

A hold is placed at the patient's first word, as wide as it has to be, and moves once they have said what they mean.
Each step is in the audit trail.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, cases, holds
from billing.holds import KINDS
from billing.store import case_queries as store
from billing.store import hold_queries
from billing.store.tables import Case, Hold


def adopt(session: Session, practice_id: str, was: str, key: str, guarantor_id: str, *, by: str,
          now: datetime) -> None:
    """Make the open case of the cause ``was``, opened while nobody was verified, the account's under ``key``.

    Holds that it placed on other accounts of the number end. Where ``key`` has an open case already, that one goes
    on alone with what was said. Does nothing when there is no such case.
    """
    found = store.by_dedupe(session, practice_id, was)
    if found is None:
        return
    case, known = store.lock(session, found.id), store.by_dedupe(session, practice_id, key)
    if known is not None:
        cases.add_note(session, practice_id, known.id, by=by, body=case.detail, now=now)
        cases.close(session, practice_id, case.id, by=by, resolution=f"goes on in case {known.number}", now=now)
        return
    for hold in _holds_of(session, case):
        if hold.guarantor_id != guarantor_id:
            holds.release(session, practice_id, hold.id, released_by=by, now=now,
                          reason=f"case {case.number} is another account's")
    case.guarantor_id, case.dedupe = guarantor_id, key
    session.flush()
    audit.record(session, practice_id, by, "case_adopted", "case", case.id, "identity proved", now)


def specify(session: Session, practice_id: str, key: str, *, visits: Sequence[str], reason: str, words: str, by: str,
            now: datetime) -> Case | None:
    """Say more of the open case of one cause: which visits, why, in what words. None when there is no open one.

    Its hold on the account moves to the ``visits`` (of that account; others are left out), if the kind of hold can
    lie on a visit at all. Ids of another account never get a hold.
    """
    found = store.by_dedupe(session, practice_id, key)
    if found is None:
        return None
    case = store.lock(session, found.id)
    own = [one for one in visits if store.owner_of_visit(session, practice_id, one) == case.guarantor_id]
    if own:
        _move_holds(session, case, own, by, now)
        audit.record(session, practice_id, by, "case_narrowed", "case", case.id, f"{len(own)} visits", now)
    case.reason = reason or case.reason
    said = "\n".join(part for part in (f"reason: {reason}" if reason else "", words) if part)
    if said:
        cases.add_note(session, practice_id, case.id, by=by, body=said, now=now)
    session.flush()
    return case


def _move_holds(session: Session, case: Case, visits: Sequence[str], by: str, now: datetime) -> None:
    """First the narrow holds, then the wide one ends: there is no moment without one."""
    assert case.guarantor_id is not None  # visits are somebody's
    open_now = _holds_of(session, case)
    wide = [hold for hold in open_now if hold.visit_id is None and KINDS[hold.kind].scope != "account"]
    for hold in wide:
        for visit_id in visits:
            cases.place_hold(session, case, hold.kind, case.guarantor_id, visit_id, by, now)
        holds.release(session, case.practice_id, hold.id, released_by=by, now=now,
                      reason=f"case {case.number} is about {len(visits)} of the visits")
    about = {hold.visit_id for hold in _holds_of(session, case) if hold.visit_id} or set(visits)
    case.visit_id = about.pop() if len(about) == 1 else None


def _holds_of(session: Session, case: Case) -> Sequence[Hold]:
    return hold_queries.open_from(session, case.practice_id, [f"case:{case.id}"])
