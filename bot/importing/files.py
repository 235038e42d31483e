"""One file from its name to its report; the same road for a dry run, whose transactions never commit."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, TypeVar

from sqlalchemy.orm import Session

from billing import imports
from billing.importers import paper_eob, x12
from billing.importers.records import ImportFault
from billing.store import import_queries
from billing.store.alone import alone
from bot import write
from bot.importing import checking, posting, report
from bot.importing.checking import REMITTANCES, Checked, Progress, Store
from config.practice import PracticePolicy

T = TypeVar("T")

#: New objects between two searches for garbage: claims die by themselves, and Python's own 700 are a dozen of them.
SEARCHED_AFTER = 50_000
_USUAL = gc.get_threshold()
#: What the history says of an import before which another file with the same remittance came.
WAITS = ("another file with the same remittance came first; give this file again when that import has ended, and it "
         "goes on")


@dataclass(frozen=True, slots=True)
class Job:
    """What the user asked for."""

    practice_id: str
    policy: PracticePolicy
    actor: str
    now: Callable[[], datetime]
    skip_bad_claims: bool = False
    column_map: Path | None = None
    progress: Progress | None = None
    opening: bool = False  # the file takes over from another system
    control: Path | None = None  # its control totals, where they are in a file of their own


class _DryRun(Exception):
    """Carries the report out of a transaction that must not commit."""


@dataclass(frozen=True, slots=True)
class _OneSession:
    """A store within one transaction: writes flush, reads see them, nothing commits."""

    session: Session

    def write(self, fn: Callable[[Session], T]) -> T:
        result = fn(self.session)
        self.session.flush()
        self.session.expunge_all()
        return result

    def read(self, fn: Callable[[Session], T]) -> T:
        return fn(self.session)


def import_file(path: Path, store: Store, job: Job, show: Callable[[report.Report], None]) -> report.Report:
    """Import one file and hand its report to ``show`` while its claims can still be read.

    Raises OSError; imports.ImportBusy, having done nothing, where the same bytes are being imported already; and
    imports.RemittanceTaken where other bytes of the same remittance came first: the history says so.
    """
    digest = digest_of(path)
    with (_nobody_else(store, job, digest), tempfile.TemporaryFile("w+", encoding="utf-8") as spool, _settled()):
        try:
            result = _import(path, store, job, digest, spool)
        except ImportFault as fault:
            result = _refused(path, store, job, kind_of(path, job), digest, str(fault))
        show(result)
        return result


@contextlib.contextmanager
def _nobody_else(store: Store, job: Job, digest: str) -> Iterator[None]:
    """What is only tried is in nobody's way."""
    if not isinstance(store, write.Store):
        yield
        return
    with alone(store.engine, f"import:{job.practice_id}:{digest}") as mine:
        if not mine:
            raise imports.ImportBusy(imports.BUSY)
        yield


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    """What is in memory already is not searched for garbage again and again while a file's objects come and go."""
    mine = not gc.get_freeze_count()  # a process that did so itself means it to stay
    if mine:
        gc.freeze()
    gc.set_threshold(SEARCHED_AFTER, *_USUAL[1:])
    try:
        yield
    finally:
        gc.set_threshold(*_USUAL)
        if mine:
            gc.unfreeze()


def dry_run(path: Path, store: Store, job: Job, show: Callable[[report.Report], None]) -> report.Report:
    """Do all that an import does, show the report, and take everything back."""
    results: list[report.Report] = []

    def run(session: Session) -> None:
        results.append(import_file(path, _OneSession(session), job, show))
        raise _DryRun

    with contextlib.suppress(_DryRun):
        store.write(run)
    return results[0]


def kind_of(path: Path, job: Job) -> str:
    """Tell 835, 837P, 837I, csv, paper (an EOB typed into a CSV file) or unknown from the file's head; what takes over
    from another system is said by the user.
    """
    if job.opening:
        return "opening"
    if job.column_map is not None:
        return "csv"
    if path.suffix.lower() != ".csv":
        return x12.identify(path)
    with path.open("rb") as stream:
        return "paper" if paper_eob.identify(stream) else "csv"


