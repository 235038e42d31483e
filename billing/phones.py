"""Phone numbers: their one written form, and the keyed hash under which consents and contact points find them."""

from __future__ import annotations

import phonenumbers

from billing.store.seal import blind

#: The console stands in for a phone's thread: a STOP typed there binds the number.
_SAME_LINE = {"console": "sms"}


class NotAPhone(ValueError):
    """The text is no phone number; the message does not repeat it."""


def e164(text: str, region: str = "US") -> str:
    """Return ``text`` as +15551234567. Raises NotAPhone.

    A number of a plausible length is taken even where the numbering plan does not know it: new area codes appear.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise NotAPhone("not a phone number; write ten digits, or + and the country code") from error
    if not phonenumbers.is_possible_number(number):
        raise NotAPhone("a phone number has ten digits, or + and the country code")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def line_of(channel: str) -> str:
    """Return the channel under which consents of a number are kept."""
    return _SAME_LINE.get(channel, channel)


def address_hash(practice_id: str, channel: str, address: str) -> str:
    """Return the keyed hash of an address; phones must be in E.164. The same for every channel of one line."""
    kind = "phone" if line_of(channel) == "sms" else line_of(channel)
    return blind(kind, practice_id, address)
