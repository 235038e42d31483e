"""What a decision asks of billing, as data. ``billing.apply`` is the one place that carries them out.

A command that demands or moves money carries the balance version it was decided on; if that has moved, it is
refused and the refusal comes back to the conversation once, as an event.
``ref`` names the command's result (a link, a case number), so that a reply of the same decision can use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from billing.plan_terms import PlanTerms


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
    """Work for a person. ``hold`` is a kind of billing/holds.py to place until the case is closed, or empty.

    ``adopts`` is the ``dedupe`` of a case that was opened for the number before identity was proved: it becomes this
    one, and its holds on the number's other accounts end.
    """

    kind: str  # handover, dispute, paid_already, identity, call, wrong_number, explain_mismatch, emergency ...
    title: str  # no PHI
    detail: str
    account_id: str | None = None
    visit_id: str | None = None
    hold: str = ""
    dedupe: str = ""
    urgent: bool = False
    ref: str = "case"
    adopts: str = ""


@dataclass(frozen=True, slots=True)
class SpecifyCase:
    """What an open case turned out to be about: nothing new is opened while the one of ``dedupe`` is open.

    ``visits``: its hold moves from the account to these; empty leaves it where it is. ``reason`` is a code for staff
    ("no_visit", "amount" ...), ``words`` the patient's own.
    """

    kind: str
    title: str  # no PHI; of the case that takes the words if the first was closed meanwhile
    dedupe: str
    account_id: str | None = None
    visits: tuple[str, ...] = ()
    reason: str = ""
    words: str = ""
    ref: str = "case"


@dataclass(frozen=True, slots=True)
class MarkWrongNumber:
    """The person at this number is not the guarantor: suppress, void consent (T-10, T-35)."""

    wording: str


@dataclass(frozen=True, slots=True)
class RecordPreference:
    """A wish about being reached, in the patient's ``wording``: kinds and values of billing/preferences.py.

    Binds the number. ``confidential`` is the named account's; without one, every account's on this number.
    """

    kind: str
    value: Mapping[str, Any]
    wording: str
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class MakeCheckCode:
    """The code that proves our texts to this number."""

    ref: str = "check_code"


@dataclass(frozen=True, slots=True)
class PartChat:
    """This chat is joined to no account any more (T-19)."""

    wording: str


@dataclass(frozen=True, slots=True)
class MakeLink:
    """A token link. purpose: statement, receipt, itemised, verify, passcode, telegram, year (object_id: the
    calendar year), agreement (a plan's signed copy). Results in the URL's token."""

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
    ``early``: the patient wants to pay what a plan asks for later; without it only what is due now may be paid.
    ``plan_id`` and ``instalment`` say which instalment it is for. ``saves_method``: they asked for the card to be kept.
    """

    account_id: str
    amount_minor: int
    split: tuple[tuple[str, int], ...]
    balance_version: int
    language: str
    ref: str = "link"
    early: bool = False
    plan_id: str | None = None
    instalment: int | None = None
    saves_method: bool = False


@dataclass(frozen=True, slots=True)
class ChargeSavedCard:
    """The patient said yes to exactly these ``words``: this card, this amount, once, now (T-50, customer present).

    Writes the payment, its authorization and the call to the processor; the charge itself is made by the edge.
    """

    account_id: str
    method_id: str
    amount_minor: int
    split: tuple[tuple[str, int], ...]
    balance_version: int
    language: str
    words: str
    words_version: str
    early: bool = False
    plan_id: str | None = None
    instalment: int | None = None


@dataclass(frozen=True, slots=True)
class TakeBackYes:
    """The patient takes back the yes to a charge of the card on file that is on its way (T-48, T-50: in any words).

    Not made yet, it never is; one that may have been made is not repeated.
    """

    account_id: str
    payment_id: str
    wording: str


@dataclass(frozen=True, slots=True)
class AskCard:
    """A link to a page on which a card is given without paying. ``purpose``: card, plan_card (of a running plan)."""

    account_id: str
    purpose: str
    language: str
    plan_id: str | None = None
    ref: str = "link"


@dataclass(frozen=True, slots=True)
class RemoveCard:
    """The card on file is to be forgotten, here and at the processor; charges that it was for stop (T-50)."""

    account_id: str
    method_id: str
    wording: str


@dataclass(frozen=True, slots=True)
class OfferPlan:
    """Terms that the patient chose and has to sign on a page: because of the disclosures (T-47), or because a card is
    needed that is not on file. Results in the page's token.
    """

    account_id: str
    terms: PlanTerms
    balance_version: int
    language: str
    ref: str = "link"


@dataclass(frozen=True, slots=True)
class AgreePlan:
    """The patient said yes to exactly these ``words`` with the whole schedule in them: at most four instalments, paid
    by link or with the card on file that the words name (T-48, T-50). The plan runs from now on.
    """

    account_id: str
    terms: PlanTerms
    words: str
    words_version: str
    balance_version: int
    language: str
    ref: str = "plan"


Change = Literal["pause", "resume", "skip", "move_day", "use_card", "pay_by_link", "on_extra", "cancel"]


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """What a patient wants changed in a running plan, inside the practice's policy. ``plan_version`` is the one it was
    decided on. ``wording`` is what they wrote.

    pause: until ``on`` (or open). resume. skip: instalment ``number`` goes to the end. move_day: ``days`` of the month,
    or the weekday of ``on``, from the next instalment. use_card: ``method_id``. pay_by_link: no more charges, the plan
    goes on (a revoked authorization, T-48). on_extra: ``value`` shorten or lower. cancel: the plan ends, what is left
    is due as before it.
    """

    account_id: str
    plan_id: str
    plan_version: int
    change: Change
    wording: str
    on: date | None = None
    number: int | None = None
    days: tuple[int, ...] = ()
    method_id: str | None = None
    value: str = ""


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
    | RecordPreference | MakeCheckCode
    | SpecifyCase | PartChat | ChargeSavedCard | TakeBackYes | AskCard | RemoveCard | OfferPlan | AgreePlan | ChangePlan
)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a command was not carried out: stale_balance, hold, nothing_due, too_much, too_little, not_confirmed;
    stale_plan, outside_policy, card_gone, on_plan (a visit is on another plan already), charging (a charge of this
    instalment is on its way), paying (somebody is paying this balance in this moment), not_asked (the question that was
    agreed to never left).
    """

    command: Command
    reason: str


class CommandRefused(Exception):
    """Raised inside billing.apply; the edge rolls the turn's savepoint back and asks ``decide`` once more."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.reason)
        self.refused = refused
