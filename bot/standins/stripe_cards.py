"""Stripe's published test cards and test payment methods, and what becomes of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from bot.standins.journal import Row

#: When the bank wants to ask: always; off session only where the card was not set up for it; on session only.
Challenge = Literal["", "always", "unless_set_up", "on_session"]
#: What follows a charge by itself: a dispute or an inquiry; a refund that waits, or that fails afterwards.
After = Literal["", "dispute", "inquiry", "refund_waits", "refund_fails", "available_at_once"]


@dataclass(frozen=True)
class Card:
    """`code` and `decline_code` of the refusal, None where the card is good; `attaches`: kept, refused when charged."""

    number: str
    brand: str = "visa"
    code: str | None = None
    decline_code: str | None = None
    message: str = ""
    challenge: Challenge = ""
    attaches: bool = False
    after: After = ""
    reason: str = ""
    advice: str | None = None


#: Declines that have a code of their own; every other decline_code comes under card_declined.
_OWN_CODE = {"expired_card", "incorrect_cvc", "incorrect_number", "invalid_cvc", "processing_error",
             "authentication_required", "incorrect_zip", "invalid_expiry_month", "invalid_expiry_year"}  # fmt: skip
_MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "incorrect_number": "Your card number is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}
#: Declines after which the networks forbid another try with the same card.
_NEVER_AGAIN = {"lost_card", "stolen_card", "pickup_card", "restricted_card", "fraudulent", "invalid_account",
                "revocation_of_authorization", "revocation_of_all_authorizations", "stop_payment_order",
                "transaction_not_allowed"}  # fmt: skip


def refused(card: Card, decline_code: str, code: str | None = None, advice: str | None = None) -> Card:
    """The card as one that is declined with this code, by Stripe's table of decline codes."""
    default = "do_not_try_again" if decline_code in _NEVER_AGAIN else "try_again_later"
    return replace(
        card,
        code=code or (decline_code if decline_code in _OWN_CODE else "card_declined"),
        decline_code=decline_code,
        message=_MESSAGES.get(decline_code, "Your card was declined."),
        advice=advice or default,
    )


def _declined(number: str, decline_code: str, attaches: bool = False) -> Card:
    return refused(Card(number, attaches=attaches), decline_code)


CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("4000056655665556"),
        Card("5555555555554444", brand="mastercard"),
        Card("378282246310005", brand="amex"),
        Card("6011111111111117", brand="discover"),
        _declined("4000000000000002", "generic_decline"),
        _declined("4000000000009995", "insufficient_funds"),
        _declined("4000000000009987", "lost_card"),
        _declined("4000000000009979", "stolen_card"),
        _declined("4000000000000069", "expired_card"),
        _declined("4000000000000127", "incorrect_cvc"),
        _declined("4000000000000119", "processing_error"),
        _declined("4000000000006975", "card_velocity_exceeded"),
        _declined("4100000000000019", "fraudulent"),
        _declined("4000000000000341", "generic_decline", attaches=True),
        Card("4000002500003155", challenge="unless_set_up"),
        Card("4000002760003184", challenge="always"),
        Card("4000003800000446", challenge="on_session"),
        replace(_declined("4000008260003178", "insufficient_funds", attaches=True), challenge="unless_set_up"),
        Card("4000000000000259", after="dispute", reason="fraudulent"),
        Card("4000000000002685", after="dispute", reason="product_not_received"),
        Card("4000000000001976", after="inquiry", reason="fraudulent"),
        Card("4000000000007726", after="refund_waits"),
        Card("4000000000005126", after="refund_fails"),
        Card("4000000000000077", after="available_at_once"),
    )
}

TEST_METHODS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_debit": "4000056655665556",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_discover": "6011111111111117",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "pm_card_radarBlock": "4100000000000019",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_authenticationRequiredSetupForOffSession": "4000003800000446",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeProductNotReceived": "4000000000002685",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
    "pm_card_bypassPending": "4000000000000077",
}


def card_for(number: str) -> Card:
    """The test card of this number; any other is refused, as in Stripe's test mode."""
    if number in CARDS:
        return CARDS[number]
    if not _luhn(number):
        return Card(number, code="incorrect_number", message="Your card number is incorrect.")
    message = "Your card was declined. Your request was in test mode, but used a non test card."
    return Card(number, code="card_declined", decline_code="test_mode_live_card", message=message)


def _luhn(number: str) -> bool:
    if not number.isdigit() or not 12 <= len(number) <= 19:
        return False
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(number))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def card_details(card: Card, exp_month: int, exp_year: int) -> Row:
    """The `card` hash of a payment method."""
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": "pass", "cvc_check": "pass"},
        "country": "US",
        "display_brand": {"amex": "american_express"}.get(card.brand, card.brand),
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": f"fp{card.number[-8:]}",
        "funding": "debit" if card.number == "4000056655665556" else "credit",
        "generated_from": None,
        "last4": card.number[-4:],
        "network": card.brand,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


_NOT_CHARGED = ("display_brand", "generated_from", "networks", "three_d_secure_usage")


def charged_card(details: Row, amount: int) -> Row:
    """The `card` hash of a charge's payment_method_details, from the payment method's."""
    own = {name: value for name, value in details.items() if name not in _NOT_CHARGED}
    return {
        **own,
        "amount_authorized": amount,
        "authorization_code": None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network_token": {"used": False},
        "network_transaction_id": "100000000000000",
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "three_d_secure": None,
    }
