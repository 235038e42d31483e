"""The same file given to two processes at once: one posts it, and the other hears so before it has done anything."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from billing import imports
from billing.importers import x12_835
from billing.importers.records import RemittanceOpened
from billing.store import facts, import_queries
from billing.store.alone import alone
from billing.store.engine import make_engine
from bot.importing import files, report
from tests.ledger.books import PRACTICE, Books
from tests.ledger.paper import Bill, Clp, remittance
from tests.road.forking import ROOT

CLAIMS = [Clp(f"A{n}", 8000, [("PR", "1", 1000)], pcn=f"P{n}") for n in range(5)]
FILE = remittance("T1", CLAIMS)


@pytest.fixture
def path(books: Books) -> Path:
    books.bill(*(Bill(one.claim_id, [("99213", one.charged)]) for one in CLAIMS))
    path = books.folder / "paid.835"
    path.write_text(FILE)
    return path


@contextmanager
def other_process(url: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has begun to read the file, and waits."""
    with subprocess.Popen([sys.executable, "-m", "tests.ledger.importing", url, str(path)], cwd=ROOT, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None and started.stdout.readline().strip() == "reading"
        yield started


def _rows(books: Books) -> dict[str, int]:
    return {table: books.count(table) for table in ("imports", "remittances", "remittance_claims", "transfers")}


def test_of_two_processes_one_is_told_busy_before_any_work_and_one_posts(
        books: Books, path: Path, database_url: str) -> None:
    before = _rows(books)
    with other_process(database_url, path) as other:
        with pytest.raises(imports.ImportBusy):
            books.give(FILE, "under another name.835")
        assert _rows(books) == before
        said, _ = other.communicate("go on\n", timeout=60)
    assert said.split() == ["posted"]
    assert books.give(FILE).outcome == "duplicate"
    assert books.count("remittance_claims") == len(CLAIMS)
    assert [books.stands(one.claim_id)[:2] for one in CLAIMS] == [(0, 1000)] * len(CLAIMS)


def test_a_process_that_died_with_the_file_in_its_hands_keeps_nobody_from_it(
        books: Books, path: Path, database_url: str) -> None:
    with other_process(database_url, path) as other:
        other.kill()
    assert eventually(lambda: books.give(FILE)).outcome == "posted"
    assert books.problems() == []


def test_another_file_is_imported_meanwhile_and_the_same_one_can_be_tried(
        books: Books, path: Path, database_url: str) -> None:
    with other_process(database_url, path) as other:
        assert books.give(remittance("T2", [Clp("N1", 5000)])).outcome == "posted"
        assert books.give(FILE, dry=True).outcome == "posted"
        other.communicate("go on\n", timeout=60)
    assert books.count("remittances") == 2


def test_a_remittance_that_came_in_after_the_check_of_other_bytes_is_not_posted_beside_it(
        books: Books, path: Path) -> None:
    """Two files with the same remittance, checked at the same moment: the second meets the first's when it begins."""
    books.give(FILE)
    with path.open("rb") as stream:
        head = next(one for one in x12_835.read(stream) if isinstance(one, RemittanceOpened))
    other = imports.Poster(PRACTICE, books.policy, "imp_other", "bea")
    with pytest.raises(imports.ImportBusy):
        books.store.write(lambda s: imports.open_remittance(s, other, head, "digest", books.now()))
    assert books.count("remittances") == 1


def eventually(act: Callable[[], report.Report]) -> report.Report:
    """The server needs a moment to see that its client is gone."""
    for _ in range(100):
        try:
            return act()
        except imports.ImportBusy:
            time.sleep(0.05)
    return act()


def test_the_lock_never_lets_two_in_and_leaves_no_file_behind(sqlite_url: str, tmp_path: Path) -> None:
    engine = make_engine(sqlite_url)
    inside, most, held, guard = 0, 0, 0, threading.Lock()

    def work(_number: int) -> None:
        nonlocal inside, most, held
        for _ in range(200):
            with alone(engine, "one") as mine:
                if mine:
                    with guard:
                        inside, held = inside + 1, held + 1
                        most = max(most, inside)
                    with guard:
                        inside -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    engine.dispose()
    assert most == 1
    assert held >= 6
    assert list(tmp_path.glob("*.lock")) == []


TWO = remittance("T0", [Clp("B1", 6000)]) + FILE


def came_first(books: Books, path: Path) -> report.Report:
    """Import ``path``, and other bytes of its last remittance after it was checked and before it is posted."""
    first = [FILE + "\n"]

    def now() -> datetime:
        if first:  # asked for the first time when the check is over
            books.give(first.pop(), "first.835")
        return books.now()

    return files.import_file(path, books.store, files.Job(PRACTICE, books.policy, "bea", now), lambda report: None)


def history(books: Books, path: Path) -> list[tuple[str, str | None, str | None]]:
    """(state, outcome, reason) of this file's imports, oldest first."""
    return books.store.read(lambda s: [(run.status, run.outcome, run.reason) for run in reversed(
        import_queries.list_runs(s, PRACTICE, 50)) if run.file_name == path.name])


@pytest.mark.parametrize(("content", "again"), [(FILE, "duplicate"), (TWO, "posted")])
def test_an_import_before_which_other_bytes_came_waits_and_goes_on_when_it_is_given_again(
        books: Books, path: Path, content: str, again: str) -> None:
    path.write_text(content)
    with pytest.raises(imports.RemittanceTaken):
        came_first(books, path)
    assert history(books, path) == [("waiting", None, files.WAITS)]
    assert not books.store.read(lambda s: facts.import_running(s, PRACTICE)), "it keeps nobody waiting"

    assert books.give(content, path.name).outcome == again
    ((status, outcome, reason),) = history(books, path)
    assert (status, outcome) == ("finished", again)
    assert reason != files.WAITS
    assert books.count("remittances") == (2 if content == TWO else 1)
    assert [books.stands(one.claim_id)[:2] for one in CLAIMS] == [(0, 1000)] * len(CLAIMS)
