"""A day that does not agree is signed by somebody else than counted it; with nobody else there, after a night."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from billing import closing, staff
from billing.closing import CloseRefused
from billing.store.tables import Audit, Practice
from billing.store.tables_money import DayClose, Difference
from bot.write import Store
from tests.close.test_day import TODAY, count_all
from tests.close.test_day import desk as takings
from tests.conftest import Clock, maple_clinic
from tests.payments.world import PRACTICE

desk = takings  # the fixture, under its own name
NOTE = "a dollar was given as change by mistake"


def hire(store: Store, clock: Clock, **roles: str) -> None:
    for login, role in roles.items():
        store.write(partial(staff.add, practice_id=PRACTICE, login=login, name=login, role=role, actor="test",
                            now=clock()))


def sign(store: Store, clock: Clock, by: str, note: str = NOTE) -> None:
    store.write(lambda s: closing.sign(s, PRACTICE, TODAY, by=by, note=note, today=maple_clinic().local_day(clock()),
                                       now=clock()))


def reasons(store: Store) -> list[str]:
    return list(store.read(lambda s: s.scalars(select(Audit.reason).where(Audit.action == "day_locked")).all()))


def test_whoever_counted_does_not_sign_a_day_that_is_short_and_a_colleague_does(desk: Store, clock: Clock) -> None:
    hire(desk, clock, ana="supervisor", mia="supervisor")
    count_all(desk, clock, cash=4_900)
    with pytest.raises(CloseRefused, match="ask a colleague"):
        sign(desk, clock, "ana")
    assert desk.read(lambda s: s.query(DayClose).count()) == 0
    sign(desk, clock, "mia")
    assert reasons(desk) == ["over or short -100 cents, second person"]


def test_whoever_counted_somebody_elses_drawer_does_not_sign_it_either(desk: Store, clock: Clock) -> None:
    hire(desk, clock, mia="supervisor", sue="manager")
    count_all(desk, clock)
    desk.write(lambda s: closing.count(s, PRACTICE, TODAY, person="ana", tender="cash", counted_minor=4_900,
                                       now=clock(), by="Mia"))
    with pytest.raises(CloseRefused, match="ask a colleague"):
        sign(desk, clock, "mia")
    sign(desk, clock, "sue")


def test_the_only_one_who_may_sign_does_so_after_a_night_and_the_trail_says_so(desk: Store, clock: Clock) -> None:
    hire(desk, clock, ana="manager", ben="biller")
    count_all(desk, clock, cash=4_900)
    with pytest.raises(CloseRefused, match="a night has to pass"):
        sign(desk, clock, "ana")
    clock.advance(days=1)
    sign(desk, clock, "ana")
    assert reasons(desk) == ["over or short -100 cents, alone, overnight"]


def test_a_count_anew_takes_another_night(desk: Store, clock: Clock) -> None:
    hire(desk, clock, ana="manager")
    count_all(desk, clock, cash=4_900)
    clock.advance(days=1)
    desk.write(lambda s: closing.count(s, PRACTICE, TODAY, person="ana", tender="cash", counted_minor=4_950,
                                       now=clock()))
    with pytest.raises(CloseRefused, match="a night has to pass"):
        sign(desk, clock, "ana")


def test_where_the_practice_wants_two_people_no_night_stands_for_one(desk: Store, clock: Clock) -> None:
    def strict(session: object) -> None:
        row = session.get_one(Practice, PRACTICE)  # type: ignore[attr-defined]
        row.settings = maple_clinic(bulk={"overnight_if_alone": False}).model_dump(mode="json")

    desk.write(strict)
    hire(desk, clock, ana="manager")
    count_all(desk, clock, cash=4_900)
    clock.advance(days=2)
    with pytest.raises(CloseRefused, match="ask a colleague"):
        sign(desk, clock, "ana")


def test_an_open_difference_wants_a_second_person_as_well(desk: Store, clock: Clock) -> None:
    hire(desk, clock, ana="supervisor", mia="supervisor")
    count_all(desk, clock)
    desk.write(lambda s: s.add(Difference(
        id="dif_1", practice_id=PRACTICE, kind="stranger", object_ref="txn_1", status="open", what_was_done="",
        found_at=clock(), dedupe="x")))
    with pytest.raises(CloseRefused, match="ask a colleague"):
        sign(desk, clock, "ana")
    sign(desk, clock, "mia")


def test_a_day_that_agrees_is_signed_by_whoever_may(desk: Store, clock: Clock) -> None:
    hire(desk, clock, ana="supervisor", mia="supervisor")
    count_all(desk, clock)
    sign(desk, clock, "ana", note="")
    assert reasons(desk) == ["over or short 0 cents"]
    assert TODAY + timedelta(days=1) == desk.write(lambda s: closing.open_day(s, PRACTICE, TODAY))
