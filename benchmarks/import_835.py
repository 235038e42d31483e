"""Claims of an 835 posted a second, over what the parser alone does in the same run, and the memory that it takes.

The whole road of ``plainbill import`` is timed: recognising, checking, posting in keyed batches, the tally. Two kinds
of practice: one that billed the claims (their 837 was posted before), and one that never heard of them, whose accounts,
visits and lines the remittance has to open. Rates are by the wall clock and by our own processor seconds: on a machine
that does other things as well only the second is ours.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.places import databases
from benchmarks.result import Result
from benchmarks.x12_bulk import CLAIM_BYTES, write_claims, write_remittance
from billing.importers import x12_835
from billing.store.seal import Keyring, install_keyring
from billing.store.tables import Practice
from bot.importing.files import Job, import_file
from bot.write import Store, open_store
from config.practice import PracticePolicy

KEYS = Keyring({"bench": bytes(32)}, "bench", bytes(32))
NOW = datetime(2026, 11, 3, 15, tzinfo=UTC)
PRACTICE = "prac_bench"
POLICY = PracticePolicy(name="Bench Clinic", legal_name="Bench Clinic PLLC", phone="+12125550199",
                        address="12 Maple St, New York, NY 10001", sms_number="+12125550100", tax_id="12-3456789",
                        npi="1234567893")
CLAIMS = int(os.environ.get("IMPORT_CLAIMS", "2000"))
ROUNDS = int(os.environ.get("IMPORT_ROUNDS", "3"))
SMALL_MB, LARGE_MB = 1, int(os.environ.get("IMPORT_LARGE_MB", "100"))


def measure() -> Iterator[Result]:
    """Yield the parser's rate, the rates of posting and their ratios, and the memory of a small and a large file."""
    install_keyring(KEYS)
    with databases() as (folder, server):
        for name, url in (("SQLite", partial(_file, folder)), ("PostgreSQL", lambda _: server.url(server.create()))):
            yield from _rates(name, folder, url)
    yield from _memory()


def _file(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / f'{name}.db'}"


def _rates(name: str, folder: Path, url: Callable[[str], Any]) -> Iterator[Result]:
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(ROUNDS):
        with opened(url(f"{number}")) as store:
            for what, timed in _round(store, folder, f"R{number}").items():
                found.setdefault(what, []).append(timed)
    for what in ("billed", "unknown"):
        label = f"{name}, claims {'on file' if what == 'billed' else 'not on file'}"
        wall = [(a[0], b[0]) for a, b in zip(found[what], found["parsed"], strict=True)]
        worked = [(a[1], b[1]) for a, b in zip(found[what], found["parsed"], strict=True)]
        yield Result(f"{label}", statistics.median(CLAIMS / a for a, _ in wall), "claims a second")
        yield Result(f"{label}, of processor time", statistics.median(CLAIMS / a for a, _ in worked),
                     "claims a second")
        yield Result(f"{label}, over the parser alone, of processor time",
                     statistics.median(b / a for a, b in worked), "times")
        yield Result(f"{label}, over the parser alone", statistics.median(b / a for a, b in wall), "times",
                     at_least=0.3)
    yield Result(f"the parser alone ({name}'s rounds)", statistics.median(CLAIMS / a for a, _ in found["parsed"]),
                 "claims a second")


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """An open store with a practice, closed at the end."""
    store = prepared(url)
    try:
        yield store
    finally:
        store.close()


def prepared(url: str) -> Store:
    store = open_store(url, KEYS, upgrade=True)
    store.write(lambda session: session.add(Practice(
        id=PRACTICE, name=POLICY.name, legal_name=POLICY.legal_name, phone=POLICY.phone, zone=POLICY.zone,
        currency=POLICY.currency, sms_number=POLICY.sms_number, configured=True, created_at=NOW, updated_at=NOW,
        settings=POLICY.model_dump(mode="json"))))
    return store


def _round(store: Store, folder: Path, trace: str) -> dict[str, tuple[float, float]]:
    """(wall seconds, our processor seconds) of parsing, and of posting claims on file and not on file."""
    paths = {}
    for what, first in (("billed", 0), ("unknown", 10_000_000)):
        paths[what] = folder / f"{what}.835"
        with paths[what].open("wb") as stream:
            write_remittance(stream, CLAIMS, first=first, trace=f"{trace}-{what}")
    charged = folder / "claims.837"
    with charged.open("wb") as stream:
        write_claims(stream, CLAIMS)
    _post(charged, store)
    return {"parsed": _timed(lambda: _parse(paths["billed"])), "billed": _timed(lambda: _post(paths["billed"], store)),
            "unknown": _timed(lambda: _post(paths["unknown"], store))}


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    began, worked = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began, time.process_time() - worked


def _parse(path: Path) -> None:
    with path.open("rb") as stream:
        assert sum(1 for _ in x12_835.read(stream)) == CLAIMS + 2


def _post(path: Path, store: Store) -> None:
    report = import_file(path, store, Job(PRACTICE, POLICY, "bench", lambda: NOW), lambda _: None)
    assert report.outcome == "posted", (report.outcome, report.reason)


def _memory() -> Iterator[Result]:
    """The peak of a process of its own that imports one file; what an import of ten claims takes is taken off.

    The large file is 237,000 claims: some five minutes of an idle machine, and 2 GB of disk.
    """
    base, small = _peak_mb(0), _peak_mb(SMALL_MB)
    began = time.perf_counter()
    large = _peak_mb(LARGE_MB)
    yield Result(f"writing and importing a file of {LARGE_MB} MB", time.perf_counter() - began, "seconds")
    yield Result(f"memory for a file of {SMALL_MB} MB, above that for ten claims", small - base, "MB")
    yield Result(f"memory for a file of {LARGE_MB} MB, above that for ten claims", large - base, "MB")
    yield Result(f"peak memory, {LARGE_MB} MB over {SMALL_MB} MB", large / small, "times", at_most=1.2)


def _peak_mb(megabytes: int) -> float:
    done = subprocess.run([sys.executable, "-m", "benchmarks.import_835", str(megabytes)], check=True,
                          capture_output=True, text=True)
    return float(done.stdout.strip().splitlines()[-1])


def _peak_kb() -> int:
    """The high-water mark since this program began; ``getrusage`` would count what its parent had when it forked."""
    told = Path("/proc/self/status")
    if told.is_file():
        return next(int(line.split()[1]) for line in told.read_text(encoding="ascii").splitlines()
                    if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)


def main(megabytes: int) -> None:
    """Import a file of this size into SQLite and print the process's peak memory in MB."""
    claims = max(megabytes * 1_000_000 // CLAIM_BYTES, 10)
    with tempfile.TemporaryDirectory(prefix="plainbill-bench-") as folder:
        path = Path(folder) / "large.835"
        with path.open("wb") as stream:
            write_remittance(stream, claims, first=0, trace="LARGE")
        with opened(_file(Path(folder), "large")) as store:
            _post(path, store)
        print(_peak_kb() / 1024)


if __name__ == "__main__":
    main(int(sys.argv[1]))
