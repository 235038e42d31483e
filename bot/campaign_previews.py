"""A campaign as it would come out, before the button: billing/planning.py's picture of the whole segment, with the
words of this campaign.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy.orm import Session

from billing import campaigns, figures, planning, segments
from billing.planning import Preview
from billing.store.tables import Campaign, Guarantor
from bot import campaign_words, own_words
from bot.demanding import SUPPLY
from bot.road import Road
from config.dunning_policy import Way
from config.practice import PracticePolicy
from templates import source
from templates.render import render

#: From here on it pays to start other processes.
LARGE = 20_000

#: In place of a token: as long as one, and the door to nothing.
NO_TOKEN = "x" * 22


def preview(session: Session, road: Road, policy: PracticePolicy, campaign: Campaign, now: datetime, *,
            progress: Callable[[int], None] | None = None, samples: int = 2,
            spread: Callable[[planning.Order], planning.Spread] | None = None) -> Preview:
    """Look at the whole campaign as it would come out if it were sent now. Nothing is written.

    ``spread`` says who else judges sets of a large one (bot/planning_processes.py). Raises CampaignRefused when its
    words no longer fit.
    """
    segment, today = campaigns.segment_of(session, campaign), policy.local_day(now)
    with own_words.spoken_for(session, campaign.practice_id):
        campaign_words.check(campaign.template, campaign.purpose, campaign.ways, policy)
        order = order_of(campaign, policy, road)
        large = spread is not None and segments.count(session, segment, today) > LARGE
        return planning.preview(
            session, order, segments.stream(session, segment, today), now, progress=progress, samples=samples,
            spread=spread(order) if spread is not None and large else None,
            render=lambda guarantor_id, way: sample(session, policy, campaign, guarantor_id, way, now, road))


def keep(session: Session, policy: PracticePolicy, campaign: Campaign, counts: Mapping[str, Any],
         words: Mapping[str, str], by: str, now: datetime) -> Campaign:
    """Keep what was shown, bound to the words that it stands on: those of the reading that it was shown from, as others
    may be in force by now. Raises as billing/campaigns.keep_preview does.
    """
    return campaigns.keep_preview(session, campaign.id, counts, policy=policy, words=words, by=by, now=now)


def order_of(campaign: Campaign, policy: PracticePolicy, road: Road) -> planning.Order:
    words = campaign_words.examples(campaign.template, campaign.ways, policy, road.link(NO_TOKEN))
    return planning.Order(campaign.practice_id, campaign.purpose, cast(tuple[Way, ...], tuple(campaign.ways)), words,
                          campaign.id, checked=True)


def sample(session: Session, policy: PracticePolicy, campaign: Campaign, guarantor_id: str, way: str, now: datetime,
           road: Road) -> str:
    """The words as this account would read them: its own amounts and days, no name or address, no link that opens."""
    guarantor = session.get_one(Guarantor, guarantor_id)
    file = next(one for one in campaign_words.files(campaign.template, [way], [guarantor.language]) if one.introduced)
    declared = source.load(file.name, file.language).types
    due = figures.account_figures(session, guarantor_id, policy.local_day(now)).total.due_now_minor
    made_up = {**campaign_words.made_up(policy, road.link(NO_TOKEN)), "amount_minor": due, "name": "[name]",
               "address": "[address]"}
    assert made_up.keys() >= SUPPLY.keys()
    words = render(file.name, file.language, {name: made_up[name] for name in declared}, way)
    return re.sub(NO_TOKEN, "...", words.body)
