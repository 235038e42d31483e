"""The append-only file behind a stand-in: what was asked, what was answered, and the state that followed.

One JSON object per line, on disk (fsync) before the answer leaves. Crash tests count what was really sent or charged
here, so a line never describes something that did not happen, and a restarted stand-in knows what it knew.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Clock = Callable[[], float]


def read_lines(path: Path) -> Iterator[Row]:
    """Every whole line of a journal. A torn last line was never answered for, so it is left out."""
    if not path.exists():
        return
    with path.open("rb") as source:
        for raw in source:
            if raw.endswith(b"\n"):
                yield json.loads(raw)


def replay(path: Path) -> dict[str, dict[str, Row]]:
    """The tables (name -> id -> row) that a journal ends at."""
    tables: dict[str, dict[str, Row]] = {}
    for line in read_lines(path):
        _apply(tables, line.get("changes", {}))
    return tables


class Journal:
    """Tables in memory whose every change is in the next line written.

    `put` and `remove` take effect at once and reach the disk with the next `write`; callers do both without
    awaiting in between, so a line and its changes stand or fall together. Without a path the lines are kept in memory;
    with `keep_lines` False not even there, and only the tables remain.
    """

    def __init__(self, path: Path | None = None, clock: Clock = time.time, keep_lines: bool = True) -> None:
        self.clock = clock
        self._keeps = keep_lines or path is not None
        self.path = path
        self._kept: list[Row] = []
        self._changes: dict[str, dict[str, Row | None]] = {}
        self._sequence = 0
        self._tables: dict[str, dict[str, Row]] = {}
        self._file = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _cut_torn_tail(path)
            self._recover(path)
            self._file = path.open("ab")

    def _recover(self, path: Path) -> None:
        for line in read_lines(path):
            self._sequence = int(line["seq"])
            _apply(self._tables, line.get("changes", {}))

    def table(self, name: str) -> dict[str, Row]:
        """The rows of one table in the order they first appeared. Read only: change rows by `put`."""
        return self._tables.setdefault(name, {})

    def put(self, name: str, key: str, row: Row) -> None:
        self.table(name)[key] = row
        self._changes.setdefault(name, {})[key] = row

    def remove(self, name: str, key: str) -> None:
        self.table(name).pop(key, None)
        self._changes.setdefault(name, {})[key] = None

    def write(self, kind: str, **fields: Any) -> Row:
        """Append one line with every change since the last one, and return only when it is on disk."""
        self._sequence += 1
        at = datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds")
        line: Row = {"seq": self._sequence, "at": at, "kind": kind, **fields}
        if not self._keeps:
            self._changes = {}
            return line
        if self._changes:
            line["changes"] = self._changes
        raw = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        self._changes = {}
        if self._file is None:
            self._kept.append(json.loads(raw))
        else:
            self._file.write(raw.encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        return line

    def lines(self) -> list[Row]:
        """Everything written so far, oldest first."""
        return list(read_lines(self.path)) if self.path is not None else list(self._kept)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _apply(tables: dict[str, dict[str, Row]], changes: dict[str, dict[str, Row | None]]) -> None:
    for name, rows in changes.items():
        table = tables.setdefault(name, {})
        for key, row in rows.items():
            if row is None:
                table.pop(key, None)
            else:
                table[key] = row


def _cut_torn_tail(path: Path) -> None:
    """A kill in the middle of a write leaves half a line; the next line must not be glued to it."""
    if not path.exists():
        return
    raw = path.read_bytes()
    whole = raw.rfind(b"\n") + 1
    if whole != len(raw):
        os.truncate(path, whole)
