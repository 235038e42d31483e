"""An independent replay of the ledger: reads every transfer in order, adds up again, and checks every invariant.

Shares no code with posting, on purpose: a fault that posting and its check had in common would never be seen. What
may be posted between which accounts stands here a second time, for the same reason. Source: DESIGN.md, "The ledger".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from billing.store import verify_queries as store
from billing.store.seal import SealError, blind, normal_account, normal_name, unseal

K = TypeVar("K")

#: What each check promises; the problem's object is an id of ours, never a name or a number of somebody.
SENTENCES: Mapping[str, str] = {
    "amount-positive": "every transfer's amount is positive",
    "account-exists": "every transfer names two accounts that exist",
    "account-kinds": "every transfer moves money between kinds of accounts that its code allows",
    "currency": "every transfer is in the practice's currency",
    "practice": "a transfer and its two accounts belong to the same practice",
    "balance-kept": "the balance kept beside an account is the sum of its transfers",
    "balance-snapshot": "the snapshot of a practice-wide account is the sum of its transfers up to there",
    "account-shape": "an account's key, kind and owner agree, and its visit, payer or guarantor exists",
    "account-owner": "a visit's accounts belong to the visit's guarantor",
    "account-open": "what an account has open is its payers' and patients' part less its credit",
    "reference-exists": "whatever a transfer or a visit refers to exists in the same practice",
    "transfer-visit": "a transfer's visit, payer, line and credit are those of its accounts",
    "reversal-mirrors": "a reversing row swaps the accounts of an earlier row at the same amount",
    "reversed-once": "no transfer is reversed twice",
    "source-ref-unique": "a source reference is posted once",
    "charge-line": "every standing charge is its service line's charge",
    "lines-charge": "the service lines of a visit add up to its charge",
    "visit-charge": "the standing charges of a visit add up to its charge",
    "void-charge": "a void visit carries no standing charge",
    "claim-foots": "a remittance claim's charge is its payment and its adjustments",
    "claim-paid": "the transfers of a remittance claim add up to its payment",
    "remittance-paid": "the transfers of a remittance add up to its payment (BPR02)",
    "remittance-once": "a remittance is posted once",
    "claim-charged-once": "a claim is charged once",
    "answer-payment": "a standing answer's payment is posted, what was too much of it in suspense with a case",
    "answer-adjustments": "a standing answer's adjustments are posted as each was treated",
    "answer-reversed": "a reversed answer has nothing standing and names its reversal",
    "claim-suspended": "a claim in suspense or only stored moved nothing on any visit",
    "patient-negative": "a visit owes its patient money only while one of its payers has to answer",
    "credit-negative": "no guarantor's credit is negative",
    "payment-posted": "a payment's transfers are its amount less what was refunded",
    "payment-unpaid": "a payment that took no money posted nothing",
    "import-undone": "nothing of an undone import stands",
    "waiver-hold": "a waiver hold holds no more than its claim gave to the patient",
    "placement-left": "what a placement has left at its agency is what its transfers left there",
    "relief-posted": "a write-off, an assistance and a settlement that stand are posted to the cent, others not at all",
    "hold-owner": "a hold on a visit belongs to the visit's guarantor",
    "posting-transfer": "what another ledger is told is a transfer, told once",
    "statement-numbers": "statements are numbered without gaps",
    "statement-total": "a statement's total is the sum of its visits less the credit used",
    "hash": "an exact look-up's hash is the hash of the sealed value",
    "append-only": "the database itself refuses to change or delete posted rows",
}

#: Rows that must stay as they were written.
_GUARDED = ("transfers", "consents", "verdicts", "audit")

#: Which kinds each code may debit and credit; written in the usual direction, and allowed the other way round as well.
LEGAL: Mapping[str, frozenset[tuple[str, str]]] = {
    "charge": frozenset({("payer", "revenue"), ("patient", "revenue"), ("payer", "opening"), ("patient", "opening")}),
    "payer_payment": frozenset({("payer_clearing", "payer")}),
    "contractual": frozenset({("contractual", "payer")}),
    "patient_share": frozenset({("patient", "payer")}),
    "next_payer": frozenset({("payer", "payer"), ("payer", "patient")}),
    "prior_payer": frozenset({("opening", "payer")}),
    "takeback": frozenset({("payer", "payer_clearing")}),
    "suspense": frozenset({("payer_clearing", "suspense")}),
    "provider_adjustment": frozenset({("withholding", "payer_clearing"), ("interest", "payer_clearing")}),
    "patient_payment": frozenset({("cash", "patient"), ("cash", "credit")}),
    "refund": frozenset({("patient", "cash"), ("credit", "cash"), ("refunds_payable", "cash")}),
    "to_credit": frozenset({("patient", "credit")}),
    "from_credit": frozenset({("patient", "credit")}),
    "opening": frozenset({("opening", "payer"), ("opening", "patient"), ("opening", "credit")}),
    "external": frozenset({("opening", "payer"), ("opening", "patient"), ("opening", "credit")}),
    "adjustment": frozenset((kind, side) for side in ("patient", "payer")
                            for kind in ("contractual", "charity", "small_balances", "bad_debt", "agency")),
    "charity": frozenset({("charity", "patient")}),
    "bad_debt": frozenset({("bad_debt", "patient")}),
    "small_balance": frozenset({("small_balances", "patient")}),
    "discount": frozenset({("discounts", "patient")}),
    "placement": frozenset({("agency", "patient")}),
    "recall": frozenset({("patient", "agency")}),
    "agency_fee": frozenset({("fees", "cash")}),
    "processor_fee": frozenset({("fees", "cash"), ("fees", "bank")}),
    "payout": frozenset({("bank", "cash")}),
    "deposit": frozenset({("bank", "cash"), ("bank", "payer_clearing")}),
}
_BOTH_WAYS = {code: pairs | {(b, a) for a, b in pairs} for code, pairs in LEGAL.items()}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not hold. ``object_id`` is ours (an account's key, a row's id)."""

    check: str
    object_id: str
    sentence: str
    difference_minor: int | None = None


