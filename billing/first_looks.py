"""Bills that a person looks at before the patient hears of them: one that rose after it was paid, one that comes late.

Each is held once (kind first_look); what was released is not held again for the same cause. The first message after
the release says why it comes now (templates rose_after_paid, late_first).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.orm import Session

from billing import cased_holds
from billing.figures import AccountFigures
from billing.store import dunning_queries as store
from billing.store.dunning_queries import PatientMove
from billing.store.tables import Guarantor, Hold
from config.dunning_policy import DunningPolicy

KIND = "first_look"
LATE, ROSE = "first_look:late", "first_look:rose"
TEMPLATES = {ROSE: "rose_after_paid", LATE: "late_first"}

PAID_BY = frozenset({"patient_payment", "from_credit"})
_TAKEN_BACK = frozenset({"returned", "disputed", "dispute_lost", "failed"})


@dataclass(frozen=True, slots=True)
class Look:
    """``dedupe`` begins with LATE or ROSE and names the cause, so that it is looked at once."""

    visit_id: str
    dedupe: str
    reason: str


class Served(Protocol):
    """A visit, as far as looks are concerned."""

    @property
    def visit_id(self) -> str: ...
    @property
    def service_on(self) -> date | None: ...


def find(account: AccountFigures, moves: Sequence[PatientMove], first_on: Mapping[str, date | None],
         policy: DunningPolicy, today: date) -> list[Look]:
    """Every visit of which something is due now and that wants a look. ``moves`` in the order of posting."""
    return look([one for one in account.visits if one.figures.due_now_minor > 0], moves, first_on, policy, today)


def look(due: Iterable[Served], moves: Sequence[PatientMove], first_on: Mapping[str, date | None],
         policy: DunningPolicy, today: date) -> list[Look]:
    """As ``find``, of the visits of which something is due now."""
    found = []
    for visit in due:
        rise = rise_after_paid([one for one in moves if one.visit_id == visit.visit_id])
        if rise is not None:
            found.append(Look(visit.visit_id, f"{ROSE}:{visit.visit_id}:{rise}",
                              "the balance was paid, and has risen since"))
        if first_on.get(visit.visit_id) is None and comes_late(visit.service_on, policy, today):
            found.append(Look(visit.visit_id, f"{LATE}:{visit.visit_id}",
                              f"first asked for {_age(visit.service_on, today)} days after the service"))
    return found


def comes_late(service_on: date | None, policy: DunningPolicy, today: date) -> bool:
    """Whether a first bill of that day's service would come so late that a person looks first."""
    return _age(service_on, today) > policy.late_first_days


def _age(service_on: date | None, today: date) -> int:
    return (today - service_on).days if service_on is not None else 0


def rise_after_paid(moves: Sequence[PatientMove]) -> int | None:
    """The id of the transfer by which a visit that a payment had settled came to be owed again; None for none.

    A payment that the bank takes back is no such rise: it has messages of its own.
    """
    balance, paid, rise = 0, False, None
    for one in moves:
        balance += one.signed_minor
        settles = one.signed_minor < 0 and (one.reversed_code or one.code) in PAID_BY
        if balance <= 0:
            paid, rise = paid or settles, None
        elif paid and rise is None and one.signed_minor > 0 and one.payment_status not in _TAKEN_BACK:
            rise = one.transfer_id
    return rise


def hold_back(session: Session, guarantor: Guarantor, account: AccountFigures, policy: DunningPolicy, today: date,
              now: datetime) -> list[Hold]:
    """Place what is not placed yet, with a case for whoever looks; return the holds that are open."""
    looks = find(account, store.moves_of(session, guarantor.id), store.first_statements(session, guarantor.id), policy,
                 today)
    placed = [_place(session, guarantor, look, now) for look in looks]
    return [hold for hold in placed if hold.released_at is None]


def _place(session: Session, guarantor: Guarantor, look: Look, now: datetime) -> Hold:
    return cased_holds.place(session, guarantor, kind=KIND, title="Look at a bill before it goes out",
                             reason=look.reason, dedupe=look.dedupe, now=now, visit_id=look.visit_id)


def explanation(holds: Iterable[Hold], told_at: Sequence[datetime]) -> str:
    """The template by which the next message has to explain itself; empty when none of them waits to be explained.
    ``holds``: the account's of this kind, open and released.
    """
    last = max(told_at, default=None)
    released = [hold for hold in holds
                if hold.released_at is not None and (last is None or hold.released_at > last)]
    return next((TEMPLATES[source] for source in (ROSE, LATE)
                 if any(hold.dedupe.startswith(source) for hold in released)), "")
