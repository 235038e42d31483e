"""Batches of a remittance that PostgreSQL writes at the same time come to what one after the other comes to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing.store import driver
from billing.store.tables import Base, Guarantor
from billing.turns import Turn
from bot.importing import overlap, posting
from bot.write import Store
from tests.conftest import practice_row
from tests.ledger.books import PRACTICE, Books
from tests.ledger.paper import Bill, Clp, remittance


class Broken(Exception):
    """A batch that cannot be posted."""


@pytest.fixture
def full(postgresql_store: Store, now: datetime) -> Store:
    postgresql_store.write(practice_row(now))
    return postgresql_store


def _rename(name: str) -> Callable[[Session], object]:
    return lambda session: session.execute(text("UPDATE practices SET phone = :name"), {"name": name})


def _phone(store: Store) -> str:
    return str(store.read(lambda s: s.execute(text("SELECT phone FROM practices")).scalar_one()))


def _post_both(store: Store, first: overlap.Post, second: overlap.Post) -> None:
    with overlap.row(store, store.write) as row:
        row.give(["A"], first)
        row.give(["B"], second)


def test_many_small_batches_of_one_file_end_as_their_claims_say(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer, its reversal and its correction stand far apart; denials number their cases in the file's order."""
    monkeypatch.setattr(posting, "SMALLEST", 3)
    monkeypatch.setattr(posting, "LARGEST", 3)
    numbers = [f"R{n}" for n in range(24)]
    books.bill(*(Bill(number, [("99213", 5000)]) for number in numbers))
    first = [Clp(number, 4000, [("PR", "1", 1000)], pcn=f"P{number}") for number in numbers]
    again = [Clp("R1", -4000, [("PR", "1", -1000)], "22", pcn="PR1"), Clp("R1", 3000, [("PR", "1", 2000)], pcn="PR1b")]
    denied = [Clp(f"N{n}", 0, [("CO", "197", 5000)], "4", pcn=f"PN{n}", charge=5000) for n in range(6)]
    books.must(books.give(remittance("T1", [*first, *again, *denied])))
    assert [books.figures(n).patient_minor for n in numbers] == [1000, 2000] + [1000] * 22
    assert books.problems() == []
    assert (books.cases(), books.outcomes) == (["denial"] * 6, ["posted"] * 32)
    assert books.wide("payer_clearing") == 4000 * 23 + 3000


def test_no_batch_is_committed_before_or_without_the_one_before_it(full: Store) -> None:
    started = threading.Event()

    def fail(session: Session, turn: Turn) -> None:
        turn.loaded()
        started.wait(10)
        raise Broken

    def ahead(session: Session, turn: Turn) -> None:
        _rename("+12125550111")(session)
        started.set()
        turn.wait()

    with pytest.raises(Broken):
        _post_both(full, fail, ahead)
    assert _phone(full) != "+12125550111"


def test_a_batch_that_the_one_before_waits_for_gives_way_and_is_posted_after_it(
        full: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database sees one of them wait for a row; that the other one waits for its turn it cannot see."""
    monkeypatch.setattr(overlap, "PATIENCE_SECONDS", 0.3)
    held, posted = threading.Event(), list[str]()

    def behind(session: Session, turn: Turn) -> None:
        turn.loaded()
        held.wait(10)
        _rename("+12125550111")(session)
        posted.append("first")

    def ahead(session: Session, turn: Turn) -> None:
        _rename("+12125550122")(session)
        held.set()
        turn.wait()
        posted.append("second")

    _post_both(full, behind, ahead)
    assert (posted, _phone(full)) == (["first", "second"], "+12125550122")


def test_batches_about_the_same_claim_are_never_under_way_together(full: Store) -> None:
    under_way, most = [0], [0]

    def post(session: Session, turn: Turn) -> None:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        turn.loaded()
        session.execute(text("SELECT pg_sleep(0.05)"))
        turn.wait()
        under_way[0] -= 1

    with overlap.row(full, full.write) as row:
        for number in range(4):
            row.give(["A", f"{number}"], post)
    assert most == [1]


@pytest.mark.parametrize("odd", ["a\tb", "a\\b", "\\N", "a\nb\rc", "", "ä\u2028", "\\x00"])
def test_whatever_a_text_holds_it_is_stored_as_it_is(books: Books, now: datetime, odd: str) -> None:
    """PostgreSQL is given many rows as lines of text, in which tabs, ends of lines and backslashes have a meaning."""
    rows = [{"id": f"gua_{n}", "practice_id": PRACTICE, "external": odd, "external_hash": f"h{n}", "name": odd,
             "surname_hash": "s", "region": odd if n % 2 else None, "language": "en", "origin": odd,
             "balance_version": n, "created_at": now} for n in range(8)]
    books.store.write(lambda s: driver.insert(s, Base.metadata.tables["guarantors"], rows))
    columns = (Guarantor.external, Guarantor.name, Guarantor.region, Guarantor.origin, Guarantor.balance_version,
               Guarantor.created_at)
    found = books.store.read(lambda s: s.execute(select(*columns).order_by(Guarantor.id)).all())
    assert [tuple(row) for row in found] == [
        (odd, odd, odd if n % 2 else None, odd, n, now) for n in range(8)]
