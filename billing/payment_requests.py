"""Payments that a patient asked for: checked against what is due in this moment, written down, nothing charged yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import payment_status as life
from billing.commands import CancelPayment, ChargeSavedCard, CommandRefused, Refused, RequestPayment
from billing.gate import may_charge
from billing.ids import new_id
from billing.payment_limits import (
    end_page,
    is_at_the_bank,
    is_on_its_way,
    is_page_open,
    limits,
    pays_the_same,
    rivals,
    would_exceed,
)
from billing.store import payment_queries as store
from billing.store.tables import Payment
from config.payment_policy import SMALLEST_CHARGE_MINOR
from config.practice import PracticePolicy


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Who asks. ``message_id`` is the inbox row of the patient's yes: the same yes never makes two payments. ``by``: a
    colleague's login, where staff ask; they close nobody's open page.
    """

    practice_id: str
    policy: PracticePolicy
    now: datetime
    conversation_id: str | None = None
    message_id: str | None = None
    processor: str = "stripe"
    statement_id: str | None = None
    by: str = "patient"


def request(session: Session, command: RequestPayment, context: RequestContext) -> Payment:
    """Write down a payment that the patient said yes to. Raises CommandRefused with a reason of commands.Refused.

    Nothing is charged here: the page is opened when the patient presses the button behind the link.
    """
    key = f"ask:{context.message_id}:{command.account_id}" if context.message_id else ""
    before = store.by_key(session, context.practice_id, key) if key else None
    if before is not None:
        return before
    check(session, command, context)
    same = _replace_older(session, command, context)
    if same is not None:
        return same
    payment_id = new_id("pay")
    return store.add(session, Payment(
        id=payment_id, practice_id=context.practice_id, guarantor_id=command.account_id,
        amount_minor=command.amount_minor, refunded_minor=0, currency=context.policy.currency,
        processor=context.processor, tender="card", way="page", status=life.CREATED,
        instruction=[list(part) for part in command.split], plan_id=command.plan_id, instalment=command.instalment,
        statement_id=context.statement_id, saves_method=command.saves_method, early=command.early,
        balance_version=command.balance_version, consent_message_id=context.message_id,
        conversation_id=context.conversation_id, language=command.language, idempotency_key=key or payment_id,
        attempt=0, recorded_by=context.by, created_at=context.now))


def check(session: Session, command: RequestPayment | ChargeSavedCard, context: RequestContext) -> None:
    """What the patient said yes to against the account as it stands; the guarantor is locked from here on.

    Raises CommandRefused: not_confirmed, stale_balance, nothing_due, too_much, too_little, paying, hold.
    """
    def refuse(reason: str) -> CommandRefused:
        return CommandRefused(Refused(command, reason))

    store.lock_guarantor(session, command.account_id)
    account = store.guarantor(session, context.practice_id, command.account_id)
    if account is None or account.confirmed_at is None:
        raise refuse("not_confirmed")
    if account.balance_version != command.balance_version:
        raise refuse("stale_balance")
    payable = limits(session, context.practice_id, command.account_id, context.now, early=command.early)
    reason = amount_fault(command.amount_minor, command.split, payable, context.policy.minimum_payment_minor)
    if reason:
        raise refuse(reason)
    others = _others(session, command, context)
    if would_exceed(command.split, others, payable) or pays_the_same(command.plan_id, command.instalment, others):
        raise refuse("paying")
    ruling = may_charge(session, command.account_id, [visit_id for visit_id, _ in command.split], context.now,
                        amount_minor=command.amount_minor, split=command.split, early=command.early)
    if not ruling.sends:
        raise refuse("too_much" if ruling.rule == "T-51" else "hold")


def _others(session: Session, command: RequestPayment | ChargeSavedCard, context: RequestContext) -> list[Payment]:
    """Whoever else is paying in this moment; somebody's own open page is theirs to replace."""
    return [row for row in rivals(session, command.account_id, context.now)
            if is_at_the_bank(row) or is_on_its_way(row) or not _own(row, context)]


def _own(payment: Payment, context: RequestContext) -> bool:
    return (context.by == "patient" and payment.conversation_id is not None
            and payment.conversation_id == context.conversation_id)


def amount_fault(amount_minor: int, split: tuple[tuple[str, int], ...], due: Mapping[str, int],
                 minimum_minor: int) -> str:
    """What is wrong with an amount and its split against what may be paid now (``due``: by visit, in cents); empty
    when nothing is.

    Less than the practice's minimum is fine when it is all that is due.
    """
    total = sum(due.values())
    wanted = dict(split)
    if total <= 0:
        return "nothing_due"
    if len(wanted) != len(split) or any(part > due.get(visit_id, 0) for visit_id, part in split):
        return "too_much"
    if any(part <= 0 for part in wanted.values()) or amount_minor < min(minimum_minor, total):
        return "too_little"
    if amount_minor < SMALLEST_CHARGE_MINOR:
        return "too_little"
    if amount_minor != sum(wanted.values()):
        return "too_much" if amount_minor > sum(wanted.values()) else "too_little"
    return ""


def _replace_older(session: Session, command: RequestPayment, context: RequestContext) -> Payment | None:
    """One open request per account and person: the same again is reused, another one ends it; an open page of it is
    closed at the processor. Nobody's page is closed under somebody else's hands.
    """
    for older in _pages(session, command.account_id):
        if _is_same(older, command):
            return older
        begun = is_page_open(older, context.now)
        if is_at_the_bank(older) or (begun and not _own(older, context)):
            continue
        if begun or older.status != life.PENDING:
            end_page(session, older, "superseded", context.now)
    return None


def _pages(session: Session, guarantor_id: str) -> Sequence[Payment]:
    return [row for row in store.of_account(session, guarantor_id, life.OPEN) if row.way == "page"]


def _is_same(older: Payment, command: RequestPayment) -> bool:
    return (older.amount_minor == command.amount_minor and dict(older.instruction) == dict(command.split)
            and older.balance_version == command.balance_version and older.early == command.early
            and older.plan_id == command.plan_id and older.saves_method == command.saves_method)


def mark_link_sent(payment: Payment) -> None:
    """The patient has the link now."""
    if payment.status == life.CREATED:
        life.move(payment, life.LINK_SENT)


def cancel(session: Session, practice_id: str, command: CancelPayment, now: datetime | None = None) -> Payment | None:
    """End a payment that has not been paid; one that took money stays as it is, and so do a charge that is on its
    way and a debit that a bank works on. With ``now`` an open page of it is closed at the processor.
    """
    payment = store.lock_payment(session, practice_id, command.payment_id)
    if payment is None or not life.may_move(payment.status, life.CANCELLED) or (
            is_on_its_way(payment) or is_at_the_bank(payment)):
        return payment
    if now is not None:
        end_page(session, payment, command.reason, now)
        return payment
    life.move(payment, life.CANCELLED)
    payment.failure = command.reason[:200]
    return payment
