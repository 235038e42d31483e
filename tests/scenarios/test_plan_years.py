"""Three years of days of instalment plans: 2026-11 to 2029-11, with 29 February, the 31st and the clocks of four zones.

Issue 4, "Shown by" 2. The fast form lives 10 short plans on SQLite; the slow one 500 plans of any length, 25 to a
practice on SQLite or PostgreSQL, each practice with another policy. PLAN_YEARS_OUT names a folder for the files; a
reader may also run
``python -m tests.scenarios.plan_years --out plans.csv``.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.store.seal import Keyring
from bot.write import Store, open_store
from tests.databases import copy_sqlite
from tests.scenarios.plan_years import COLUMNS, Years, ends, live, write_csv
from tests.scenarios.plan_years_facts import Fact, Story
from tests.scenarios.plan_years_judge import Judge, Rules, due_days

FAST_SEED = 40
SLOW_SEEDS = range(101, 121)
#: The engine changes nothing that a plan does: most years are lived on SQLite, which costs half the time.
ON_POSTGRESQL = frozenset({102, 107, 113, 118})


def told(years: Years, folder: Path) -> Path:
    """Write the outcomes where the environment wants them, and say on which seed they hang."""
    folder = Path(os.environ.get("PLAN_YEARS_OUT") or folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"plan_years_{years.seed}.csv"
    write_csv(path, [years])
    print(f"seed {years.seed}: {ends([years])}, {years.worked_days} days worked, {path}", file=sys.stderr)
    return path


def test_ten_plans_of_three_years_keep_every_promise_and_end_as_their_facts_say(sqlite_store: Store,
                                                                             tmp_path: Path) -> None:
    """Charges, notices, consents, holds, tries, ends and cents, judged by code that shares nothing with the plans."""
    years = live(sqlite_store, FAST_SEED, 10, longest=4)
    path = told(years, tmp_path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) >= 10
    assert {"completed", "cancelled", "defaulted"} <= set(ends([years]))
    assert years.on_the_day > 0
    assert sum(int(row["charged"]) for row in rows) > 10
    assert years.faults == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", SLOW_SEEDS)
def test_500_plans_of_three_years_keep_every_promise_and_end_as_their_facts_say(
        seed: int, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The same with plans of any length, many more acts, and each practice with a policy and a zone of its own."""
    store = request.getfixturevalue("postgresql_store" if seed in ON_POSTGRESQL else "sqlite_store")
    years = live(store, seed, 25)
    told(years, tmp_path)
    assert years.faults == ()


#: Lives in which a promise was broken once: (seed, plans, longest, customer) and what it was.
BROKE_ONCE = {
    "a part of an instalment was held back, and one notice served for a charge a day": (11, 25, 4, 3),
    "one missed instalment, fewer than the policy's number, and the plan was behind for ever": (10, 25, 4, 15),
    "the first instalment was missed, the last one paid, and the plan was behind for ever": (20, 25, 5, 16),
    "a debit takes days, and the next instalment's notice waited for it: a plan by weeks drifted": (31, 8, 4, 2),
    "an insurer's answer left one missed instalment, and the plan was behind for ever": (33, 20, 7, 16),
}


@pytest.mark.parametrize("what", BROKE_ONCE)
def test_a_life_that_broke_a_promise_keeps_it_now(what: str, sqlite_store: Store) -> None:
    """Each was found by the judge in one of these years."""
    seed, plans, longest, customer = BROKE_ONCE[what]
    assert live(sqlite_store, seed, plans, longest=longest, only=customer).faults == ()


@pytest.fixture
def two_stores(sqlite_template: Path, tmp_path: Path, keyring: Keyring) -> Iterator[tuple[Store, Store]]:
    stores = []
    for name in ("sparse", "dense"):
        (tmp_path / name).mkdir()
        stores.append(open_store(copy_sqlite(sqlite_template, tmp_path / name), keyring))
    yield stores[0], stores[1]
    for store in stores:
        store.close()


