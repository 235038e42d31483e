"""The gate's facts for thousands of accounts at once: what billing/gate.gather would read for each, fetched in sets.

Only the reading is different. The facts are the same, and the same core.decide rules on them; a property test holds the
two to each other (tests/campaigns/test_sets.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import gate_set_facts, gate_set_sheet
from billing.gate import ONE_WAY, VENDORS
from billing.gate_set_sheet import Sheet
from billing.gate_set_words import Named, Reading, Words
from billing.policy.core import DEMANDS, Facts, MessageFacts, PracticeFacts, vary
from billing.store.ledger_queries import chunks
from billing.store.practices import rules_in

__all__ = ["SET", "Candidate", "Setting", "Words", "facts_for", "facts_of", "setting_of"]

SET = 2_000
"""Accounts fetched at a time: enough that a query's own cost vanishes, few enough that memory stays flat."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that would be queued now: to one account, at one of its addresses, in ``words``.

    ``asks``: it asks for what is due, so the row would carry today's amount and balance version.
    """

    guarantor_id: str
    channel: str
    address: str
    address_hash: str
    purpose: str
    words: Words
    asks: bool = True
    statement_id: str | None = None
    campaign_id: str | None = None
    running: bool = False  # judged as if its campaign were sending, which is what a preview asks

    @property
    def is_capped(self) -> bool:
        """Whether the household's and the carrier's caps hold it back."""
        return self.purpose in DEMANDS or self.campaign_id is not None


@dataclass(frozen=True, slots=True)
class Setting:
    """What all candidates of one practice share in one moment."""

    practices: dict[str, PracticeFacts]
    reading: Reading
    blank: Facts


def facts_for(session: Session, practice_id: str, candidates: Sequence[Candidate], now: datetime) -> list[Facts]:
    """Return each candidate's facts, in order. Raises LookupError for an unknown practice."""
    policy, configured = rules_in(session, practice_id)
    found: list[Facts] = []
    for part in chunks(candidates, SET):
        sheet = gate_set_sheet.read(session, practice_id, policy, {one.guarantor_id for one in part}, now)
        gate_set_sheet.cover(session, sheet, {(one.channel, one.address_hash) for one in part})
        setting = setting_of(session, sheet, configured)
        found.extend(facts_of(setting, sheet, one) for one in part)
    return found


def setting_of(session: Session, sheet: Sheet, configured: bool, named: Named | None = None) -> Setting:
    """``named``: what the words of the sheets before it have shown."""
    practices = {channel: PracticeFacts(sheet.policy, configured, channel not in ONE_WAY, vendor)
                 for channel, vendor in {**_OWN, **VENDORS}.items()}
    blank = Facts(sheet.now, "queueing", practices["console"], MessageFacts(""))
    return Setting(practices, Reading(session, sheet, {} if named is None else named), blank)


_OWN = {"console": "", "paper": ""}


def facts_of(setting: Setting, sheet: Sheet, one: Candidate, account: Any = None) -> Facts:
    """One candidate's facts, from a sheet that covers its address."""
    if account is None:
        account = gate_set_facts.account(sheet, one.guarantor_id, one.words.language)
    return vary(setting.blank, {
        "practice": setting.practices[one.channel], "account": account,
        "message": setting.reading.message(one, account),
        "recipient": gate_set_facts.recipient(sheet, one.guarantor_id, one.channel, one.address, one.address_hash,
                                              capped=one.is_capped)})
