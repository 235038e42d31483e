"""A practice at work with CSV files: write one, import it as the command does, look at what the ledger holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from billing.accounts import find_account
from billing.figures import AccountFigures, account_figures
from billing.importers.csv_columns import TEMPLATES
from billing.store.practices import find_practice, policy_of
from billing.undoing import undo_import
from billing.verify import verify
from billing.views import Figures
from bot.importing import files
from bot.importing.csv_templates import write_template
from bot.importing.report import Report
from bot.write import Store
from config.practice import PracticePolicy

SAMPLES = Path(__file__).parents[1] / "samples" / "csv"
TUESDAY = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)


@dataclass
class World:
    store: Store
    practice_id: str
    folder: Path
    at: datetime = TUESDAY
    given: int = 0

    @property
    def policy(self) -> PracticePolicy:
        row = self.store.read(lambda s: find_practice(s, self.practice_id))
        assert row is not None
        return policy_of(row)

    def job(self, *, skip: bool = False, column_map: Path | None = None) -> files.Job:
        return files.Job(self.practice_id, self.policy, "ana", lambda: self.at, skip, column_map)

    def write(self, text: str | bytes, name: str = "") -> Path:
        self.given += 1
        path = self.folder / (name or f"file{self.given}.csv")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def load(self, path: Path, *, skip: bool = False, column_map: Path | None = None, dry: bool = False) -> Report:
        """Import a file; its claims are read while they can be, as the command does."""
        how = files.dry_run if dry else files.import_file
        shown: list[Report] = []

        def show(report: Report) -> None:
            told = [{**t, "claims": list(t["claims"])} for t in report.transactions()]
            shown.append(replace(report, transactions=lambda: iter(told)))

        how(path, self.store, self.job(skip=skip, column_map=column_map), show)
        return shown[0]

    def give(self, template: str, *rows: str | dict[str, Any], skip: bool = False, dry: bool = False) -> Report:
        """Import rows in the columns of one of our templates; a dict fills the columns that it names."""
        return self.load(self.write(filled(template, *rows)), skip=skip, dry=dry)

    def undo(self, report: Report) -> dict[str, Any]:
        return self.store.write(lambda s: undo_import(
            s, self.practice_id, self.policy, report.import_id or "", actor="ana", now=self.at))

    def account(self, ref: str) -> AccountFigures:
        today = self.at.astimezone(ZoneInfo("America/New_York")).date()

        def read(session: Any) -> AccountFigures:
            account = find_account(session, self.practice_id, ref)
            assert account is not None, f"no account {ref}"
            return account_figures(session, account.id, today)

        return self.store.read(read)

    def visit(self, claim_id: str) -> Figures:
        """The figures of the visit of that number that stands."""
        return next(v.figures for v in self.account(claim_id).visits if v.external == claim_id and not v.void)

    def open_minor(self, *claims: str) -> dict[str, int]:
        return {claim: self.visit(claim).open_minor for claim in claims}

    def check(self) -> None:
        """The ledger's own replay finds nothing."""
        found = self.store.read(lambda s: verify(s, self.practice_id))
        assert found.problems == []


def filled(template: str, *rows: str | dict[str, Any]) -> str:
    """A template as a person fills it in: rows below the header."""
    names = [f.name for f in TEMPLATES[template].fields]
    lines = [row if isinstance(row, str) else ",".join(_cell(row.get(name, "")) for name in names) for row in rows]
    return "\n".join((write_template(template), *lines, ""))


def _cell(value: object) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text


def charge(visit: str, amount: str, **more: Any) -> dict[str, Any]:
    return {"visit_id": visit, "amount": amount, "procedure": "99213", "service_on": "2026-10-05", "patient_id": "P-1",
            **more}


def paid(visit: str, amount: str, who: str = "patient", **more: Any) -> dict[str, Any]:
    return {"visit_id": visit, "amount": amount, "who": who, "paid_on": "2026-10-20", "tender": "check", **more}


def moved(visit: str, amount: str, from_who: str = "payer", to_who: str = "patient", **more: Any) -> dict[str, Any]:
    return {"visit_id": visit, "amount": amount, "from_who": from_who, "to_who": to_who, "moved_on": "2026-10-20",
            **more}


def person(**more: Any) -> dict[str, Any]:
    """A grown patient who answers for himself."""
    return {"patient_id": "P-1", "given_name": "Juan", "surname": "Ruiz", "born_on": "1980-02-03", "relation": "self",
            **more}


def outcomes(reports: Sequence[Report]) -> list[str]:
    return [report.outcome for report in reports]
