"""Stripe's published test bank accounts for ACH Direct Debit, and what becomes of a debit."""

from __future__ import annotations

from dataclasses import dataclass

from bot.standins.journal import Row

ROUTING = "110000000"


@dataclass(frozen=True)
class BankAccount:
    """`code` is why a debit comes back, None where it is paid; `waits`: it stays processing; `disputed` once paid."""

    number: str
    code: str | None = None
    waits: bool = False
    disputed: bool = False


ACCOUNTS = {
    account.number: account
    for account in (
        BankAccount("000123456789"),
        BankAccount("000111111113", code="account_closed"),
        BankAccount("000111111116", code="no_account"),
        BankAccount("000222222227", code="insufficient_funds"),
        BankAccount("000333333335", code="debit_not_authorized"),
        BankAccount("000444444440", code="invalid_currency"),
        BankAccount("000777777771", code="charge_exceeds_source_limit"),
        BankAccount("000000000009", waits=True),
        BankAccount("000555555559", disputed=True),
    )
}
TEST_ACCOUNTS = {
    "pm_usBankAccount": "000123456789",
    "pm_usBankAccount_success": "000123456789",
    "pm_usBankAccount_accountClosed": "000111111113",
    "pm_usBankAccount_noAccount": "000111111116",
    "pm_usBankAccount_insufficientFunds": "000222222227",
    "pm_usBankAccount_debitNotAuthorized": "000333333335",
    "pm_usBankAccount_invalidCurrency": "000444444440",
    "pm_usBankAccount_weeklyLimitExceeded": "000777777771",
    "pm_usBankAccount_processing": "000000000009",
    "pm_usBankAccount_dispute": "000555555559",
}
MESSAGES = {
    "account_closed": "The customer's bank account has been closed.",
    "no_account": "The customer's bank account could not be located.",
    "insufficient_funds": "The customer's account has insufficient funds to cover this payment.",
    "debit_not_authorized": "The customer has notified their bank that this payment was unauthorized.",
    "invalid_currency": "The bank was unable to process this payment because of its currency.",
    "charge_exceeds_source_limit": "This payment exceeds the amount allowed for this account in a week.",
}
#: Returns after which Stripe blocks the account, with the network's code and Stripe's reason.
BLOCKS = {
    "account_closed": ("R02", "bank_account_closed"),
    "no_account": ("R03", "bank_account_invalid_details"),
    "debit_not_authorized": ("R29", "debit_not_authorized"),
    "bank_account_restricted": ("R16", "bank_account_restricted"),
}


def bank_for(number: str) -> BankAccount | None:
    """The test account of this number; None for any other."""
    return ACCOUNTS.get(number)


def bank_details(account: BankAccount, holder: str = "individual", kind: str = "checking") -> Row:
    """The `us_bank_account` hash of a payment method."""
    return {
        "account_holder_type": holder,
        "account_type": kind,
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": f"bk{account.number[-8:]}",
        "last4": account.number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": ROUTING,
        "status_details": {},
    }


def charged_bank(details: Row, mandate: str | None) -> Row:
    """The `us_bank_account` hash of a charge's payment_method_details, from the payment method's."""
    names = ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number")
    own = {name: details[name] for name in names}
    return {**own, "expected_debit_date": None, "mandate": mandate, "payment_reference": None}
