"""Offers to take less for paying in time: only inside the practice's written, uniform policy, and never to patients of
federal payers (T-58: 42 USC 1320a-7b(b)); paid in time the rest is a discount, else the offer lapses.

An offer is for exactly what is due of whole visits, nothing held, pending, disputed, on a plan or at an agency. While
it stands, nothing else is asked for on them (hold ``settlement``). It is taken by paying, with no words needed: once
payments since then reach its amount, by its last day, the discount is posted. Its words never promise relief from debt
(T-15); tests read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from billing import audit, holds, ledger, write_offs
from billing.credit_lines import FEDERAL
from billing.figures import AccountFigures, VisitFigures, account_figures
from billing.ids import new_id
from billing.lives import step
from billing.placement_checks import OPEN_APPLICATION, past_due_days
from billing.store import collection_queries as store
from billing.store import credit_queries, hold_queries
from billing.store.figure_queries import practice_of
from billing.store.practices import policy_in
from billing.store.tables import Offer
from config.dunning_policy import SettlementPolicy
from config.practice import PracticePolicy

SOURCE = "settlement"
OFFERED, PAID, LAPSED, WITHDRAWN = "offered", "paid", "lapsed", "withdrawn"
MOVES = {OFFERED: frozenset({PAID, LAPSED, WITHDRAWN}), PAID: frozenset[str](), LAPSED: frozenset[str](),
         WITHDRAWN: frozenset[str]()}
KINDS = ("prompt_pay", "past_due")


class OfferRefused(ValueError):
    """An offer that may not be made, with the rule that says so in ``rule``. No PHI."""

    def __init__(self, rule: str, words: str) -> None:
        super().__init__(words)
        self.rule = rule


def make(session: Session, *, practice_id: str, guarantor_id: str, kind: str, by: str, now: datetime,
         visits: Sequence[str] = ()) -> Offer:
    """Offer to take less for ``visits`` (empty: all that the patient owes something on). The same offer again while it
    stands is the first one. Raises OfferRefused.
    """
    hold_queries.lock(session, guarantor_id)
    policy = policy_in(session, practice_of(session, guarantor_id))
    percent, days = _terms(policy, kind, policy.local_day(now))
    for known in store.open_offers_of(session, guarantor_id):
        if known.kind == kind and (not visits or {str(v) for v, _ in known.visits} == set(visits)):
            return known
        raise OfferRefused("one-offer", "another offer to this account stands; withdraw it first")
    today = policy.local_day(now)
    account = account_figures(session, guarantor_id, today)
    parts = _parts(account, visits)
    _check(session, guarantor_id, kind, account, parts, policy, today)
    owed = sum(minor for _, minor in parts)
    row = store.add(session, Offer(
        id=new_id("offer"), practice_id=practice_id, guarantor_id=guarantor_id, kind=kind, status=OFFERED,
        visits=[list(part) for part in parts], owed_minor=owed, pay_minor=owed - owed * percent // 100,
        balance_version=account.balance_version, policy_on=_policy(policy).written_on,
        until_on=today + timedelta(days=days), made_by=by, made_at=now))
    for visit_id, _ in parts:
        holds.place(session, practice_id=practice_id, guarantor_id=guarantor_id, kind="settlement", visit_id=visit_id,
                    reason="an offer stands", source=f"{SOURCE}:{row.id}", placed_by=by, now=now,
                    dedupe=f"{SOURCE}:{row.id}:{visit_id}", review_on=row.until_on + timedelta(days=1))
    audit.record(session, practice_id, by, "offer_made", "settlement_offer", row.id, kind, now)
    return row


def _policy(policy: PracticePolicy) -> SettlementPolicy:
    if policy.settlement is None:
        raise OfferRefused("T-58", "the practice has written no policy of discounts ([settlement] in its policy)")
    return policy.settlement


def _terms(policy: PracticePolicy, kind: str, today: date) -> tuple[int, int]:
    """(percent off, days to pay) by the written policy."""
    written = _policy(policy)
    if written.written_on > today:
        raise OfferRefused("T-58", "the written policy of discounts has not begun")
    found = {"prompt_pay": (written.prompt_pay_percent, written.prompt_pay_days),
             "past_due": (written.past_due_percent, written.offer_days)}.get(kind)
    if found is None:
        raise OfferRefused("kind", f"an offer is one of {', '.join(KINDS)}")
    if found[0] <= 0:
        raise OfferRefused("T-58", f"the written policy has no {kind} discount")
    return found


def _parts(account: AccountFigures, visits: Sequence[str]) -> list[tuple[str, int]]:
    named = [v for v in account.visits if (v.visit_id in visits if visits else v.figures.patient_minor > 0)]
    if not named or (visits and len(named) != len(set(visits))):
        raise OfferRefused("nothing-due", "nothing is due now on these visits")
    for visit in named:
        _require_free(account, visit)
    return [(v.visit_id, v.figures.due_now_minor) for v in named]


def _require_free(account: AccountFigures, visit: VisitFigures) -> None:
    """Whole visits only, with nothing in the way of any of it."""
    for hold in (*account.account_holds, *visit.holds):
        raise OfferRefused(f"hold:{hold.kind}", "something is held here; nothing is offered until it is cleared")
    figures = visit.figures
    if figures.due_now_minor <= 0 or figures.due_now_minor != figures.patient_minor:
        raise OfferRefused("not-due", "only visits that are due as a whole are settled, none pending or on a plan")
    if visit.confidential:
        raise OfferRefused("confidential", "a confidential visit is not the guarantor's to see")


def _check(session: Session, guarantor_id: str, kind: str, account: AccountFigures, parts: Sequence[tuple[str, int]],
           policy: PracticePolicy, today: date) -> None:
    if credit_queries.filing_codes(session, {visit.visit_id for visit in account.visits}) & FEDERAL:
        raise OfferRefused("T-58", "a federal payer covers a visit of this account: no discount is offered to its "
                                   "patients (42 USC 1320a-7b(b))")
    if account.total.credit_minor > 0:
        raise OfferRefused("credit-elsewhere", "the account holds a credit, to be applied or refunded first")
    if any(one.status in OPEN_APPLICATION for one in store.applications_of(session, guarantor_id)):
        raise OfferRefused("assistance", "an application for financial assistance is being decided")
    late = past_due_days(session, guarantor_id, policy, today)
    if kind == "past_due" and any(late.get(visit, -1) < _policy(policy).past_due_from_days for visit, _ in parts):
        raise OfferRefused("T-58", f"the written policy discounts what is {_policy(policy).past_due_from_days} days "
                                   "past due")
    if kind == "prompt_pay" and any(late.get(visit, 0) > 0 for visit, _ in parts):
        raise OfferRefused("T-58", "a discount for prompt payment is for what is not past due")


def note_paid(session: Session, guarantor_id: str, now: datetime, paid_on: date) -> None:
    """After a payment of the account was posted: an offer whose amount has been reached in time is fulfilled."""
    for offer in store.open_offers_of(session, guarantor_id):
        paid = store.paid_since(session, [str(v) for v, _ in offer.visits], offer.made_at)
        if paid_on <= offer.until_on and sum(paid.values()) >= offer.pay_minor:
            _fulfil(session, offer, now)


def _fulfil(session: Session, offer: Offer, now: datetime) -> None:
    policy = policy_in(session, offer.practice_id)
    parts = _rest(session, offer)
    _end(session, offer, PAID, "plainbill", now)
    write_offs.post(session, offer.practice_id, offer.guarantor_id, parts, account="discounts", code="discount",
                    source=SOURCE, ref=offer.id, reason=offer.kind, policy=policy, now=now)
    audit.record(session, offer.practice_id, "plainbill", "offer_paid", "settlement_offer", offer.id, offer.kind, now)


def _rest(session: Session, offer: Offer) -> list[tuple[str, int]]:
    """What its visits still owe of what was offered for, in all no more than the discount: a charge that came since is
    no part of it.
    """
    left, parts = offer.owed_minor - offer.pay_minor, []
    for visit_id, owed in offer.visits:
        there = ledger.balance(session, offer.practice_id, ledger.patient(str(visit_id)))
        minor = max(min(there, int(owed), left), 0)
        if minor:
            parts.append((str(visit_id), minor))
            left -= minor
    return parts


def withdraw(session: Session, practice_id: str, offer_id: str, *, by: str, reason: str, now: datetime) -> Offer:
    """Take an offer back before it is paid. Raises OfferRefused, IllegalMove."""
    if not reason.strip():
        raise OfferRefused("reason", "taking an offer back needs its reason; no names")
    known = session.get(Offer, offer_id)
    if known is None or known.practice_id != practice_id:
        raise OfferRefused("unknown", "there is no such offer; plainbill collections offers lists them")
    hold_queries.lock(session, known.guarantor_id)
    _end(session, known, WITHDRAWN, by, now)
    audit.record(session, practice_id, by, "offer_withdrawn", "settlement_offer", offer_id, reason.strip()[:200], now)
    return known


def lapse(session: Session, practice_id: str, now: datetime) -> int:
    """End the offers whose last day has passed; return how many. Any day, any number of times."""
    policy = policy_in(session, practice_id)
    over = [one for one in store.offers(session, practice_id, OFFERED) if one.until_on < policy.local_day(now)]
    for offer in over:
        hold_queries.lock(session, offer.guarantor_id)
        _end(session, offer, LAPSED, "plainbill", now)
    return len(over)


def _end(session: Session, offer: Offer, how: str, by: str, now: datetime) -> None:
    step("offer", MOVES, offer, how)
    offer.ended_at = now
    session.flush()
    holds.release_from(session, offer.practice_id, f"{SOURCE}:{offer.id}", released_by=by, reason=f"offer {how}",
                       now=now)
