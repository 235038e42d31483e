"""What somebody offers to prove who they are: date of birth or passcode, and ZIP (T-34). Compared, never spoken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing import passcode_digest
from billing.views import AccountView
from handlers.core import Turn

#: Under these names a proof that is not complete yet waits in a state's data.
KEYS = ("born_on", "codes", "postal_code")


@dataclass(frozen=True, slots=True)
class Proof:
    """``codes``: a passcode's digests, one for each account here that has one; its digits are in no state. None: no
    passcode was offered.
    """

    born_on: date | None = None
    codes: tuple[str, ...] | None = None
    postal_code: str | None = None

    @property
    def has_secret(self) -> bool:
        return self.born_on is not None or self.codes is not None

    @property
    def is_complete(self) -> bool:
        return self.has_secret and self.postal_code is not None

    def kept(self) -> dict[str, Any]:
        """As data of a state."""
        parts = (self.born_on.isoformat() if self.born_on else None,
                 None if self.codes is None else list(self.codes), self.postal_code)
        return {key: value for key, value in zip(KEYS, parts, strict=True) if value is not None}

    def is_of(self, account: AccountView) -> bool:
        """Where a passcode is set it counts, and the date of birth does not any more: a family knows that one."""
        known = (account.postal_code or "")[:5]
        if not account.confirmed or len(known) != 5 or known != (self.postal_code or "")[:5]:
            return False
        if account.passcode is None:
            return self.born_on is not None and account.born_on == self.born_on
        return any(passcode_digest.same(account.passcode, code) for code in self.codes or ())


def offered(turn: Turn, data: Mapping[str, Any]) -> Proof:
    """What this text and what waited from the ones before come to."""
    slots = turn.reading.slots
    born = slots.born_on or (date.fromisoformat(data["born_on"]) if data.get("born_on") else None)
    codes = tuple(data["codes"]) if "codes" in data else None
    if slots.passcode:
        known = [account.passcode for account in turn.candidates if account.passcode is not None]
        codes = tuple(passcode_digest.digest(slots.passcode, one.salt) for one in known)
    return Proof(born, codes, slots.postal_code or data.get("postal_code"))
