"""The manager's reports as accessible PDF (PDF/UA-1): one page with what matters, then a section for each report.

Staff read it: English alone. Each figure has its definition and its clock printed below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from templates.report_plots import plot
from templates.statement import compiled, drawn
from templates.statement_page import frame
from templates.statement_words import day, money

Content = Mapping[str, Any]

_UNTOLD = "n/a"  # too early, or nothing to divide by
_AT_A_GLANCE = (("aging", "statement"), ("patient-collection", "cohorts"))
_NOTHING = "Nothing: every report agrees with the ledger."
_NUMBERS = frozenset({"money", "share", "count", "days", "tenths", "micros"})


def pdf(content: Content) -> bytes:
    """``content``: practice, from_on, to_on, made_on, made_by, summary, look, reports (billing.reports.shape.as_json).
    Takes a second or two: never call it inside a transaction.
    """
    return compiled("report.typ", page(content))


def pictures(content: Content, ppi: int = 80) -> list[bytes]:
    """The same pages as PNG, for a look at them."""
    return drawn("report.typ", page(content), ppi)


def page(content: Content) -> dict[str, Any]:
    """Every string of the document, and its plots."""
    practice, to_on = content["practice"], content["to_on"]
    made = frame(practice, "", "en")
    span = f"{_day(content['from_on'])} to {_day(to_on)}"
    return {
        **made, "made_on": content["made_on"], "title": f"Billing report of {practice['name']}, {span}",
        "kind": "Billing report", "foot": {**made["foot"], "left": f"{practice['name']}: billing report, {span}"},
        "facts": [["From", _day(content["from_on"])], ["To", _day(to_on)], ["Made", _day(content["made_on"])]],
        "summary": {"heading": "At a glance", "groups": _groups(content), "columns": _columns(content),
                    "look_heading": "To look at", "look": content["look"] or [_NOTHING]},
        "glances": _drawn(((report["name"], table) for report in content["reports"] for table in report["tables"]
                           if (report["name"], table["key"]) in _AT_A_GLANCE), wide=False),
        "reports": [_with_plots(report) for report in content["reports"]]}


def _with_plots(report: Content) -> dict[str, Any]:
    said = section(report)
    return {**said, "tables": [{**one, "plots": _drawn([(report["name"], table)], wide=True)}
                               for one, table in zip(said["tables"], _filled(report), strict=True)]}


def _filled(report: Content) -> list[Content]:
    """Tables with more than a sum in them."""
    return [table for table in report["tables"] if len(table["rows"]) > table["totals"]]


def _drawn(tables: Iterable[tuple[str, Content]], *, wide: bool) -> list[dict[str, str]]:
    made = (plot(name, table, wide=wide) for name, table in tables)
    return [{"svg": one.svg, "alt": one.alt, "caption": one.caption} for one in made if one is not None]


def _columns(content: Content) -> list[str]:
    before = sorted({line["before_on"] for line in content["summary"] if line["before_on"]})
    named = {0: "Last time", 1: f"To {_short(before[0])}" if before else ""}.get(len(before), "Last time")
    return ["", "Now", named] if before else ["", "Now"]


def _groups(content: Content) -> list[dict[str, Any]]:
    wide = len(_columns(content)) > 2
    groups: dict[str, list[list[str]]] = {}
    for line in content["summary"]:
        before = [shown(line["before"], line["unit"]) if line["before_on"] else ""] if wide else []
        groups.setdefault(line["heading"], []).append([line["label"], shown(line["value"], line["unit"]), *before])
    return [{"heading": heading, "rows": rows} for heading, rows in groups.items()]


def section(report: Content) -> dict[str, Any]:
    """One report: figures, tables, and below them the definition, the clock and whether it foots."""
    return {
        "name": report["name"], "heading": report["title"],
        "figures": [[f["label"], shown(f["value"], f["unit"]), f["of"]] for f in report["figures"]],
        "tables": [_table(table) for table in _filled(report)],
        "below": [["Definition", report["definition"]], ["Clock", report["clock"]],
                  *([["Note", " ".join(report["notes"])]] if report["notes"] else []),
                  *([["Footing", " ".join(map(_footing, report["footings"]))]] if report["footings"] else [])]}


def _footing(footing: Content) -> str:
    ours, theirs = money(footing["report_minor"], "en"), money(footing["ledger_minor"], "en")
    return f"{footing['label']}: {ours}" + (", equal." if footing["foots"] else f" and {theirs}: THEY DIFFER.")


def _table(table: Content) -> dict[str, Any]:
    units = [column["unit"] for column in table["columns"]]
    rows = [[shown(cell, unit) for cell, unit in zip(row, units, strict=True)] for row in table["rows"]]
    return {"title": table["title"], "cols": [column["label"] for column in table["columns"]],
            "rows": rows[:-1] if table["totals"] else rows, "total": rows[-1] if table["totals"] else None,
            "numbers": [n for n, unit in enumerate(units) if unit in _NUMBERS]}


def shown(value: int | str | None, unit: str) -> str:
    """A cell in words: ``money`` 1234 is $12.34, ``share`` 9512 is 95.1 %, ``tenths`` 423 is 42.3 days."""
    if isinstance(value, str):
        return value
    if value is None:
        return _UNTOLD if unit != "count" else ""
    match unit:
        case "money":
            return money(value, "en")
        case "share":
            return _percent(value)
        case "tenths":
            return f"{_point(value)} days"
        case "days":
            return f"{value:,} days" if value != 1 else "1 day"
        case "micros":
            return money((value + 5_000) // 10_000, "en")
        case _:
            return f"{value:,}"


def _percent(points: int) -> str:
    """Two places below one percent, where they matter (a cent of a dollar, one opt-out in a thousand), else one."""
    if points == 0:
        return "0 %"
    if -100 < points < 100:
        sign, rest = ("-", -points) if points < 0 else ("", points)
        return f"{sign}{rest // 100}.{rest % 100:02} %"
    return f"{_point((points + 5) // 10)} %"


def _point(tenths: int) -> str:
    sign, rest = ("-", -tenths) if tenths < 0 else ("", tenths)
    return f"{sign}{rest // 10:,}.{rest % 10}"


def _day(value: str | date) -> str:
    return day(value, "en")


def _short(value: str | date) -> str:
    from templates.statement_words import short_day

    return short_day(value, "en")
