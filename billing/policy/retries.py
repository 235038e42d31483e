"""Why a card or a bank said no, and whether and when it may be asked again (T-49, T-50).

The processor's codes as data, from memory of its public documentation [M]. A code that is missing here is tried once
more for a card and never for a bank. What may change per practice is the days between tries (policy
plans.retry_after_days).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

from config.payment_policy import PlanPolicy

Kind = Literal["hard", "soft", "patient", "processor", "revoked"]

#: What each kind means for the instalment and for the card or account.
MEANINGS: Mapping[Kind, str] = {
    "hard": "never again with this card or account; the patient is asked for another one",
    "soft": "again on the practice's retry days, unless the patient pays first",
    "patient": "not again without the patient, who has to confirm, correct or call the bank; a link is sent",
    "processor": "nobody said no: again on the next day",
    "revoked": "the patient took the permission back at the bank: no more charges, a person asks what was meant",
}

#: Declined tries of one card in 30 days (Visa, [S]).
CARD_TRIES_30_DAYS = 15

#: Presentments of one bank debit in 180 days: the first and two more (Nacha, [S]).
BANK_PRESENTMENTS = 3

_CARD: Mapping[Kind, str] = {
    "hard": """
        card_not_supported currency_not_supported do_not_try_again expired_card fraudulent highest_risk_level
        incorrect_number invalid_account invalid_expiry_month invalid_expiry_year invalid_number live_mode_test_card
        lost_card merchant_blacklist not_permitted pickup_card restricted_card security_violation service_not_allowed
        stolen_card testmode_decline transaction_not_allowed
        """,
    "soft": """
        call_issuer card_decline_rate_limit_exceeded card_declined card_velocity_exceeded do_not_honor generic_decline
        insufficient_funds no_action_taken withdrawal_count_limit_exceeded
        """,
    "patient": """
        authentication_not_handled authentication_required incorrect_address incorrect_cvc incorrect_pin incorrect_zip
        invalid_amount invalid_cvc invalid_pin mobile_device_authentication_required new_account_information_available
        offline_pin_required online_or_offline_pin_required payment_intent_authentication_failure
        payment_method_customer_decline pin_try_exceeded
        """,
    "processor": """
        approve_with_id duplicate_transaction issuer_not_available not_made processing_error reenter_transaction
        try_again_later
        """,
    "revoked": "revocation_of_all_authorizations revocation_of_authorization stop_payment_order",
}

#: The processor's words and Nacha's own return codes. Only R01 and R09 are presented again (T-49); R08 is a stop order.
_BANK: Mapping[Kind, str] = {
    "hard": """
        account_closed bank_account_closed bank_account_frozen bank_account_invalid_details bank_account_restricted
        bank_account_unusable bank_ownership_changed incorrect_account_holder_name invalid_account_number
        invalid_currency no_account R02 R03 R04 R12 R13 R14 R15 R16 R20 R31
        """,
    "soft": "insufficient_funds uncollected_funds R01 R09",
    "patient": "bank_account_declined bank_account_unverified could_not_process declined",
    "processor": "not_made",
    "revoked": "debit_not_authorized recipient_initiated stop_payment R05 R07 R08 R10 R11 R29",
}


def _by_code(table: Mapping[Kind, str]) -> dict[str, Kind]:
    return {code.lower(): kind for kind, codes in table.items() for code in codes.split()}


CARD_CODES: Mapping[str, Kind] = _by_code(_CARD)
BANK_CODES: Mapping[str, Kind] = _by_code(_BANK)

#: A charge that our own rules kept back (``withheld:T-51``): no bank was asked.
WITHHELD = "withheld:"


def kind_of(code: str, method_kind: str = "card") -> Kind:
    """What a failure ``code`` means; ``method_kind`` is card or bank. Unknown: soft for a card (but see next_try_on),
    for the patient to look at with a bank.
    """
    if code.startswith(WITHHELD):
        return "processor"
    if method_kind == "bank":
        return BANK_CODES.get(code.lower(), "patient")
    return CARD_CODES.get(code.lower(), "soft")


def may_be_repeated(code: str, method_kind: str = "card") -> bool:
    """Whether anything may be charged again after ``code`` while the patient is not there."""
    return kind_of(code, method_kind) in ("soft", "processor")


def next_try_on(policy: PlanPolicy, due_on: date, today: date, tries: int, code: str,
                method_kind: str = "card") -> date | None:
    """The practice-local day of the next charge of an instalment that failed ``tries`` times, last with ``code``; None
    when it is not charged again. Always after ``today``, however late a bank's answer came.

    Whether it may be charged then is for the gate to say (T-48 to T-51).
    """
    if tries < 1:
        raise ValueError("tries counts the charge that has just failed: at least 1")
    if tries > allowed_retries(policy, code, method_kind):
        return None
    tomorrow = today + timedelta(days=1)
    if kind_of(code, method_kind) == "processor":
        return tomorrow
    return max(due_on + timedelta(days=policy.retry_after_days[tries - 1]), tomorrow)


def allowed_retries(policy: PlanPolicy, code: str, method_kind: str = "card") -> int:
    """How many times an instalment may be charged again after failing with ``code``."""
    if not may_be_repeated(code, method_kind):
        return 0
    most = len(policy.retry_after_days)
    if kind_of(code, method_kind) == "processor":
        most = max(most, 1)  # also where the practice wants no retries: nobody has said no yet
    if method_kind == "bank":
        return min(most, BANK_PRESENTMENTS - 1)
    known = code.lower() in CARD_CODES or code.startswith(WITHHELD)
    return most if known else min(most, 1)


def as_markdown() -> str:
    """Return both tables for docs/payments.md."""
    head = ["| Kind | What happens | Card codes | Bank codes |", "|---|---|---|---|"]
    rows = [f"| {kind} | {meaning} | {_codes(CARD_CODES, kind)} | {_codes(BANK_CODES, kind)} |"
            for kind, meaning in MEANINGS.items()]
    return "\n".join(head + rows) + "\n"


def _codes(table: Mapping[str, Kind], kind: Kind) -> str:
    return ", ".join(f"`{_shown(code)}`" for code, found in sorted(table.items()) if found == kind)


def _shown(code: str) -> str:
    return code.upper() if code[0] == "r" and code[1:].isdigit() else code
