"""The one place that carries commands out, in the transaction of the turn that decided them.

Whatever cannot be done raises CommandRefused; the edge undoes the turn's work and asks the conversation once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sqlalchemy.orm import Session

from billing import audit, cases, consents, holds, links, payments, statements
from billing.account_facts import find_policy
from billing.commands import (
    CancelPayment,
    Command,
    CommandRefused,
    ForgetVerification,
    MakeLink,
    MakeStatement,
    MarkVerified,
    MarkWrongNumber,
    OpenCase,
    PlaceHold,
    RecordDetailPreference,
    RecordIdentityFailure,
    RecordOptOut,
    Refused,
    RequestPayment,
    RestoreConsent,
    SetLanguage,
)
from billing.store import consent_queries, conversation_queries

PAY = "pay"
STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class Context:
    """The turn in which a command was decided. ``inbox_id`` is the text that it answers; ``actor`` is for the audit."""

    practice_id: str
    conversation_id: str
    address: str
    address_hash: str
    channel: str
    inbox_id: int | None
    language: str
    now: datetime
    actor: str = "patient"

    @property
    def message_ref(self) -> str | None:
        return f"inbox:{self.inbox_id}" if self.inbox_id is not None else None


def carry_out(session: Session, command: Command, context: Context) -> str | None:
    """Do what a command says; return its result (a link's token, a case's number) or None.

    Raises CommandRefused with a reason of commands.Refused.
    """
    match command:
        case RecordOptOut() | RestoreConsent() | RecordDetailPreference() | MarkWrongNumber():
            _change_consent(session, command, context)
            return None
        case MarkVerified() | RecordIdentityFailure() | ForgetVerification() | SetLanguage():
            _change_conversation(session, command, context)
            return None
        case OpenCase():
            return _open_case(session, command, context)
        case PlaceHold():
            _place_hold(session, command, context)
            return None
        case MakeLink():
            return _link(session, context, command.account_id, command.purpose, command.object_id)
        case MakeStatement():
            return _make_statement(session, command, context)
        case RequestPayment():
            return _request_payment(session, command, context)
        case CancelPayment():
            payments.cancel(session, context.practice_id, command)
            return None
        case _:
            assert_never(command)


def _change_consent(session: Session, command: RecordOptOut | RestoreConsent | RecordDetailPreference
                    | MarkWrongNumber, context: Context) -> None:
    number = (context.practice_id, context.channel, context.address_hash)
    match command:
        case RecordOptOut(wording):
            consents.record_revoked(session, *number, wording=wording, medium="text", recorded_by=context.actor,
                                    now=context.now, message_id=context.message_ref)
        case RestoreConsent(wording):
            consents.record_restored(session, *number, wording=wording, recorded_by=context.actor, now=context.now)
        case RecordDetailPreference(account_id, allowed, wording):
            consents.record_detail(session, *number, guarantor_id=account_id, allowed=allowed, wording=wording,
                                   recorded_by=context.actor, now=context.now)
        case MarkWrongNumber(wording):
            _wrong_number(session, wording, context)
        case _:
            assert_never(command)


def _wrong_number(session: Session, wording: str, context: Context) -> None:
    """Somebody else has this number: suppress it, void its consents, close the doors that were texted to it."""
    consents.void(session, context.practice_id, context.channel, context.address_hash, wording=wording,
                  recorded_by=context.actor, now=context.now)
    accounts = consent_queries.set_contact_status(session, context.practice_id, context.address_hash, "wrong_number")
    for guarantor_id in accounts:
        links.revoke_account(session, guarantor_id, context.now)
        _audit(session, context, "wrong_number", guarantor_id, "the person at the number says so")
    conversation_queries.change(session, context.conversation_id, guarantor_id=None, verified_at=None)
    cases.open_case(session, context.practice_id, kind="wrong_number", title="Wrong number: find the right one",
                    detail=f"Accounts with this number: {', '.join(accounts) or 'none'}", now=context.now,
                    guarantor_id=accounts[0] if len(accounts) == 1 else None, conversation_id=context.conversation_id,
                    dedupe=f"wrong_number:{context.address_hash}", actor=context.actor)


def _change_conversation(session: Session, command: MarkVerified | RecordIdentityFailure | ForgetVerification
                         | SetLanguage, context: Context) -> None:
    talk = context.conversation_id
    match command:
        case MarkVerified(account_id):
            conversation_queries.change(session, talk, guarantor_id=account_id, verified_at=context.now, tries=0,
                                        locked_until=None)
            _audit(session, context, "verified", account_id, "date of birth and ZIP matched")
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


def _open_case(session: Session, command: OpenCase, context: Context) -> str:
    dedupe = command.dedupe or _cause(command, context)
    case = cases.open_case(
        session, context.practice_id, kind=command.kind, title=command.title, detail=command.detail, now=context.now,
        dedupe=dedupe, guarantor_id=command.account_id, visit_id=command.visit_id,
        conversation_id=context.conversation_id, hold=command.hold, hold_on=_held(session, command, context),
        urgent=command.urgent, actor=context.actor)
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
    return _link(session, context, command.account_id, STATEMENT, statement.id)


def _request_payment(session: Session, command: RequestPayment, context: Context) -> str:
    _, policy, _ = find_policy(session, practice_id=context.practice_id)
    payment = payments.request(session, command, payments.RequestContext(
        practice_id=context.practice_id, policy=policy, now=context.now, conversation_id=context.conversation_id,
        message_id=context.message_ref))
    token = _link(session, context, command.account_id, PAY, payment.id)
    payments.mark_link_sent(payment)
    return token


def _link(session: Session, context: Context, account_id: str, purpose: str, object_id: str) -> str:
    _, policy, _ = find_policy(session, practice_id=context.practice_id)
    _audit(session, context, f"link_{purpose}", account_id, object_id)
    return links.make(session, context.practice_id, account_id, purpose, object_id, policy.link_days, context.now)


def _audit(session: Session, context: Context, action: str, account_id: str, reason: str) -> None:
    audit.record(session, context.practice_id, context.actor, action, "account", account_id, reason, context.now)
