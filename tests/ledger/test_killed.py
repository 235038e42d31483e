"""An import that is killed (-9) with two batches under way, again and again, ends as one that nobody killed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from billing.store.seal import Keyring
from bot.write import Store, open_store
from tests.conftest import Clock, practice_row
from tests.databases import PostgresqlServer
from tests.ledger.books import Books
from tests.ledger.killed import BATCH
from tests.ledger.paper import Bill, Clp, remittance
from tests.road.forking import live_once, running

CLAIMS = 160
ON_FILE = [f"A{n}" for n in range(CLAIMS)]
#: Answers, answers taken back and corrected far away in the file, denials, claims that nobody knows.
ANSWERS = [Clp(name, 8000, [("CO", "45", 3000), ("PR", "1", 1000 + n)], pcn=f"P{n}") for n, name in enumerate(ON_FILE)]
LATER = [
    *(one.negated() for one in ANSWERS[:20]),
    *(Clp(f"A{n}", 7000, [("CO", "45", 3000), ("PR", "2", 2000 + n)], pcn=f"Q{n}") for n in range(20)),
    *(Clp(f"D{n}", 0, [("CO", "197", 9000)], "4", pcn=f"D{n}") for n in range(25)),
    *(Clp(f"N{n}", 4000, [("PR", "3", 500)], pcn=f"N{n}") for n in range(25)),
]
FILE = [*ANSWERS, *LATER]

#: Each list is one import's deaths, in their order: a point with the number of its passing, or a moment in seconds.
LIVES: list[list[str | float]] = [
    ["import.loaded:1"],
    ["import.ahead:1"],
    ["import.turn:1", "import.turn:4"],
    ["import.committed:1", "import.committed:2", "import.committed:5"],
    ["import.loaded:3", "import.turn:2", "import.committed:3", "import.loaded:1", "import.ahead:1", "import.turn:3"],
    [0.15, 0.2, 0.23, 0.26, 0.3, 0.35],
]


@dataclass(frozen=True)
class Desk:
    """Books whose claims are on file and whose remittance is not, and a process that imports it."""

    books: Books
    url: str
    path: Path
    process: subprocess.Popen[str]

    def live(self, failpoint: str = "", after: float = 0.0) -> int:
        return live_once(self.process, {"url": self.url, "now": self.books.now().isoformat(), "path": str(self.path),
                                        "failpoint": failpoint, "after": after})

    def die(self, how: str | float) -> int:
        return self.live(how) if isinstance(how, str) else self.live(after=how)


@pytest.fixture(scope="module")
def process() -> Iterator[subprocess.Popen[str]]:
    with running("tests.ledger.killed") as started:
        yield started


def _open_books(store: Store, folder: Path, now: datetime) -> Books:
    store.write(practice_row(now))
    books = Books(store, folder, Clock(now))
    books.bill(*(Bill(name, [("99213", one.charged)]) for name, one in zip(ON_FILE, ANSWERS, strict=True)))
    return books


@pytest.fixture(scope="module")
def uninterrupted(postgresql_server: PostgresqlServer, keyring: Keyring,
                  tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the same file comes to where nobody is killed."""
    name = postgresql_server.create()
    with closing(open_store(postgresql_server.url(name), keyring)) as store:
        books = _open_books(store, tmp_path_factory.mktemp("uninterrupted"), Clock().at)
        books.pay("T1", *FILE)
        found = _outcome(books)
    postgresql_server.drop(name)
    return found


@pytest.fixture
def desk(postgresql_store: Store, postgresql_url: str, tmp_path: Path, now: datetime,
         process: subprocess.Popen[str]) -> Desk:
    books = _open_books(postgresql_store, tmp_path, now)
    path = tmp_path / "paid.835"
    path.write_text(remittance("T1", FILE))
    return Desk(books, postgresql_url, path, process)


def _outcome(books: Books) -> dict[str, Any]:
    """All that the file did, without the ids that each database gives of its own."""
    return books.store.read(lambda s: {
        name: [tuple(row) for row in s.execute(text(query)).all()] for name, query in _QUERIES.items()})


_QUERIES = {
    "claims": "SELECT number, claim_hash, payer_claim_id, status_code, charge_minor, paid_minor, outcome, reason "
              "FROM remittance_claims ORDER BY number",
    "transfers": "SELECT v.external_hash, t.amount_minor, t.currency, t.code, t.effective_on, t.source, t.reason, "
                 "d.balance_minor, c.balance_minor FROM transfers t JOIN visits v ON v.id = t.visit_id "
                 "JOIN ledger_accounts d ON d.id = t.debit_id JOIN ledger_accounts c ON c.id = t.credit_id "
                 "WHERE NOT d.practice_wide AND NOT c.practice_wide ORDER BY 1, 4, 2, 7, 8, 9",
    "of the practice": "SELECT CASE WHEN d.practice_wide THEN d.key END, CASE WHEN c.practice_wide THEN c.key END, "
                       "t.code, COUNT(*), SUM(t.amount_minor) FROM transfers t "
                       "JOIN ledger_accounts d ON d.id = t.debit_id JOIN ledger_accounts c ON c.id = t.credit_id "
                       "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "cases": "SELECT kind, COUNT(*), COUNT(DISTINCT number), MAX(number) FROM cases GROUP BY kind ORDER BY kind",
    "holds": "SELECT kind, COUNT(*), SUM(amount_minor) FROM holds WHERE released_at IS NULL GROUP BY kind ORDER BY 1",
    "imports": "SELECT kind, status, outcome, cursor, total FROM imports ORDER BY kind",
    "remittances": "SELECT identity, digest, generation, status FROM remittances",
}


@pytest.mark.parametrize("deaths", LIVES, ids=lambda deaths: "-".join(str(one) for one in deaths))
def test_killed_with_two_batches_under_way_the_same_command_ends_as_if_nothing_had_been(
        desk: Desk, deaths: list[str | float], uninterrupted: dict[str, Any]) -> None:
    """Every claim is posted exactly once, the independent replay finds nothing, and every total is the same."""
    died = [desk.die(how) for how in deaths if desk.books.problems() == []]
    assert died[0] == -9 and len(died) == len(deaths)
    assert desk.live() == 0
    assert _outcome(desk.books) == uninterrupted
    assert desk.books.problems() == []


def test_a_batch_is_never_kept_without_those_before_it(desk: Desk) -> None:
    """Wherever death comes, what stands is the beginning of the file in whole batches, as long as the cursor says."""
    for how in ("import.turn:3", "import.loaded:2", "import.committed:4", "import.turn:1"):
        assert desk.live(how) == -9
        rows = desk.books.store.read(lambda s: s.execute(text(
            "SELECT number FROM remittance_claims ORDER BY number")).scalars().all())
        cursor = desk.books.store.read(lambda s: s.execute(text(
            "SELECT cursor FROM imports WHERE kind = '835'")).scalar_one())
        assert list(rows) == list(range(1, cursor + 1))
        assert cursor % BATCH == 0
    assert 0 < cursor < len(FILE)
