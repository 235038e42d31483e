"""One account that cannot be worked stops neither the others of its practice nor the practices after it."""

from __future__ import annotations

from datetime import timedelta

from bot.cli import dunning
from bot.cli.edge import Edge
from config.settings import load
from tests.dunning.house import ANNA, House
from tests.dunning.test_people_first import START
from tests.payments.world import PRACTICE

MISNAMED = {"steps": ({"name": "first", "day": 3, "template": "no_such_words"},)}
RIGHT = {"steps": ({"name": "first", "day": 3, "template": "reminder_first"},)}


def test_words_that_are_not_there_stop_nobody_else_and_come_before_a_person_once(house: House) -> None:
    house.settle(dunning=MISNAMED)
    house.account()
    house.live(1, START)
    house.account("acct_eva", "A2", phone="+12125550124")
    due = house.policy.statement_due_days + 3
    for days in (due, due + 1):
        house.at(START + timedelta(days=days), 12, 5)
        house.tick()
        house.deliver()
    assert [template for _, _, template, _ in house.said()] == ["statement_ready"]
    assert [template for _, _, template, _ in house.said("acct_eva")] == ["statement_ready"]
    assert house.cases() == ["dunning_fault"]
    house.settle(dunning=RIGHT)
    house.at(START + timedelta(days=due + 2), 12, 5)
    house.tick()
    assert [template for _, _, template, _ in house.said()] == ["statement_ready", "reminder_first"]


def test_a_run_by_hand_goes_on_behind_an_account_that_cannot_be_worked_and_tells_its_id(house: House) -> None:
    house.settle(dunning=MISNAMED)
    house.account()
    house.live(1, START)
    house.account("acct_eva", "A2", phone="+12125550124")
    house.at(START + timedelta(days=house.policy.statement_due_days + 3), 12, 5)
    edge = Edge(load(None), house.clock, house.store, PRACTICE, house.policy, True, "bill")
    told = {line.account: (line.outcome, line.rule) for line in dunning._work(edge)}
    assert told[ANNA] == ("fault", "fault"), "by our own id, and no number of the practice's"
    assert told["A2"][0] in ("queued", "deferred")
