"""An application for financial assistance: asked for, received, completed, approved or denied, appealed.

From the first asking until it is decided nothing is asked of the account (hold ``assistance_pending``), and after a
denial until the day of appeal has passed. The policy is dated data (policy.assistance): the one in force on the day on
which the patient asked decides. Income comes on paper, at the desk or by telephone, and is never asked by text. What an
approval does to the money is in billing/assistance_posting.py. Source: 26 CFR 1.501(r)-6(c); issue 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing import assistance_posting, audit, cases, holds, staff
from billing.ids import new_id
from billing.lives import step
from billing.store import collection_queries as store
from billing.store import counters, hold_queries
from billing.store.practices import policy_in
from billing.store.tables import AssistanceApplication
from config.dunning_policy import AssistancePolicy, AssistanceTier
from config.practice import PracticePolicy

ASKED, RECEIVED, INCOMPLETE, APPROVED, DENIED, APPEALED, WITHDRAWN = (
    "asked", "received", "incomplete", "approved", "denied", "appealed", "withdrawn")
MOVES = {
    ASKED: frozenset({RECEIVED, INCOMPLETE, WITHDRAWN}),
    RECEIVED: frozenset({INCOMPLETE, APPROVED, DENIED, WITHDRAWN}),
    INCOMPLETE: frozenset({RECEIVED, DENIED, WITHDRAWN}),
    APPROVED: frozenset[str](),
    DENIED: frozenset({APPEALED}),
    APPEALED: frozenset({APPROVED, DENIED, WITHDRAWN}),
    WITHDRAWN: frozenset[str](),
}
OPEN = frozenset({ASKED, RECEIVED, INCOMPLETE, APPEALED})

#: Never a text: what a household has is told on paper, on a page, at the desk or by telephone.
SOURCES = ("paper", "page", "desk", "phone")
MISSING = ("application_form", "signature", "household", "income_proof", "tax_return", "benefit_letter", "other")
_HOUSEHOLD = frozenset({"people", "income_minor", "fpl_percent", "source"})

#: In ``household``: the answers as the patient gave them on the page (billing/assistance_telling.py).
TOLD = "told"


class AssistanceRefused(ValueError):
    """A step that an application does not have, or something that is missing. The text says what to do; no PHI."""


def ask(session: Session, *, practice_id: str, guarantor_id: str, by: str, now: datetime) -> AssistanceApplication:
    """The patient asked for help: nothing is asked of them from here on. An open application is returned as it is."""
    hold_queries.lock(session, guarantor_id)
    known = next((one for one in store.applications_of(session, guarantor_id) if one.status in OPEN), None)
    if known is not None:
        return known
    policy = policy_in(session, practice_id)
    today = policy.local_day(now)
    written = policy.assistance_on(today)
    row = store.add(session, AssistanceApplication(
        id=new_id("aid"), practice_id=practice_id, guarantor_id=guarantor_id,
        number=counters.next_number(session, practice_id, "assistance"), status=ASKED, asked_on=today,
        received_on=None, complete_by_on=_after(today, written.complete_within_days if written else 30),
        decide_by_on=None, appeal_by_on=None, household={}, missing=[], discount_percent=None, reason="",
        decided_by=None, decided_at=None, forgiven_minor=0, refund_minor=0, created_at=now))
    _hold(session, row, by, now)
    audit.record(session, practice_id, by, "assistance_asked", "assistance_application", row.id, "", now)
    return row


def _after(day: date, days: int) -> date:
    return day + timedelta(days=days)


def _hold(session: Session, row: AssistanceApplication, by: str, now: datetime) -> None:
    holds.place(session, practice_id=row.practice_id, guarantor_id=row.guarantor_id, kind="assistance_pending",
                reason=f"assistance application {row.number}", source=f"assistance:{row.id}", placed_by=by, now=now,
                dedupe=f"assistance:{row.id}:{row.status}:{policy_day(session, row, now).isoformat()}")


def policy_day(session: Session, row: AssistanceApplication, now: datetime) -> date:
    """The practice's own day of an instant."""
    policy = policy_in(session, row.practice_id)
    return policy.local_day(now)


def receive(session: Session, practice_id: str, ref: str, *, household: Mapping[str, Any], by: str, now: datetime,
            ) -> AssistanceApplication:
    """The application is complete. ``household``: people, income_minor (cents a year), fpl_percent, and ``source``:
    how it was given. Raises AssistanceRefused, IllegalMove.
    """
    given = _household(household)
    row, policy = _row(session, practice_id, ref)
    if row.status != RECEIVED or is_measured(row):  # what a patient told on the page waits for its percent alone
        step("assistance application", MOVES, row, RECEIVED)
    kept = {key: value for key, value in (row.household or {}).items() if key == TOLD}
    start_deciding(row, {**kept, **given}, policy, now)
    _note(session, row, by, "assistance_received", now)
    assistance_posting.tell_agencies(session, row, "suspended", policy.local_day(now), now)
    return row


def is_measured(row: AssistanceApplication) -> bool:
    """Whether somebody has put the household's income beside the federal poverty level."""
    return "fpl_percent" in (row.household or {})