def _outcome(row: dict[str, Any]) -> dict[str, Any]:
    """An offer that nobody took ends at an hour of the day, and is put away when next asked about: maybe tomorrow.
    """
    return {**row, "ended_on": ""} if row["ended"] == "cancelled" and not row["paid"] else dict(row)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [31, 35])
def test_asking_on_every_day_and_at_many_hours_changes_nothing(seed: int, two_stores: tuple[Store, Store]) -> None:
    """The years above are worked only on days when something may happen; asked four times on each of 1,100 days, with
    the hours that the clocks repeat and leave out, every plan has the same outcome.
    """
    sparse, dense = (live(store, seed, 8, longest=4, compared=True, dense=number == 1)
                     for number, store in enumerate(two_stores))
    assert dense.worked_days > 1_000 > sparse.worked_days
    assert [_outcome(row) for row in sparse.rows] == [_outcome(row) for row in dense.rows]
    assert len(sparse.faults) == len(dense.faults)


# The judge is judged: each of these lives breaks one promise, and the judge must say so.

ZONE = ZoneInfo("America/New_York")
RULES = Rules(notice_days=3, grace_days=5, missed_before_default=2, asleep=frozenset())
DUE = date(2027, 1, 31)


def fact(day: date, kind: str, hour: int = 11, **values: Any) -> Fact:
    return Fact(datetime(day.year, day.month, day.day, hour, tzinfo=ZONE), day, kind, values)


def signed(**changes: Any) -> Fact:
    return fact(date(2027, 1, 10), "signed", **{
        "plan": "p", "interval": "month", "days": (31,), "collects": "autopay", "card": "pm_1", "most": 50_00,
        "parts": [(1, DUE, 50_00), (2, date(2027, 2, 28), 50_00)], "visits": {"v": 100_00}, "replaces": None,
        **changes})


def asked(**changes: Any) -> Fact:
    day = changes.pop("day", DUE)
    return fact(day, "asked", **{
        "payment": "pay_1", "plan": "p", "number": 1, "way": "autopay", "card": "pm_1", "method_kind": "card",
        "minor": 50_00, "again": False, "owed": {"v": 100_00}, "for_visits": {"v": 50_00}, "due_on": DUE, **changes})


def answer(payment: str = "pay_1", status: str = "paid", code: str = "", day: date = DUE) -> Fact:
    return fact(day, "answer", payment=payment, card="pm_1", minor=50_00, status=status, code=code)


def told_of(number: int, minor: int, day: date = date(2027, 1, 26)) -> Fact:
    return fact(day, "told", what="plan_notice", plan="p", numbers=[number], minor=minor)


