"""Phone numbers in their one written form. Pure: importers, which may not see the store, read numbers with it too."""

from __future__ import annotations

import phonenumbers


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
