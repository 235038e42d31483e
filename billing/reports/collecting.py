"""What is collected of what was billed: by cohort, net of contracts, at the desk, and how long it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy.orm import Session

from billing.reports.shape import Cell, Column, Figure, Footing, Report, Scope, Table, add_months, median, share
from billing.store import report_queries as store
from billing.store.report_queries import AtDesk, Flows, Moved, Paid

AGES = (30, 60, 90, 120)
COHORTS = 12
RUNOUT_DAYS = 120
"""How long payers and patients had before a year's net collection rate is read."""

#: Where a patient's part comes from; what lowers it by contract has the same way back.
_PART = frozenset({"revenue", "payer", "opening", "contractual"})
_MONEY = frozenset({"cash", "credit"})


@dataclass(slots=True)
class Cohort:
    """Visits first billed in one month, in cents. ``by_age``: patients' money within so many days."""

    month: date
    part_minor: int = 0
    before_minor: int = 0
    by_age: dict[int, int] = field(default_factory=lambda: dict.fromkeys(AGES, 0))

    @property
    def billed_minor(self) -> int:
        return self.part_minor - self.before_minor

    def add(self, move: Moved) -> None:
        if move.other in _PART:
            self.part_minor += move.minor
        if move.other not in _MONEY:
            return
        age = (move.effective_on - move.stated_on).days
        if age < 0:
            self.before_minor -= move.minor
        for limit in AGES:
            if 0 <= age <= limit:
                self.by_age[limit] -= move.minor

    def rate(self, age: int, to_on: date) -> int | None:
        """Basis points; None until every visit of the month has had its days."""
        last = add_months(self.month, 1) - timedelta(days=1)
        return share(self.by_age[age], self.billed_minor) if last + timedelta(days=age) <= to_on else None


def patient_collection(session: Session, scope: Scope) -> Report:
    """Twelve months of cohorts by their first statement."""
    first = add_months(scope.to_on, 1 - COHORTS)
    return collect(scope, store.moved_since_stated(session, scope.practice_id, first, scope.to_on, scope.to_on))


def collect(scope: Scope, moves: Iterable[Moved]) -> Report:
    """The arithmetic; moves are read once."""
    cohorts = {month: Cohort(month) for month in (add_months(scope.to_on, n - COHORTS + 1) for n in range(COHORTS))}
    for move in moves:
        cohorts[move.stated_on.replace(day=1)].add(move)
    rows = tuple((f"{c.month:%Y-%m}", c.billed_minor, *(c.rate(age, scope.to_on) for age in AGES))
                 for c in cohorts.values())
    return Report(
        "patient-collection", "Patient collection rate",
        "Patients' money on a cohort of visits ÷ what patients were billed for them. Billed: the patient's part by "
        "charge and insurers' answers, less contract reductions and less what was paid before the first statement. "
        "Money: payments and applied credit, less what went back. Charity, discounts and bad debt stay in what was "
        "billed.",
        f"A visit belongs to the month of its first statement; days run from its own first statement. A rate is told "
        f"when all visits of the month have had their days by {scope.to_on}.",
        tuple(_pooled(list(cohorts.values()), age, scope.to_on) for age in AGES),
        (Table("cohorts", "By month of the first statement",
               (Column("month", "Month", "text"), Column("billed", "Billed to patients", "money"),
                *(Column(f"rate_{age}", f"{age} days", "share") for age in AGES)), rows),),
        notes=("Visits taken over from another system are left out: what was paid there is not known here.",))


def _pooled(cohorts: list[Cohort], age: int, to_on: date) -> Figure:
    ripe = [cohort for cohort in cohorts if cohort.rate(age, to_on) is not None]
    return Figure(f"rate_{age}", f"Collected within {age} days", "share",
                  share(sum(c.by_age[age] for c in ripe), sum(c.billed_minor for c in ripe)),
                  f"all months of the twelve that have had {age} days, together")


def net_collection(session: Session, scope: Scope) -> Report:
    """A year of services with everything that followed them."""
    last = scope.to_on - timedelta(days=RUNOUT_DAYS)
    first = _year_before(last)
    return net_of_contracts(
        scope, first, last, store.flows_of_services(session, scope.practice_id, first, last, scope.to_on),
        store.open_of_services(session, scope.practice_id, first, last, scope.to_on))


def _year_before(last: date) -> date:
    """The first day of the twelve months that end on a day; 29 February has no twin a year earlier."""
    after = last + timedelta(days=1)
    return date(after.year - 1, 3, 1) if (after.month, after.day) == (2, 29) else after.replace(year=after.year - 1)


