"""The life of a hold, on both databases."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import holds
from billing.figures import account_figures
from billing.hold_kinds import KINDS, reaches
from billing.holds import HoldRefused
from billing.store.tables import Hold, Practice
from bot.write import Store
from tests.parties.scene import Scene, set_up, version

TODAY = date(2026, 11, 3)


@pytest.fixture
def scene(store: Store, practice: Practice, now: datetime) -> Scene:
    return store.write(set_up(practice, now))


def place(session: Session, scene: Scene, kind: str, **more: Any) -> Hold:
    return holds.place(session, **{
        "practice_id": scene.practice_id, "guarantor_id": scene.guarantor_id, "kind": kind, "reason": "because",
        "source": "test", "placed_by": "ann", "now": scene.now, **more})


def test_placing_moves_the_balance_s_version_and_what_is_due(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        before = version(session, scene)
        place(session, scene, "dispute", visit_id=scene.visits[0])
        total = account_figures(session, scene.guarantor_id, TODAY).total
        assert version(session, scene) == before + 1
        assert (total.due_now_minor, total.held_minor, total.patient_minor) == (5_000, 7_000, 12_000)

    store.write(work)


def test_a_part_of_a_visit_can_be_held(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        place(session, scene, "waiver_check", visit_id=scene.visits[0], amount_minor=1_500)
        total = account_figures(session, scene.guarantor_id, TODAY).total
        assert (total.due_now_minor, total.held_minor) == (10_500, 1_500)

    store.write(work)


def test_a_handover_stops_demands_but_changes_nothing_that_is_due(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        place(session, scene, "handover")
        assert account_figures(session, scene.guarantor_id, TODAY).total.due_now_minor == 12_000

    store.write(work)


def test_the_same_cause_places_one_hold_and_a_released_one_stays_released(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        first = place(session, scene, "qmb", dedupe="qmb:claim_1")
        after = version(session, scene)
        assert place(session, scene, "qmb", dedupe="qmb:claim_1") is first
        assert version(session, scene) == after
        holds.release(session, scene.practice_id, first.id, released_by="bea", reason="not QMB", now=scene.now)
        again = place(session, scene, "qmb", dedupe="qmb:claim_1")
        assert again is first and again.released_at is not None

    store.write(work)


def test_without_a_cause_an_open_hold_alike_is_enough_and_a_new_one_follows_a_released_one(
        store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        first = place(session, scene, "staff_flag")
        assert place(session, scene, "staff_flag") is first
        holds.release(session, scene.practice_id, first.id, released_by="bea", reason="done", now=scene.now)
        second = place(session, scene, "staff_flag")
        assert second.id != first.id and second.released_at is None

    store.write(work)


def test_releasing_needs_a_reason_and_happens_once(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        row = place(session, scene, "attorney")
        with pytest.raises(HoldRefused, match="reason"):
            holds.release(session, scene.practice_id, row.id, released_by="bea", reason=" ", now=scene.now)
        before = version(session, scene)
        holds.release(session, scene.practice_id, row.id, released_by="bea", reason="withdrawn", now=scene.now)
        assert (row.released_by, row.released_reason) == ("bea", "withdrawn")
        assert version(session, scene) == before + 1
        with pytest.raises(HoldRefused, match="released before"):
            holds.release(session, scene.practice_id, row.id, released_by="bea", reason="again", now=scene.now)
        with pytest.raises(HoldRefused, match="no hold"):
            holds.release(session, scene.practice_id, "hold_x", released_by="bea", reason="x", now=scene.now)

    store.write(work)


def test_a_cause_that_is_taken_back_releases_its_hold_once(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        place(session, scene, "waiver_check", visit_id=scene.visits[0], dedupe="waiver:1")

        def release() -> Hold | None:
            return holds.release_by_dedupe(session, scene.practice_id, "waiver:1", released_by="import",
                                           reason="reversed", now=scene.now)

        assert release() is not None
        assert release() is None

    store.write(work)


@pytest.mark.parametrize(("kind", "more"), [
    ("nonsense", {}), ("takeback", {}), ("bankruptcy", {"visit_id": "guar_ann_v1"}),
    ("dispute", {"amount_minor": 100}), ("dispute", {"visit_id": "guar_ann_v1", "amount_minor": 0}),
    ("dispute", {"reason": ""}),
])
def test_a_hold_that_its_kind_does_not_allow_is_refused(
        store: Store, scene: Scene, kind: str, more: dict[str, Any]) -> None:
    with pytest.raises(HoldRefused):
        store.write(lambda session: place(session, scene, kind, **more) and None)


def test_open_holds_are_told_for_the_account_and_for_a_visit(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        place(session, scene, "attorney")
        place(session, scene, "dispute", visit_id=scene.visits[0])
        done = place(session, scene, "cease")
        holds.release(session, scene.practice_id, done.id, released_by="bea", reason="x", now=scene.now)
        assert holds.open_account_kinds(session, scene.guarantor_id) == ("attorney",)
        assert holds.open_visit_kinds(session, scene.visits[0]) == ("dispute",)
        assert {row.kind for row in holds.open_holds(session, scene.guarantor_id)} == {"attorney", "dispute"}

    store.write(work)


def test_a_hold_comes_up_for_review_on_its_day(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        row = place(session, scene, "insurance_update", visit_id=scene.visits[0])
        place(session, scene, "cease")
        assert row.review_on == date(2026, 12, 3)
        assert holds.review_due(session, scene.practice_id, date(2026, 12, 2)) == []
        assert holds.review_due(session, scene.practice_id, date(2026, 12, 3)) == [row]

    store.write(work)


def test_every_kind_names_its_source_and_can_be_placed_somewhere() -> None:
    assert {kind.scope for kind in KINDS.values()} == {"visit", "account", "either"}
    assert [kind.name for kind in KINDS.values() if not (kind.citation and kind.why)] == []


def test_a_hold_on_the_account_reaches_all_and_one_on_a_visit_only_as_far_as_its_kind_says() -> None:
    assert reaches("visit", None, ("v1",))
    assert reaches("visit", "v1", ("v1",)) and not reaches("visit", "v2", ("v1",))
    assert reaches("account", "v2", ("v1",)) and not reaches("", None, ("v1",))
