"""What a practice decides about reminders, bulk sending, assistance and what is past due; part of its policy file.

Each limit that a law or a carrier gives has its citation beside it (field notes: rules.md). [M] marks what comes from
memory and is shipped as a default to be checked. None of this is legal advice. Amounts in cents.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Way = Literal["sms", "telegram", "email", "paper"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Restart = Literal["charge", "payment", "remittance"]

EVERY_WAY: tuple[Way, ...] = ("sms", "telegram", "email", "paper")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CarrierPolicy(_Frozen):
    """What carriers let the practice's brand and number send (T-16). The defaults are those of a brand that nobody has
    vetted. Empty: no such cap (a short code, or a contract that says so).
    """

    brand: str = ""  # the 10DLC brand (EIN); empty: not registered yet
    campaign: str = ""  # the 10DLC campaign of the number
    per_minute: int | None = Field(default=75, ge=1)  # AT&T, per campaign
    per_day: int | None = Field(default=2_000, ge=1)  # T-Mobile, per brand, from midnight Pacific
    segments_per_second: int | None = Field(default=1, ge=1)  # of the number itself, whatever the carrier [M]
    kept_for_replies: int = Field(default=10, ge=0, le=50)  # percent of each cap that bulk sending leaves free
    segment_cost_micros: int = Field(default=11_900, ge=0)  # of a text segment, in millionths of a dollar [M]
    letter_cost_micros: int = Field(default=950_000, ge=0)
    email_cost_micros: int = Field(default=1_000, ge=0)


class FrequencyPolicy(_Frozen):
    """How often a household hears from us unasked: every channel, campaign, plan notice and staff message together."""

    per_7_days: int = Field(default=3, ge=1, le=7)  # NYC 6 RCNY 5-77: three in seven days [S]
    between_demands_days: int = Field(default=5, ge=0, le=60)


class BulkPolicy(_Frozen):
    """Bulk sending."""

    approval_above: int = Field(default=200, ge=0)  # accounts; a larger campaign needs a second person
    approver: Literal["supervisor", "manager"] = "supervisor"
    overnight_if_alone: bool = True  # one approver in the office: a night and an audit entry stand for the second


class DunningStep(_Frozen):
    """One step of the schedule, ``day`` days after the due day of the statement that it reminds of."""

    name: Name
    day: int = Field(ge=-30, le=720)
    template: Name
    ways: tuple[Way, ...] = EVERY_WAY  # tried in this order
    #: Below this no such message leaves by that way; a way that is not named has no minimum of its own.
    minimum_minor: dict[Way, int] = {"paper": 5_00}
    final: bool = False  # the last notice before anything else may be considered


DEFAULT_STEPS = (
    DunningStep(name="first", day=3, template="reminder_first"),
    DunningStep(name="second", day=17, template="reminder_second"),
    DunningStep(name="third", day=45, template="reminder_third"),
    DunningStep(name="final", day=75, template="reminder_final", ways=("paper", "email"), final=True),
)


class DunningPolicy(_Frozen):
    """When who is reminded of what. Derived anew every day; nothing is caught up with in a heap."""

    steps: tuple[DunningStep, ...] = DEFAULT_STEPS
    minimum_minor: int = Field(default=1_00, ge=1)  # below this nobody is reminded
    statement_every_days: int = Field(default=28, ge=14, le=120)  # a new statement while something is due
    restart_on: tuple[Restart, ...] = ("charge", "payment", "remittance")
    minimum_gap_days: int = Field(default=7, ge=1, le=60)
    late_first_days: int = Field(default=180, ge=30)  # first due so long after the service: a person looks first
    #: Since the service; a bill this old may be barred by time, and no state's limit is known here [M]: a person looks.
    very_old_days: int = Field(default=1095, ge=180)
    send_at_hour: int = Field(default=10, ge=6, le=19)  # practice-local hour of the daily run

    @model_validator(mode="after")
    def _rises(self) -> DunningPolicy:
        days = [step.day for step in self.steps]
        if days != sorted(set(days)):
            raise ValueError("the steps' days rise, each on a day of its own")
        if len({step.name for step in self.steps}) != len(self.steps):
            raise ValueError("each step has a name of its own")
        if any(step.final for step in self.steps[:-1]):
            raise ValueError("only the last step is final")
        return self


class AssistanceTier(_Frozen):
    """Up to ``fpl_percent`` of the federal poverty level, ``discount_percent`` of what is owed is forgiven."""

    fpl_percent: int = Field(ge=0, le=1000)
    discount_percent: int = Field(ge=1, le=100)


class AssistancePolicy(_Frozen):
    """Financial assistance, in force from ``since``; the newest that has begun counts."""

    since: date
    tiers: tuple[AssistanceTier, ...]
    decide_within_days: int = Field(default=30, ge=1, le=90)
    complete_within_days: int = Field(default=30, ge=10, le=240)  # for what is missing from an application
    appeal_within_days: int = Field(default=30, ge=10, le=180)
    approver: Literal["supervisor", "manager"] = "manager"
    covers_months_back: int = Field(default=8, ge=0, le=24)
    refund_from_minor: int = Field(default=5_00, ge=1)  # 26 CFR 1.501(r)-6(c)(6): $5 and more


class SettlementPolicy(_Frozen):
    """A written, uniform policy of discounts (T-58). Without one nothing is settled for less than is owed; federal
    payers' patients are never offered any.
    """

    written_on: date
    signed_by: str = Field(min_length=3, max_length=80)
    prompt_pay_percent: int = Field(default=0, ge=0, le=50)  # for paying in full within prompt_pay_days
    prompt_pay_days: int = Field(default=10, ge=1, le=60)
    past_due_percent: int = Field(default=0, ge=0, le=50)  # for paying in full when past_due_from_days overdue
    past_due_from_days: int = Field(default=90, ge=30)
    offer_days: int = Field(default=30, ge=5, le=90)


class AgencyPolicy(_Frozen):
    """A collection agency that accounts may be placed with."""

    key: Name
    name: str = Field(min_length=2, max_length=80)
    contract_on: date
    baa_on: date | None = None  # without a business associate agreement nothing is placed (T-37)
    fee_percent: int = Field(default=0, ge=0, le=60)
    minimum_minor: int = Field(default=50_00, ge=1)


class CollectionsPolicy(_Frozen):
    """What becomes of what stays unpaid."""

    small_balance_minor: int = Field(default=0, ge=0, le=25_00)  # written off at and below this, with approval
    small_balance_days: int = Field(default=90, ge=30)
    place_after_days: int = Field(default=120, ge=60)  # past due
    final_notice_days: int = Field(default=30, ge=15)  # between the final notice and placement
    approver: Literal["supervisor", "manager"] = "manager"
    assistance_first: bool = True  # offered, and time given, before anything is called bad debt
    agencies: tuple[AgencyPolicy, ...] = ()
    hospital_501r: bool = False  # 26 CFR 1.501(r): 120 days, 30 days' notice, 240 days (T-43 to T-45)
    states: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$|^NYC$")], ...] = ()  # whose clocks are on


class CollectorPolicy(_Frozen):
    """For a billing company: whose name the debt is in, and since when (T-20). The capacity is kept for each account;
    this is what a new account gets.
    """

    capacity: Literal["creditor", "collector"] = "creditor"
    collector_name: str = ""
    creditor_named: str = ""


class EmailPolicy(_Frozen):
    """E-mail to patients: from whom, under which neutral subject, and how often."""

    sender: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
    reply_to: str = ""
    subject_en: str = "A message from your doctor's billing office"
    subject_es: str = "Un mensaje de la oficina de cobros de su doctor"


class RetentionPolicy(_Frozen):
    """How long words are kept; amounts, consents and verdicts stay (T-11, T-36: six years and more)."""

    message_text_days: int = Field(default=2190, ge=365)
    inbox_days: int = Field(default=2190, ge=365)


class Readiness(_Frozen):
    """What only the practice can say was done before the first message; ``plainbill check --golive`` asks for each."""

    opt_outs_taken_over_on: date | None = None  # of every former vendor, or none were; by whom they are in the imports
    consent_wording_reviewed_on: date | None = None  # names texts and their purpose (T-14)
    privacy_page: str = ""  # says that opt-in data is not shared (T-14; TCR 805)
    risk_analysis_on: date | None = None  # 45 CFR 164.308(a)(1)(ii)(A)
    staff_trained_on: date | None = None  # 45 CFR 164.530(b)
    words_read_on: date | None = None  # somebody of the practice has read every message (docs: plainbill campaign)
