"""On books made by chance, every amount and rate equals what plain loops over the transfers come to, and all foots."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from billing import reports
from billing.reports.shape import Report, Scope, scope_of
from billing.store.tables import Practice
from billing.verify import verify
from bot.write import Store
from tests.conftest import Clock, maple_clinic
from tests.payments.world import PRACTICE
from tests.reports import naive
from tests.reports.chance import TODAY, fill
from tests.reports.naive import Care, Move

ENDS = (TODAY, date(2028, 2, 29), date(2027, 12, 31))

Checked = tuple[Report, list[Care], list[Move], Scope]


def scope(to_on: date, days: int = 90) -> Scope:
    return scope_of(PRACTICE, maple_clinic(), to_on - timedelta(days=days - 1), to_on, TODAY)


@pytest.mark.parametrize("seed", range(3))
def test_every_amount_and_rate_is_what_plain_loops_over_the_transfers_come_to(
        seed: int, store: Store, practice: Practice, clock: Clock) -> None:
    store.write(fill(seed, 30, clock()))
    store.read(_lawful)
    store.read(_compare)


def _lawful(session: Session) -> None:
    """The books made by chance are books that the replay finds nothing wrong with, as far as reports look."""
    assert [p for p in verify(session, PRACTICE).problems if p.check in ("account-kinds", "balance-kept")] == []


def _compare(session: Session) -> None:
    visits, every = naive.read(session)
    for to_on in ENDS:
        for one in reports.make_all(session, scope(to_on)):
            assert one.foots, one.footings
        for name, (check, days) in CHECKS.items():
            own = scope(to_on, days)
            check((reports.make(session, name, own), visits, every, own))


def _aging(checked: Checked) -> None:
    report, visits, every, own = checked
    by_statement, by_service = Counter[str](), Counter[str]()
    for visit in visits:
        minor = visit.balance("patient", own.to_on)
        if minor > 0:
            by_statement[naive.bucket(visit.stated_on, own.to_on)] += minor
            by_service[naive.bucket(visit.service_on, own.to_on)] += minor
        for account in visit.payer_accounts():
            held = sum(m.minor for m in visit.moves if m.account == account and m.on <= own.to_on)
            by_service[naive.bucket(visit.service_on, own.to_on)] += max(held, 0)
    statement, service, apart = report.tables
    names = ("0-30", "31-60", "61-90", "91-120", "121+", "none")
    assert [row[2] for row in statement.rows[:-1]] == [by_statement[name] for name in names]
    assert [row[4] for row in service.rows[:-1]] == [by_service[name] for name in names]
    receivable = sum(m.minor for m in every if naive.kind_of(m.account) == "patient" and m.on <= own.to_on)
    below = apart.rows[0][1]
    assert isinstance(below, int)
    assert sum(by_statement.values()) + below == receivable


def _days_in_ar(checked: Checked) -> None:
    report, visits, every, own = checked
    accounts = Counter[str]()
    for move in every:
        if naive.kind_of(move.account) in ("patient", "payer", "credit") and move.on <= own.to_on:
            accounts[move.account] += move.minor
    net = sum(accounts.values())  # what is below zero takes its own away
    first = own.to_on - timedelta(days=89)
    charges = -naive.net(every, "revenue", "payer", first, own.to_on) - naive.net(
        every, "revenue", "patient", first, own.to_on)
    assert report.value("charges_minor") == charges
    assert visits
    found = report.value("days")
    assert found == (None if charges <= 0 else (2 * net * 900 + charges) // (2 * charges))


def _cohorts(checked: Checked) -> None:
    report, visits, _, own = checked
    for month, billed, *rates in report.tables[0].rows:
        mine = [v for v in visits if not v.void and not v.taken_over and v.stated_on and f"{v.stated_on:%Y-%m}" == month
                and v.stated_on <= own.to_on]
        moves = [(v, m) for v in mine for m in v.moves if naive.kind_of(m.account) == "patient"
                 and m.on <= own.to_on]
        part = sum(m.minor for _, m in moves
                   if naive.kind_of(m.other) in ("revenue", "payer", "opening", "contractual"))
        money = [((m.on - v.stated_on).days, -m.minor) for v, m in moves if v.stated_on is not None
                 and naive.kind_of(m.other) in ("cash", "credit")]
        assert billed == part - sum(minor for age, minor in money if age < 0)
        for limit, rate in zip((30, 60, 90, 120), rates, strict=True):
            year, number = map(int, str(month).split("-"))
            month_ends = date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)
            due = month_ends + timedelta(days=limit) <= own.to_on
            within = sum(minor for age, minor in money if 0 <= age <= limit)
            assert rate == (naive.points(within, billed) if due else None)


def _net_collection(checked: Checked) -> None:
    report, visits, _, own = checked
    last = own.to_on - timedelta(days=120)
    moves = [m for v in visits if v.service_on and last.replace(year=last.year - 1) < v.service_on <= last
             and not v.taken_over for m in v.moves if m.on <= own.to_on]

    def gained(*others: str) -> int:
        return sum(m.minor for m in moves if naive.kind_of(m.other) in others)

    collectable = gained("revenue") + gained("contractual")
    collected = -gained("cash", "payer_clearing", "credit")
    assert report.value("collectable_minor") == collectable
    assert report.value("collected_minor") == collected
    assert report.value("rate") == naive.points(collected, collectable)


def _time_to_pay(checked: Checked) -> None:
    report, visits, _, own = checked
    waits: list[float] = []
    otherwise = 0
    for visit in visits:
        if visit.void or visit.taken_over or not (
                visit.stated_on and own.from_on <= visit.stated_on <= own.to_on):
            continue
        moves = [m for m in visit.moves if naive.kind_of(m.account) == "patient" and m.on <= own.to_on]
        if not moves:
            continue
        lost = ("agency", "bad_debt")
        money = [m for m in moves if naive.kind_of(m.other) in ("cash", "credit") and m.on >= visit.stated_on]
        if sum(m.minor for m in moves if naive.kind_of(m.other) not in lost) > 0:
            waits.append(float("inf"))
        elif sum(-m.minor for m in money) > 0:
            waits.append((max(m.on for m in money if m.minor < 0) - visit.stated_on).days)
        else:
            otherwise += 1
    middle = statistics.median_low(waits) if waits else float("inf")
    assert report.value("median_days") == (None if middle == float("inf") else middle)
    unpaid = sum(wait == float("inf") for wait in waits)
    assert report.value("unpaid_share") == naive.points(unpaid, len(waits))
    assert report.value("visits") == len(waits) + otherwise


def _point_of_service(checked: Checked) -> None:
    report, visits, every, own = checked
    early = 0
    for visit in visits:
        last = visit.ended_on or visit.service_on
        early -= sum(m.minor for m in visit.moves if last is not None and m.on <= last
                     and naive.kind_of(m.account) == "patient" and naive.kind_of(m.other) == "cash"
                     and own.from_on <= m.on <= own.to_on)
    cash = sum(naive.net(every, "cash", kind, own.from_on, own.to_on)
               for kind in ("patient", "credit", "refunds_payable"))
    assert report.value("by_service_minor") == early
    assert report.value("cash_minor") == cash
    assert report.value("rate") == naive.points(early, cash)


def _write_offs(checked: Checked) -> None:
    report, _, every, own = checked
    for figure, account in (("bad_debt_minor", "bad_debt"), ("charity_minor", "charity")):
        assert report.value(figure) == sum(
            m.minor for m in every if naive.kind_of(m.account) == account and own.from_on <= m.on <= own.to_on)


#: The report, its check, and the days that it is about.
CHECKS: dict[str, tuple[Callable[[Checked], None], int]] = {
    "aging": (_aging, 90), "days-in-ar": (_days_in_ar, 90), "patient-collection": (_cohorts, 90),
    "net-collection": (_net_collection, 90), "time-to-pay": (_time_to_pay, 400),
    "point-of-service": (_point_of_service, 90), "write-offs": (_write_offs, 90),
}
