"""The ledger: double entry, one transfer per row, never changed, corrected by reversing rows.

Source of the rules: DESIGN.md, "The ledger". Posting is idempotent by (practice, source, source_ref): the same
document twice does nothing, the same key with other content is a LedgerConflict.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy.orm import Session

from billing.store import ledger_queries as store


class Account(NamedTuple):
    """An account by its key. ``kind`` is the key's first part; only visit and guarantor accounts keep a balance."""

    key: str
    visit_id: str | None = None
    coverage_id: str | None = None
    guarantor_id: str | None = None

    @property
    def kind(self) -> str:
        return self.key.split(":", 1)[0]

    @property
    def practice_wide(self) -> bool:
        return not self.key.startswith(_OWNED)


_OWNED = ("patient:", "payer:", "credit:")


def patient(visit_id: str) -> Account:
    """What the patient owes for a visit."""
    return Account(f"patient:{visit_id}", visit_id=visit_id)


def payer(coverage_id: str, visit_id: str | None = None) -> Account:
    """What one payer owes for a visit."""
    return Account(f"payer:{coverage_id}", visit_id=visit_id, coverage_id=coverage_id)


def credit(guarantor_id: str) -> Account:
    """Money of the guarantor that no visit needs at present."""
    return Account(f"credit:{guarantor_id}", guarantor_id=guarantor_id)


@lru_cache(maxsize=256)
def wide(key: str) -> Account:
    """A practice-wide account: one of WIDE, or ``cash:PROCESSOR:TENDER``."""
    if key not in WIDE and not key.startswith("cash:"):
        raise ValueError(f"{key!r} is no account of this ledger; see billing.ledger.WIDE")
    return Account(key)


WIDE = frozenset({
    "revenue", "contractual", "payer_clearing", "withholding", "suspense", "interest", "bank", "fees",
    "refunds_payable", "bad_debt", "charity", "small_balances", "discounts", "agency", "opening",
})

#: Why a transfer was made; explain, statements and the posting file read these.
CODES = frozenset({
    "charge", "payer_payment", "contractual", "patient_share", "next_payer", "prior_payer", "takeback",
    "patient_payment", "refund", "to_credit", "from_credit", "suspense", "provider_adjustment", "opening", "external",
    "adjustment", "processor_fee", "payout", "deposit", "reversal", "charity", "bad_debt", "small_balance", "discount",
    "placement", "recall", "agency_fee",
})


@dataclass(slots=True)
class Posting:
    """A transfer to be made. ``amount_minor`` is in cents and positive; the direction is in the two accounts.

    Nobody changes one; it is not frozen because an import makes six to a claim, and frozen each takes five times as
    long to make.
    """

    practice_id: str
    debit: Account
    credit: Account
    amount_minor: int
    currency: str
    code: str
    effective_on: date
    source: str
    source_ref: str
    guarantor_id: str | None = None
    visit_id: str | None = None
    coverage_id: str | None = None
    service_line_id: str | None = None
    remittance_claim_id: str | None = None
    payment_id: str | None = None
    reason: str = ""
    reverses_id: int | None = None
    import_id: str | None = None

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise ValueError("a transfer's amount is positive; swap the accounts for the other direction")
        if self.code not in CODES:
            raise ValueError(f"{self.code!r} is no reason for a transfer; see billing.ledger.CODES")

    def flipped_if(self, negative: bool) -> Posting:
        return replace(self, debit=self.credit, credit=self.debit) if negative else self


class LedgerConflict(Exception):
    """The same source reference was posted before with other content. Nothing of this call was posted."""


def post(session: Session, postings: Sequence[Posting], now: datetime, *, new: bool = False,
         unseen: Collection[str] = ()) -> int:
    """Post what is not posted yet; return how many rows are new. Raises LedgerConflict.

    ``new`` says that the references come from rows made in this very transaction, so that nobody can have posted
    them: the look-up is saved, the database's unique key stands behind it. ``unseen``: guarantors made in this very
    transaction; nobody else can lock them, or has been told a balance of their first version.
    Lock order (DESIGN.md): guarantors by id, then accounts by id.
    """
    if not postings:
        return 0
    if len(postings) == 1 and _post_one(session, postings[0], now):
        return 1
    owners = _owners(postings, unseen)
    posted, accounts = store.look(session, postings[0].practice_id, owners,
                                  () if new else {(p.source, p.source_ref) for p in postings},
                                  {account.key for p in postings for account in (p.debit, p.credit)})
    fresh = postings if new else _not_yet_posted(postings, posted)
    if not fresh:
        return 0
    moved = _deltas(fresh)
    opened = store.open_accounts(session, _missing(fresh, accounts, moved))
    accounts |= opened.ids
    store.write_down(session, (*_FACTS, *_PLACED), [
        (*_facts_of(p), now, accounts[p.debit.key], accounts[p.credit.key]) for p in fresh],
                     {accounts[key]: minor for key, minor in moved.items() if key not in opened.begun_with},
                     owners if new else _owners(fresh, unseen))
    return len(fresh)


def _owners(postings: Iterable[Posting], unseen: Collection[str]) -> list[str]:
    return sorted({p.guarantor_id for p in postings if p.guarantor_id}.difference(unseen))


