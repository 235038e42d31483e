"""A campaign as it would come out, before the button: billing/planning.py's picture of the whole segment, with the
words of this campaign, and whom we leave out before there is a message at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy.orm import Session

from billing import campaigns, figures, planning, segments
from billing.planning import Preview
from billing.store import campaign_queries
from billing.store.ledger_queries import chunks
from billing.store.tables import Campaign, Guarantor
from bot import campaign_words
from bot.demanding import SUPPLY
from bot.road import Road
from config.dunning_policy import Way
from config.practice import PracticePolicy
from templates import source
from templates.render import render

STATEMENT_FIRST = "statement-first"

#: From here on it pays to start other processes.
LARGE = 20_000

#: In place of a token: as long as one, and the door to nothing.
NO_TOKEN = "x" * 22


@dataclass(frozen=True, slots=True)
class Line:
    """Accounts with one fate, with their words for people."""

    outcome: str
    rule: str
    accounts: int
    minor: int


@dataclass(frozen=True, slots=True)
class Shown:
    """The preview of a campaign. ``unstated``: accounts that a reminder leaves out because no statement of theirs is
    known to have arrived, with what the patient's part of their visits comes to, in cents.
    """

    preview: Preview
    unstated: tuple[str, ...] = ()
    unstated_minor: int = 0

    @property
    def accounts(self) -> int:
        return self.preview.accounts + len(self.unstated)

    @property
    def total_minor(self) -> int:
        return self.preview.total_minor + self.unstated_minor

    def lines(self) -> list[Line]:
        """Every fate, who is told first."""
        found = [Line(g.outcome, g.rule, g.accounts, g.minor) for g in self.preview.groups]
        if self.unstated:
            found.append(Line("none", STATEMENT_FIRST, len(self.unstated), self.unstated_minor))
        order = {"send": 0, "defer": 1, "withhold": 2, "none": 3}
        return sorted(found, key=lambda line: (order.get(line.outcome, 9), -line.accounts, line.rule))

    def ids(self, outcome: str, rule: str) -> Iterator[str]:
        """The accounts of one line."""
        return iter(self.unstated) if rule == STATEMENT_FIRST else self.preview.ids(outcome, rule)

    def to_json(self) -> dict[str, Any]:
        """Counts and amounts alone: what is kept beside the campaign."""
        kept = self.preview.to_json()
        return {**kept, "accounts": self.accounts, "total_minor": self.total_minor,
                "groups": [{"outcome": one.outcome, "rule": one.rule, "accounts": one.accounts, "minor": one.minor}
                           for one in self.lines()]}


def preview(session: Session, road: Road, policy: PracticePolicy, campaign: Campaign, now: datetime, *,
            progress: Callable[[int], None] | None = None, samples: int = 2,
            spread: Callable[[planning.Order], planning.Spread] | None = None) -> Shown:
    """Look at the whole campaign as it would come out if it were sent now. Nothing is written.

    ``spread`` says who else judges sets of a large one (bot/planning_processes.py). Raises CampaignRefused when its
    words no longer fit.
    """
    campaign_words.check(campaign.template, campaign.purpose, campaign.ways, policy)
    today = policy.local_day(now)
    members = segments.members(session, campaigns.segment_of(session, campaign), today)
    unstated = _unstated(session, campaign, members)
    asked = [one for one in members if one not in unstated] if unstated else members
    order = order_of(campaign, policy, road)
    others = spread(order) if spread is not None and len(asked) > LARGE else None
    found = planning.preview(session, order, asked, now, progress=progress, samples=samples, spread=others,
                             render=lambda guarantor_id, way: sample(session, policy, campaign, guarantor_id, way, now,
                                                                     road))
    left_out = tuple(one for one in members if one in unstated)
    return Shown(found, left_out, campaign_queries.patient_minor(session, campaign.practice_id, left_out))


def order_of(campaign: Campaign, policy: PracticePolicy, road: Road) -> planning.Order:
    words = campaign_words.examples(campaign.template, campaign.ways, policy, road.link(NO_TOKEN))
    return planning.Order(campaign.practice_id, campaign.purpose, cast(tuple[Way, ...], tuple(campaign.ways)), words,
                          campaign.id)


def _unstated(session: Session, campaign: Campaign, members: Sequence[str]) -> set[str]:
    if campaign.purpose != "reminder":
        return set()
    told = {one for part in chunks(members) for one in campaign_queries.with_statement(session, part)}
    return set(members) - told


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
