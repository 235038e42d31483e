"""A number or address that an account has no more, and the one that takes its place.

Nothing is written over: the old one stays, ended, and the new one is one of its own. A consent was given for a number,
so the new one has none until the patient agrees to it (T-10, T-14). Whoever else has the old one keeps it. An address
that somebody else turned out to have is billing/wrong_numbers.py's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from billing import audit, consents, contacts, links, preferences
from billing.contact_status import ENDED, WRONG_NUMBER
from billing.ids import new_id
from billing.phones import address_hash
from billing.store import consent_queries, contact_queries, conversation_queries, csv_queries
from billing.store.tables import ContactPoint, Guarantor
from config.practice import PracticePolicy

#: The patient has another one now; it was written down wrong; the patient does not want to be reached there; other.
Reason = Literal["changed", "mistyped", "asked", "other"]


class ContactRefused(ValueError):
    """A number or address that cannot be changed so. The text says why; no PHI."""


class Unreadable(ContactRefused):
    """No number, no address or no language of ours as it was written, or half a consent. The text says what is wanted;
    no PHI.
    """


def end(session: Session, contact: ContactPoint, *, reason: Reason, by: str, now: datetime,
        successor: str = "") -> None:
    """The account is not reached there any more; its doors that were texted or mailed close. ``successor``: the id of
    what takes its place. Raises ContactRefused.
    """
    _require_live(contact)
    if reason == "mistyped" and contact_queries.ever_told(session, contact.practice_id, contact.address_hash):
        raise ContactRefused("messages have gone there, so somebody may have read them: mark it as somebody else's")
    contact.status = ENDED
    session.flush()
    if contact.channel != "paper":
        _let_go(session, contact, reason, by, now)
    audit.record(session, contact.practice_id, by, "contact_ended", "contact", contact.id,
                 f"{reason}, then {successor}" if successor else reason, now)


def _require_live(contact: ContactPoint) -> None:
    if contact.channel not in contacts.CHANNELS:  # a chat ends in the chat: billing/chats.py
        raise ContactRefused("a chat is parted from an account in the chat itself")
    if contact.status in (ENDED, WRONG_NUMBER):
        raise ContactRefused("this is the account's no more; put it on the account anew if it is again")


def _let_go(session: Session, contact: ContactPoint, reason: Reason, by: str, now: datetime) -> None:
    """Numbers are given to others: where nobody else here has it, what was agreed to for it is void (T-10)."""
    practice_id, hashed = contact.practice_id, contact.address_hash
    if not contact_queries.others_with(session, practice_id, contact.channel, hashed, contact.guarantor_id):
        consents.void(session, practice_id, contact.channel, hashed, recorded_by=by, now=now, medium="staff",
                      wording=f"the account is not reached here any more ({reason})")
    for talk in conversation_queries.at_address(session, practice_id, hashed):
        if conversation_queries.verified_account(session, talk) == contact.guarantor_id:
            conversation_queries.change(session, talk, guarantor_id=None, verified_at=None)
    links.revoke_account(session, contact.guarantor_id, now)


def replace(session: Session, contact: ContactPoint, address: str, *, reason: Reason, by: str, now: datetime,
            agreed: contacts.Given | None = None) -> ContactPoint:
    """End one and open another on the same channel; return the new one, without any consent but what was ``agreed``
    for it. ``address``: in its one written form (billing/contact_reading.py). Raises ContactRefused.
    """
    if address_hash(contact.practice_id, contact.channel, address) == contact.address_hash:
        raise ContactRefused("that is the one that is on the account already")
    _require_live(contact)
    made = _open(session, contact.practice_id, contact.guarantor_id, contact.channel, address, now)
    end(session, contact, reason=reason, by=by, now=now, successor=made.id)
    if agreed is not None:
        contacts.add_consent(session, made.practice_id, made.guarantor_id, address, agreed, made.channel)
    return made


def replace_home(session: Session, account: Guarantor, address: str, *, reason: Reason, by: str, now: datetime,
                 ) -> ContactPoint:
    """As ``replace``, for the account's own postal address, which came with its file; the file's stays as it came, and
    no letter goes there. Raises ContactRefused.
    """
    if not account.address:
        raise ContactRefused("the account has no address of its own; put one on the account")
    hashed = address_hash(account.practice_id, "paper", account.address)
    old = csv_queries.contact_of(session, account.id, "paper", hashed)
    if old is None:
        old = ContactPoint(id=new_id("con"), practice_id=account.practice_id, guarantor_id=account.id, channel="paper",
                           address=account.address, address_hash=hashed, status="ok", source="account", created_at=now)
        session.add(old)
        session.flush()
    if old.status == ENDED:
        raise ContactRefused("another address has taken its place already; change that one")
    return replace(session, old, address, reason=reason, by=by, now=now)


def _open(session: Session, practice_id: str, account_id: str, channel: str, address: str,
          now: datetime) -> ContactPoint:
    contacts.put(session, practice_id, account_id, channel, address, source="staff", now=now)
    made = csv_queries.contact_of(session, account_id, channel, address_hash(practice_id, channel, address))
    if made is None or made.status == WRONG_NUMBER:
        raise ContactRefused("that number or address is marked as somebody else's")
    return made


def mark_at_work(session: Session, contact: ContactPoint, at_work: bool, *, by: str, now: datetime) -> bool:
    """It is an employer's, to which nothing about a bill goes, or is not (T-24). Tell whether that is new."""
    if contact.at_work == at_work:
        return False
    contact.at_work = at_work
    session.flush()
    audit.record(session, contact.practice_id, by, "contact_at_work", "contact", contact.id,
                 "an employer's" if at_work else "no employer's", now)
    return True


def keep_confidential(session: Session, contact: ContactPoint, on: bool, *, wording: str, by: str,
                      now: datetime) -> bool:
    """The patient asks that nothing about this account comes there of our own accord, or has it come again; in their
    words (45 CFR 164.522(b), T-33). Tell whether that is new. Raises preferences.PreferenceRefused without words.
    """
    stands = preferences.standing(session, contact.practice_id, contact.channel, contact.address_hash,
                                  contact.guarantor_id)
    if (stands.confidential_id is not None) == on:
        return False
    preferences.record(session, contact.practice_id, contact.channel, contact.address_hash,
                       kind=preferences.CONFIDENTIAL, value={"on": on}, wording=wording, recorded_by=by, now=now,
                       guarantor_id=contact.guarantor_id)
    audit.record(session, contact.practice_id, by, "contact_confidential", "contact", contact.id,
                 "on" if on else "off", now)
    return True


def speak(session: Session, account: Guarantor, language: str, policy: PracticePolicy, *, by: str,
          now: datetime) -> bool:
    """The language in which we write to an account first; a thread keeps the one that its patient chose. Tell whether
    it is another one now. Raises Unreadable for one in which the practice does not write.
    """
    if language not in policy.languages:
        raise Unreadable(f"the language is one of {', '.join(policy.languages)}")
    if account.language == language:
        return False
    before = account.language
    conversation_queries.set_language(session, account.id, language)
    audit.record(session, account.practice_id, by, "language", "account", account.id, f"{before} to {language}", now)
    return True


def holders(session: Session, contact: ContactPoint) -> int:
    """How many other accounts have it too."""
    found = consent_queries.guarantors_on(session, contact.practice_id, contact.address_hash)
    return len(set(found) - {contact.guarantor_id})
