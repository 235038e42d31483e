"""Payments that a patient asked for: checked against what is due in this moment, written down, nothing charged yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import payment_status as life
from billing.commands import CancelPayment, CommandRefused, Refused, RequestPayment
from billing.dues import due_visits
from billing.gate import may_charge
from billing.ids import new_id
from billing.store import payment_queries as store
from billing.store.tables import Payment
from config.practice import PracticePolicy

#: Below this Stripe takes no dollar payment.
SMALLEST_MINOR = 50


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Who asks. ``message_id`` is the inbox row of the patient's yes: the same yes never makes two payments."""

    practice_id: str
    policy: PracticePolicy
    now: datetime
    conversation_id: str | None = None
    message_id: str | None = None
    processor: str = "stripe"


def request(session: Session, command: RequestPayment, context: RequestContext) -> Payment:
    """Write down a payment that the patient said yes to. Raises CommandRefused with a reason of commands.Refused.

    Nothing is charged here: the page is opened when the patient presses the button behind the link.
    """
    key = f"ask:{context.message_id}:{command.account_id}" if context.message_id else ""
    before = store.by_key(session, context.practice_id, key) if key else None
    if before is not None:
        return before
    _check(session, command, context)
    same = _replace_older(session, command)
    if same is not None:
        return same
    payment_id = new_id("pay")
    return store.add(session, Payment(
        id=payment_id, practice_id=context.practice_id, guarantor_id=command.account_id,
        amount_minor=command.amount_minor, refunded_minor=0, currency=context.policy.currency,
        processor=context.processor, tender="card", status=life.CREATED,
        instruction=[list(part) for part in command.split], balance_version=command.balance_version,
        consent_message_id=context.message_id, conversation_id=context.conversation_id, language=command.language,
        idempotency_key=key or payment_id, attempt=0, recorded_by="patient", created_at=context.now))


def _check(session: Session, command: RequestPayment, context: RequestContext) -> None:
    def refuse(reason: str) -> CommandRefused:
        return CommandRefused(Refused(command, reason))

    store.lock_guarantor(session, command.account_id)
    account = store.guarantor(session, context.practice_id, command.account_id)
    if account is None or account.confirmed_at is None:
        raise refuse("not_confirmed")
    if account.balance_version != command.balance_version:
        raise refuse("stale_balance")
    due = dict(due_visits(session, context.practice_id, command.account_id, context.now))
    reason = amount_fault(command.amount_minor, command.split, due, context.policy.minimum_payment_minor)
    if reason:
        raise refuse(reason)
    visit_ids = [visit_id for visit_id, _ in command.split]
    ruling = may_charge(session, command.account_id, visit_ids, context.now, amount_minor=command.amount_minor,
                        split=command.split)
    if not ruling.sends:
        raise refuse("too_much" if ruling.rule == "T-51" else "hold")


def amount_fault(amount_minor: int, split: tuple[tuple[str, int], ...], due: Mapping[str, int],
                 minimum_minor: int) -> str:
    """What is wrong with an amount and its split against what is due now; empty when nothing is.

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
    if amount_minor < SMALLEST_MINOR:
        return "too_little"
    if amount_minor != sum(wanted.values()):
        return "too_much" if amount_minor > sum(wanted.values()) else "too_little"
    return ""


def _replace_older(session: Session, command: RequestPayment) -> Payment | None:
    """One open request per account: the same again is reused, another one ends those whose page was never opened."""
    for older in store.of_account(session, command.account_id, life.OPEN):
        same = older.amount_minor == command.amount_minor and dict(older.instruction) == dict(command.split)
        if same and older.balance_version == command.balance_version:
            return older
        if older.status != life.PENDING:
            life.move(older, life.CANCELLED)
            older.failure = "superseded"
    return None


def mark_link_sent(payment: Payment) -> None:
    """The patient has the link now."""
    if payment.status == life.CREATED:
        life.move(payment, life.LINK_SENT)


def cancel(session: Session, practice_id: str, command: CancelPayment) -> Payment | None:
    """End a payment that has not been paid; one that took money stays as it is."""
    payment = store.lock_payment(session, practice_id, command.payment_id)
    if payment is not None and life.may_move(payment.status, life.CANCELLED):
        life.move(payment, life.CANCELLED)
        payment.failure = command.reason[:200]
    return payment
