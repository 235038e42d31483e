"""SQL of letters: what waits for a print run, what each run holds, and which letter a number on paper means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session, defer

from billing.store.tables import MailBatch, MailLetter, Outbox, Verdict


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter of a run with all that its file is made of."""

    outbox_id: str
    position: int
    body: str
    language: str
    purpose: str
    statement_id: str | None
    content: dict[str, Any]


def waiting(session: Session, practice_id: str, now: datetime, after_id: str, limit: int) -> list[str]:
    """Ids of letters whose time has come, in the order of their ids."""
    due = or_(Outbox.status == "queued", Outbox.status == "deferred")
    return list(session.scalars(select(Outbox.id).where(
        Outbox.practice_id == practice_id, Outbox.channel == "paper", due, Outbox.due_at <= now,
        Outbox.id > after_id).order_by(Outbox.id).limit(limit)))


def count_waiting(session: Session, practice_id: str) -> int:
    """Letters that no run has taken yet, whether their time has come or not."""
    return session.scalar(select(func.count()).select_from(Outbox).where(
        Outbox.practice_id == practice_id, Outbox.channel == "paper",
        Outbox.status.in_(("queued", "deferred")))) or 0


def batches(session: Session, practice_id: str) -> Sequence[MailBatch]:
    """Oldest first."""
    return session.scalars(select(MailBatch).where(MailBatch.practice_id == practice_id)
                           .order_by(MailBatch.number)).all()


def batch(session: Session, practice_id: str, number: int, *, lock: bool = False) -> MailBatch | None:
    query = select(MailBatch).where(MailBatch.practice_id == practice_id, MailBatch.number == number)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def open_batch(session: Session, practice_id: str) -> MailBatch | None:
    """The run that is being gathered, if one is."""
    return session.scalars(select(MailBatch).where(
        MailBatch.practice_id == practice_id, MailBatch.status == "gathering").with_for_update()).one_or_none()


def begun(session: Session, practice_id: str) -> Sequence[MailBatch]:
    """Runs that nothing of can have left yet, newest first."""
    return session.scalars(select(MailBatch).where(
        MailBatch.practice_id == practice_id, MailBatch.status.in_(("gathering", "gathered")))
        .order_by(MailBatch.number.desc()).with_for_update()).all()


def lock_letters(session: Session, batch_id: str) -> Sequence[Outbox]:
    """The letters of a run that is not ready yet, in the order of their ids."""
    return session.scalars(select(Outbox).where(Outbox.mail_batch_id == batch_id, Outbox.status == "sending")
                           .order_by(Outbox.id).with_for_update()
                           .options(defer(Outbox.address), defer(Outbox.body), defer(Outbox.arguments))).all()


def forget(session: Session, batch: MailBatch) -> None:
    """Take a run and its letters' places away."""
    session.flush()
    session.execute(delete(MailLetter).where(MailLetter.batch_id == batch.id))
    session.delete(batch)
    session.flush()


def letters(session: Session, batch_id: str) -> list[LetterRow]:
    rows = session.execute(select(Outbox, MailLetter).join(MailLetter, MailLetter.outbox_id == Outbox.id)
                           .where(MailLetter.batch_id == batch_id).order_by(MailLetter.position))
    return [LetterRow(row.id, letter.position, row.body, row.language, row.purpose, row.statement_id,
                      dict(letter.content)) for row, letter in rows]


def letter_at(session: Session, practice_id: str, number: int, position: int) -> str | None:
    """The id of the letter that carries this number on its paper."""
    return session.scalars(
        select(MailLetter.outbox_id).join(MailBatch, MailBatch.id == MailLetter.batch_id)
        .where(MailBatch.practice_id == practice_id, MailBatch.number == number,
               MailLetter.position == position)).one_or_none()


def last_rule(session: Session, outbox_id: str) -> str:
    return session.scalar(select(Verdict.rule).where(Verdict.outbox_id == outbox_id).order_by(Verdict.id.desc())
                          .limit(1)) or ""