NEXT = date(2027, 2, 3)
BROKEN: dict[str, tuple[list[Fact], str]] = {
    "above the consent": ([signed(), asked(minor=50_01, for_visits={"v": 50_01})], "most"),
    "above what is owed": ([signed(), asked(owed={"v": 49_99})], "was owed"),
    "before its day": ([signed(), asked(day=date(2027, 1, 30))], "before its day"),
    "without notice": ([signed(), asked()], "without a notice"),
    "told of another": ([signed(), told_of(2, 50_00), asked()], "without a notice"),
    "its notice never arrived": ([signed(), told_of(1, 50_00), fact(
        date(2027, 1, 27), "unarrived", what="plan_notice", plan="p", numbers=[1], minor=50_00), asked()],
        "without a notice"),
    "notice too young": ([signed(), fact(date(2027, 1, 29), "told", what="plan_notice", plan="p", numbers=[1],
                                         minor=50_00), asked()], "without a notice"),
    "told of less": ([signed(), told_of(1, 49_99), asked()], "told of"),
    "revoked": ([signed(), fact(DUE, "change", 9, what="pay_by_link", plan="p"), asked()], "no consent"),
    "cancelled": ([signed(), fact(DUE, "change", 9, what="cancel", plan="p"), asked()], "cancelled"),
    "held": ([signed(), fact(DUE, "hold", 9, hold="h", visit="v"), asked()], "hold"),
    "opted out": ([signed(), fact(DUE, "opt_out", 9), asked()], "stopped"),
    "paused": ([signed(), fact(DUE, "change", 9, what="pause", plan="p", on=date(2027, 2, 2)), asked()], "paused"),
    "hard decline": ([signed(), asked(), answer(status="failed", code="stolen_card"), asked(payment="pay_2", day=NEXT)],
                     "refused for good"),
    "twice": ([signed(), asked(), answer(), asked(payment="pay_2", day=NEXT)], "again on one notice"),
    "twice under way": ([signed(), asked(), asked(payment="pay_2", day=NEXT)], "is under way"),
    "above the instalment": ([signed(most=60_00), asked(), answer(), told_of(1, 50_00, DUE), asked(
        payment="pay_2", day=NEXT, minor=1_00, for_visits={"v": 1_00})], "in all"),
    "twice a day": ([signed(), asked(), answer(status="failed", code="do_not_honor"), asked(payment="pay_2")],
                    "twice on one day"),
    "another amount of a debit": (
        [signed(), asked(method_kind="bank"), answer(status="failed", code="insufficient_funds"),
         asked(payment="pay_2", day=NEXT, method_kind="bank", minor=49_00, for_visits={"v": 49_00})], "T-49"),
    "drift": ([signed(parts=[(1, DUE, 50_00), (2, date(2027, 2, 28), 25_00), (3, date(2027, 3, 28), 25_00)])],
              "agreed"),
    "a cent too much": ([signed(parts=[(1, DUE, 50_00), (2, date(2027, 2, 28), 50_01)])], "not the balance"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_judge_sees_a_broken_promise(name: str) -> None:
    facts, words = BROKEN[name]
    story = Story("c", "acct", "conv", "", "card", (97, 5), 1.0, {"v": 100_00}, facts=facts)
    found = Judge(story, RULES).replay()
    assert any(words in one for one in found), found


def test_the_judge_takes_a_debit_after_a_refund_for_an_entry_of_its_own() -> None:
    """T-49 is of debits that a bank sent back; what was paid and given back by staff is owed, and told of, anew."""
    bank, back = {"method_kind": "bank"}, date(2027, 2, 10)
    facts = [signed(), told_of(1, 50_00), asked(**bank), answer(status="processing"),
             fact(NEXT, "news", payment="pay_1", what="paid", code=""),
             fact(back, "news", payment="pay_1", what="refund_made", code=""), told_of(1, 20_00, back),
             asked(payment="pay_2", day=date(2027, 2, 13), minor=20_00, for_visits={"v": 20_00}, **bank)]
    story = Story("c", "acct", "conv", "", "bank", (97, 5), 1.0, {"v": 100_00}, facts=facts)
    assert Judge(story, RULES).replay() == []


def test_the_judge_says_nothing_of_a_plan_that_kept_its_promises() -> None:
    last = date(2027, 2, 28)
    facts = [signed(), told_of(1, 50_00), asked(), answer(), told_of(2, 50_00, DUE),
             asked(payment="pay_2", number=2, day=last, due_on=last, owed={"v": 50_00})]
    story = Story("c", "acct", "conv", "", "card", (97, 5), 1.0, {"v": 100_00}, facts=facts)
    assert Judge(story, RULES).replay() == []


@pytest.mark.parametrize(("first", "interval", "days", "wanted"), [
    (date(2027, 12, 31), "month", (31,), ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]),
    (date(2027, 2, 15), "twice_month", (15, 31), ["2027-02-15", "2027-02-28", "2027-03-15", "2027-03-31"]),
    (date(2027, 3, 12), "week", (), ["2027-03-12", "2027-03-19", "2027-03-26"]),
])
def test_the_judge_counts_days_as_people_do(first: date, interval: str, days: tuple[int, ...],
                                            wanted: list[str]) -> None:
    assert [day.isoformat() for day in due_days(first, interval, days, len(wanted))] == wanted
