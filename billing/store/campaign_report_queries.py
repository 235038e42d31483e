"""SQL of what became of a campaign's accounts: read in sets of a few hundred, joined here and not in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.ledger_queries import chunks
from billing.store.tables import Campaign, CampaignRow, Consent, Guarantor, Inbox, Outbox, Transfer, Verdict
from billing.threads import of_hash

SET = 300


@dataclass(frozen=True, slots=True)
class Told:
    """A row of the run with its message and what followed."""

    account: str
    guarantor_id: str
    outcome: str
    rule: str
    reason: str
    due_minor: int
    worked_at: datetime | None
    outbox_id: str
    channel: str
    status: str
    passed: str
    sending_at: datetime | None
    settled_at: datetime | None
    error_code: str
    segments: int
    verdict_rule: str
    verdict_reason: str
    replies: int
    opted_out: bool
    paid_minor: int
    paid_between_minor: int


@dataclass(frozen=True, slots=True)
class _Set:
    """What one set of rows needs, by message, lane, address or account."""

    messages: dict[str, Outbox]
    numbers: dict[str, str]
    verdicts: dict[str, Verdict]
    inbound: dict[str, list[datetime]]
    opt_outs: dict[str, list[datetime]]
    payments: dict[str, list[tuple[datetime, int]]]


def parts(session: Session, campaign_id: str) -> Iterator[Sequence[CampaignRow]]:
    """The rows in their order, a set at a time."""
    after = 0
    while found := session.scalars(select(CampaignRow).where(
            CampaignRow.campaign_id == campaign_id, CampaignRow.id > after).order_by(CampaignRow.id).limit(SET)).all():
        yield found
        after = found[-1].id


def tell(session: Session, campaign: Campaign, rows: Sequence[CampaignRow], within: timedelta) -> list[Told]:
    """One set of rows with all that belongs to each; ``within`` so long after its message things are counted."""
    known = _set(session, campaign, rows)
    return [_told(campaign, row, known, within) for row in rows]


def _set(session: Session, campaign: Campaign, rows: Sequence[CampaignRow]) -> _Set:
    since = campaign.started_at or campaign.created_at
    outbox_ids = [row.outbox_id for row in rows if row.outbox_id]
    people = [row.guarantor_id for row in rows]
    messages = {one.id: one for part in chunks(outbox_ids) for one in session.scalars(
        select(Outbox).where(Outbox.id.in_(part)))}
    numbers = {one: number for part in chunks(people) for one, number in session.execute(
        select(Guarantor.id, Guarantor.external).where(Guarantor.id.in_(part)))}
    return _Set(messages, numbers, _verdicts(session, outbox_ids), _inbound(session, messages, since),
                _opt_outs(session, campaign.practice_id, messages, since), _payments(session, people, since))


def _verdicts(session: Session, outbox_ids: Sequence[str]) -> dict[str, Verdict]:
    newest = [number for part in chunks(outbox_ids) for number in session.scalars(
        select(func.max(Verdict.id)).where(Verdict.outbox_id.in_(part)).group_by(Verdict.outbox_id))]
    return {one.outbox_id or "": one for part in chunks(newest) for one in session.scalars(
        select(Verdict).where(Verdict.id.in_(part)))}


def _lane(message: Outbox) -> str:
    return of_hash(message.practice_id, message.channel, message.address_hash)


def _inbound(session: Session, messages: dict[str, Outbox], since: datetime) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = defaultdict(list)
    for part in chunks({_lane(one) for one in messages.values()}):
        for lane, at in session.execute(select(Inbox.thread, Inbox.received_at).where(
                Inbox.thread.in_(part), Inbox.kind == "message", Inbox.received_at >= since)):
            found[lane].append(at)
    return found


def _opt_outs(session: Session, practice_id: str, messages: dict[str, Outbox], since: datetime,
              ) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = defaultdict(list)
    for part in chunks({one.address_hash for one in messages.values()}):
        for hashed, at in session.execute(select(Consent.address_hash, Consent.at).where(
                Consent.practice_id == practice_id, Consent.address_hash.in_(part), Consent.event == "revoked",
                Consent.purpose == "texts", Consent.at >= since)):
            found[hashed].append(at)
    return found


def _payments(session: Session, guarantor_ids: Sequence[str], since: datetime,
              ) -> dict[str, list[tuple[datetime, int]]]:
    """Patients' money as posted since then, whichever way it came."""
    found: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for part in chunks(guarantor_ids):
        for owner, at, minor in session.execute(select(
                Transfer.guarantor_id, Transfer.posted_at, Transfer.amount_minor).where(
                Transfer.guarantor_id.in_(part), Transfer.code == "patient_payment", Transfer.posted_at >= since)):
            found[str(owner)].append((at, int(minor)))
    return found


def _told(campaign: Campaign, row: CampaignRow, known: _Set, within: timedelta) -> Told:
    message, verdict = known.messages.get(row.outbox_id or ""), known.verdicts.get(row.outbox_id or "")
    at = message.sending_at if message is not None else None
    paid = known.payments.get(row.guarantor_id, [])
    turn = at or (message.settled_at if message is not None else None) or row.worked_at
    between = sum(minor for paid_at, minor in paid if turn is not None and paid_at <= turn)
    replies, opted_out, after = 0, False, 0
    if message is not None and at is not None:
        replies = sum(at < one <= at + within for one in known.inbound.get(_lane(message), []))
        opted_out = any(at < one <= at + within for one in known.opt_outs.get(message.address_hash, []))
        after = sum(minor for paid_at, minor in paid if at < paid_at <= at + within)
    return Told(
        known.numbers.get(row.guarantor_id, ""), row.guarantor_id, row.outcome, row.rule, row.reason, row.due_minor,
        row.worked_at, row.outbox_id or "", message.channel if message else "", message.status if message else "",
        _passed(message), at, message.settled_at if message else None, (message.error_code or "") if message else "",
        message.segments if message else 0, verdict.rule if verdict else "", verdict.reason if verdict else "",
        replies, opted_out, after, between)


def _passed(message: Outbox | None) -> str:
    """``email: no_address; ...``: each way before the one taken, and why."""
    passed = (getattr(message, "passed", None) if message is not None else None) or []
    return "; ".join(f"{way}: {why}" for way, why in passed)