def start_deciding(row: AssistanceApplication, household: Mapping[str, Any], policy: PracticePolicy,
                   now: datetime) -> None:
    """What is needed is there: the day of decision counts from the day on which it was all there."""
    today = policy.local_day(now)
    row.household, row.missing, row.received_on = dict(household), [], row.received_on or today
    row.decide_by_on = row.decide_by_on or _after(today, _written(policy, row).decide_within_days)
    row.complete_by_on = None


def _household(given: Mapping[str, Any]) -> dict[str, Any]:
    if set(given) - _HOUSEHOLD or given.get("source") not in SOURCES:
        raise AssistanceRefused(f"say how it was given: {', '.join(SOURCES)}; what a household has is never asked or "
                                "taken by text")
    people, income, percent = given.get("people"), given.get("income_minor"), given.get("fpl_percent")
    if not isinstance(people, int) or people < 1 or not isinstance(income, int) or income < 0:
        raise AssistanceRefused("an application says how many people the household has (1 or more) and its income in a "
                                "year (0 or more)")
    if not isinstance(percent, int) or percent < 0:
        raise AssistanceRefused("give the household's income as percent of this year's federal poverty level; this "
                                "program holds no table of it")
    return dict(given)


def find_missing(session: Session, practice_id: str, ref: str, *, missing: Sequence[str], by: str, now: datetime,
                 ) -> AssistanceApplication:
    """Something of the application is not there yet. Raises AssistanceRefused, IllegalMove."""
    if not missing or set(missing) - set(MISSING):
        raise AssistanceRefused(f"what is missing is one or more of {', '.join(MISSING)}")
    row, policy = _row(session, practice_id, ref)
    step("assistance application", MOVES, row, INCOMPLETE)
    row.missing, row.decide_by_on = sorted(set(missing)), None
    row.received_on = row.received_on or policy.local_day(now)
    row.complete_by_on = _after(policy.local_day(now), _written(policy, row).complete_within_days)
    _note(session, row, by, "assistance_incomplete", now)
    return row


def tier_for(written: AssistancePolicy, fpl_percent: int) -> AssistanceTier | None:
    """The most generous tier that the household is within; None: above all of them."""
    within = [one for one in written.tiers if fpl_percent <= one.fpl_percent]
    return max(within, key=lambda one: one.discount_percent, default=None)


def approve(session: Session, practice_id: str, ref: str, *, by: str, now: datetime) -> AssistanceApplication:
    """Give what the policy gives this household, post it, and give back what was paid above it. By somebody of the
    policy's role; the discount is the policy's, never a person's choice. Raises AssistanceRefused, StaffRefused,
    IllegalMove, and what refunds.ask raises.
    """
    row, policy = _row(session, practice_id, ref)
    written = _written(policy, row)
    _require_role(session, row, by, written)
    if row.status == RECEIVED and not is_measured(row):
        raise AssistanceRefused("this application came by the page: put the household's income as percent of the "
                                "federal poverty level first (plainbill assistance receive)")
    tier = tier_for(written, int((row.household or {}).get("fpl_percent", 10_000)))
    if tier is None:
        raise AssistanceRefused("this household is above every tier of the policy: deny it with that reason, or put "
                                "what was read wrongly right first")
    step("assistance application", MOVES, row, APPROVED)
    row.discount_percent, row.decided_by, row.decided_at, row.appeal_by_on = tier.discount_percent, by, now, None
    session.flush()
    assistance_posting.give(session, row, policy, written, by=by, now=now)
    _free(session, row, by, "approved", now)
    _note(session, row, by, "assistance_approved", now)
    return row


def deny(session: Session, practice_id: str, ref: str, *, reason: str, by: str, now: datetime,
         ) -> AssistanceApplication:
    """Deny it, with its reason and the day until which the patient may appeal; until then nothing is asked. Raises
    AssistanceRefused, StaffRefused, IllegalMove.
    """
    if not reason.strip():
        raise AssistanceRefused("a denial tells the patient its reason")
    row, policy = _row(session, practice_id, ref)
    written = _written(policy, row)
    _require_role(session, row, by, written)
    again = row.status == APPEALED
    step("assistance application", MOVES, row, DENIED)
    today = policy.local_day(now)
    row.reason, row.decided_by, row.decided_at = reason.strip(), by, now
    # One appeal, heard once: after a second denial there is none to wait for.
    row.appeal_by_on = today if again else _after(today, written.appeal_within_days)
    if again:
        _free(session, row, by, "denied on appeal", now)
    _note(session, row, by, "assistance_denied", now)
    return row


def appeal(session: Session, practice_id: str, ref: str, *, by: str, now: datetime) -> AssistanceApplication:
    """The patient appeals in time. Raises AssistanceRefused, IllegalMove."""
    row, policy = _row(session, practice_id, ref)
    today = policy.local_day(now)
    if row.status == DENIED and (row.appeal_by_on is None or today > row.appeal_by_on):
        raise AssistanceRefused(f"the day of appeal was {row.appeal_by_on}; a new application may be made at any time")
    step("assistance application", MOVES, row, APPEALED)
    row.decide_by_on, row.appeal_by_on = _after(today, _written(policy, row).decide_within_days), None
    _hold(session, row, by, now)
    _note(session, row, by, "assistance_appealed", now)
    return row


