"""What happened since a backup was made, asked of the carrier: texts that came in are accepted as if they came now,
texts that left and that this copy knows nothing of are written down, so that nobody is told twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from billing import cases, restorations
from billing.phones import address_hash
from billing.restorations import RestorationRefused
from billing.store import restoration_queries as store
from billing.store.practices import find_practice
from bot.accept import accept_message
from bot.channels.base import Inbound
from bot.channels.sms import PastText, SmsChannel
from bot.road import Road


@dataclass(frozen=True, slots=True)
class Checked:
    """How many texts the carrier lists since the backup, and how many of them were new to this copy."""

    listed: int
    received: int
    sent: int


async def check_texts(road: Road, channel: SmsChannel, practice_id: str) -> Checked:
    """Compare with the carrier. Run again it goes on where it was. Raises RestorationRefused, SendError."""
    number, since = await road.store.aread(partial(_what_to_ask, practice_id=practice_id))
    listed = received = sent = 0
    async for text in channel.since(number, since):
        listed += 1
        if text.inbound:
            received += await road.store.awrite(partial(_take_in, text=text, now=road.clock.now()))
        else:
            sent += await road.store.awrite(partial(_note_sent, practice_id=practice_id, text=text,
                                                    now=road.clock.now()))
    await road.store.awrite(partial(restorations.note_checked, practice_id=practice_id, what="texts",
                                    now=road.clock.now()))
    if received:
        road.wake.inbox.set()
    return Checked(listed, received, sent)


def _what_to_ask(session: Session, practice_id: str) -> tuple[str, datetime]:
    found, row = restorations.standing(session, practice_id), find_practice(session, practice_id)
    if found is None or row is None:
        raise RestorationRefused("this practice was not restored from a backup, or was released before")
    return row.sms_number or "", found.backup_at


def _take_in(session: Session, text: PastText, now: datetime) -> bool:
    """Words that came while this copy was not there: STOP binds, the rest is heard; answers stay in the shadow."""
    return accept_message(session, "sms", Inbound(
        external_id=text.provider_id, sender=text.other, to=text.ours, body=text.body), now)


def _note_sent(session: Session, practice_id: str, text: PastText, now: datetime) -> bool:
    """A text that this copy does not know, unless it is one of those whose outcome is being looked for."""
    hashed = address_hash(practice_id, "sms", text.other)
    if store.knows_text(session, practice_id, text.provider_id, hashed, text.body):
        return False
    row = store.add_past_text(session, practice_id, text.provider_id, text.other, hashed, text.body, text.at, now)
    cases.open_case(
        session, practice_id, kind="restored", title="Texts left after the backup was made", now=now,
        detail=f"message {row.id} left after the backup; this copy does not know what it was about. It counts for the "
               "limits, and asks for nothing more by itself.", dedupe=f"restored:{practice_id}")
    return True
