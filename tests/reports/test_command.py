"""``plainbill report`` as a manager types it: text, JSON, CSV and PDF, and what stays on the trail."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdf
import pytest
from sqlalchemy import select, update

from billing import csv_cells, reports, staff
from billing.store.tables import Audit, LedgerAccount, ReportRun, Segment
from bot.write import Store, open_store
from templates import report_plots, report_sheets
from tests.cli.conftest import Outcome, Run
from tests.conftest import TEST_KEYS, Clock, practice_row
from tests.payments.world import PRACTICE
from tests.reports.chance import fill
from tests.statements.test_paper import is_tagged_ua1, read, tags, text_of

TODAY = "2028-03-15T11:00:00-04:00"


@pytest.fixture
def books(sqlite_url: str, clock: Clock) -> Iterator[Store]:
    store = open_store(sqlite_url, TEST_KEYS)
    store.write(practice_row(clock()))
    store.write(fill(1, 20, clock()))
    yield store
    store.close()


@pytest.fixture
def type_in(books: Store, sqlite_url: str, plainbill: Run) -> Callable[..., Outcome]:
    settings = {
        "DATABASE_URL": sqlite_url, "PRACTICE": PRACTICE, "CLOCK": TODAY,
        "ENCRYPTION_KEYS": "test-1:" + base64.b64encode(bytes(range(32))).decode(),
        "INDEX_KEY": base64.b64encode(bytes(range(32, 64))).decode()}
    return lambda *arguments, **more: plainbill("report", *arguments, **{**settings, **more})


def test_without_a_name_it_lists_the_reports(type_in: Callable[..., Outcome]) -> None:
    assert type_in().out.split() == [*reports.REPORTS, "all"]


def test_a_report_prints_its_figures_with_its_definition_and_clock_below_them(type_in: Callable[..., Outcome]) -> None:
    done = type_in("aging")
    assert done.code == 0, done.err
    figures, below = done.out.index("Patients owe"), done.out.index("Definition: Each visit's open balance")
    assert figures < below < done.out.index("Clock: ") < done.out.index("Footing: ")


def test_every_run_stays_on_the_trail_with_its_figures_and_the_next_one_shows_them(
        type_in: Callable[..., Outcome], books: Store) -> None:
    first = type_in("aging", "--to", "2028-02-29", "--json", STAFF="operator").json
    second = type_in("all", "--json").json
    rows = books.read(lambda s: list(s.scalars(select(ReportRun).order_by(ReportRun.id))))
    assert [row.name for row in rows] == ["aging", *reports.REPORTS]
    assert rows[0].figures == {f["key"]: f["value"] for f in first["reports"][0]["figures"]}
    line = next(line for line in second["summary"] if line["report"] == "aging")
    assert (line["before"], line["before_on"]) == (rows[0].figures["patient_minor"], "2028-02-29")
    seen = books.read(lambda s: list(s.execute(select(Audit.action, Audit.reason).order_by(Audit.id))))
    assert [tuple(one) for one in seen][-2:] == [("report", "aging"), ("report", ", ".join(reports.REPORTS))]


def test_the_csv_file_has_every_number_raw_and_nothing_that_a_spreadsheet_would_run(
        type_in: Callable[..., Outcome], books: Store, tmp_path: Path, clock: Clock) -> None:
    def add(session: Any) -> None:
        from billing.store.tables import Campaign

        session.add(Segment(id="seg", practice_id=PRACTICE, name="x", version=1, definition={}, created_by="ana",
                            created_at=clock()))
        session.flush()
        session.add(Campaign(id="camp", practice_id=PRACTICE, number=1, name="x", segment_id="seg", purpose="notice",
                             template="x", ways=[], status="done", created_by="ana", created_at=clock(),
                             started_at=clock()))

    books.write(add)
    made = type_in("all", "--csv", str(tmp_path / "r.csv"), "--json").json
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert {row["report"] for row in rows} == set(reports.REPORTS)
    aging = made["reports"][0]
    found = {row["column"]: row["value"] for row in rows if row["report"] == "aging" and not row["table"]}
    assert found == {f["key"]: str(f["value"]) for f in aging["figures"]}
    cells = sum(len(table["rows"]) * (len(table["columns"]) - 1) for one in made["reports"] for table in one["tables"])
    assert len(rows) == cells + sum(len(one["figures"]) for one in made["reports"])
    assert all(csv_cells.safe(cell) == cell for row in rows for cell in row.values())


def test_a_report_that_disagrees_with_the_ledger_is_shown_and_ends_with_1(
        type_in: Callable[..., Outcome], books: Store) -> None:
    books.write(lambda s: s.execute(update(LedgerAccount).where(LedgerAccount.kind == "patient").values(
        balance_minor=LedgerAccount.balance_minor + 1)))
    done = type_in("aging")
    assert done.code == 1
    assert "To look at: Aging of accounts receivable: Patient receivable" in done.out
    assert "plainbill ledger verify" in done.out


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (("ageing",), 5, "The reports are aging, days-in-ar"),
    (("aging", "--to", "2028-03-16"), 2, "has not come yet"),
    (("aging", "--from", "2028-03-15", "--to", "2028-03-01"), 2, "after its last"),
    (("aging", "--from", "soon"), 2, "write a day as")])
def test_what_cannot_be_reported_is_refused_in_words(
        type_in: Callable[..., Outcome], arguments: tuple[str, ...], code: int, words: str) -> None:
    done = type_in(*arguments)
    assert (done.code, words in done.err) == (code, True)


def test_only_staff_of_the_practice_may_read_reports(type_in: Callable[..., Outcome], books: Store,
                                                     clock: Clock) -> None:
    assert type_in("aging", STAFF="mallory").code == 3
    books.write(lambda s: staff.add(s, PRACTICE, login="aud", name="A", role="auditor", actor="x", now=clock()))
    assert type_in("aging", STAFF="aud").code == 0


def test_the_pdf_is_accessible_has_its_summary_first_and_the_same_numbers(
        type_in: Callable[..., Outcome], tmp_path: Path) -> None:
    made = type_in("all", "--pdf", str(tmp_path / "r.pdf"), "--json").json
    paper = read((tmp_path / "r.pdf").read_bytes())
    assert is_tagged_ua1(paper)
    first, whole = " ".join(paper.pages[0].extract_text().split()), " ".join(text_of(paper).split())
    assert "Billing report" in first and "What comes in" in first and "To look at" in first
    assert "Aging of accounts receivable" not in first
    for one in made["reports"]:
        assert one["title"] in whole
        assert " ".join(one["clock"].split()[:6]) in whole
    owed = next(f["value"] for f in made["reports"][0]["figures"] if f["key"] == "patient_minor")
    assert whole.count(report_sheets.shown(owed, "money")) >= 2
    assert tags(paper).count("/Figure") >= 4


def test_every_plot_has_words_that_say_the_same_and_is_the_same_file_again() -> None:
    table = {"key": "waits", "title": "Paid in full", "totals": True,
             "columns": [{"key": "days", "label": "Days", "unit": "text"},
                         {"key": "visits", "label": "Visits", "unit": "count"}],
             "rows": [["0-30", 19], ["Not paid", 88], ["Sum", 107]]}
    drawn = report_plots.plot("time-to-pay", table)
    assert drawn is not None
    assert drawn.alt == "Bars. Paid in full. Visits: 0-30: 19, Not paid: 88."
    assert drawn == report_plots.plot("time-to-pay", table)
    assert report_plots.plot("time-to-pay", {**table, "rows": [["0-30", 0], ["Sum", 0]]}) is None
    assert report_plots.plot("opt-outs", table) is None


@pytest.mark.parametrize(("value", "unit", "words"), [
    (123_456, "money", "$1,234.56"), (9_512, "share", "95.1 %"), (-1_720, "share", "-17.2 %"), (6, "share", "0.06 %"),
    (10_000, "share", "100.0 %"), (423, "tenths", "42.3 days"), (1, "days", "1 day"), (None, "share", "n/a"),
    (11_900, "micros", "$0.01"), (1_234, "count", "1,234"), ("0-30", "text", "0-30")])
def test_a_cell_is_said_in_its_unit(value: int | str | None, unit: str, words: str) -> None:
    assert report_sheets.shown(value, unit) == words


def test_nothing_imports_matplotlib_before_a_plot_is_drawn() -> None:
    import subprocess
    import sys

    code = "import sys, bot.cli.report, templates.report_sheets; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_pdf_is_the_same_to_the_byte_when_it_is_made_again(type_in: Callable[..., Outcome],
                                                                tmp_path: Path) -> None:
    content = type_in("net-collection", "--json").json
    content["practice"] = {"legal_name": "Maple Clinic PLLC", "name": "Maple", "phone": "+12125550199",
                           "address": "12 Maple St, New York, NY 10001", "website": None}
    made = report_sheets.pdf(content)
    assert pypdf.PdfReader(io.BytesIO(made)).pages
    assert made == report_sheets.pdf(content)
