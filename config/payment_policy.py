"""What a practice decides about payments and instalment plans; part of its policy file (config/practice.py).

[M] marks defaults that come from memory. None of this is legal advice.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Interval = Literal["week", "two_weeks", "twice_month", "month"]
HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://")]

#: The processor takes no dollar payment below this (Stripe: 50 cents).
SMALLEST_CHARGE_MINOR = 50

#: A plan with a price is credit with a finance charge: other law, other disclosures (12 CFR 1026.4, 1026.17-18).
PRICES = frozenset({"interest", "interest_percent", "apr", "late_fee_minor", "payment_fee_minor", "setup_fee_minor",
                    "convenience_fee_minor"})


class PlanPolicy(BaseModel):
    """Instalment plans as the practice offers them. A plan never has a price: no interest, no late fee, no fee for
    paying (T-47); a file that sets one is refused. Amounts in cents.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum_balance_minor: int = Field(default=100_00, ge=1)
    maximum_balance_minor: int = Field(default=10_000_00, ge=1)  # above: a person
    minimum_instalment_minor: int = Field(default=25_00, ge=1_00)
    maximum_months: int = Field(default=12, ge=1, le=60)
    maximum_instalments: int = Field(default=52, ge=2, le=260)
    deposit_percent: int = Field(default=0, ge=0, le=50)  # of the total, due on the day of signing
    intervals: tuple[Interval, ...] = ("week", "two_weeks", "twice_month", "month")
    first_within_days: int = Field(default=35, ge=1, le=62)  # the first instalment is due at the latest then
    grace_days: int = Field(default=5, ge=0, le=30)  # after the due day, before an instalment counts as missed
    missed_before_default: int = Field(default=2, ge=1, le=12)
    notice_days: int = Field(default=3, ge=1, le=14)  # before each charge
    offer_days: int = Field(default=7, ge=1, le=30)  # an offer stands that long
    autopay: bool = True
    new_balances_may_join: bool = True
    skips_per_year: int = Field(default=1, ge=0, le=12)
    pause_days: int = Field(default=60, ge=0, le=180)
    approves_exceptions: Literal["biller", "supervisor", "manager"] = "supervisor"
    charge_at_hour: int = Field(default=10, ge=6, le=20)  # practice-local hour after which a day's charges are made
    #: Soft declines are tried again so many days after the due day, unless the patient pays first. Visa counts at most
    #: 15 tries in 30 days for one card [S]; Nacha 2 re-tries in 180 days (T-49, T-50).
    retry_after_days: tuple[int, ...] = Field(default=(3, 7), max_length=4)

    @model_validator(mode="before")
    @classmethod
    def _has_no_price(cls, value: object) -> object:
        for name in sorted(PRICES & set(value)) if isinstance(value, dict) else ():
            raise ValueError(f"{name}: a plan here has no interest and no fee (T-47: 12 CFR 1026.4, 1026.17-18); "
                             "take the line out")
        return value

    @model_validator(mode="after")
    def _is_possible(self) -> PlanPolicy:
        if self.minimum_balance_minor > self.maximum_balance_minor:
            raise ValueError("minimum_balance_minor is above maximum_balance_minor")
        if not self.intervals or len(set(self.intervals)) != len(self.intervals):
            raise ValueError("intervals names each interval at most once, and at least one")
        if list(self.retry_after_days) != sorted(set(self.retry_after_days)) or any(
                not 1 <= day <= 30 for day in self.retry_after_days):
            raise ValueError("retry_after_days rise, each from 1 to 30")
        return self


class PayOverTime(BaseModel):
    """A lender that the practice offers beside its own plans: a link and a status, nothing filled in for anybody
    (T-54: NY GBL 349-g).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=2, max_length=40)
    url: HttpsUrl
    since: date


class PaymentPolicy(BaseModel):
    """How payments are taken, given back and counted. Amounts in cents."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bank_debits: bool = False  # US bank accounts on the hosted page (ACH by the processor; takes days)
    saved_cards: bool = True
    refund_approval_above_minor: int = Field(default=100_00, ge=0)
    refund_approver: Literal["supervisor", "manager"] = "supervisor"
    #: Two people pay the same balance at once: the second is told before it happens where that can be; what arrived
    #: all the same becomes credit, and a case.
    pay_over_time: PayOverTime | None = None
    ny_card_warning: bool = True  # NY GBL 519-a, shown where the practice's region is NY (T-54)
