"""What the commands of ``plainbill campaign`` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import dollars
from bot.cli.edge import Edge, found, print_fields, print_json
from bot.cli.exits import REFUSED, Stop, sentence

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import Campaign
    from bot.road import Road

Ref = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's number, id or name.")]


def find(session: Session, edge: Edge, ref: str) -> Campaign:
    """The campaign that is meant. Raises Stop."""
    from billing import campaigns

    row = campaigns.find(session, edge.practice_id, ref)
    return found(row, f"campaign {ref}; `plainbill campaign list` shows them")


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what a campaign cannot do into an answer on standard error. Raises Stop."""
    from billing.campaigns import CampaignRefused
    from billing.lives import IllegalMove
    from billing.segments import SegmentRefused

    try:
        yield
    except (CampaignRefused, SegmentRefused, IllegalMove) as refused:
        raise Stop(sentence(refused), REFUSED) from refused


def open_road(edge: Edge) -> Road:
    """A road without channels: it makes links and knows the time; nothing leaves by it."""
    from bot.road import Road

    return Road(edge.store, edge.clock, "campaign", edge.settings.public_url)


def for_people(session: Session, row: Campaign) -> dict[str, Any]:
    """A campaign as data: no account, no words."""
    from billing import campaigns
    from billing.store import campaign_queries

    segment = campaigns.segment_of(session, row)
    preview = {name: value for name, value in (row.preview or {}).items() if name != "basis"}
    return {
        "campaign": row.id, "number": row.number, "name": row.name, "status": row.status, "purpose": row.purpose,
        "segment": f"{segment.name} v{segment.version}", "template": row.template, "ways": list(row.ways),
        "not_before_at": row.not_before_at, "created_by": row.created_by, "created_at": row.created_at,
        "preview": preview or None, "preview_digest": row.preview_digest, "previewed_at": row.previewed_at,
        "approved_by": row.approved_by, "approved_at": row.approved_at, "started_by": row.started_by,
        "started_at": row.started_at, "paused_by": row.paused_by, "stopped_by": row.stopped_by,
        "stop_reason": row.stop_reason, "ended_at": row.ended_at,
        "rows": dict(campaign_queries.counts(session, row.id)),
        "messages": dict(campaign_queries.message_counts(session, row.id))}


def show_facts(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    preview = facts["preview"] or {}
    print_fields({name: _plain(value) for name, value in facts.items()
                  if name != "preview" and value not in (None, "", {}, [])})
    if preview:
        print(f"\nPreviewed: {preview.get('accounts', 0)} accounts, {dollars(preview.get('total_minor', 0))}")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value
