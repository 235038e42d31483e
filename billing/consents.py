"""Consent to texts as a series of events that are only ever added; what holds now is derived from them.

A STOP binds the number, for every account on it. Only START or UNSTOP lift it: "yes" never does, and a form signed
later does not either (T-03, T-04, T-06, T-12). E-mail has no such word: there the patient says so to a person, who
writes down what was said. The console stands in for a phone's thread and shares its consents.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from sqlalchemy.orm import Session

from billing.phones import line_of
from billing.store import consent_queries as store
from billing.store.tables import Consent

TEXTS = "texts"
DETAIL = "detail"
INTRODUCTION = "start"

MEDIA = frozenset({"form", "text", "phone", "import", "staff"})
_NAMES_TEXTS = re.compile(r"\b(?:sms|texts?|texting|text messages?|mensajes?)\b", re.IGNORECASE)
_RESTORING = re.compile(r"\W*(?:start|unstop)\W*", re.IGNORECASE)


class ConsentEvent(Protocol):
    """What of a consent event is read to tell what holds; the table's rows have it, and those read in sets."""

    @property
    def id(self) -> int: ...
    @property
    def guarantor_id(self) -> str | None: ...
    @property
    def event(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def wording(self) -> str: ...
    @property
    def medium(self) -> str: ...
    @property
    def recorded_by(self) -> str: ...
    @property
    def message_id(self) -> str | None: ...
    @property
    def at(self) -> datetime | None: ...


class ConsentRefused(ValueError):
    """The event may not be recorded; the text says why and holds no PHI."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the events of one number come to. ``detail_event_id`` is of the account that was asked about."""

    consent_event_id: int | None = None
    complete: bool = False
    opted_out: bool = False
    opt_out_event_id: int | None = None
    opted_out_at: datetime | None = None
    last_stop_at: datetime | None = None  # the newest STOP: said again, it is said anew
    detail_event_id: int | None = None
    introduced: bool = False


@lru_cache(maxsize=1024)  # a practice's forms have few wordings
def names_texts(wording: str) -> bool:
    """Tell whether a consent's wording says that it is about text messages (T-14; Twilio 30551)."""
    return bool(_NAMES_TEXTS.search(wording))


def record_given(session: Session, practice_id: str, channel: str, address_hash: str, *, guarantor_id: str | None,
                 wording: str, medium: str, recorded_by: str, now: datetime, ip: str | None = None) -> int:
    """Add a consent to texts; return the event's id. Raises ConsentRefused for a record without wording or medium.

    Wording that does not name texts is kept as given, but the gate will not count it as complete.
    """
    if not wording.strip() or not recorded_by.strip():
        raise ConsentRefused("a consent needs the exact wording that was agreed to, and who took it")
    if medium not in MEDIA:
        raise ConsentRefused(f"a consent's medium is one of {', '.join(sorted(MEDIA))}")
    return _add(session, practice_id, channel, address_hash, "given", TEXTS, wording, medium, recorded_by, now,
                guarantor_id=guarantor_id, ip=ip)


def record_revoked(session: Session, practice_id: str, channel: str, address_hash: str, *, wording: str, medium: str,
                   recorded_by: str, now: datetime, message_id: str | None = None) -> int:
    """Add an opt-out of the number, by whatever way it was asked for (T-04)."""
    return _add(session, practice_id, channel, address_hash, "revoked", TEXTS, wording, medium, recorded_by, now,
                message_id=message_id)


def record_restored(session: Session, practice_id: str, channel: str, address_hash: str, *, wording: str,
                    recorded_by: str, now: datetime) -> int:
    """Lift an opt-out. Raises ConsentRefused unless the patient wrote START or UNSTOP and nothing else."""
    if not _RESTORING.fullmatch(wording):
        raise ConsentRefused("only START or UNSTOP, written by the patient, restores consent")
    return _add(session, practice_id, channel, address_hash, "restored", TEXTS, wording, "text", recorded_by, now)


def record_wanted_again(session: Session, practice_id: str, channel: str, address_hash: str, *, wording: str,
                        medium: str, recorded_by: str, now: datetime) -> int:
    """Lift the opt-out of an e-mail address by the patient's own words, as a person recorded them.

    Raises ConsentRefused without words, medium and name; for texts and chats, which START alone restores; for a file,
    which says what somebody else was told; and where nothing is stopped.
    """
    if channel != "email":
        raise ConsentRefused("only START or UNSTOP, written by the patient, restores consent to texts")
    if not wording.strip() or not recorded_by.strip():
        raise ConsentRefused("to send e-mails again needs the patient's own words, and who heard them")
    if medium not in MEDIA - {"import"}:
        raise ConsentRefused(f"the patient said so by one of {', '.join(sorted(MEDIA - {'import'}))}")
    if not standing(session, practice_id, channel, address_hash).opted_out:
        raise ConsentRefused("e-mail to this address is not stopped")
    return _add(session, practice_id, channel, address_hash, "restored", TEXTS, wording, medium, recorded_by, now)


def void(session: Session, practice_id: str, channel: str, address_hash: str, *, wording: str, recorded_by: str,
         now: datetime, medium: str = "text") -> int:
    """The number belongs to somebody else now: every consent given for it is void (T-10)."""
    return _add(session, practice_id, channel, address_hash, "voided", TEXTS, wording, medium, recorded_by, now)


def record_detail(session: Session, practice_id: str, channel: str, address_hash: str, *, guarantor_id: str,
                  allowed: bool, wording: str, recorded_by: str, now: datetime, medium: str = "text") -> int:
    """Record the answer to the warning that texts are not private (T-33), for one account on one number."""
    return _add(session, practice_id, channel, address_hash, "given" if allowed else "revoked", DETAIL, wording, medium,
                recorded_by, now, guarantor_id=guarantor_id)


def record_introduction(session: Session, practice_id: str, channel: str, address_hash: str, *, message_id: str,
                        now: datetime) -> int:
    """Note that the first text, with the introduction in it, is being sent (T-14)."""
    return _add(session, practice_id, channel, address_hash, "given", INTRODUCTION, "introduction sent", "text", "gate",
                now, message_id=message_id)


def record_introductions(session: Session, told: Iterable[tuple[str, str, str, str]], now: datetime) -> None:
    """As ``record_introduction`` for many: (practice id, channel, address hash, message id) of each."""
    store.add_events(session, [
        {"practice_id": practice_id, "channel": line_of(channel), "address_hash": hashed, "event": "given",
         "purpose": INTRODUCTION, "wording": "introduction sent", "medium": "text", "recorded_by": "gate",
         "message_id": message_id, "at": now} for practice_id, channel, hashed, message_id in told])


def _add(session: Session, practice_id: str, channel: str, address_hash: str, event: str, purpose: str, wording: str,
         medium: str, recorded_by: str, now: datetime, *, guarantor_id: str | None = None, ip: str | None = None,
         message_id: str | None = None) -> int:
    return store.add_event(session, Consent(
        practice_id=practice_id, guarantor_id=guarantor_id, channel=line_of(channel), address_hash=address_hash,
        event=event, purpose=purpose, wording=wording.strip(), medium=medium, recorded_by=recorded_by, ip=ip,
        message_id=message_id, at=now))


def standing(session: Session, practice_id: str, channel: str, address_hash: str,
             guarantor_id: str | None = None) -> Standing:
    """Derive what holds now for a number; with ``guarantor_id``, from that account's consents and the number's own."""
    events = store.said(session, practice_id, line_of(channel), address_hash)
    return derive(events, guarantor_id, store.messages_not_sent(session, introductions(events)))


def introductions(events: Sequence[ConsentEvent]) -> list[str]:
    """The messages that carried, or were to carry, the introduction."""
    return [e.message_id for e in events if e.purpose == INTRODUCTION and e.message_id]


def derive(events: Sequence[ConsentEvent], guarantor_id: str | None, unsent: Collection[str]) -> Standing:
    """What the events of one number, oldest first, come to. ``unsent``: those of its introductions that never left."""
    texts, other = [e for e in events if e.purpose == TEXTS], [e for e in events if e.purpose != TEXTS]
    taken_back = any([e.event != "given" for e in texts])  # noqa: C419  # asked of every number of a preview
    void = _last_void(texts) if taken_back else 0
    given = _consent(texts, guarantor_id, void)
    stop = _opt_out(texts) if taken_back else None
    detail = next((e for e in reversed(other) if e.purpose == DETAIL and e.guarantor_id == guarantor_id), None)
    # Whoever has the number since it was voided has agreed to nothing.
    kept = detail if detail is not None and detail.event == "given" and detail.id > void else None
    return Standing(
        consent_event_id=given.id if given else None, complete=given is not None and _is_complete(given),
        opted_out=stop is not None, opt_out_event_id=stop.id if stop else None, opted_out_at=stop.at if stop else None,
        last_stop_at=_last_stop(texts, stop) if stop else None, detail_event_id=kept.id if kept else None,
        introduced=_introduced(other, void, unsent))


def _introduced(events: Sequence[ConsentEvent], since: int, unsent: Collection[str]) -> bool:
    return bool([e for e in events if e.purpose == INTRODUCTION and e.id > since and e.message_id
                 and e.message_id not in unsent])


def _last_void(texts: Sequence[ConsentEvent]) -> int:
    return max([e.id for e in texts if e.event == "voided"], default=0)


def _consent(texts: Sequence[ConsentEvent], guarantor_id: str | None, since: int) -> ConsentEvent | None:
    """The newest consent that was not voided after; the most complete of them if there are several."""
    mine = [e for e in texts if e.event == "given" and e.id > since
            and (guarantor_id is None or e.guarantor_id in (None, guarantor_id))]
    return max(mine, key=lambda e: (_is_complete(e), e.id)) if len(mine) > 1 else next(iter(mine), None)


def _opt_out(texts: Sequence[ConsentEvent]) -> ConsentEvent | None:
    """The first STOP that nothing has lifted since; a repeated STOP changes nothing and is confirmed no second time."""
    stop = None
    for e in texts:
        if e.event == "restored":
            stop = None
        elif e.event == "revoked":
            stop = stop or e
    return stop


def _last_stop(texts: Sequence[ConsentEvent], first: ConsentEvent) -> datetime | None:
    """Said again after a person has asked what was meant, it is asked about again (plan_changes.stop_if_opted_out)."""
    said = [e.at for e in texts if e.event == "revoked" and e.at is not None and e.id >= first.id]
    return max(said, default=None)


def _is_complete(event: ConsentEvent) -> bool:
    return bool(names_texts(event.wording) and event.medium in MEDIA and event.recorded_by.strip())
