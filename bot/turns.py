"""One turn of a conversation, inside one transaction: load, read, decide, carry out, render, queue, save.

Deciding is pure (handlers/), acting is billing's, wording is templates': this file only carries things between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import accounts, agreed_words, apply, chats, consents, outbox, talks, thread_care
from billing.command_context import Context
from billing.commands import (
    AskCard,
    Command,
    CommandRefused,
    MakeCheckCode,
    MakeLink,
    MakeStatement,
    OfferPlan,
    Refused,
    RequestPayment,
)
from billing.phones import address_hash
from billing.store import case_queries, road_queries
from billing.store.tables import Conversation, Inbox, Practice
from billing.views import AccountView
from bot import chat_turns, own_words
from bot.failpoints import hit
from bot.road import Road
from handlers import dispatch, understanding
from handlers.core import Decision, Happened, Reading, Reply, Result, State, Talk, Text, Turn
from handlers.flows import verify
from templates import render

FRESH_FOR = timedelta(minutes=15)
"""A proved identity is good until this long after the person's last text (T-34)."""

ANSWER_WITHIN = timedelta(minutes=30)
"""After this long an open question is put away. Well inside the hour in which an answer may go at any time (T-08)."""

_MAKES_LINK = (MakeLink, MakeStatement, RequestPayment, AskCard, OfferPlan)
_REDACTED_AT = ("sms", "telegram")
_Views = tuple[AccountView, ...]


def take_turn(session: Session, road: Road, row: Inbox, now: datetime) -> None:
    """Work one message or event of a conversation; the caller finishes the inbox row in the same transaction."""
    practice = session.get_one(Practice, row.practice_id)  # a session finds again, unasked, only what somebody holds
    talk, candidates = _conversation(session, row, now)
    if talk is None or _out_of_date(talk, row):
        return
    message = _message(row)
    if row.kind == "message":
        message = chat_turns.arrive(session, talk, row, message, now)
        _forget_stale_identity(talk, now)
    turn = build_turn(session, talk, message, practice.id, now, candidates if isinstance(message, Text) else None)
    if row.kind == "message":
        talk.last_inbound_at = now
        session.flush()
    hit("receive.loaded")
    decision, results = _decide_and_act(session, road, row, talk, turn, now)
    hit("receive.applied")
    if decision.commands:
        session.refresh(talk)
    for sequence, reply in enumerate(decision.replies):
        outbox.put(session, _draft(session, talk, row, decision, reply, results, sequence, now), now)
    if turn.talk.taken and row.kind == "message":
        thread_care.wrote(session, talk.id, now)
    if isinstance(message, Text) and message.card_number and talk.channel in _REDACTED_AT:
        outbox.put(session, _redaction(talk, row), now)
    hit("receive.queued")
    _save(talk, decision, now)


def _conversation(session: Session, row: Inbox, now: datetime) -> tuple[Conversation | None, _Views | None]:
    """Lock the row's conversation, making it for a new number, with the accounts there if they were read for that; None
    when an event's conversation is gone.
    """
    if row.kind == "event":
        return road_queries.lock_conversation_by_id(session, row.payload["conversation_id"]), None
    channel, address = row.source, row.payload["sender"]
    hashed = address_hash(row.practice_id, channel, address)
    found = road_queries.lock_conversation(session, row.practice_id, channel, hashed)
    if found is not None:
        return found, None
    candidates = accounts.views_for(session, row.practice_id, channel, hashed, None, now)
    language = _first_language(candidates, row)
    return talks.open_talk(session, row.practice_id, channel, address, hashed, language, now), candidates


def _out_of_date(talk: Conversation, row: Inbox) -> bool:
    """A time-out of a question that was answered in the meantime closes nothing."""
    return row.kind == "event" and row.payload["kind"] == "timeout" and row.payload["version"] != talk.version


