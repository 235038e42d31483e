"""What a decision asks of billing, as data. ``billing.apply`` is the one place that carries them out.

A command that demands or moves money carries the balance version it was decided on; if that has moved, it is
refused and the refusal comes back to the conversation once, as an event.
``ref`` names the command's result (a link, a case number), so that a reply of the same decision can use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RecordOptOut:
    """STOP in whatever words. Binds the number, for every account on it (T-03, T-04, T-06)."""

    wording: str


@dataclass(frozen=True, slots=True)
class RestoreConsent:
    """START or UNSTOP alone; "yes" never does (T-12)."""

    wording: str


@dataclass(frozen=True, slots=True)
class MarkVerified:
    account_id: str


@dataclass(frozen=True, slots=True)
class RecordIdentityFailure:
    """One more wrong try; ``lock_until`` when it was the fifth (T-34)."""

    lock_until: datetime | None


@dataclass(frozen=True, slots=True)
class ForgetVerification:
    reason: str


@dataclass(frozen=True, slots=True)
class RecordDetailPreference:
    """The patient was shown ``wording`` (the T-33 warning, template and version) and answered yes or no."""

    account_id: str
    allowed: bool
    wording: str


@dataclass(frozen=True, slots=True)
class SetLanguage:
    language: str


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Work for a person. ``hold`` is a kind of billing/holds.py to place until the case is closed, or empty."""

    kind: str  # handover, dispute, paid_already, identity, call, wrong_number, explain_mismatch, emergency ...
    title: str  # no PHI
    detail: str
    account_id: str | None = None
    visit_id: str | None = None
    hold: str = ""
    dedupe: str = ""
    urgent: bool = False
    ref: str = "case"


@dataclass(frozen=True, slots=True)
class MarkWrongNumber:
    """The person at this number is not the guarantor: suppress, void consent (T-10, T-35)."""

    wording: str


@dataclass(frozen=True, slots=True)
class MakeLink:
    """A token link. purpose: statement, receipt, itemised, verify. The result is the URL's path token."""

    purpose: str
    account_id: str
    object_id: str = ""
    ref: str = "link"


@dataclass(frozen=True, slots=True)
class MakeStatement:
    """A statement numbered now, and a link to it."""

    account_id: str
    language: str
    balance_version: int
    ref: str = "link"


@dataclass(frozen=True, slots=True)
class RequestPayment:
    """The patient said yes to exactly this. ``split`` is (visit id, amount_minor) and sums to ``amount_minor``.

    Creates the payment and a pay link; the Checkout page itself is made when the patient presses the button there.
    """

    account_id: str
    amount_minor: int
    split: tuple[tuple[str, int], ...]
    balance_version: int
    language: str
    ref: str = "link"


@dataclass(frozen=True, slots=True)
class CancelPayment:
    payment_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlaceHold:
    account_id: str
    kind: str
    reason: str
    visit_id: str | None = None
    amount_minor: int | None = None


Command = (
    RecordOptOut | RestoreConsent | MarkVerified | RecordIdentityFailure | ForgetVerification | RecordDetailPreference
    | SetLanguage | OpenCase | MarkWrongNumber | MakeLink | MakeStatement | RequestPayment | CancelPayment | PlaceHold
)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a command was not carried out: stale_balance, hold, nothing_due, too_much, too_little, not_confirmed."""

    command: Command
    reason: str


class CommandRefused(Exception):
    """Raised inside billing.apply; the edge rolls the turn's savepoint back and asks ``decide`` once more."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.reason)
        self.refused = refused
