"""What becomes of a number or an address of an account, beside ``ok``."""

from __future__ import annotations

#: The account has it no more, and nobody says that somebody else has it.
ENDED = "ended"
#: Somebody else has it.
WRONG_NUMBER = "wrong_number"
#: A chat that was parted from the account.
UNLINKED = "unlinked"

#: It is the account's no more: nothing that comes from there is the account's, and nothing goes there for it.
GONE = frozenset({ENDED, WRONG_NUMBER, UNLINKED})
