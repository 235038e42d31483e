"""The page behind an e-mail's "stop": one press binds the address, with no question and no proof (T-22, RFC 8058).

Opening the page changes nothing: mail servers open every link that they see. Whoever holds the link may press; to be
left alone needs no identity, and nothing is shown to anybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import consents, links
from billing.store import dunning_queries
from billing.store.practices import find_practice, policy_of
from config.practice import PracticePolicy

PURPOSE = "unsubscribe"
GOOD_FOR = timedelta(days=400)
WORDING = "the stop page of an e-mail"


def make(session: Session, practice_id: str, guarantor_id: str, outbox_id: str, now: datetime) -> str:
    """Make the token of the page for one e-mail."""
    return links.make_for(session, practice_id, guarantor_id, PURPOSE, outbox_id, GOOD_FOR, now)


def stop(session: Session, token: str, now: datetime) -> PracticePolicy | None:
    """Stop e-mails to the address that the token's e-mail went to; return whose they were. None for no such token.

    Expired and revoked tokens stop as well: a wish to be left alone never runs out. Once more it changes nothing.
    """
    link = links.find(session, token)
    if link is None or link.purpose != PURPOSE:
        return None
    row = dunning_queries.message(session, link.practice_id, link.object_id)
    practice = find_practice(session, link.practice_id)
    if row is None or practice is None:
        return None
    if not consents.standing(session, row.practice_id, row.channel, row.address_hash, row.guarantor_id).opted_out:
        consents.record_revoked(session, row.practice_id, row.channel, row.address_hash, wording=WORDING,
                                medium="form", recorded_by="patient", message_id=row.id, now=now)
    return policy_of(practice)
