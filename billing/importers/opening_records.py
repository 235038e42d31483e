"""What rows of an opening file say: what another system hands over on the day on which it is left.

As in billing/importers/csv_records.py: checked for form, not yet for meaning; money in cents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningVisitRow:
    """What is open for a visit. ``first_statement_on`` empty: the patient was never billed for it."""

    position: int
    source_id: str = ""
    visit_id: str
    patient_id: str = ""
    account_id: str = ""
    service_on: date
    first_statement_on: date | None = None
    balance_minor: int  # the patient's part
    payer_minor: int = 0  # what an insurer has not answered yet
    payer: str = ""
    step: str = ""  # of the dunning calendar that was last sent
    standing: str = ""
    agency: str = ""  # with which it is, by its key in the policy; with standing agency
    since_on: date | None = None  # placed there
    provider: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningCreditRow:
    """Money of an account that no visit needs."""

    position: int
    source_id: str = ""
    account_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPlanRow:
    """A running plan: what is left of its schedule, and the visits that it pays, oldest first."""

    position: int
    source_id: str = ""
    plan_id: str
    account_id: str
    visits: tuple[str, ...]
    interval: str  # week, two_weeks, twice_month, month
    schedule: tuple[tuple[date, int], ...]  # (due day, cents), earliest first


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningStandingRow:
    """A legal or agency standing of an account, or of one visit."""

    position: int
    source_id: str = ""
    account_id: str = ""
    visit_id: str = ""
    standing: str
    agency: str = ""
    since_on: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningContactRow:
    """One more number or address of an account: exactly one of the three."""

    position: int
    source_id: str = ""
    account_id: str
    phone: str = ""
    email: str = ""
    address: str = ""
    returned: bool | None = None  # mail came back from it, or nothing arrives there
    at_work: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningConsentRow:
    position: int
    source_id: str = ""
    account_id: str
    phone: str
    given_on: date
    wording: str
    medium: str
    recorded_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningOptOutRow:
    """A refusal that a former vendor holds; the number or address need not be anybody's whom we know."""

    position: int
    source_id: str = ""
    phone: str = ""
    email: str = ""
    opted_out_on: date | None = None
    vendor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningTotalRow:
    """A total of the old system's aging on ``as_of``: what the rows have to come to."""

    position: int
    source_id: str = ""
    bucket: str
    amount_minor: int
    as_of: date


OpeningRecord: TypeAlias = (OpeningVisitRow | OpeningCreditRow | OpeningPlanRow | OpeningStandingRow
                            | OpeningContactRow | OpeningConsentRow | OpeningOptOutRow | OpeningTotalRow)
