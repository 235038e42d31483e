"""A campaign's life: nothing unseen is sent, an approval is of one preview, and stopped means stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import campaigns, staff
from billing.campaigns import MOVES, CampaignRefused
from billing.lives import IllegalMove
from billing.store.tables import Audit, Campaign
from tests.campaigns.world import Town
from tests.payments.world import PRACTICE

STATES = tuple(MOVES)


def put_into(town: Town, campaign_id: str, status: str) -> None:
    def change(session: Session) -> None:
        session.get_one(Campaign, campaign_id).status = status

    town.do(change)


@pytest.fixture
def small(town: Town) -> Town:
    """Four accounts: above the approval limit of two."""
    for number in range(1, 5):
        town.account(number)
    return town


def test_the_table_ends_where_it_says_it_ends() -> None:
    assert [state for state, after in MOVES.items() if not after] == ["stopped", "done"]
    assert set().union(*MOVES.values()) <= set(MOVES)


@pytest.mark.parametrize("status", [one for one in STATES if one != "approved"])
def test_only_an_approved_campaign_starts(small: Town, status: str) -> None:
    campaign_id = small.campaign()
    small.preview(campaign_id)
    put_into(small, campaign_id, status)
    if status in ("sending", "paused", "done"):  # it began before: nothing happens a second time
        small.start(campaign_id)
        assert small.row(campaign_id).status == status and small.fates(campaign_id) == {}
        return
    with pytest.raises(IllegalMove):
        small.start(campaign_id)


@pytest.mark.parametrize("status", [one for one in STATES if one not in ("draft", "previewed", "approved")])
def test_what_has_begun_is_not_previewed_again(small: Town, status: str) -> None:
    campaign_id = small.campaign()
    put_into(small, campaign_id, status)
    with pytest.raises(IllegalMove):
        small.preview(campaign_id)


@pytest.mark.parametrize("status", STATES)
def test_pause_resume_and_stop_follow_the_table(small: Town, status: str) -> None:
    steps: dict[str, Callable[..., Any]] = {
        "paused": campaigns.pause, "sending": campaigns.resume,
        "stopped": partial(campaigns.stop, reason="wrong words")}
    for after, step in steps.items():
        campaign_id = small.campaign()
        act = partial(step, campaign_id=campaign_id, by="ana", now=small.clock())
        put_into(small, campaign_id, status)
        may = after in MOVES[status] or after == status
        if after == "sending" and status not in ("paused", "sending"):
            may = False
        if may:
            small.do(act)
            assert small.row(campaign_id).status == after
        else:
            with pytest.raises((IllegalMove, CampaignRefused)):
                small.do(act)


def test_above_the_limit_another_person_approves(small: Town) -> None:
    campaign_id = small.campaign(by="sam")
    small.preview(campaign_id, by="sam")
    with pytest.raises(staff.StaffRefused):
        small.approve(campaign_id, by="sam")
    with pytest.raises(staff.StaffRefused):
        small.approve(campaign_id, by="ana")  # a biller approves nothing
    small.approve(campaign_id, by="max")
    assert small.row(campaign_id).approved_by == "max"


def test_whoever_looked_last_is_not_the_second_pair_of_eyes(small: Town) -> None:
    campaign_id = small.campaign(by="ana")
    small.preview(campaign_id, by="sam")
    with pytest.raises(staff.StaffRefused):
        small.approve(campaign_id, by="sam")


def test_the_policy_may_ask_for_a_manager(small: Town) -> None:
    small.settle(bulk={"approval_above": 2, "approver": "manager"})
    campaign_id = small.campaign()
    small.preview(campaign_id)
    with pytest.raises(staff.StaffRefused, match="a manager alone"):
        small.approve(campaign_id, by="sam")
    small.approve(campaign_id, by="max")


def test_at_the_limit_one_person_is_enough(town: Town) -> None:
    town.account(1)
    town.account(2)
    campaign_id = town.campaign(by="sam")
    town.preview(campaign_id, by="sam")
    town.approve(campaign_id, by="sam")
    assert town.row(campaign_id).status == "approved"


def _alone(town: Town) -> None:
    def leave(session: Session) -> None:
        from billing.store.practices import find_staff
        person = find_staff(session, PRACTICE, "max")
        assert person is not None
        person.active = False

    town.do(leave)


def test_the_only_approver_sleeps_on_it_and_the_trail_says_so(small: Town) -> None:
    _alone(small)
    campaign_id = small.campaign(by="sam")
    small.preview(campaign_id, by="sam")
    with pytest.raises(staff.StaffRefused, match="a night has to pass"):
        small.approve(campaign_id, by="sam")
    small.clock.advance(hours=18)
    small.approve(campaign_id, by="sam")
    reasons = small.do(lambda s: [one.reason for one in s.query(Audit).filter(Audit.action == "campaign_approved")])
    assert reasons == ["alone, overnight"]


def test_the_only_approver_waits_for_good_where_the_policy_wants_two(small: Town) -> None:
    _alone(small)
    small.settle(bulk={"approval_above": 2, "overnight_if_alone": False})
    campaign_id = small.campaign(by="sam")
    small.preview(campaign_id, by="sam")
    small.clock.advance(hours=48)
    with pytest.raises(staff.StaffRefused):
        small.approve(campaign_id, by="sam")


def test_an_approval_is_of_the_preview_whose_digest_was_read(small: Town) -> None:
    campaign_id = small.campaign()
    old = small.preview(campaign_id)
    small.clock.advance(minutes=5)
    new = small.preview(campaign_id)
    assert old != new
    with pytest.raises(CampaignRefused, match="not the preview that stands"):
        small.approve(campaign_id, digest=old)
    with pytest.raises(CampaignRefused, match="not the preview that stands"):
        small.approve(campaign_id, digest=new[:4])
    small.approve(campaign_id, digest=new[:8])


def test_a_new_preview_takes_the_approval_back(small: Town) -> None:
    campaign_id = small.campaign()
    small.preview(campaign_id)
    small.approve(campaign_id)
    small.preview(campaign_id)
    row = small.row(campaign_id)
    assert (row.status, row.approved_by) == ("previewed", None)


@pytest.mark.parametrize("stage", ["approve", "start"])
def test_a_changed_policy_makes_the_preview_stale(small: Town, stage: str) -> None:
    campaign_id = small.campaign()
    small.preview(campaign_id)
    if stage == "start":
        small.approve(campaign_id)
    small.settle(statement_due_days=21)
    with pytest.raises(CampaignRefused, match="preview it again"):
        small.approve(campaign_id) if stage == "approve" else small.start(campaign_id)


def test_a_preview_of_last_week_is_stale(small: Town) -> None:
    campaign_id = small.campaign()
    small.preview(campaign_id)
    small.approve(campaign_id)
    small.clock.at += campaigns.PREVIEW_LIVES + timedelta(minutes=1)
    with pytest.raises(CampaignRefused, match="days old"):
        small.start(campaign_id)


def test_a_segment_that_grew_since_is_looked_at_again_and_nothing_was_begun(small: Town) -> None:
    campaign_id = small.campaign()
    small.preview(campaign_id)
    small.approve(campaign_id)
    small.account(9)
    with pytest.raises(CampaignRefused, match="5 accounts now and had 4"):
        small.start(campaign_id)
    assert small.row(campaign_id).status == "approved"
    assert small.fates(campaign_id) == {}


def test_starting_twice_lays_the_rows_out_once(small: Town) -> None:
    campaign_id = small.launched()
    small.start(campaign_id)
    assert small.fates(campaign_id) == {f"acct_{n}": ("waiting", "") for n in range(1, 5)}


def test_stopping_needs_a_reason_and_ends_every_row(small: Town) -> None:
    campaign_id = small.launched()
    with pytest.raises(CampaignRefused, match="reason"):
        small.do(lambda s: campaigns.stop(s, campaign_id, by="ana", reason=" ", now=small.clock()))
    small.do(lambda s: campaigns.stop(s, campaign_id, by="ana", reason="wrong words", now=small.clock()))
    assert set(small.fates(campaign_id).values()) == {("stopped", "campaign-stopped")}
    assert small.feed() == 0
