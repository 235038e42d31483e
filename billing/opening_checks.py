"""Pass one over an opening file: what of it could not be taken over, and whether it comes to the old aging.

Nothing may be skipped here: with one row left out the totals would agree no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from billing.csv_items import Item
from billing.csv_parties import account_number
from billing.csv_visits import Desk, standing
from billing.hold_kinds import KINDS
from billing.importers.csv_records import PatientRow
from billing.importers.opening_records import (
    OpeningConsentRow,
    OpeningContactRow,
    OpeningCreditRow,
    OpeningOptOutRow,
    OpeningPlanRow,
    OpeningRecord,
    OpeningStandingRow,
    OpeningTotalRow,
    OpeningVisitRow,
)
from billing.money import dollars
from billing.opening_totals import Sums, differences

NO_ACCOUNT = "account_id: there is no such account on file nor in this file; give it a patient row"
NO_VISIT = "visit_id: there is no such visit in this file"
ON_FILE = ("visit_id: this visit is on file already, and would be owed twice; remove the row, or undo what brought it "
           "first")
TWICE = "visit_id: this visit stands twice in the file; one row holds all that is open for it"
NOBODY = "account_id: empty, and patient_id as well; somebody has to answer for the visit"
NO_TOTALS = ("the file has no control totals; add a row of record total for each bucket of your aging, or give them in "
             "a file of their own with --control")
NOTHING_PLACED = "standing: agency, and nothing of this visit is the patient's; an agency has what a patient owes"
PLACED_TWICE = "standing: another row says already that this visit is with an agency"
PLACED_ALONE = "account_id: an agency has single debts; give the visit, one row for each"
TWO_DAYS = "as_of: all totals are of one day"
TWO_TOTALS = "bucket: this total stands twice"


@dataclass(frozen=True, slots=True)
class _Plan:
    line: int
    account: int
    visits: tuple[int, ...]
    total_minor: int


@dataclass(slots=True)
class OpeningState:
    """What the file has told so far; numbers stand for ids, so that large files fit."""

    sums: Sums = field(default_factory=Sums)
    wanted: dict[str, int] = field(default_factory=dict)  # control totals
    as_of: date | None = None
    newest: tuple[date, int] | None = None  # latest day of a first statement, and its line
    visits: dict[int, tuple[int, int]] = field(default_factory=dict)  # visit -> (who answers, cents)
    accounts: set[int] = field(default_factory=set)  # announced by patients or visits
    owners: dict[int, int] = field(default_factory=dict)  # patient -> account, as patient rows say
    known: dict[int, int] = field(default_factory=dict)  # account or patient on file -> its guarantor
    accounts_awaited: list[tuple[int, int]] = field(default_factory=list)  # line, account
    visits_awaited: list[tuple[int, int]] = field(default_factory=list)
    plans: list[_Plan] = field(default_factory=list)
    planned: set[int] = field(default_factory=set)
    placed: dict[int, int] = field(default_factory=dict)  # visit with an agency -> line that says so

    def take_total(self, row: OpeningTotalRow) -> str:
        """Why this control total cannot be taken, or ""."""
        if self.as_of is not None and self.as_of != row.as_of:
            return TWO_DAYS
        if row.bucket in self.wanted:
            return TWO_TOTALS
        self.as_of, self.wanted[row.bucket] = row.as_of, row.amount_minor
        return ""

    def disagreements(self) -> list[str]:
        """Where rows and control totals differ; the old aging's own day decides about ages."""
        if self.as_of is None:
            return [NO_TOTALS]
        return [f"control total {one}" for one in differences(self.sums.totals(self.as_of), self.wanted)]

    def late_faults(self) -> Iterator[tuple[int, str]]:
        """What only the whole file can tell: (line, reason)."""
        announced = self.accounts | set(self.owners.values()) | set(self.known)
        for line, account in self.accounts_awaited:
            if account not in announced:
                yield line, f"line {line}, column {NO_ACCOUNT}"
        for line, visit in self.visits_awaited:
            if visit not in self.visits:
                yield line, f"line {line}, column {NO_VISIT}"
        for visit, line in self.placed.items():
            if visit in self.visits and self.visits[visit][1] <= 0:
                yield line, f"line {line}, column {NOTHING_PLACED}"
        if self.newest is not None and self.as_of is not None and self.newest[0] > self.as_of:
            line = self.newest[1]
            yield line, f"line {line}, column first_statement_on: after {self.as_of}, the day of the totals"
        for plan in self.plans:
            if reason := self._plan_fault(plan):
                yield plan.line, f"line {plan.line}, column {reason}"

    def _plan_fault(self, plan: _Plan) -> str:
        if any(visit not in self.visits for visit in plan.visits):
            return "visits: one of them is not in this file; a plan taken over pays visits taken over"
        if any(visit in self.placed for visit in plan.visits):
            return "visits: one of them is with an agency; nothing is on a plan and with an agency as well"
        if any(self._guarantor(self.visits[visit][0]) != self._guarantor(plan.account) for visit in plan.visits):
            return "visits: one of them is another account's"
        owed = [self.visits[visit][1] for visit in plan.visits]
        if plan.total_minor > sum(owed):
            return (f"schedule: it comes to {dollars(plan.total_minor)}, and its visits owe {dollars(sum(owed))}; a "
                    "plan never asks for more than is owed")
        if plan.total_minor <= sum(owed[:-1]):
            return "visits: the schedule does not reach the last of them; leave out what the plan does not pay"
        return ""

    def _guarantor(self, number: int) -> int:
        """Who answers, however the row named them: by an account on file, or by one that this file opens."""
        account = self.owners.get(number, number)
        return self.known.get(account, account)


