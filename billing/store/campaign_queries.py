"""SQL of campaigns: their state as committed, their rows in sets, and how far their messages have come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from billing.message_life import MAY_HAVE_LEFT
from billing.store.ledger_queries import chunks
from billing.store.segment_queries import chosen
from billing.store.tables import (
    Campaign,
    CampaignRow,
    ContactPoint,
    DeliveryTrouble,
    Guarantor,
    Outbox,
    Segment,
    Statement,
    Verdict,
)

if TYPE_CHECKING:
    from billing.segments import Filters

#: Outbox states of what has not begun to leave.
UNSENT = ("queued", "deferred", "claimed")

#: And of what is not settled either.
ON_THE_WAY = (*UNSENT, "sending")


@dataclass(frozen=True, slots=True)
class Place:
    """What an account's hours are derived from."""

    zone: str | None
    region: str | None
    postal_code: str | None
    phone: str | None
    carrier: str = ""


def add(session: Session, row: Campaign) -> None:
    session.add(row)
    session.flush()


def find(session: Session, practice_id: str, ref: str) -> Campaign | None:
    wanted = [Campaign.id == ref, Campaign.name == ref]
    if ref.isascii() and ref.isdigit() and len(ref) < 10:
        wanted.append(Campaign.number == int(ref))
    return session.scalars(select(Campaign).where(Campaign.practice_id == practice_id, or_(*wanted)).order_by(
        case((Campaign.name == ref, 1), else_=0), Campaign.number.desc()).limit(1)).first()


def every(session: Session, practice_id: str) -> Sequence[Campaign]:
    return session.scalars(select(Campaign).where(Campaign.practice_id == practice_id)
                           .order_by(Campaign.number.desc())).all()


def sending(session: Session, now: datetime) -> Sequence[Campaign]:
    """Runs of every practice that send, the oldest first."""
    begun = or_(Campaign.not_before_at.is_(None), Campaign.not_before_at <= now)
    return session.scalars(select(Campaign).where(Campaign.status == "sending", begun)
                           .order_by(Campaign.started_at, Campaign.id)).all()


def lock(session: Session, campaign_id: str) -> Campaign | None:
    return session.scalar(select(Campaign).where(Campaign.id == campaign_id).with_for_update()
                          .execution_options(populate_existing=True))


def fresh(session: Session, campaign_id: str) -> Campaign:
    """The run as committed in this moment, whatever this session has read before."""
    return session.get_one(Campaign, campaign_id, populate_existing=True)


def status_of(session: Session, campaign_id: str) -> str:
    return session.scalar(select(Campaign.status).where(Campaign.id == campaign_id)) or ""


def lay_out(session: Session, campaign: Campaign, segment: Segment, filters: Filters, today: date,
            due_at: datetime) -> int:
    """One row for each member, in one statement; return how many the campaign has."""
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    members = chosen(segment, filters, today).add_columns(
        literal(campaign.practice_id), literal(campaign.id), literal("waiting"), literal(""), literal(""), literal(0),
        literal(due_at, CampaignRow.due_at.type))
    columns = ["guarantor_id", "practice_id", "campaign_id", "outcome", "rule", "reason", "due_minor", "due_at"]
    session.execute(make(CampaignRow).from_select(columns, members).on_conflict_do_nothing(
        index_elements=["campaign_id", "guarantor_id"]))
    return session.scalar(select(func.count()).select_from(CampaignRow).where(
        CampaignRow.campaign_id == campaign.id)) or 0


def due(session: Session, campaign_id: str, now: datetime, limit: int) -> Sequence[int]:
    """Waiting rows whose time has come, in account order within their time."""
    return session.scalars(select(CampaignRow.id).where(
        CampaignRow.campaign_id == campaign_id, CampaignRow.outcome == "waiting", CampaignRow.due_at <= now)
        .order_by(CampaignRow.due_at, CampaignRow.id).limit(limit)).all()


def lock_row(session: Session, row_id: int) -> CampaignRow | None:
    return session.scalar(select(CampaignRow).where(CampaignRow.id == row_id)
                          .with_for_update(skip_locked=True).execution_options(populate_existing=True))


def ahead(session: Session, campaign_id: str, until: datetime) -> int:
    """Messages of the run that wait to leave by ``until``, or for a carrier's cap however long."""
    for_a_cap = exists().where(Verdict.outbox_id == Outbox.id, Verdict.rule == "T-16",
                               Verdict.until_at == Outbox.due_at)
    return session.scalar(select(func.count()).select_from(Outbox).where(
        Outbox.campaign_id == campaign_id, Outbox.channel != "paper", or_(
            Outbox.status.in_(("queued", "claimed")),
            and_(Outbox.status == "deferred", or_(Outbox.due_at <= until, for_a_cap))))) or 0


def waiting(session: Session, campaign_id: str) -> bool:
    return session.scalar(select(CampaignRow.id).where(
        CampaignRow.campaign_id == campaign_id, CampaignRow.outcome == "waiting").limit(1)) is not None


def on_the_way(session: Session, campaign_id: str) -> bool:
    """Whether a message is still to leave. Letters that wait for their print run do not keep a campaign open."""
    return session.scalar(select(Outbox.id).where(
        Outbox.campaign_id == campaign_id, Outbox.status.in_(ON_THE_WAY), Outbox.channel != "paper")
        .limit(1)) is not None


def stop_waiting(session: Session, campaign_id: str, now: datetime) -> int:
    """Stop every account that waits; return how many."""
    changed = session.scalars(update(CampaignRow).where(
        CampaignRow.campaign_id == campaign_id, CampaignRow.outcome == "waiting")
        .values(outcome="stopped", rule="campaign-stopped", worked_at=now).returning(CampaignRow.id))
    return len(changed.all())