def _first_language(candidates: _Views, row: Inbox) -> str:
    """The accounts on this number all prefer one language, or the sender's app does, or it is English until the text
    tells.
    """
    languages = {account.language for account in candidates}
    return languages.pop() if len(languages) == 1 else row.payload.get("language") or "en"


def _message(row: Inbox) -> Text | Happened:
    given: Mapping[str, Any] = row.payload
    if row.kind == "event":
        return Happened(given["kind"], given.get("data", {}))
    return Text(given["body"], card_number=bool(given.get("card_number")), media=int(given.get("media", 0)),
                answered_by_carrier=bool(given.get("carrier_keyword")))


def fresh_account(talk: Conversation, now: datetime) -> str | None:
    """Return the verified account, unless the person has been silent for FRESH_FOR (T-34)."""
    if talk.guarantor_id is None or talk.verified_at is None:
        return None
    last = max(talk.verified_at, talk.last_inbound_at or talk.verified_at)
    return talk.guarantor_id if now - last <= FRESH_FOR else None


def _forget_stale_identity(talk: Conversation, now: datetime) -> None:
    """The text that breaks a long silence must not make the old proof look fresh again."""
    if (talk.guarantor_id or talk.verified_at) is not None and fresh_account(talk, now) is None:
        talk.guarantor_id = talk.verified_at = None


def build_turn(session: Session, talk: Conversation, message: Text | Happened, practice_id: str, now: datetime,
               candidates: _Views | None = None) -> Turn:
    """Return all that a decision may look at. ``candidates``: the accounts as nobody verified sees them, if read."""
    account_id = fresh_account(talk, now)
    practice = accounts.practice_view(session, practice_id, now)
    if candidates is None or account_id is not None:
        candidates = accounts.views_for(session, practice_id, talk.channel, talk.address_hash, account_id, now)
    standing = consents.standing(session, practice_id, talk.channel, talk.address_hash)
    known = Talk(
        conversation_id=talk.id, channel=talk.channel, language=talk.language, language_chosen=talk.language_chosen,
        state=State.from_json(talk.state), account_id=account_id, tries=talk.tries, locked_until=talk.locked_until,
        opted_out=standing.opted_out, first_contact=talk.version == 0,
        emergency=_in_emergency(session, talk, candidates), last_text_at=talk.last_inbound_at,
        taken=thread_care.is_taken(session, talk.id))
    today = now.astimezone(ZoneInfo(practice.policy.zone)).date()
    reading = (understanding.read(message.body, talk.language, today, known.state) if isinstance(message, Text)
               else Reading(""))
    turn = Turn(known, message, reading, practice, candidates, now)
    return _with_what_was_proved(session, talk, turn, practice_id)


def _in_emergency(session: Session, talk: Conversation, candidates: Sequence[AccountView]) -> bool:
    """Whether one was heard, here or elsewhere in the household, that no named person has cleared."""
    held = any("emergency" in account.holds for account in candidates)
    return held or case_queries.is_open_in(session, talk.id, "emergency")


def _with_what_was_proved(session: Session, talk: Conversation, turn: Turn, practice_id: str) -> Turn:
    """The text that proves an identity is answered at once, so its account's visits have to be at hand already."""
    proved = verify.proved(turn) if isinstance(turn.message, Text) else None
    if proved is None:
        return turn
    return replace(turn, candidates=accounts.views_for(
        session, practice_id, talk.channel, talk.address_hash, proved, turn.now))


def _decide_and_act(session: Session, road: Road, row: Inbox, talk: Conversation, turn: Turn,
                    now: datetime) -> tuple[Decision, dict[str, Any]]:
    """Decide and carry out; when a command is refused, undo and ask once more with the refusal as the event."""
    decision = dispatch.decide(turn)
    hit("receive.decided")
    if not decision.commands:
        return decision, {}
    try:
        with session.begin_nested():
            return decision, _carry_out(session, road, row, talk, decision, now)
    except CommandRefused as error:
        session.refresh(talk)
        refusal = Happened("command_refused", refused=error.refused)
        again = dispatch.decide(replace(build_turn(session, talk, refusal, row.practice_id, now), reading=turn.reading))
        return again, _carry_out(session, road, row, talk, again, now)


