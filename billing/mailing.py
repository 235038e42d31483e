"""Letters: gathered into print runs, each judged by the gate in that moment, and told apart by a number on the paper.

Order of an export (bot/exports.py has what all exports share): letters join a run a few at a time, each asked about
again and marked as being sent in the same transaction, so that no letter can join a second run; then the run is closed;
then its files are written and flushed under another name; then the run is ready, which is the moment in which its
letters count as having left; then it gets its name, and counts as written.

Interrupted before it is ready, nothing of a run can have left: its letters are put back, and the next export judges
them anew. From then on it may be with the mail house: it never changes, and is written again byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import gate_facts, outbox
from billing.ids import new_id
from billing.store import counters, road_queries
from billing.store import mail_queries as store
from billing.store.mail_queries import LetterRow
from billing.store.practices import policy_in
from billing.store.tables import Guarantor, MailBatch, MailLetter, Outbox
from config.practice import PracticePolicy

__all__ = ["AT_ONCE", "Batch", "LetterRow", "MailRefused", "Taken", "acknowledge", "close", "find_batch", "find_letter",
           "letters", "list_batches", "make_ready", "mark_written", "put_back", "take", "unfinished", "waiting"]

AT_ONCE = 25
"""Letters in one transaction: each is judged on an account read anew."""

_WORKER = "mail"
_NUMBER = re.compile(r"#?(\d{1,9})-(\d{1,6})")


class MailRefused(Exception):
    """There is no such run or letter, or it is not that far yet. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A print run. ``status``: gathering, gathered (it can still be put back), ready (its letters have left, its files
    may not be there whole), written, acknowledged.
    """

    batch_id: str
    number: int
    letters: int
    status: str
    made_by: str
    made_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None

    @property
    def folder(self) -> str:
        return f"mail-{self.number:04d}"

    @property
    def fixed(self) -> bool:
        """Whether its letters count as having left: what it holds is never changed again."""
        return self.status not in ("gathering", "gathered")

    @property
    def written(self) -> bool:
        return self.status in ("written", "acknowledged")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the letters looked at: ``left`` joined the run, ``kept`` were held back, by which rules."""

    last_id: str  # looked at; empty: there was none
    left: int = 0
    kept: tuple[str, ...] = ()


def waiting(session: Session, practice_id: str) -> int:
    """How many letters no run has taken yet."""
    return store.count_waiting(session, practice_id)


def list_batches(session: Session, practice_id: str) -> list[Batch]:
    return [_batch(row) for row in store.batches(session, practice_id)]


def unfinished(session: Session, practice_id: str) -> list[Batch]:
    """Runs whose letters count as having left and whose files may not be whole, oldest first."""
    return [one for one in list_batches(session, practice_id) if one.status == "ready"]


def take(session: Session, practice_id: str, after_id: str, *, by: str, now: datetime) -> Taken:
    """Look at the next letters whose time has come and put those that the gate lets out into the run being gathered;
    the run is made by the first. One export of a practice at a time: the counter's row is the lock.
    """
    counters.lock_counter(session, practice_id, "mail_batches")
    ids = store.waiting(session, practice_id, now, after_id, AT_ONCE)
    # Messages first, households after them, each by one order, as everywhere: docs/scale.md, "One order of locks".
    rows = road_queries.lock_messages(session, ids)
    gate_facts.lock_households(session, rows)
    left, kept = 0, []
    for row in rows:
        if _send(session, row, now):
            _join(session, row, by, now)
            left += 1
        else:
            kept.append(store.last_rule(session, row.id))
    return Taken(ids[-1] if ids else "", left, tuple(kept))


def _send(session: Session, row: Outbox, now: datetime) -> bool:
    """Through every state at once: nothing comes between the gate's word and the commit."""
    if row.status not in ("queued", "deferred"):
        return False
    if row.status == "deferred":
        outbox.move(row, "queued", now)
    outbox.move(row, "claimed", now)
    row.claimed_by = _WORKER
    if outbox.begin_sending(session, row.id, _WORKER, now) is None:
        return False
    row.claimed_until = None  # no timer ends it: what becomes of its run does
    return True


def _join(session: Session, row: Outbox, by: str, now: datetime) -> None:
    practice_id = row.practice_id
    batch = store.open_batch(session, practice_id)
    if batch is None:
        number = counters.next_number(session, practice_id, "mail_batches")
        batch = MailBatch(
            id=new_id("mlb"), practice_id=practice_id, number=number, letters=0, status="gathering", folder="",
            made_by=by, made_at=now, acknowledged_at=None, acknowledged_by=None)
        session.add(batch)
        session.flush()
    batch.letters += 1
    row.mail_batch_id, row.provider_id = batch.id, f"{batch.number}-{batch.letters}"
    session.add(MailLetter(outbox_id=row.id, practice_id=practice_id, batch_id=batch.id, position=batch.letters,
                           content=_content(session, row, now), gathered_at=now))
    session.flush()


