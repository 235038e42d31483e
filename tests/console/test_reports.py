"""Reports: the page, the list and the plot say the same; the manager's e-mail is of the practice and of nobody."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from html import unescape
from typing import Any, get_args

import pytest
from sqlalchemy import func, select

from billing.payments import record_desk_payment
from billing.reports import REPORTS, make_all
from billing.reports.shape import scope_of
from billing.reports.summary import CHOSEN
from billing.store.practices import find_practice
from billing.store.tables import Outbox, ReportRun, Staff
from bot.monthly_summary import send_summaries
from bot.web.console.screens import reports
from templates.web import console
from tests.conftest import maple_clinic
from tests.console.conftest import Desk
from tests.payments import world


@pytest.fixture
def paid(desk: Desk, practice: Any) -> Desk:
    desk.store.write(lambda s: world.anna(s, desk.clock()))
    desk.store.write(lambda s: record_desk_payment(
        s, world.PRACTICE, world.ANNA, amount_minor=5_000, currency="USD", tender="cash", reference="R-1",
        recorded_by="ana", now=desk.clock()).id)
    return desk


def test_the_console_knows_every_report_there_is() -> None:
    assert get_args(reports.Name) == tuple(REPORTS)


def test_every_figure_table_and_column_of_every_report_has_its_words(paid: Desk) -> None:
    scope = scope_of(world.PRACTICE, maple_clinic(), date(2026, 8, 6), date(2026, 11, 3), date(2026, 11, 3))
    made = paid.store.read(lambda s: make_all(s, scope))
    said = {one.label for report in made for one in report.figures}
    said |= {one.title for report in made for one in report.tables}
    said |= {column.label for report in made for one in report.tables for column in one.columns}
    said |= {heading for heading, _, _ in CHOSEN}
    assert said - console.words("es")["reportlabels"]["says"].keys() == set()


def plot_of(body: str) -> dict[str, Any]:
    found = re.search(r"data-plot='([^']+)'", body)
    assert found is not None
    plot: dict[str, Any] = json.loads(unescape(found[1]))
    return plot


async def test_the_plot_and_the_table_beside_it_tell_the_same(paid: Desk) -> None:
    await paid.as_role("reader")
    _, body = await paid.get("/console/reports/figures?name=aging")
    plot = plot_of(body)
    owed = world.OLD_MINOR + world.NEW_MINOR - 5_000
    assert sum(plot["values"][0]) == owed and plot["unit"] == "money" and len(plot["names"]) == len(plot["values"][0])
    assert f"${owed // 100}.{owed % 100:02}" in body
    _, cash = await paid.get("/console/reports")
    assert sum(plot_of(cash)["values"][1]) == 5_000 and "$50.00" in cash


async def test_every_report_is_a_page(paid: Desk) -> None:
    await paid.as_role("reader")
    for name in REPORTS:
        status, body = await paid.get(f"/console/reports/figures?name={name}")
        assert status == 200 and "Definition" in body, name


async def test_a_list_for_a_spreadsheet_holds_every_figure_of_the_page(paid: Desk) -> None:
    await paid.as_role("auditor")
    _, text = await paid.get("/console/reports/figures.csv?name=aging")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    owed = [row["value"] for row in rows if row["column"] == "patient_minor"]
    assert owed == [str(world.OLD_MINOR + world.NEW_MINOR - 5_000)]
    paid.forget()
    await paid.as_role("reader")
    assert (await paid.answer("GET", "/console/reports/figures.csv?name=aging")).status == 403


async def test_days_that_make_no_period_are_refused_in_words(paid: Desk) -> None:
    await paid.as_role("reader")
    for span in ("since=2026-11-03&until=2026-11-01", "until=2030-01-01", "since=2001-01-01"):
        assert (await paid.get(f"/console/reports?{span}"))[0] == 422


async def test_the_managers_page_compares_with_last_time(paid: Desk) -> None:
    await paid.as_role("manager")
    status, body = await paid.get("/console/reports/summary")
    assert status == 200 and "Patients owe" in body and "What is open" in body


def switch_on(desk: Desk, **more: Any) -> None:
    """The e-mail is wished; one manager has an address, one has none, and a biller has one."""
    policy = maple_clinic(console={"monthly_summary": True}, mail={"sender": "bills@maple.example"}, **more)

    def put(session: Any) -> None:
        row = find_practice(session, world.PRACTICE)
        assert row is not None
        row.settings = policy.model_dump(mode="json")
        for login, role, email in (("max", "manager", "max@maple.example"), ("mia", "manager", None),
                                   ("ben", "biller", "ben@maple.example")):
            session.add(Staff(id=f"staff_{login}", practice_id=world.PRACTICE, login=login, name=login, role=role,
                              email=email, active=True, created_at=desk.clock()))

    desk.store.write(put)


async def test_the_monthly_email_is_off_until_the_practice_wants_it(paid: Desk) -> None:
    assert await send_summaries(paid.wiring.road) == 0


async def test_a_month_is_mailed_once_to_each_manager_with_an_address_and_says_nothing_of_anybody(paid: Desk) -> None:
    switch_on(paid)
    assert [await send_summaries(paid.wiring.road) for _ in range(2)] == [1, 0]
    row = paid.store.read(lambda s: s.scalars(select(Outbox)).one())
    assert (row.address, row.channel, row.purpose, row.status) == ("max@maple.example", "email", "staff", "queued")
    assert "Patients owe: $" in row.body and "October 1, 2026" in row.subject
    for personal in ("Rivera", "Anna", world.ANNA, "A1", world.OLD, "2125550123"):
        assert personal not in row.body + row.subject
    assert paid.store.read(lambda s: s.scalar(select(func.count()).select_from(ReportRun))) == len(REPORTS)
    paid.clock.advance(seconds=int((datetime(2026, 12, 1, 12, tzinfo=UTC) - paid.clock()).total_seconds()))
    assert await send_summaries(paid.wiring.road) == 1
