"""SQL of the money in the reports: sums made in the database, so that what comes back does not grow with the practice.

Balances "as of" a day are today's balances less what has taken effect since; the same sums straight from the transfers
stand beside them (``by_kind``), and a report says whether the two agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, exists, func, literal, select, union_all
from sqlalchemy.orm import Session, aliased

from billing.store.tables import LedgerAccount, OpeningVisit, ReportRun, Transfer, Visit

#: Days from, to (both included); the last has no end.
BUCKETS: tuple[tuple[str, int, int | None], ...] = (
    ("0-30", 0, 30), ("31-60", 31, 60), ("61-90", 61, 90), ("91-120", 91, 120), ("121+", 121, None))
NO_DAY = "none"

_STREAM = {"yield_per": 2_000}
_Debit, _Credit = aliased(LedgerAccount), aliased(LedgerAccount)


@dataclass(frozen=True, slots=True)
class AgedSum:
    """Open visit accounts of one kind and age: ``by_statement`` from the first statement, ``by_service``."""

    kind: str  # patient, payer
    by_statement: str
    by_service: str
    above_zero: bool
    accounts: int
    minor: int


def aged(session: Session, practice_id: str, to_on: date) -> list[AgedSum]:
    """Every visit account that is not zero at the end of the day, in at most a few dozen rows."""
    open_now = _balances(practice_id, to_on)
    by_statement, by_service = _bucket(Visit.first_statement_on, to_on), _bucket(Visit.service_from_on, to_on)
    above = case((open_now.c.minor > 0, 1), else_=0)
    grouped = select(open_now.c.kind.label("kind"), by_statement.label("a"), by_service.label("b"), above.label("up"),
                     open_now.c.minor.label("minor")).join(Visit, Visit.id == open_now.c.visit_id).where(
        open_now.c.minor != 0, open_now.c.kind.in_(("patient", "payer"))).subquery()
    keys = (grouped.c.kind, grouped.c.a, grouped.c.b, grouped.c.up)
    return [AgedSum(kind, a, b, bool(up), int(count), int(minor)) for kind, a, b, up, count, minor in session.execute(
        select(*keys, func.count(), func.sum(grouped.c.minor)).group_by(*keys))]


def _bucket(day: Any, to_on: date) -> ColumnElement[str]:
    """The bucket of ``to_on - day``: by comparing days, which both databases do alike."""
    since = [(and_(day <= to_on - timedelta(days=first), literal(True) if last is None else
                   day >= to_on - timedelta(days=last)), literal(name)) for name, first, last in BUCKETS]
    return case(*since, else_=literal(NO_DAY))


def _balances(practice_id: str, to_on: date) -> Subquery:
    """Visit and guarantor accounts with their balance (debits less credits) at the end of the day."""
    later = _sides(practice_id, Transfer.effective_on > to_on)
    after = select(later.c.account_id, func.sum(later.c.minor).label("minor")).group_by(later.c.account_id).subquery()
    return (select(LedgerAccount.id, LedgerAccount.kind, LedgerAccount.visit_id,
                   (LedgerAccount.balance_minor - func.coalesce(after.c.minor, 0)).label("minor"))
            .outerjoin(after, after.c.account_id == LedgerAccount.id)
            .where(LedgerAccount.practice_id == practice_id, LedgerAccount.practice_wide.is_(False))).subquery()


def _sides(practice_id: str, *where: Any) -> Subquery:
    """Each transfer twice: once for the account that it raises, once for the one that it lowers."""
    return union_all(*(
        select(column.label("account_id"), (Transfer.amount_minor * sign).label("minor")).where(
            Transfer.practice_id == practice_id, *where)
        for column, sign in ((Transfer.debit_id, 1), (Transfer.credit_id, -1)))).subquery()


def unapplied(session: Session, practice_id: str, to_on: date) -> int:
    """Guarantors' unapplied credit at the end of the day, in cents above zero."""
    found = _balances(practice_id, to_on)
    return -int(session.scalar(select(func.sum(found.c.minor)).where(found.c.kind == "credit")) or 0)


def by_kind(session: Session, practice_id: str, to_on: date) -> dict[str, int]:
    """Debits less credits of each kind of account, from the transfers themselves, in cents."""
    totals: dict[str, int] = {}
    for (debit, credit), minor in flows(session, practice_id, None, to_on).items():
        totals[debit] = totals.get(debit, 0) + minor
        totals[credit] = totals.get(credit, 0) - minor
    return totals


