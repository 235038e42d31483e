"""``plainbill collections`` and ``plainbill assistance``: the whole way from the worklist to the agency and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from billing.store.seal import install_keyring
from bot.cli.edge import keyring
from bot.write import open_store
from config.settings import load
from tests.cli.conftest import Outcome, Run, plainbill
from tests.collections.office import OWED, Office, make_office
from tests.conftest import TEST_KEYS, Clock
from tests.payments.world import PRACTICE

__all__ = ["plainbill"]


@dataclass
class Desk:
    """People at the machine, on the office's own day."""

    office: Office
    plainbill: Run

    def call(self, actor: str, *words: str) -> Outcome:
        return self.plainbill(*words, PRACTICE=PRACTICE, STAFF=actor, CLOCK=self.office.clock().isoformat())

    def run(self, actor: str, *words: str) -> Any:
        done = self.call(actor, "collections", *words, "--json")
        assert done.code == 0, done.err
        return done.json

    def help(self, actor: str, *words: str) -> Any:
        done = self.call(actor, "assistance", *words, "--json")
        assert done.code == 0, done.err
        return done.json

    def refused(self, actor: str, *words: str) -> str:
        done = self.call(actor, *words)
        assert done.code != 0
        return done.err


@pytest.fixture
def desk(tmp_path: Path, plainbill: Run) -> Iterator[Desk]:
    (tmp_path / "var").mkdir()
    store = open_store(f"sqlite:///{tmp_path}/var/plainbill.db", keyring(load(None)))
    yield Desk(make_office(store, Clock()), plainbill)
    store.close()
    install_keyring(TEST_KEYS)


def test_from_the_worklist_to_the_agency_and_back(desk: Desk, tmp_path: Path) -> None:
    desk.office.overdue()
    assert [one["action"] for one in desk.run("bill", "worklist")] == ["propose_placement"]
    made = desk.run("bill", "place", "A1", "--agency", "acme")
    assert "needs supervisor, manager" in desk.refused("bill", "collections", "approve", made[0]["placement_id"])
    assert desk.run("max", "approve", made[0]["placement_id"])["status"] == "approved"
    out = desk.run("max", "export", "--agency", "acme", "--to", str(tmp_path))
    assert out[0]["placed_minor"] == OWED and Path(out[0]["file"]).exists()
    report = tmp_path / "r.csv"
    report.write_text("reference,placement_id,kind,on,amount,fee,note\n"
                      f"R1,{made[0]['placement_id']},payment,2027-02-05,25.00,6.25,\n", "utf-8")
    assert [one["state"] for one in desk.run("bill", "returns", str(report), "--agency", "acme")] == ["taken"]
    assert [one["left_minor"] for one in desk.run("bill", "placements")] == [7_500]
    assert desk.run("bill", "show", "A1")["visits"][0]["at_agency_minor"] == 7_500
    assert desk.run("max", "recall", made[0]["placement_id"], "--reason", "asked back")["status"] == "recalled"


def test_a_write_off_and_an_offer(desk: Desk) -> None:
    desk.office.overdue()
    asked = desk.run("bill", "writeoff", "A1", "--kind", "administrative", "--reason", "our error",
                     "--visit", "visit_A1=10.00")
    assert desk.run("max", "approve", asked["id"])["status"] == "approved"
    offer = desk.run("bill", "settle", "A1", "--kind", "past_due")
    assert offer["amount_minor"] == 6_750
    assert [one["status"] for one in desk.run("bill", "offers")] == ["offered"]
    assert desk.run("bill", "withdraw", offer["id"], "--reason", "paid at the desk")["status"] == "withdrawn"
    assert [one["status"] for one in desk.run("bill", "writeoffs")] == ["approved"]


def test_an_application_from_asking_to_approval(desk: Desk) -> None:
    desk.office.account()
    assert desk.help("bill", "ask", "A1")["status"] == "asked"
    desk.help("bill", "missing", "1", "signature")
    desk.help("bill", "receive", "1", "--people", "2", "--income", "0", "--fpl-percent", "90")
    assert "manager alone" in desk.refused("sam", "assistance", "approve", "1")
    assert desk.help("max", "approve", "1")["forgiven_minor"] == OWED
    assert desk.help("bill", "show", "1")["household"]["people"] == 2
    assert [one["status"] for one in desk.help("bill", "list")] == ["approved"]


def test_a_refusal_is_said_in_words(desk: Desk) -> None:
    desk.office.account()
    place = ("collections", "place", "A1", "--agency")
    assert "Nothing of this account can be placed now" in desk.refused("bill", *place, "acme")
    assert "names no agency" in desk.refused("bill", *place, "other")
    assert "There is no such account" in desk.refused("bill", "collections", "show", "A9")
    assert "PLAINBILL" not in desk.refused("bill", "assistance", "approve", "7")
