"""What a patient asks for on the account's page about being reached: recorded by the same functions as by text.

A STOP pressed here binds the number as a texted one does, for every account on it; only START from that phone lifts it
(T-12). E-mail that was stopped starts again by the patient's own words to a person (docs/mail.md). Nothing here lifts
either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from billing import apply, audit, consents, preferences
from billing.command_context import Context
from billing.commands import RecordDetailPreference, RecordOptOut, RecordPreference
from billing.store import conversation_queries, page_queries
from billing.store.tables import ContactPoint
from billing.store.tables_road import Conversation

TEXTS, MAIL = "sms", "email"


@dataclass(frozen=True, slots=True)
class Place:
    """A number or address of the account, for its owner's eyes: ``shown`` is four digits, or an address half hidden."""

    shown: str
    stopped: bool
    amounts: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """How the account is reached now; ``wishes`` are those of its first number."""

    texts: tuple[Place, ...]
    mails: tuple[Place, ...]
    wishes: preferences.Wishes


def standing(session: Session, practice_id: str, guarantor_id: str) -> Reached:
    texts = page_queries.places(session, practice_id, guarantor_id, TEXTS)
    mails = page_queries.places(session, practice_id, guarantor_id, MAIL)
    wishes = (preferences.standing(session, practice_id, TEXTS, texts[0].address_hash, guarantor_id) if texts
              else preferences.Wishes())
    return Reached(tuple(_place(session, one) for one in texts), tuple(_place(session, one) for one in mails), wishes)


def _place(session: Session, row: ContactPoint) -> Place:
    stands = consents.standing(session, row.practice_id, row.channel, row.address_hash, row.guarantor_id)
    shown = row.address[-4:] if row.channel == TEXTS else _half(row.address)
    return Place(shown, stands.opted_out, stands.detail_event_id is not None)


def _half(address: str) -> str:
    """``a…@example.org``: enough to know one's own by."""
    name, _, host = address.partition("@")
    return f"{name[:1]}\u2026\u2060@{host}"  # a word joiner: it stays on one line


def record_wish(session: Session, context: Context, guarantor_id: str,
                wish: RecordPreference | RecordDetailPreference) -> int:
    """The wish on every number of the account; return on how many."""
    places = page_queries.places(session, context.practice_id, guarantor_id, TEXTS)
    for place in places:
        apply.carry_out(session, wish, _at(context, place))
    return len(places)


def stop_texts(session: Session, context: Context, guarantor_id: str, wording: str) -> int:
    """As STOP from each number of the account that has not said so yet; return how many."""
    places = page_queries.places(session, context.practice_id, guarantor_id, TEXTS)
    going = [one for one in places if not _place(session, one).stopped]
    for place in going:
        apply.carry_out(session, RecordOptOut(wording), _at(context, place))
    audit.record(session, context.practice_id, context.actor, "texts_stopped", "account", guarantor_id, "page",
                 context.now)
    return len(going)


def stop_mail(session: Session, context: Context, guarantor_id: str, wording: str) -> int:
    """As the stop page of an e-mail, for every address of the account; return how many."""
    places = page_queries.places(session, context.practice_id, guarantor_id, MAIL)
    going = [one for one in places if not _place(session, one).stopped]
    for place in going:
        consents.record_revoked(session, context.practice_id, MAIL, place.address_hash, wording=wording,
                                medium=context.medium, recorded_by=context.actor, now=context.now)
    audit.record(session, context.practice_id, context.actor, "mail_stopped", "account", guarantor_id, "page",
                 context.now)
    return len(going)


def allow_amounts(session: Session, context: Context, guarantor_id: str, allowed: bool, wording: str) -> int:
    """The answer to the warning in ``wording`` (T-33), for every number of the account; return how many."""
    return record_wish(session, context, guarantor_id, RecordDetailPreference(guarantor_id, allowed, wording))


def _at(context: Context, place: ContactPoint) -> Context:
    return replace(context, address=place.address, address_hash=place.address_hash, channel=place.channel)


def set_language(session: Session, context: Context, guarantor_id: str, language: str) -> None:
    """The account's language from now on, and its own conversation's; a conversation that somebody else on the same
    phone is verified in keeps theirs.
    """
    conversation_queries.set_language(session, guarantor_id, language)
    talk = session.get(Conversation, context.conversation_id) if context.conversation_id else None
    if talk is not None and talk.guarantor_id in (None, guarantor_id):
        conversation_queries.change(session, talk.id, language=language, language_chosen=True)
    audit.record(session, context.practice_id, context.actor, "language_set", "account", guarantor_id, language,
                 context.now)
