"""The file to a collection agency: what is placed with its full history, and what happened to what was placed before.

Order as in billing/postings.py: the rows are gathered, the ledger moved and the file's content kept in one transaction,
so that nothing can enter a second file; then the file is written and flushed; only then it gets its name. A file
without one was interrupted and is written again, byte for byte the same, before anything new is gathered.
Columns: docs/agency.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import audit, closing, csv_cells, explain, placement_money, placements
from billing.ids import new_id
from billing.lives import step
from billing.money import plain
from billing.placement_checks import standing
from billing.placement_money import APPROVED, MOVES, REFUSED
from billing.store import agency_queries, counters, hold_queries
from billing.store import collection_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Placement, PlacementEvent, PlacementFile
from config.practice import PracticePolicy

COLUMNS = ("record", "placement_id", "account", "visit", "service_on", "on", "kind", "amount", "balance", "currency",
           "reason", "name", "address", "postal_code", "phone", "language", "past_due_on", "first_bill_on",
           "final_notice_on", "creditor")


@dataclass(frozen=True, slots=True)
class AgencyFile:
    """``rows`` without the heading; ``amount_minor``: newly placed. ``written``: it is on the disk whole."""

    file_id: str
    practice_id: str
    agency: str
    number: int
    rows: int
    amount_minor: int
    written: bool
    made_by: str
    made_at: datetime
    left_out: int = 0  # approved placements that something stood in the way of

    @property
    def file_name(self) -> str:
        return f"agency-{self.agency}-{self.number:04d}.csv"


def gather(session: Session, practice_id: str, agency: str, *, by: str, now: datetime) -> AgencyFile | None:
    """Place what is approved and tell the agency what else is new; None when there is nothing to tell.

    Each placement is checked once more; one that may not go any more is refused here, with its reason. One file of a
    practice at a time: the counter's row is the lock. Raises PlacementRefused for an unknown agency, and for one
    without a business associate agreement (T-37), although it may have debts that were taken over.
    """
    policy = policy_in(session, practice_id)
    contract = placements.agency_of(policy, agency)
    if contract.baa_on is None or contract.baa_on > policy.local_day(now):
        raise placements.PlacementRefused(f"agency {agency} has signed no business associate agreement, and gets no "
                                          "file (45 CFR 164.504(e)); see baa_on in [[collections.agencies]]")
    counters.lock_counter(session, practice_id, f"agency_file:{agency}")
    placements.note_changes(session, practice_id, now)
    placed, left_out = _place_approved(session, practice_id, agency, policy, by, now)
    news = store.untold(session, practice_id, agency)
    if not news:
        return None
    file_id, number = new_id("plf"), counters.next_number(session, practice_id, f"agency_file:{agency}")
    rows = [cells for event in news for cells in _rows(session, event, policy, now)]
    row = store.add(session, PlacementFile(
        id=file_id, practice_id=practice_id, agency=agency, direction="out", number=number, digest="", file_name="",
        rows=len(rows), amount_minor=placed, content=rows, made_by=by, made_at=now))
    for event in news:
        event.file_id = file_id
        if event.kind == "placed":
            session.get_one(Placement, event.placement_id).file_id = file_id
    session.flush()
    audit.record(session, practice_id, by, "agency_file", "placement_file", file_id, agency, now)
    return _file(row, left_out)


def _place_approved(session: Session, practice_id: str, agency: str, policy: PracticePolicy, by: str, now: datetime,
                    ) -> tuple[int, int]:
    """(cents placed, placements left out)."""
    placed = left_out = 0
    on = closing.open_day(session, practice_id, policy.local_day(now))
    for row in store.placements(session, practice_id, (APPROVED,), agency):
        hold_queries.lock(session, row.guarantor_id)
        found = placements.check(session, row, policy, now)
        if found:
            step("placement", MOVES, row, REFUSED)
            row.end_reason, row.ended_on = found[0].words, policy.local_day(now)
            left_out += 1
            continue
        placement_money.place(session, row, currency=policy.currency, by=by, on=on, now=now)
        placed += row.amount_minor
    session.flush()
    return placed, left_out


def _rows(session: Session, event: PlacementEvent, policy: PracticePolicy, now: datetime) -> Iterator[list[str]]:
    row = session.get_one(Placement, event.placement_id)
    about = agency_queries.about(session, row.guarantor_id, row.visit_id)
    base = {"placement_id": row.id, "account": about.account, "visit": about.visit, "currency": policy.currency}
    if event.kind != "placed":
        yield _cells({**base, "record": "NEWS", "on": event.happened_on.isoformat(), "kind": event.kind,
                      "amount": plain(event.amount_minor), "balance": plain(row.left_minor),
                      "reason": event.reason})
        return
    here = standing(session, row.guarantor_id, policy, now)
    days = (here.past_due, here.first_bill, here.notice)
    past_due, first_bill, notice = (_iso(found.get(row.visit_id)) for found in days)
    yield _cells({
        **base, "record": "PLACE", "service_on": _iso(about.service_on), "on": event.happened_on.isoformat(),
        "kind": "placed", "amount": plain(event.amount_minor), "balance": plain(event.amount_minor),
        "reason": "undisputed", "name": about.name, "address": about.address, "postal_code": about.postal_code,
        "phone": about.phone, "language": about.language, "past_due_on": past_due, "first_bill_on": first_bill,
        "final_notice_on": notice, "creditor": policy.legal_name})
    for history in _history(session, row):
        yield _cells({**base, "record": "HISTORY", **history})


def _history(session: Session, row: Placement) -> list[dict[str, str]]:
    """How the amount came about, to the cent, and what was said of it: the derivation, statements and notices, and
    every dispute with how it ended.
    """
    found = [{"kind": one.kind, "amount": plain(one.amount_minor), "on": _iso(one.on), "reason": one.code}
             for one in explain.explain_visit(session, row.visit_id).steps if one.kind not in ("left", "placed")]
    found += [{"kind": kind, "on": _iso(on), "reason": reason}
              for kind, on, reason in agency_queries.told(session, row.guarantor_id, row.visit_id)]
    return found


def _iso(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def _cells(values: dict[str, Any]) -> list[str]:
    return [str(csv_cells.safe(str(values.get(name, "")))) for name in COLUMNS]


def content(session: Session, file_id: str) -> str:
    """The file, the same bytes whenever it is asked for."""
    row = session.get_one(PlacementFile, file_id)
    return csv_cells.whole(COLUMNS, row.content or [])


def unfinished(session: Session, practice_id: str) -> list[AgencyFile]:
    """Files that may never have been written whole, oldest first."""
    return [_file(row) for row in store.files(session, practice_id, "out") if not row.file_name]


def listing(session: Session, practice_id: str) -> Sequence[PlacementFile]:
    """Both directions, oldest first."""
    return store.files(session, practice_id)


def mark_written(session: Session, practice_id: str, file_id: str) -> AgencyFile:
    """Note that the file is on the disk."""
    row = session.get_one(PlacementFile, file_id)
    row.file_name = _file(row).file_name
    session.flush()
    return _file(row)


def find(session: Session, practice_id: str, agency: str, number: int) -> AgencyFile | None:
    return next((_file(row) for row in store.files(session, practice_id, "out")
                 if (row.agency, row.number) == (agency, number)), None)


def _file(row: PlacementFile, left_out: int = 0) -> AgencyFile:
    return AgencyFile(row.id, row.practice_id, row.agency, row.number, row.rows, row.amount_minor, bool(row.file_name),
                      row.made_by, row.made_at, left_out)
