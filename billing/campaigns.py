"""A campaign's life: drafted, previewed, approved, sending, paused and resumed, stopped or done.

Nothing is sent that was not previewed, and an approval is of one preview alone: change the words, the policy, the
segment or let days go by, and it is to be looked at again. Above ``policy.bulk.approval_above`` accounts another person
approves than the one who made it. Which of its messages may leave is the gate's matter, as with any other message.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing import audit, campaign_rows, outbox, second_person
from billing.ids import new_id
from billing.lives import step
from billing.policy.campaign import PAUSED_BY
from billing.store import campaign_queries as store
from billing.store.counters import next_number
from billing.store.tables import Campaign, Segment
from config.practice import PracticePolicy

DRAFT, PREVIEWED, APPROVED, SENDING, PAUSED, STOPPED, DONE = (
    "draft", "previewed", "approved", "sending", "paused", "stopped", "done")

MOVES: Mapping[str, frozenset[str]] = {
    DRAFT: frozenset({PREVIEWED, STOPPED}),
    PREVIEWED: frozenset({PREVIEWED, APPROVED, STOPPED}),
    APPROVED: frozenset({PREVIEWED, SENDING, STOPPED}),
    SENDING: frozenset({PAUSED, STOPPED, DONE}),
    PAUSED: frozenset({SENDING, STOPPED}),
    STOPPED: frozenset(),
    DONE: frozenset(),
}

PURPOSES = ("statement", "reminder", "notice")

PREVIEW_LIVES = timedelta(days=4)
"""A preview made on Thursday may still be approved and sent after a weekend."""

GROWS_PERCENT = 5
"""By so much a segment may have grown since its preview; above that somebody looks again."""


class CampaignRefused(ValueError):
    """A step that a campaign cannot take now. The text says what to do; it holds no PHI."""


def create(session: Session, *, practice_id: str, name: str, segment: Segment, purpose: str, template: str,
           ways: Sequence[str], by: str, now: datetime, not_before_at: datetime | None = None) -> Campaign:
    """Draft a campaign. Whether its template fits is checked where templates are known (bot/campaign_words.py)."""
    if purpose not in PURPOSES:
        raise CampaignRefused(f"a campaign's purpose is one of {', '.join(PURPOSES)}")
    if not name.strip() or len(name) > 40:
        raise CampaignRefused("a campaign has a name of 1 to 40 characters; no patient's name belongs in it")
    row = Campaign(
        id=new_id("camp"), practice_id=practice_id, number=next_number(session, practice_id, "campaign"),
        name=name.strip(), segment_id=segment.id, purpose=purpose, template=template, ways=list(ways), status=DRAFT,
        not_before_at=not_before_at, preview=None, preview_digest="", created_by=by, created_at=now, stop_reason="")
    store.add(session, row)
    _note(session, row, by, "campaign_drafted", now)
    return row


def find(session: Session, practice_id: str, ref: str) -> Campaign | None:
    """By our id, its number, or its name: the newest of that name."""
    return store.find(session, practice_id, ref)


def listing(session: Session, practice_id: str) -> Sequence[Campaign]:
    """Newest first."""
    return store.every(session, practice_id)


def segment_of(session: Session, campaign: Campaign) -> Segment:
    return session.get_one(Segment, campaign.segment_id)


def status_of(session: Session, campaign_id: str) -> str:
    """The state of the run as committed in this moment, whatever this session has read before; "" for no such run."""
    return store.status_of(session, campaign_id)


def basis(campaign: Campaign, policy: PracticePolicy, words: Mapping[str, str]) -> str:
    """A digest of all that a preview stands on, but for the accounts: definition, words (template versions by file and
    language) and the practice's policy.
    """
    return _digest({
        "segment": campaign.segment_id, "purpose": campaign.purpose, "template": campaign.template,
        "ways": campaign.ways, "not_before": campaign.not_before_at and campaign.not_before_at.isoformat(),
        "words": dict(words), "policy": policy.model_dump(mode="json")})


def keep_preview(session: Session, campaign_id: str, shown: Mapping[str, Any], *, policy: PracticePolicy,
                 words: Mapping[str, str], by: str, now: datetime) -> Campaign:
    """Keep what was shown (counts and amounts alone; ``accounts`` among them); an earlier approval is gone.

    Raises IllegalMove once it has begun to send.
    """
    row = _locked(session, campaign_id)
    step("campaign", MOVES, row, PREVIEWED)
    kept = {**shown, "basis": basis(row, policy, words), "by": by}
    row.preview, row.previewed_at, row.preview_digest = kept, now, _digest({**kept, "at": now.isoformat()})
    row.approved_by = row.approved_at = None
    _note(session, row, by, "campaign_previewed", now)
    session.flush()
    return row


def needs_second(row: Campaign, policy: PracticePolicy) -> bool:
    """Whether another person than its maker has to approve it."""
    return int((row.preview or {}).get("accounts", 0)) > policy.bulk.approval_above


def approve(session: Session, campaign_id: str, *, by: str, digest: str, policy: PracticePolicy,
            words: Mapping[str, str], now: datetime) -> Campaign:
    """Approve the preview whose digest is given (eight characters and more of it will do).

    Above the policy's size another person does, of the policy's role; where nobody else in the office may, a night
    after the preview stands for the second person (policy.bulk.overnight_if_alone) and the trail says so. Raises
    CampaignRefused, staff.StaffRefused, IllegalMove.
    """
    row = _locked(session, campaign_id)
    if row.status == APPROVED and row.approved_by == by and _is(row, digest):
        return row
    if row.status == PREVIEWED:
        _require_fresh(row, policy, words, now)
        if not _is(row, digest):
            raise CampaignRefused("this is not the preview that stands; look at it again and give its own digest")
    how = _second(session, row, by, policy, now) if row.status == PREVIEWED and needs_second(row, policy) else ""
    step("campaign", MOVES, row, APPROVED)
    row.approved_by, row.approved_at = by, now
    _note(session, row, by, "campaign_approved", now, how)
    session.flush()
    return row


def _is(row: Campaign, digest: str) -> bool:
    return len(digest) >= 8 and row.preview_digest.startswith(digest.strip().lower())


def _second(session: Session, row: Campaign, by: str, policy: PracticePolicy, now: datetime) -> str:
    """Whoever drafted it, and whoever made the preview, are no second person: who looked last is not a second pair of
    eyes.
    """
    assert row.previewed_at is not None, "it was found fresh"
    return second_person.require(
        session, row.practice_id, by=by, asked_by=row.created_by, also_by=[str((row.preview or {}).get("by", ""))],
        asked_at=row.previewed_at, role=policy.bulk.approver, policy=policy, now=now)


def _require_fresh(row: Campaign, policy: PracticePolicy, words: Mapping[str, str], now: datetime) -> None:
    if row.preview is None or row.previewed_at is None:
        raise CampaignRefused("nobody has previewed it yet")
    if row.preview["basis"] != basis(row, policy, words):
        raise CampaignRefused("the words, the policy or the campaign changed since the preview; preview it again")
    if now - row.previewed_at > PREVIEW_LIVES:
        raise CampaignRefused(f"the preview is more than {PREVIEW_LIVES.days} days old; preview it again")


def start(session: Session, campaign_id: str, *, by: str, policy: PracticePolicy, words: Mapping[str, str],
          now: datetime) -> Campaign:
    """Begin to send: one row for each account that is in the segment now, all in this transaction. A second time does
    nothing.

    Raises CampaignRefused when the preview is stale or the segment has grown beyond it, IllegalMove.
    """
    row = _locked(session, campaign_id)
    if row.status in (SENDING, PAUSED, DONE):
        return row
    if row.status == APPROVED:
        _require_fresh(row, policy, words, now)
    step("campaign", MOVES, row, SENDING)
    row.started_by, row.started_at = by, now
    made = campaign_rows.lay_out(session, row, policy.local_day(now), now)
    _require_same_size(row, made, policy)
    _note(session, row, by, "campaign_started", now, f"{made} accounts")
    session.flush()
    return row


def _require_same_size(row: Campaign, accounts: int, policy: PracticePolicy) -> None:
    shown = int((row.preview or {})["accounts"])
    if accounts * 100 > shown * (100 + GROWS_PERCENT) or (
            accounts > policy.bulk.approval_above and not needs_second(row, policy)):
        raise CampaignRefused(f"the segment has {accounts} accounts now and had {shown} in the preview; preview it "
                              "again")


def pause(session: Session, campaign_id: str, *, by: str, now: datetime) -> Campaign:
    """Nothing more leaves until it is resumed: the gate holds back what is in the outbox. Raises IllegalMove."""
    row = _locked(session, campaign_id)
    if row.status != PAUSED:
        step("campaign", MOVES, row, PAUSED)
        row.paused_by = by
        _note(session, row, by, "campaign_paused", now)
    return row


def resume(session: Session, campaign_id: str, *, by: str, now: datetime) -> Campaign:
    """Go on; what waits for nothing else passes the gate again at once. Raises IllegalMove."""
    row = _locked(session, campaign_id)
    if row.status != SENDING:
        if row.status != PAUSED:
            raise CampaignRefused(f"a campaign that is {row.status} cannot be resumed; only a paused one can")
        step("campaign", MOVES, row, SENDING)
        row.paused_by = None
        session.flush()
        woken = store.wake_put_off(session, campaign_id, PAUSED_BY, now)
        _note(session, row, by, "campaign_resumed", now, f"{woken} in the outbox")
    return row


def stop(session: Session, campaign_id: str, *, by: str, reason: str, now: datetime) -> Campaign:
    """For good: rows that wait are stopped, messages that have not begun to leave are cancelled. Raises IllegalMove."""
    row = _locked(session, campaign_id)
    if row.status == STOPPED:
        return row
    if not reason.strip():
        raise CampaignRefused("stopping a campaign needs its reason; no names")
    step("campaign", MOVES, row, STOPPED)
    row.stopped_by, row.stop_reason, row.ended_at = by, reason.strip()[:200], now
    session.flush()
    waiting = store.stop_waiting(session, campaign_id, now)
    cancelled = sum(outbox.cancel(session, one, now) for one in store.unsent_messages(session, campaign_id))
    _note(session, row, by, "campaign_stopped", now, f"{waiting} waiting, {cancelled} in the outbox")
    return row


def close(session: Session, campaign_id: str, now: datetime) -> int:
    """Return how many accounts wait again because their balance moved; with none and nothing else to do, it is done."""
    reopened = campaign_rows.reopen(session, campaign_id, now)
    if not reopened:
        finish(session, campaign_id, now)
    return reopened


def finish(session: Session, campaign_id: str, now: datetime) -> bool:
    """Call it done when no account waits and no message of it is still on its way."""
    row = _locked(session, campaign_id)
    if row.status != SENDING or store.waiting(session, campaign_id) or store.on_the_way(session, campaign_id):
        return False
    step("campaign", MOVES, row, DONE)
    row.ended_at = now
    _note(session, row, "system", "campaign_done", now)
    return True


def _locked(session: Session, campaign_id: str) -> Campaign:
    row = store.lock(session, campaign_id)
    if row is None:
        raise CampaignRefused("there is no such campaign")
    return row


def _note(session: Session, row: Campaign, by: str, action: str, now: datetime, reason: str = "") -> None:
    audit.record(session, row.practice_id, by, action, "campaign", row.id, reason, now)


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]
