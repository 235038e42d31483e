"""Files that wait to be imported: kept sealed, checked, posted when somebody says so, and forgotten.

A file's turn is taken by one worker at a time, who says now and then that it still lives; one that died is followed by
another, and an import that was cut short goes on where it stood (billing/imports.py).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing import audit
from billing.ids import new_id
from billing.store import upload_queries as store
from billing.store.tables import ImportFile

#: Bytes of one sealed piece.
PIECE = 512 * 1024
LEASE = timedelta(minutes=5)
#: Letters of a name: no file system takes more than 255 bytes, and a letter may be four.
MOST_NAME = 60
#: Files of a practice that may wait at a time: each is kept whole, sealed.
MOST_WAITING = 40
#: A file that was checked and that nobody posts is thrown away after so long.
KEPT_FOR = timedelta(days=7)


class FileRefused(ValueError):
    """A step that this file cannot take now. The text says why; no PHI."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one worker has to do: ``posting`` or only check. ``name`` is fit to be a file's."""

    file_id: str
    practice_id: str
    name: str
    column_map: str
    skip_bad_claims: bool
    posting: bool
    size_bytes: int
    actor: str


def plain_name(given: str) -> str:
    """The file's own name without folders and without what no screen shows; "file" where nothing is left."""
    last = re.split(r"[\\/]", given)[-1]
    shown = "".join(one for one in last if one.isprintable()).strip(" .")
    return shown[-MOST_NAME:] or "file"


def keep(session: Session, practice_id: str, *, name: str, content: bytes, column_map: str, by: str, now: datetime,
         ) -> ImportFile:
    """Keep a file to be checked. The same bytes while they are under way are the same file. Raises FileRefused."""
    digest, waiting = hashlib.sha256(content).hexdigest(), store.under_way(session, practice_id)
    for known in waiting:
        if known.digest == digest and known.column_map == column_map:
            return known
    if len(waiting) >= MOST_WAITING:
        raise FileRefused(f"{MOST_WAITING} files wait already; post some of them, or throw them away")
    row = ImportFile(id=new_id("upl"), practice_id=practice_id, file_name=plain_name(name), digest=digest,
                     size_bytes=len(content), column_map=column_map, status="received", given_by=by, given_at=now)
    store.add(session, row, [base64.b64encode(content[at:at + PIECE]).decode()
                             for at in range(0, len(content), PIECE)])
    return row


def ask_to_post(session: Session, row: ImportFile, *, skip_bad_claims: bool, by: str, now: datetime) -> None:
    """What was checked is to be posted. Raises FileRefused."""
    if row.status != "checked":
        raise FileRefused(WHYS.get(row.status, "this file is not ready to be posted"))
    outcome = str((row.report or {}).get("outcome", ""))
    if outcome == "refused" and not (skip_bad_claims and (row.report or {}).get("skippable")):
        raise FileRefused("this file cannot be posted as it is; the list says why")
    row.status, row.skip_bad_claims, row.asked_by = "asked", skip_bad_claims, by
    row.done_bytes, row.claimed_until = 0, None
    audit.record(session, row.practice_id, by, "import_asked", "import_file", row.id, "", now)


WHYS = {"received": "this file is still being checked", "checking": "this file is still being checked",
        "asked": "this file is being posted", "posting": "this file is being posted",
        "done": "this file was posted; the import's own page has its report",
        "known": "all of this file was posted before; there is nothing to do",
        "dropped": "this file was thrown away; upload it again", "failed": "this file's check failed; upload it again"}


def drop(session: Session, row: ImportFile, *, by: str, now: datetime) -> None:
    """Throw a file away that was not posted. Raises FileRefused."""
    if row.status not in ("received", "checked", "failed"):
        raise FileRefused(WHYS.get(row.status, "this file cannot be thrown away now"))
    row.status, row.report = "dropped", None
    store.drop_parts(session, row.id)
    audit.record(session, row.practice_id, by, "import_dropped", "import_file", row.id, "", now)


def take_turn(session: Session, file_id: str, worker: str, now: datetime) -> Turn | None:
    """Take a file's turn, or None: somebody has it, or there is nothing to do with it."""
    row = store.lock(session, file_id)
    if row is None or row.status not in (*store.TURNS, *store.TURNS.values()):
        return None
    if row.claimed_until is not None and row.claimed_until >= now:
        return None
    row.status = store.TURNS.get(row.status, row.status)
    row.claimed_by, row.claimed_until, row.done_bytes = worker, now + LEASE, 0
    return Turn(row.id, row.practice_id, row.file_name, row.column_map, row.skip_bad_claims, row.status == "posting",
                row.size_bytes, row.asked_by or row.given_by)


def note_progress(session: Session, file_id: str, worker: str, done_bytes: int, now: datetime) -> None:
    store.note(session, file_id, worker, done_bytes, now + LEASE)


def pieces(read: Any, file_id: str) -> Iterator[bytes]:
    """The file's bytes, piece by piece; ``read`` is the store's."""
    number = 0
    while (found := read(lambda session, at=number: store.part(session, file_id, at))) is not None:
        yield base64.b64decode(found)
        number += 1


def end_turn(session: Session, turn: Turn, worker: str, *, report: dict[str, Any] | None, failure: str = "") -> None:
    """Keep what came of it; nothing if the turn was taken by somebody else meanwhile."""
    row = store.lock(session, turn.file_id)
    if row is None or row.claimed_by != worker:
        return
    row.claimed_by, row.claimed_until, row.failure = None, None, failure
    if failure:  # it is uploaded again; until then nothing of anybody's lies here
        row.status = "failed"
        store.drop_parts(session, row.id)
        return
    row.report = report
    row.import_id = (report or {}).get("import_id") if turn.posting else None
    known = str((report or {}).get("outcome")) == "duplicate"
    row.status = "done" if turn.posting else "known" if known else "checked"
    if row.status != "checked":
        store.drop_parts(session, row.id)


def forget_old(session: Session, now: datetime) -> int:
    """Throw away what was checked and that nobody asked for any more; return how many."""
    rows = store.left_lying(session, now - KEPT_FOR)
    for row in rows:
        drop(session, row, by="plainbill", now=now)
    return len(rows)
