"""Campaigns from the console: built, previewed by the job, approved by somebody else, sent, paused, stopped."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from billing import campaign_looks as looks
from billing import campaigns
from billing.store.tables import Campaign, CampaignLook, CampaignLookList, Outbox, WordsChange
from bot import campaign_looks, campaign_words, campaigning
from bot.tick import JOBS
from templates import source
from tests.campaigns.world import Town
from tests.conftest import maple_clinic
from tests.console.conftest import Desk
from tests.payments import world


@pytest.fixture
def town(desk: Desk) -> Town:
    """Six accounts with a phone and one without, in New York; above two a second person approves."""
    town = Town(desk.store, desk.clock, maple_clinic())
    town.settle(sending="on")
    for number in range(1, 7):
        town.account(number, language="es" if number == 2 else "en")
    town.account(7, phone=False)
    return town


async def drafted(desk: Desk, town: Town, **more: Any) -> str:
    """A campaign of a statement to everybody, made as a biller makes it; returns its id."""
    await desk.get("/console/segments")
    assert (await desk.post("/console/segments", {"name": "everybody"}))[0] == 303
    segment_id = desk.location.split("/")[3].split("?")[0]
    await desk.get("/console/campaigns/new")
    form = {"name": "autumn", "segment_id": segment_id, "template": "statement_ready", "ways": "sms", **more}
    status, body = await desk.post("/console/campaigns", form)
    assert status == 303, body
    return desk.location.split("/")[3].split("?")[0]


async def previewed(desk: Desk, campaign_id: str) -> str:
    """Asked for on the page, worked by the job, read on the page: returns it."""
    assert (await desk.post(f"/console/campaigns/{campaign_id}/preview"))[0] == 303
    assert await campaign_looks.work_looks(desk.wiring.road) == 1
    return (await desk.get(f"/console/campaigns/{campaign_id}"))[1]


def digest_in(body: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]+)"', body)
    assert found is not None
    return found[1]


async def switch(desk: Desk, login: str) -> None:
    desk.forget()
    await desk.sign_in(login)


async def test_a_page_never_waits_for_a_preview_and_follows_it_until_it_is_there(desk: Desk, town: Town) -> None:
    await desk.as_role("biller")
    one = await drafted(desk, town)
    assert (await desk.post(f"/console/campaigns/{one}/preview"))[0] == 303
    _, body = await desk.get(f"/console/campaigns/{one}/live", headers={"hx-request": "true"})
    assert ("0 of 7" in body, 'hx-trigger="every 2s"' in body, "<html" in body) == (True, True, False)
    await campaign_looks.work_looks(desk.wiring.road)
    _, body = await desk.get(f"/console/campaigns/{one}/live", headers={"hx-request": "true"})
    assert ("hx-trigger" in body, "$700.00" in body, "$600.00" in body) == (False, True, True)


async def test_a_preview_shows_words_as_a_phone_does_in_each_language_and_who_is_left_out_by_which_rule(
        desk: Desk, town: Town) -> None:
    await desk.as_role("biller")
    one = await drafted(desk, town)
    body = await previewed(desk, one)
    assert body.count('class="phone"') >= 2
    assert 'lang="es"' in body
    assert "America/New_York" in body
    link = re.search(r'href="(/console/campaigns/[^"]+outcome=none[^"]+)"', body)
    assert link is not None
    _, listed = await desk.get(link[1].replace("&amp;", "&"))
    assert re.findall(r"N\d{5}", listed) == ["N00007"]


async def test_who_made_it_does_not_approve_it_and_nothing_is_sent_before(desk: Desk, town: Town) -> None:
    desk.hire("bea", "supervisor")
    desk.hire("sam", "supervisor")
    await desk.sign_in("bea")
    one = await drafted(desk, town)
    mine = digest_in(await previewed(desk, one))
    assert (await desk.post(f"/console/campaigns/{one}/send"))[0] == 409
    status, body = await desk.post(f"/console/campaigns/{one}/approve", {"digest": mine})
    assert (status, "ask a colleague" in body) == (409, True)
    await switch(desk, "sam")
    assert (await desk.post(f"/console/campaigns/{one}/approve", {"digest": "0" * 32}))[0] == 409
    assert (await desk.post(f"/console/campaigns/{one}/approve", {"digest": mine}))[0] == 303
    assert town.row(one).status == "approved"
    assert (await desk.post(f"/console/campaigns/{one}/send"))[0] == 303
    assert town.row(one).status == "sending"


async def sending(desk: Desk, town: Town) -> str:
    town.settle(sending="on", bulk={"approval_above": 100})
    await desk.as_role("biller")
    one = await drafted(desk, town)
    await previewed(desk, one)
    assert (await desk.post(f"/console/campaigns/{one}/send"))[0] == 303
    return one


async def test_it_is_watched_paused_taken_up_again_and_stopped_with_a_reason(desk: Desk, town: Town) -> None:
    one = await sending(desk, town)
    await campaigning.feed_campaigns(desk.wiring.road)
    _, body = await desk.get(f"/console/campaigns/{one}/live", headers={"hx-request": "true"})
    assert "7 of 7 accounts worked" in body
    assert (await desk.post(f"/console/campaigns/{one}/pause"))[0] == 303
    assert (await desk.post(f"/console/campaigns/{one}/resume"))[0] == 303
    assert (await desk.post(f"/console/campaigns/{one}/stop", {"reason": " "}))[0] == 422
    assert (await desk.post(f"/console/campaigns/{one}/stop", {"reason": "the wrong words"}))[0] == 303
    left = desk.store.read(lambda session: {row.status for row in session.scalars(select(Outbox))})
    assert (town.row(one).status, left) == ("stopped", {"cancelled"})
    _, body = await desk.get(f"/console/campaigns/{one}")
    assert "the wrong words" in body


async def test_the_report_counts_every_account_and_can_be_taken_along_by_those_who_may(desk: Desk, town: Town) -> None:
    one = await sending(desk, town)
    await campaigning.feed_campaigns(desk.wiring.road)
    _, body = await desk.get(f"/console/campaigns/{one}/report")
    assert "No way leads to them" in body
    _, rows = await desk.get(f"/console/campaigns/{one}/report.csv")
    assert len(rows.splitlines()) == 8
    desk.forget()
    await desk.as_role("reader")
    assert (await desk.get(f"/console/campaigns/{one}/report.csv"))[0] == 403


async def test_a_simulation_tells_what_another_moment_would_make_of_it_and_sends_nothing(
        desk: Desk, town: Town) -> None:
    await desk.as_role("biller")
    one = await drafted(desk, town)
    assert (await desk.post(f"/console/campaigns/{one}/simulate"))[0] == 409  # nothing is supposed
    night = {"sent_on": "2026-11-10", "sent_at": "03:00"}
    assert (await desk.post(f"/console/campaigns/{one}/simulate", night))[0] == 303
    await campaign_looks.work_looks(desk.wiring.road)
    _, body = await desk.get(f"/console/campaigns/{one}")
    (look,) = desk.store.read(lambda session: session.scalars(select(CampaignLook)).all())
    assert (look.result or {})["become_late"] == 6
    assert "kind=simulation" in body
    assert desk.store.read(lambda session: session.scalars(select(Outbox)).all()) == []


async def test_a_look_whose_worker_went_is_begun_anew_and_only_the_newest_keeps_its_lists(
        desk: Desk, town: Town) -> None:
    await desk.as_role("biller")
    one = await drafted(desk, town)
    await previewed(desk, one)
    await desk.post(f"/console/campaigns/{one}/preview")
    gone = desk.store.write(lambda session: looks.claim(session, "gone", desk.clock()))
    assert gone is not None
    assert await campaign_looks.work_looks(desk.wiring.road) == 0
    desk.clock.advance(minutes=6)
    assert await campaign_looks.work_looks(desk.wiring.road) == 1
    kept = desk.store.read(lambda session: {row.look_id for row in session.scalars(select(CampaignLookList))})
    shown = desk.store.read(lambda session: {row.id for row in session.scalars(select(CampaignLook)) if row.samples})
    assert (kept, shown) == ({gone.id}, {gone.id})


async def test_a_preview_that_cannot_be_made_says_why_on_its_page(desk: Desk, town: Town) -> None:
    await desk.as_role("biller")
    one = await drafted(desk, town)
    await desk.post(f"/console/campaigns/{one}/preview")
    desk.store.write(lambda session: session.query(Campaign).update({"template": "no_such_words"}))
    await campaign_looks.work_looks(desk.wiring.road)
    _, body = await desk.get(f"/console/campaigns/{one}")
    assert "no_such_words cannot be used" in body


async def test_a_segment_of_numbers_names_each_line_that_is_no_account_and_keeps_nothing(
        desk: Desk, town: Town) -> None:
    await desk.as_role("biller")
    await desk.get("/console/segments")
    wrong = {"name": "listed", "numbers": "N00001\nN09999\nN00001"}
    status, body = await desk.post("/console/segments", wrong)
    assert (status, "line 2" in body, "line 3" in body) == (409, True, True)
    assert (await desk.post("/console/segments", {"name": "listed", "numbers": "N00001\r\nN00003"}))[0] == 303
    _, body = await desk.get(desk.location)
    assert "2 accounts today" in body
    both = {"name": "some", "languages": "es", "minimum": "50.00"}
    assert (await desk.post("/console/segments", both))[0] == 303
    assert "1 accounts today" in (await desk.get(desk.location))[1]


async def test_the_calendar_shows_what_waits_on_its_day_and_a_campaign_where_it_may_begin(
        desk: Desk, town: Town) -> None:
    await desk.as_role("biller")
    one = await drafted(desk, town, begins_on="2026-11-12", begins_at="10:30")
    await previewed(desk, one)
    _, body = await desk.get("/console/campaigns/calendar")
    days = body.split("<li")
    assert [("autumn" in day) for day in days if "Nov 12" in day or "11/12" in day] == [True]


def test_the_scheduler_works_looks_and_policies_but_no_long_look_before_its_first_tick() -> None:
    found = {job.name: job.at_start for job in JOBS}
    assert (found["work_looks"], found["start_policies"]) == (False, True)



async def test_reminders_show_where_each_account_stands_in_the_schedule_and_none_without_one(
        desk: Desk, town: Town) -> None:
    await desk.as_role("reader")
    assert "no schedule" in (await desk.get("/console/reminders"))[1]
    town.settle(sending="on", dunning={})
    _, body = await desk.get("/console/reminders")
    assert re.findall(r">(N\d{5})<", body) == [f"N{number:05}" for number in range(1, 8)]
    assert body.count(">a statement<") == 7


async def test_a_preview_stands_on_the_words_that_it_showed_and_not_on_those_of_a_moment_later(
        desk: Desk, town: Town) -> None:
    await desk.as_role("biller")
    one = await drafted(desk, town)
    await desk.post(f"/console/campaigns/{one}/preview")
    road = desk.wiring.road
    look = desk.store.write(lambda s: looks.claim(s, road.worker, desk.clock()))
    assert look is not None
    keep = desk.store.read(lambda s: campaign_looks._judge(s, road, look))
    file = source.shipped("statement_ready", "en")
    desk.store.write(lambda s: s.add(WordsChange(
        id="word_2", practice_id=world.PRACTICE, language="en", template="statement_ready",
        words=file.text.replace("You have a new billing message.", "We have a new bill for you."),
        shipped_version=file.version, reason="plainer", status="in_force", asked_by="a", asked_at=desk.clock())))
    assert desk.store.write(keep)
    row = desk.store.read(lambda s: s.get_one(Campaign, one))
    words = desk.store.read(lambda s: campaign_words.versions_of(s, row, town.policy))
    with pytest.raises(campaigns.CampaignRefused, match="changed since the preview"):
        desk.store.write(lambda s: campaigns.approve(
            s, one, by="ana", digest=row.preview_digest, policy=town.policy, words=words, now=desk.clock()))
