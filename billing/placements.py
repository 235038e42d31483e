"""Placing a visit's debt with an agency: proposed by one person, approved by another, in a file, recalled.

What is checked is in billing/placement_checks.py, asked at each step anew; what moves in the ledger in
billing/placement_money.py; the files in billing/agency_files.py and billing/agency_returns.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import audit, closing, placement_money, second_person
from billing.lives import step
from billing.placement_checks import Obstacle, obstacles, standing
from billing.placement_money import APPROVED, CLOSED, MOVES, PLACED, PROPOSED, RECALLED, REFUSED
from billing.store import collection_queries as store
from billing.store import hold_queries
from billing.store.practices import policy_in
from billing.store.tables import Placement
from config.dunning_policy import AgencyPolicy
from config.practice import PracticePolicy

#: A hold of these kinds that comes up while a debt is placed stops the agency until it is cleared.
SUSPENDS = frozenset({"dispute", "attorney", "cease", "insurance_update", "ppdr", "assistance_pending", "litigation",
                      "gfe_exceeded", "paid_already", "emergency", "staff_flag", "audit"})
#: Nobody may collect any more: the debt comes back at once.
RECALLS = frozenset({"bankruptcy", "deceased", "qmb", "minor_confidential"})


class PlacementRefused(ValueError):
    """What cannot be placed, with everything that stands in the way in ``obstacles``. No PHI."""

    def __init__(self, words: str, found: Sequence[Obstacle] = ()) -> None:
        super().__init__(words)
        self.obstacles = tuple(found)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What became of one visit of an account."""

    visit_id: str
    placement_id: str
    amount_minor: int
    obstacles: tuple[Obstacle, ...] = ()


def agency_of(policy: PracticePolicy, key: str) -> AgencyPolicy:
    """Raises PlacementRefused for an agency that the policy does not name."""
    for one in policy.collections.agencies:
        if one.key == key:
            return one
    known = ", ".join(one.key for one in policy.collections.agencies) or "none"
    raise PlacementRefused(f"the practice's policy names no agency {key!r} ([[collections.agencies]]); it names "
                           f"{known}")


def propose(session: Session, *, practice_id: str, guarantor_id: str, agency: str, by: str, now: datetime,
            visits: Sequence[str] = ()) -> list[Proposal]:
    """Propose an account's visits (empty: all that the patient owes something on). Nothing moves yet; one that is
    proposed already stays as it is.

    Raises PlacementRefused for an unknown agency.
    """
    hold_queries.lock(session, guarantor_id)
    policy = policy_in(session, practice_id)
    contract = agency_of(policy, agency)
    here = standing(session, guarantor_id, policy, now)
    open_ones = {row.visit_id: row for row in store.placements_of(session, guarantor_id, (PROPOSED, APPROVED, PLACED))}
    made = []
    for visit in here.figures.visits:
        if visit.visit_id not in visits if visits else visit.figures.patient_minor <= 0:
            continue
        known = open_ones.get(visit.visit_id)
        found = obstacles(here, visit.visit_id, contract) if known is None else ()
        if known is None and not found:
            known = placement_money.open_row(session, here.guarantor, visit.visit_id, agency,
                                             visit.figures.due_now_minor, by=by, now=now)
            audit.record(session, practice_id, by, "placement_proposed", "placement", known.id, agency, now)
        made.append(Proposal(visit.visit_id, known.id if known else "", visit.figures.due_now_minor, found))
    return made


def approve(session: Session, practice_id: str, placement_id: str, *, by: str, now: datetime) -> Placement:
    """Another person lets it go into the next file. Raises PlacementRefused, staff.StaffRefused, IllegalMove."""
    row, policy = _row(session, practice_id, placement_id)
    if row.status == PROPOSED:
        how = second_person.require(
            session, practice_id, by=by, asked_by=row.proposed_by, asked_at=row.proposed_at,
            role=policy.collections.approver, policy=policy, now=now)
        found = check(session, row, policy, now)
        if found:
            raise PlacementRefused(f"it may not be placed any more: {found[0].words}", found)
        audit.record(session, practice_id, by, "placement_approved", "placement", row.id, how, now)
    step("placement", MOVES, row, APPROVED)
    row.approved_by, row.approved_at = by, now
    session.flush()
    return row


def check(session: Session, row: Placement, policy: PracticePolicy, now: datetime) -> tuple[Obstacle, ...]:
    """What stands in the way of a proposed or approved placement in this moment; a balance that moved is one."""
    here = standing(session, row.guarantor_id, policy, now)
    visit = here.figures.visit(row.visit_id)
    moved = visit is not None and visit.figures.due_now_minor != row.amount_minor
    found = obstacles(here, row.visit_id, agency_of(policy, row.agency))
    return (*found, Obstacle("moved", "the balance moved since it was proposed; propose it again")) if moved else found


