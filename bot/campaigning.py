"""Campaigns at work: each account in a transaction of its own, read again when its turn comes.

Only as much is put into the outbox as the carriers' caps have room for in the coming minutes; the rest waits as rows,
so that a balance paid in between asks for nothing. Killed at any point and run again, nobody is told twice: the message
has a key of its own, and the row's fate is written with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Literal, cast

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing import campaign_checks, campaign_rows, campaigns
from billing.store import campaign_queries, practices
from billing.store.tables import Campaign, CampaignRow
from bot import campaign_words
from bot.demanding import Demand, Line, queue_demand
from bot.failpoints import hit
from bot.road import Road
from config.practice import PracticePolicy

Purpose = Literal["statement", "reminder", "notice"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """A run whose rows are to be fed; plain values, for use outside the transaction."""

    campaign_id: str
    policy: PracticePolicy
    rows: tuple[int, ...]


def begin(session: Session, campaign_id: str, by: str, policy: PracticePolicy, now: datetime) -> Campaign:
    """Lay the rows out and begin, all in this transaction. Raises as billing/campaigns.start does."""
    row = session.get_one(Campaign, campaign_id)
    words = campaign_words.versions_of(session, row, policy)
    if row.status == campaigns.PREVIEWED and not campaigns.needs_second(row, policy):
        campaigns.approve(session, row.id, by=by, digest=row.preview_digest, policy=policy, words=words, now=now)
    row = campaigns.start(session, campaign_id, by=by, policy=policy, words=words, now=now)
    hit("campaign.started")
    return row


async def feed_campaigns(road: Road) -> int:
    """Work the rows whose turn it is, of every campaign that sends; return how many were worked."""
    now = road.clock.now()
    worked = 0
    for turn in await road.store.aread(partial(turns, now=now)):
        worked += await _work(road, turn)
        worked += await road.store.awrite(partial(campaigns.close, campaign_id=turn.campaign_id,
                                                  now=road.clock.now()))
        hit("campaign.finished")
    if worked:
        road.wake.outbox.set()
    return worked


def turns(session: Session, now: datetime) -> list[Turn]:
    """Every run that sends, with the rows that there is room for."""
    found = []
    for campaign in campaign_queries.sending(session, now):
        practice = practices.find_practice(session, campaign.practice_id)
        if practice is not None:
            policy = practices.policy_of(practice)
            found.append(Turn(campaign.id, policy, tuple(campaign_rows.feed(session, campaign.id, policy, now))))
    return found


async def _work(road: Road, turn: Turn) -> int:
    hit("campaign.chosen")
    # One after another: in account order, and each sees how much of the day's cap those before it will use.
    return sum([await _work_one(road, turn.policy, row_id) for row_id in turn.rows])


async def _work_one(road: Road, policy: PracticePolicy, row_id: int) -> bool:
    """One account, in its own transaction. What cannot be worked is left out with the fault's name, and the run goes
    on.
    """
    try:
        done = await road.store.awrite(partial(work_row, road=road, policy=policy, row_id=row_id))
    except DBAPIError:
        raise  # the database's trouble, not the account's: the next turn tries it again
    except Exception as error:  # noqa: BLE001 - one account that cannot be worked must not stop the others
        _log.error("campaign row not worked", row_id=row_id, error=type(error).__name__)
        await road.store.awrite(partial(_leave_out, road=road, row_id=row_id, fault=type(error).__name__))
        return True
    hit("campaign.committed")
    return done


def work_row(session: Session, road: Road, policy: PracticePolicy, row_id: int) -> bool:
    """Work one row if its turn is now; return whether something became of it."""
    now = road.clock.now()
    row = campaign_rows.take(session, row_id, now)
    if row is None:
        return False
    campaign = session.get_one(Campaign, row.campaign_id)
    opens_at = campaign_rows.opens_at(session, row, campaign, policy, now)
    if opens_at > now:
        campaign_rows.put_off(row, opens_at)
        return False
    line = _ask(session, road, policy, campaign, row, now)
    hit("campaign.queued")
    in_outbox = line.message_id is not None
    campaign_rows.settle(
        row, campaign_rows.QUEUED if in_outbox else campaign_rows.LEFT_OUT, rule="" if in_outbox else line.rule,
        reason="" if in_outbox else line.reason, due_minor=line.due_minor, outbox_id=line.message_id, now=now)
    session.flush()
    hit("campaign.settled")
    return True


def _ask(session: Session, road: Road, policy: PracticePolicy, campaign: Campaign, row: CampaignRow,
         now: datetime) -> Line:
    """The demand itself. A statement comes before any reminder, and only one that is not known to have failed."""
    if campaign.purpose == "reminder" and not campaign_rows.statement_stands(session, row.guarantor_id):
        return Line("", "none", "a statement that arrived comes before any reminder",
                    rule=campaign_checks.STATEMENT_FIRST)
    demand = demand_of(campaign, row.guarantor_id, campaign_rows.times_cancelled(session, row))
    account = None
    if campaign.purpose != "notice":
        checked = campaign_checks.check(session, row.guarantor_id, campaign.purpose, policy, now)
        if checked.rule:
            return Line("", "none", checked.words, due_minor=checked.due_minor, rule=checked.rule)
        demand, account = replace(demand, template=checked.template or demand.template), checked.account
    return queue_demand(session, road, policy, row.guarantor_id, demand, now, account)


def demand_of(campaign: Campaign, guarantor_id: str, times_cancelled: int = 0) -> Demand:
    """What a campaign asks of one account. Its key is the account's own in this run; only after messages that were
    cancelled before they left is there another.
    """
    key = f"campaign:{campaign.id}:{guarantor_id}" + (f":{times_cancelled}" if times_cancelled else "")
    return Demand(cast(Purpose, campaign.purpose), campaign.template, key, tuple(campaign.ways), campaign.id,
                  fresh_statement=campaign.purpose == "statement")


def _leave_out(session: Session, road: Road, row_id: int, fault: str) -> None:
    now = road.clock.now()
    row = campaign_rows.take(session, row_id, now)
    if row is not None:
        campaign_rows.settle(row, campaign_rows.LEFT_OUT, rule="fault", reason=fault, due_minor=0, outbox_id=None,
                             now=now)
