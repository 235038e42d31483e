"""The policy editor: proposed field by field, judged by the model, approved by another manager, in force on its day."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billing import policy_changes, policy_fields
from billing.store import practices
from billing.store.tables import PolicyChange, Practice
from bot.tick import start_policies
from config.practice import PracticePolicy
from tests.conftest import maple_clinic
from tests.console.conftest import Desk
from tests.payments import world

WINDOW = {"section": "frequency", "reason": "fewer messages", "names": "frequency.per_7_days", "values": "2"}


def policy_of(desk: Desk) -> PracticePolicy:
    return desk.store.read(lambda session: practices.policy_of(session.get_one(Practice, world.PRACTICE)))


def change_of(desk: Desk) -> PolicyChange:
    """The newest one."""
    return desk.store.read(lambda session: session.scalars(
        select(PolicyChange).order_by(PolicyChange.number.desc()).limit(1)).one())


async def as_manager(desk: Desk, login: str) -> None:
    desk.forget()
    if login not in desk.secrets:
        desk.hire(login, "manager")
    await desk.sign_in(login)


async def propose(desk: Desk, **more: Any) -> tuple[int, str]:
    await desk.get("/console/policy/edit?section=frequency")
    return await desk.post("/console/policy/changes", {**WINDOW, **more})


async def test_a_change_is_in_force_only_after_another_manager_said_yes(desk: Desk) -> None:
    desk.hire("mia", "manager")
    await as_manager(desk, "max")
    assert (await propose(desk))[0] == 303
    one = change_of(desk)
    status, body = await desk.post(f"/console/policy/changes/{one.id}/approve")
    assert (status, "ask a colleague" in body, policy_of(desk).frequency.per_7_days) == (409, True, 3)
    await as_manager(desk, "mia")
    _, body = await desk.get(f"/console/policy/changes/{one.id}")
    assert re.search(r"frequency\.per_7_days.*<del>3</del>.*<ins>2</ins>", body)
    assert (await desk.post(f"/console/policy/changes/{one.id}/approve"))[0] == 303
    assert policy_of(desk).frequency.per_7_days == 2
    kept = change_of(desk)
    assert (kept.status, kept.asked_by, kept.approved_by) == ("in_force", "max", "mia")


async def test_the_only_manager_waits_a_night(desk: Desk) -> None:
    await as_manager(desk, "max")
    await propose(desk)
    one = change_of(desk)
    status, body = await desk.post(f"/console/policy/changes/{one.id}/approve")
    assert (status, "tomorrow" in body) == (409, True)
    desk.clock.advance(hours=24)
    await as_manager(desk, "max")
    assert (await desk.post(f"/console/policy/changes/{one.id}/approve"))[0] == 303
    assert (policy_of(desk).frequency.per_7_days, change_of(desk).approved_how) == (2, "alone, overnight")


async def test_an_approved_change_waits_for_its_day(desk: Desk) -> None:
    desk.hire("mia", "manager")
    await as_manager(desk, "max")
    today = policy_of(desk).local_day(desk.clock())
    assert (await propose(desk, starts_on=(today - timedelta(days=1)).isoformat()))[0] == 409
    assert (await propose(desk, starts_on=(today + timedelta(days=2)).isoformat()))[0] == 303
    one = change_of(desk)
    await as_manager(desk, "mia")
    await desk.post(f"/console/policy/changes/{one.id}/approve")
    assert (await start_policies(desk.wiring.road), policy_of(desk).frequency.per_7_days) == (0, 3)
    desk.clock.advance(days=2)
    assert (await start_policies(desk.wiring.road), policy_of(desk).frequency.per_7_days) == (1, 2)
    assert await start_policies(desk.wiring.road) == 0


@pytest.mark.parametrize(("name", "value", "section"), [
    ("frequency.per_7_days", "9", "frequency"), ("frequency.per_7_days", "two", "frequency"),
    ("sending", "restored", "sending"), ("link_days", "", "schedule"), ("zone", "Mars/Base", "practice"),
    ("frequency.no_such_field", "1", "frequency")])
async def test_what_the_model_refuses_is_not_even_proposed_and_names_its_field(
        desk: Desk, name: str, value: str, section: str) -> None:
    await as_manager(desk, "max")
    status, body = await propose(desk, section=section, names=[name, "x.y"][:1], values=[value])
    assert status == 409
    assert name in body.casefold() or "this section does not have" in body
    assert desk.store.read(lambda session: session.scalars(select(PolicyChange)).all()) == []


async def test_two_changes_of_one_part_do_not_undo_each_other(desk: Desk) -> None:
    desk.hire("mia", "manager")
    await as_manager(desk, "max")
    await propose(desk)
    first = change_of(desk)
    await propose(desk, names="frequency.between_demands_days", values="9")
    second = change_of(desk)
    await propose(desk, section="schedule", names="link_days", values="20")
    other = change_of(desk)
    await as_manager(desk, "mia")
    assert (await desk.post(f"/console/policy/changes/{first.id}/approve"))[0] == 303
    status, body = await desk.post(f"/console/policy/changes/{second.id}/approve")
    assert (status, "changed since" in body) == (409, True)
    assert (await desk.post(f"/console/policy/changes/{other.id}/approve"))[0] == 303
    assert (policy_of(desk).frequency.per_7_days, policy_of(desk).link_days) == (2, 20)


async def test_a_supervisor_sees_every_version_and_changes_nothing(desk: Desk) -> None:
    await as_manager(desk, "max")
    await propose(desk)
    desk.forget()
    await desk.as_role("supervisor")
    _, body = await desk.get("/console/policy/versions")
    assert ("fewer messages" in body, "max" in body) == (True, True)
    assert (await desk.get("/console/policy/edit"))[0] == 403
    assert (await desk.post("/console/policy/changes", WINDOW))[0] == 403


async def test_a_refused_change_says_why_and_cannot_be_approved_any_more(desk: Desk) -> None:
    desk.hire("mia", "manager")
    await as_manager(desk, "max")
    await propose(desk)
    one = change_of(desk)
    assert (await desk.post(f"/console/policy/changes/{one.id}/refuse", {"reason": "not this year"}))[0] == 303
    assert "not this year" in (await desk.get(f"/console/policy/changes/{one.id}"))[1]
    await as_manager(desk, "mia")
    assert (await desk.post(f"/console/policy/changes/{one.id}/approve"))[0] == 409


def test_what_the_editor_shows_and_sends_back_unchanged_changes_nothing() -> None:
    """Every section, for a bare policy and for one with all its parts."""
    full = maple_clinic(dunning={}, plans={}, assistance=[{"since": "2026-01-01", "tiers": [
        {"fpl_percent": 200, "discount_percent": 100}]}], settlement={"written_on": "2026-01-02", "signed_by": "Dr A"},
        mail={"sender": "a@b.example"})
    for policy in (maple_clinic(), full):
        values = policy.model_dump(mode="json")
        for section in policy_fields.SECTIONS:
            written = {one.name: one.value for one in policy_fields.section(section, values)}
            found = policy_changes.judge(policy_fields.filled(section, values, written))
            assert policy_changes.differences(values, found.model_dump(mode="json")) == [], section


def test_a_step_is_added_one_is_taken_out_and_a_part_is_left_out() -> None:
    values = maple_clinic(dunning={}).model_dump(mode="json")
    fifth = {"dunning.steps.4.name": "last", "dunning.steps.4.day": "90", "dunning.steps.4.template": "reminder_final",
             "dunning.minimum_minor": "2.50"}
    made = policy_changes.judge(policy_fields.filled("schedule", values, fifth, frozenset({"dunning.steps.3"})))
    assert made.dunning is not None
    assert [(one.name, one.day) for one in made.dunning.steps] == [("first", 3), ("second", 17), ("third", 45),
                                                                   ("last", 90)]
    assert made.dunning.minimum_minor == 250
    gone = policy_changes.judge(policy_fields.filled("schedule", values, {}, frozenset({"dunning"})))
    assert gone.dunning is None


async def test_a_policy_file_is_a_version_too(desk: Desk) -> None:
    new = maple_clinic(link_days=12)
    desk.store.write(lambda session: policy_changes.keep_file(
        session, world.PRACTICE, new, by="ops", reason="from maple.toml", now=desk.clock()))
    kept = change_of(desk)
    assert (policy_of(desk).link_days, kept.origin, kept.status, kept.asked_by) == (12, "file", "in_force", "ops")
    assert {"field": "link_days", "old": 30, "new": 12} in kept.diff


def test_every_field_of_the_policy_is_in_one_section_of_the_editor() -> None:
    named = [name for names in policy_fields.SECTIONS.values() for name in names]
    assert sorted(named) == sorted(PracticePolicy.model_fields)


async def test_a_section_of_the_policy_that_changed_meanwhile_is_opened_again(desk: Desk) -> None:
    await desk.as_role("manager")
    _, page = await desk.get("/console/policy/edit?section=frequency")
    opened = re.search(r'name="opened" value="([0-9a-f]+)"', page)
    assert opened is not None
    desk.store.write(lambda s: policy_changes.keep_file(
        s, world.PRACTICE, policy_of(desk).model_copy(update={"bulk": policy_of(desk).bulk.model_copy(update={
            "approval_above": 7})}), by="root", reason="", now=desk.clock()))
    status, body = await desk.post("/console/policy/changes", {**WINDOW, "opened": opened[1]})
    assert status == 409 and "has changed since you opened it" in body
