"""The console's pages: Jinja2 with autoescape and strict names; words beside them, a file per screen and language.

``words/NAME.LANGUAGE.toml`` is ``w.NAME`` in every page; a test compares the keys of all languages.
"""

from __future__ import annotations

import gzip
import hashlib
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from billing.money import plain
from templates.format import as_date
from templates.report_sheets import shown
from templates.statement_words import money, phone_words, short_day
from templates.web import choose as choose_page
from templates.web.console.sentences import if_ours, told
from templates.web.console.stacking import with_labels

__all__ = ["LANGUAGES", "asset", "choose", "page", "words"]

_HERE = Path(__file__).parent
#: The console's own: patients' pages may be written in more.
LANGUAGES = ("en", "es")
_VENDOR = _HERE.parent / "vendor"
_ASSETS = {"console.css": _HERE / "console.css", "console.js": _HERE / "console.js", "plots.js": _HERE / "plots.js",
           "keys.js": _HERE / "keys.js", "htmx.js": _VENDOR / "htmx.min.js", "pico.css": _VENDOR / "pico.min.css",
           "uplot.js": _VENDOR / "uPlot.iife.min.js", "uplot.css": _VENDOR / "uPlot.min.css"}
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


def choose(*wanted: str | None) -> str:
    return choose_page(*wanted, among=LANGUAGES)


@cache
def words(language: str) -> dict[str, Any]:
    """All words of a language by screen."""
    return {path.name.split(".")[0]: tomllib.loads(path.read_text(encoding="utf-8"))
            for path in sorted((_HERE / "words").glob(f"*.{language}.toml"))}


def asset(name: str) -> tuple[bytes, str] | None:
    """A style sheet or script, and its type; None for what is none of ours."""
    path = _ASSETS.get(name)
    return (_content(path), _TYPES[path.suffix]) if path is not None else None


def packed(name: str) -> bytes:
    """An asset as gzip has it, a third of its size. Raises KeyError for what is none of ours."""
    return _packed(_ASSETS[name])


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _packed(path: Path) -> bytes:
    return gzip.compress(_content(path), mtime=0)


@cache
def _asset_address(name: str) -> str:
    """With a piece of its digest, so that browsers keep it until it changes."""
    found = asset(name)
    assert found is not None, name
    return f"/console/assets/{name}?v={hashlib.sha256(found[0]).hexdigest()[:12]}"


@cache
def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True)
    made.filters |= {"money": _money, "amount": plain, "day": _day, "at": _at, "since": _since, "label": label,
                     "said": said, "noted": noted, "phone": phone_words, "percent": _percent, "unit": _unit,
                     "told": told, "if_ours": if_ours}
    made.globals["asset"] = _asset_address
    return made


def page(name: str, language: str, arguments: Mapping[str, Any]) -> str:
    """Render ``name.html``. Raises UndefinedError for a name that was not given."""
    other = next(one for one in LANGUAGES if one != language)
    return with_labels(_environment().get_template(f"{name}.html").render(
        {**arguments, "name": name, "w": words(language), "lang": language, "other": other}))


def said(words: str, table: Mapping[str, str]) -> str:
    """A sentence that the program keeps in English, in the reader's language; one that the table lacks as it is."""
    return table.get(words, words)


def noted(body: str, reasons: Mapping[str, str]) -> str:
    """A case's note: its first line may be the code of what the patient chose (billing/narrowing.py)."""
    first, line, rest = body.partition("\n")
    return reasons.get(first.removeprefix("reason: "), first) + line + rest


def label(value: object, table: Mapping[str, str]) -> str:
    """The word for a code; a code without one is shown as it is, readable."""
    return table.get(str(value), str(value).replace("_", " ").replace("-", " "))


@pass_context
def _money(context: Context, minor: int | None, currency: str | None = None) -> str:
    """Cents as the reader writes them; a dash for no amount."""
    return "\u2013" if minor is None else money(minor, context["lang"], currency or context.get("currency", "USD"))


@pass_context
def _unit(context: Context, value: int | str | None, unit: str) -> str:
    """A report's figure or cell; what a row is called in words of ours is in the reader's language."""
    said: Mapping[str, str] = context["w"]["reportlabels"]["says"]
    if isinstance(value, str):
        return said.get(value, value)
    number, _, what = shown(value, unit).partition(" ")
    return f"{number} {said.get(what, what)}" if what else said.get(number, number)


@pass_context
def _day(context: Context, value: str | date | None) -> str:
    return short_day(value, context["lang"])


@pass_context
def _at(context: Context, value: datetime | str | None) -> str:
    """An instant by the practice's own clock: its day unless that is today, its year unless that is this one."""
    if value is None:
        return ""
    zone: ZoneInfo = context["zone"]
    local = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(zone)
    clock = _clock(local, context["lang"])
    today = context["now"].astimezone(zone).date()
    if local.date() == today:
        return clock
    day = short_day(as_date(local.date()), context["lang"])
    if local.year == today.year:
        day = day.removesuffix(str(local.year)).rstrip(", ")
    return f"{day}, {clock}"


def _clock(local: datetime, language: str) -> str:
    """Twelve hours, as the people whom this is for read a clock, and as patients' messages write it."""
    half = ("AM", "PM") if language == "en" else ("a.m.", "p.m.")
    return f"{local.hour % 12 or 12}:{local.minute:02}\u00a0{half[local.hour // 12]}"


@pass_context
def _since(context: Context, value: datetime | None) -> str:
    """How long ago, in one unit: 5 min, 3 h, 2 d."""
    if value is None:
        return ""
    gone: timedelta = max(context["now"] - value, timedelta())
    minutes = int(gone.total_seconds()) // 60
    units = context["w"]["frame"]
    if minutes < 60:
        return f"{minutes} {units['minutes']}"
    return f"{minutes // 60} {units['hours']}" if minutes < 2880 else f"{minutes // 1440} {units['days']}"


def _percent(part: int | None, whole: int | None) -> str:
    """A share in whole tenths of a percent, by integers alone; a dash for a share of nothing."""
    if not whole or part is None:
        return "\u2013"
    tenths = (2000 * part + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10} %"
