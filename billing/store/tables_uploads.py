"""Files that were given to the console to be imported, kept sealed until they are posted or thrown away."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import Sealed, SealedJSON
from billing.store.types import Base, Code, Id, Ref


class ImportFile(Base):
    """One file with how far it has come. ``report``: what its check, and then its import, came to."""

    __tablename__ = "import_files"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    file_name: Mapped[str] = mapped_column(Sealed("import_files.file_name"))
    digest: Mapped[str]  # SHA-256 of the bytes
    size_bytes: Mapped[int]
    column_map: Mapped[Code] = mapped_column(default="")  # one of ours, by its name
    skip_bad_claims: Mapped[bool] = mapped_column(default=False)
    status: Mapped[Code]  # received, checking, checked, known, asked, posting, done, failed, dropped
    done_bytes: Mapped[int] = mapped_column(default=0)  # read so far, over both passes
    failure: Mapped[str] = mapped_column(default="")
    report: Mapped[Any | None] = mapped_column(SealedJSON("import_files.report"))
    import_id: Mapped[str | None] = mapped_column(ForeignKey("imports.id"), index=True)
    given_by: Mapped[str]
    given_at: Mapped[datetime]
    asked_by: Mapped[str | None]  # who said that it is to be posted
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    __table_args__ = (Index("ix_import_files_status", "status", "claimed_until"),
                      Index("ix_import_files_given", "practice_id", "given_at"))


class ImportPart(Base):
    """A piece of such a file, in base64; gone when nothing is left to be done with it."""

    __tablename__ = "import_parts"
    file_id: Mapped[Ref] = mapped_column(ForeignKey("import_files.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[Ref]
    content: Mapped[str] = mapped_column(Sealed("import_parts.content"))
