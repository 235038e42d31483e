"""Any sequence of imports, reversals, replacements, payments, refunds and undoing keeps every invariant.

After every step the replay finds nothing, and a naive model agrees on what every account has open.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from billing import figures
from billing.explain import explain_account, needs_case
from billing.store.account_queries import all_accounts
from billing.store.seal import Keyring
from billing.store.tables import Case
from billing.undoing import UndoRefused
from bot.importing import report
from bot.write import Store, open_store
from tests.conftest import Clock, practice_row
from tests.databases import PostgresqlServer, copy_sqlite
from tests.depth import draws
from tests.ledger.books import PRACTICE, Books
from tests.ledger.naive import Answer, Claim, Naive
from tests.ledger.paper import CEDAR, HARBOR, LIGHT, Bill, Clp, claims, remittance

PAYERS = (HARBOR, LIGHT, CEDAR)
NUMBERS = st.sampled_from(["V0", "V1", "V2"])
CENTS = st.integers(1, 30_000)
PARTS = st.integers(0, 100)
PICK = st.integers(0, 99)


class Year(RuleBasedStateMachine):
    """A year in the life of three claims, at most one original of each at a time."""

    def __init__(self, books: Books, close: Callable[[], None]) -> None:
        super().__init__()
        self.books, self.close, self.model = books, close, Naive()
        self.visits: dict[str, str] = {}  # claim number -> visit id
        self.billed: dict[str, str] = {}  # claim number -> import id
        self.files: list[tuple[str, str]] = []  # what was posted: import id, content
        self.payments: list[tuple[str, str, int, int]] = []  # id, guarantor, paid, given back
        self.counter = itertools.count(1)

    def teardown(self) -> None:
        self.close()

    # what happens

    @precondition(lambda self: len(self.live()) < 3)
    @rule(number=NUMBERS, amounts=st.lists(CENTS, min_size=1, max_size=3), payers=st.integers(0, 3),
          desk=st.sampled_from([0, 0, 500]))
    def bill(self, number: str, amounts: list[int], payers: int, desk: int) -> None:
        if number in self.visits:
            return
        lines = [(f"9921{n}", amount) for n, amount in enumerate(amounts)]
        done = self.give(claims([Bill(number, lines, PAYERS[:payers], patient_paid=desk)]))
        visit = self.books.visit(number)
        self.visits[number], self.billed[number] = visit.id, done
        self.model.bill(done, visit.id, sum(amounts), payers, desk)

    @precondition(lambda self: bool(self.answerable()))
    @rule(pick=PICK, paid=PARTS, reduced=PARTS, denied=st.sampled_from([0, 0, 0, 30]), again=st.booleans())
    def answer(self, pick: int, paid: int, reduced: int, denied: int, again: bool) -> None:
        number, rank = self.choose(self.answerable(), pick)
        self.send(number, rank, self.split(number, rank, paid, reduced, denied), again)

    @precondition(lambda self: bool(self.standing()))
    @rule(pick=PICK, corrected=st.none() | st.tuples(PARTS, PARTS))
    def reverse(self, pick: int, corrected: tuple[int, int] | None) -> None:
        number, answer = self.choose(self.standing(), pick)
        visit, payer = self.visits[number], PAYERS[answer.rank - 1]
        back = self.paper(number, answer).negated()
        told, correction = [back], None
        if corrected and not self.model.claims[visit].void:
            correction = self.split(number, answer.rank, *corrected, 0)
            told.append(self.clp(number, answer.rank, *correction))
        done = self.give(remittance(f"T{next(self.counter)}", told, payer))
        self.model.reverse(done, visit, answer)
        if correction and not self.model.claims[visit].standing(answer.rank):
            self.model.answer(done, visit, answer.rank, *correction)

    @precondition(lambda self: bool(self.live()))
    @rule(pick=PICK, amounts=st.lists(CENTS, min_size=1, max_size=2))
    def replace(self, pick: int, amounts: list[int]) -> None:
        number = self.choose(self.live(), pick)
        visit = self.visits[number]
        lines = [(f"9931{n}", amount) for n, amount in enumerate(amounts)]
        payers = PAYERS[:len(self.model.claims[visit].payers)]
        content = claims([Bill(number, lines, payers, frequency="7")])
        if any(known == content for _, known in self.files):
            return
        self.model.replace(self.give(content), visit, sum(amounts))

    @precondition(lambda self: bool(self.live()))
    @rule(pick=PICK)
    def void(self, pick: int) -> None:
        number = self.choose(self.live(), pick)
        visit = self.visits[number]
        payers = PAYERS[:len(self.model.claims[visit].payers)]
        content = claims([Bill(number, [("99000", next(self.counter))], payers, frequency="8")])
        self.model.void(self.give(content), visit)

    @precondition(lambda self: bool(self.files))
    @rule(pick=PICK)
    def same_file_in_other_bytes(self, pick: int) -> None:
        _, content = self.choose(self.files, pick)
        before = self.books.count("transfers")
        assert self.books.give(content.replace("~\n", "~")).outcome == "duplicate"
        assert self.books.count("transfers") == before

    @precondition(lambda self: bool(self.visits))
    @rule(pick=PICK, amount=CENTS)
    def pay(self, pick: int, amount: int) -> None:
        number = self.choose(sorted(self.visits), pick)
        guarantor = self.books.visit(number).guarantor_id
        payment = self.books.desk(number, amount)
        self.payments.append((payment, guarantor, amount, 0))
        self.model.cash[guarantor] = self.model.cash.get(guarantor, 0) + amount

    @precondition(lambda self: any(paid > back for _, _, paid, back in self.payments))
    @rule(pick=PICK, share=st.integers(1, 100))
    def refund(self, pick: int, share: int) -> None:
        place = self.choose([n for n, (_, _, paid, back) in enumerate(self.payments) if paid > back], pick)
        payment, guarantor, paid, back = self.payments[place]
        more = max((paid - back) * share // 100, 1)
        refused = self.books.wide("refunds_payable")
        self.books.refund(payment, back + more)
        self.payments[place] = (payment, guarantor, paid, back + more)
        # What no account of the payment can give back stands against refunds_payable until a person decides.
        self.model.cash[guarantor] -= more - (self.books.wide("refunds_payable") - refused)

    @precondition(lambda self: bool(self.files))
    @rule(pick=PICK)
    def undo(self, pick: int) -> None:
        import_id, content = self.choose(self.files, pick)
        try:
            self.books.undo(import_id)
        except UndoRefused:
            return
        self.model.undo(import_id)
        self.files.remove((import_id, content))
        for number in [n for n, billed in self.billed.items() if billed == import_id]:
            del self.visits[number], self.billed[number]

    @precondition(lambda self: bool(self.visits))
    @rule(pick=PICK)
    def confirm(self, pick: int) -> None:
        self.books.confirm(self.choose(sorted(self.visits), pick))

    # what holds

    @invariant()
    def the_replay_finds_nothing(self) -> None:
        assert self.books.problems() == []

    @invariant()
    def the_naive_model_agrees_on_every_account(self) -> None:
        for account_id in self.books.store.read(lambda s: all_accounts(s, PRACTICE)):
            account = self.books.store.read(
                partial(figures.account_figures, guarantor_id=account_id, today=self.today()))
            total = account.total
            wanted = sum(self.model.open_of(v.visit_id) for v in account.visits) - self.model.cash.get(account_id, 0)
            assert total.open_minor == wanted
            assert total.open_minor == total.payer_minor + total.patient_minor - total.credit_minor
            assert total.patient_minor == (total.due_now_minor + total.pending_minor + total.held_minor
                                           + total.on_plan_minor)
            assert total.credit_minor >= 0

    @invariant()
    def every_balance_can_be_explained_unless_staff_were_told_of_the_visit(self) -> None:
        """A later payer's answer before the first one's, or an answer given twice, is for a person to sort out."""
        told = self.books.store.read(lambda s: set(s.scalars(select(Case.visit_id))))
        for account_id in self.books.store.read(lambda s: all_accounts(s, PRACTICE)):
            explained = self.books.store.read(partial(explain_account, guarantor_id=account_id))
            assert [e for e in explained if needs_case(e) and e.visit_id not in told] == []

    # how it is done

    def today(self) -> Any:
        return self.books.now().date()

    def give(self, content: str) -> str:
        done: report.Report = self.books.must(self.books.give(content))
        assert done.import_id is not None
        self.files.append((done.import_id, content))
        return done.import_id

    def send(self, number: str, rank: int, parts: tuple[int, int, int, int], again: bool) -> None:
        visit = self.visits[number]
        told = [self.clp(number, rank, *parts)]
        done = self.give(remittance(f"T{next(self.counter)}", told * (2 if again else 1), PAYERS[rank - 1]))
        if not self.model.claims[visit].standing(rank):
            self.model.answer(done, visit, rank, *parts)
        else:
            self.model.nothing(done)

    def split(self, number: str, rank: int, paid: int, reduced: int, denied: int) -> tuple[int, int, int, int]:
        """(paid, contractual, patient's, denied) of this claim, in whole cents, never more than its charge."""
        charge = self.model.claims[self.visits[number]].charge
        whole = charge if rank == 1 else charge // 3
        refused = whole * denied // 100 if rank == 1 else 0
        first = (whole - refused) * paid // 100
        second = (whole - refused - first) * reduced // 100
        return first, second, whole - refused - first - second, refused

    def clp(self, number: str, rank: int, paid: int, reduced: int, shared: int, denied: int) -> Clp:
        return _clp(number, rank, self.claim(number).charge, paid, reduced, shared, denied)

    def paper(self, number: str, answer: Answer) -> Clp:
        return _clp(number, answer.rank, answer.charge, answer.paid, answer.reduced, answer.shared, answer.denied)

    def live(self) -> list[str]:
        return sorted(n for n, v in self.visits.items() if not self.model.claims[v].void)

    def answerable(self) -> list[tuple[str, int]]:
        return [(n, r) for n in self.live() for r in sorted(self.claim(n).payers)]

    def standing(self) -> list[tuple[str, Answer]]:
        return [(n, a) for n in sorted(self.visits) for a in self.claim(n).answers if a.stands]

    def claim(self, number: str) -> Claim:
        return self.model.claims[self.visits[number]]

    @staticmethod
    def choose(items: list[Any], pick: int) -> Any:
        return items[pick % len(items)]


def _clp(number: str, rank: int, charge: int, paid: int, reduced: int, shared: int, denied: int) -> Clp:
    prior = charge - paid - reduced - shared - denied
    cas = [("OA", "23", prior), ("CO", "45", reduced), ("PR", "1", shared), ("CO", "50", denied)]
    return Clp(number, paid, [c for c in cas if c[2]], str(rank), charge, pcn=f"{number}{rank}")


QUICK = settings(
    max_examples=5, stateful_step_count=20, deadline=None, database=None, derandomize=True,
    phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
# The same years in every run, so that a red build is this change's doing; take derandomize out to look for new ones.
LONG = settings(QUICK, max_examples=draws(20, in_ci=10), stateful_step_count=40, print_blob=True,
                phases=[Phase.explicit, Phase.generate, Phase.shrink])


def run(url_of: Callable[[int], tuple[str, Callable[[], None]]], keyring: Keyring, folder: Path, how: settings) -> None:
    numbers = itertools.count(1)

    def machine() -> Year:
        number = next(numbers)
        url, drop = url_of(number)
        store: Store = open_store(url, keyring)
        clock = Clock()
        store.write(practice_row(clock()))
        here = folder / f"files{number}"
        here.mkdir()

        def close() -> None:
            store.close()
            drop()

        return Year(Books(store, here, clock), close)

    run_state_machine_as_test(machine, settings=how)  # type: ignore[arg-type]  # any maker of machines will do


def on_sqlite(template: Path, folder: Path) -> Callable[[int], tuple[str, Callable[[], None]]]:
    def make(number: int) -> tuple[str, Callable[[], None]]:
        place = folder / f"db{number}"
        place.mkdir()
        return copy_sqlite(template, place), lambda: None

    return make


def on_postgresql(server: PostgresqlServer) -> Callable[[int], tuple[str, Callable[[], None]]]:
    def make(_: int) -> tuple[str, Callable[[], None]]:
        name = server.create()
        return server.url(name), lambda: server.drop(name)

    return make


def test_any_year_keeps_every_invariant_on_sqlite(sqlite_template: Path, keyring: Keyring, tmp_path: Path) -> None:
    run(on_sqlite(sqlite_template, tmp_path), keyring, tmp_path, QUICK)


def test_any_year_keeps_every_invariant_on_postgresql(postgresql_server: PostgresqlServer, keyring: Keyring,
                                                      tmp_path: Path) -> None:
    run(on_postgresql(postgresql_server), keyring, tmp_path, settings(QUICK, max_examples=3))


@pytest.mark.slow
def test_many_long_years_keep_every_invariant_on_sqlite(sqlite_template: Path, keyring: Keyring,
                                                        tmp_path: Path) -> None:
    run(on_sqlite(sqlite_template, tmp_path), keyring, tmp_path, LONG)


@pytest.mark.slow
def test_many_long_years_keep_every_invariant_on_postgresql(postgresql_server: PostgresqlServer, keyring: Keyring,
                                                            tmp_path: Path) -> None:
    run(on_postgresql(postgresql_server), keyring, tmp_path, settings(LONG, max_examples=draws(8, in_ci=4)))
