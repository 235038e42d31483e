"""A campaign's first step: its words are there in every language of the practice, and then it is a draft."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from billing import campaigns
from billing.store.tables import Campaign, Segment
from bot import campaign_words
from config.practice import PracticePolicy


def draft(session: Session, practice_id: str, policy: PracticePolicy, *, name: str, segment: Segment, purpose: str,
          template: str, ways: Sequence[str], by: str, now: datetime, not_before_at: datetime | None = None,
          ) -> Campaign:
    """``ways`` in the order in which they are tried; none: every way that has the words. Raises CampaignRefused."""
    if purpose not in campaigns.PURPOSES:
        raise campaigns.CampaignRefused(f"a campaign's purpose is one of {', '.join(campaigns.PURPOSES)}")
    chosen = tuple(ways) or campaign_words.ways_with_words(template, policy.languages)
    campaign_words.check(template, purpose, chosen, policy)
    return campaigns.create(session, practice_id=practice_id, name=name, purpose=purpose, template=template,
                            ways=chosen, segment=segment, by=by, now=now, not_before_at=not_before_at)