def refuse(session: Session, practice_id: str, placement_id: str, *, by: str, reason: str, now: datetime) -> Placement:
    """It is not placed after all. Raises PlacementRefused, IllegalMove."""
    if not reason.strip():
        raise PlacementRefused("declining a placement needs its reason; no names")
    row, policy = _row(session, practice_id, placement_id)
    step("placement", MOVES, row, REFUSED)
    row.end_reason, row.ended_on = reason.strip()[:200], policy.local_day(now)
    audit.record(session, practice_id, by, "placement_refused", "placement", row.id, row.end_reason, now)
    return row


def recall(session: Session, practice_id: str, placement_id: str, *, by: str, reason: str, now: datetime) -> Placement:
    """Take back all that is left at the agency; the next file tells it. Raises PlacementRefused, IllegalMove."""
    if not reason.strip():
        raise PlacementRefused("recalling a debt needs its reason; no names")
    row, policy = _row(session, practice_id, placement_id)
    return bring_home(session, row, policy, how=RECALLED, by=by, reason=reason.strip()[:200], now=now)


def bring_home(session: Session, row: Placement, policy: PracticePolicy, *, how: str, by: str, reason: str,
               now: datetime, reference: str = "", file_id: str | None = None) -> Placement:
    """Move what is left at the agency back to the visit and end the placement as ``how``: recalled by us, closed by
    the agency. Raises IllegalMove.
    """
    if row.status != PLACED:
        step("placement", MOVES, row, how)  # says what is wrong
    on = closing.open_day(session, row.practice_id, policy.local_day(now))
    kind = "recalled" if how == RECALLED else "agency_closed"
    placement_money.take_back(session, row, row.left_minor, how, kind, currency=policy.currency, on=on, now=now,
                              reason=reason, reference=reference, file_id=file_id)
    placement_money.end(session, row, how, by=by, reason=reason, on=policy.local_day(now), now=now)
    audit.record(session, row.practice_id, by, f"placement_{how}", "placement", row.id, reason, now)
    return row


def note_changes(session: Session, practice_id: str, now: datetime) -> int:
    """What came up about placed debts since: a dispute and the like suspends, a bankruptcy and the like recalls, what
    is cleared resumes. Returns how many agencies' rows that made. Any number of times.
    """
    policy = policy_in(session, practice_id)
    today, made = policy.local_day(now), 0
    for row in store.placements(session, practice_id, (PLACED,)):
        hold_queries.lock(session, row.guarantor_id)
        kinds = {h.kind for h in hold_queries.open_of(session, row.guarantor_id) if h.visit_id in (None, row.visit_id)}
        barred = sorted(kinds & RECALLS)
        if barred:
            bring_home(session, row, policy, how=RECALLED, by="plainbill", reason=barred[0], now=now)
            made += 1
        else:
            made += _suspend(session, row, sorted(kinds & SUSPENDS), today, now)
    return made


def _suspend(session: Session, row: Placement, kinds: Sequence[str], today: date, now: datetime) -> bool:
    events = [e for e in store.events_of(session, row.id) if e.kind in ("suspended", "resumed")]
    stopped = bool(events) and events[-1].kind == "suspended"
    if bool(kinds) == stopped:
        return False
    reason = ("assistance" if "assistance_pending" in kinds else kinds[0]) if kinds else events[-1].reason
    placement_money.note(session, row, "suspended" if kinds else "resumed", 0, today, now, reason=reason)
    return True


def find(session: Session, practice_id: str, placement_id: str) -> Placement | None:
    row = session.get(Placement, placement_id)
    return row if row is not None and row.practice_id == practice_id else None


def _row(session: Session, practice_id: str, placement_id: str) -> tuple[Placement, PracticePolicy]:
    known = find(session, practice_id, placement_id)
    if known is None:
        raise PlacementRefused("there is no such placement; plainbill collections placements lists them")
    hold_queries.lock(session, known.guarantor_id)
    row = store.lock(session, Placement, practice_id, placement_id)
    assert row is not None, "placements are never deleted"
    policy = policy_in(session, practice_id)
    return row, policy


__all__ = ["CLOSED", "PlacementRefused", "Proposal", "agency_of", "approve", "bring_home", "check", "find",
           "note_changes", "propose", "recall", "refuse"]
