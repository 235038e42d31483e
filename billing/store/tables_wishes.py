"""What a person has asked of us beside consent, and what they prove themselves or us by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import Sealed
from billing.store.types import Base, Code, Hash, Id, Ref, Serial


class Preference(Base):
    """One wish about how to be reached, at one number; rows are only ever added, and the newest of a kind counts.

    ``wording`` is what the patient wrote; it is sealed, as people give reasons that nobody asked for.
    """

    __tablename__ = "preferences"
    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    guarantor_id: Mapped[str | None] = mapped_column(index=True)  # empty: of the number, whoever is behind it
    channel: Mapped[Code]
    address_hash: Mapped[Hash]
    kind: Mapped[Code]  # hours, way, confidential, telegram (billing/preferences.py)
    value: Mapped[dict[str, Any]]
    wording: Mapped[str] = mapped_column(Sealed("preferences.wording"))
    recorded_by: Mapped[str]
    message_id: Mapped[str | None]
    at: Mapped[datetime]
    __table_args__ = (Index("ix_preferences_address", "practice_id", "channel", "address_hash", "id"),)


class CheckCode(Base):
    """The short code that proves a text of ours, one for each number: on paper, in the thread, on our page."""

    __tablename__ = "check_codes"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    address_hash: Mapped[Hash]
    code: Mapped[str] = mapped_column(Sealed("check_codes.code"))
    code_hash: Mapped[Hash]
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("practice_id", "address_hash"), UniqueConstraint("practice_id", "code_hash"))


class Passcode(Base):
    """A patient's own code in place of the date of birth. Of the code only a salted, keyed digest is kept."""

    __tablename__ = "passcodes"
    guarantor_id: Mapped[Ref] = mapped_column(ForeignKey("guarantors.id"), primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    salt: Mapped[str]
    digest: Mapped[str]
    set_at: Mapped[datetime]
