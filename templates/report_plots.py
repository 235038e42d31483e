"""The plots of the manager's reports as SVG, each with words that say the same.

Matplotlib is imported when a plot is drawn, never before; it draws on no screen. It is given whole numbers (cents,
basis points) and turns them into places on paper; nothing comes back from it but the drawing.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from templates.statement_words import money

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Content = Mapping[str, Any]

INK, SOFT, RULE = "#1d2a30", "#51626a", "#c9d6d6"
#: Apart in lightness too, for printers without colour and for eyes that see few.
COLOURS = ("#0b5563", "#c1752b", "#7a9e7e", "#9b3a4a")
MARKERS = ("o", "s", "^", "D")
_STEP_DOWN, _STEP_UP = COLOURS[1], COLOURS[2]


@dataclass(frozen=True, slots=True)
class Plot:
    svg: str
    alt: str
    caption: str


def plot(report: str, table: Content, *, wide: bool = True) -> Plot | None:
    """The plot of one table of a report (billing.reports.shape.as_json); most have none, and an empty one has none.
    ``wide``: across the page, else half of it.
    """
    draw = DRAWN.get((report, table["key"]))
    return draw(table, wide) if draw is not None else None


def _buckets(table: Content, wide: bool, columns: Sequence[str], unit: str) -> Plot | None:
    """Bars, one for each row but the sum; several columns stand on each other."""
    keys = [column["key"] for column in table["columns"]]
    rows = table["rows"][:-1] if table["totals"] else table["rows"]
    names = [str(row[0]) for row in rows]
    series = [(table["columns"][keys.index(c)]["label"], [int(row[keys.index(c)] or 0) for row in rows])
              for c in columns]
    if not any(any(values) for _, values in series):
        return None

    def draw(axes: Axes) -> None:
        base = [0] * len(names)
        for (label, values), colour in zip(series, COLOURS, strict=False):
            axes.bar(range(len(names)), values, bottom=base, color=colour, label=label, width=_fifths(3))
            base = [a + b for a, b in zip(base, values, strict=True)]
        for place, height in enumerate(base):
            axes.annotate(_short(height, unit), (place, height), xytext=(0, 3), textcoords="offset points", ha="center",
                          fontsize=8, color=INK)
        axes.set_xticks(range(len(names)), [_broken(name) for name in names])
        _scale(axes, unit, base)
        if len(series) > 1:
            _legend(axes, len(series))

    said = "; ".join(f"{label}: " + ", ".join(f"{name}: {_full(value, unit)}" for name, value in
                                              zip(names, values, strict=True)) for label, values in series)
    return Plot(_svg(draw, wide), f"Bars. {table['title']}. {said}.", table["title"])


def _cohorts(table: Content, wide: bool) -> Plot | None:
    """A line for each age, over the months; a month that has not had its days has no point."""
    months = [str(row[0]) for row in table["rows"]]
    lines = [(column["label"], [row[n] for row in table["rows"]]) for n, column in enumerate(table["columns"])
             if column["unit"] == "share"]
    if not any(value is not None for _, values in lines for value in values):
        return None

    def draw(axes: Axes) -> None:
        for (label, values), colour, marker in zip(lines, COLOURS, MARKERS, strict=False):
            places = [n for n, value in enumerate(values) if value is not None]
            axes.plot(places, [values[n] for n in places], color=colour, marker=marker, markersize=4, linewidth=1,
                      label=f"within {label}")
        axes.set_xticks(range(len(months)), [_month(month, first=n == 0) for n, month in enumerate(months)])
        axes.set_xlim(-1, len(months))
        _scale(axes, "share", [value for _, values in lines for value in values if value is not None])
        _legend(axes, len(lines) if wide else 2)

    said = "; ".join(f"within {label}: " + ", ".join(
        f"{month}: {_full(value, 'share')}" for month, value in zip(months, values, strict=True)
        if value is not None) for label, values in lines)
    return Plot(_svg(draw, wide), f"Lines. {_COHORTS}. {said}.", _COHORTS)


_COHORTS = "Patients' money of what was billed to them, by month of the first statement"


def _bridge(table: Content, wide: bool) -> Plot | None:
    """Steps down from the first row to the last."""
    rows = [(str(name), int(minor or 0)) for name, minor in table["rows"]]
    rows = [rows[0], *((name, minor) for name, minor in rows[1:-1] if minor), rows[-1]]
    if not any(minor for _, minor in rows):
        return None

    def draw(axes: Axes) -> None:
        level, edges = 0, [0]
        for place, (_, minor) in enumerate(rows):
            whole = place in (0, len(rows) - 1)
            base = 0 if whole else level
            colour = COLOURS[0] if whole else _STEP_DOWN if minor < 0 else _STEP_UP
            axes.bar([place], [minor], bottom=[base], color=colour, width=_fifths(3))
            axes.annotate(_short(minor, "money"), (place, max(base, base + minor)), xytext=(0, 3), ha="center",
                          textcoords="offset points", fontsize=8, color=INK)
            level = base + minor
            edges.append(level)
        axes.set_xticks(range(len(rows)), [_broken(name) for name, _ in rows])
        _scale(axes, "money", edges)

    said = ", ".join(f"{name}: {_full(minor, 'money')}" for name, minor in rows)
    return Plot(_svg(draw, wide), f"Steps. {table['title']}. {said}.", table["title"])


#: By report and table.
DRAWN: Mapping[tuple[str, str], Callable[[Content, bool], Plot | None]] = {
    ("aging", "statement"): partial(_buckets, columns=("patients",), unit="money"),
    ("aging", "service"): partial(_buckets, columns=("patients", "insurers"), unit="money"),
    ("patient-collection", "cohorts"): _cohorts,
    ("net-collection", "bridge"): _bridge,
    ("time-to-pay", "waits"): partial(_buckets, columns=("visits",), unit="count"),
    ("plans", "states"): partial(_buckets, columns=("plans",), unit="count"),
    ("write-offs", "accounts"): partial(_buckets, columns=("net",), unit="money"),
}


def _svg(draw: Callable[[Axes], None], wide: bool) -> str:
    """The same numbers are the same file to the byte: no date in it, and ids from a fixed salt. Letters are shapes, so
    that the PDF needs none of this machine's fonts.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "plainbill", "svg.fonttype": "path", "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(7, 5 / 2) if wide else (4, 3), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        _dress(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return out.getvalue()


