"""Frozen pictures of the store for whoever decides or words: figures, explanations, accounts.

No ORM row leaves billing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from config.practice import PracticePolicy


@dataclass(frozen=True, slots=True)
class Figures:
    """Cents. open = payer + patient - credit; patient = due_now + pending + held + on_plan (DESIGN.md, "Figures").

    ``placed_minor`` is at a collection agency: no part of the others, and the patient may still pay it here.
    """

    open_minor: int = 0
    payer_minor: int = 0
    patient_minor: int = 0
    due_now_minor: int = 0
    pending_minor: int = 0
    held_minor: int = 0
    on_plan_minor: int = 0
    credit_minor: int = 0
    placed_minor: int = 0

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
    prior_payer, patient_paid, refunded, moved_to_credit, assistance, discount, written_off,
    placed, carried_over, left
    """

    kind: str
    amount_minor: int
    payer_name: str = ""
    code: str = ""  # "PR-1", "CO-45": the source's own codes
    on: date | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source row behind a step, as something to read. ``on`` is practice-local; ``amount_minor``: cents as the row
    has them, None where a row has none of its own. ``kind``: service_line, remittance_claim, remittance_adjustment,
    payment, csv_row, imported_balance, import, assistance_application, transfer. ``code``: a procedure, "PR-1", a
    payer's claim number, a line of a file, a tender.
    """

    name: str  # as the step names it: "service_line:..."
    kind: str
    on: date | None
    amount_minor: int | None = None
    code: str = ""
    words: str = ""  # the practice's own
    payer_name: str = ""


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
    way: str = "page"  # page, saved, autopay, desk
    plan_id: str | None = None


@dataclass(frozen=True, slots=True)
class MethodView:
    """A card or bank account on file that may be used."""

    method_id: str
    kind: str  # card, bank
    brand: str
    last4: str
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class InstalmentView:
    number: int  # 0: the deposit
    due_on: date
    amount_minor: int
    paid_minor: int
    status: str  # planned, noticed, charging, retrying, paid, skipped, missed

    @property
    def open_minor(self) -> int:
        return self.amount_minor - self.paid_minor


@dataclass(frozen=True, slots=True)
class PlanView:
    """An offered or running plan. ``left_minor`` is what is still to be paid by its schedule, in cents."""

    plan_id: str
    number: int
    status: str  # offered, awaiting_authorization, active, cured, behind, paused
    version: int
    total_minor: int
    left_minor: int
    interval: str
    days: tuple[int, ...]
    collects: str  # autopay, link
    method: MethodView | None
    on_extra: str  # shorten, lower
    instalments: tuple[InstalmentView, ...]
    visit_ids: tuple[str, ...]
    paused_until_on: date | None = None
    skips_left: int = 0  # within the policy, this year

    @property
    def runs(self) -> bool:
        return self.status in ("active", "cured", "behind", "paused")

    @property
    def next(self) -> InstalmentView | None:
        """The first instalment with something open."""
        return next((one for one in self.instalments if one.open_minor > 0), None)


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
    plans: tuple[PlanView, ...] = ()  # offered and running, newest first; only of the verified account
    methods: tuple[MethodView, ...] = ()  # on file and usable, newest first; only of the verified account


@dataclass(frozen=True, slots=True)
class PracticeView:
    practice_id: str
    policy: PracticePolicy
    configured: bool
    open_now: bool
    answer_by_at: datetime  # when a hand-over made now will be answered at the latest
    open_case_ids: tuple[str, ...] = field(default=())
