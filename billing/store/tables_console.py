"""The console's own rows: how staff prove who they are, and what they note about threads and words."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from billing.store.seal import Sealed
from billing.store.types import Base, Code, Hash, Id, Ref


class Credential(Base):
    """What one person signs in with. Without ``password_hash`` nobody has accepted the invitation yet."""

    __tablename__ = "credentials"
    staff_id: Mapped[Ref] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    password_hash: Mapped[str | None]  # Argon2id
    totp_secret: Mapped[str] = mapped_column(Sealed("credentials.totp_secret"))
    totp_step: Mapped[int] = mapped_column(default=0)  # of the last code taken: each is good once
    failures: Mapped[int] = mapped_column(default=0)  # since the last success
    locked_until: Mapped[datetime | None]
    invite_hash: Mapped[str | None]
    invite_until: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("invite_hash"),)


class SignIn(Base):
    """One browser, signed in. ``stage`` password: the second factor is still to come; nothing is shown meanwhile."""

    __tablename__ = "sign_ins"
    token_hash: Mapped[Hash] = mapped_column(primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    staff_id: Mapped[Ref] = mapped_column(ForeignKey("staff.id"), index=True)
    stage: Mapped[Code]  # password, full
    csrf: Mapped[str]
    browser: Mapped[str]  # what it calls itself, for the person's own list
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]  # self, idle, revoked, rotated, locked
    challenge: Mapped[str | None]  # what a passkey is to sign, once: the second step, or one that is being added
    challenged_at: Mapped[datetime | None]


class Passkey(Base):
    """A passkey or security key that somebody added. What it keeps of the key is public; the secret is in the key."""

    __tablename__ = "passkeys"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    staff_id: Mapped[Ref] = mapped_column(ForeignKey("staff.id"), index=True)
    credential_id: Mapped[str]  # as the key calls itself, in base64url
    public_key: Mapped[str]  # COSE, in base64url
    sign_count: Mapped[int] = mapped_column(BigInteger)  # of 32 bits without a sign: more than an Integer holds
    name: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("credential_id"),)


class ApiKey(Base):
    """Another program of the practice's, with a role of its own."""

    __tablename__ = "api_keys"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    name: Mapped[str]
    role: Mapped[Code]
    key_hash: Mapped[Hash]
    tail: Mapped[Code]  # its last four characters, to tell keys apart
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    __table_args__ = (UniqueConstraint("key_hash"), UniqueConstraint("practice_id", "name"))


class ThreadCare(Base):
    """Who looks after a conversation. ``taken_at`` set: a person answers and the bot keeps still until handed back."""

    __tablename__ = "thread_care"
    conversation_id: Mapped[Ref] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    owner: Mapped[str | None]  # login
    taken_by: Mapped[str | None]
    taken_at: Mapped[datetime | None]
    waiting_since: Mapped[datetime | None]  # of the oldest text that a person has still to answer
    version: Mapped[int] = mapped_column(default=0)
    __table_args__ = (Index("ix_thread_care_waiting", "practice_id", "waiting_since"),)


class ThreadNote(Base):
    """A word among colleagues; the patient never sees it."""

    __tablename__ = "thread_notes"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    conversation_id: Mapped[Ref] = mapped_column(ForeignKey("conversations.id"), index=True)
    by: Mapped[str]
    body: Mapped[str] = mapped_column(Sealed("thread_notes.body"))
    at: Mapped[datetime]


class Presence(Base):
    """Who has a thread open, and who is typing; forgotten when it grows old."""

    __tablename__ = "presences"
    conversation_id: Mapped[Ref] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    login: Mapped[Code] = mapped_column(primary_key=True)
    practice_id: Mapped[Ref]
    reading_at: Mapped[datetime]
    typing_at: Mapped[datetime | None]


class CannedReply(Base):
    """Words that stand ready. Placeholders are those of billing/canned.py, filled before anybody sends."""

    __tablename__ = "canned_replies"
    id: Mapped[Id]
    practice_id: Mapped[Ref] = mapped_column(ForeignKey("practices.id"))
    name: Mapped[str]
    language: Mapped[Code]
    words: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("practice_id", "name", "language"),)
