"""The daily close: drawers are counted against the books, a person signs, and the day is locked.

A locked day takes nothing more: what is recorded for it at the desk, and what a processor tells of late, goes to the
next open day (``open_day``, ``booking_day``). What is over or short is kept with the sign-off and its reason, never
posted away. Source: issue 4, "Daily close"; receivables.md D3 (daily three-way tie).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from billing import audit, second_person, staff
from billing.closing_batch import TENDERS, as_totals, batch
from billing.dues import local_day
from billing.money import dollars
from billing.store import close_queries as store
from billing.store.practices import policy_in
from billing.store.tables_money import DayClose, DayCount


class CloseRefused(ValueError):
    """A day that cannot be counted or signed, or a match that cannot be. The text says what to do; no PHI.

    ``command``: what does it at a terminal.
    """

    def __init__(self, text: str, command: str = "") -> None:
        super().__init__(text)
        self.command = command


def is_locked(session: Session, practice_id: str, day: date) -> bool:
    """Whether the practice-local ``day`` was signed."""
    return store.find_close(session, practice_id, day) is not None


def open_day(session: Session, practice_id: str, on: date) -> date:
    """The first practice-local day at or after ``on`` that nobody has signed; nobody signs it before this
    transaction's commit, which is why it is for writing transactions alone.
    """
    store.hold_days(session, practice_id, to_close=False)
    for locked in store.locked_from(session, practice_id, on):
        if locked != on:
            break
        on += timedelta(days=1)
    return on


def booking_day(session: Session, practice_id: str, at: datetime) -> date:
    """The day on which a processor's money of ``at`` is booked: its practice-local day, or the first after it that is
    open. When it was paid is the payment's own (``paid_at``). For writing transactions, as ``open_day``.
    """
    return open_day(session, practice_id, local_day(session, practice_id, at))


def count(session: Session, practice_id: str, day: date, *, person: str, tender: str, counted_minor: int,
          now: datetime, by: str = "") -> None:
    """Keep what was counted in ``person``'s drawer, in cents; a second count replaces the first. ``by``: who counted
    it, where that was somebody else. Raises CloseRefused.
    """
    if tender not in TENDERS:
        raise CloseRefused(f"a count is of {', '.join(TENDERS)}")
    if counted_minor < 0:
        raise CloseRefused("a drawer holds no less than nothing")
    _require_open(session, practice_id, day)
    store.add_count(session, DayCount(practice_id=practice_id, day_on=day, person=person, tender=tender,
                                      counted_minor=counted_minor, counted_by=by or person, at=now))


def sign(session: Session, practice_id: str, day: date, *, by: str, note: str, today: date,
         now: datetime) -> DayClose:
    """Lock a practice-local day. Raises CloseRefused while something is uncounted, and, without a ``note``, while it
    is over or short or a difference found on that day is open. Such a day is signed by another person than counted; a
    night stands for them where there is nobody else. Who may sign, the caller has asked (billing/staff.py).
    """
    store.hold_days(session, practice_id, to_close=True)
    _require_open(session, practice_id, day)
    if day > today:
        raise CloseRefused("this day has not come yet")
    found = batch(session, practice_id, day)
    for drawer in found.uncounted:
        raise CloseRefused(
            f"{drawer.person} has not counted {drawer.tender} ({dollars(drawer.booked_minor)} by the books)",
            f"plainbill close day {day} --count {drawer.tender}=AMOUNT --person {drawer.person}")
    off = [d for d in found.drawers if d.over_short_minor]
    if off and not note.strip():
        each = "; ".join(f"{one.person}, {one.tender}, {dollars(one.over_short_minor)}" for one in off)
        raise CloseRefused(f"counted and booked differ ({each}): say why in a note", "--note")
    if found.open_differences and not note.strip():
        raise CloseRefused(f"{len(found.open_differences)} differences found on this day are open: settle them, "
                           "or say in a note why the day is closed all the same",
                           "plainbill reconcile --list; --note")
    how = _second_eyes(session, practice_id, day, by, now) if off or found.open_differences else ""
    close = store.add_close(session, DayClose(
        practice_id=practice_id, day_on=day, totals=as_totals(found), over_short_minor=found.over_short_minor,
        note=note.strip(), signed_by=by, signed_at=now))
    audit.record(session, practice_id, by, "day_locked", "day", day.isoformat(),
                 f"over or short {found.over_short_minor} cents" + (f", {how}" if how else ""), now)
    return close


def _second_eyes(session: Session, practice_id: str, day: date, by: str, now: datetime) -> str:
    """How a day that does not agree comes to be signed: by somebody who counted none of it, or alone after a night."""
    found = [({one.person.strip().casefold(), one.counted_by.strip().casefold()}, one.at)
             for one in store.standing_counts(session, practice_id, day)]
    makers = {name for names, _ in found for name in names}
    own = [at for names, at in found if by.strip().casefold() in names]
    if not own:
        return "second person" if makers else ""
    policy = policy_in(session, practice_id)
    try:
        return second_person.require(session, practice_id, by=by, asked_by=by, asked_at=max(own),
                                     role="supervisor", policy=policy, now=now, also_by=makers)
    except staff.StaffRefused as refused:
        raise CloseRefused(f"this day does not agree, and whoever counted it does not sign it: {refused}") from refused


def _require_open(session: Session, practice_id: str, day: date) -> None:
    close = store.find_close(session, practice_id, day)
    if close is not None:
        raise CloseRefused(f"{day} was signed by {close.signed_by} and is locked; what came later goes to the next "
                           "open day")
