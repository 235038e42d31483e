"""The message's side of the gate's facts, in sets: a body that thousands share is read once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Literal, Protocol, cast

from sqlalchemy.orm import Session

from billing import carrier_caps
from billing.gate_set_sheet import Sheet
from billing.policy import wording
from billing.policy.core import AccountFacts, MessageFacts, vary
from billing.store import gate_set_queries, household_queries, window_queries
from billing.store.seal import blind, normal_account
from billing.store.tables import Outbox


@dataclass(frozen=True, slots=True)
class Words:
    """A message as it would be written for one way and language; ``body`` with an example's link and amount."""

    template: str
    version: str
    language: str
    privacy: str
    body: str
    segments: int


class Written(Protocol):
    """A gate_sets.Candidate."""

    @property
    def guarantor_id(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def address_hash(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def words(self) -> Words: ...
    @property
    def asks(self) -> bool: ...
    @property
    def statement_id(self) -> str | None: ...
    @property
    def campaign_id(self) -> str | None: ...
    @property
    def running(self) -> bool: ...
    @property
    def is_capped(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Body:
    """What reading the words has shown, and by which account numbers' hashes they would name somebody."""

    facts: MessageFacts
    folded: str
    named: frozenset[str]

    def may_name(self, external_hash: str | None, guarantor_id: str, visits: Iterable[tuple[Any, ...]]) -> bool:
        """Whether it may hold a number of this account or of one of these visits, whose ids come first in them."""
        folded = self.folded
        if external_hash in self.named or guarantor_id in folded:
            return True
        for one in visits:  # noqa: SIM110  # asked of every account of a preview
            if one[0] in folded:
                return True
        return False


Named = dict[tuple[str, str], frozenset[str]]
"""What ``_hashes_named`` has found, by practice and body: the sheets of one preview have few bodies between them."""


class Reading:
    """Reads words, caps and campaigns of one sheet, each once. ``named`` may be shared with other sheets."""

    def __init__(self, session: Session, sheet: Sheet, named: Named) -> None:
        self._session, self._sheet, self._named = session, sheet, named
        self._bodies: dict[tuple[int, str, str, str | None], Body] = {}
        self._kept: list[Words] = []  # keeps the ids in use above from being given to others
        self._rooms: dict[tuple[str, int, bool], datetime | None] = {}
        self._used = cache(partial(window_queries.used, session))

    def message(self, one: Written, account: AccountFacts) -> MessageFacts:
        """As billing/gate._message, of a row that would be queued now."""
        body = self.body(one)
        changes: dict[str, object] = {}
        if one.asks:
            changes["amount_minor"], changes["balance_version"] = account.due_now_minor, account.balance_version
        if one.statement_id is not None:
            changes["statement_id"] = one.statement_id
        if one.channel == "sms" and one.is_capped:
            changes["room_at"] = self.room_at(one)
        person = self._sheet.people.get(one.guarantor_id)
        if body.may_name(person.external_hash if person is not None else None, one.guarantor_id,
                         account.due_visits):
            changes["identifiers"] = self._identifiers(one, account)
        return vary(body.facts, changes)

    def body(self, one: Written) -> Body:
        key = (id(one.words), one.channel, one.purpose, one.campaign_id)
        body = self._bodies.get(key)
        if body is None:
            self._kept.append(one.words)
            body = self._bodies[key] = self._read(one)
        return body

    def _read(self, one: Written) -> Body:
        policy, words, body = self._sheet.policy, one.words, one.words.body
        facts = MessageFacts(
            purpose=one.purpose, template=words.template, template_version=words.version,
            privacy=cast(Literal["open", "amounts"], words.privacy), language=words.language, channel=one.channel,
            segments=words.segments, introduces=wording.introduces(body, policy.name),
            says_no_replies=wording.says_no_replies(body, policy.phone), links=wording.links(body),
            shorteners=wording.shorteners(body), card_number=wording.has_card_number(body),
            campaign="sending" if one.running else household_queries.campaign_status(self._session, one.campaign_id),
            says_opt_out=wording.says_opt_out(body), says_collector=wording.says_collector(body),
            says_attempt=wording.says_attempt(body), validates=words.template.endswith("validation_notice"),
            bad_words=wording.bad_words(body))
        key = self._sheet.practice_id, body
        if key not in self._named:
            self._named[key] = _hashes_named(*key)
        return Body(facts, body.casefold(), self._named[key])

    def room_at(self, one: Written) -> datetime | None:
        """The caps are the practice's; of the number only its carrier matters."""
        carrier = carrier_at(self._sheet, one.address_hash)
        key = (carrier, one.words.segments, one.is_capped)
        if key not in self._rooms:
            row = Outbox(practice_id=self._sheet.practice_id, channel=one.channel, address_hash=one.address_hash,
                         purpose=one.purpose, campaign_id=one.campaign_id, segments=one.words.segments)
            self._rooms[key] = carrier_caps.room_at(self._session, row, self._sheet.policy, self._sheet.now, carrier,
                                                    self._used)
        return self._rooms[key]

    def _identifiers(self, one: Written, account: AccountFacts) -> tuple[str, ...]:
        external = gate_set_queries.externals(self._session, [one.guarantor_id]).get(one.guarantor_id, "")
        return wording.identifiers(one.words.body, {
            "our account id": (one.guarantor_id,), "account number": (external,),
            "visit id": tuple(visit_id for visit_id, _ in account.due_visits)})


def carrier_at(sheet: Sheet, hashed: str) -> str:
    """The carrier on record at a number that the sheet covers, or "" where there is none or accounts disagree."""
    found = sheet.carriers.get(hashed)
    if found is None:
        found = sheet.carriers[hashed] = carrier_caps.carrier_of([carrier for _, carrier in sheet.at.get(hashed, ())])
    return found


_STARTS = re.compile(r"(?<![\w$.,])(?=\S)")
_ENDS = re.compile(r"(?<=\S)(?!\w|[.,]\d)")
_LONGEST = 40


def _hashes_named(practice_id: str, body: str) -> frozenset[str]:
    """The keyed hashes of everything in a body that could be an account number, so that no number need be opened to
    see that it is not there (T-39).
    """
    ends = [match.end() for match in _ENDS.finditer(body)]
    found = {normal_account(body[start:end]) for start in (match.start() for match in _STARTS.finditer(body))
             for end in ends if start < end <= start + _LONGEST}
    return frozenset(blind("account", practice_id, text) for text in found)


