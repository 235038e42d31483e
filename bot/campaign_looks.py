"""Previews and simulations that pages ask for, worked by the process that ticks: a page never waits for them.

On PostgreSQL the sets of a large campaign are judged in two processes of their own (bot/planning_processes.py). On
SQLite, which has one process, they are judged in one of its threads: a practice of some ten thousand accounts answers
its pages more slowly for those seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing import campaign_looks, campaigns, planning, policy_changes
from billing.campaign_simulation import Change, Simulation
from billing.planning import Preview
from billing.store import campaign_look_queries, practices
from billing.store.seal import keyring
from billing.store.tables import Campaign, CampaignLook
from bot import campaign_previews, campaign_simulating, campaign_words, planning_processes
from bot.road import Road
from config.practice import PracticePolicy

SAMPLES = 2
"""Rendered messages for each language."""

_log = structlog.get_logger(__name__)


class _TakenOver(Exception):
    """Somebody asked anew, or another worker has it."""


async def work_looks(road: Road) -> int:
    """Work what waits, one after another; return how many there were."""
    worked = 0
    while (look := await road.store.awrite(
            lambda session: campaign_looks.claim(session, road.worker, road.clock.now()))) is not None:
        await _work(road, look)
        worked += 1
    return worked


async def _work(road: Road, look: CampaignLook) -> None:
    told = "something went wrong here; ask again"
    try:
        finish = await road.store.aread(partial(_judge, road=road, look=look))
        await road.store.awrite(finish)
        return
    except _TakenOver:
        return
    except DBAPIError:
        raise  # the database's trouble: it is tried again when the claim has run out
    except ValueError as error:
        if type(error).__module__.startswith("billing."):
            told = str(error)  # what billing refuses it says in words for people
        else:
            _log.error("campaign look failed", look=look.id, error=type(error).__name__)
    except Exception as error:  # noqa: BLE001 - it is said on the page, and the next look goes on
        _log.error("campaign look failed", look=look.id, error=type(error).__name__)
    await road.store.awrite(lambda session: campaign_looks.fail(session, look.id, road.worker, told, road.clock.now()))


def _judge(session: Session, road: Road, look: CampaignLook) -> Callable[[Session], bool]:
    """Look at everybody in one reading; return what keeps the answer."""
    campaign, now = session.get_one(Campaign, look.campaign_id), road.clock.now()
    practice = practices.find_practice(session, look.practice_id)
    if practice is None:
        raise LookupError("no such practice")
    policy = practices.policy_of(practice)
    if look.kind == campaign_looks.SIMULATION:
        change = change_of(session, policy, look.practice_id, look.change)
        found = campaign_simulating.simulate(session, road, policy, campaign, change, now,
                                             progress=partial(_beat, road, look))
        return partial(_keep_simulation, road=road, look=look, found=found)
    shown = campaign_previews.preview(session, road, policy, campaign, now, samples=SAMPLES,
                                      progress=partial(_beat, road, look), spread=_spread(road, now))
    words = campaign_words.versions_of(session, campaign, policy)
    return partial(_keep_preview, road=road, look=look, shown=shown, policy=policy, words=words)


def _beat(road: Road, look: CampaignLook, judged: int) -> None:
    """A sign of life, written beside the reading that goes on."""
    if not road.store.write(lambda session: campaign_look_queries.beat(
            session, look.id, road.worker, judged, road.clock.now())):
        raise _TakenOver


def _spread(road: Road, now: datetime) -> Callable[[planning.Order], planning.Spread] | None:
    if road.store.engine.dialect.name != "postgresql":
        return None
    url = road.store.engine.url.render_as_string(hide_password=False)
    return lambda order: planning_processes.spread(url, keyring(), order, now, samples=SAMPLES)


def _keep_preview(session: Session, road: Road, look: CampaignLook, shown: Preview, policy: PracticePolicy,
                  words: Mapping[str, str]) -> bool:
    now, counts = road.clock.now(), shown.to_json()
    if not campaign_looks.finish(
            session, look.id, road.worker, result=counts, samples=campaign_looks.samples_of(shown), now=now,
            groups=((one.outcome, one.rule, shown.ids(one.outcome, one.rule)) for one in shown.groups)):
        return False
    campaign_previews.keep(session, policy, session.get_one(Campaign, look.campaign_id), counts, words, look.asked_by,
                           now)
    return True


def _keep_simulation(session: Session, road: Road, look: CampaignLook, found: Simulation) -> bool:
    groups = [(f"{one.before}-{one.after}", one.rule, found.accounts[one]) for one in found.shifts()]
    unreached = [("unreached", "none", found.unreached)] if found.unreached else []
    return campaign_looks.finish(session, look.id, road.worker, result=found.to_json(), samples=(),
                                 groups=[*groups, *unreached], now=road.clock.now())


def change_of(session: Session, policy: PracticePolicy, practice_id: str, supposed: dict[str, Any]) -> Change:
    """What a simulation supposes, from how it was kept. Raises CampaignRefused, PolicyRefused."""
    at, on, proposed = supposed.get("at"), supposed.get("on"), None
    if change_id := supposed.get("policy_change_id"):
        row = policy_changes.find(session, practice_id, change_id)
        if row is None:
            raise campaigns.CampaignRefused("there is no such proposal of a policy")
        proposed = policy_changes.policy_proposed(row, policy_changes.in_force(session, practice_id))
    change = Change(datetime.fromisoformat(at).astimezone(UTC) if at else None,
                    date.fromisoformat(on) if on else None, supposed.get("region") or None, proposed,
                    tuple(supposed.get("without") or ()))
    if not change:
        raise campaigns.CampaignRefused("say what is to be different: a moment, a day's rules, a state, a policy or a "
                                        "rule that is gone")
    return change
