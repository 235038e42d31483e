"""What may be paid in this moment, and who is paying already: nobody pays the same balance twice unawares."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import payment_status as life
from billing import processor_calls
from billing.dues import local_day
from billing.figures import account_figures
from billing.store import payment_queries as store
from billing.store.tables import Payment

#: The processor is asked by us, and nobody has a page in hand.
ON_FILE = frozenset({"saved", "autopay"})


def limits(session: Session, practice_id: str, guarantor_id: str, now: datetime, *, early: bool) -> dict[str, int]:
    """Cents that may be paid of each visit now; with ``early``, the patient's own wish, also what a plan asks for later
    and what is at a collection agency.
    """
    account = account_figures(session, guarantor_id, local_day(session, practice_id, now))
    found = {v.visit_id: v.figures.due_now_minor
             + (v.figures.on_plan_minor + v.figures.placed_minor if early else 0) for v in account.visits}
    return {visit_id: minor for visit_id, minor in found.items() if minor > 0}


def is_page_open(payment: Payment, now: datetime) -> bool:
    """Whether its hosted page can still be paid."""
    return (payment.way == "page" and payment.status in life.OPEN and payment.attempt > 0
            and payment.link_expires_at is not None and payment.link_expires_at > now)


def is_at_the_bank(payment: Payment) -> bool:
    return payment.status == life.PENDING and payment.processor_ref is not None


def is_on_its_way(payment: Payment) -> bool:
    """A charge of a card on file that has not come to an end."""
    return payment.way in ON_FILE and payment.status in {life.CREATED, life.PENDING, life.NEEDS_PATIENT}


def rivals(session: Session, guarantor_id: str, now: datetime, besides: str = "") -> list[Payment]:
    """Payments of an account that somebody is making in this moment."""
    return [row for row in store.of_account(session, guarantor_id, life.UNDER_WAY) if row.id != besides
            and (is_page_open(row, now) or is_at_the_bank(row) or is_on_its_way(row))]


def may_still_come(session: Session, guarantor_id: str, visit_ids: Collection[str], now: datetime) -> bool:
    """Whether money for one of the visits is on its way, or may be: a page whose time is over counts until the
    processor has said that nobody paid it.
    """
    rows = store.of_account(session, guarantor_id, life.UNDER_WAY)
    return any(str(visit_id) in visit_ids for row in rows for visit_id, _ in row.instruction
               if row.status == life.PENDING or is_page_open(row, now) or is_on_its_way(row))


def would_exceed(split: Iterable[tuple[str, int]], others: Sequence[Payment], payable: Mapping[str, int]) -> bool:
    """Whether a payment and the ``others`` together are more than may be paid of one of its visits."""
    taken: dict[str, int] = {}
    for other in others:
        for visit_id, minor in other.instruction:
            taken[str(visit_id)] = taken.get(str(visit_id), 0) + int(minor)
    return any(visit_id in taken and taken[visit_id] + minor > payable.get(visit_id, 0) for visit_id, minor in split)


def pays_the_same(plan_id: str | None, instalment: int | None, others: Iterable[Payment]) -> bool:
    """Whether one of the ``others`` pays the same instalment: who asks for it early would pay it twice, although the
    balance could take both.
    """
    named = plan_id is not None and instalment is not None
    return named and any((row.plan_id, row.instalment) == (plan_id, instalment) for row in others)


def close_page(session: Session, payment: Payment, now: datetime) -> None:
    """Have the processor close the payment's page; one that was paid a moment ago is paid, and we hear of it."""
    if payment.session_ref is not None:
        processor_calls.enqueue(
            session, practice_id=payment.practice_id, kind="expire_page", object_id=payment.id,
            key=f"{payment.id}:{payment.attempt}:expire", request={"session_ref": payment.session_ref}, now=now)


def end_page(session: Session, payment: Payment, why: str, now: datetime) -> None:
    """Nobody is to pay this request any more: it is cancelled, and its page closed at the processor."""
    open_page = is_page_open(payment, now)
    if life.may_move(payment.status, life.CANCELLED):
        life.move(payment, life.CANCELLED)
        payment.failure = why[:200]
        if open_page:
            close_page(session, payment, now)


def end_overtaken(session: Session, paid: Payment, now: datetime) -> None:
    """What was asked for has been paid another way: open pages that would collect it again are ended. A link that
    nobody has opened needs no ending: it is judged when it is.
    """
    for row in store.of_account(session, paid.guarantor_id, life.OPEN):
        if row.id == paid.id or not is_page_open(row, now) or is_at_the_bank(row):
            continue
        payable = limits(session, row.practice_id, row.guarantor_id, now, early=row.early)
        if any(int(minor) > payable.get(str(visit_id), 0) for visit_id, minor in row.instruction):
            end_page(session, row, "overtaken", now)


def desk_warning(session: Session, guarantor_id: str, now: datetime) -> str:
    """What whoever takes money at the desk has to know first: a code, empty when nobody else is paying.

    bank_at_work: a bank debit is being settled; charge_on_its_way: a card on file is being charged; page_open: the
    patient has a payment page open, which ends when the desk's payment is recorded.
    """
    found = rivals(session, guarantor_id, now)
    if any(is_on_its_way(row) for row in found):
        return "charge_on_its_way"
    if any(is_at_the_bank(row) for row in found):
        return "bank_at_work"
    return "page_open" if found else ""