def refusal(desk: Desk, item: Item, record: OpeningRecord, state: OpeningState, *, repeated: bool) -> str:
    """Why this row cannot be taken over, as "column: why", or ""; what it says is remembered for the whole file.
    ``repeated``: an import that stands brought this very row before.
    """
    match record:
        case OpeningVisitRow():
            return _visit(desk, item, record, state, repeated)
        case OpeningCreditRow():
            state.sums.credits_minor += record.amount_minor
            return _account(desk, item, record.account_id, state) or (
                "amount: a credit is above zero" if record.amount_minor <= 0 else "")
        case OpeningPlanRow():
            return _plan(desk, item, record, state)
        case OpeningStandingRow():
            return _standing(desk, item, record, state)
        case OpeningContactRow():
            one = sum(bool(cell) for cell in (record.phone, record.email, record.address))
            return _account(desk, item, record.account_id, state) or (
                "" if one == 1 else "phone: give one phone, e-mail address or postal address a row")
        case OpeningConsentRow():
            return _account(desk, item, record.account_id, state) or _future(desk, "consent_given_on", record.given_on)
        case OpeningOptOutRow():
            return ("phone: give one phone or one e-mail address a row" if bool(record.phone) == bool(record.email)
                    else _future(desk, "opted_out_on", record.opted_out_on))
        case OpeningTotalRow():
            return state.take_total(record)


def remember_patient(desk: Desk, row: PatientRow, state: OpeningState) -> None:
    """Whose bills a patient row says are answered by whom."""
    account = _number(desk, account_number(row))
    state.owners[_patient(desk, row.patient_id)] = account
    _know(desk, account_number(row), account, state)
    state.accounts.add(account)


def _number(desk: Desk, account: str) -> int:
    return hash(("account", desk.book.hash_of(account)))


def _patient(desk: Desk, patient: str) -> int:
    return hash(("patient", desk.book.hash_of(patient)))


def _claim(desk: Desk, visit: str) -> int:
    return hash(desk.book.hash_of(visit))


def _know(desk: Desk, number: str, key: int, state: OpeningState) -> None:
    on_file = desk.accounts.get(desk.book.hash_of(number))
    if on_file is not None:
        state.known[key] = hash(on_file)


def _account(desk: Desk, item: Item, number: str, state: OpeningState) -> str:
    key = _number(desk, number)
    _know(desk, number, key, state)
    state.accounts_awaited.append((item.line, key))
    return ""


def _future(desk: Desk, column: str, day: date | None) -> str:
    return f"{column}: lies in the future" if day is not None and day > desk.book.today else ""


