"""By which way an account is told: the first of those asked for that works, and why each before it did not.

The patient's wishes come first (45 CFR 164.522(b)): an address that a confidential-communication request excludes is
never fallen back on, and after such a request only what was set up since then counts (T-33).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy.orm import Session

from billing import consents, preferences
from billing.phones import address_hash
from billing.policy.collector import capacity_of
from billing.store import preference_queries, way_queries
from billing.store.practices import policy_in
from billing.store.tables import Guarantor, Preference
from config.dunning_policy import Way
from config.practice import PracticePolicy

__all__ = ["RULE", "WHY", "Address", "Choice", "NoWay", "Passed", "choose"]

Why = Literal["no_address", "opted_out", "unreachable", "wrong_number", "returned", "unlinked", "ended", "confidential",
              "asked_other_way", "no_consent", "below_minimum", "not_set_up", "collector", "at_work"]

WHY: Mapping[Why, str] = {
    "no_address": "there is no such address on file",
    "opted_out": "the patient opted out of it",
    "unreachable": "the carrier or server says that it cannot be reached",
    "wrong_number": "it is somebody else's",
    "returned": "mail came back from it",
    "unlinked": "the chat was parted from the account",
    "ended": "it is not the patient's any more",
    "confidential": "the patient asked that nothing comes there",
    "asked_other_way": "the patient asked for bills another way",
    "no_consent": "no consent to texts is on record for the number",
    "below_minimum": "the amount is below the minimum for it",
    "not_set_up": "the practice has not set it up",
    "collector": "a collector's account is never texted (T-15)",
    "at_work": "it is an employer's address (T-24)",
}

#: The gate's rule that would withhold whatever went there; the other reasons are the practice's or the carrier's own.
RULE: Mapping[Why, str] = {"opted_out": "T-03", "no_consent": "T-01", "collector": "T-15", "at_work": "T-24"}

_WISH: Mapping[str, Way] = {"text": "sms", "paper": "paper", "email": "email"}


@dataclass(frozen=True, slots=True)
class Passed:
    """A way that was not taken, and why, as a code of ``WHY``."""

    way: Way
    why: Why

    @property
    def words(self) -> str:
        return f"{self.way}: {WHY[self.why]}"


@dataclass(frozen=True, slots=True)
class Choice:
    way: Way
    address: str
    address_hash: str
    passed: tuple[Passed, ...] = ()


@dataclass(frozen=True, slots=True)
class NoWay:
    passed: tuple[Passed, ...] = ()

    @property
    def words(self) -> str:
        return "no way to reach them; " + "; ".join(one.words for one in self.passed)


@dataclass(frozen=True, slots=True)
class Address:
    """A place where an account may be told. ``since`` empty: it came with the account itself."""

    address: str
    hashed: str
    status: str = "ok"
    since: datetime | None = None
    at_work: bool = False


class Party(Protocol):
    """A guarantor, as far as ways are concerned."""

    @property
    def id(self) -> str: ...
    @property
    def practice_id(self) -> str: ...
    @property
    def capacity(self) -> str: ...
    @property
    def address(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Owner:
    """A guarantor with the capacity in which we ask, as the gate derives it (T-20)."""

    id: str
    practice_id: str
    capacity: str
    address: str | None


class Contact(Protocol):
    """A contact point, as far as ways are concerned."""

    @property
    def channel(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def address_hash(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def created_at(self) -> datetime | None: ...
    @property
    def at_work(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Seeker:
    """Everything about the account that bears on every way, read once. ``stands`` and ``wishes`` read what holds at an
    address (way, address hash).
    """

    stands: Callable[[Way, str], consents.Standing]
    wishes: Callable[[Way, str], preferences.Wishes]
    guarantor: Party
    policy: PracticePolicy
    contacts: Sequence[Contact]
    confidential_at: datetime | None
    wish: Way | Literal["call"] | None
    wish_only: bool
    wished_at: datetime | None
    amount_minor: int
    minimum_minor: Mapping[Way, int]


def choose(session: Session, guarantor_id: str, ways: Sequence[Way], *, amount_minor: int = 0,
           minimum_minor: Mapping[Way, int] | None = None) -> Choice | NoWay:
    """Pick the first of ``ways`` that works, the one that the patient asked for before the others.

    ``amount_minor`` (cents) below a way's ``minimum_minor`` passes it over.
    """
    return pick(_seeker(session, guarantor_id, amount_minor, minimum_minor or {}), ways)


def pick(seeker: Seeker, ways: Sequence[Way]) -> Choice | NoWay:
    """As ``choose``, of what has been read already: one account's, or thousands' (billing/planning.py)."""
    passed: list[Passed] = []
    for way in _in_order(ways, seeker):
        found = _try(seeker, way)
        if isinstance(found, Address):
            return Choice(way, found.address, found.hashed, tuple(passed))
        passed.append(Passed(way, found))
    return NoWay(tuple(passed))


def _seeker(session: Session, guarantor_id: str, amount_minor: int, minimum_minor: Mapping[Way, int]) -> Seeker:
    guarantor = session.get_one(Guarantor, guarantor_id)
    policy = policy_in(session, guarantor.practice_id)
    contacts = way_queries.contacts(session, guarantor_id)
    practice_id = guarantor.practice_id
    owner = Owner(guarantor.id, practice_id,
                  capacity_of(guarantor.capacity, guarantor.defaulted_on, guarantor.obtained_on), guarantor.address)
    events = [one for contact in contacts for one in preference_queries.of_address(
        session, practice_id, contact.channel, contact.address_hash)]
    return seeker_of(
        lambda way, hashed: consents.standing(session, practice_id, way, hashed, guarantor_id),
        lambda way, hashed: preferences.standing(session, practice_id, way, hashed, guarantor_id),
        owner, policy, contacts, preference_queries.of_account(session, practice_id, guarantor_id), events,
        amount_minor, minimum_minor)


def seeker_of(stands: Callable[[Way, str], consents.Standing], wishes: Callable[[Way, str], preferences.Wishes],
              guarantor: Party, policy: PracticePolicy, contacts: Sequence[Contact], of_account: Iterable[Preference],
              of_addresses: Sequence[Preference], amount_minor: int, minimum_minor: Mapping[Way, int]) -> Seeker:
    """``of_account``: what the account has wished for, oldest first; ``of_addresses``: what was at its contacts."""
    wish, only, wished_at = _wish(of_addresses)
    return Seeker(stands, wishes, guarantor, policy, contacts, _confidential_at(of_account), wish, only, wished_at,
                  amount_minor, minimum_minor)


def _confidential_at(of_account: Iterable[Preference]) -> datetime | None:
    """When the account last asked, at any address, that nothing comes there, if that still stands."""
    newest: dict[tuple[str, str], tuple[bool, datetime]] = {}
    for one in of_account:
        if one.kind == preferences.CONFIDENTIAL:
            newest[(one.channel, one.address_hash)] = (bool(one.value.get("on")), one.at)
    return max((at for on, at in newest.values() if on), default=None)


def _wish(of_addresses: Sequence[Preference]) -> tuple[Way | Literal["call"] | None, bool, datetime | None]:
    """The newest wish about the way, at any of the account's addresses."""
    events = [one for one in of_addresses if one.kind == preferences.WAY]
    if not events:
        return None, False, None
    last = max(events, key=lambda one: one.id)
    way = str(last.value["way"])
    return ("call" if way == "call" else _WISH[way]), bool(last.value.get("only")), last.at


