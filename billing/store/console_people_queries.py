"""SQL of the console's lists of people and of the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing.store.tables import Audit, Credential, SignIn, Staff


def people(session: Session, practice_id: str) -> Sequence[tuple[Staff, Credential | None]]:
    rows = session.execute(select(Staff, Credential).outerjoin(Credential, Credential.staff_id == Staff.id)
                           .where(Staff.practice_id == practice_id).order_by(Staff.active.desc(), Staff.login))
    return [(row[0], row[1]) for row in rows]


def last_seen(session: Session, practice_id: str) -> dict[str, datetime]:
    """When each person was last signed in, by their id."""
    rows = session.execute(select(SignIn.staff_id, func.max(SignIn.seen_at)).where(
        SignIn.practice_id == practice_id, SignIn.stage == "full").group_by(SignIn.staff_id))
    return {row[0]: row[1] for row in rows}


def person(session: Session, practice_id: str, staff_id: str) -> Staff | None:
    return session.scalar(select(Staff).where(Staff.practice_id == practice_id, Staff.id == staff_id))


def trail(session: Session, practice_id: str, *, actor: str, action: str, object_id: str, before: int | None,
          since: datetime | None, until: datetime | None, most: int) -> Sequence[Audit]:
    """The newest entries first; ``before`` is the id that the last page ended with."""
    wanted = select(Audit).where(Audit.practice_id == practice_id).order_by(Audit.id.desc()).limit(most)
    if actor:
        wanted = wanted.where(Audit.actor == actor)
    if action:
        wanted = wanted.where(Audit.action == action)
    if object_id:
        wanted = wanted.where(Audit.object_id == object_id)
    if before is not None:
        wanted = wanted.where(Audit.id < before)
    if since is not None:
        wanted = wanted.where(Audit.at >= since)
    if until is not None:
        wanted = wanted.where(Audit.at < until)
    return session.scalars(wanted).all()


def actions(session: Session, practice_id: str) -> Sequence[str]:
    return session.scalars(select(Audit.action).where(Audit.practice_id == practice_id).distinct()
                           .order_by(Audit.action)).all()