def _dress(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    axes.tick_params(colors=SOFT, labelsize=8, length=0)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=RULE, linewidth=1)


def _scale(axes: Axes, unit: str, heights: Sequence[int]) -> None:
    """From zero, or below it, with room for the labels above the highest."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    low, high = min(0, *heights), max(0, *heights)
    room = (high - low) // 5 + 1
    axes.set_ylim(low - room if low < 0 else 0, high + room)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(int(value), unit)))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))


def _legend(axes: Axes, columns: int) -> None:
    """Above the drawing, where it covers nothing."""
    axes.figure.legend(frameon=False, fontsize=8, ncols=columns, loc="outside upper center")


def _fifths(count: int) -> Any:
    """A part of one, for widths on paper: never of an amount."""
    return count / 5


def _short(value: int, unit: str) -> str:
    """For axes and labels: $1.2M, $45k, $120, 95 %, 17."""
    sign, size = ("-", -value) if value < 0 else ("", value)
    match unit:
        case "share":
            return f"{sign}{(size + 50) // 100} %"
        case "money":
            whole = (size + 50) // 100
            if whole >= 999_500:
                tenths = (whole + 50_000) // 100_000
                return f"{sign}${tenths // 10}.{tenths % 10}M"
            return f"{sign}${(whole + 500) // 1_000}k" if whole >= 10_000 else f"{sign}${whole:,}"
        case _:
            return f"{value:,}"


def _full(value: int, unit: str) -> str:
    match unit:
        case "money":
            return money(value, "en")
        case "share":
            return _short(value, unit)
        case _:
            return f"{value:,}"


def _broken(name: str) -> str:
    """A long name on two lines."""
    words = name.split(" ")
    half = (len(words) + 1) // 2
    return name if len(words) == 1 else f"{' '.join(words[:half])}\n{' '.join(words[half:])}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _month(written: str, *, first: bool) -> str:
    """``2027-04`` as ``Apr``, with its year below where it begins."""
    year, month = written.split("-")
    return f"{_MONTHS[int(month) - 1]}\n{year}" if first or month == "01" else _MONTHS[int(month) - 1]
