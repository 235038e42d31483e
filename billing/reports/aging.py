"""Aging of what is open, by two clocks, and days in A/R."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from billing.reports.shape import Cell, Column, Figure, Footing, Report, Scope, Table, divided, share
from billing.store import report_queries as store
from billing.store.report_queries import AgedSum

WINDOW_DAYS = 90
"""Of the average daily charges; stated in the report."""

_NAMES = (*(name for name, _, _ in store.BUCKETS), store.NO_DAY)


def aging(session: Session, scope: Scope) -> Report:
    """Both agings at the end of the last day; the buckets, the credits and the ledger foot."""
    return age(scope, store.aged(session, scope.practice_id, scope.to_on),
               store.unapplied(session, scope.practice_id, scope.to_on),
               store.by_kind(session, scope.practice_id, scope.to_on))


def age(scope: Scope, rows: Sequence[AgedSum], unapplied_minor: int, ledger: dict[str, int]) -> Report:
    """The arithmetic. ``ledger``: debits less credits of each kind of account, in cents."""
    patient = [row for row in rows if row.kind == "patient" and row.above_zero]
    owed = sum(row.minor for row in patient)
    old = _sum(patient, lambda row: row.by_statement in ("91-120", "121+"))
    below = {kind: _sum([row for row in rows if row.kind == kind], lambda row: not row.above_zero)
             for kind in ("patient", "payer")}
    tables = (
        _table("statement", "What patients owe, by days since the first statement",
               [("Patients", patient)], lambda row: row.by_statement, "No statement yet"),
        _table("service", "All that is open, by days since the date of service",
               [("Patients", patient), ("Insurers", [r for r in rows if r.kind == "payer" and r.above_zero])],
               lambda row: row.by_service, "No date, or later"),
        _apart(below, unapplied_minor, ledger.get("agency", 0)))
    return Report(
        "aging", "Aging of accounts receivable",
        "Each visit's open balance stands in one bucket: 0-30, 31-60, 61-90, 91-120, 121 and more days; a bucket holds "
        "both of the days in its name. Credit balances are shown apart and are in no bucket.",
        f"Days from the visit's first statement, and from its first day of service, to {scope.to_on}. Transfers count "
        "from the day on which they take effect; a payment that was returned restores the old age.",
        (Figure("patient_minor", "Patients owe", "money", owed, "open balances of visits, credits apart"),
         Figure("over_90_share", "Of it billed more than 90 days ago", "share", share(old, owed),
                "buckets 91-120 and 121+ ÷ what patients owe; by first statement"),
         Figure("unbilled_minor", "Of it not on any statement yet", "money",
                _sum(patient, lambda row: row.by_statement == store.NO_DAY), "visits without a statement by that day"),
         Figure("payer_minor", "Insurers owe", "money",
                _sum(rows, lambda row: row.kind == "payer" and row.above_zero), "likewise, all payers of a visit")),
        tables,
        notes=("What is pending with an insurer, held or on a plan is in what patients owe; what is due now is less.",
               "What was placed with an agency has left accounts receivable and stands apart."),
        footings=(
            Footing("Patient receivable: buckets and credit balances, against the transfers", owed + below["patient"],
                    ledger.get("patient", 0)),
            Footing("Insurers' receivable, likewise", _sum(rows, lambda row: row.kind == "payer"),
                    ledger.get("payer", 0)),
            Footing("Unapplied credit, likewise", unapplied_minor, -ledger.get("credit", 0))))


def _sum(rows: Sequence[AgedSum], chosen: Callable[[AgedSum], bool]) -> int:
    return sum(row.minor for row in rows if chosen(row))


def _table(key: str, title: str, parts: Sequence[tuple[str, Sequence[AgedSum]]], bucket: Callable[[AgedSum], str],
           undated: str) -> Table:
    whole = sum(row.minor for _, rows in parts for row in rows)
    columns = (Column("bucket", "Days", "text"), Column("visits", "Accounts", "count"),
               *(Column(name.lower(), name, "money") for name, _ in parts),
               *((Column("all", "Together", "money"),) if len(parts) > 1 else ()), Column("share", "Share", "share"))
    lines: list[tuple[Cell, ...]] = []
    for name in (*_NAMES, ""):
        picked = [[row for row in rows if name in ("", bucket(row))] for _, rows in parts]
        sums = [sum(row.minor for row in rows) for rows in picked]
        label = {"": "Sum", store.NO_DAY: undated}.get(name, name)
        lines.append((label, sum(row.accounts for rows in picked for row in rows), *sums,
                      *((sum(sums),) if len(parts) > 1 else ()), share(sum(sums), whole)))
    return Table(key, title, columns, tuple(lines), totals=True)


def _apart(below: dict[str, int], unapplied_minor: int, agency_minor: int) -> Table:
    return Table("apart", "Apart from it", (Column("what", "What", "text"), Column("amount", "Amount", "money")), (
        ("Patients' credit balances on visits", below["patient"]), ("Insurers' credit balances", below["payer"]),
        ("Guarantors' unapplied credit", -unapplied_minor), ("Placed with agencies", agency_minor)))


def days_in_ar(session: Session, scope: Scope) -> Report:
    """How many days of charges are open."""
    first = scope.to_on - timedelta(days=WINDOW_DAYS - 1)
    flows = store.flows(session, scope.practice_id, first, scope.to_on)
    charges = store.net(flows, "payer", "revenue") + store.net(flows, "patient", "revenue")
    rows = store.aged(session, scope.practice_id, scope.to_on)
    return count_days(scope, sum(r.minor for r in rows if r.above_zero), -sum(r.minor for r in rows if not r.above_zero)
                      + store.unapplied(session, scope.practice_id, scope.to_on), charges)


def count_days(scope: Scope, open_minor: int, credits_minor: int, charges_minor: int) -> Report:
    """The arithmetic, in cents; ``credits_minor`` is above zero."""
    first = scope.to_on - timedelta(days=WINDOW_DAYS - 1)
    tenths = divided((open_minor - credits_minor) * WINDOW_DAYS * 10, charges_minor)
    return Report(
        "days-in-ar", "Days in accounts receivable",
        f"(A/R − credits) ÷ average daily charges. A/R: all that patients and insurers owe for visits. Average daily "
        f"charges: charges of {WINDOW_DAYS} days, less those taken back, ÷ {WINDOW_DAYS}.",
        f"A/R at the end of {scope.to_on}; charges that took effect from {first} to {scope.to_on}, which is their date "
        "of service where the claim gives one.",
        (Figure("days", "Days in A/R", "tenths", tenths, "(A/R − credits) ÷ average daily charges"),
         Figure("open_minor", "A/R", "money", open_minor, "balances above zero"),
         Figure("credits_minor", "Credits", "money", credits_minor, "balances below zero and unapplied credit"),
         Figure("charges_minor", f"Charges of {WINDOW_DAYS} days", "money", charges_minor, "less those taken back"),
         Figure("daily_minor", "Average daily charges", "money", divided(charges_minor, WINDOW_DAYS),
                f"charges ÷ {WINDOW_DAYS}")),
        notes=("What is at an agency, forgiven or written off is not in A/R.",) if tenths is not None else
        (f"There were no charges in these {WINDOW_DAYS} days: the figure cannot be told.",))
