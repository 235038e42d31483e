"""Work for people: opened once, owned, due within office hours, escalated, closed with its hold; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import audit, cases, holds, staff
from billing.calendar import due_by, next_opening, office_open
from billing.cases import CaseRefused
from billing.staff import StaffRefused
from billing.store.tables import Audit, Case, Practice
from bot.write import Store
from tests.conftest import maple_clinic
from tests.parties.scene import Scene, set_up


@pytest.fixture
def scene(store: Store, practice: Practice, now: datetime) -> Scene:
    return store.write(set_up(practice, now))


@pytest.fixture
def people(store: Store, scene: Scene) -> None:
    def add(session: Session) -> None:
        for login, role, deputy in (("max", "manager", None), ("dee", "supervisor", None), ("bea", "biller", "dee"),
                                    ("bob", "biller", None)):
            staff.add(session, scene.practice_id, login=login, name=login.title(), role=role, actor="max",
                      deputy_login=deputy, now=scene.now)

    store.write(add)


def opened(session: Session, scene: Scene, **more: Any) -> Case:
    return cases.open_case(session, scene.practice_id, **{
        "kind": "handover", "title": "A patient asks for a person", "detail": "wants to talk", "now": scene.now,
        "guarantor_id": scene.guarantor_id, **more})


def test_cases_are_numbered_without_gaps_and_owned_by_whoever_has_least(
        store: Store, scene: Scene, people: None) -> None:
    def work(session: Session) -> None:
        made = [opened(session, scene) for _ in range(3)]
        assert [case.number for case in made] == [1, 2, 3]
        assert [case.owner for case in made] == ["bea", "bob", "bea"]
        assert cases.find(session, scene.practice_id, "2") is made[1]
        assert cases.find(session, scene.practice_id, made[1].id) is made[1]

    store.write(work)


def test_a_number_is_not_lost_when_the_work_is_undone(store: Store, scene: Scene) -> None:
    def fail(session: Session) -> None:
        opened(session, scene)
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError):
        store.write(fail)
    assert store.write(lambda session: opened(session, scene).number) == 1


def test_a_practice_without_staff_still_gets_its_case(store: Store, scene: Scene) -> None:
    assert store.write(lambda session: opened(session, scene).owner) is None


def test_the_same_cause_opens_one_case_and_keeps_what_was_said(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        first = opened(session, scene, dedupe="handover:1")
        again = opened(session, scene, dedupe="handover:1", detail="wants to talk now")
        assert again is first
        assert [note.body for note in cases.notes(session, first.id)] == ["wants to talk now"]

    store.write(work)


def test_a_call_task_after_stop_is_opened_once_per_number(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        for _ in range(3):
            opened(session, scene, kind="call", dedupe=f"call:{scene.hashed}")
        assert [case.kind for case in cases.list_cases(session, scene.practice_id)] == ["call"]

    store.write(work)


def test_the_cause_coming_back_after_closing_is_a_new_case(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        first = opened(session, scene, dedupe="handover:1")
        cases.close(session, scene.practice_id, "1", by="bea", resolution="called", now=scene.now)
        assert opened(session, scene, dedupe="handover:1").id != first.id
        assert [case.id for case in cases.list_cases(session, scene.practice_id, closed=True)] == [first.id]

    store.write(work)


def test_closing_releases_the_hold_that_the_case_carried_and_no_other(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        opened(session, scene, hold="handover")
        holds.place(session, practice_id=scene.practice_id, guarantor_id=scene.guarantor_id, kind="attorney",
                    reason="letter", source="desk", placed_by="bea", now=scene.now)
        assert holds.open_account_kinds(session, scene.guarantor_id) == ("attorney", "handover")
        cases.reply(session, scene.practice_id, "1", by="bea", body="We look into it.", now=scene.now)
        assert holds.open_account_kinds(session, scene.guarantor_id) == ("attorney", "handover")
        cases.close(session, scene.practice_id, "1", by="bea", resolution="answered", now=scene.now)
        assert holds.open_account_kinds(session, scene.guarantor_id) == ("attorney",)

    store.write(work)


def test_a_dispute_about_one_visit_holds_that_visit(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        opened(session, scene, kind="dispute", hold="dispute", visit_id=scene.visits[1])
        assert holds.open_visit_kinds(session, scene.visits[1]) == ("dispute",)
        assert holds.open_account_kinds(session, scene.guarantor_id) == ()

    store.write(work)


def test_an_answered_case_is_open_again_when_the_patient_comes_back(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        case = opened(session, scene, dedupe="h")
        cases.reply(session, scene.practice_id, "1", by="bea", body="Done.", now=scene.now)
        assert case.status == "answered"
        later = scene.now + timedelta(days=1)
        opened(session, scene, dedupe="h", detail="still wrong", now=later)
        assert (case.status, case.due_at) == ("open", later + timedelta(hours=24))

    store.write(work)


@pytest.mark.parametrize("step", ["reply", "close"])
def test_a_closed_case_takes_no_further_step(store: Store, scene: Scene, step: str) -> None:
    def work(session: Session) -> None:
        opened(session, scene)
        cases.close(session, scene.practice_id, "1", by="bea", resolution="done", now=scene.now)
        steps = {"reply": lambda: cases.reply(session, scene.practice_id, "1", by="bea", body="more", now=scene.now),
                 "close": lambda: cases.close(session, scene.practice_id, "1", by="bea", resolution="x", now=scene.now)}
        with pytest.raises(CaseRefused, match="closed"):
            steps[step]()
        cases.add_note(session, scene.practice_id, "1", by="bea", body="for the file", now=scene.now)

    store.write(work)


@pytest.mark.parametrize("ref", ["99", "case_nothing"])
def test_a_case_that_is_not_there_is_named(store: Store, scene: Scene, ref: str) -> None:
    with pytest.raises(CaseRefused, match=ref):
        store.read(lambda session: cases.find(session, scene.practice_id, ref))


def test_an_answer_and_a_resolution_need_words(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        opened(session, scene)
        with pytest.raises(CaseRefused):
            cases.reply(session, scene.practice_id, "1", by="bea", body=" ", now=scene.now)
        with pytest.raises(CaseRefused):
            cases.close(session, scene.practice_id, "1", by="bea", resolution="", now=scene.now)

    store.write(work)


def test_an_overdue_case_goes_to_the_deputy_then_to_the_manager_each_with_a_notice(
        store: Store, scene: Scene, people: None) -> None:
    def work(session: Session) -> None:
        case = opened(session, scene)
        assert cases.escalate(session, case.due_at - timedelta(seconds=1)) == []
        [first] = cases.escalate(session, case.due_at)
        assert (first.login, first.level, case.owner) == ("dee", 1, "dee")
        assert cases.escalate(session, scene.now + timedelta(hours=25)) == []
        [second] = cases.escalate(session, case.due_at)
        assert (second.login, second.level, case.owner) == ("max", 2, "max")
        assert cases.escalate(session, case.due_at + timedelta(days=30)) == []
        assert [note.kind for note in cases.notes(session, case.id)] == ["notice", "notice"]

    store.write(work)


def test_without_a_deputy_it_goes_to_the_manager_at_once_and_an_answered_case_goes_nowhere(
        store: Store, scene: Scene, people: None) -> None:
    def work(session: Session) -> None:
        opened(session, scene)
        second = opened(session, scene)
        assert second.owner == "bob"
        cases.reply(session, scene.practice_id, "1", by="bea", body="Done.", now=scene.now)
        [told] = cases.escalate(session, second.due_at)
        assert (told.number, told.login, told.level) == (2, "max", 2)

    store.write(work)


def test_an_urgent_case_is_due_in_minutes_at_any_hour(store: Store, scene: Scene, people: None) -> None:
    night = datetime(2026, 11, 7, 8, 0, tzinfo=UTC)

    def work(session: Session) -> None:
        case = opened(session, scene, kind="emergency", hold="emergency", urgent=True, now=night)
        assert (case.due_at, case.owner) == (night + timedelta(minutes=15), "dee")

    store.write(work)


def ny(text: str) -> datetime:
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)


@pytest.mark.parametrize(("asked", "due"), [
    ("2026-11-03T09:00", "2026-11-03T17:00"),  # a whole Tuesday
    ("2026-11-03T10:00", "2026-11-04T10:00"),
    ("2026-11-03T16:59", "2026-11-04T16:59"),
    ("2026-11-03T17:00", "2026-11-04T17:00"),  # closing time counts as closed
    ("2026-11-06T16:00", "2026-11-09T16:00"),  # over the weekend
    ("2026-11-07T12:00", "2026-11-09T17:00"),  # Saturday
    ("2026-11-10T16:00", "2026-11-12T16:00"),  # over Veterans Day
    ("2026-10-30T16:00", "2026-11-02T16:00"),  # over the night of the clock change
    ("2026-07-02T16:00", "2026-07-06T16:00"),  # over Independence Day, observed on Friday
])
def test_a_case_is_due_after_eight_hours_of_open_office(asked: str, due: str) -> None:
    assert due_by(maple_clinic(), ny(asked)) == ny(due)


def test_a_practice_that_never_opens_still_promises_an_end() -> None:
    closed = maple_clinic(office_hours={"weekday": {}})
    assert due_by(closed, ny("2026-11-03T10:00")) == ny("2026-11-03T18:00")
    assert next_opening(closed, ny("2026-11-03T10:00")) is None


def test_the_office_is_open_in_its_hours_and_closed_on_holidays() -> None:
    policy = maple_clinic()
    assert office_open(policy, ny("2026-11-03T09:00")) and not office_open(policy, ny("2026-11-03T17:00"))
    assert not office_open(policy, ny("2026-11-11T10:00"))
    assert next_opening(policy, ny("2026-11-10T18:00")) == ny("2026-11-12T09:00")


def test_nobody_approves_their_own_request() -> None:
    with pytest.raises(StaffRefused, match="own request"):
        staff.require_other("bea", " Bea ")
    staff.require_other("bea", "bob")


def test_roles_decide_what_people_may_do(store: Store, scene: Scene, people: None) -> None:
    def work(session: Session) -> None:
        assert staff.require(session, scene.practice_id, "bea", "cases").login == "bea"
        with pytest.raises(StaffRefused, match="supervisor, manager"):
            staff.require(session, scene.practice_id, "bea", "approve")
        with pytest.raises(StaffRefused, match="nobody"):
            staff.require(session, scene.practice_id, "eve", "read")
        assert {person.login for person in staff.everybody(session, scene.practice_id)} == {"bea", "bob", "dee", "max"}

    store.write(work)


@pytest.mark.parametrize("more", [{"login": "bea"}, {"role": "king"}, {"deputy_login": "zoe"},
                                  {"login": "eve", "deputy_login": "eve"}, {"login": " "}])
def test_people_that_cannot_be_are_not_added(
        store: Store, scene: Scene, people: None, more: dict[str, Any]) -> None:
    values: dict[str, Any] = {"login": "eve", "name": "Eve", "role": "biller", "actor": "max", "now": scene.now, **more}
    with pytest.raises(StaffRefused):
        store.write(lambda session: staff.add(session, scene.practice_id, **values) and None)


def test_adding_a_person_is_in_the_audit_trail(store: Store, scene: Scene, people: None) -> None:
    from sqlalchemy import select

    entries = store.read(lambda session: [(a.actor, a.action) for a in session.scalars(select(Audit))])
    assert entries.count(("max", "staff_added")) == 4


def test_an_audit_entry_names_who_acted(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        audit.record(session, scene.practice_id, " ", "read", "account", "guar_x", "", scene.now)

    with pytest.raises(ValueError, match="PLAINBILL_STAFF"):
        store.write(work)


def test_an_emergency_is_cleared_by_a_named_person_with_a_reason_and_by_no_day_of_review(
        store: Store, scene: Scene, people: None) -> None:
    def work(session: Session) -> None:
        case = opened(session, scene, kind="emergency", hold="emergency", urgent=True)
        for nobody in ("operator", "plainbill", "", "patient"):
            with pytest.raises(CaseRefused, match="named person"):
                cases.close(session, scene.practice_id, case.id, by=nobody, resolution="fine", now=scene.now)
        later = scene.now + timedelta(days=400)
        cases.escalate(session, later)
        assert holds.review_due(session, scene.practice_id, later.date())
        assert holds.open_account_kinds(session, scene.guarantor_id) == ("emergency",)
        with pytest.raises(CaseRefused, match="resolution"):
            cases.close(session, scene.practice_id, case.id, by="dee", resolution=" ", now=later)
        cases.close(session, scene.practice_id, case.id, by="dee", resolution="spoke with the patient", now=later)
        assert holds.open_account_kinds(session, scene.guarantor_id) == ()

    store.write(work)


def test_an_emergency_that_nobody_answers_goes_up_every_quarter_of_an_hour_also_at_night(
        store: Store, scene: Scene, people: None) -> None:
    night = datetime(2026, 11, 8, 8, 0, tzinfo=UTC)

    def work(session: Session) -> None:
        case = opened(session, scene, kind="emergency", hold="emergency", urgent=True, now=night)
        assert case.due_at == night + timedelta(minutes=15)
        assert cases.escalate(session, night + timedelta(minutes=14)) == []
        assert len(cases.escalate(session, night + timedelta(minutes=15))) == 1
        assert case.due_at == night + timedelta(minutes=30)

    store.write(work)
