"""The one place that carries commands out, in the transaction of the turn that decided them.

Whatever cannot be done raises CommandRefused; the edge undoes the turn's work and asks the conversation once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from sqlalchemy.orm import Session

from billing import (
    apply_payments,
    apply_plans,
    assistance,
    cases,
    chats,
    check_codes,
    consents,
    holds,
    narrowing,
    plan_changes,
    preferences,
    statements,
    taken_back,
    wrong_numbers,
)
from billing.command_context import Context, make_link, record
from billing.commands import (
    AgreePlan,
    AskCard,
    CancelPayment,
    ChangePlan,
    ChargeSavedCard,
    Command,
    CommandRefused,
    ForgetVerification,
    MakeCheckCode,
    MakeLink,
    MakeStatement,
    MarkVerified,
    MarkWrongNumber,
    OfferPlan,
    OpenCase,
    PartChat,
    PlaceHold,
    RecordDetailPreference,
    RecordIdentityFailure,
    RecordOptOut,
    RecordPreference,
    Refused,
    RemoveCard,
    RequestPayment,
    RestoreConsent,
    SetLanguage,
    SpecifyCase,
    TakeBackYes,
)
from billing.phones import line_of
from billing.store import consent_queries, conversation_queries
from billing.store.practices import rules_in

STATEMENT = "statement"


def carry_out(session: Session, command: Command, context: Context) -> str | None:
    """Do what a command says; return its result (a link's token, a case's number) or None.

    Raises CommandRefused with a reason of commands.Refused.
    """
    match command:
        case RecordOptOut() | RestoreConsent() | RecordDetailPreference() | MarkWrongNumber():
            _change_consent(session, command, context)
            return None
        case MarkVerified() | RecordIdentityFailure() | ForgetVerification() | SetLanguage() | PartChat():
            _change_conversation(session, command, context)
            return None
        case OpenCase():
            return _open_case(session, command, context)
        case SpecifyCase():
            return _specify_case(session, command, context)
        case PlaceHold():
            _place_hold(session, command, context)
            return None
        case RecordPreference():
            _record_preference(session, command, context)
            return None
        case MakeCheckCode():
            return check_codes.for_number(session, context.practice_id, context.address_hash, context.now)
        case MakeLink():
            return _make_link(session, command, context)
        case MakeStatement():
            return _make_statement(session, command, context)
        case RequestPayment() | CancelPayment() | ChargeSavedCard() | TakeBackYes() | AskCard() | RemoveCard():
            return apply_payments.carry_out(session, command, context)
        case OfferPlan() | AgreePlan() | ChangePlan():
            return apply_plans.carry_out(session, command, context)
        case _:
            assert_never(command)


def _change_consent(session: Session, command: RecordOptOut | RestoreConsent | RecordDetailPreference
                    | MarkWrongNumber, context: Context) -> None:
    number = (context.practice_id, context.channel, context.address_hash)
    match command:
        case RecordOptOut(wording):
            consents.record_revoked(session, *number, wording=wording, medium=context.medium,
                                    recorded_by=context.actor, now=context.now, message_id=context.message_ref)
            plan_changes.stop_for_opt_out(session, context.practice_id, context.address_hash, context.now, wording)
            taken_back.for_opt_out(session, context.practice_id, context.address_hash, wording, context.now)
        case RestoreConsent(wording):
            consents.record_restored(session, *number, wording=wording, recorded_by=context.actor, now=context.now)
        case RecordDetailPreference(account_id, allowed, wording):
            consents.record_detail(session, *number, guarantor_id=account_id, allowed=allowed, wording=wording,
                                   recorded_by=context.actor, now=context.now, medium=context.medium)
        case MarkWrongNumber(wording):
            wrong_numbers.mark(session, *number, wording=wording, why="the person at the number says so",
                               by=context.actor, now=context.now, conversation_id=context.conversation_id)
        case _:
            assert_never(command)


def _change_conversation(session: Session, command: MarkVerified | RecordIdentityFailure | ForgetVerification
                         | SetLanguage | PartChat, context: Context) -> None:
    talk = context.conversation_id
    match command:
        case PartChat(wording):
            chats.part(session, context.practice_id, context.address_hash, wording=wording, by=context.actor,
                       now=context.now)
            conversation_queries.change(session, talk, guarantor_id=None, verified_at=None)
        case MarkVerified(account_id):
            conversation_queries.change(session, talk, guarantor_id=account_id, verified_at=context.now, tries=0,
                                        locked_until=None)
            record(session, context, "verified", account_id, "date of birth and ZIP matched")
        case RecordIdentityFailure(lock_until):
            conversation_queries.count_failure(session, talk, lock_until)
        case ForgetVerification():
            conversation_queries.change(session, talk, guarantor_id=None, verified_at=None)
        case SetLanguage(language):
            conversation_queries.change(session, talk, language=language, language_chosen=True)
            verified = conversation_queries.verified_account(session, talk)
            if verified is not None:
                conversation_queries.set_language(session, verified, language)
        case _:
            assert_never(command)


def _record_preference(session: Session, command: RecordPreference, context: Context) -> None:
    """A confidential wish of somebody unverified is every account's here: one too many costs nothing."""
    accounts: Sequence[str | None] = (command.account_id,)
    if command.kind == preferences.CONFIDENTIAL and command.account_id is None:
        accounts = consent_queries.guarantors_on(session, context.practice_id, context.address_hash)
    for account_id in accounts:
        preferences.record(session, context.practice_id, context.channel, context.address_hash, kind=command.kind,
                           value=command.value, wording=command.wording, recorded_by=context.actor, now=context.now,
                           guarantor_id=account_id, message_id=context.message_ref)
        if account_id is not None:
            record(session, context, f"preference_{command.kind}", account_id, f"by {context.medium}")