def _import(path: Path, store: Store, job: Job, digest: str, spool: IO[str]) -> report.Report:
    kind = kind_of(path, job)
    if kind == "opening":
        from bot.importing import opening_files

        return opening_files.import_opening(path, store, job, digest)
    if kind == "csv":
        from bot.importing import csv_files

        return csv_files.import_csv(path, store, job, digest)
    if kind == "unknown":
        raise ImportFault("this is no X12 835, 837P or 837I and no CSV file; export the remittance or claim file as it "
                          "came from the clearinghouse")
    poster = imports.Poster(job.practice_id, job.policy, "", job.actor)
    checked = _check(path, kind, store, job, poster, digest, spool)
    found = checking.reasons(checked, job.skip_bad_claims)
    if found:
        reason = _summary(found)
        only_claims = not checked.faults and not any(t.faults for t in checked.transactions)
        return replace(_refused(path, store, job, kind, digest, reason),
                       skippable=only_claims and not job.skip_bad_claims, transactions=lambda: report.transactions(
            checked, spool, store, job.practice_id, None, poster.today(job.now()), reason))
    return _post(path, kind, store, job, poster, digest, checked, spool)


def _check(path: Path, kind: str, store: Store, job: Job, poster: imports.Poster, digest: str,
           spool: IO[str]) -> Checked:
    if kind in REMITTANCES:
        return checking.check_remittances(path, kind, store, job.practice_id, digest, spool, job.progress)
    return checking.check_claims(path, kind, store, poster, spool, job.progress, job.now)


def _summary(found: list[str]) -> str:
    """The first fault in full, and how many more."""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{found[0]}{more}. Nothing was posted"


def _post(path: Path, kind: str, store: Store, job: Job, poster: imports.Poster, digest: str, checked: Checked,
          spool: IO[str]) -> report.Report:
    today = poster.today(job.now())
    if all(t.duplicate for t in checked.transactions):
        reason = "posted before: nothing to do"
        run_id = store.write(lambda s: imports.record_refusal(
            s, job.practice_id, file_name=path.name, digest=digest, kind=kind, reason=reason, actor=job.actor,
            now=job.now(), outcome="duplicate"))
        return report.Report(str(path), kind, "duplicate", reason, run_id, transactions=lambda: report.transactions(
            checked, spool, store, job.practice_id, None, today, None))
    run_id, cursor = store.write(lambda s: _begin(s, path, kind, job, digest, checked))
    poster = replace(poster, import_id=run_id)
    passes = posting.post_remittances if kind in REMITTANCES else posting.post_claims
    try:
        passes(path, checked, store, poster, cursor, job.now, job.progress)
    except imports.RemittanceTaken:
        store.write(lambda s: imports.put_by(s, run_id, WAITS))
        raise
    tally = store.read(lambda s: import_queries.tally(s, run_id))
    outcome, reason = _ending(tally)
    store.write(lambda s: imports.finish(s, run_id, outcome, reason, job.now()))
    return report.Report(str(path), kind, outcome, reason or None, run_id, tally, transactions=lambda:
                         report.transactions(checked, spool, store, job.practice_id, run_id, today, None))


def _begin(session: Session, path: Path, kind: str, job: Job, digest: str, checked: Checked) -> tuple[str, int]:
    run_id = imports.begin(
        session, job.practice_id, file_name=path.name, digest=digest, kind=kind,
        options={"skip_bad_claims": job.skip_bad_claims}, actor=job.actor, now=job.now(), total=checked.claims)
    return run_id, import_queries.lock_run(session, run_id).cursor


def _ending(tally: dict[str, int]) -> tuple[str, str]:
    """Skipped claims make a file partial; a file of nothing but known claims is a duplicate."""
    if tally.get("skipped"):
        return "partial", f"{tally['skipped']} claims could not be posted; their payments are in remittance suspense"
    if tally and set(tally) == {"duplicate"}:
        return "duplicate", "every claim of this file was imported before"
    suspended = tally.get("suspended", 0)
    return "posted", f"{suspended} claims are in suspense, each with a case" if suspended else ""


def _refused(path: Path, store: Store, job: Job, kind: str, digest: str, reason: str) -> report.Report:
    run_id = store.write(lambda s: imports.record_refusal(
        s, job.practice_id, file_name=path.name, digest=digest, kind=kind, reason=reason, actor=job.actor,
        now=job.now()))
    return report.Report(str(path), kind, "refused", reason, run_id)


def digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
