"""Secrets for a laptop, printed in public on purpose: production refuses to start with any of them.

Each is the value a setting has in development when its variable is not set. The local stand-ins accept exactly these.
"""

from __future__ import annotations

from collections.abc import Mapping

STAND_IN_SECRETS: Mapping[str, str] = {
    "encryption_keys": "standin:cGxhaW5iaWxsLXN0YW5kLWluLXNlYWxpbmcta2V5LTE=",
    "index_key": "cGxhaW5iaWxsLXN0YW5kLWluLWJsaW5kLWluZGV4LTE=",
    "link_secret": "cGxhaW5iaWxsLXN0YW5kLWluLWxpbmstc2VjcmV0LTE=",
    "twilio_account_sid": "AC00000000000000000000000000000000",
    "twilio_auth_token": "standin-auth-token",
    "twilio_signature_key": "standin-shared-key",
    "stripe_secret_key": "sk_test_standin",
    "stripe_webhook_secret": "whsec_standin",
    "telegram_token": "1000000000:standin-telegram-token",
    "telegram_webhook_secret": "standin-telegram-webhook-secret",
    "smtp_url": "smtp://standin:standin-password@127.0.0.1:8814",
}

#: The username of the stand-in's bot.
STAND_IN_BOT = "plainbill_standin_bot"

#: Where the stand-ins listen when nobody says otherwise; used only together with the stand-in credentials above.
STAND_IN_ADDRESSES: Mapping[str, str] = {
    "twilio_base_url": "http://127.0.0.1:8811",
    "stripe_base_url": "http://127.0.0.1:8812",
    "telegram_base_url": "http://127.0.0.1:8813",
}

#: Where the real services listen.
SERVICE_ADDRESSES: Mapping[str, str] = {
    "twilio_base_url": "https://api.twilio.com",
    "stripe_base_url": "https://api.stripe.com",
    "telegram_base_url": "https://api.telegram.org",
}

#: Which credential decides between the two tables above.
CREDENTIAL_OF: Mapping[str, str] = {
    "twilio_base_url": "twilio_auth_token",
    "stripe_base_url": "stripe_secret_key",
    "telegram_base_url": "telegram_token",
}
