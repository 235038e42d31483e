"""What is written off: asked for by one person, approved by another, posted once, taken back by reversal.

Small balances, bad debt and administrative decisions; charity is given on an application (billing/assistance.py), or
here by a person with a reason. Help comes before bad debt: nothing is called bad while an application is open, a hold
or a plan stands, or the final notice has not gone out and had its days (policy.collections).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import audit, closing, ledger, plan_money, second_person
from billing.figures import account_figures
from billing.ids import new_id
from billing.ledger import Posting
from billing.lives import step
from billing.money import dollars
from billing.placement_checks import past_due_days, standing_in_the_way
from billing.plan_status import RUNNING
from billing.settlement import settle
from billing.store import collection_queries as store
from billing.store import hold_queries, plan_queries
from billing.store.figure_queries import practice_of
from billing.store.practices import policy_in
from billing.store.tables import WriteOff
from config.practice import PracticePolicy

SOURCE = "write_off"
ASKED, APPROVED, REFUSED, TAKEN_BACK = "asked", "approved", "refused", "taken_back"
MOVES = {ASKED: frozenset({APPROVED, REFUSED}), APPROVED: frozenset({TAKEN_BACK}), REFUSED: frozenset[str](),
         TAKEN_BACK: frozenset[str]()}

#: kind -> (account that bears it, code in the ledger)
KINDS = {"small_balance": ("small_balances", "small_balance"), "bad_debt": ("bad_debt", "bad_debt"),
         "charity": ("charity", "charity"), "administrative": ("discounts", "discount")}


class WriteOffRefused(ValueError):
    """What cannot be written off, or a step that its life does not have. The text says why; no PHI."""


def ask(session: Session, *, practice_id: str, guarantor_id: str, kind: str, reason: str, by: str, now: datetime,
        visits: Sequence[tuple[str, int]] = ()) -> WriteOff:
    """Ask for ``visits`` ((visit id, cents); empty: all that is due) to be written off. The same request while one is
    open returns the first. Raises WriteOffRefused.
    """
    if kind not in KINDS:
        raise WriteOffRefused(f"a write-off is one of {', '.join(KINDS)}")
    if not reason.strip():
        raise WriteOffRefused("a write-off needs its reason; no names")
    hold_queries.lock(session, guarantor_id)
    policy = policy_in(session, practice_of(session, guarantor_id))
    today = policy.local_day(now)
    parts = _parts(session, guarantor_id, visits, today)
    _check(session, guarantor_id, kind, parts, policy, today, now)
    for known in store.write_offs_of(session, guarantor_id, ASKED):
        if known.kind == kind and [tuple(one) for one in known.visits] == parts:
            return known
    version = account_figures(session, guarantor_id, today).balance_version
    row = store.add(session, WriteOff(
        id=new_id("wo"), practice_id=practice_id, guarantor_id=guarantor_id, kind=kind, status=ASKED,
        visits=[list(part) for part in parts], amount_minor=sum(minor for _, minor in parts), balance_version=version,
        reason=reason.strip()[:200], asked_by=by, asked_at=now))
    audit.record(session, practice_id, by, "write_off_asked", "write_off", row.id, kind, now)
    return row


def _parts(session: Session, guarantor_id: str, visits: Sequence[tuple[str, int]], today: date,
           ) -> list[tuple[str, int]]:
    account = account_figures(session, guarantor_id, today)
    due = {v.visit_id: v.figures.due_now_minor for v in account.visits if v.figures.due_now_minor > 0}
    parts = sorted(visits) if visits else sorted(due.items())
    if not parts:
        raise WriteOffRefused("nothing is due now; what is pending, held or on a plan is not written off")
    if len({visit for visit, _ in parts}) != len(parts):
        raise WriteOffRefused("each visit is named once")
    for visit_id, minor in parts:
        if not 0 < minor <= due.get(visit_id, 0):
            raise WriteOffRefused(f"at most {dollars(due.get(visit_id, 0))} of this visit is due now; what is pending, "
                                  "held or on a plan is not written off")
    return parts


def _check(session: Session, guarantor_id: str, kind: str, parts: Sequence[tuple[str, int]], policy: PracticePolicy,
           today: date, now: datetime) -> None:
    rules = policy.collections
    if kind == "small_balance":
        account = account_figures(session, guarantor_id, today)
        if account.total.patient_minor > rules.small_balance_minor:
            raise WriteOffRefused(f"a small balance is at most {dollars(rules.small_balance_minor)} of an account here "
                                  "(collections.small_balance_minor)")
        late = past_due_days(session, guarantor_id, policy, today)
        if any(late.get(visit, -1) < rules.small_balance_days for visit, _ in parts):
            raise WriteOffRefused(f"a small balance is written off {rules.small_balance_days} days after its due day")
    if kind == "bad_debt":
        for visit_id, _ in parts:
            why = [one for one in standing_in_the_way(session, guarantor_id, visit_id, policy, now)
                   if one.code != "write_off"]
            if why:
                raise WriteOffRefused(f"this is no bad debt yet: {why[0].words}")


def approve(session: Session, practice_id: str, write_off_id: str, *, by: str, now: datetime) -> WriteOff:
    """Post it. Raises WriteOffRefused when the account has moved meanwhile, staff.StaffRefused, IllegalMove."""
    row = _find(session, practice_id, write_off_id)
    policy = policy_in(session, practice_id)
    if row.status == ASKED:
        how = second_person.require(session, practice_id, by=by, asked_by=row.asked_by, asked_at=row.asked_at,
                                    role=policy.collections.approver, policy=policy, now=now)
        today = policy.local_day(now)
        parts = _parts(session, row.guarantor_id, [(str(v), int(m)) for v, m in row.visits], today)
        _check(session, row.guarantor_id, row.kind, parts, policy, today, now)
        audit.record(session, practice_id, by, "write_off_approved", "write_off", row.id, how, now)
    step("write-off", MOVES, row, APPROVED)
    row.decided_by, row.decided_at = by, now
    account, code = KINDS[row.kind]
    post(session, practice_id, row.guarantor_id, [(str(v), int(m)) for v, m in row.visits], account=account, code=code,
         source=SOURCE, ref=row.id, reason=row.kind, policy=policy, now=now)
    return row


def post(session: Session, practice_id: str, guarantor_id: str, parts: Sequence[tuple[str, int]], *, account: str,
         code: str, source: str, ref: str, reason: str, policy: PracticePolicy, now: datetime) -> int:
    """Take ``parts`` off what the patient owes, against ``account``; plans are brought down to what is left. Returns
    how many transfers are new; the same ``ref`` again posts nothing.
    """
    on = closing.open_day(session, practice_id, policy.local_day(now))
    made = ledger.post(session, [Posting(
        practice_id, ledger.wide(account), ledger.patient(visit_id), minor, policy.currency, code, on, source,
        f"{ref}:{visit_id}", guarantor_id, visit_id, reason=reason) for visit_id, minor in parts], now)
    visits = [visit_id for visit_id, _ in parts]
    settle(session, practice_id, visits, now=now, today=on, currency=policy.currency)
    for plan_id in plan_queries.with_visits(session, visits, RUNNING):
        plan = plan_queries.lock(session, plan_id)
        if plan is not None:
            plan_money.settle_to_balance(session, plan, now)
    return made


def refuse(session: Session, practice_id: str, write_off_id: str, *, by: str, reason: str, now: datetime) -> WriteOff:
    """The request ends here; the balance stays. Raises WriteOffRefused, IllegalMove."""
    row = _find(session, practice_id, write_off_id)
    if not reason.strip():
        raise WriteOffRefused("declining a write-off needs its reason; no names")
    step("write-off", MOVES, row, REFUSED)
    row.decided_by, row.decided_at = by, now
    audit.record(session, practice_id, by, "write_off_refused", "write_off", row.id, reason.strip()[:200], now)
    return row


def take_back(session: Session, practice_id: str, write_off_id: str, *, by: str, reason: str, now: datetime,
              ) -> WriteOff:
    """The visits owe it again. Raises WriteOffRefused, IllegalMove."""
    row = _find(session, practice_id, write_off_id)
    if not reason.strip():
        raise WriteOffRefused("taking a write-off back needs its reason; no names")
    step("write-off", MOVES, row, TAKEN_BACK)
    policy = policy_in(session, practice_id)
    on = closing.open_day(session, practice_id, policy.local_day(now))
    posted = store.posted_under(session, practice_id, SOURCE, row.id)
    ledger.post(session, ledger.reversals(session, posted, source=SOURCE, ref=f"{row.id}:back", effective_on=on), now)
    settle(session, practice_id, [str(v) for v, _ in row.visits], now=now, today=on, currency=policy.currency)
    audit.record(session, practice_id, by, "write_off_taken_back", "write_off", row.id, reason.strip()[:200], now)
    return row


def _find(session: Session, practice_id: str, write_off_id: str) -> WriteOff:
    known = session.get(WriteOff, write_off_id)
    if known is not None and known.practice_id == practice_id:
        hold_queries.lock(session, known.guarantor_id)
    row = store.lock(session, WriteOff, practice_id, write_off_id)
    if row is None:
        raise WriteOffRefused("there is no such write-off; plainbill collections writeoffs lists them")
    return row
