"""Imports as the console shows them: what waits, what was posted, and every claim or row that was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from billing.store import console_import_queries as store
from billing.store import import_queries, upload_queries
from billing.store.tables import ImportFile, ImportRun

PAGE = 50
LISTED = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """``place``: the claim's number, or the line of a CSV file."""

    place: int
    claim_id: str
    outcome: str
    reason: str
    account_id: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class RemittanceLine:
    trace: str
    payer: str
    paid_minor: int
    paid_on: date | None
    foots: bool | None
    reason: str
    status: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a check or an import came to. Cents; ``patient_minor``: what payers say that patients owe of it."""

    kind: str
    outcome: str
    reason: str
    claims: int
    charge_minor: int
    paid_minor: int
    adjusted_minor: int
    patient_minor: int
    counts: list[Count]
    remittances: list[RemittanceLine]
    faults: list[Fault]
    more_faults: int
    notes: list[str]
    skippable: bool


@dataclass(frozen=True, slots=True)
class Given:
    """A file that was uploaded. ``percent``: how far its worker is, of both passes; None where nobody can say."""

    upload_id: str
    name: str
    status: str
    size_bytes: int
    percent: int | None
    posted: int | None
    total: int | None
    failure: str
    by: str
    at: datetime
    import_id: str
    before_id: str
    before_at: datetime | None
    before_by: str
    told: Told | None


@dataclass(frozen=True, slots=True)
class Run:
    import_id: str
    file: str
    kind: str
    status: str
    outcome: str
    reason: str
    by: str
    at: datetime
    finished_at: datetime | None
    undone_at: datetime | None
    undone_by: str
    cursor: int
    total: int
    counts: list[Count]


@dataclass(frozen=True, slots=True)
class Imports:
    given: list[Given]
    runs: list[Run]
    more: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    run: Run
    told: Told | None
    remittances: list[RemittanceLine]
    faults: list[Fault]


def listed(session: Session, practice_id: str, before: tuple[datetime, str] | None) -> Imports:
    rows = store.runs(session, practice_id, before, PAGE + 1)
    tallies = store.tallies(session, [row.id for row in rows[:PAGE]])
    given = upload_queries.under_way(session, practice_id) if before is None else ()
    running = upload_queries.running(session, practice_id, {row.digest for row in given})
    return Imports([_given(row, running.get(row.digest), None) for row in given],
                   [_run(row, tallies.get(row.id, {})) for row in rows[:PAGE]], len(rows) > PAGE)


def file(session: Session, practice_id: str, upload_id: str) -> Given | None:
    row = upload_queries.find(session, practice_id, upload_id)
    if row is None:
        return None
    running = upload_queries.running(session, practice_id, {row.digest}).get(row.digest)
    return _given(row, running, upload_queries.posted_before(session, practice_id, row.digest))


def run(session: Session, practice_id: str, import_id: str) -> RunPage | None:
    row = import_queries.find_run(session, practice_id, import_id)
    if row is None:
        return None
    kept = upload_queries.of_import(session, row.id)
    return RunPage(
        _run(row, store.tallies(session, [row.id]).get(row.id, {})), _told(kept.report) if kept else None,
        [RemittanceLine(r.trace, r.payer_name, r.paid_minor, r.paid_on, None, "", r.status)
         for r in store.remittances(session, row.id)],
        [Fault(place, claim_id or "", outcome, reason or "", account_id or "")
         for place, claim_id, outcome, reason, account_id in store.not_posted(session, row.id, LISTED)])


def _given(row: ImportFile, running: ImportRun | None, before: ImportRun | None) -> Given:
    working = row.status in ("checking", "posting")
    whole = max(2 * row.size_bytes, 1)
    if before is not None and before.id == row.import_id:
        before = None
    return Given(
        row.id, row.file_name, row.status, row.size_bytes, min(100 * row.done_bytes // whole, 99) if working else None,
        running.cursor if running and row.status == "posting" else None,
        running.total if running and row.status == "posting" else None, row.failure, row.given_by, row.given_at,
        row.import_id or "", before.id if before else "", before.started_at if before else None,
        before.started_by if before else "", _told(row.report))


def _run(row: ImportRun, tally: Mapping[str, int]) -> Run:
    return Run(row.id, row.file_name, row.kind, row.status, row.outcome or "", row.reason or "", row.started_by,
               row.started_at, row.finished_at, row.undone_at, row.undone_by or "", row.cursor, row.total,
               _counts(tally))


def _counts(tally: Mapping[str, int]) -> list[Count]:
    return [Count(outcome, count) for outcome, count in sorted(tally.items())]


def _told(report: Mapping[str, Any] | None) -> Told | None:
    if report is None:
        return None
    return Told(
        report["kind"], report["outcome"], report["reason"], report["claims"], report["charge_minor"],
        report["paid_minor"], report["adjusted_minor"], report["patient_minor"],
        _counts(report["tally"] or report["outcomes"]),
        [RemittanceLine(one["trace"], "", one["paid_minor"], None, one["foots"], one["reason"], "")
         for one in report["remittances"]],
        [Fault(one["number"], one["claim_id"], one["outcome"], one["reason"]) for one in report["faults"]],
        report["more_faults"], list(report["notes"]), report["skippable"])