def withdraw(session: Session, practice_id: str, ref: str, *, reason: str, by: str, now: datetime,
             ) -> AssistanceApplication:
    """The patient wants no help any more, or never sent anything: somebody says so. Raises AssistanceRefused."""
    if not reason.strip():
        raise AssistanceRefused("withdrawing an application needs its reason; no names")
    row, _ = _row(session, practice_id, ref)
    step("assistance application", MOVES, row, WITHDRAWN)
    _free(session, row, by, "withdrawn", now)
    audit.record(session, practice_id, by, "assistance_withdrawn", "assistance_application", row.id,
                 reason.strip()[:200], now)
    session.flush()
    return row


def _free(session: Session, row: AssistanceApplication, by: str, how: str, now: datetime) -> None:
    session.flush()
    holds.release_from(session, row.practice_id, f"assistance:{row.id}", released_by=by, reason=f"application {how}",
                       now=now)
    if how != "approved":
        assistance_posting.tell_agencies(session, row, "resumed", policy_day(session, row, now), now)


def _require_role(session: Session, row: AssistanceApplication, by: str, written: AssistancePolicy) -> None:
    person = staff.require(session, row.practice_id, by, "approve")
    if written.approver == "manager" and person.role != "manager":
        raise staff.StaffRefused("this practice's assistance policy lets a manager alone decide (assistance.approver)")


def _written(policy: PracticePolicy, row: AssistanceApplication) -> AssistancePolicy:
    found = policy.assistance_on(row.asked_on)
    if found is None:
        raise AssistanceRefused("the practice has no assistance policy in force on the day on which this was asked "
                                "([[assistance]] in its policy); a manager writes one first")
    return found


def find(session: Session, practice_id: str, ref: str) -> AssistanceApplication:
    """By its number or our id. Raises AssistanceRefused."""
    return _row(session, practice_id, ref)[0]


def _row(session: Session, practice_id: str, ref: str) -> tuple[AssistanceApplication, PracticePolicy]:
    row_id = store.application_by_number(session, practice_id, int(ref)) if ref.isascii() and ref.isdecimal() else ref
    known = session.get(AssistanceApplication, row_id) if row_id else None
    if known is None or known.practice_id != practice_id:
        raise AssistanceRefused(f"there is no assistance application {ref}; plainbill assistance list shows them")
    hold_queries.lock(session, known.guarantor_id)
    row = store.lock(session, AssistanceApplication, practice_id, known.id)
    assert row is not None, "applications are never deleted"
    policy = policy_in(session, practice_id)
    return row, policy


def _note(session: Session, row: AssistanceApplication, by: str, what: str, now: datetime) -> None:
    session.flush()
    audit.record(session, row.practice_id, by, what, "assistance_application", row.id, "", now)


def work_day(session: Session, practice_id: str, now: datetime) -> int:
    """The deadlines: what is late comes before a person, never into dunning by itself; a denial whose day of appeal
    has passed ends its hold; an approval reaches visits whose insurer has answered since. Any number of times.
    """
    policy = policy_in(session, practice_id)
    today = policy.local_day(now)
    return sum(_work(session, row, policy, today, now)
               for row in store.applications(session, practice_id, {*OPEN, DENIED, APPROVED}))


def _work(session: Session, row: AssistanceApplication, policy: PracticePolicy, today: date, now: datetime) -> bool:
    late = {ASKED: ("assistance_silent", "Nothing came after a patient asked for assistance", row.complete_by_on),
            INCOMPLETE: ("assistance_incomplete", "An assistance application is still incomplete", row.complete_by_on),
            RECEIVED: ("assistance_overdue", "An assistance application waits for its decision", row.decide_by_on),
            APPEALED: ("assistance_overdue", "An assistance appeal waits for its decision", row.decide_by_on)}
    if row.status in late:
        kind, title, by_on = late[row.status]
        if by_on is None or today <= by_on:
            return False
        cases.open_case(session, row.practice_id, kind=kind, title=title, now=now,
                        detail=f"application {row.number}, due by {by_on}",
                        dedupe=f"{kind}:{row.id}:{by_on.isoformat()}", guarantor_id=row.guarantor_id)
        return True
    hold_queries.lock(session, row.guarantor_id)
    if row.status == DENIED:
        if row.appeal_by_on is None or today <= row.appeal_by_on:
            return False
        return bool(_release(session, row, now))
    written = policy.assistance_on(row.asked_on)
    if written is None or row.decided_at is None:
        return False
    return assistance_posting.give(session, row, policy, written, by="plainbill", now=now) > 0


def _release(session: Session, row: AssistanceApplication, now: datetime) -> int:
    freed = holds.release_from(session, row.practice_id, f"assistance:{row.id}", released_by="plainbill",
                               reason="denied, and the day of appeal has passed", now=now)
    if freed:
        assistance_posting.tell_agencies(session, row, "resumed", policy_day(session, row, now), now)
    return freed
