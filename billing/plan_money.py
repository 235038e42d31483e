"""What payments do to plans: instalments filled, money taken back, failures; and a plan never asks above its visits.

Money fills the instalment it was asked for, then what is due, then the next one if the patient was told of it; what is
more shortens the plan or lowers its instalments, as the patient chose (receivables.md D3). The plan's log says which
payment filled which instalment, so that money that goes back is taken off exactly there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import plan_schedule
from billing.allocation import Part
from billing.figures import account_figures
from billing.payment_limits import ON_FILE
from billing.payment_status import RETURNED
from billing.plan_consents import forget_notice, to_link
from billing.plan_news import call_staff, changed, enter, left_of, log, tell
from billing.plan_status import BEHIND, COMPLETED, CURED, PAUSED, RUNNING
from billing.plan_terms import Part as Dated
from billing.policy import retries
from billing.store import payment_queries
from billing.store import plan_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Instalment, Payment, Plan
from config.payment_policy import SMALLEST_CHARGE_MINOR

#: The money was taken back by a bank: the plan rests until a person has looked (receivables.md D3).
TAKEN_BACK = frozenset({"disputed", "dispute_lost", "returned"})


def note_paid(session: Session, payment: Payment, parts: Sequence[Part], now: datetime) -> None:
    """After any payment was posted: its cents on a plan's visits fill the plan's instalments."""
    given = {part.visit_id: part.amount_minor for part in parts if part.visit_id is not None}
    touched = store.with_visits(session, list(given), RUNNING) if given else []
    if payment.plan_id is not None and payment.plan_id not in touched:
        touched.append(payment.plan_id)
    for plan_id in touched:
        plan = store.lock(session, plan_id)
        if plan is None or plan.status not in RUNNING:
            continue
        _fill(session, plan, payment, sum(given.get(v, 0) for v, _ in store.visits(session, plan.id)), now)
        settle_to_balance(session, plan, now)


def _fill(session: Session, plan: Plan, payment: Payment, amount_minor: int, now: datetime) -> None:
    rows, today = store.instalments(session, plan.id), _today(session, plan, now)
    own = payment.instalment if payment.plan_id == plan.id else None
    filled = sum(minor for _, minor in store.filled_by(session, plan.id, payment.id))
    # Money that is moved from one visit of the plan to another, by way of credit, has filled its instalments already.
    left = min(amount_minor, max(payment.amount_minor - filled, 0))
    for part in asked_for(rows, own, today):
        share = min(left, open_of(part))
        left -= _take(session, plan, payment, part, share, "paid", now)
    more = spread(plan, rows, left, today)
    for part in rows:
        _take(session, plan, payment, part, more.get(part.number, 0), "extra", now)
    for part in rows:
        if part.number == own and part.status == "charging" and payment.way in ON_FILE:
            _charged(part)
    _cure(session, plan, rows, now)


def _charged(part: Instalment) -> None:
    """The charge that its notice told of is made: what is still open of it (a visit was held) needs a notice of its
    own, however far below the first it is (T-48).
    """
    part.status = resting(part)
    if part.status in ("noticed", "retrying"):
        forget_notice(part)


def asked_for(rows: Sequence[Instalment], own: int | None, today: date) -> list[Instalment]:
    """What a payment fills first: ``own``, then what is due, then the next one if the patient was told of it. What is
    being charged in this moment comes after everything else.
    """
    still = [part for part in rows if open_of(part) > 0 and (part.status != "charging" or part.number == own)]
    first = [part for part in still if part.number == own]
    due = [part for part in still if part.due_on <= today and part.number != own]
    coming = [part for part in still if part.due_on > today and part.number != own]
    told = coming[:1] if coming and coming[0].noticed_at is not None else []
    return [*first, *due, *told]


def spread(plan: Plan, rows: Sequence[Instalment], minor: int, today: date) -> dict[int, int]:
    """How ``minor`` cents less fall on the open instalments: from the tail, or evenly, as the patient chose."""
    if minor <= 0:
        return {}
    still = [part for part in rows if open_of(part) > 0]
    quiet = [part for part in still if part.status != "charging"]
    coming = [part for part in quiet if part.due_on > today]
    less: dict[int, int] = {}
    if plan.on_extra == "lower":
        less = _less(coming, minor, evenly=True)
    rest = minor - sum(less.values())
    for group in (quiet, still):
        taken = _less(group, rest, evenly=False, but=less)
        rest -= sum(taken.values())
        less = {number: less.get(number, 0) + taken.get(number, 0) for number in {*less, *taken}}
    return less


def _less(group: Sequence[Instalment], minor: int, *, evenly: bool,
          but: dict[int, int] | None = None) -> dict[int, int]:
    before = [Dated(part.number, part.due_on, open_of(part) - (but or {}).get(part.number, 0)) for part in group]
    left = max(sum(part.amount_minor for part in before) - max(minor, 0), 0)
    cut = (plan_schedule.lower if evenly else plan_schedule.shorten)(before, left, SMALLEST_CHARGE_MINOR)
    after = {part.number: part.amount_minor for part in cut}
    return {part.number: part.amount_minor - after.get(part.number, 0) for part in before
            if part.amount_minor > after.get(part.number, 0)}


def open_of(part: Instalment) -> int:
    return max(part.amount_minor - part.paid_minor, 0)


def is_too_small(part: Instalment) -> bool:
    """Whether what is open of it is a rest that no processor takes: nobody is asked for it by itself."""
    return 0 < open_of(part) < SMALLEST_CHARGE_MINOR


def askable(session: Session, plan: Plan, today: date) -> int:
    """Cents of the plan's visits that are neither held nor wait for an insurer, due now or later."""
    own = {visit_id for visit_id, _ in store.visits(session, plan.id)}
    account = account_figures(session, plan.guarantor_id, today)
    return sum(max(v.figures.due_now_minor + v.figures.on_plan_minor, 0) for v in account.visits
               if v.visit_id in own)


