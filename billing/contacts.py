"""Numbers of an account, and consents that came with them from outside a conversation: a form, a file, the desk.

Consents are events and only ever added; adding one twice adds nothing (T-11, T-14). A consent older than the day on
which its number went to somebody else is not taken up again (T-10), and an opt-out is not repeated after START (T-12).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import consents
from billing.contact_status import ENDED
from billing.ids import new_id
from billing.phones import address_hash, line_of
from billing.store import consent_queries, csv_queries
from billing.store.tables import ContactPoint

#: How an undone import voids the consents that came with it; a later import may bring them again.
UNDONE = "import undone"
OPTED_OUT_BEFORE = "opted out before, as another system's records say"


@dataclass(frozen=True, slots=True)
class Given:
    """A consent as it was taken. ``at`` aware; ``wording`` is what the patient agreed to."""

    at: datetime
    wording: str
    medium: str
    recorded_by: str


def put(session: Session, practice_id: str, guarantor_id: str, channel: str, address: str, *, source: str,
        now: datetime) -> bool:
    """``add_phone``, ``add_email`` or ``add_postal``, as the channel is. Raises KeyError for one without addresses."""
    return _BY_CHANNEL[channel](session, practice_id, guarantor_id, address, source=source, now=now)


def add_phone(session: Session, practice_id: str, guarantor_id: str, number: str, *, source: str,
              now: datetime) -> bool:
    """Put a number (E.164) on an account; tell whether it is new there. A number marked wrong stays marked; one that
    the account had no more is its own again only where a person says so (``source`` staff).
    """
    return _add(session, practice_id, guarantor_id, "sms", number, source, now)


def add_email(session: Session, practice_id: str, guarantor_id: str, address: str, *, source: str, now: datetime,
              at_work: bool | None = None) -> bool:
    """Put an e-mail address (billing/mail_addresses.py) on an account; tell whether anything is new. ``at_work``: it is
    an employer's, to which nothing about a bill goes (T-24); None leaves what is on file.
    """
    added = _add(session, practice_id, guarantor_id, "email", address, source, now)
    contact = csv_queries.contact_of(session, guarantor_id, "email", address_hash(practice_id, "email", address))
    if contact is None or at_work is None or contact.at_work == at_work:
        return added
    contact.at_work = at_work
    session.flush()
    return True


def add_postal(session: Session, practice_id: str, guarantor_id: str, address: str, *, source: str,
               now: datetime) -> bool:
    """Put another postal address on an account, beside its own; tell whether it is new there."""
    return _add(session, practice_id, guarantor_id, "paper", address, source, now)


_BY_CHANNEL: Mapping[str, Callable[..., bool]] = {"sms": add_phone, "email": add_email, "paper": add_postal}
#: On which an account has addresses that a person may put down or end.
CHANNELS = frozenset(_BY_CHANNEL)


def _add(session: Session, practice_id: str, guarantor_id: str, channel: str, address: str, source: str,
         now: datetime) -> bool:
    hashed = address_hash(practice_id, channel, address)
    known = csv_queries.contact_of(session, guarantor_id, channel, hashed)
    if known is not None and known.status == ENDED and source == "staff":
        known.status, known.created_at = "ok", now
        session.flush()
        return True
    if known is not None:
        return False
    session.add(ContactPoint(id=new_id("con"), practice_id=practice_id, guarantor_id=guarantor_id, channel=channel,
                             address=address, address_hash=hashed, status="ok", source=source, created_at=now))
    session.flush()
    return True


def add_consent(session: Session, practice_id: str, guarantor_id: str, number: str, given: Given,
                channel: str = "sms") -> bool:
    """Record a consent unless it is on file already; tell whether it was added. Raises consents.ConsentRefused."""
    hashed = address_hash(practice_id, channel, number)
    events = consent_queries.events_of(session, practice_id, line_of(channel), hashed)
    voided = [e for e in events if e.event == "voided" and e.purpose == consents.TEXTS]
    if any(e.at >= given.at and e.wording != UNDONE for e in voided):
        return False
    since = max((e.id for e in voided), default=0)
    same = (guarantor_id, given.at, given.wording.strip(), given.medium)
    if any((e.guarantor_id, e.at, e.wording, e.medium) == same for e in events
           if e.event == "given" and e.purpose == consents.TEXTS and e.id > since):
        return False
    consents.record_given(session, practice_id, channel, hashed, guarantor_id=guarantor_id, wording=given.wording,
                          medium=given.medium, recorded_by=given.recorded_by, now=given.at)
    return True


def add_opt_out(session: Session, practice_id: str, number: str, *, at: datetime | None, recorded_by: str,
                now: datetime, channel: str = "sms") -> bool:
    """Record that messages were refused before; once a number or address, and never over a later START."""
    hashed = address_hash(practice_id, channel, number)
    events = consent_queries.events_of(session, practice_id, line_of(channel), hashed)
    texts = [e for e in events if e.purpose == consents.TEXTS]
    if any(e.event == "revoked" and e.wording == OPTED_OUT_BEFORE and at in (None, e.at) for e in texts):
        return False
    if any(e.event == "restored" and (at is None or e.at > at) for e in texts):
        return False
    consents.record_revoked(session, practice_id, channel, hashed, wording=OPTED_OUT_BEFORE, medium="import",
                            recorded_by=recorded_by, now=at or now)
    return True
