"""SQL of the demo: what its page shows of one patient, and what a database holds before it starts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.ledger_queries import TransferRow, transfers_where
from billing.store.tables import (
    Campaign,
    CampaignRow,
    Case,
    ContactPoint,
    Conversation,
    Coverage,
    Guarantor,
    Hold,
    ImportRun,
    Inbox,
    Outbox,
    Payment,
    Practice,
    Transfer,
    Verdict,
    Visit,
)

MOST = 40


def practices(session: Session) -> dict[str, bool]:
    """Legal names of all practices, each with whether it is configured."""
    return {row.legal_name: row.configured for row in session.scalars(select(Practice))}


def has_imports(session: Session) -> bool:
    return session.scalar(select(ImportRun.id).limit(1)) is not None


def messages_to(session: Session, practice_id: str, hashes: Collection[str], guarantor_id: str,
                ) -> list[tuple[Outbox, list[Verdict]]]:
    """The newest messages to these addresses (billing/phones.py), and to the account by any other way: letters and
    e-mails are to nobody's telephone. Each with its verdicts in order.
    """
    theirs = Outbox.address_hash.in_(hashes) | (Outbox.guarantor_id == guarantor_id)
    rows = session.scalars(select(Outbox).where(Outbox.practice_id == practice_id, theirs)
                           .order_by(Outbox.created_at.desc(), Outbox.id.desc()).limit(MOST)).all()
    found: dict[str, list[Verdict]] = {row.id: [] for row in rows}
    for verdict in session.scalars(select(Verdict).where(Verdict.outbox_id.in_(found)).order_by(Verdict.id)):
        found[verdict.outbox_id or ""].append(verdict)
    return [(row, found[row.id]) for row in rows]


def talks_at(session: Session, practice_id: str, hashes: Collection[str]) -> dict[str, Conversation]:
    """The conversations at these addresses, by channel."""
    rows = session.scalars(select(Conversation).where(
        Conversation.practice_id == practice_id, Conversation.address_hash.in_(hashes)))
    return {row.channel: row for row in rows}


def joined_at(session: Session, practice_id: str, channel: str, hashed: str) -> bool:
    """Whether the address belongs to any account just now."""
    return session.scalar(select(ContactPoint.id).where(
        ContactPoint.practice_id == practice_id, ContactPoint.channel == channel,
        ContactPoint.address_hash == hashed, ContactPoint.status == "ok").limit(1)) is not None


def transfers_of(session: Session, guarantor_id: str) -> list[TransferRow]:
    """The newest transfers of an account's visits, oldest first."""
    visits = select(Visit.id).where(Visit.guarantor_id == guarantor_id)
    return transfers_where(session, (Transfer.visit_id.in_(visits)) | (Transfer.guarantor_id == guarantor_id))[-MOST:]


def inbox_of(session: Session, practice_id: str, lanes: Collection[str]) -> Sequence[Inbox]:
    """The newest rows of these lanes (billing/threads.py), newest first."""
    return session.scalars(select(Inbox).where(Inbox.practice_id == practice_id, Inbox.thread.in_(lanes))
                           .order_by(Inbox.id.desc()).limit(MOST)).all()


def payments_of(session: Session, guarantor_id: str) -> Sequence[str]:
    """The ids of an account's payments."""
    return session.scalars(select(Payment.id).where(Payment.guarantor_id == guarantor_id)).all()


def payers_of(session: Session, guarantor_id: str) -> dict[str, str]:
    """Coverage id to the payer's name, for every visit of an account."""
    rows = session.scalars(select(Coverage).join(Visit, Coverage.visit_id == Visit.id)
                           .where(Visit.guarantor_id == guarantor_id))
    return {row.id: row.payer_name for row in rows}


def open_holds(session: Session, guarantor_id: str) -> Sequence[Hold]:
    return session.scalars(select(Hold).where(Hold.guarantor_id == guarantor_id, Hold.released_at.is_(None))
                           .order_by(Hold.placed_at)).all()


def cases_of(session: Session, guarantor_id: str, conversation_ids: Collection[str]) -> Sequence[Case]:
    """The account's, and those that came out of these conversations before anybody had proved who they are."""
    theirs = (Case.guarantor_id == guarantor_id) | Case.conversation_id.in_(conversation_ids)
    return session.scalars(select(Case).where(theirs).order_by(Case.number.desc())).all()


@dataclass(frozen=True, slots=True)
class BulkMessage:
    """A message of a campaign, for a look at what left."""

    account: str
    guarantor_id: str
    region: str | None
    channel: str
    status: str
    provider_id: str | None
    sending_at: datetime | None


def bulk_messages(session: Session, campaign_id: str) -> list[BulkMessage]:
    """A campaign's messages in the order in which they were made, those that were cancelled among them."""
    found = session.execute(select(
        Guarantor.external, Guarantor.id, Guarantor.region, Outbox.channel, Outbox.status, Outbox.provider_id,
        Outbox.sending_at).join(Guarantor, Guarantor.id == Outbox.guarantor_id)
        .where(Outbox.campaign_id == campaign_id).order_by(Outbox.created_at, Outbox.id))
    return [BulkMessage(*row) for row in found]


def bulk_rows(session: Session, campaign_id: str) -> list[tuple[str, str, str, str]]:
    """A campaign's accounts in their order: (account, its id, outcome, rule)."""
    found = session.execute(select(Guarantor.external, Guarantor.id, CampaignRow.outcome, CampaignRow.rule)
                            .join(Guarantor, Guarantor.id == CampaignRow.guarantor_id)
                            .where(CampaignRow.campaign_id == campaign_id).order_by(CampaignRow.id))
    return [(row[0], row[1], row[2], row[3]) for row in found]


def next_moment(session: Session, practice_id: str) -> datetime | None:
    """When the next message or account of a campaign that sends waits for, late ones too; None: nothing waits."""
    rows = session.scalar(select(func.min(CampaignRow.due_at)).join(Campaign, Campaign.id == CampaignRow.campaign_id)
                          .where(CampaignRow.practice_id == practice_id, CampaignRow.outcome == "waiting",
                                 Campaign.status == "sending"))
    messages = session.scalar(select(func.min(Outbox.due_at)).where(
        Outbox.practice_id == practice_id, Outbox.status == "deferred"))
    return min((at for at in (rows, messages) if at is not None), default=None)
