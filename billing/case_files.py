"""Pictures and papers that patients send for a case: what may come in, where it goes, how staff get it out.

What a file is, its content says: a name or a declared type is only somebody's claim. Kept sealed and never changed;
texts with pictures are no road for them, because the telephone network keeps copies (T-37).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import audit, cases
from billing.ids import new_id
from billing.links import LinkView
from billing.store import case_queries as store
from billing.store.seal import blind
from billing.store.tables import Case, CaseFile

#: What an upload link is for, and the labels of the pictures its page asks for.
PURPOSES: dict[str, tuple[str, str]] = {"insurance": ("front", "back"), "papers": ("paper", "paper")}

MOST_BYTES = 8 * 1024 * 1024
MOST_FILES = 10
"""For one case: more than that is somebody's mistake, or worse."""

_HEIC = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
#: Cases that papers may belong to, where the link itself names none that is open.
_TAKES = ("insurance_update", "dispute", "paid_already", "assistance", "media", "papers")


class FileRefused(ValueError):
    """A file that is not taken. ``reason``: kind, size, empty, many, twice. Nothing of the content is in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Upload:
    """What the page sent: the label of its field, and the bytes."""

    label: str
    content: bytes


@dataclass(frozen=True, slots=True)
class FileFacts:
    number: int
    label: str
    media_type: str
    bytes_count: int
    sent_at: datetime


def media_type(content: bytes) -> str | None:
    """What the bytes are: JPEG, PNG, WebP, HEIC or PDF; None for everything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        return "image/heic"
    return "application/pdf" if content.startswith(b"%PDF-") else None


def check(uploads: Sequence[Upload]) -> list[tuple[Upload, str]]:
    """The files with their types. Raises FileRefused for the first that is none of ours; then none is taken."""
    if not uploads:
        raise FileRefused("empty")
    checked = []
    for one in uploads:
        if len(one.content) > MOST_BYTES:
            raise FileRefused("size")
        kind = media_type(one.content)
        if kind is None:
            raise FileRefused("kind")
        checked.append((one, kind))
    return checked


def receive(session: Session, link: LinkView, uploads: Sequence[Upload], now: datetime) -> int:
    """Keep the files with the case that the link is for; return how many there are now.

    Raises FileRefused, "twice" where every one of them is here already.
    """
    checked = check(uploads)
    case = store.lock(session, _case_of(session, link, now).id)
    known = store.file_facts(session, case.id)
    digests, number = {row[4] for row in known}, len(known)
    added = 0
    for upload, kind in checked:
        encoded = base64.b64encode(upload.content).decode()
        digest = blind("case_file", link.practice_id, encoded)
        if digest in digests:
            continue
        if number >= MOST_FILES:
            raise FileRefused("many")
        digests.add(digest)
        number, added = number + 1, added + 1
        store.add_file(session, CaseFile(
            id=new_id("file"), practice_id=link.practice_id, case_id=case.id, number=number, label=upload.label,
            media_type=kind, bytes_count=len(upload.content), digest=digest, content=encoded, sent_at=now))
    if not added:
        raise FileRefused("twice")
    _tell_staff(session, link, case, added, now)
    return number


def _tell_staff(session: Session, link: LinkView, case: Case, added: int, now: datetime) -> None:
    """An answered case is work again: there is something new in it."""
    cases.say_again(session, case, f"The patient sent {added} file(s) by the secure page.", "patient", now)
    audit.record(session, link.practice_id, "patient", "file_sent", "case", case.id, f"{added} files", now)


def _case_of(session: Session, link: LinkView, now: datetime) -> Case:
    """The case that the link names by its kind, else the account's newest, else a new one: nothing sent is lost."""
    found = _open_case_of(session, link)
    if found is not None:
        return found
    return cases.open_case(
        session, link.practice_id, kind="papers", title="A patient sent papers", detail="By the secure page.", now=now,
        guarantor_id=link.guarantor_id, dedupe=f"papers:{link.guarantor_id}", actor="patient")


def _open_case_of(session: Session, link: LinkView) -> Case | None:
    newest = store.open_of_account(session, link.practice_id, link.guarantor_id, _TAKES)
    return (store.by_dedupe(session, link.practice_id, f"{link.object_id}:{link.guarantor_id}")
            or next(iter(newest), None))


def sent(session: Session, link: LinkView) -> int:
    """How many files there are of the case that the link is for."""
    found = _open_case_of(session, link)
    return len(store.file_facts(session, found.id)) if found is not None else 0


def list_files(session: Session, case_id: str) -> list[FileFacts]:
    return [FileFacts(number, label, kind, size, at)
            for number, label, kind, size, _, at in store.file_facts(session, case_id)]


def open_file(session: Session, case_id: str, number: int) -> tuple[FileFacts, bytes] | None:
    """One file of a case with its bytes, as they came; None when there is none of that number. Audit the look."""
    row = store.file_of(session, case_id, number)
    if row is None:
        return None
    facts = FileFacts(row.number, row.label, row.media_type, row.bytes_count, row.sent_at)
    return facts, base64.b64decode(row.content)