def _open_case(session: Session, command: OpenCase, context: Context) -> str:
    dedupe = command.dedupe or _cause(command, context)
    if command.adopts and command.account_id is not None:
        narrowing.adopt(session, context.practice_id, command.adopts, dedupe, command.account_id, by=context.actor,
                        now=context.now)
    case = cases.open_case(
        session, context.practice_id, kind=command.kind, title=command.title, detail=command.detail, now=context.now,
        dedupe=dedupe, guarantor_id=command.account_id, visit_id=command.visit_id,
        conversation_id=context.conversation_id or None, hold=command.hold, hold_on=_held(session, command, context),
        urgent=command.urgent, actor=context.actor)
    if command.kind == "assistance" and command.account_id is not None:
        assistance.ask(session, practice_id=context.practice_id, guarantor_id=command.account_id, by=context.actor,
                       now=context.now)
    return str(case.number)


def _specify_case(session: Session, command: SpecifyCase, context: Context) -> str:
    """What the patient adds is never lost: where staff closed the case a moment ago, it opens another one."""
    case = narrowing.specify(session, context.practice_id, command.dedupe, visits=command.visits,
                             reason=command.reason, words=command.words, by=context.actor, now=context.now)
    if case is None:
        again = OpenCase(command.kind, command.title, command.words or command.reason, command.account_id,
                         command.visits[0] if len(command.visits) == 1 else None, dedupe=command.dedupe)
        return _open_case(session, again, context)
    return str(case.number)


def _cause(command: OpenCase, context: Context) -> str:
    """One open case per cause: of a number for what concerns the number, else of an account or visit."""
    if command.kind in {"call", "wrong_number"}:
        return f"{command.kind}:{context.address_hash}"
    return f"{command.kind}:{context.conversation_id}:{command.account_id or ''}:{command.visit_id or ''}"


def _held(session: Session, command: OpenCase, context: Context) -> Sequence[str]:
    """An emergency stops demands to the household, and so does what somebody unverified says: every account here."""
    if not command.hold:
        return ()
    if command.account_id is not None and command.hold != "emergency":
        return (command.account_id,)
    everybody = consent_queries.guarantors_on(session, context.practice_id, context.address_hash)
    return tuple(sorted({*everybody, *([command.account_id] if command.account_id else [])}))


def _place_hold(session: Session, command: PlaceHold, context: Context) -> None:
    holds.place(session, practice_id=context.practice_id, guarantor_id=command.account_id, kind=command.kind,
                reason=command.reason, source=f"conversation:{context.conversation_id}", placed_by=context.actor,
                now=context.now, visit_id=command.visit_id, amount_minor=command.amount_minor)


def _make_statement(session: Session, command: MakeStatement, context: Context) -> str:
    version = conversation_queries.locked_balance_version(session, context.practice_id, command.account_id)
    if version is None:
        raise CommandRefused(Refused(command, "not_confirmed"))
    if version != command.balance_version:
        raise CommandRefused(Refused(command, "stale_balance"))
    try:
        statement = statements.make(session, command.account_id, command.language, context.now)
    except statements.StatementRefused as error:
        reason = "not_confirmed" if error.code in {"unconfirmed", "unknown_account"} else "hold"
        raise CommandRefused(Refused(command, reason)) from error
    return make_link(session, context, command.account_id, STATEMENT, statement.id)


def _make_link(session: Session, command: MakeLink, context: Context) -> str:
    if command.purpose == chats.PURPOSE:
        return _link_chat(session, command, context)
    return make_link(session, context, command.account_id, command.purpose, command.object_id)


def _link_chat(session: Session, command: MakeLink, context: Context) -> str:
    """Only to the phone on which this account was verified just now, and only while the practice accepts the risk."""
    policy, configured = rules_in(session, context.practice_id)
    risk = policy.telegram_on(policy.local_day(context.now))
    if risk is None or not configured:
        raise CommandRefused(Refused(command, "hold"))
    verified = conversation_queries.verified_account(session, context.conversation_id)
    if line_of(context.channel) != "sms" or verified != command.account_id:
        raise CommandRefused(Refused(command, "not_confirmed"))
    record(session, context, "link_telegram", command.account_id, "")
    return chats.make_link(session, context.practice_id, command.account_id, risk.link_minutes, context.now)
