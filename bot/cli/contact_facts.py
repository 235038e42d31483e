"""An account's numbers and addresses as ``plainbill accounts contact show`` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing import consents, contact_changes, preferences
from billing.phones import address_hash
from billing.store import console_account_queries, csv_queries

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import ContactPoint, Guarantor


def of_account(session: Session, account: Guarantor) -> dict[str, Any]:
    """``own_address``: the postal one that came with its file, while nothing has taken its place."""
    own = account.address or ""
    hashed = address_hash(account.practice_id, "paper", own) if own else ""
    if own and csv_queries.contact_of(session, account.id, "paper", hashed) is not None:
        own = ""  # it is in the list
    return {"account": account.external, "account_id": account.id, "language": account.language, "own_address": own,
            "contacts": [_of(session, one) for one in console_account_queries.contacts(session, account.id)]}


def _of(session: Session, row: ContactPoint) -> dict[str, Any]:
    """``others``: how many more accounts have it. Letters need no consent."""
    at = (session, row.practice_id, row.channel, row.address_hash, row.guarantor_id)
    stands = consents.standing(*at)
    agreed = ("" if row.channel == "paper" else "opted out" if stands.opted_out else "yes" if stands.complete else
              "incomplete" if stands.consent_event_id is not None else "no")
    return {"contact": row.id, "channel": row.channel, "address": row.address, "status": row.status,
            "source": row.source, "since_at": row.created_at, "at_work": row.at_work, "agreed": agreed,
            "confidential": preferences.standing(*at).confidential_id is not None,
            "others": contact_changes.holders(session, row)}
