"""SQL of a restored copy: what was under way when the backup was made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session, defer

from billing.ids import new_id
from billing.store.tables import (
    Campaign,
    CampaignRow,
    ContactPoint,
    Inbox,
    Lease,
    MailBatch,
    MailLetter,
    Outbox,
    Practice,
    ProcessorCall,
)

_MESSAGES = ("queued", "deferred", "claimed", "sending", "unknown")
_CALLS = ("queued", "calling", "unknown")
_RUNS = ("approved", "sending", "paused")
_WITH_STAFF = 100  # as billing/unknown_outcomes.py: somebody has it in hand
_HELD = 101  # before a person, with all others of its channel


def practices(session: Session) -> Sequence[Practice]:
    return session.scalars(select(Practice).with_for_update()).all()


def forget_leases(session: Session) -> None:
    """Leases and claims belong to processes of another time. A channel that was paused stays so."""
    session.execute(delete(Lease).where(~Lease.name.startswith("off:")))
    session.execute(update(Inbox).where(Inbox.status == "working").values(
        status="accepted", claimed_by=None, claimed_until=None))


def hold_back(session: Session, channels: Sequence[str]) -> None:
    """What waited for a channel that cannot be asked may have left since; letters of a run that was being made wait."""
    waited = or_(Outbox.status.in_(("queued", "deferred", "claimed")),
                 and_(Outbox.status == "sending", Outbox.channel == "paper"))
    session.execute(update(Outbox).where(Outbox.channel.in_(channels), waited).values(
        status="unknown", lookups=_HELD, claimed_by=None, claimed_until=None))


def distrust_messages(session: Session, backup_at: datetime) -> None:
    """Whatever else had not settled may have left a moment after the backup."""
    session.execute(update(Outbox).where(Outbox.status.in_(_MESSAGES), Outbox.lookups != _HELD).values(
        status="unknown", claimed_by=None, claimed_until=None, looked_up_at=None, lookups=0,
        attempts=func.greatest(Outbox.attempts, 1) if session.get_bind().dialect.name == "postgresql"
        else func.max(Outbox.attempts, 1),
        sending_at=func.coalesce(Outbox.sending_at, backup_at)))


def held(session: Session, practice_id: str, until: datetime) -> dict[str, int]:
    """How many messages of each channel were due by then and may have left."""
    counted = select(Outbox.channel, func.count()).where(
        Outbox.practice_id == practice_id, *_is_held(), Outbox.due_at <= until).group_by(Outbox.channel)
    return {row[0]: row[1] for row in session.execute(counted)}


def lock_held(session: Session, practice_id: str) -> Sequence[Outbox]:
    return session.scalars(select(Outbox).where(Outbox.practice_id == practice_id, *_is_held()).order_by(Outbox.id)
                           .with_for_update().options(
                               defer(Outbox.address), defer(Outbox.body), defer(Outbox.arguments))).all()


def _is_held() -> tuple[ColumnElement[bool], ...]:
    return Outbox.status == "unknown", Outbox.lookups == _HELD


def end_print_runs(session: Session) -> None:
    """Runs that were being made are made again by nobody: the mail house may have them, or never will."""
    session.execute(update(MailBatch).where(MailBatch.status.in_(("gathering", "gathered", "ready")))
                    .values(status="written"))


def take_out_of_run(session: Session, row: Outbox) -> None:
    """A letter that did not leave with its run after all; a run of which none did is no more."""
    batch = session.get(MailBatch, row.mail_batch_id) if row.mail_batch_id else None
    if batch is None:
        return
    session.execute(delete(MailLetter).where(MailLetter.outbox_id == row.id))
    row.mail_batch_id = row.provider_id = None
    batch.letters -= 1
    session.flush()
    if not batch.letters:
        session.delete(batch)


def stop_campaigns(session: Session, reason: str, now: datetime) -> None:
    """Runs that were approved or under way may have told everybody since; whom, this copy does not know."""
    begun = select(Campaign.id).where(Campaign.status.in_(_RUNS)).scalar_subquery()
    session.execute(update(CampaignRow).where(CampaignRow.campaign_id.in_(begun), CampaignRow.outcome == "waiting")
                    .values(outcome="stopped", rule="campaign-stopped", worked_at=now))
    session.execute(update(Campaign).where(Campaign.status.in_(_RUNS)).values(
        status="stopped", stopped_by="system", stop_reason=reason, ended_at=now))


def distrust_calls(session: Session, first_called_at: datetime) -> None:
    """As if first made so long ago that the processor has forgotten the key: money is looked for, never asked again."""
    session.execute(update(ProcessorCall).where(ProcessorCall.status.in_(_CALLS)).values(
        status="unknown", claimed_by=None, claimed_until=None, first_called_at=first_called_at, code=None))


def unsettled(session: Session, practice_id: str) -> int:
    messages = session.scalar(select(func.count()).where(
        Outbox.practice_id == practice_id, Outbox.status == "unknown", Outbox.lookups < _WITH_STAFF)) or 0
    calls = session.scalar(select(func.count()).where(
        ProcessorCall.practice_id == practice_id, ProcessorCall.status.in_(_CALLS))) or 0
    return messages + calls


def knows_text(session: Session, practice_id: str, provider_id: str, address_hash: str, body: str) -> bool:
    """Whether the text is one of ours: by the provider's id, or one to the same number in the same words whose outcome
    is being looked for.
    """
    if session.scalar(select(Outbox.id).where(Outbox.channel == "sms", Outbox.provider_id == provider_id)) is not None:
        return True
    looked_for = session.scalars(select(Outbox).where(
        Outbox.practice_id == practice_id, Outbox.channel == "sms", Outbox.address_hash == address_hash,
        Outbox.status == "unknown"))
    return any(" ".join(row.body.split()) == " ".join(body.split()) for row in looked_for)


def add_past_text(session: Session, practice_id: str, provider_id: str, address: str, address_hash: str, body: str,
                  sent_at: datetime, now: datetime) -> Outbox:
    """A text that left after the backup, as a demand: the most that it can have been."""
    accounts = session.scalars(select(ContactPoint.guarantor_id).where(
        ContactPoint.practice_id == practice_id, ContactPoint.channel == "sms",
        ContactPoint.address_hash == address_hash)).all()
    row = Outbox(
        id=new_id("msg"), practice_id=practice_id, channel="sms", address=address, address_hash=address_hash,
        guarantor_id=accounts[0] if len(accounts) == 1 else None, purpose="reminder", template="after_backup",
        template_version="", language="en", privacy="amounts", arguments={}, body=body, segments=1, subject="",
        status="sent", due_at=sent_at, idempotency_key=f"after_backup:{provider_id}", provider_id=provider_id,
        attempts=1, lookups=0, sequence=0, sending_at=sent_at, created_at=now)
    session.add(row)
    session.flush()
    return row
