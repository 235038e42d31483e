"""What the console asks for and looks at later: long looks at campaigns, and changes of the practice's policy."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import SealedJSON
from billing.store.types import Base, Code, Id, Ref, Serial


class CampaignLook(Base):
    """A preview or a simulation that somebody asked for: worked by the scheduler, followed by the page. ``change`` is
    what a simulation supposes; ``result`` has counts and amounts alone; ``samples`` are rendered with real amounts.
    """

    __tablename__ = "campaign_looks"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    campaign_id: Mapped[Ref] = mapped_column(ForeignKey("campaigns.id"))
    kind: Mapped[Code]  # preview, simulation
    status: Mapped[Code]  # waiting, running, done, failed
    change: Mapped[dict[str, Any]]
    accounts: Mapped[int] = mapped_column(default=0)  # in the segment when it began
    judged: Mapped[int] = mapped_column(default=0)  # of them so far
    result: Mapped[dict[str, Any] | None]
    samples: Mapped[Any] = mapped_column(SealedJSON("campaign_looks.samples"), nullable=True)
    told: Mapped[str] = mapped_column(default="")  # why it failed, for people
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    worker: Mapped[str] = mapped_column(default="")
    beat_at: Mapped[datetime | None]  # the worker's last sign of life
    ended_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_campaign_looks_campaign", "campaign_id", "kind", "asked_at"),
                      Index("ix_campaign_looks_status", "status", "asked_at"))


class CampaignLookList(Base):
    """Who is in one group of a look, in pages: ids of accounts in the order of the run."""

    __tablename__ = "campaign_look_lists"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref]
    look_id: Mapped[Ref] = mapped_column(ForeignKey("campaign_looks.id"))
    outcome: Mapped[Code]
    rule: Mapped[Code]
    page: Mapped[int]
    ids: Mapped[list[Any]]
    __table_args__ = (UniqueConstraint("look_id", "outcome", "rule", "page"),)


class PolicyChange(Base):
    """One version of the practice's policy: proposed, approved, in force from its day; never changed afterwards.

    ``settings`` is the whole policy as proposed, ``base`` the one it was proposed upon, ``diff`` what differs by field:
    {"field", "old", "new"}.
    """

    __tablename__ = "policy_changes"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    number: Mapped[int]
    status: Mapped[Code]  # asked, approved, in_force, refused, stale
    origin: Mapped[Code]  # console, file
    settings: Mapped[dict[str, Any]]
    base: Mapped[dict[str, Any]]
    diff: Mapped[list[Any]]
    reason: Mapped[str]
    starts_on: Mapped[date]  # practice-local
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    approved_how: Mapped[str] = mapped_column(default="")
    refused_by: Mapped[str | None]
    refused_at: Mapped[datetime | None]
    refused_why: Mapped[str] = mapped_column(default="")
    in_force_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("practice_id", "number"),
                      Index("ix_policy_changes_status", "status", "starts_on"))
