"""Frozen pictures of the store for whoever decides or words: figures, explanations, accounts.

No ORM row leaves billing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from config.practice import PracticePolicy


@dataclass(frozen=True, slots=True)
class Figures:
    """Cents. open = payer + patient - credit; patient = due_now + pending + held + on_plan (DESIGN.md, "Figures")."""

    open_minor: int = 0
    payer_minor: int = 0
    patient_minor: int = 0
    due_now_minor: int = 0
    pending_minor: int = 0
    held_minor: int = 0
    on_plan_minor: int = 0
    credit_minor: int = 0

    def plus(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, name) + getattr(other, name) for name in Figures.__slots__))


@dataclass(frozen=True, slots=True)
class CoverageView:
    coverage_id: str
    rank: int
    payer_name: str
    status: str  # pending, answered, denied, closed


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a derivation. ``amount_minor`` is signed as it changes what is left (a charge is positive,
    a payment negative); ``sources`` name rows ("transfer:123", "service_line:...", "remittance_adjustment:45").

    kind: charge, plan_paid, contractual, deductible, coinsurance, copay, other_patient, waiver_check, with_payer,
    prior_payer, patient_paid, refunded, moved_to_credit, carried_over, left
    """

    kind: str
    amount_minor: int
    payer_name: str = ""
    code: str = ""  # "PR-1", "CO-45": the source's own codes
    on: date | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The derivation of one visit's patient balance. ``foots`` false: ``steps`` must not be shown to a patient."""

    visit_id: str
    external: str
    service_on: date | None
    foots: bool
    reason: str  # why not, for staff
    steps: tuple[Step, ...]
    left_minor: int


@dataclass(frozen=True, slots=True)
class VisitView:
    visit_id: str
    external: str
    service_on: date | None
    charge_minor: int
    provider: str
    confidential: bool
    figures: Figures
    coverages: tuple[CoverageView, ...]
    explanation: Explanation | None = None  # filled for verified accounts only
    holds: tuple[str, ...] = ()  # kinds of open holds on the visit


@dataclass(frozen=True, slots=True)
class PaymentView:
    payment_id: str
    amount_minor: int
    status: str
    tender: str
    created_at: datetime
    paid_at: datetime | None
    allocations: tuple[tuple[str, int], ...] = ()  # (visit id, amount_minor)
    refunded_minor: int = 0  # sent back so far
    refunded_on: date | None = None  # the last time, practice-local


@dataclass(frozen=True, slots=True)
class PasscodeView:
    """What is kept of a passcode (billing/passcodes.py); compared, never spoken."""

    salt: str
    digest: str


@dataclass(frozen=True, slots=True)
class AccountView:
    """One guarantor as the conversation may need it. The identity fields are compared, never spoken."""

    account_id: str
    external: str
    language: str
    born_on: date | None
    postal_code: str | None
    confirmed: bool
    balance_version: int
    figures: Figures
    visits: tuple[VisitView, ...] = ()
    payments: tuple[PaymentView, ...] = ()  # newest first
    holds: tuple[str, ...] = ()  # kinds of open account-wide holds
    detail_allowed: bool = False  # T-33 warning given and amounts by text asked for
    last_statement_id: str | None = None
    last_statement_number: int | None = None
    last_statement_on: date | None = None
    last_statement_due_on: date | None = None
    stale: bool = False  # ledger of record elsewhere and its import is too old to demand or charge on
    passcode: PasscodeView | None = None  # set: it proves in place of the date of birth


@dataclass(frozen=True, slots=True)
class PracticeView:
    practice_id: str
    policy: PracticePolicy
    configured: bool
    open_now: bool
    answer_by_at: datetime  # when a hand-over made now will be answered at the latest
    open_case_ids: tuple[str, ...] = field(default=())
