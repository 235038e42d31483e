"""What becomes of bills that stay unpaid: assistance, offers, write-offs, placement; and what was taken over."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import Sealed, SealedJSON
from billing.store.types import Base, Code, Id, Minor, Ref, Serial


class AssistanceApplication(Base):
    """An application for financial assistance; ``status`` changes only by billing/assistance.py's table."""

    __tablename__ = "assistance_applications"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    number: Mapped[int]
    status: Mapped[Code]  # asked, received, incomplete, approved, denied, appealed, withdrawn
    asked_on: Mapped[date]
    received_on: Mapped[date | None]
    complete_by_on: Mapped[date | None]
    decide_by_on: Mapped[date | None]
    appeal_by_on: Mapped[date | None]
    household: Mapped[Any] = mapped_column(SealedJSON("assistance_applications.household"))  # given on paper or page
    missing: Mapped[list[Any]]  # codes of what is not there yet
    discount_percent: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Sealed("assistance_applications.reason"))
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    forgiven_minor: Mapped[Minor] = mapped_column(default=0)
    refund_minor: Mapped[Minor] = mapped_column(default=0)
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "number"),)


class Offer(Base):
    """An offer to settle for less, inside the practice's written policy (T-58); paid by then, or gone."""

    __tablename__ = "settlement_offers"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    kind: Mapped[Code]  # prompt_pay, past_due
    status: Mapped[Code]  # offered, paid, lapsed, withdrawn
    visits: Mapped[list[Any]]  # [[visit id, owed_minor], ...]
    owed_minor: Mapped[Minor]
    pay_minor: Mapped[Minor]
    balance_version: Mapped[int]
    policy_on: Mapped[date]
    until_on: Mapped[date]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (CheckConstraint("pay_minor > 0 AND pay_minor <= owed_minor", name="less_is_paid"),)


class WriteOff(Base):
    """A request to write something off, and its approval by somebody else. Posted once."""

    __tablename__ = "write_offs"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    kind: Mapped[Code]  # small_balance, bad_debt, charity, administrative
    status: Mapped[Code]  # asked, approved, refused, taken_back
    visits: Mapped[list[Any]]  # [[visit id, amount_minor], ...]
    amount_minor: Mapped[Minor]
    balance_version: Mapped[int]
    reason: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class Placement(Base):
    """A visit's debt at an agency; ``status`` changes only by billing/placements.py's table."""

    __tablename__ = "placements"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    visit_id: Mapped[Ref] = mapped_column(ForeignKey("visits.id"), index=True)
    agency: Mapped[Code]
    status: Mapped[Code]  # proposed, approved, placed, recalled, paid, closed, refused
    amount_minor: Mapped[Minor]
    balance_version: Mapped[int]
    left_minor: Mapped[Minor] = mapped_column(default=0)  # of it still at the agency
    collected_minor: Mapped[Minor] = mapped_column(default=0)  # by the agency
    fee_minor: Mapped[Minor] = mapped_column(default=0)
    hold_id: Mapped[str | None]
    file_id: Mapped[str | None] = mapped_column(index=True)  # the file that it left with
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    placed_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    end_reason: Mapped[str] = mapped_column(default="")


class PlacementFile(Base):
    """A file to or from an agency, numbered; written whole or again, taken in once. ``file_name`` empty: not on the
    disk yet. ``content``: the rows of a file out, as they were gathered; it never changes.
    """

    __tablename__ = "placement_files"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    agency: Mapped[Code]
    direction: Mapped[Code]  # out, in
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(default="")
    file_name: Mapped[str] = mapped_column(default="")
    rows: Mapped[int]
    amount_minor: Mapped[Minor]
    content: Mapped[Any] = mapped_column(SealedJSON("placement_files.content"))
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "agency", "direction", "number"),)


class PlacementEvent(Base):
    """Something that happened to a placement and that one side tells the other. ``file_id``: the file that told of it;
    empty: the next file out does. ``reference``: the agency's own of what it reports, taken in once; of ours the id.
    """

    __tablename__ = "placement_events"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    placement_id: Mapped[Ref] = mapped_column(ForeignKey("placements.id"), index=True)
    agency: Mapped[Code]
    kind: Mapped[Code]  # placed, paid_here, reduced, recalled, suspended, resumed; agency_paid, agency_closed
    amount_minor: Mapped[Minor]
    fee_minor: Mapped[Minor] = mapped_column(default=0)
    happened_on: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
    reference: Mapped[str]
    file_id: Mapped[str | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "agency", "reference"),)


class OpeningVisit(Base):
    """What the former system said of a visit that was taken over: its age, its step, its standing."""

    __tablename__ = "opening_visits"
    visit_id: Mapped[Ref] = mapped_column(ForeignKey("visits.id"), primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"), index=True)
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), index=True)
    import_id: Mapped[Ref] = mapped_column(ForeignKey("imports.id"))
    line: Mapped[int]
    balance_minor: Mapped[Minor]
    step: Mapped[str] = mapped_column(default="")  # of the dunning schedule that was last sent
    standing: Mapped[Code] = mapped_column(default="")  # agency, litigation, bankruptcy ... as handed over
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]


class ReportRun(Base):
    """A report that was made, for the trail: figures alone."""

    __tablename__ = "report_runs"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    name: Mapped[Code]
    from_on: Mapped[date]
    to_on: Mapped[date]
    figures: Mapped[dict[str, Any]]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    __table_args__ = (Index("ix_report_runs", "practice_id", "name", "made_at"),)