def _in_order(ways: Sequence[Way], seeker: Seeker) -> list[Way]:
    return sorted(ways, key=lambda way: way != seeker.wish)


def _try(seeker: Seeker, way: Way) -> Address | Why:
    """The address to use by this way, or the reason why there is none."""
    if (barred := _barred(seeker, way)) is not None:
        return barred
    refusals: list[Why] = []
    for place in _places(seeker, way):
        refusal = _refusal(seeker, way, place)
        if refusal is None:
            return place
        refusals.append(refusal)
    return refusals[0] if refusals else "no_address"


def _barred(seeker: Seeker, way: Way) -> Why | None:
    policy = seeker.policy
    if (way == "email" and policy.mail is None) or (way == "telegram" and policy.telegram is None):
        return "not_set_up"
    if way in ("sms", "telegram") and seeker.guarantor.capacity == "collector":
        return "collector"
    if seeker.wish_only and way != seeker.wish and not (way == "paper" and seeker.wish == "call"):
        return "asked_other_way"
    if seeker.amount_minor < seeker.minimum_minor.get(way, 0):
        return "below_minimum"
    return None


def _places(seeker: Seeker, way: Way) -> list[Address]:
    found = [Address(one.address, one.address_hash, one.status, one.created_at, one.at_work)
             for one in seeker.contacts if one.channel == way]
    own = seeker.guarantor.address
    if way == "paper" and own:
        hashed = address_hash(seeker.guarantor.practice_id, "paper", own)
        if all(one.hashed != hashed for one in found):
            found.append(Address(own, hashed))
    return found


def _refusal(seeker: Seeker, way: Way, place: Address) -> Why | None:
    if place.status != "ok":
        return _OF_STATUS.get(place.status, "unreachable")
    if _is_excluded(seeker, way, place):
        return "confidential"
    if place.at_work:
        return "at_work"
    stands = seeker.stands(way, place.hashed)
    if stands.opted_out:
        return "opted_out"
    # Ringing no bell: without a consent the gate would withhold the text, and nobody would hear anything at all.
    return "no_consent" if way == "sms" and stands.consent_event_id is None else None


_OF_STATUS: Mapping[str, Why] = {"wrong_number": "wrong_number", "unreachable": "unreachable",
                                 "returned": "returned", "unlinked": "unlinked",
                                 "ended": "ended"}


def _is_excluded(seeker: Seeker, way: Way, place: Address) -> bool:
    asked_at = seeker.confidential_at
    if asked_at is None:
        return False
    wishes = seeker.wishes(way, place.hashed)
    if wishes.confidential_id is not None:
        return True
    set_up_since = place.since is not None and place.since > asked_at
    named_since = seeker.wish == way and seeker.wished_at is not None and seeker.wished_at >= asked_at
    return not (set_up_since or named_since)
