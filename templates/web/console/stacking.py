"""Tables that a telephone shows one cell below the other: each cell carries its column's heading along.

Made here and not in sixty templates; the pages are our own and everything of anybody else's in them is escaped, so a
tag that is found is a tag of ours.
"""

from __future__ import annotations

import re

_TABLE = re.compile(r"<table\b(.*?)</table>", re.DOTALL)
_HEADING = re.compile(r"<t[hd]\b([^>]*)>(.*?)</t[hd]>", re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<t([hd])\b([^>]*)>")
_TAG = re.compile(r"<[^>]+>")


def with_labels(page: str) -> str:
    """The page with ``data-label`` on each cell that stands under a heading; a row's own heading has none."""
    return _TABLE.sub(lambda found: _labelled(found[0]), page) if "<thead" in page else page


def _labelled(table: str) -> str:
    head, end, body = table.partition("</thead>")
    if not end:
        return table
    names = [_TAG.sub("", words).strip() for _, words in _HEADING.findall(head)]
    return head + end + _ROW.sub(lambda row: _row(row[0], names), body)


def _row(row: str, names: list[str]) -> str:
    cells = iter(names)

    def cell(found: re.Match[str]) -> str:
        name = next(cells, "")
        plain = found[1] == "h" or not name or "colspan" in found[2]
        return found[0] if plain else f'<td{found[2]} data-label="{name}">'

    return _CELL.sub(cell, row)
