"""A copy that came out of a backup: it knows nothing of what happened since, so nothing leaves it and nothing is
charged before it was compared with the carrier and the processor.

While ``restored_at`` of a practice stands, its policy's sending mode reads ``restored`` (billing/store/practices.py),
and the gate withholds every message and every charge. What was on its way when the backup was made may have left since:
it is of unknown outcome, and looked for before anything else is done with it. Campaigns that were approved or under way
are stopped for good: whom they have told since, by whatever channel, nobody here knows.

Chats, e-mails and letters cannot be asked about: neither Telegram nor a mail server says what it took, and letters are
paper. What waited there is held before a person, who looks where people can look (the provider's log, a mailbox, the
print runs' folders) and says for the whole channel whether it is to be taken as left. Then it never leaves again, and
everybody counts as told in the moment of the restoration (billing/taken_as_left.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import cases, outbox
from billing.processor_calls import KEY_LIFE
from billing.store import case_queries, counters
from billing.store import restoration_queries as store
from billing.store.tables import Outbox, Practice

CHANNELS = ("telegram", "email", "paper")
"""Channels on which nobody can be asked what left."""

_NAMES = {"telegram": "chat messages", "email": "e-mails", "paper": "letters"}


class RestorationRefused(Exception):
    """The copy cannot be released yet, or is none. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Unasked:
    """A channel that cannot be asked. ``held``: messages that were due since the backup and may have left; ``said``:
    left, nothing, or empty while nobody has said.
    """

    channel: str
    held: int
    said: str
    by: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a restored practice is; ``waiting``: messages and calls whose outcome is still being looked for."""

    practice_id: str
    backup_at: datetime
    restored_at: datetime
    texts_checked_at: datetime | None
    money_checked_at: datetime | None
    waiting: int
    channels: tuple[Unasked, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """What has to happen before the copy may be released."""
        todo = []
        if self.texts_checked_at is None:
            todo.append("compare with the carrier: plainbill restored texts")
        if self.money_checked_at is None:
            todo.append("compare with the processor: plainbill restored money")
        for one in self.channels:
            if not one.said:
                todo.append(f"say whether {_NAMES[one.channel]} left since the backup ({one.held} held here): "
                            f"plainbill restored channel {one.channel}")
        if self.waiting:
            todo.append(f"learn what became of messages and calls that were under way ({self.waiting} left): plainbill "
                        "serve looks for them, what it cannot find out is a case")
        return tuple(todo)


def begin(session: Session, *, backup_at: datetime, now: datetime) -> None:
    """Put every practice of a restored database into the shadow."""
    for practice in store.practices(session):
        practice.restored_at, practice.backup_at = now, backup_at
        practice.texts_checked_at = practice.money_checked_at = None
        practice.channels_said = {}
    store.forget_leases(session)
    store.hold_back(session, CHANNELS)
    store.end_print_runs(session)
    store.distrust_messages(session, backup_at)
    store.distrust_calls(session, now - KEY_LIFE)
    store.stop_campaigns(session, "restored from a backup", now)
    session.flush()
    for practice in store.practices(session):
        for channel, count in store.held(session, practice.id, now).items():
            cases.open_case(
                session, practice.id, kind="restored", title=f"It is not known which {_NAMES[channel]} have left",
                detail=f"{count} {_NAMES[channel]} were due between the backup and its restoration, and nobody can be "
                       "asked about them: see plainbill restored show. None leaves before a person has said.",
                now=now, dedupe=_case_key(channel))


def standing(session: Session, practice_id: str) -> Standing | None:
    """None for a practice that was not restored, or was released."""
    row = session.get(Practice, practice_id)
    if row is None or row.restored_at is None or row.backup_at is None:
        return None
    held, said = store.held(session, practice_id, row.restored_at), row.channels_said or {}
    channels = tuple(Unasked(one, held.get(one, 0), said.get(one, {}).get("said", ""), said.get(one, {}).get("by", ""))
                     for one in CHANNELS)
    return Standing(row.id, row.backup_at, row.restored_at, row.texts_checked_at, row.money_checked_at,
                    store.unsettled(session, practice_id), channels)


def note_checked(session: Session, practice_id: str, what: str, now: datetime) -> None:
    """``what``: texts, money. Raises RestorationRefused."""
    row = _restored(session, practice_id)
    setattr(row, {"texts": "texts_checked_at", "money": "money_checked_at"}[what], now)
    session.flush()


def say(session: Session, practice_id: str, channels: Sequence[str], *, left: bool, reason: str, by: str, now: datetime,
        last_run: int = 0) -> None:
    """A person's word on channels that cannot be asked; it may be changed until the copy is released.

    ``left``: all that was due may have left, so that none of it leaves again; otherwise nothing did. ``last_run``: the
    highest number of a print run that the mail house or a folder knows; runs of this copy begin behind it. Raises
    RestorationRefused.
    """
    row = _restored(session, practice_id)
    if strange := [one for one in channels if one not in CHANNELS]:
        raise RestorationRefused(f"{strange[0]} is none of the channels that cannot be asked: {', '.join(CHANNELS)}")
    if not reason.strip():
        raise RestorationRefused("say how you know, with a reason: it stands in the audit trail")
    if last_run:
        counters.skip_to(session, practice_id, "mail_batches", last_run)
    word = {"said": "left" if left else "nothing", "by": by, "at": now.isoformat(),
            "until": row.restored_at.isoformat() if row.restored_at else ""}
    row.channels_said = {**(row.channels_said or {}), **dict.fromkeys(channels, word)}
    for channel in channels:
        case = case_queries.by_dedupe(session, practice_id, _case_key(channel))
        if case is not None:
            cases.close(session, practice_id, case.id, by=by, resolution=f"{word['said']}: {reason}", now=now)
    session.flush()


def release(session: Session, practice_id: str, now: datetime) -> None:
    """Let the copy go on as the practice's own. Raises RestorationRefused naming what is missing."""
    row, here = _restored(session, practice_id), standing(session, practice_id)
    if here is not None:
        if here.missing:
            raise RestorationRefused("; ".join(("the copy stays in the shadow", *here.missing)))
        left = {one.channel for one in here.channels if one.said == "left"}
        for message in store.lock_held(session, practice_id):
            gone = message.channel in left and message.due_at <= here.restored_at
            _settle(session, message, here, gone=gone, now=now)
    row.restored_at = None
    session.flush()


def _settle(session: Session, row: Outbox, here: Standing, *, gone: bool, now: datetime) -> None:
    """As the person said; what was not due before the restoration cannot have left, whatever was said."""
    row.lookups = 0
    if gone and row.purpose != outbox.REDACTION:  # to take words away once more does no harm
        row.attempts, row.sending_at = max(row.attempts, 1), max(row.due_at, here.backup_at)
        outbox.move(row, "sent", now)
        return
    store.take_out_of_run(session, row)
    outbox.move(row, "queued", now)


def require_released(session: Session, practice_id: str) -> None:
    """Raises RestorationRefused: no file leaves a copy that does not know which ones have left."""
    if standing(session, practice_id) is not None:
        raise RestorationRefused("this practice is a copy out of a backup, and no file leaves it before it is "
                                 "released: plainbill restored show")


def _case_key(channel: str) -> str:
    return f"restored:{channel}"


def _restored(session: Session, practice_id: str) -> Practice:
    row = session.get(Practice, practice_id)
    if row is None or row.restored_at is None:
        raise RestorationRefused("this practice was not restored from a backup, or was released before")
    return row
