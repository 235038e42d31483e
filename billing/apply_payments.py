"""Commands that ask for money or concern a card on file, carried out."""

from __future__ import annotations

from typing import assert_never

from sqlalchemy.orm import Session

from billing import methods, payments, saved_charges, setups, taken_back
from billing.command_context import Context, make_link, record
from billing.commands import (
    AskCard,
    CancelPayment,
    ChargeSavedCard,
    CommandRefused,
    Refused,
    RemoveCard,
    RequestPayment,
    TakeBackYes,
)
from billing.store.practices import policy_in

PAY = "pay"
CARD = "card"


def carry_out(session: Session, command: RequestPayment | CancelPayment | ChargeSavedCard | TakeBackYes | AskCard
              | RemoveCard, context: Context) -> str | None:
    """Raises CommandRefused."""
    match command:
        case RequestPayment():
            return _request_payment(session, command, context)
        case CancelPayment():
            payments.cancel(session, context.practice_id, command, context.now)
            return None
        case ChargeSavedCard():
            return _charge(session, command, context)
        case TakeBackYes():
            _take_back(session, command, context)
            return None
        case AskCard():
            return _ask_card(session, command, context)
        case RemoveCard():
            _remove(session, command, context)
            return None
        case _:
            assert_never(command)


def _request_payment(session: Session, command: RequestPayment, context: Context) -> str:
    payment = payments.request(session, command, _asks(session, context))
    token = make_link(session, context, command.account_id, PAY, payment.id)
    payments.mark_link_sent(payment)
    return token


def _asks(session: Session, context: Context) -> payments.RequestContext:
    policy = policy_in(session, context.practice_id)
    return payments.RequestContext(
        practice_id=context.practice_id, policy=policy, now=context.now, conversation_id=context.conversation_id,
        message_id=context.message_ref)


def _charge(session: Session, command: ChargeSavedCard, context: Context) -> str:
    """Results in the payment's id; the card is charged by the edge, and the answer is news in the conversation."""
    payment = saved_charges.by_yes(session, command, _asks(session, context))
    record(session, context, "card_charge_agreed", command.account_id, payment.id)
    return payment.id


def _take_back(session: Session, command: TakeBackYes, context: Context) -> None:
    """Never refused: one that is over already stays as it is, and the patient hears of it anyway."""
    taken_back.take_back(session, context.practice_id, command.account_id, command.payment_id, command.wording,
                         context.now)
    record(session, context, "card_charge_taken_back", command.account_id, command.payment_id)


def _ask_card(session: Session, command: AskCard, context: Context) -> str:
    policy = policy_in(session, context.practice_id)
    if not policy.payments.saved_cards or command.purpose not in ("card", "plan_card"):
        raise CommandRefused(Refused(command, "outside_policy"))
    setup = setups.make(
        session, practice_id=context.practice_id, guarantor_id=command.account_id, purpose=command.purpose,
        plan_id=command.plan_id, conversation_id=context.conversation_id, language=command.language, now=context.now)
    return make_link(session, context, command.account_id, CARD, setup.id)


def _remove(session: Session, command: RemoveCard, context: Context) -> None:
    """Always possible, also after the card was refused (T-50: easy to cancel)."""
    if not methods.is_of(session, context.practice_id, command.account_id, command.method_id):
        raise CommandRefused(Refused(command, "card_gone"))
    methods.remove(session, context.practice_id, command.method_id, context.actor, context.now)
    record(session, context, "card_removal_asked", command.account_id, command.method_id)
