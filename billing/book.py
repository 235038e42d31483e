"""The part of the books that one batch of claims touches: loaded in a few queries, worked in memory, written at once.

Importing claim by claim would cost a dozen statements each. A batch reads the visits, coverages, balances and earlier
answers of all its claims first; postings and rows are collected, and ``flush`` writes them in order of dependency.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import ledger
from billing.adjudication import PayerState, contractual_reasons
from billing.ledger import Posting
from billing.store import book_queries as store
from billing.store.seal import blind, normal_account
from billing.turns import ALONE
from config.practice import PracticePolicy


@dataclass(slots=True)
class CoverageState:
    coverage_id: str
    rank: int
    payer_name: str
    payer_id: str
    remit_payer: str | None
    filing_code: str
    status: str
    claim_of_record: str
    balance_minor: int = 0
    kept: tuple[object, ...] = ()  # what the store has

    def own_facts(self) -> tuple[object, ...]:
        """What an answer may change of the row."""
        return self.status, self.remit_payer, self.claim_of_record

    def as_payer(self) -> PayerState:
        return PayerState(self.coverage_id, self.rank, self.status, self.balance_minor)


@dataclass(slots=True)
class LineState:
    line_id: str
    number: int
    procedure_code: str
    charge_minor: int
    control_number: str
    service_on: date | None


@dataclass(slots=True)
class AnswerState:
    """An answer of a payer that still stands (a remittance claim with outcome "posted")."""

    remittance_claim_id: str
    coverage_id: str
    payer_claim_id: str
    charge_minor: int
    paid_minor: int
    amounts: dict[tuple[str, str], int]  # (group, reason) -> cents


@dataclass(slots=True)
class VisitState:
    visit_id: str
    guarantor_id: str
    patient_id: str
    external_hash: str
    ordinal: int
    origin: str
    version: int
    void: bool
    charge_minor: int
    service_from_on: date | None
    patient_minor: int = 0
    coverages: list[CoverageState] = field(default_factory=list)
    lines: list[LineState] = field(default_factory=list)
    answers: list[AnswerState] = field(default_factory=list)
    kept: tuple[object, ...] = ()

    def own_facts(self) -> tuple[object, ...]:
        """What posting may change of the row."""
        return self.origin, self.version, self.void, self.charge_minor, self.service_from_on

    def keep(self) -> None:
        """The store has it all now."""
        self.kept = self.own_facts()
        for coverage in self.coverages:
            coverage.kept = coverage.own_facts()

    @property
    def changed(self) -> bool:
        return self.own_facts() != self.kept or any(c.own_facts() != c.kept for c in self.coverages)

    @property
    def pending(self) -> bool:
        return any(c.status == "pending" for c in self.coverages)

    def later_than(self, rank: int) -> list[CoverageState]:
        return sorted((c for c in self.coverages if c.rank > rank), key=lambda c: c.rank)


@dataclass(slots=True)
class Book:
    """One batch. ``today`` is the practice-local day on which it is posted."""

    session: Session
    practice_id: str
    policy: PracticePolicy
    import_id: str
    actor: str
    now: datetime
    today: date
    visits: dict[str, list[VisitState]] = field(default_factory=dict)  # by claim hash
    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)  # by table name
    new_visits: list[tuple[VisitState, dict[str, object]]] = field(default_factory=list)
    new_coverages: list[tuple[CoverageState, dict[str, object]]] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    effective_on: date | None = None  # the document's own day for what is posted of it; empty: today
    touched: set[str] = field(default_factory=set)  # visit ids
    hashes: dict[str, str] = field(default_factory=dict)  # of claim numbers
    reasons: dict[date, frozenset[str]] = field(default_factory=dict)  # contractual ones by day
    taken: set[str] = field(default_factory=set)  # account numbers in use, hashed
    opened: set[str] = field(default_factory=set)  # guarantors that this batch makes, with what it posts to them
    unsettled: set[str] = field(default_factory=set)  # visits that settlement may have to move money of
    afterwards: list[Callable[[Session], object]] = field(default_factory=list)  # holds and cases, once rows exist
    in_turn: Callable[[], object] = ALONE.wait  # before what all batches share: numbers of cases, credit

    def hash_of(self, claim_id: str) -> str:
        known = self.hashes.get(claim_id)
        if known is None:
            known = self.hashes[claim_id] = blind("account", self.practice_id, normal_account(claim_id))
        return known

    def load(self, claim_ids: Collection[str], *, lock: bool = True) -> None:
        """Read what the store has on these claims; call once, before the batch's first claim. ``lock`` False only to
        look, in a transaction that may not write.
        """
        hashes = {self.hash_of(claim_id) for claim_id in claim_ids}
        self.visits = {h: [] for h in hashes}
        found = store.load_visits(self.session, self.practice_id, hashes, lock=lock)
        self.taken, self.unsettled = found.taken, found.with_credit
        for visit in found.visits:
            self.visits[visit.external_hash].append(visit)
            if visit.patient_minor < 0:
                self.unsettled.add(visit.visit_id)

    def on_file(self, claim_id: str) -> list[VisitState]:
        return self.visits.setdefault(self.hash_of(claim_id), [])

    def add(self, table: str, row: dict[str, object]) -> dict[str, object]:
        row["practice_id"] = self.practice_id
        self.rows.setdefault(table, []).append(row)
        return row

    def add_visit(self, visit: VisitState, row: dict[str, object]) -> None:
        """A row whose last word is the state's: what the same batch changes of it is inserted at once."""
        self.new_visits.append((visit, self.add("visits", row)))

    def add_coverage(self, coverage: CoverageState, row: dict[str, object]) -> None:
        self.new_coverages.append((coverage, self.add("coverages", row)))

    def _complete_new(self) -> None:
        for visit, row in self.new_visits:
            visit.kept = visit.own_facts()
            row.update(zip(("origin", "version", "void", "charge_minor", "service_from_on"), visit.kept, strict=True))
        for coverage, row in self.new_coverages:
            coverage.kept = coverage.own_facts()
            row.update(zip(("status", "remit_payer", "claim_of_record"), coverage.kept, strict=True))
        self.new_visits.clear()
        self.new_coverages.clear()

    def move(self, visit: VisitState, debit: ledger.Account, credit: ledger.Account, amount_minor: int, *, code: str,
             source: str, ref: str, on: date | None = None, coverage_id: str | None = None, reason: str = "",
             service_line_id: str | None = None, remittance_claim_id: str | None = None) -> None:
        """Collect a transfer of ``amount_minor`` and follow it in memory; negative goes the other way, zero is none."""
        if amount_minor == 0:
            return
        if amount_minor < 0:
            debit, credit = credit, debit
        self.collect(visit, Posting(
            self.practice_id, debit, credit, abs(amount_minor), self.policy.currency, code,
            on or self.effective_on or self.today, source, ref, visit.guarantor_id, visit.visit_id, coverage_id,
            service_line_id, remittance_claim_id, None, reason, None, self.import_id))

    def collect(self, visit: VisitState, posting: Posting) -> None:
        self.postings.append(posting)
        self.touched.add(visit.visit_id)
        _follow(visit, posting.debit, posting.amount_minor)
        _follow(visit, posting.credit, -posting.amount_minor)
        if visit.patient_minor < 0:
            self.unsettled.add(visit.visit_id)

    def reverse(self, visit: VisitState, transfers: Sequence[store.TransferRow], *, source: str, ref: str) -> None:
        for posting in ledger.reversals(self.session, transfers, source=source, ref=ref, effective_on=self.today,
                                        import_id=self.import_id):
            self.collect(visit, posting)

    def contractual_on(self, service_on: date | None) -> frozenset[str]:
        """The CARCs that group CO writes off for a service of that day."""
        day = service_on or self.today
        if day not in self.reasons:
            rows = [(c.reason, c.since.isoformat(), c.until.isoformat() if c.until else None)
                    for c in self.policy.contractual]
            self.reasons[day] = contractual_reasons(rows, day.isoformat())
        return self.reasons[day]

    def all_touched(self) -> list[VisitState]:
        return [v for visits in self.visits.values() for v in visits if v.visit_id in self.touched]

    def flush(self) -> None:
        """Write everything collected: rows in order of dependency, then the transfers."""
        self._complete_new()
        store.insert_rows(self.session, self.rows)
        self.rows.clear()
        store.update_states(self.session, self.all_touched())
        ledger.post(self.session, self.postings, self.now, new=True, unseen=self.opened)
        self.postings.clear()
        if self.afterwards:
            self.in_turn()
        for act in self.afterwards:
            act(self.session)
        self.afterwards.clear()


def _follow(visit: VisitState, account: ledger.Account, delta: int) -> None:
    if account.coverage_id is None:
        if account.visit_id == visit.visit_id and account.kind == "patient":
            visit.patient_minor += delta
        return
    for coverage in visit.coverages:
        if account.coverage_id == coverage.coverage_id:
            coverage.balance_minor += delta
