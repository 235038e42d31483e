"""What production demands beyond a setting's form: no stand-ins, everything signed, everything encrypted."""

from __future__ import annotations

from collections.abc import Mapping

from config.addresses import is_loopback
from config.standins import STAND_IN_SECRETS

_REQUIRED: Mapping[str, str] = {
    "encryption_keys": "is needed to encrypt PHI; `plainbill keys new` prints one, keep it apart from backups",
    "index_key": "is needed to look accounts up; `plainbill keys new` prints one, and it never changes afterwards",
    "link_secret": "is needed for the links in texts; `plainbill keys new` prints one",
    "twilio_account_sid": "is needed to send texts; take it from Twilio's console",
    "twilio_auth_token": "is needed, or incoming texts would be unsigned; take it from Twilio's console",
    "stripe_secret_key": "is needed to take payments; take it from Stripe's dashboard",
    "stripe_webhook_secret": "is needed, or payment events would be unsigned; take it from Stripe's dashboard",
    "public_url": "is needed: the https address at which patients and webhooks reach this server",
}
_TELEGRAM: Mapping[str, str] = {
    "telegram_token": "is needed when Telegram is on; BotFather gives it",
    "telegram_bot_name": "is needed when Telegram is on: the bot's username, for the links that patients open",
}
_REFUSED: Mapping[str, str] = {
    "clock": "is for demonstrations; unset it, production keeps the real time",
    "failpoint": "is for crash tests; unset it",
}


def faults(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (setting, what to do) for all that keeps production from starting; ``values`` is what was set."""
    found = [(name, why) for name, why in _REQUIRED.items() if not values.get(name)]
    if values.get("telegram_mode", "off").strip() in ("polling", "webhook"):
        found += [(name, why) for name, why in _TELEGRAM.items() if not values.get(name)]
    if values.get("telegram_mode", "").strip() == "webhook" and not values.get("telegram_webhook_secret"):
        found.append(("telegram_webhook_secret", "is needed, or webhooks could come from anybody; make up 32 letters"))
    found += [(name, why) for name, why in _REFUSED.items() if values.get(name)]
    found += [
        (name, "is a stand-in secret that everybody knows; set your own")
        for name, stand_in in STAND_IN_SECRETS.items()
        if name in values and _holds(name, values[name], stand_in)
    ]
    if values.get("public_url", "https:").lower().startswith("http:"):
        found.append(("public_url", "must start with https:// in production"))
    found += [
        (name, "must start with https://, or lie on this machine")
        for name in ("twilio_base_url", "stripe_base_url", "telegram_base_url")
        if values.get(name, "").lower().startswith("http:") and not is_loopback(values[name])
    ]
    return found


def _holds(name: str, value: str, stand_in: str) -> bool:
    """A stand-in key is refused under any id and in any place of the list of keys."""
    if name == "encryption_keys":
        return stand_in.partition(":")[2] in value
    return value.strip() == stand_in