Flows = dict[tuple[str, str], int]
"""Cents from one kind of account to another: (debited kind, credited kind) -> sum."""


def flows(session: Session, practice_id: str, from_on: date | None, to_on: date) -> Flows:
    """What took effect on these days (``from_on`` empty: since ever), by the two kinds of account."""
    where = [Transfer.practice_id == practice_id, Transfer.effective_on <= to_on]
    if from_on is not None:
        where.append(Transfer.effective_on >= from_on)
    return _flows(session, where)


def flows_of_services(session: Session, practice_id: str, first_on: date, last_on: date, to_on: date) -> Flows:
    """All that has happened up to ``to_on`` to visits whose service began on these days."""
    mine = select(Visit.id).where(*_services(practice_id, first_on, last_on))
    visit_id = func.coalesce(_Debit.visit_id, _Credit.visit_id)
    return _flows(session, [Transfer.practice_id == practice_id, Transfer.effective_on <= to_on, visit_id.in_(mine)])


def open_of_services(session: Session, practice_id: str, first_on: date, last_on: date, to_on: date) -> int:
    """What is still open on those visits, by their accounts' balances."""
    found = _balances(practice_id, to_on)
    return int(session.scalar(select(func.sum(found.c.minor)).where(
        found.c.visit_id.in_(select(Visit.id).where(*_services(practice_id, first_on, last_on))))) or 0)


def _services(practice_id: str, first_on: date, last_on: date) -> list[Any]:
    """What was taken over is left out: the former system has its charges and its payments."""
    return [Visit.practice_id == practice_id, Visit.service_from_on >= first_on, Visit.service_from_on <= last_on,
            ~exists().where(OpeningVisit.visit_id == Visit.id)]


def _flows(session: Session, where: list[Any]) -> Flows:
    query = (select(_Debit.kind, _Credit.kind, func.sum(Transfer.amount_minor))
             .select_from(Transfer).join(_Debit, _Debit.id == Transfer.debit_id)
             .join(_Credit, _Credit.id == Transfer.credit_id).where(*where).group_by(_Debit.kind, _Credit.kind))
    return {(debit, credit): int(minor) for debit, credit, minor in session.execute(query)}


def net(found: Flows, debit: str, credit: str) -> int:
    """Cents from ``credit`` to ``debit``, less what went back."""
    return found.get((debit, credit), 0) - found.get((credit, debit), 0)


@dataclass(frozen=True, slots=True)
class Moved:
    """Cents that moved on the patient accounts of visits first billed on a day: above zero, more is owed."""

    stated_on: date
    effective_on: date
    other: str  # the kind of the other account
    minor: int


def moved_since_stated(session: Session, practice_id: str, first_on: date, last_on: date, to_on: date,
                       ) -> Iterator[Moved]:
    """For visits with a first statement on these days: at most a row for each pair of days and kind, as a stream."""
    moves = _patient_moves(practice_id, to_on)
    query = (select(Visit.first_statement_on, moves.c.effective_on, moves.c.other, func.sum(moves.c.minor))
             .join(moves, moves.c.visit_id == Visit.id).where(*_stated(practice_id, first_on, last_on))
             .group_by(Visit.first_statement_on, moves.c.effective_on, moves.c.other)
             .order_by(Visit.first_statement_on, moves.c.effective_on, moves.c.other))
    for stated_on, effective_on, other, minor in session.execute(query, execution_options=_STREAM):
        yield Moved(stated_on, effective_on, other, int(minor))


def _stated(practice_id: str, first_on: date, last_on: date) -> list[Any]:
    return [Visit.practice_id == practice_id, Visit.void.is_(False), Visit.first_statement_on >= first_on,
            Visit.first_statement_on <= last_on, ~exists().where(OpeningVisit.visit_id == Visit.id)]


def _patient_moves(practice_id: str, to_on: date) -> Subquery:
    """Each transfer of a visit's patient account: its day, the other account's kind, the cents with their sign."""
    mine, theirs = aliased(LedgerAccount), aliased(LedgerAccount)

    def side(own: Any, other: Any, sign: int) -> Any:
        return (select(mine.visit_id.label("visit_id"), Transfer.effective_on.label("effective_on"),
                       theirs.kind.label("other"), (Transfer.amount_minor * sign).label("minor"))
                .select_from(Transfer).join(mine, mine.id == own).join(theirs, theirs.id == other)
                .where(Transfer.practice_id == practice_id, mine.kind == "patient", Transfer.effective_on <= to_on))

    return union_all(side(Transfer.debit_id, Transfer.credit_id, 1),
                     side(Transfer.credit_id, Transfer.debit_id, -1)).subquery()


