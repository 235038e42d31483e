"""What somebody writes is text and stays where it belongs: no formula, no template, no line of a log, no address."""

from __future__ import annotations

import ast
import csv
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import update

from billing import csv_cells
from billing.store.tables import Guarantor, Patient, Staff
from bot.logs import configure_logs
from bot.web.console import catalog
from bot.web.console.table import Action, Download
from tests.console import filled
from tests.console.estate import ALL_OR_SOME, MINE, Answer, Estate, turns
from tests.payments import world

ROOT = Path(__file__).parents[2]

#: Text that would be an order to a spreadsheet, a template, a page or a log, each with a mark to look for.
ORDERS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "{{ 7*191 }}", "{% raw %}", "${7*191}", "<b>x</b>",
          "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'; DROP TABLE staff; --", "{0.__class__}",
          "%(asctime)s", "a\nERROR forged line", "a\r\nSet-Cookie: a=b", "\x1b[31mred", "\u202eevil")
PHI = "Quistgaard"
DIGITS = "5551234567"


@pytest.mark.parametrize("order", [*ORDERS[:6], "\uff1d1+1", "\n=1", "-", "=cmd|' /C calc'!A0"])
def test_no_cell_of_a_list_is_a_formula_and_its_text_is_all_there(order: str) -> None:
    cell = str(csv_cells.safe(order))
    assert cell == f"'{order}"
    assert csv_cells.safe(cell) == cell, "once is enough"
    (row,) = csv.reader(io.StringIO(csv_cells.whole(("a",), [[order]]).split("\r\n", 1)[1], newline=""))
    assert row == [f"'{order}"]


@pytest.mark.parametrize("number", [-1250, "-12.50", "-3", "12.50", "", None, "a=b", 0])
def test_amounts_and_plain_words_stay_as_they_are(number: object) -> None:
    assert csv_cells.safe(number) == number


@given(st.text())
def test_whatever_the_text_a_spreadsheet_takes_it_for_text(text: str) -> None:
    cell = str(csv_cells.safe(text))
    assert not cell.startswith(("=", "+", "@", "\t", "\r")) and cell.removeprefix("'") in (text, text.removeprefix("'"))
    assert not cell.startswith("-") or re.fullmatch(r"-[0-9]+(\.[0-9]+)?", cell)


def test_no_list_is_written_in_any_other_way() -> None:
    """Importers read; the demo's sample files are input. Everything else goes through billing/csv_cells.py."""
    found = [str(path.relative_to(ROOT)) for part in ("billing", "bot", "templates", "handlers")
             for path in sorted((ROOT / part).rglob("*.py")) if _writes_csv(path)]
    assert set(found) - {"bot/demo/crowd.py"} == {"billing/csv_cells.py"}


