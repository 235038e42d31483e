"""E-mail addresses as they are kept: small letters, and one look for the hash that finds them."""

from __future__ import annotations

import re

_FORM = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


class NotAnEmail(ValueError):
    """No e-mail address. The text does not repeat it."""


def email_address(text: str) -> str:
    """Return the address in small letters: no mailbox of today's tells them apart. Raises NotAnEmail."""
    found = text.strip().casefold()
    if not _FORM.fullmatch(found) or ".." in found.partition("@")[0]:
        raise NotAnEmail("not an e-mail address; write one such as name@example.org")
    return found