def unsent_messages(session: Session, campaign_id: str) -> Sequence[str]:
    return session.scalars(_unsent(campaign_id)).all()


def _unsent(campaign_id: str) -> Select[str]:
    return select(Outbox.id).where(Outbox.campaign_id == campaign_id, Outbox.status.in_(UNSENT)).order_by(Outbox.id)


def wake_put_off(session: Session, campaign_id: str, rule: str, now: datetime) -> int:
    """What was last put off by this rule is due at once; return how many. A worker that judges one of the messages in
    this moment is waited for.
    """
    session.execute(_unsent(campaign_id).with_for_update()).all()
    by_rule = exists().where(Verdict.outbox_id == Outbox.id, Verdict.rule == rule, Verdict.until_at == Outbox.due_at)
    return len(session.scalars(update(Outbox).where(
        Outbox.campaign_id == campaign_id, Outbox.status == "deferred", by_rule)
        .values(due_at=now).returning(Outbox.id)).all())


def place_of(session: Session, guarantor_id: str) -> Place | None:
    found = session.execute(select(Guarantor.zone, Guarantor.region, Guarantor.postal_code).where(
        Guarantor.id == guarantor_id)).one_or_none()
    if found is None:
        return None
    phone = session.execute(select(ContactPoint.address, ContactPoint.carrier).where(
        ContactPoint.guarantor_id == guarantor_id, ContactPoint.channel == "sms", ContactPoint.status == "ok")
        .order_by(ContactPoint.created_at, ContactPoint.id).limit(1)).one_or_none()
    return Place(found.zone, found.region, found.postal_code, phone.address if phone else None,
                 phone.carrier if phone else "")


def moved_rows(session: Session, campaign_id: str, most_tries: int = 5) -> Sequence[CampaignRow]:
    """Rows whose newest message was cancelled, before it left, because the balance had moved."""
    newest, other = aliased(Verdict), aliased(Outbox)
    verdict = select(func.max(newest.id)).where(newest.outbox_id == CampaignRow.outbox_id).correlate(
        CampaignRow).scalar_subquery()
    tries = select(func.count(other.id)).where(
        other.campaign_id == campaign_id, other.guarantor_id == CampaignRow.guarantor_id).correlate(
        CampaignRow).scalar_subquery()
    return session.scalars(select(CampaignRow).join(Outbox, Outbox.id == CampaignRow.outbox_id).join(
        Verdict, Verdict.id == verdict).where(
        CampaignRow.campaign_id == campaign_id, CampaignRow.outcome == "queued", Outbox.status == "cancelled",
        Verdict.rule == "balance-moved", tries < most_tries).with_for_update(of=CampaignRow)).all()


def statuses_of(session: Session, campaign_id: str, guarantor_id: str) -> Sequence[str]:
    """Of every message of the run to one account."""
    return session.scalars(select(Outbox.status).where(
        Outbox.campaign_id == campaign_id, Outbox.guarantor_id == guarantor_id)).all()


def standing_statement() -> ColumnElement[bool]:
    """The condition on guarantors that a statement of theirs is not known to have failed: some message about it left,
    or it was handed over without one; and nothing came back.
    """
    told = exists().where(Outbox.guarantor_id == Statement.guarantor_id, Outbox.statement_id == Statement.id,
                          Outbox.purpose == "statement")
    left = exists().where(Outbox.guarantor_id == Statement.guarantor_id, Outbox.statement_id == Statement.id,
                          Outbox.purpose == "statement", Outbox.status.in_(MAY_HAVE_LEFT))
    trouble = exists().where(DeliveryTrouble.guarantor_id == Statement.guarantor_id,
                             DeliveryTrouble.statement_id == Statement.id)
    return exists().where(Statement.guarantor_id == Guarantor.id, or_(~told, left), ~trouble)


def statement_stands(session: Session, guarantor_id: str) -> bool:
    return session.scalar(select(Guarantor.id).where(
        Guarantor.id == guarantor_id, standing_statement())) is not None


def with_statement(session: Session, guarantor_ids: Sequence[str]) -> Sequence[str]:
    """Those of the accounts that a reminder may follow a statement to."""
    return session.scalars(select(Guarantor.id).where(Guarantor.id.in_(guarantor_ids), standing_statement())).all()


def counts(session: Session, campaign_id: str) -> dict[str, int]:
    """Accounts by what became of their rows."""
    found = session.execute(select(CampaignRow.outcome, func.count()).where(CampaignRow.campaign_id == campaign_id)
                            .group_by(CampaignRow.outcome).order_by(CampaignRow.outcome))
    return {outcome: int(number) for outcome, number in found}


def message_counts(session: Session, campaign_id: str) -> dict[str, int]:
    """Messages by their state."""
    found = session.execute(select(Outbox.status, func.count()).where(Outbox.campaign_id == campaign_id)
                            .group_by(Outbox.status).order_by(Outbox.status))
    return {status: int(number) for status, number in found}


def next_turn(session: Session, campaign_id: str) -> datetime | None:
    """When the next account's turn is, of those that wait."""
    return session.scalar(select(func.min(CampaignRow.due_at)).where(
        CampaignRow.campaign_id == campaign_id, CampaignRow.outcome == "waiting"))


def account_numbers(session: Session, guarantor_ids: Sequence[str]) -> list[str]:
    """The practice's own numbers of these accounts, in their order."""
    found = {one: number for part in chunks(guarantor_ids) for one, number in session.execute(
        select(Guarantor.id, Guarantor.external).where(Guarantor.id.in_(part)))}
    return [found[one] for one in guarantor_ids if one in found]
