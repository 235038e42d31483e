"""Backups: the whole database as one encrypted file, taken while Plainbill serves, restored into an empty database.

The file is sealed with a key of its own (PLAINBILL_BACKUP_KEY), and what is sealed inside it stays sealed under the
practice's keys: both are needed to read anything, and neither lies in the file. Each frame names its place and the
last one says so, hence a file that was cut, mixed or altered does not open.

    head:   magic, 16 random bytes
    frame:  length (4 bytes), nonce (12), AES-256-GCM of a compressed frame, bound to the head, its number, last or not
"""

from __future__ import annotations

import json
import os
import secrets
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from billing import restorations
from billing.store import copying, schema
from bot.write import Store

MAGIC = b"PLAINBILL-BACKUP-1\n"
_SALT = 16
_MOST = 64 * 1024 * 1024

Progress = Callable[[str, int], None]


class BackupRefused(Exception):
    """A file that cannot be read or restored. The text says what to do and holds nothing of the content."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a file holds. ``rows`` by table."""

    made_at: datetime
    schema: str
    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def write_backup(store: Store, key: bytes, target: Path, now: datetime, progress: Progress = lambda _n, _r: None,
                 ) -> Summary:
    """Write all rows, as they stand in one moment, to ``target``; it appears there only when it is whole."""
    if target.exists():
        raise BackupRefused(f"{target.name} is there already; a backup never replaces a file")
    part = target.with_name(target.name + ".part")
    with part.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        summary = store.read(lambda session: _write_all(session, _Sealer(key, file), now, progress))
        file.flush()
        os.fsync(file.fileno())
    part.rename(target)
    return summary


def _write_all(session: Session, out: _Sealer, now: datetime, progress: Progress) -> Summary:
    rows: dict[str, int] = {}
    revision = schema.head()
    out.write({"made_at": now.isoformat(), "schema": revision})
    for name in copying.table_names():
        rows[name] = 0
        columns = copying.columns_of(name)
        for part in copying.rows_of(session, name):
            out.write({"table": name, "columns": columns, "rows": part})
            rows[name] += len(part)
            progress(name, len(part))
    out.write({"rows": rows}, last=True)
    return Summary(now, revision, rows)


def read_backup(key: bytes, source: Path) -> Summary:
    """Read a file through, as a rehearsal would, and restore nothing. Raises BackupRefused."""
    return _check(list(_without_rows(_frames(key, source))))


def restore_backup(store: Store, key: bytes, source: Path, now: datetime, progress: Progress = lambda _n, _r: None,
                   ) -> Summary:
    """Fill an empty database from a file, all or nothing, and put it into the shadow (billing/restorations.py).

    Raises BackupRefused; copying.NotEmpty.
    """
    summary = read_backup(key, source)  # whole and genuine before the first row is written
    if summary.schema != schema.head():
        raise BackupRefused(f"the backup is of schema {summary.schema}, this release has {schema.head()}; restore it "
                            "with the release that made it, then upgrade")

    def fill(session: Session) -> None:
        copying.require_empty(session)
        for frame in _frames(key, source):
            if "table" in frame:
                progress(frame["table"], copying.add_rows(session, frame["table"], frame["columns"], frame["rows"]))
        copying.set_counters(session)
        restorations.begin(session, backup_at=summary.made_at, now=now)

    store.write(fill)
    return summary


def _without_rows(frames: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for frame in frames:
        yield frame if "table" not in frame else {"table": frame["table"], "count": len(frame["rows"])}


def _check(frames: list[dict[str, Any]]) -> Summary:
    head, *parts, end = frames
    counted = dict.fromkeys(end["rows"], 0)
    for part in parts:
        counted[part["table"]] += part["count"]
    if counted != end["rows"]:
        raise BackupRefused("the backup does not hold what it says it holds; take another one")
    return Summary(datetime.fromisoformat(head["made_at"]), head["schema"], end["rows"])


class _Sealer:
    def __init__(self, key: bytes, file: BinaryIO) -> None:
        self._box, self._file, self._salt, self._number = AESGCM(key), file, secrets.token_bytes(_SALT), 0
        file.write(MAGIC + self._salt)

    def write(self, frame: dict[str, Any], last: bool = False) -> None:
        nonce = secrets.token_bytes(12)
        packed = zlib.compress(json.dumps(frame, ensure_ascii=False).encode(), 6)
        sealed = self._box.encrypt(nonce, packed, _bound(self._salt, self._number, last))
        self._file.write(struct.pack(">I", len(sealed)) + nonce + sealed)
        self._number += 1


def _bound(salt: bytes, number: int, last: bool) -> bytes:
    return MAGIC + salt + struct.pack(">Q?", number, last)


def _frames(key: bytes, source: Path) -> Iterator[dict[str, Any]]:
    try:
        file = source.open("rb")
    except OSError as error:
        raise BackupRefused(f"{source.name} cannot be read: {error.strerror}") from error
    with file:
        if file.read(len(MAGIC)) != MAGIC:
            raise BackupRefused(f"{source.name} is no backup of Plainbill")
        salt, number, last = file.read(_SALT), 0, False
        while not last:
            frame, last = _open_frame(AESGCM(key), file, salt, number)
            yield frame
            number += 1
        if file.read(1):
            raise BackupRefused("the backup goes on after its end: it was altered")


def _open_frame(box: AESGCM, file: BinaryIO, salt: bytes, number: int) -> tuple[dict[str, Any], bool]:
    head = file.read(16)
    size = struct.unpack(">I", head[:4])[0] if len(head) == 16 else 0
    sealed = file.read(size) if 0 < size <= _MOST else b""
    if not size or len(sealed) != size:
        raise BackupRefused("the backup ends before its end: it was cut, or its writing was interrupted")
    for last in (False, True):
        try:
            packed = box.decrypt(head[4:], sealed, _bound(salt, number, last))
        except InvalidTag:
            continue
        frame: dict[str, Any] = json.loads(zlib.decompress(packed))
        return frame, last
    raise BackupRefused("the backup does not open: PLAINBILL_BACKUP_KEY is another one, or the file was altered")
