"""The rows of one visit gathered, and each live transfer read as one effect on the patient's reckoning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy.orm import Session

from billing.store import explain_queries as queries
from billing.store.explain_queries import (
    AccountRow,
    AdjustmentRow,
    ClaimRow,
    CoverageRow,
    LineRow,
    Move,
    VisitRow,
)

Row = TypeVar("Row")

#: Steps that name the patient's part by the payer's reasons; they repeat it and are left out of sums.
NAMING = ("deductible", "coinsurance", "copay", "other_patient", "waiver_check")

#: A charge that stood with the patient until a payer became known: it is with that payer now, and no step of its own.
PULLED_BACK = "pulled_back"

_NAMED = {"PR-1": "deductible", "PR-2": "coinsurance", "PR-3": "copay"}
#: Sources whose references begin with the row of ours that decided it, and that row's table.
OUR_ROWS = {"assistance": "assistance_application", "write_off": "write_off", "settlement": "settlement_offer",
            "placement": "placement"}

_PATIENT_SIDE = {"charge": "charge", "patient_payment": "patient_paid", "refund": "refunded",
                 "to_credit": "moved_to_credit", "from_credit": "moved_to_credit", "opening": "carried_over",
                 "external": "carried_over", "adjustment": "contractual", "charity": "assistance",
                 "bad_debt": "written_off", "small_balance": "written_off", "discount": "discount",
                 "placement": "placed", "recall": "placed"}
_PAYER_SIDE = {"charge": "charge", "payer_payment": "plan_paid", "contractual": "contractual",
               "prior_payer": "prior_payer", "opening": "carried_over", "external": "carried_over",
               "takeback": "plan_paid", "adjustment": "contractual"}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one visit. Built once, then only read."""

    visit: VisitRow
    accounts: tuple[AccountRow, ...]
    moves: tuple[Move, ...]
    lines: tuple[LineRow, ...]
    coverages: tuple[CoverageRow, ...]
    claims: tuple[ClaimRow, ...]
    adjustments: tuple[AdjustmentRow, ...]
    csv_names: dict[str, tuple[str, ...]]  # import id -> source names
    payments: frozenset[str]
    suspended: dict[str, int]  # remittance claim id -> cents of its payment above what was left
    waiver_held: bool

    @property
    def patient_balance_minor(self) -> int:
        return sum(a.balance_minor for a in self.accounts if a.side == "patient")

    @property
    def payer_balance_minor(self) -> int:
        return sum(a.balance_minor for a in self.accounts if a.side == "payer")

    def account(self, account_id: int) -> AccountRow | None:
        return next((a for a in self.accounts if a.id == account_id), None)

    def coverage(self, account: AccountRow | None) -> CoverageRow | None:
        wanted = account.coverage_id if account else None
        return next((c for c in self.coverages if c.id == wanted), None)


@dataclass(frozen=True, slots=True)
class Effect:
    """One transfer as a reader sees it. ``sources`` empty means that no row of a source document was found."""

    kind: str
    amount_minor: int
    coverage: CoverageRow | None
    code: str
    on: date
    move: Move
    sources: tuple[str, ...]
    grounded: bool  # a source row stands behind the transfer
    together: str = ""  # effects of the same payment are one step


@dataclass(frozen=True, slots=True)
class Unknown:
    """A transfer that this module has no words for: nothing is guessed, a person looks."""

    move: Move


def load_facts(session: Session, visits: Sequence[VisitRow]) -> Iterator[Facts]:
    """One Facts per visit, in the order given; three trips to the database for all of them together."""
    about = queries.of_visits(session, [visit.id for visit in visits])
    happened = queries.of_accounts(session, [one.id for one in about.accounts], {one.id for one in about.claims})
    payments = queries.known_payments(session, {one.payment_id for one in happened.moves if one.payment_id})
    accounts = _by(about.accounts, lambda r: r.visit_id)
    moves = _moves_of(happened.moves, {one.id: one.visit_id for one in about.accounts})
    lines, coverages = _by(about.lines, lambda r: r.visit_id), _by(about.coverages, lambda r: r.visit_id)
    claims = _by(about.claims, lambda r: r.visit_id or "")
    adjustments = _by(happened.adjustments, lambda r: r.remittance_claim_id)
    csv, suspended = _by(about.csv, lambda r: r.visit_id), happened.suspended
    for visit in visits:
        yield Facts(
            visit, tuple(accounts[visit.id]), tuple(moves[visit.id]),
            tuple(line for line in lines[visit.id] if line.version == visit.version), tuple(coverages[visit.id]),
            tuple(claims[visit.id]), tuple(a for c in claims[visit.id] for a in adjustments[c.id]),
            {key: tuple(r.name for r in rows) for key, rows in _by(csv[visit.id], lambda r: r.import_id).items()},
            payments, {c.id: suspended.get(c.id, 0) for c in claims[visit.id]}, visit.id in about.waiver_held)


