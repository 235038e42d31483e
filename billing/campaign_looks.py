"""Long looks at a campaign, asked for on a page and worked elsewhere: a preview, or a simulation. Their results stay,
with the list of who is in each group, until a newer look of the same kind takes their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing import audit, campaigns
from billing.ids import new_id
from billing.planning import Preview
from billing.store import campaign_look_queries as store
from billing.store.ledger_queries import chunks
from billing.store.tables import Campaign, CampaignLook

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
PREVIEW, SIMULATION = "preview", "simulation"

SILENT = timedelta(minutes=5)
"""A worker that has told nothing for so long is gone, and another one begins anew."""

PAGE = 100
"""Accounts of a page of a list."""

#: Who is in one group: (outcome, rule) and the accounts in the order of the run.
Group = tuple[str, str, Iterable[str]]


def ask(session: Session, campaign: Campaign, kind: str, change: Mapping[str, Any], *, accounts: int, by: str,
        now: datetime) -> CampaignLook:
    """Ask for a look; one that is asked for already gives way to it. Raises CampaignRefused for a preview of what has
    begun to send.
    """
    if kind == PREVIEW and campaigns.PREVIEWED not in campaigns.MOVES[campaign.status]:
        raise campaigns.CampaignRefused(f"this campaign is {campaign.status}; a preview comes before it begins")
    for one in store.open_ones(session, campaign.id, kind):
        one.status, one.told, one.ended_at = FAILED, "somebody asked anew", now
    row = CampaignLook(id=new_id("look"), practice_id=campaign.practice_id, campaign_id=campaign.id, kind=kind,
                       status=WAITING, change=dict(change), accounts=accounts, judged=0, told="", asked_by=by,
                       asked_at=now, worker="")
    store.add(session, row)
    audit.record(session, campaign.practice_id, by, f"campaign_{kind}_asked", "campaign", campaign.id, "", now)
    return row


def claim(session: Session, worker: str, now: datetime) -> CampaignLook | None:
    """Take the oldest that waits; None when there is nothing to do."""
    row = store.next_free(session, now - SILENT)
    if row is not None:
        row.status, row.worker, row.beat_at, row.judged = RUNNING, worker, now, 0
        session.flush()
    return row


def finish(session: Session, look_id: str, worker: str, *, result: Mapping[str, Any], samples: Sequence[Any],
           groups: Iterable[Group], now: datetime) -> bool:
    """Keep what came out, if it is still this worker's to keep; return whether it was."""
    row = store.lock(session, look_id)
    if row is None or row.status != RUNNING or row.worker != worker:
        return False
    store.forget_lists(session, row.campaign_id, row.kind)
    for outcome, rule, ids in groups:
        store.keep_pages(session, row.practice_id, row.id, outcome, rule, chunks(ids, PAGE))
    row.result, row.samples, row.judged = dict(result), list(samples), row.accounts
    row.status, row.ended_at = DONE, now
    return True


def fail(session: Session, look_id: str, worker: str, told: str, now: datetime) -> None:
    """It cannot be done; ``told`` says why in words for people, without PHI."""
    row = store.lock(session, look_id)
    if row is not None and row.status == RUNNING and row.worker == worker:
        row.status, row.told, row.ended_at = FAILED, told[:2000], now


def samples_of(shown: Preview) -> list[dict[str, str]]:
    return [asdict(one) for one in shown.samples]
