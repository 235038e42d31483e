"""An opening file written, imported, released and undone as the commands do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import opening_release, staff
from billing.importers.opening_columns import BUCKETS, EXAMPLE, columns
from billing.opening_totals import Sums
from billing.store import opening_queries
from billing.store.practices import save_policy
from billing.store.tables import Case, Consent, Hold, OpeningVisit, Plan
from bot.importing import files
from bot.importing.report import Report
from tests.conftest import maple_clinic
from tests.csv.world import World

AS_OF = "2026-11-02"
AGENCIES: dict[str, Any] = {"agencies": [
    {"key": "acme", "name": "Acme Recovery", "contract_on": "2026-01-01", "baa_on": "2026-01-01"},
    {"key": "nobaa", "name": "No Paper", "contract_on": "2026-01-01"}]}
Row = dict[str, Any]

#: The template's example without an attorney and without a credit: its plan may be replaced.
QUIET: tuple[Row, ...] = (
    *(row for row in EXAMPLE if row["record"] not in ("standing", "credit") and row.get("bucket") != "credits"),
    {"record": "total", "bucket": "credits", "amount": "0.00", "as_of": AS_OF})


@dataclass
class Takeover(World):
    """``move``: the practice of tests/csv/world.py, on the day on which it leaves its old system."""

    def settle(self, **changes: Any) -> None:
        """Put another policy in force; its agencies are the same."""
        policy = maple_clinic(**{"collections": AGENCIES, **changes})
        self.store.write(lambda s: save_policy(s, self.practice_id, policy, True, self.at))

    def opening_job(self, control: Path | None = None) -> files.Job:
        return replace(self.job(), opening=True, control=control)

    def take(self, *rows: Row, control: str | None = None, dry: bool = False) -> Report:
        """Import rows as one opening file."""
        beside = self.write(control) if control is not None else None
        return self.take_file(self.write(written(rows)), beside, dry=dry)

    def take_file(self, path: Path, control: Path | None = None, *, dry: bool = False) -> Report:
        how = files.dry_run if dry else files.import_file
        shown: list[Report] = []

        def show(report: Report) -> None:
            told = [{**t, "claims": list(t["claims"])} for t in report.transactions()]
            shown.append(replace(report, transactions=lambda: iter(told)))

        how(path, self.store, self.opening_job(control), show)
        return shown[0]

    def hire(self, login: str = "bea", role: str = "supervisor") -> str:
        self.store.write(lambda s: staff.add(s, self.practice_id, login=login, name=login, role=role, actor="test",
                                             now=self.at))
        return login

    def release(self, report: Report, by: str = "bea") -> list[opening_release.Released]:
        import_id = report.import_id or ""
        waiting = self.store.read(lambda s: opening_release.accounts(s, self.practice_id, import_id))
        return [self.release_account(import_id, one, by) for one in waiting]

    def release_account(self, import_id: str, guarantor_id: str, by: str) -> opening_release.Released:
        return self.store.write(lambda s: opening_release.release(
            s, self.practice_id, self.policy, import_id, guarantor_id, by=by, now=self.at))

    def open_holds(self) -> list[str]:
        return self.store.read(lambda s: sorted(s.scalars(select(Hold.kind).where(Hold.released_at.is_(None)))))

    def plans(self) -> list[Plan]:
        return self.store.read(lambda s: _detached(s, list(s.scalars(select(Plan)))))

    def revocations(self) -> list[Consent]:
        return self.store.read(lambda s: _detached(s, list(s.scalars(select(Consent).where(
            Consent.event == "revoked")))))

    def cases(self) -> list[tuple[str, str]]:
        return self.store.read(lambda s: [(one.kind, one.status) for one in s.scalars(select(Case))])

    def taken(self) -> list[OpeningVisit]:
        return self.store.read(lambda s: _detached(s, list(s.scalars(select(OpeningVisit)))))

    def balances(self, report: Report) -> int:
        return sum(minor for _, minor in self.store.read(
            lambda s: opening_queries.open_by_visit(s, report.import_id or "")))


def begun(move: Takeover) -> Takeover:
    """With an agency in its policy."""
    move.settle()
    return move


def _detached(session: Session, rows: list[Any]) -> list[Any]:
    session.expunge_all()
    return rows


def written(rows: Sequence[Row]) -> str:
    """An opening file as a person fills its template in."""
    names = columns()
    return "\n".join((",".join(names), *(",".join(_cell(row.get(name, "")) for name in names) for row in rows), ""))


def _cell(value: object) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text


def visit(number: str, balance: str, first: str = "2026-10-20", **more: Any) -> Row:
    return {"record": "visit", "visit_id": number, "patient_id": "P-1", "service_on": "2025-10-05", "balance": balance,
            "first_statement_on": first, **more}


def person(number: str = "P-1", **more: Any) -> Row:
    return {"record": "patient", "patient_id": number, "given_name": "Juan", "surname": f"Ruiz {number}",
            "born_on": "1980-02-03", "relation": "self", **more}


def totals(as_of: str = AS_OF, **amounts: str) -> list[Row]:
    """Control totals by the names b0, b31, b61, b91, b121, credits, payers and not_billed; what is not named is 0."""
    names = dict(zip(("b0", "b31", "b61", "b91", "b121"), BUCKETS, strict=True)) | {
        name: name for name in ("credits", "payers", "not_billed")}
    return [{"record": "total", "bucket": bucket, "amount": amounts.get(name, "0.00"), "as_of": as_of}
            for name, bucket in names.items()]


def cents(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def totals_of(sums: Sums, as_of: Any) -> list[Row]:
    return [{"record": "total", "bucket": name, "amount": cents(minor), "as_of": as_of.isoformat()}
            for name, minor in sums.totals(as_of).items()]