def _carry_out(session: Session, road: Road, row: Inbox, talk: Conversation, decision: Decision,
               now: datetime) -> dict[str, Any]:
    context = Context(
        practice_id=row.practice_id, conversation_id=talk.id, address=talk.address, address_hash=talk.address_hash,
        channel=talk.channel, inbox_id=row.id, language=decision.language or talk.language, now=now, actor="patient")
    results: dict[str, Any] = {}
    for decided in decision.commands:
        command = agreed_words.put_in(session, talk.id, decided)
        result = apply.carry_out(session, command, context)
        ref = getattr(command, "ref", "")
        if ref and result is not None:
            results[ref] = _address(road, command, result)
        if isinstance(command, MakeCheckCode):
            results["check_url"] = road.check_page
    return results


def _address(road: Road, command: Command, result: str) -> str:
    """What a command made, as its reply says it. Raises CommandRefused where there is no bot to lead to."""
    if isinstance(command, MakeLink) and command.purpose == chats.PURPOSE:
        if not road.telegram_bot:
            raise CommandRefused(Refused(command, "hold"))
        return road.chat_link(result)
    return road.link(result) if isinstance(command, _MAKES_LINK) else result


def _draft(session: Session, talk: Conversation, row: Inbox, decision: Decision, reply: Reply,
           results: Mapping[str, Any], sequence: int, now: datetime) -> outbox.Draft:
    language = decision.language or talk.language
    arguments = {name: _filled(value, results) for name, value in reply.arguments.items()}
    with own_words.spoken_for(session, talk.practice_id):
        words = render.render(reply.template, language, arguments, talk.channel)
    hit("receive.rendered")
    account_id = _told_of(row) or fresh_account(talk, now)
    return outbox.Draft(
        practice_id=talk.practice_id, channel=talk.channel, address=talk.address, address_hash=talk.address_hash,
        purpose=reply.purpose if reply.purpose != "reply" else words.purpose, template=reply.template,
        template_version=words.version, language=language, privacy=words.privacy, body=words.body,
        segments=words.segments, idempotency_key=f"reply:{row.id}:{sequence}", arguments=arguments,
        conversation_id=talk.id, guarantor_id=account_id,
        balance_version=road_queries.balance_version(session, account_id) if account_id else None,
        reply_to=row.id, sequence=sequence, buttons=words.buttons,
        statement_id=chat_turns.attached(session, reply.template, account_id))


def _told_of(row: Inbox) -> str | None:
    """News names its account, whoever was verified on this number last: the gate asks that account's wishes."""
    account_id = row.payload.get("data", {}).get("account_id") if row.kind == "event" else None
    return str(account_id) if account_id else None


def _filled(value: Any, results: Mapping[str, Any]) -> Any:
    """Put what the commands made where the reply names it. Raises KeyError when no command made it."""
    return results[value.ref] if isinstance(value, Result) else value


def _redaction(talk: Conversation, row: Inbox) -> outbox.Draft:
    """The card number is also at the provider, in the text as it came: have it taken away there (T-52)."""
    return outbox.Draft(
        practice_id=talk.practice_id, channel=talk.channel, address=talk.address, address_hash=talk.address_hash,
        purpose=outbox.REDACTION, template=outbox.REDACTION, template_version="", language=talk.language,
        privacy="open", body="", segments=0, idempotency_key=f"redact:{row.id}", conversation_id=talk.id,
        provider_id=row.payload.get("message_id") or row.external_id)


def _save(talk: Conversation, decision: Decision, now: datetime) -> None:
    talk.state = decision.state.to_json()
    talk.silent_at = now + ANSWER_WITHIN if decision.state.flow else None
    talk.version += 1
    if decision.language and not talk.language_chosen:
        talk.language = decision.language