def _post_one(session: Session, p: Posting, now: datetime) -> bool:
    """A patient's payment, a fee: one posting in one step, where nothing speaks against it."""
    kept = [sign for account, sign in ((p.debit, 1), (p.credit, -1)) if not account.practice_wide]
    if len(kept) > 1:  # two balances are locked in order of their ids
        return False
    return store.post_one(session, _facts(p, now), p.debit.key, p.credit.key, sum(kept) * p.amount_minor)


def reversals(session: Session, transfers: Iterable[store.TransferRow], *, source: str, ref: str,
              effective_on: date, import_id: str | None = None) -> list[Posting]:
    """Return the postings that undo ``transfers``; rows already reversed are left out."""
    rows = list(transfers)
    done = store.reversed_ids(session, [row.id for row in rows])
    return [_undo(row, f"{ref}:{row.id}", source, effective_on, import_id) for row in rows if row.id not in done]


def _undo(row: store.TransferRow, ref: str, source: str, on: date, import_id: str | None) -> Posting:
    return Posting(
        practice_id=row.practice_id, debit=_account(row.credit), credit=_account(row.debit),
        amount_minor=row.amount_minor, currency=row.currency, code="reversal", effective_on=on, source=source,
        source_ref=ref, guarantor_id=row.guarantor_id, visit_id=row.visit_id, coverage_id=row.coverage_id,
        service_line_id=row.service_line_id, remittance_claim_id=row.remittance_claim_id, payment_id=row.payment_id,
        reason=row.reason, reverses_id=row.id, import_id=import_id)


def restorations(session: Session, reversing: Iterable[store.TransferRow], *, ref: str,
                 effective_on: date) -> list[Posting]:
    """Return the postings that make good what ``reversing`` rows took back: copies of the original rows, which stand
    where those stood (same import, same answer) and can be taken back again.
    """
    by_original = {row.reverses_id: row.id for row in reversing if row.reverses_id is not None}
    return [replace(_undo(row, f"{ref}:{by_original[row.id]}", row.source, effective_on, row.import_id),
                    debit=_account(row.debit), credit=_account(row.credit), code=row.code, reverses_id=None)
            for row in store.by_ids(session, by_original)]


def _account(known: store.AccountRow) -> Account:
    return Account(known.key, known.visit_id, known.coverage_id, known.guarantor_id)


def _not_yet_posted(postings: Sequence[Posting],
                    posted: Mapping[tuple[str, str], tuple[str, str, int, str]]) -> list[Posting]:
    fresh: dict[tuple[str, str], Posting] = {}
    for p in postings:
        before = posted.get((p.source, p.source_ref)) or _content(fresh.get((p.source, p.source_ref)))
        if before is None:
            fresh[p.source, p.source_ref] = p
        elif before != _content(p):
            raise LedgerConflict(f"{p.source} {p.source_ref} was posted before with other content")
    return list(fresh.values())


def _content(p: Posting | None) -> tuple[str, str, int, str] | None:
    return (p.debit.key, p.credit.key, p.amount_minor, p.code) if p else None


def _missing(postings: Sequence[Posting], known: Mapping[str, int],
             moved: Mapping[str, int]) -> list[store.NewAccount]:
    """The accounts that nothing was posted to before, each with what it begins with."""
    found: dict[str, store.NewAccount] = {}
    for p in postings:
        for account in (p.debit, p.credit):
            key = account.key
            if key not in known and key not in found:
                wide = account.practice_wide
                found[key] = store.NewAccount(
                    p.practice_id, key, account.kind, wide,
                    None if wide else account.guarantor_id or p.guarantor_id, account.visit_id, account.coverage_id,
                    moved.get(key, 0))
    return list(found.values())


#: A transfer's columns that are its posting's fields, and those that only posting it settles.
_FACTS = ("practice_id", "amount_minor", "currency", "code", "effective_on", "source", "source_ref", "guarantor_id",
          "visit_id", "coverage_id", "service_line_id", "remittance_claim_id", "payment_id", "reason", "reverses_id",
          "import_id")
_PLACED = ("posted_at", "debit_id", "credit_id")
_facts_of = attrgetter(*_FACTS)


def _facts(p: Posting, now: datetime) -> dict[str, object]:
    """A transfer's row without its accounts."""
    return {**dict(zip(_FACTS, _facts_of(p), strict=True)), "posted_at": now}


def _deltas(postings: Sequence[Posting]) -> dict[str, int]:
    """What the postings change the kept balances by, in cents. Practice-wide accounts are left out: one revenue row
    updated by all would make all workers queue for it.
    """
    sums: dict[str, int] = {}
    for p in postings:
        debit, credit, minor = p.debit.key, p.credit.key, p.amount_minor
        sums[debit] = sums.get(debit, 0) + minor
        sums[credit] = sums.get(credit, 0) - minor
    return {key: minor for key, minor in sums.items() if key.startswith(_OWNED)}


def balance(session: Session, practice_id: str, account: Account) -> int:
    """Return debits minus credits in cents; 0 for an account that nothing was posted to."""
    return store.balance_of(session, practice_id, account.key, account.practice_wide)
