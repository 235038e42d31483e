"""What is done to a campaign: drafted, previewed, approved, sent, paused, resumed, stopped, and asked "what if"."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from billing import campaign_looks, campaigns, policy_changes, segments
from billing.policy.register import rule_by_id
from billing.store import console_campaign_queries as store
from billing.store.tables import Campaign
from bot import campaign_drafts, campaign_words, campaigning
from bot import campaign_looks as looking
from bot.web.console.fields import Code, Day, Id, Maybe, Reason, Several
from bot.web.console.table import Action, Asked, Done, Form, Nothing, there

#: Of the practice's own clock.
ClockTime = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40,
                                        pattern=r"^[^\x00-\x1f\x7f]+$")]
#: Of the preview that was read.
Digest = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9a-f]{8,32}$"),
                   Field(examples=["0123456789abcdef"])]
Region = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Z]{2}$")]


class New(Form):
    """``ways`` in the order in which they are tried; none: every way that has the words. The first message leaves not
    before ``begins_on`` at ``begins_at`` of the practice's clock, and never outside of anybody's own hours.
    """

    name: Name
    segment_id: Id
    template: Code
    ways: Several[Literal["sms", "telegram", "email", "paper"]] = Field(default=[], max_length=4)
    begins_on: Maybe[Day] = None
    begins_at: Maybe[ClockTime] = None


class Approve(Form):
    """``digest``: of the preview that was read; another one's is refused."""

    digest: Digest


class Stop(Form):
    """Why; it is kept. No names."""

    reason: Reason


class Simulate(Form):
    """As if it were sent at another moment; by another day's rules; to people of another state; under a policy that was
    proposed; or without some rules.
    """

    sent_on: Maybe[Day] = None
    sent_at: Maybe[ClockTime] = None
    rules_of: Maybe[Day] = None
    region: Maybe[Region] = None
    policy_change_id: Maybe[Id] = None
    without: Several[Code] = Field(default=[], max_length=20)


def draft(session: Session, asked: Asked[New]) -> Done:
    form = asked.query
    segment = there(store.segment(session, asked.practice_id, form.segment_id))
    purpose = next((purpose for template, purpose, _ in campaign_words.choices(asked.policy)
                    if template == form.template), None)
    if purpose is None:
        raise campaigns.CampaignRefused("template: there are no such words for a campaign")
    row = campaign_drafts.draft(
        session, asked.practice_id, asked.policy, name=form.name, segment=segment, purpose=purpose,
        template=form.template, ways=list(dict.fromkeys(form.ways)), by=asked.person.login, now=asked.now,
        not_before_at=_moment(asked, form.begins_on, form.begins_at))
    return Done("campaign", row.id, f"/campaigns/{row.id}", "campaign_drafted", {"campaign_id": row.id})


def preview(session: Session, asked: Asked[Nothing]) -> Done:
    """Ask for a preview; the page follows it."""
    return _ask(session, asked, campaign_looks.PREVIEW, {})


def simulate(session: Session, asked: Asked[Simulate]) -> Done:
    """Ask what a change would do. Nothing is sent, and nothing but the answer is kept."""
    form = asked.query
    if form.policy_change_id:
        there(policy_changes.find(session, asked.practice_id, form.policy_change_id))
    if unknown := [one for one in form.without if rule_by_id(one) is None]:
        raise campaigns.CampaignRefused(f"without: there is no rule {', '.join(unknown)}")
    at = _moment(asked, form.sent_on, form.sent_at)
    supposed: dict[str, Any] = {
        "at": at.isoformat() if at is not None else None, "on": form.rules_of and form.rules_of.isoformat(),
        "region": form.region, "policy_change_id": form.policy_change_id, "without": list(form.without)}
    looking.change_of(session, asked.policy, asked.practice_id, supposed)
    return _ask(session, asked, campaign_looks.SIMULATION, {name: one for name, one in supposed.items() if one})


def _ask(session: Session, asked: Asked[Any], kind: str, change: dict[str, Any]) -> Done:
    row = _row(session, asked)
    accounts = segments.count(session, campaigns.segment_of(session, row), asked.today)
    look = campaign_looks.ask(session, row, kind, change, accounts=accounts, by=asked.person.login, now=asked.now)
    return Done("campaign", row.id, f"/campaigns/{row.id}#{kind}", "look_asked", {"look_id": look.id})


def approve(session: Session, asked: Asked[Approve]) -> Done:
    """Approve the preview that was read; above the practice's size another person does than who made it."""
    row = _row(session, asked)
    words = campaign_words.versions_of(session, row, asked.policy)
    campaigns.approve(session, row.id, by=asked.person.login, digest=asked.query.digest, policy=asked.policy,
                      words=words, now=asked.now)
    return _done(row, "campaign_approved")


def send(session: Session, asked: Asked[Nothing]) -> Done:
    """Begin. Each message passes the gate again when its turn comes."""
    row = _row(session, asked)
    campaigning.begin(session, row.id, asked.person.login, asked.policy, asked.now)
    return _done(row, "campaign_begun")


def pause(session: Session, asked: Asked[Nothing]) -> Done:
    """Hold everything back, at once and on every worker."""
    row = _row(session, asked)
    campaigns.pause(session, row.id, by=asked.person.login, now=asked.now)
    return _done(row, "campaign_paused")


def resume(session: Session, asked: Asked[Nothing]) -> Done:
    """Go on; what waits passes the gate again."""
    row = _row(session, asked)
    campaigns.resume(session, row.id, by=asked.person.login, now=asked.now)
    asked.wiring.road.wake.outbox.set()
    return _done(row, "done")


def stop(session: Session, asked: Asked[Stop]) -> Done:
    """End it for good; what has not begun to leave is cancelled."""
    row = _row(session, asked)
    campaigns.stop(session, row.id, by=asked.person.login, reason=asked.query.reason, now=asked.now)
    return _done(row, "campaign_stopped")


def _row(session: Session, asked: Asked[Any]) -> Campaign:
    return there(store.campaign(session, asked.practice_id, asked.path["campaign_id"]))


def _done(row: Campaign, note: str) -> Done:
    return Done("campaign", row.id, f"/campaigns/{row.id}", note, {"status": row.status})


def _moment(asked: Asked[Any], on: date | None, at: str | None) -> datetime | None:
    """A moment of the practice's clock; a day alone is nine in its morning."""
    if on is None:
        if at:
            raise campaigns.CampaignRefused("give the day as well as the hour")
        return None
    hour = time.fromisoformat(at) if at else time(9)
    return datetime.combine(on, hour, ZoneInfo(asked.policy.zone))


VIEWS = ()
ACTIONS = (
    Action("campaign.new", "/campaigns", "send", New, draft),
    Action("campaign.preview", "/campaigns/{campaign_id}/preview", "send", Nothing, preview),
    Action("campaign.approve", "/campaigns/{campaign_id}/approve", "send", Approve, approve),
    Action("campaign.send", "/campaigns/{campaign_id}/send", "send", Nothing, send),
    Action("campaign.pause", "/campaigns/{campaign_id}/pause", "send", Nothing, pause),
    Action("campaign.resume", "/campaigns/{campaign_id}/resume", "send", Nothing, resume),
    Action("campaign.stop", "/campaigns/{campaign_id}/stop", "send", Stop, stop),
    Action("campaign.simulate", "/campaigns/{campaign_id}/simulate", "send", Simulate, simulate),
)
