"""What undoing an import takes back besides transfers, where rows of a CSV file had made it.

Numbers that the file put on accounts go, consents that came with it alone are void, accounts that it confirmed are
unconfirmed again. Names, addresses, words and estimates that it changed stay: give the right file to correct them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from billing import consents
from billing.contacts import UNDONE
from billing.csv_visits import BY_ROWS, BY_STATUS
from billing.phones import line_of
from billing.store import account_queries, consent_queries
from billing.store import csv_undo_queries as store


def take_back(session: Session, practice_id: str, import_id: str, visit_ids: Collection[str], *, actor: str,
              now: datetime) -> None:
    """Call once the import's transfers are reversed."""
    store.take_back_lines(session, import_id)
    told = (BY_ROWS, BY_STATUS) if store.brought_balances(session, import_id) else (BY_ROWS,)
    store.restate_coverages(session, visit_ids, told)
    _take_back_numbers(session, practice_id, import_id, actor, now)
    unconfirmed = store.unconfirm(session, practice_id, f"import {import_id}")
    account_queries.bump(session, unconfirmed)


def _take_back_numbers(session: Session, practice_id: str, import_id: str, actor: str, now: datetime) -> None:
    """A consent stays where the number was on file before: it may rest on more than this file."""
    for channel, hashed in store.remove_contacts(session, practice_id, import_id):
        if consent_queries.guarantors_on(session, practice_id, hashed):
            continue
        events = consent_queries.events_of(session, practice_id, line_of(channel), hashed)
        if any(e.event == "given" and e.purpose == consents.TEXTS for e in events):
            consents.void(session, practice_id, channel, hashed, wording=UNDONE, recorded_by=actor, now=now)