def resting(part: Instalment) -> str:
    """The state of an instalment that nothing is being done about in this moment."""
    if open_of(part) == 0:
        return "paid" if part.paid_minor else "skipped"
    if part.missed_on is not None:
        return "missed"
    if part.tries > 0:
        return "retrying"
    return "noticed" if part.noticed_at is not None else "planned"


def _take(session: Session, plan: Plan, payment: Payment, part: Instalment, minor: int, kind: str,
          now: datetime) -> int:
    if minor <= 0:
        return 0
    part.paid_minor += minor
    if open_of(part) == 0:
        part.status, part.settled_at, part.retry_on = "paid", now, None
    changed(session, plan, kind, now, by=payment.recorded_by, instalment=part.number, amount_minor=minor,
            payment_id=payment.id)
    return minor


def _cure(session: Session, plan: Plan, rows: Sequence[Instalment], now: datetime) -> None:
    if plan.status == BEHIND and not missed(rows):
        plan.behind_since_on = None
        enter(session, plan, CURED, now)


def missed(rows: Sequence[Instalment]) -> list[Instalment]:
    """Missed and still open, by more than a rest that could not be paid online."""
    return [part for part in rows if part.missed_on is not None and open_of(part) > 0 and not is_too_small(part)]


def settle_to_balance(session: Session, plan: Plan, now: datetime) -> None:
    """Bring a running plan down to what its visits still owe, each up to what was agreed; tell the patient if coming
    amounts fell. A rise changes nothing: more needs a new consent, so a person hears of it, once per rise (T-48).
    """
    if plan.status not in RUNNING:
        return
    agreed = store.visits(session, plan.id)
    owed = store.owed_by_visit(session, plan.practice_id, [visit_id for visit_id, _ in agreed])
    open_minor = left_of(store.instalments(session, plan.id))
    covered = sum(min(max(owed[visit_id], 0), minor) for visit_id, minor in agreed)
    whole = sum(max(minor, 0) for minor in owed.values())
    if open_minor > covered:
        _cut(session, plan, open_minor - covered, now)
    elif whole - open_minor > _known_above(session, plan):
        _more_owed(session, plan, whole - open_minor, now)
    _complete(session, plan, now)
    _rest_to_staff(session, plan, now)


def _rest_to_staff(session: Session, plan: Plan, now: datetime) -> None:
    """All that is left is too little for a processor: a person writes it off or takes it at the desk. Said once."""
    still = [part for part in store.instalments(session, plan.id) if open_of(part) > 0]
    if (plan.status not in RUNNING or not still or not all(is_too_small(part) for part in still)
            or store.events(session, plan.id, ("rest",))):
        return
    log(session, plan, "rest", now, amount_minor=left_of(still))
    call_staff(session, plan, "plan_rest", plan.id,
               f"{left_of(still)} {plan.currency} cents are left; nobody is asked for them. Write them off, or take "
               "them at the desk.", now)


def _cut(session: Session, plan: Plan, minor: int, now: datetime) -> None:
    rows = store.instalments(session, plan.id)
    less = spread(plan, rows, minor, _today(session, plan, now))
    for part in rows:
        part.amount_minor -= less.get(part.number, 0)
        if part.number in less and open_of(part) == 0 and part.status != "charging":
            part.status, part.settled_at, part.retry_on = "paid" if part.paid_minor else "skipped", now, None
    changed(session, plan, "less_owed", now, amount_minor=minor)
    _cure(session, plan, rows, now)
    if left_of(rows) > 0:
        part = next(part for part in rows if open_of(part) > 0)
        tell(session, plan, "plan_changed", f"{plan.version}", now, part=part,
             more={"change": "less_owed", "less_minor": minor})


def _known_above(session: Session, plan: Plan) -> int:
    """What the plan's visits are known to owe above the plan, in cents."""
    known = store.events(session, plan.id, ("outside", "more_owed"))
    return max((row.amount_minor or 0 for row in known), default=0)