@dataclass(frozen=True, slots=True)
class Paid:
    """So many visits, first billed on a day. ``state``: paid (last paid on ``paid_on``), unpaid, otherwise."""

    stated_on: date
    paid_on: date | None
    state: str
    visits: int


def paid_since_stated(session: Session, practice_id: str, first_on: date, last_on: date, to_on: date,
                      ) -> Iterator[Paid]:
    """What became of visits with a first statement on these days; at most a row for each pair of days, as a stream.

    What went to an agency or was written off as bad is unpaid, whatever its balance says.
    """
    moves = _patient_moves(practice_id, to_on)
    money = and_(moves.c.other.in_(("cash", "credit")), moves.c.effective_on >= Visit.first_statement_on)
    lost = moves.c.other.in_(("agency", "bad_debt"))
    owed = func.sum(case((lost, 0), else_=moves.c.minor))
    each = (select(Visit.first_statement_on.label("stated_on"), owed.label("owed"),
                   func.sum(case((money, -moves.c.minor), else_=0)).label("money"),
                   func.max(case((and_(money, moves.c.minor < 0), moves.c.effective_on))).label("paid_on"))
            .join(moves, moves.c.visit_id == Visit.id).where(*_stated(practice_id, first_on, last_on))
            .group_by(Visit.id, Visit.first_statement_on)).subquery()
    state = case((each.c.owed > 0, "unpaid"), (each.c.money > 0, "paid"), else_="otherwise")
    rows = select(each.c.stated_on, case((state == "paid", each.c.paid_on)).label("paid_on"), state.label("state"),
                  ).subquery()
    query = (select(rows.c.stated_on, rows.c.paid_on, rows.c.state, func.count())
             .group_by(rows.c.stated_on, rows.c.paid_on, rows.c.state))
    for stated_on, paid_on, found, visits in session.execute(query, execution_options=_STREAM):
        yield Paid(stated_on, paid_on, found, int(visits))


@dataclass(frozen=True, slots=True)
class AtDesk:
    """Patients' money of some days, in cents, less what went back: by the day of the service or before it; later; and
    on no visit yet.
    """

    by_service_minor: int
    later_minor: int
    unapplied_minor: int


def at_desk(session: Session, practice_id: str, from_on: date, to_on: date) -> AtDesk:
    moves = _patient_moves(practice_id, to_on)
    service = func.coalesce(Visit.service_to_on, Visit.service_from_on)
    early = and_(service.is_not(None), moves.c.effective_on <= service)
    by_service, later = session.execute(
        select(func.sum(case((early, -moves.c.minor), else_=0)), func.sum(case((early, 0), else_=-moves.c.minor)))
        .select_from(moves).join(Visit, Visit.id == moves.c.visit_id)
        .where(moves.c.other == "cash", moves.c.effective_on >= from_on)).one()
    found = flows(session, practice_id, from_on, to_on)
    return AtDesk(int(by_service or 0), int(later or 0),
                  net(found, "cash", "credit") + net(found, "cash", "refunds_payable"))


def patient_cash(found: Flows) -> int:
    """Patients' money less what went back, wherever it was put; cents."""
    return net(found, "cash", "patient") + net(found, "cash", "credit") + net(found, "cash", "refunds_payable")


def keep_run(session: Session, practice_id: str, name: str, from_on: date, to_on: date, figures: dict[str, Any],
             made_by: str, now: datetime) -> int:
    """Put a report that was made on the trail; return the row's id."""
    row = ReportRun(practice_id=practice_id, name=name, from_on=from_on, to_on=to_on, figures=figures, made_by=made_by,
                    made_at=now)
    session.add(row)
    session.flush()
    return row.id


def latest_run(session: Session, practice_id: str, name: str, before_on: date) -> ReportRun | None:
    """The newest run of a report whose last day was earlier than this."""
    return session.scalars(select(ReportRun).where(
        ReportRun.practice_id == practice_id, ReportRun.name == name, ReportRun.to_on < before_on)
        .order_by(ReportRun.to_on.desc(), ReportRun.id.desc()).limit(1)).first()


