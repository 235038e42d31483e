"""Whatever happens to a debt, in any order: owed here, placed, given, written off and paid add up to the bill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from billing import agency_returns, assistance, placements, settlement_offers, staff, write_offs
from billing.agency_returns import ReturnRow
from billing.lives import IllegalMove
from billing.store.tables import AssistanceApplication, Offer, Placement, WriteOff
from bot.collection_days import work_practice
from bot.write import Store, open_store
from tests.collections.office import OWED, Office, make_office
from tests.conftest import TEST_KEYS, Clock
from tests.databases import copy_sqlite
from tests.dunning.house import ANNA
from tests.payments.world import PRACTICE

REFUSED = (placements.PlacementRefused, settlement_offers.OfferRefused, write_offs.WriteOffRefused,
           assistance.AssistanceRefused, staff.StaffRefused, IllegalMove)

acts = st.lists(st.tuples(st.sampled_from((
    "propose", "approve", "export", "recall", "report", "give_up", "pay", "ask_help", "help", "deny", "offer",
    "write_off", "allow", "take_back", "night", "dispute", "release")), st.integers(1, 60)), min_size=4, max_size=14)


class Play:
    """One account, anything anybody may do to it; refusals change nothing."""

    def __init__(self, office: Office) -> None:
        self.office, self.paid, self.turn, self.hold = office, 0, 0, ""

    def do(self, act: str, size: int) -> None:
        self.turn += 1
        self.office.clock.advance(minutes=1)
        with suppress(*REFUSED):
            getattr(self, act)(size * 100)
        self.check()

    def _ids(self, kind: type, *statuses: str) -> list[str]:
        return self.office.do(lambda s: list(s.scalars(select(kind.id).where(  # type: ignore[attr-defined]
            kind.status.in_(statuses)))))  # type: ignore[attr-defined]

    def _each(self, kind: type, statuses: Sequence[str], act: Callable[..., object], **more: str) -> None:
        now = self.office.clock()
        for one in self._ids(kind, *statuses):
            self.office.do(lambda s, one=one: act(s, PRACTICE, one, by="max", now=now, **more))  # type: ignore[misc]

    def propose(self, minor: int) -> None:
        self.office.propose()

    def approve(self, minor: int) -> None:
        self._each(Placement, ("proposed",), placements.approve)

    def export(self, minor: int) -> None:
        self.office.gather()

    def recall(self, minor: int) -> None:
        self._each(Placement, ("placed",), placements.recall, reason="x")

    def report(self, minor: int) -> None:
        self._report("payment", minor)

    def give_up(self, minor: int) -> None:
        self._report("closed", 0)

    def _report(self, kind: str, minor: int) -> None:
        office = self.office
        for one in self._ids(Placement, "placed", "paid"):
            row = ReturnRow(2, f"R{self.turn}", one, kind, office.policy.local_day(office.clock()), minor, minor // 4)
            done = office.do(lambda s, row=row: agency_returns.take_row(  # type: ignore[misc]
                s, PRACTICE, "acme", row, file_id="f", by="bill", now=office.clock()))
            self.paid += done.amount_minor

    def pay(self, minor: int) -> None:
        self.office.pay(minor)
        self.paid += minor

    def ask_help(self, minor: int) -> None:
        self.office.do(lambda s: assistance.ask(s, practice_id=PRACTICE, guarantor_id=ANNA, by="bill",
                                                now=self.office.clock()))

    def help(self, minor: int) -> None:
        household = {"people": 1, "income_minor": 0, "fpl_percent": 150 + minor // 40, "source": "paper"}
        self._each(AssistanceApplication, ("asked", "incomplete"), assistance.receive,
                   household=household)  # type: ignore[arg-type]
        self._each(AssistanceApplication, ("received",), assistance.approve)

    def deny(self, minor: int) -> None:
        self._each(AssistanceApplication, ("received", "incomplete"), assistance.deny, reason="x")

    def offer(self, minor: int) -> None:
        self.office.do(lambda s: settlement_offers.make(s, practice_id=PRACTICE, guarantor_id=ANNA, kind="past_due",
                                                        by="bill", now=self.office.clock()))

    def write_off(self, minor: int) -> None:
        kind = ("administrative", "bad_debt", "small_balance")[minor // 100 % 3]
        self.office.do(lambda s: write_offs.ask(s, practice_id=PRACTICE, guarantor_id=ANNA, kind=kind, reason="x",
                                                by="bill", now=self.office.clock()))

    def allow(self, minor: int) -> None:
        self._each(WriteOff, ("asked",), write_offs.approve)

    def take_back(self, minor: int) -> None:
        self._each(WriteOff, ("approved",), write_offs.take_back, reason="x")

    def night(self, minor: int) -> None:
        self.office.clock.at += timedelta(days=minor // 100)
        self.office.do(lambda s: work_practice(s, PRACTICE, self.office.clock()))

    def dispute(self, minor: int) -> None:
        self.hold = self.hold or self.office.hold("dispute")

    def release(self, minor: int) -> None:
        if self.hold:
            self.office.release(self.hold)
            self.hold = ""

    def check(self) -> None:
        """Refunds are asked for by check and posted at once here, so that money given back counts against the paid."""
        office, money = self.office, self.office.cash()
        given = sum(money.get(key, 0) for key in ("charity", "bad_debt", "small_balances", "discounts"))
        back = -sum(min(office.balance(key), 0) for key in ("cash:manual:check",))
        credit = office.figures().credit_minor
        assert office.owes() + money.get("agency", 0) + given + self.paid - back - credit == OWED
        assert office.owes() >= 0 and credit >= 0
        placed = office.do(lambda s: sum(s.scalars(select(Placement.left_minor))))
        assert placed == money.get("agency", 0) >= 0
        assert len(self._ids(Placement, "placed")) <= 1 and len(self._ids(Offer, "offered")) <= 1


def play(store: Store, script: list[tuple[str, int]]) -> None:
    game = Play(make_office(store, Clock()))
    game.office.overdue()
    for act, size in script:
        game.do(act, size)
    game.office.clean()


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(script=acts)
def test_it_always_adds_up_to_the_bill(script: list[tuple[str, int]], sqlite_template: Path,
                                       tmp_path_factory: pytest.TempPathFactory) -> None:
    store = open_store(copy_sqlite(sqlite_template, tmp_path_factory.mktemp("play")), TEST_KEYS)
    try:
        play(store, script)
    finally:
        store.close()


FULL_LIFE = [("propose", 1), ("approve", 1), ("export", 1), ("report", 10), ("pay", 15), ("dispute", 1), ("night", 1),
             ("release", 1), ("give_up", 1), ("pay", 5), ("offer", 1), ("pay", 60), ("ask_help", 1), ("help", 60)]


def test_a_whole_life_adds_up_on_each_database(store: Store) -> None:
    play(store, FULL_LIFE)
