"""Any interleaving of payments, plans, Stripe's news, insurers, banks and crashes keeps every cent's story.

After every step: the ledger's replay finds nothing, what each account owes is what was asked less what was collected,
no plan or charge is above what was agreed to, nothing is charged twice. After a reconciliation: Stripe and the ledger
agree payment by payment. The machine is in payment_machine_*.py.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from billing import payment_posting, refund_news, saved_charges
from billing.plan_offers import Ask
from billing.policy.core import Ruling
from tests.databases import PostgresqlServer, copy_sqlite
from tests.depth import draws
from tests.scenarios.payment_machine_clinic import Clinic, found
from tests.scenarios.payment_machine_rules import Machine

Place = Callable[[], tuple[str, Callable[[], None]]]

QUICK = settings(
    max_examples=4, stateful_step_count=25, deadline=None, database=None, derandomize=True,
    phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
# The same histories in every run; take derandomize out to look for new ones.
LONG = settings(QUICK, max_examples=draws(40, in_ci=16), stateful_step_count=60, print_blob=True,
                report_multiple_bugs=False, phases=[Phase.explicit, Phase.generate, Phase.shrink])


def run(place: Place, folder: Path, how: settings) -> None:
    numbers = itertools.count(1)

    def machine() -> Machine:
        url, drop = place()
        here = folder / f"files{next(numbers)}"
        here.mkdir()
        return Machine(Clinic(url, here, drop))

    run_state_machine_as_test(machine, settings=how)  # type: ignore[arg-type]  # any maker of machines will do


@pytest.fixture(scope="module")
def clinic_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the clinic."""
    folder = tmp_path_factory.mktemp("clinic")
    found(copy_sqlite(sqlite_template, folder), folder)
    return folder / "plainbill.db"


@pytest.fixture
def on_sqlite(clinic_file: Path, tmp_path: Path) -> Place:
    numbers = itertools.count(1)

    def place() -> tuple[str, Callable[[], None]]:
        folder = tmp_path / f"db{next(numbers)}"
        folder.mkdir()
        return copy_sqlite(clinic_file, folder), lambda: shutil.rmtree(folder)

    return place


@pytest.fixture
def on_postgresql(postgresql_server: PostgresqlServer, tmp_path: Path) -> Iterator[Place]:
    clinic = postgresql_server.create()
    found(postgresql_server.url(clinic), tmp_path)

    def place() -> tuple[str, Callable[[], None]]:
        name = postgresql_server.create(clinic)
        return postgresql_server.url(name), lambda: postgresql_server.drop(name)

    yield place
    postgresql_server.drop(clinic)


def test_any_history_keeps_every_cents_story_on_sqlite(on_sqlite: Place, tmp_path: Path) -> None:
    run(on_sqlite, tmp_path, QUICK)


def test_any_history_keeps_every_cents_story_on_postgresql(on_postgresql: Place, tmp_path: Path) -> None:
    run(on_postgresql, tmp_path, settings(QUICK, max_examples=2, stateful_step_count=15))


@pytest.mark.slow
def test_many_long_histories_keep_every_cents_story_on_sqlite(on_sqlite: Place, tmp_path: Path) -> None:
    run(on_sqlite, tmp_path, LONG)


@pytest.mark.slow
def test_many_long_histories_keep_every_cents_story_on_postgresql(on_postgresql: Place, tmp_path: Path) -> None:
    run(on_postgresql, tmp_path, settings(LONG, max_examples=draws(15, in_ci=6)))


def _paid_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes in is booked a dollar too high."""
    real = payment_posting.post_paid

    def wrong(session: Any, payment: Any, parts: Any, ref: str, on: Any, now: Any) -> None:
        payment.amount_minor += 100
        real(session, payment, [type(part)(part.visit_id, part.amount_minor + 100) for part in parts], ref, on, now)

    monkeypatch.setattr("billing.payments.post_paid", wrong)


def _refunded_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every refund that the processor tells of is posted two times."""
    real = payment_posting.post_back

    def wrong(session: Any, payment: Any, amount: int, ref: str, on: Any, now: Any, **more: Any) -> int:
        real(session, payment, amount, f"{ref}:again", on, now, **more)
        return real(session, payment, amount, ref, on, now, **more)

    monkeypatch.setattr(refund_news, "post_back", wrong)


def _holds_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks again just before a card on file is charged."""
    monkeypatch.setattr(saved_charges, "judge", lambda *_: Ruling("send", "allowed", ""))


def _scene(clinic: Clinic) -> Machine:
    """A payment by page, a refund, a card on file and a hold, a plan of three weeks: each fault below would show."""
    machine = Machine(clinic)
    machine.it_holds()
    machine.somebody_pays("page", "A", 0, 20, False, "4242424242424242", "news", None)
    machine.it_holds()
    machine.a_refund_moves("dashboard", 0, 50, "original", "news", None)
    machine.it_holds()
    machine.says_yes_to_the_card_on_file("A", 20, 0, False)
    machine.a_hold_is_placed("A", "assistance_pending", 0)
    machine.calls_are_made()
    machine.signs_a_plan("B", 0, Ask(count=3, interval="week"), True, True, False)
    for _ in range(3):
        machine.plans_run(8)
        machine.it_holds()
    machine.the_books_are_reconciled()
    return machine


def test_the_machine_finds_nothing_in_an_ordinary_month(on_sqlite: Place, tmp_path: Path) -> None:
    machine = _scene(Clinic(on_sqlite()[0], tmp_path, lambda: None))
    stripe = machine.stripe()
    machine.teardown()
    assert len(stripe.taken()) == 1 + 3  # the page, and the plan's three instalments


@pytest.mark.parametrize("fault", [_paid_for_more, _refunded_twice, _holds_forgotten])
def test_the_machine_is_not_blind(fault: Callable[[pytest.MonkeyPatch], None], on_sqlite: Place, tmp_path: Path,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """With one rule broken on purpose, the same ordinary month fails."""
    fault(monkeypatch)
    clinic = Clinic(on_sqlite()[0], tmp_path, lambda: None)
    try:
        with pytest.raises(AssertionError):
            _scene(clinic)
    finally:
        clinic.close()