def net_of_contracts(scope: Scope, first: date, last: date, flows: Flows, open_minor: int) -> Report:
    """The arithmetic. ``open_minor``: what the visits' accounts still hold."""
    def off(account: str) -> int:
        return store.net(flows, account, "patient") + store.net(flows, account, "payer")

    charges = -off("revenue")
    paid = sum(flows.get(pair, 0) for pair in _CAME)
    back = sum(flows.get((credit, debit), 0) for debit, credit in _CAME)
    contractual = off("contractual")
    lost = {name: off(name) for name in ("charity", "discounts", "small_balances", "bad_debt", "agency", "opening")}
    left = charges - contractual - paid + back - sum(lost.values())
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Charges", charges), ("Contractual adjustments", -contractual), ("Payments", -paid),
        ("Given or taken back", back), *((_LOST[name], -minor) for name, minor in lost.items()), ("Still open", left))
    return Report(
        "net-collection", "Net collection rate",
        "(Payments − refunds) ÷ (charges − contractual adjustments), of the same visits. Bad debt is not a contractual "
        "adjustment, nor are charity, discounts, small balances and what is at an agency: they stay in what could have "
        "been collected. Money put into unapplied credit counts as given back until it is put on a visit.",
        f"Visits whose service began from {first} to {last}: twelve months that have had {RUNOUT_DAYS} days to be "
        f"paid; all that happened to them until {scope.to_on}.",
        (Figure("rate", "Net collection rate", "share", share(paid - back, charges - contractual),
                "(payments − refunds) ÷ (charges − contractual adjustments)"),
         Figure("collected_minor", "Payments less refunds", "money", paid - back, "of insurers and patients"),
         Figure("collectable_minor", "Charges less contractual adjustments", "money", charges - contractual,
                "what the contracts let us collect"),
         Figure("open_minor", "Still open of them", "money", open_minor, "by the visits' balances")),
        (Table("bridge", "From the charges to what is open",
               (Column("what", "What", "text"), Column("amount", "Amount", "money")), rows, totals=True),),
        notes=("Visits taken over from another system are left out.",),
        footings=(Footing("What is left of the charges, against the visits' balances", left, open_minor),))


#: Money in, as (debited, credited); the other way round it went back.
_CAME = (("cash", "patient"), ("payer_clearing", "payer"), ("credit", "patient"))
_LOST = {"charity": "Charity", "discounts": "Discounts", "small_balances": "Small balances", "bad_debt": "Bad debt",
         "agency": "At agencies", "opening": "Opened elsewhere"}


def time_to_pay(session: Session, scope: Scope) -> Report:
    """Visits first billed in the period."""
    return wait(scope, store.paid_since_stated(
        session, scope.practice_id, scope.from_on, scope.to_on, scope.to_on))


def wait(scope: Scope, rows: Iterable[Paid]) -> Report:
    """The arithmetic; rows are read once."""
    days: Counter[int] = Counter()
    states: Counter[str] = Counter()
    for row in rows:
        states[row.state] += row.visits
        if row.state == "paid" and row.paid_on is not None:
            days[(row.paid_on - row.stated_on).days] += row.visits
    paid, unpaid = states["paid"], states["unpaid"]
    return Report(
        "time-to-pay", "From the first statement to payment",
        "The day by which half of all visits first billed in the period were paid in full; those that are not paid "
        "count as later than all that are, so that it is not a figure of the quick payers alone. Bad debt and what is "
        "at an agency are unpaid; what was closed without a payment after the statement (insurer, charity, small "
        "balance) is left out.",
        f"Days from the visit's first statement ({scope.from_on} to {scope.to_on}) to the last payment that closed it, "
        f"by {scope.to_on}.",
        (Figure("median_days", "Half were paid within", "days", median(days, unpaid),
                "median over paid and unpaid; empty when less than half are paid"),
         Figure("unpaid_share", "Not paid", "share", share(unpaid, paid + unpaid), "visits not paid ÷ all billed"),
         Figure("paid_median_days", "Half of those that paid, within", "days", median(days), "paid visits alone"),
         Figure("visits", "Visits first billed", "count", paid + unpaid + states["otherwise"],
                "with those closed otherwise")),
        (Table("waits", "Paid in full, by days since the first statement",
               (Column("days", "Days", "text"), Column("visits", "Visits", "count"), Column("share", "Share", "share")),
               _waits(days, unpaid, states["otherwise"]), totals=True),),
        notes=("The newest visits have had little time: the share of unpaid falls as they age.",))


def _waits(days: Counter[int], unpaid: int, otherwise: int) -> tuple[tuple[Cell, ...], ...]:
    whole = sum(days.values()) + unpaid
    counts = [(name, sum(n for age, n in days.items() if first <= age and (last is None or age <= last)))
              for name, first, last in store.BUCKETS]
    rows: list[tuple[Cell, ...]] = [(name, n, share(n, whole)) for name, n in (*counts, ("Not paid", unpaid))]
    return (*rows, ("Closed without a payment", otherwise, None), ("Sum", whole + otherwise, None))


def point_of_service(session: Session, scope: Scope) -> Report:
    return at_service(scope, store.at_desk(session, scope.practice_id, scope.from_on, scope.to_on),
                      store.patient_cash(store.flows(session, scope.practice_id, scope.from_on, scope.to_on)))


def at_service(scope: Scope, found: AtDesk, cash_minor: int) -> Report:
    """The arithmetic. ``cash_minor``: patients' money of the period by the ledger."""
    whole = found.by_service_minor + found.later_minor + found.unapplied_minor
    return Report(
        "point-of-service", "Point-of-service collection",
        "Patients' money received for a visit by the day of its service ÷ all of patients' money, less what went back.",
        f"Money that took effect from {scope.from_on} to {scope.to_on}; by the visit's last day of service or before.",
        (Figure("rate", "Collected by the day of service", "share", share(found.by_service_minor, whole),
                "by the day of service ÷ all patients' money"),
         Figure("by_service_minor", "By the day of service", "money", found.by_service_minor,
                "less what went back by then"),
         Figure("cash_minor", "All patients' money", "money", whole, "less what went back")),
        (Table("cash", "Patients' money", (Column("when", "When", "text"), Column("amount", "Amount", "money")), (
            ("By the day of service", found.by_service_minor), ("Later", found.later_minor),
            ("On no visit yet", found.unapplied_minor), ("Sum", whole)), totals=True),),
        notes=("What an agency reports as paid to it is in patients' money.",),
        footings=(Footing("Patients' money, against the cash accounts", whole, cash_minor),))