def _more_owed(session: Session, plan: Plan, above_minor: int, now: datetime) -> None:
    log(session, plan, "more_owed", now, amount_minor=above_minor)
    may_join = _joins(session, plan)
    call_staff(session, plan, "plan_more_owed", f"{plan.id}:{above_minor}",
               f"its visits owe {above_minor} {plan.currency} cents more than it asks for; nothing of that is charged. "
               + ("The patient may take it in with a new plan, which they agree to again." if may_join
                  else "By policy new balances do not join a running plan."), now)


def _joins(session: Session, plan: Plan) -> bool:
    policy = policy_in(session, plan.practice_id)
    return policy.plans is None or policy.plans.new_balances_may_join


def _complete(session: Session, plan: Plan, now: datetime) -> None:
    rows = store.instalments(session, plan.id)
    if plan.status not in RUNNING or left_of(rows) > 0:
        return
    paid = sum(part.paid_minor for part in rows)
    plan.paused_until_on = plan.pause_reason = None
    enter(session, plan, COMPLETED, now, reason="paid" if paid else "nothing_owed")
    tell(session, plan, "plan_completed", f"{plan.version}", now, more={"paid_minor": paid})


def note_back(session: Session, payment: Payment, now: datetime) -> bool:
    """After money of a payment went back (refund, dispute, return): what it filled is open again, the last instalment
    first.

    A bank that took it back pauses the plan until a person has looked; returns whether the patient was told so, in
    which case nothing else has to tell of the money. Doing it twice changes nothing.
    """
    told = False
    for plan_id in store.filled_plans(session, payment.id):
        plan = store.lock(session, plan_id)
        if plan is None:
            continue
        back = _no_longer_filled(session, plan, payment)
        if back:
            told |= _reopen(session, plan, payment, back, now)
    return told


def _no_longer_filled(session: Session, plan: Plan, payment: Payment) -> list[tuple[int, int]]:
    """(instalment, cents) of the plan that the payment filled and does not stand for any more."""
    own = {visit_id for visit_id, _ in store.visits(session, plan.id)}
    stands = sum(net.amount_minor for net in payment_queries.net_of_payment(session, payment.id)
                 if net.visit_id in own)
    filled = store.filled_by(session, plan.id, payment.id)
    gone, back = sum(minor for _, minor in filled) - stands, []
    for number, minor in reversed(filled):
        share = min(minor, gone)
        if share > 0:
            back.append((number, share))
            gone -= share
    return back


def _reopen(session: Session, plan: Plan, payment: Payment, back: Sequence[tuple[int, int]], now: datetime) -> bool:
    rows = {part.number: part for part in store.instalments(session, plan.id)}
    taken = payment.status in TAKEN_BACK
    for number, minor in back:
        part = rows[number]
        part.paid_minor -= minor
        part.settled_at = None
        if part.status != "charging" and plan.status in RUNNING | {COMPLETED}:
            part.tries = 0
            forget_notice(part)
            part.status = "missed" if part.missed_on is not None else "planned"
        changed(session, plan, "back", now, instalment=number, amount_minor=minor, payment_id=payment.id,
                reason=payment.status)
    if plan.status == COMPLETED and taken and not _elsewhere(session, plan):
        plan.ended_at = plan.end_reason = None
        enter(session, plan, BEHIND, now, reason=payment.status)
    told = plan.status in RUNNING and taken and _rest(session, plan, payment, now)
    if plan.status in RUNNING:
        _leave_alone(session, plan, payment, now)
    settle_to_balance(session, plan, now)
    return told


def _elsewhere(session: Session, plan: Plan) -> bool:
    return bool(store.with_visits(session, [v for v, _ in store.visits(session, plan.id)], RUNNING))


def _rest(session: Session, plan: Plan, payment: Payment, now: datetime) -> bool:
    if plan.status != PAUSED:
        plan.paused_at = now
        enter(session, plan, PAUSED, now, reason=payment.status)
    plan.paused_until_on, plan.pause_reason = None, payment.status
    call_staff(session, plan, "plan_paused", f"{plan.id}:{payment.id}",
               f"a payment of it is {payment.status}; nothing is charged until the plan is resumed", now)
    return tell(session, plan, "plan_paused", f"{plan.version}", now, more={"reason": payment.status}) is not None


def _leave_alone(session: Session, plan: Plan, payment: Payment, now: datetime) -> None:
    """A debit that came back for good (not allowed, account closed) ends the charges, like one that was refused at
    once: it is not presented again (T-49), and notices of it would be of charges that never come.
    """
    method = store.method(session, payment.method_id)
    if (payment.status == RETURNED and method is not None and plan.collects == "autopay"
            and plan.method_id == payment.method_id
            and retries.kind_of(payment.failure or "", method.kind) in ("hard", "revoked")):
        to_link(session, plan, "system", payment.failure or RETURNED, "card_refused", now)


def _today(session: Session, plan: Plan, now: datetime) -> date:
    policy = policy_in(session, plan.practice_id)
    return policy.local_day(now)


def note_failed(session: Session, payment: Payment, now: datetime) -> None:
    """A payment for a plan ended without money (billing/plan_failures.py)."""
    from billing import plan_failures  # it needs this module's words for an instalment

    plan_failures.note_failed(session, payment, now)
