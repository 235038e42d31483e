"""Whatever is handed over: the sums by bucket are the file's own, and the ledger adds up at every step of its life."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.opening_totals import Sums
from bot.write import Store, open_store
from tests.conftest import TEST_KEYS, TUESDAY, practice_row
from tests.databases import PostgresqlServer, copy_sqlite
from tests.opening.takeover import Row, Takeover, begun, cents, person, totals_of, visit

EXAMPLES = settings(max_examples=6, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
DAY = date(2026, 11, 2)


@dataclass(frozen=True)
class Owed:
    """One visit. ``age`` in days since the first statement, None: never billed; cents."""

    who: int
    age: int | None
    minor: int
    payer_minor: int
    standing: str


@st.composite
def owed(draw: st.DrawFn) -> Owed:
    minor = draw(st.integers(0, 90_000))
    payer = draw(st.integers(0 if minor else 1, 40_000)) if draw(st.booleans()) or not minor else 0
    age = draw(st.none() | st.integers(0, 400) | st.sampled_from([30, 31, 60, 61, 90, 91, 120, 121]))
    standing = draw(st.sampled_from(["", "", "", "agency", "dispute"]))
    return Owed(draw(st.integers(0, 3)), age, minor, payer, "" if standing == "agency" and not minor else standing)


def _naive_bucket(age: int | None) -> str:
    """Written a second time, by other means, so that a fault of the first is seen."""
    if age is None:
        return "not_billed"
    return ["0-30", "31-60", "61-90", "91-120"][max(age - 1, 0) // 30] if age <= 120 else "121+"


def _rows(visits: list[Owed], credit: int) -> tuple[list[Row], Sums]:
    sums, rows = Sums(), [person(f"P-{n}") for n in range(4)]
    for number, one in enumerate(visits):
        on = DAY - timedelta(days=one.age) if one.age is not None else None
        sums.add_visit(on, one.minor, one.payer_minor)
        rows.append(visit(f"V-{number}", cents(one.minor), on.isoformat() if on else "", patient_id=f"P-{one.who}",
                          service_on="2025-01-05", standing=one.standing,
                          agency="acme" if one.standing == "agency" else "", payer="Aetna" if one.payer_minor else "",
                          payer_balance=cents(one.payer_minor) if one.payer_minor else ""))
    if credit:
        sums.credits_minor = credit
        rows.append({"record": "credit", "account_id": "P-3", "amount": cents(credit)})
    return rows, sums


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Takeover]]:
    """Makes a new practice on the database at hand each time it is asked for."""
    opened: list[Store] = []
    kind = request.param
    server: PostgresqlServer | None = request.getfixturevalue("postgresql_server") if kind == "postgresql" else None
    template: Path | None = request.getfixturevalue("sqlite_template") if kind == "sqlite" else None

    def make() -> Takeover:
        folder = tmp_path_factory.mktemp("opening")
        url = server.url(server.create()) if server else copy_sqlite(template or Path(), folder)
        store = open_store(url, TEST_KEYS)
        opened.append(store)
        return begun(Takeover(store, store.write(practice_row(TUESDAY)).id, folder))

    yield make
    for store in opened:
        store.close()


@EXAMPLES
@given(visits=st.lists(owed(), min_size=1, max_size=12), credit=st.integers(0, 20_000), order=st.randoms())
def test_the_old_aging_comes_over_to_the_cent_and_goes_again(fresh: Callable[[], Takeover], visits: list[Owed],
                                                             credit: int, order: Random) -> None:
    move = fresh()
    rows, sums = _rows(visits, credit)
    expected: Counter[str] = Counter()
    for one in visits:
        expected[_naive_bucket(one.age)] += one.minor
    wanted = sums.totals(DAY)
    assert {name: wanted[name] for name in expected} == dict(expected)
    order.shuffle(rows)
    report = move.take(*rows, *totals_of(sums, DAY))
    assert (report.outcome, report.reason) == ("posted", None)
    _stands(move, visits, credit)
    assert move.open_holds().count("carried_over") == len(visits)
    move.hire()
    move.release(report)
    assert "carried_over" not in move.open_holds()
    _stands(move, visits, credit)
    move.undo(report)
    assert move.open_holds() == []
    assert [move.account(f"P-{n}").total.open_minor for n in range(4)] == [0, 0, 0, 0]
    move.check()


def _stands(move: Takeover, visits: list[Owed], credit: int) -> None:
    for who in range(4):
        total = move.account(f"P-{who}").total
        mine = [one for one in visits if one.who == who]
        own = credit if who == 3 else 0
        placed = sum(one.minor for one in mine if one.standing == "agency")
        assert total.placed_minor == placed
        assert total.open_minor == sum(one.minor + one.payer_minor for one in mine) - own - placed
        assert total.credit_minor == own
    move.check()