def _moves_of(moves: Iterable[Move], owners: dict[int, str]) -> defaultdict[str, list[Move]]:
    """Transfers by the visit whose accounts they touch; one between two visits is a move of both."""
    found: defaultdict[str, list[Move]] = defaultdict(list)
    for move in moves:
        for visit_id in {owners[a] for a in (move.debit_id, move.credit_id) if a in owners}:
            found[visit_id].append(move)
    return found


def _by(rows: Iterable[Row], key: Callable[[Row], str]) -> defaultdict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def live_moves(facts: Facts) -> list[Move]:
    """Transfers without the pairs that cancel: a reversal and what it reverses are no part of a derivation, nor is a
    payment from before our books that its payer took back.
    """
    gone = {m.reverses_id for m in facts.moves} | _taken_back(facts)
    return [m for m in facts.moves if m.reverses_id is None and m.id not in gone]


def _taken_back(facts: Facts) -> set[int]:
    """The opening balance that stands for an unknown answer, and the takeback that ends it (same remittance claim)."""
    pairs: defaultdict[tuple[str | None, int], dict[str, int]] = defaultdict(dict)
    for move in facts.moves:
        if move.code in ("opening", "takeback") and move.reverses_id is None:
            pairs[move.remittance_claim_id, move.amount_minor][move.code] = move.id
    return {id_ for (claim, _), pair in pairs.items() if claim and len(pair) == 2 for id_ in pair.values()}


def classify(facts: Facts, move: Move) -> Effect | Unknown | None:
    """Read a transfer from the patient's chair. None: it moved money between payers and changes nothing yet."""
    debit, credit = facts.account(move.debit_id), facts.account(move.credit_id)
    if debit and credit:
        return _between(facts, move, debit, credit)
    own, sign = (debit, 1) if debit else (credit, -1)
    assert own is not None
    kind = (_PATIENT_SIDE if own.side == "patient" else _PAYER_SIDE).get(move.code)
    if kind is None:
        return Unknown(move)
    code = move.reason or (move.code if kind == "moved_to_credit" else "")
    return _effect(facts, move, kind, sign * move.amount_minor, own, code)


def _between(facts: Facts, move: Move, debit: AccountRow, credit: AccountRow) -> Effect | Unknown | None:
    if debit.side == credit.side == "payer":
        return None if move.code == "next_payer" else Unknown(move)
    if move.code not in ("patient_share", "next_payer"):
        return Unknown(move)
    payer, sign = (credit, 1) if debit.side == "patient" else (debit, -1)
    kind = _NAMED.get(move.reason) or ("waiver_check" if facts.waiver_held else "other_patient")
    if not move.reason:
        kind = PULLED_BACK
    return _effect(facts, move, kind, sign * move.amount_minor, payer, move.reason)


def _effect(facts: Facts, move: Move, kind: str, amount: int, account: AccountRow, code: str) -> Effect:
    grounds = source_names(facts, move)
    return Effect(kind, amount, facts.coverage(account), code, move.on, move, (f"transfer:{move.id}", *grounds),
                  bool(grounds), move.payment_id or "")


def source_names(facts: Facts, move: Move) -> tuple[str, ...]:
    """The rows of source documents behind a transfer, most exact first; none found gives an empty tuple."""
    names: list[str] = []
    if move.service_line_id and any(line.id == move.service_line_id for line in facts.lines):
        names.append(f"service_line:{move.service_line_id}")
    if move.remittance_claim_id and any(c.id == move.remittance_claim_id for c in facts.claims):
        names += [f"remittance_adjustment:{a.id}" for a in facts.adjustments
                  if a.remittance_claim_id == move.remittance_claim_id and move.reason and a.code == move.reason]
        names.append(f"remittance_claim:{move.remittance_claim_id}")
    if move.payment_id in facts.payments:
        names.append(f"payment:{move.payment_id}")
    if move.source in OUR_ROWS:
        names.append(f"{OUR_ROWS[move.source]}:{move.source_ref.split(':', 1)[0]}")
    if move.import_id and not names:
        names += facts.csv_names.get(move.import_id, ()) or (f"import:{move.import_id}",)
    return tuple(names)
