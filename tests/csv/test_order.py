"""Charges, payments and transfers in any order, any files, any number of times: the same balances, a whole ledger."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.write import Store, open_store
from tests.conftest import TEST_KEYS, TUESDAY, practice_row
from tests.csv.world import World, charge, moved, paid
from tests.databases import PostgresqlServer, copy_sqlite

VISITS = ("V-1", "V-2", "V-3")
EXAMPLES = settings(max_examples=5, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Fact:
    """One row, and what it does to what is open for its visit and to the patient's part, in cents."""

    template: str
    row: tuple[tuple[str, str], ...]
    visit: str
    open_minor: int


def _cents(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


@st.composite
def stories(draw: st.DrawFn) -> list[Fact]:
    """Charges with an insurer for V-1 and V-2, none for V-3, and whatever then happens to them."""
    facts: list[Fact] = []
    for number in range(draw(st.integers(1, 12))):
        visit = draw(st.sampled_from(VISITS))
        minor = draw(st.integers(1, 50_000))
        kind = draw(st.sampled_from(["charge", "payer", "patient", "transfer", "adjustment"]))
        if visit == "V-3" and kind in ("payer", "transfer"):
            kind = "patient"
        facts.append(_fact(kind, visit, minor, f"T-{number}"))
    opened = [_fact("charge", visit, 10_000, f"T-{visit}") for visit in VISITS]
    return opened + facts


def _fact(kind: str, visit: str, minor: int, row_id: str) -> Fact:
    amount = _cents(minor)
    row = {
        "charge": charge(visit, amount, payer="" if visit == "V-3" else "Aetna"),
        "payer": paid(visit, amount, "primary"), "patient": paid(visit, amount), "transfer": moved(visit, amount, "1"),
        "adjustment": {"visit_id": visit, "amount": amount, "reason": "charity", "adjusted_on": "2026-10-20"},
    }[kind] | {"id": row_id}
    template = {"charge": "charges", "transfer": "transfers", "adjustment": "adjustments"}.get(kind, "payments")
    change = {"charge": minor, "transfer": 0}.get(kind, -minor)
    return Fact(template, tuple(row.items()), visit, change)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Makes a new world on the database at hand each time it is asked for."""
    opened: list[Store] = []
    kind = request.param
    server: PostgresqlServer | None = request.getfixturevalue("postgresql_server") if kind == "postgresql" else None
    template: Path | None = request.getfixturevalue("sqlite_template") if kind == "sqlite" else None

    def make() -> World:
        folder = tmp_path_factory.mktemp("order")
        url = server.url(server.create()) if server else copy_sqlite(template or Path(), folder)
        store = open_store(url, TEST_KEYS)
        opened.append(store)
        row = store.write(practice_row(TUESDAY))
        return World(store, row.id, folder)

    yield make
    for store in opened:
        store.close()


def tell(world: World, facts: list[Fact], chance: random.Random) -> None:
    """Give the facts in files of random size and order, charges that open visits first; some files come twice."""
    charges = [f for f in facts if f.template == "charges"]
    others = [f for f in facts if f.template != "charges"]
    chance.shuffle(charges)
    chance.shuffle(others)
    for pile in (charges, others):
        while pile:
            size = chance.randint(1, len(pile))
            part, pile[:] = pile[:size], pile[size:]
            for template in sorted({f.template for f in part}):
                rows = [dict(f.row) for f in part if f.template == template]
                for _ in range(chance.randint(1, 2)):
                    world.give(template, *rows)


@EXAMPLES
@given(facts=stories(), seed=st.integers(0, 2**32))
def test_any_order_and_any_repetition_end_at_the_same_balances(fresh: object, facts: list[Fact], seed: int) -> None:
    make = fresh
    assert callable(make)
    world: World = make()
    tell(world, facts, random.Random(seed))
    expected = {v: sum(f.open_minor for f in facts if f.visit == v) for v in VISITS}
    assert world.open_minor(*VISITS) == expected
    assert world.account("P-1").total.open_minor == sum(expected.values())
    world.check()
