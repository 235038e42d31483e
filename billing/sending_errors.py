"""What follows when a message does not get through: patience, consent, the contact point, a pause, work for staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import cases, consents
from billing.store import consent_queries, lease, road_queries
from billing.store.tables import Outbox

MOST_ATTEMPTS = 8
FIRST_BACKOFF = timedelta(seconds=15)
PAUSE = timedelta(hours=1)
"""How long a channel rests after an error of configuration; staff may resume it sooner."""

IN_A_ROW = 3
"""So many different messages refused one after the other with one answer: it is not about them."""
ALIKE_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    status: str
    due_at: datetime | None = None


def react(session: Session, row: Outbox, kind: str, code: str, now: datetime, retry_after_seconds: int) -> Outcome:
    """Return what becomes of a message being sent, and do what else follows. Raises ValueError for an unknown kind."""
    match kind:
        case "retry":
            return _try_again(session, row, code, now, retry_after_seconds)
        case "unknown":
            return Outcome("unknown")
        case "opted_out" | "unreachable":
            _mark_number(session, row, kind, code, now)
            return Outcome("failed")
        case "turned_away":
            _turn_away(session, row, code, now)
            return Outcome("failed")
        case "refused":
            _open_case(session, row, "undelivered", "A message was refused", f"The provider refuses this message with "
                       f"{code}, and would again. Reach the patient another way.", f"refused:{row.address_hash}", now)
            _rest_if_about_us(session, row, code, now)
            return Outcome("failed")
        case "configuration":
            pause_channel(session, row.practice_id, row.channel, code, now)
            return Outcome("queued", now + PAUSE)
        case _:
            raise ValueError(f"a channel answered with an error of kind {kind!r}, which nobody knows")


def react_to_report(session: Session, row: Outbox, kind: str, code: str, now: datetime) -> None:
    """A delivery report said no. The number or the channel is marked as for an error at once; nothing is repeated."""
    if kind in ("opted_out", "unreachable"):
        _mark_number(session, row, kind, code, now)
    else:
        _open_case(session, row, "undelivered", "A message was not delivered",
                   f"The provider's code is {code or 'none'}.", f"undelivered:{row.id}", now)


def pause_channel(session: Session, practice_id: str, channel: str, code: str, now: datetime) -> None:
    """Nothing more leaves by this channel for PAUSE, rather than failing message by message."""
    lease.hold(session, road_queries.pause_name(practice_id, channel), f"error {code}", now + PAUSE)
    cases.open_case(
        session, practice_id, kind="channel_paused", title=f"Sending by {channel} is paused: {code}",
        detail=f"The provider refuses our messages with {code}. Correct the set-up, then resume the channel.",
        now=now, dedupe=f"channel_paused:{channel}:{code}")


def resume_channel(session: Session, practice_id: str, channel: str) -> bool:
    """Lift a pause; False if there was none."""
    return lease.drop(session, road_queries.pause_name(practice_id, channel))


def _try_again(session: Session, row: Outbox, code: str, now: datetime, retry_after_seconds: int) -> Outcome:
    if row.attempts >= MOST_ATTEMPTS:
        _open_case(session, row, "undelivered", "A message could not be sent",
                   f"{MOST_ATTEMPTS} attempts failed, the last with {code}.", f"undelivered:{row.id}", now)
        return Outcome("failed")
    wait = min(FIRST_BACKOFF * (1 << max(row.attempts - 1, 0)), timedelta(hours=1))
    return Outcome("queued", now + max(wait, timedelta(seconds=retry_after_seconds)))


def _turn_away(session: Session, row: Outbox, code: str, now: datetime) -> None:
    """The next message goes another way. Where others answer alike it is about us, and their addresses stay good."""
    _open_case(session, row, "undelivered", "An address takes no messages from us",
               f"The server behind it refuses them with {code}, and would again: the next ones go another way. Look "
               "for a better address, or ask the patient to let our messages in.", f"refused:{row.address_hash}", now)
    if not _rest_if_about_us(session, row, code, now):
        consent_queries.set_contact_status(session, row.practice_id, row.address_hash, "unreachable")
        return
    for hashed in road_queries.answered_alike(session, row, code, now - ALIKE_WITHIN):
        consent_queries.set_contact_status(session, row.practice_id, hashed, "ok", where="unreachable")


def _rest_if_about_us(session: Session, row: Outbox, code: str, now: datetime) -> bool:
    """Whether an answer is about us and not about this message's own address, as it is when several addresses in a row
    got it: then the channel rests. The message itself is never again first in line.
    """
    before = road_queries.last_answers(session, row, IN_A_ROW - 1, now - ALIKE_WITHIN)
    alike = {address for status, answer, address in before if (status, answer) == ("failed", code)}
    if len(alike) < IN_A_ROW - 1:
        return False
    pause_channel(session, row.practice_id, row.channel, code, now)
    return True


def _mark_number(session: Session, row: Outbox, kind: str, code: str, now: datetime) -> None:
    if kind == "opted_out":
        consents.record_revoked(session, row.practice_id, row.channel, row.address_hash, now=now,
                                wording=f"refused by the provider ({code})", medium="text",
                                recorded_by="provider", message_id=row.id)
        title = "Call instead: texts to this number are stopped"
    else:
        consent_queries.set_contact_status(session, row.practice_id, row.address_hash, "unreachable")
        title = ("An e-mail address cannot be reached" if row.channel == "email"
                 else "A number cannot be reached by text")
    _open_case(session, row, "call", title, f"The provider's code is {code}.", f"call:{row.address_hash}", now)


def _open_case(session: Session, row: Outbox, kind: str, title: str, detail: str, dedupe: str, now: datetime) -> None:
    cases.open_case(session, row.practice_id, kind=kind, title=title, detail=detail, now=now, dedupe=dedupe,
                    conversation_id=row.conversation_id, guarantor_id=row.guarantor_id)