def _visit(desk: Desk, item: Item, row: OpeningVisitRow, state: OpeningState, repeated: bool) -> str:
    key = _claim(desk, row.visit_id)
    twice = key in state.visits
    state.visits.setdefault(key, (_who(desk, row, state), row.balance_minor))
    state.sums.add_visit(row.first_statement_on, row.balance_minor, row.payer_minor)
    if row.first_statement_on is not None and (state.newest is None or row.first_statement_on > state.newest[0]):
        state.newest = (row.first_statement_on, item.line)
    if twice:
        return TWICE
    if not repeated and standing(desk.book, row.visit_id) is not None:
        return ON_FILE
    return (_amounts(row) or _days(desk, row) or _step(desk, row) or _agency(desk, item, row, key, state)
            or ("" if row.account_id or row.patient_id else NOBODY))


def _who(desk: Desk, row: OpeningVisitRow, state: OpeningState) -> int:
    """Who answers for the visit, announced with it: its account, else the patient, whose own account it may be."""
    number = row.account_id or row.patient_id
    account = _number(desk, number)
    _know(desk, number, account, state)
    if row.account_id:
        state.accounts.add(account)
        return account
    patient = _patient(desk, row.patient_id)
    on_file = desk.patients.get(desk.book.hash_of(row.patient_id))
    if on_file is not None:
        state.known[patient] = hash(on_file[0])
    else:
        state.owners.setdefault(patient, account)
    return patient


def _amounts(row: OpeningVisitRow) -> str:
    if row.balance_minor < 0:
        return "balance: below zero; money of the account is a row of record credit"
    if row.payer_minor < 0:
        return "payer_balance: below zero; an insurer's credit is not taken over"
    if row.balance_minor == 0 and row.payer_minor == 0:
        return "balance: nothing is open; leave out visits that are settled"
    return ""


def _days(desk: Desk, row: OpeningVisitRow) -> str:
    if row.first_statement_on is not None and row.first_statement_on < row.service_on:
        return "first_statement_on: before the day of service"
    return _future(desk, "service_on", row.service_on)


def _step(desk: Desk, row: OpeningVisitRow) -> str:
    calendar = desk.book.policy.dunning
    if not row.step or calendar is None or row.step in {step.name for step in calendar.steps}:
        return ""
    return f"step: none of your calendar's: {', '.join(step.name for step in calendar.steps)}"


def _plan(desk: Desk, item: Item, row: OpeningPlanRow, state: OpeningState) -> str:
    _account(desk, item, row.account_id, state)
    visits = tuple(_claim(desk, visit) for visit in row.visits)
    if any(visit in state.planned for visit in visits):
        return "visits: one of them is on another plan of this file"
    state.planned.update(visits)
    if not row.schedule or not visits:
        return "schedule: nothing is left of this plan; leave it out"
    state.plans.append(_Plan(item.line, _number(desk, row.account_id), visits, sum(minor for _, minor in row.schedule)))
    return ""


def _standing(desk: Desk, item: Item, row: OpeningStandingRow, state: OpeningState) -> str:
    if bool(row.account_id) == bool(row.visit_id):
        return "account_id: give either the account or the visit"
    if row.visit_id:
        key = _claim(desk, row.visit_id)
        state.visits_awaited.append((item.line, key))
        if KINDS[row.standing].scope == "account":
            return f"visit_id: {row.standing} is of the whole account; give the account"
        return _agency(desk, item, row, key, state)
    if row.standing == "agency":
        return PLACED_ALONE
    return _account(desk, item, row.account_id, state) or _agency(desk, item, row, 0, state)


def _agency(desk: Desk, item: Item, row: OpeningVisitRow | OpeningStandingRow, visit: int, state: OpeningState) -> str:
    """A standing's own cells: with which agency, since when."""
    if row.since_on is not None and not row.standing:
        return "since_on: no standing; clear it, or say what began then"
    if row.standing != "agency":
        said = "agency: the standing is another one; clear it" if row.agency else ""
        return said or _future(desk, "since_on", row.since_on)
    keys = [one.key for one in desk.book.policy.collections.agencies]
    if row.agency not in keys:
        return (f"agency: {'none of your policy' if row.agency else 'empty; say which'}, by its key in "
                f"[[collections.agencies]]: {', '.join(keys) or 'the policy names none'}")
    if visit in state.placed:
        return PLACED_TWICE
    state.placed[visit] = item.line
    if isinstance(row, OpeningVisitRow) and row.since_on is not None and row.since_on < row.service_on:
        return "since_on: before the day of service"
    return _future(desk, "since_on", row.since_on)