def _content(session: Session, row: Outbox, now: datetime) -> dict[str, Any]:
    """Who writes to whom on which day, as it is now: nothing of it is read again."""
    policy = policy_in(session, row.practice_id)
    person = session.get_one(Guarantor, row.guarantor_id) if row.guarantor_id else None
    return {"practice": _letterhead(policy), "name": person.name if person else "", "address": row.address,
            "made_on": policy.local_day(now).isoformat()}


def _letterhead(policy: PracticePolicy) -> dict[str, Any]:
    return {"name": policy.name, "legal_name": policy.legal_name, "phone": policy.phone, "address": policy.address,
            "website": policy.website}


def put_back(session: Session, practice_id: str, now: datetime) -> list[Batch]:
    """Undo what an interrupted export gathered and never made ready: its letters wait again, and the next gathering
    judges them anew. Return the runs that are no more; their numbers are given again.
    """
    counters.lock_counter(session, practice_id, "mail_batches")
    undone = []
    for batch in store.begun(session, practice_id):
        undone.append(_batch(batch))
        for row in store.lock_letters(session, batch.id):
            _wait_again(row, now)
        store.forget(session, batch)
        counters.take_back(session, practice_id, "mail_batches")
    return undone


def _wait_again(row: Outbox, now: datetime) -> None:
    """As if it had never been looked at: the run's files were never there under their name."""
    outbox.move(row, "queued", now)
    row.mail_batch_id = row.provider_id = row.sending_at = None
    row.attempts -= 1


def close(session: Session, practice_id: str) -> Batch | None:
    """End the gathering: what the run holds is fixed. None where nothing was gathered."""
    counters.lock_counter(session, practice_id, "mail_batches")
    row = store.open_batch(session, practice_id)
    if row is None:
        return None
    row.status = "gathered"
    session.flush()
    return _batch(row)


def letters(session: Session, batch_id: str) -> list[LetterRow]:
    """What a run holds, in the order of its numbers."""
    return store.letters(session, batch_id)


def make_ready(session: Session, practice_id: str, number: int, now: datetime) -> Batch:
    """From this commit on the run's letters count as having left: its files are about to get their name."""
    row = _find(session, practice_id, number)
    if row.status == "gathered":
        letters = store.lock_letters(session, row.id)
        outbox.record_sent(session, [(letter.id, letter.provider_id or "") for letter in letters])
        row.status = "ready"
        session.flush()
    return _batch(row)


def mark_written(session: Session, practice_id: str, number: int) -> Batch:
    """Note that all of the run's files are on the disk."""
    row = _find(session, practice_id, number)
    if row.status == "ready":
        row.status, row.folder = "written", _batch(row).folder
        session.flush()
    return _batch(row)


def acknowledge(session: Session, practice_id: str, number: int, *, by: str, now: datetime) -> Batch:
    """Note that the mail house has taken the run; again it changes nothing. Raises MailRefused."""
    row = _find(session, practice_id, number)
    if not _batch(row).written:
        raise MailRefused("this run's files were never written whole: run plainbill mail export first")
    if row.acknowledged_at is None:
        row.status, row.acknowledged_at, row.acknowledged_by = "acknowledged", now, by
        session.flush()
    return _batch(row)


def find_batch(session: Session, practice_id: str, number: int) -> Batch:
    """Raises MailRefused."""
    return _batch(_find(session, practice_id, number, lock=False))


def find_letter(session: Session, practice_id: str, named: str) -> str:
    """The id of the letter with the number on its paper (``12-34``), or of that id. Raises MailRefused."""
    if named.startswith("msg_"):
        return named
    found = _NUMBER.fullmatch(named.strip())
    outbox_id = store.letter_at(session, practice_id, int(found[1]), int(found[2])) if found else None
    if outbox_id is None:
        raise MailRefused("there is no such letter; its number stands at the foot of its first page, such as 12-34")
    return outbox_id


def _find(session: Session, practice_id: str, number: int, *, lock: bool = True) -> MailBatch:
    row = store.batch(session, practice_id, number, lock=lock)
    if row is None:
        raise MailRefused("there is no such run; plainbill mail list shows them")
    return row


def _batch(row: MailBatch) -> Batch:
    return Batch(row.id, row.number, row.letters, row.status, row.made_by, row.made_at, row.acknowledged_at,
                 row.acknowledged_by)
