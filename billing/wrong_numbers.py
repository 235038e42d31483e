"""Somebody else has this number: it is suppressed, its consents are void, and the doors that were texted to it close.

Whoever says so, the person at the number or a colleague who called it, the same follows (T-10, T-35).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, cases, consents, links, privacy_incidents
from billing.contact_changes import ContactRefused
from billing.store import consent_queries, conversation_queries
from billing.store.tables import ContactPoint

TITLE = "Wrong number: find the right one"


def mark(session: Session, practice_id: str, channel: str, address_hash: str, *, wording: str, why: str, by: str,
         now: datetime, medium: str = "text", conversation_id: str | None = None) -> list[str]:
    """Return the accounts that had the number. ``why``: for the trail, without PHI."""
    consents.void(session, practice_id, channel, address_hash, wording=wording, recorded_by=by, now=now, medium=medium)
    accounts = consent_queries.set_contact_status(session, practice_id, address_hash, "wrong_number")
    for guarantor_id in accounts:
        links.revoke_account(session, guarantor_id, now)
        audit.record(session, practice_id, by, "wrong_number", "account", guarantor_id, why, now)
    privacy_incidents.from_wrong_number(session, practice_id, address_hash, accounts, by=by, now=now)
    talks = conversation_queries.at_address(session, practice_id, address_hash)
    for talk in {*talks, *([conversation_id] if conversation_id else [])}:
        conversation_queries.change(session, talk, guarantor_id=None, verified_at=None)
    cases.open_case(session, practice_id, kind="wrong_number", title=TITLE, now=now,
                    detail=f"Accounts with this number: {', '.join(accounts) or 'none'}",
                    guarantor_id=accounts[0] if len(accounts) == 1 else None,
                    conversation_id=conversation_id or next(iter(talks), None),
                    dedupe=f"wrong_number:{address_hash}", actor=by)
    return accounts


def mark_contact(session: Session, contact: ContactPoint, *, wording: str, by: str, now: datetime) -> list[str]:
    """As ``mark``, where a colleague says so of a number or an e-mail address. Raises ContactRefused."""
    if contact.channel == "paper":
        raise ContactRefused("a letter that came back is noted with its letter")
    return mark(session, contact.practice_id, contact.channel, contact.address_hash, wording=wording,
                why="a colleague says so", by=by, now=now, medium="staff")
