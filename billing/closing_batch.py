"""What a day's drawers should hold: desk payments and returns by person and tender, counts, checks to be deposited.

The day is the one that a posting stands in (its effective day), so that what was recorded after a sign-off is in the
next day's batch. Nothing is read from a clock here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing.closing_agencies import Taken, taken_on
from billing.store import close_queries as store
from billing.store.tables import Payment, Refund, Remittance

TENDERS = ("cash", "check", "terminal")

#: So many days in a row may be signed ahead of a check that is typed in for the first of them.
LOOKS_BACK = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Drawer:
    """One person's takings in one tender. Cents; ``counted_minor`` None: not counted yet."""

    person: str
    tender: str
    payments: int
    returns: int
    came_minor: int
    went_minor: int
    counted_minor: int | None

    @property
    def booked_minor(self) -> int:
        return self.came_minor - self.went_minor

    @property
    def over_short_minor(self) -> int:
        """Counted less booked; 0 while it is not counted."""
        return 0 if self.counted_minor is None else self.counted_minor - self.booked_minor


@dataclass(frozen=True, slots=True)
class Check:
    """A check to be taken to the bank. ``payer`` is an insurer's name, or "" for a patient's; no patient's name."""

    number: str
    payer: str
    amount_minor: int
    remittance_id: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A practice-local day as it stands."""

    day: date
    drawers: tuple[Drawer, ...]
    checks: tuple[Check, ...]
    insurer_checks: tuple[Check, ...]
    agencies: tuple[Taken, ...]
    open_differences: tuple[str, ...]
    earlier_open_days: tuple[date, ...]

    @property
    def over_short_minor(self) -> int:
        return sum(d.over_short_minor for d in self.drawers)

    @property
    def uncounted(self) -> tuple[Drawer, ...]:
        return tuple(d for d in self.drawers if d.counted_minor is None)

    def deposit(self) -> dict[str, int]:
        """Cents per tender that go to the bank: what was counted, and the insurers' checks with the others."""
        sums = {tender: sum(d.counted_minor or 0 for d in self.drawers if d.tender == tender) for tender in TENDERS}
        sums["check"] += sum(c.amount_minor for c in self.insurer_checks)
        return {tender: amount for tender, amount in sums.items() if amount}


def bounds(session: Session, practice_id: str, day: date) -> tuple[datetime, datetime]:
    """The UTC instants between which it is this practice-local day: 23, 24 or 25 hours."""
    zone = ZoneInfo(store.zone_of(session, practice_id))
    first, second = (datetime.combine(d, time(), zone).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    return first, second


def batch(session: Session, practice_id: str, day: date) -> Batch:
    """The day's batch, counted or not."""
    moves = store.desk_moves(session, practice_id, day)
    payments = store.payments(session, {m.payment_id for m in moves if m.payment_id})
    refunds = store.refunds_of(session, list(payments))
    since, until = bounds(session, practice_id, day)
    return Batch(
        day, _drawers(moves, payments, refunds, _counted(session, practice_id, day)),
        _checks(moves, payments),
        tuple(Check(r.trace, r.payer_name, r.paid_minor, r.id) for r in _mailed(session, practice_id, day, until)),
        taken_on(session, practice_id, day),
        tuple(d.id for d in store.open_differences(session, practice_id, since, until)),
        tuple(store.open_desk_days(session, practice_id, day)))


def _mailed(session: Session, practice_id: str, day: date, until: datetime) -> list[Remittance]:
    """Insurers' checks of the day: those that its sign-off lists, and those typed in since whose own day was signed
    before they came. A check is in one day's deposit, whenever it is looked for.
    """
    zone = ZoneInfo(store.zone_of(session, practice_id))
    closes = [c for c in store.closes(session, practice_id) if c.day_on >= day - LOOKS_BACK]
    listed = {str(check["remittance_id"]): c.day_on for c in closes for check in c.totals["insurer_checks"]}
    locked = {c.day_on for c in closes}

    def deposited_on(row: Remittance) -> date:
        on = row.created_at.astimezone(zone).date()
        while on in locked:
            on += timedelta(days=1)
        return listed.get(row.id, on)

    rows = store.mailed_checks(session, practice_id, until - LOOKS_BACK, until)
    return [row for row in rows if deposited_on(row) == day]


def _counted(session: Session, practice_id: str, day: date) -> dict[tuple[str, str], int]:
    return {(c.person, c.tender): c.counted_minor for c in store.counts(session, practice_id, day)}


def _drawers(moves: Sequence[store.DeskMove], payments: Mapping[str, Payment], refunds: Sequence[Refund],
             counted: Mapping[tuple[str, str], int]) -> tuple[Drawer, ...]:
    """Money that only changed its visit (a reallocation) comes and goes in one drawer and leaves no trace in it."""
    came: dict[tuple[str, str], dict[str, int]] = {}
    went: dict[tuple[str, str], dict[str, int]] = {}
    for move in moves:
        key = (_person(move, payments, refunds), move.tender)
        side = came if move.code == "patient_payment" else went
        sums = side.setdefault(key, {})
        sums[move.payment_id or ""] = sums.get(move.payment_id or "", 0) + move.amount_minor
    return tuple(Drawer(
        person, tender, sum(1 for v in came.get((person, tender), {}).values() if v),
        sum(1 for v in went.get((person, tender), {}).values() if v), sum(came.get((person, tender), {}).values()),
        -sum(went.get((person, tender), {}).values()), counted.get((person, tender)))
        for person, tender in sorted({*came, *went, *counted}))


def _person(move: store.DeskMove, payments: Mapping[str, Payment], refunds: Sequence[Refund]) -> str:
    """Who took the money in; for money given back, who asked for that."""
    if move.code != "patient_payment":
        for refund in refunds:
            if refund.payment_id == move.payment_id and refund.id in move.source_ref:
                return refund.requested_by
    payment = payments.get(move.payment_id or "")
    return payment.recorded_by if payment else "unknown"


def _checks(moves: Sequence[store.DeskMove], payments: Mapping[str, Payment]) -> tuple[Check, ...]:
    """Patients' checks of the day by number, what was given back again left out."""
    sums: dict[str, int] = {}
    for move in moves:
        if move.tender == "check" and move.code == "patient_payment" and move.payment_id:
            sums[move.payment_id] = sums.get(move.payment_id, 0) + move.amount_minor
    return tuple(Check(check_number(payments[id_]), "", amount) for id_, amount in sums.items()
                 if amount > 0 and id_ in payments)


def check_number(payment: Payment) -> str:
    """The number that was given at the desk (billing.payments.record_desk_payment)."""
    _, _, reference = payment.idempotency_key.partition(f"desk:{payment.tender}:")
    return reference


def as_totals(found: Batch) -> dict[str, Any]:
    """The batch as it is kept with the sign-off, JSON-able."""
    return {
        "drawers": [{"person": d.person, "tender": d.tender, "payments": d.payments, "returns": d.returns,
                     "booked_minor": d.booked_minor, "counted_minor": d.counted_minor} for d in found.drawers],
        "deposit": found.deposit(),
        "insurer_checks": [{"remittance_id": c.remittance_id, "number": c.number, "amount_minor": c.amount_minor}
                           for c in found.insurer_checks],
        "agencies": [{**asdict(one), "owed_minor": one.owed_minor} for one in found.agencies],
        "open_differences": list(found.open_differences)}
