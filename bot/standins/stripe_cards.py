"""Stripe's published test cards and test payment methods, and what becomes of each."""

from __future__ import annotations

from dataclasses import dataclass

from bot.standins.journal import Row


@dataclass(frozen=True)
class Card:
    """`code` and `decline_code` of the refusal, None where the card is good; `challenge`: 3-D Secure first."""

    number: str
    brand: str = "visa"
    code: str | None = None
    decline_code: str | None = None
    message: str = ""
    challenge: bool = False


CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("4000056655665556"),
        Card("5555555555554444", brand="mastercard"),
        Card(
            "4000000000000002",
            code="card_declined",
            decline_code="generic_decline",
            message="Your card was declined.",
        ),
        Card(
            "4000000000009995",
            code="card_declined",
            decline_code="insufficient_funds",
            message="Your card has insufficient funds.",
        ),
        Card("4000000000000069", code="expired_card", decline_code="expired_card", message="Your card has expired."),
        Card(
            "4000000000000127",
            code="incorrect_cvc",
            decline_code="incorrect_cvc",
            message="Your card's security code is incorrect.",
        ),
        Card("4000002500003155", challenge=True),
        Card("4000002760003184", challenge=True),
    )
}

TEST_METHODS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_debit": "4000056655665556",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_authenticationRequired": "4000002760003184",
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
    """The `card` hash of a payment method or of a charge's payment_method_details."""
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": "pass", "cvc_check": "pass"},
        "country": "US",
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": f"fp{card.number[-8:]}",
        "funding": "credit",
        "last4": card.number[-4:],
        "network": card.brand,
        "wallet": None,
    }
