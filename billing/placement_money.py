"""What is placed with an agency, in the ledger: a visit's patient receivable moved to the agency account, and back.

A visit's patient balance below zero while some of it is at an agency means that the agency is chasing money that is no
longer owed to it: somebody paid here, an insurer answered anew, assistance was given. ``draw_back`` is called by every
settlement (billing/settlement.py) and takes so much back from the agency before anything becomes credit; the agency
reads of it in its next file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import holds, ledger
from billing.ids import new_id
from billing.ledger import Posting
from billing.lives import step
from billing.store import collection_queries as store
from billing.store.settlement_queries import Standing
from billing.store.tables import Guarantor, Placement, PlacementEvent

SOURCE = "placement"

PROPOSED, APPROVED, PLACED, RECALLED, PAID, CLOSED, REFUSED = (
    "proposed", "approved", "placed", "recalled", "paid", "closed", "refused")

#: recalled: taken back by us; closed: given up by the agency; paid: nothing of it is left there.
MOVES = {
    PROPOSED: frozenset({APPROVED, REFUSED}),
    APPROVED: frozenset({PLACED, REFUSED}),
    PLACED: frozenset({RECALLED, PAID, CLOSED}),
    RECALLED: frozenset[str](),
    PAID: frozenset[str](),
    CLOSED: frozenset[str](),
    REFUSED: frozenset[str](),
}


def open_row(session: Session, account: Guarantor, visit_id: str, agency: str, minor: int, *, by: str, now: datetime,
             status: str = PROPOSED) -> Placement:
    """Write down ``minor`` cents of a visit for an agency; nothing moves yet."""
    return store.add(session, Placement(
        id=new_id("plac"), practice_id=account.practice_id, guarantor_id=account.id, visit_id=visit_id, agency=agency,
        status=status, amount_minor=minor, left_minor=0, balance_version=account.balance_version, collected_minor=0,
        fee_minor=0, hold_id=None, file_id=None, proposed_by=by, proposed_at=now, end_reason=""))


def place(session: Session, row: Placement, *, currency: str, by: str, on: date, now: datetime, news: str = "placed",
          reason: str = "") -> None:
    """Move the amount to the agency account, put the hold on the visit, and note the news for the agency."""
    ledger.post(session, [Posting(
        row.practice_id, ledger.wide("agency"), ledger.patient(row.visit_id), row.amount_minor, currency, "placement",
        on, SOURCE, f"{row.id}:placed", row.guarantor_id, row.visit_id)], now)
    step("placement", MOVES, row, PLACED)
    row.left_minor, row.placed_on = row.amount_minor, on
    hold = holds.place(session, practice_id=row.practice_id, guarantor_id=row.guarantor_id, kind="agency",
                       visit_id=row.visit_id, reason="placed with a collection agency", source=f"placement:{row.id}",
                       placed_by=by, now=now, dedupe=f"placement:{row.id}")
    row.hold_id = hold.id
    note(session, row, news, row.amount_minor, on, now, reason=reason)


def take_back(session: Session, row: Placement, minor: int, ref: str, kind: str, *, currency: str, on: date,
              now: datetime, reason: str = "", fee_minor: int = 0, reference: str = "", file_id: str | None = None,
              ) -> PlacementEvent:
    """Move ``minor`` cents (0: none) from the agency account back to the visit, and note why."""
    if minor:
        ledger.post(session, [Posting(
            row.practice_id, ledger.patient(row.visit_id), ledger.wide("agency"), minor, currency, "recall", on, SOURCE,
            f"{row.id}:{ref}", row.guarantor_id, row.visit_id)], now)
        row.left_minor -= minor
    return note(session, row, kind, minor, on, now, reason=reason, fee_minor=fee_minor, reference=reference,
                file_id=file_id)


def note(session: Session, row: Placement, kind: str, minor: int, on: date, now: datetime, *, reason: str = "",
         fee_minor: int = 0, reference: str = "", file_id: str | None = None) -> PlacementEvent:
    """Keep something that one side has to tell the other."""
    event_id = new_id("plev")
    return store.add(session, PlacementEvent(
        id=event_id, practice_id=row.practice_id, placement_id=row.id, agency=row.agency, kind=kind, amount_minor=minor,
        fee_minor=fee_minor, happened_on=on, reason=reason, reference=reference or event_id, file_id=file_id,
        created_at=now))


def end(session: Session, row: Placement, how: str, *, by: str, reason: str, on: date, now: datetime) -> None:
    """Nothing of it is at the agency any more; the visit's hold ends. Raises IllegalMove."""
    step("placement", MOVES, row, how)
    row.ended_on, row.end_reason = on, reason
    session.flush()
    holds.release_from(session, row.practice_id, f"placement:{row.id}", released_by=by, reason=f"placement {how}",
                       now=now)


def draw_back(session: Session, visits: Sequence[Standing], *, currency: str, today: date, now: datetime,
              ) -> dict[str, int]:
    """For visits below zero that are partly at an agency: return the cents taken back from it, by visit."""
    below = {visit.visit_id: visit for visit in visits if visit.patient_minor < 0}
    taken: dict[str, int] = {}
    for visit_id, row in (store.live_on(session, below) if below else {}).items():
        visit = below[visit_id]
        minor = min(-visit.patient_minor, row.left_minor)
        if minor <= 0:
            continue
        code, paid = store.code_of(session, visit.newest_transfer_id)
        kind = "paid_here" if paid else "reduced"
        take_back(session, row, minor, str(visit.newest_transfer_id), kind, currency=currency, on=today, now=now,
                  reason="" if paid else code)
        taken[visit_id] = minor
        if row.left_minor == 0:
            end(session, row, PAID if paid else RECALLED, by="plainbill", reason=kind, on=today, now=now)
    return taken
