"""Campaigns as staff see them: the list, one with its preview, and who is in each group of it. Counts and amounts, and
account by account only where somebody opens a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import campaign_looks, campaign_progress, campaigns
from billing.campaign_progress import Progress
from billing.console.campaign_lines import (
    CampaignPage,
    Campaigns,
    Counted,
    GroupLine,
    Line,
    Look,
    Preview,
    SampleText,
    ShiftLine,
    Simulated,
    ZoneLine,
)
from billing.policy.register import rule_by_id
from billing.store import campaign_look_queries as looks
from billing.store import console_campaign_queries as store
from billing.store.tables import Campaign, CampaignLook
from config.practice import PracticePolicy

PAGE = 50


def listing(session: Session, practice_id: str, before: int | None) -> Campaigns:
    rows = store.page(session, practice_id, before, PAGE + 1)
    ids = [row.id for row, _, _ in rows[:PAGE]]
    accounts, messages = store.row_counts(session, ids), store.message_counts(session, ids)
    return Campaigns([_line(row, f"{name} v{version}", campaign_progress.of(accounts.get(row.id, {}),
                                                                            messages.get(row.id, {})))
                      for row, name, version in rows[:PAGE]], rows[PAGE - 1][0].number if len(rows) > PAGE else None)


def load(session: Session, practice_id: str, campaign_id: str, policy: PracticePolicy) -> CampaignPage | None:
    row = store.campaign(session, practice_id, campaign_id)
    if row is None:
        return None
    segment, asked = campaigns.segment_of(session, row), looks.newest(session, row.id, campaign_looks.PREVIEW)
    done = looks.newest_done(session, row.id, campaign_looks.PREVIEW)
    return CampaignPage(
        row.id, row.number, row.name, row.purpose, row.template, list(row.ways), segment.id,
        f"{segment.name} v{segment.version}", row.status, row.not_before_at, row.created_by, row.created_at,
        row.approved_by or "", row.approved_at, row.started_by or "", row.started_at, row.paused_by or "",
        row.stopped_by or "", row.stop_reason, row.ended_at, campaigns.needs_second(row, policy),
        campaign_progress.look(session, row.id), _look(asked) if asked is not None else None,
        _preview(row, done), _simulated(looks.newest(session, row.id, campaign_looks.SIMULATION)))


def group(session: Session, practice_id: str, campaign_id: str, kind: str, outcome: str, rule: str, page: int,
          ) -> tuple[list[tuple[str, str, str]], int] | None:
    """A page of who is in one group: (id, number, name), and how many pages there are. None for no such list."""
    look = _listed(session, practice_id, campaign_id, kind)
    ids = looks.page(session, look.id, outcome, rule, page) if look is not None else None
    if look is None or ids is None:
        return None
    return store.accounts(session, practice_id, ids), looks.pages(session, look.id, outcome, rule)


def whole_group(session: Session, practice_id: str, campaign_id: str, kind: str, outcome: str, rule: str,
                ) -> list[tuple[str, str, str]] | None:
    """Everybody of one group. None for no such list."""
    look = _listed(session, practice_id, campaign_id, kind)
    count = looks.pages(session, look.id, outcome, rule) if look is not None else 0
    if look is None or not count:
        return None
    return [one for number in range(count) for one in store.accounts(
        session, practice_id, looks.page(session, look.id, outcome, rule, number) or [])]


def _listed(session: Session, practice_id: str, campaign_id: str, kind: str) -> CampaignLook | None:
    """The newest look that is done: the lists are its own."""
    row = store.campaign(session, practice_id, campaign_id)
    return looks.newest_done(session, row.id, kind) if row is not None else None


def _line(row: Campaign, segment: str, progress: Progress) -> Line:
    shown = row.preview or {}
    return Line(row.id, row.number, row.name, row.purpose, segment, row.status, shown.get("accounts"),
                shown.get("total_minor"), progress, row.not_before_at, row.created_by, row.created_at)


def _look(row: CampaignLook) -> Look:
    return Look(row.kind, row.status, row.judged, row.accounts, row.asked_by, row.asked_at, row.told)


def _preview(row: Campaign, look: CampaignLook | None) -> Preview | None:
    """The preview that stands. One made on the command line kept no lists and no samples."""
    if row.preview is None or row.previewed_at is None:
        return None
    shown: Mapping[str, Any] = row.preview
    mine = look if look is not None and look.result is not None and look.result.get("at") == shown.get("at") else None
    return Preview(
        row.previewed_at, str(shown.get("by", "")), row.preview_digest, shown.get("accounts", 0),
        shown.get("total_minor", 0), shown.get("messages", 0), shown.get("messages_minor", 0),
        shown.get("segments", 0), -(-int(shown.get("cost_micros", 0)) // 10_000), _instant(shown.get("finishes_at")),
        [GroupLine(one["outcome"], one["rule"], title_of(one["rule"]), one["accounts"], one["minor"], mine is not None)
         for one in shown.get("groups", ())],
        [ZoneLine(one["zone"], one["texts"], one["segments"], _instant(one["starts_at"]),
                  _instant(one["finishes_at"])) for one in shown.get("zones", ())],
        [Counted(one["language"], one["messages"], one["segments"]) for one in shown.get("languages", ())],
        [Counted(way, count, 0) for way, count in shown.get("ways", {}).items()],
        [SampleText(one["guarantor_id"], one["way"], one["language"], one["text"])
         for one in (mine.samples if mine is not None else None) or ()])


def _simulated(row: CampaignLook | None) -> Simulated | None:
    if row is None:
        return None
    found: Mapping[str, Any] = row.result or {}
    supposed = {name: ", ".join(value) if isinstance(value, list) else str(value)
                for name, value in row.change.items() if value and name not in ("at", "policy_change_id")}
    return Simulated(
        _look(row), _instant(row.change.get("at")), row.change.get("policy_change_id", ""), supposed,
        found.get("accounts", 0), found.get("become_unlawful", 0), found.get("become_late", 0),
        found.get("become_lawful", 0), found.get("unchanged", 0), found.get("unreached", 0),
        [ShiftLine(one["before"], one["after"], one["rule"], title_of(one["rule"]), one["accounts"])
         for one in found.get("shifts", ())])


def title_of(rule: str) -> str:
    """What the rule says, from the register."""
    found = rule_by_id(rule)
    return found.title if found is not None else ""


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