@dataclass(slots=True)
class Verification:
    """``checked`` counts what was looked at; ``problems`` is empty when everything holds. ``more`` names checks that
    found too much to list.
    """

    checked: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    more: list[str] = field(default_factory=list)

    def add(self, check: str, object_id: object, difference_minor: int | None = None) -> None:
        if sum(1 for p in self.problems if p.check == check) >= store.LIMIT:
            self.more = sorted({*self.more, check})
            return
        self.problems.append(Problem(check, str(object_id), SENTENCES[check], difference_minor))

    def count(self, what: str, by: int = 1) -> None:
        self.checked[what] = self.checked.get(what, 0) + by


def verify(session: Session, practice_id: str | None = None) -> Verification:
    """Replay one practice, or all. Reads only; memory grows with open accounts, not with transfers."""
    found = Verification()
    for known, currency in store.practices(session):
        if practice_id in (None, known):
            found.count("practices")
            _replay(session, known, currency, found)
            for check in store.CHECKS:
                for object_id, difference in store.problems(session, check, known):
                    found.add(check, object_id, difference)
            _check_statements(session, known, found)
            _check_hashes(session, known, found)
    _check_guards(session, found)
    found.count("checks", len(SENTENCES))
    return found


def _replay(session: Session, practice_id: str, currency: str, found: Verification) -> None:
    """Add up every transfer anew. An account that comes back to zero is forgotten: memory holds the open ones."""
    snapshots = {row.id: row.snapshot_id for row in store.stream(session, store.ACCOUNTS, practice=practice_id)
                 if row.practice_wide}
    sums: dict[int, int] = {}
    for row in store.stream(session, store.TRANSFERS, practice=practice_id):
        found.count("transfers")
        _check_transfer(row, practice_id, currency, found)
        for account, delta in ((row.debit_id, row.amount_minor), (row.credit_id, -row.amount_minor)):
            if row.id <= snapshots.get(account, row.id):
                _add(sums, account, delta)
    unexplained: dict[str, int] = {}
    for account in store.stream(session, store.ACCOUNTS, practice=practice_id):
        found.count("accounts")
        total = sums.get(account.id, 0)
        if account.balance_minor != total:
            found.add("balance-snapshot" if account.practice_wide else "balance-kept", account.key,
                      account.balance_minor - total)
        if not account.practice_wide:
            _add(unexplained, account.guarantor_id, account.balance_minor)
            _add(unexplained, account.owner_id, -total)
    for guarantor_id, difference in unexplained.items():
        found.add("account-open", guarantor_id, difference)


def _add(sums: dict[K, int], account: K, delta: int) -> None:
    total = sums.get(account, 0) + delta
    if total:
        sums[account] = total
    else:
        sums.pop(account, None)


def _check_transfer(row: Any, practice_id: str, currency: str, found: Verification) -> None:
    if row.amount_minor <= 0:
        found.add("amount-positive", row.id, row.amount_minor)
    if row.currency != currency:
        found.add("currency", row.id, row.amount_minor)
    if any(owner not in (None, practice_id) for owner in (row.debit_practice, row.credit_practice)):
        found.add("practice", row.id, row.amount_minor)
    if row.code != "reversal" and (row.debit_kind, row.credit_kind) not in _BOTH_WAYS.get(row.code, frozenset()):
        found.add("account-kinds", row.id, row.amount_minor)


def _check_statements(session: Session, practice_id: str, found: Verification) -> None:
    for row in store.stream(session, store.STATEMENTS, practice=practice_id):
        found.count("statements")
        try:
            content = json.loads(unseal(bytes(row.content), "statements.content"))
        except SealError:
            found.add("statement-total", row.id)
            continue
        lines = sum(visit["due_minor"] for visit in content["visits"]) - content["credit_used_minor"]
        for other in (content["total_minor"], lines, sum(content["summary"].values())):
            if other != row.total_minor:
                found.add("statement-total", row.id, row.total_minor - other)
                break


def _check_hashes(session: Session, practice_id: str, found: Verification) -> None:
    for table, column, hash_column, kind in store.HASHED:
        normal = {"account": normal_account, "given": normal_name}.get(kind, str)
        for row_id, sealed, known in store.hashed_rows(session, table, column, hash_column, practice_id):
            found.count("hashes")
            try:
                value = None if sealed is None else unseal(bytes(sealed), f"{table}.{column}")
            except SealError:
                found.add("hash", row_id)
                continue
            if known != (None if value is None else blind(kind, practice_id, normal(value))):
                found.add("hash", row_id)


def _check_guards(session: Session, found: Verification) -> None:
    guarded = store.guarded_tables(session)
    for table in _GUARDED:
        if guarded.get(table, set()) < {"update", "delete"}:
            found.add("append-only", table)