def _writes_csv(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return "import csv" in text and any(
        isinstance(node, ast.Attribute) and node.attr in ("writer", "DictWriter") for node in ast.walk(ast.parse(text)))


@pytest.fixture(scope="module")
def planted(estate: Estate) -> Estate:
    """Orders in every name that somebody outside can choose."""
    name = f"=HYPERLINK(1) {{{{ 7*191 }}}} <b>{PHI}</b>"

    def plant(session: Any) -> None:
        session.execute(update(Guarantor).where(Guarantor.id == world.ANNA).values(name=name))
        session.execute(update(Patient).where(Patient.guarantor_id == world.ANNA).values(name=name, given=name))
        session.execute(update(Staff).where(Staff.login == "reader-ple").values(name=name))

    estate.store.write(plant)
    return estate


def look(estate: Estate, view: Any, root: str) -> Answer:
    query = "&".join(f"{k}={v}" for k, v in filled.form(view.query, view.name, estate.ids[MINE]).items())
    return estate.ask("GET", f"{root}{filled.path(view.path, estate.ids[MINE])}?{query}", by=estate.person("manager"))


@pytest.mark.parametrize("view", catalog.VIEWS, ids=lambda one: one.path)
def test_a_name_on_a_page_is_neither_run_nor_rendered_and_in_a_list_no_formula(planted: Estate, view: Any) -> None:
    page = look(planted, view, "/console")
    assert page.status == 200, page.error
    if isinstance(view, Download):
        if page.headers["content-type"].startswith("text/csv"):
            rows = list(csv.reader(io.StringIO(page.text, newline="")))
            assert not [cell for row in rows for cell in row if csv_cells.safe(cell) != cell]
        return
    assert "1337" not in page.text and f"<b>{PHI}" not in page.text
    json = look(planted, view, "/api/v1")
    assert "1337" not in json.text and json.headers["content-type"] == "application/json"


def texts_of(model: type[BaseModel]) -> list[str]:
    """The fields of a form that take any words."""
    schema = model.model_json_schema()
    return [name for name, one in schema.get("properties", {}).items()
            if any(part.get("type") == "string" and not {"enum", "const", "pattern", "format"} & set(part)
                   for part in [one, *one.get("anyOf", ())])]


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Every line that reaches a log, down to debug."""
    configure_logs("debug", as_json=True)
    root, kept = logging.getLogger(), Lines()
    if root.handlers:
        kept.setFormatter(root.handlers[0].formatter)
    before = root.handlers[:]
    root.handlers[:] = [kept]
    yield kept
    root.handlers[:] = before
    configure_logs("warning")


WHERE_TEXT_GOES: list[tuple[Any, str]] = [
    (one, name) for one in (*catalog.ACTIONS, *catalog.VIEWS)
    for name in texts_of(one.form if isinstance(one, Action) else one.query)]


@ALL_OR_SOME
@pytest.mark.parametrize("number", range(len(WHERE_TEXT_GOES)),
                         ids=[f"{one.path}-{name}" for one, name in WHERE_TEXT_GOES])
def test_words_of_a_form_are_in_no_log_no_address_and_no_error(
        estate: Estate, number: int, lines: Lines, whole: bool) -> None:
    one, name = WHERE_TEXT_GOES[number]
    model = one.form if isinstance(one, Action) else one.query
    by, rows = estate.person("manager"), estate.ids[MINE]
    for order in turns((*ORDERS, "\x00", "\ud800"), number, whole):
        fields = {**filled.form(model, one.name, rows), name: f"{order} {PHI} {DIGITS}"[: _most(model, name)]}
        path = filled.path(one.path, rows)
        if isinstance(one, Action):
            answers = [estate.ask("POST", f"/console{path}", by=by, form=fields, files=one.upload)]
            if not one.upload:
                answers.append(estate.ask("POST", f"/api/v1{path}", by=by, json_body=fields))
        else:
            query = filled_query(fields)
            answers = [estate.ask("GET", f"{root}{path}?{query}", by=by) for root in ("/console", "/api/v1")]
        for answer in answers:
            assert answer.status < 500, (one.path, name, order, answer.error)
            assert PHI not in str(answer.headers) and "a=b" not in answer.headers.get("set-cookie", "")
            if answer.status in (409, 422):
                assert PHI not in answer.text and DIGITS not in answer.text, (one.path, name, "repeats what was sent")
    told = "\n".join(lines.seen)
    assert PHI not in told and DIGITS not in told and "forged line" not in told


def filled_query(fields: dict[str, Any]) -> str:
    from urllib.parse import urlencode

    return urlencode(fields, doseq=True, errors="replace")


def _most(model: type[BaseModel], name: str) -> int:
    one = model.model_json_schema()["properties"][name]
    return int(min([part["maxLength"] for part in [one, *one.get("anyOf", ())] if "maxLength" in part] or [2000]))


def test_addresses_that_pages_lead_to_hold_nothing_of_anybody(planted: Estate) -> None:
    """Only ids of ours, codes and days: an address ends up in histories and logs (T-39)."""
    for view in catalog.VIEWS:
        if isinstance(view, Download):
            continue
        page = look(planted, view, "/console").text
        for found in re.findall(r'(?:href|action|hx-get|hx-post)="([^"]*)"', page):
            assert PHI not in found and "Rivera" not in found and "2125550123" not in found, (view.path, found)
