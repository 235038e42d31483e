"""SQL of long looks at campaigns: asking, claiming, how far they are, and their lists in pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from billing.store.tables import CampaignLook, CampaignLookList


def add(session: Session, row: CampaignLook) -> None:
    session.add(row)
    session.flush()


def newest(session: Session, campaign_id: str, kind: str) -> CampaignLook | None:
    return session.scalars(select(CampaignLook).where(
        CampaignLook.campaign_id == campaign_id, CampaignLook.kind == kind)
        .order_by(CampaignLook.asked_at.desc(), CampaignLook.id.desc()).limit(1)).first()


def find(session: Session, practice_id: str, look_id: str) -> CampaignLook | None:
    return session.scalar(select(CampaignLook).where(CampaignLook.practice_id == practice_id,
                                                     CampaignLook.id == look_id))


def open_ones(session: Session, campaign_id: str, kind: str) -> Sequence[CampaignLook]:
    return session.scalars(select(CampaignLook).where(
        CampaignLook.campaign_id == campaign_id, CampaignLook.kind == kind,
        CampaignLook.status.in_(("waiting", "running"))).with_for_update()).all()


def next_free(session: Session, silent_since: datetime) -> CampaignLook | None:
    """The oldest that nobody works on, or whose worker has given no sign of life since then."""
    return session.scalars(select(CampaignLook).where(or_(
        CampaignLook.status == "waiting",
        (CampaignLook.status == "running") & (CampaignLook.beat_at < silent_since)))
        .order_by(CampaignLook.asked_at, CampaignLook.id).limit(1)
        .with_for_update(skip_locked=True).execution_options(populate_existing=True)).first()


def lock(session: Session, look_id: str) -> CampaignLook | None:
    return session.scalar(select(CampaignLook).where(CampaignLook.id == look_id).with_for_update()
                          .execution_options(populate_existing=True))


def beat(session: Session, look_id: str, worker: str, judged: int, now: datetime) -> bool:
    """Note how far it is; False when it is this worker's no more."""
    changed = session.scalars(update(CampaignLook).where(
        CampaignLook.id == look_id, CampaignLook.worker == worker, CampaignLook.status == "running")
        .values(judged=judged, beat_at=now).returning(CampaignLook.id))
    return changed.first() is not None


def forget_lists(session: Session, campaign_id: str, kind: str) -> None:
    """The lists and samples of every look of this kind: a newer one takes their place."""
    session.execute(update(CampaignLook).where(
        CampaignLook.campaign_id == campaign_id, CampaignLook.kind == kind, CampaignLook.status == "done")
        .values(samples=None))
    session.execute(delete(CampaignLookList).where(CampaignLookList.look_id.in_(
        select(CampaignLook.id).where(CampaignLook.campaign_id == campaign_id, CampaignLook.kind == kind))))


def keep_pages(session: Session, practice_id: str, look_id: str, outcome: str, rule: str,
               pages: Iterator[list[str]], at_once: int = 200) -> None:
    waiting: list[dict[str, object]] = []
    for number, ids in enumerate(pages):
        waiting.append({"practice_id": practice_id, "look_id": look_id, "outcome": outcome, "rule": rule,
                        "page": number, "ids": ids})
        if len(waiting) == at_once:
            session.execute(insert(CampaignLookList), waiting)
            waiting = []
    if waiting:
        session.execute(insert(CampaignLookList), waiting)


def page(session: Session, look_id: str, outcome: str, rule: str, number: int) -> list[str] | None:
    found = session.scalar(select(CampaignLookList.ids).where(
        CampaignLookList.look_id == look_id, CampaignLookList.outcome == outcome, CampaignLookList.rule == rule,
        CampaignLookList.page == number))
    return list(found) if found is not None else None


def pages(session: Session, look_id: str, outcome: str, rule: str) -> int:
    return session.scalar(select(func.count()).select_from(CampaignLookList).where(
        CampaignLookList.look_id == look_id, CampaignLookList.outcome == outcome, CampaignLookList.rule == rule)) or 0


def newest_done(session: Session, campaign_id: str, kind: str) -> CampaignLook | None:
    """The one whose lists are kept."""
    return session.scalars(select(CampaignLook).where(
        CampaignLook.campaign_id == campaign_id, CampaignLook.kind == kind, CampaignLook.status == "done")
        .order_by(CampaignLook.ended_at.desc(), CampaignLook.id.desc()).limit(1)).first()
