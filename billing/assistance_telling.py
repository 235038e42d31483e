"""What a household tells of itself on our page: kept sealed with its application, and looked at by a person.

Never by text. The answers make the application complete: its day of decision counts from then on, and staff ask for
papers where they need them. The percent of the poverty level is put beside them by a person (``assistance.receive``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import assistance, assistance_posting, audit
from billing.lives import step
from billing.store import collection_queries as store
from billing.store import hold_queries
from billing.store.practices import policy_in
from billing.store.tables import AssistanceApplication

INTERVALS = {"month": 12, "year": 1}
SOURCES = ("work", "benefits", "pension", "support", "none", "other")
"""Where a household's income comes from; none of it is checked here."""

MOST_PEOPLE = 30
MOST_MINOR = 100_000_000_00
MOST_WORDS = 1000


class TellingRefused(ValueError):
    """An answer that is none: ``field`` (people, income, agree) or ``decided`` where somebody is working on it."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class Told:
    """``income_minor`` is of all people together, before taxes, in cents, every ``every`` (month, year)."""

    people: int
    income_minor: int
    every: str
    sources: tuple[str, ...] = ()
    words: str = ""

    @property
    def yearly_minor(self) -> int:
        return self.income_minor * INTERVALS[self.every]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an application stands, for the patient who made it. Days are practice-local."""

    number: int
    status: str
    asked_on: date
    received_on: date | None
    complete_by_on: date | None
    decide_by_on: date | None
    appeal_by_on: date | None
    missing: tuple[str, ...]
    discount_percent: int | None
    forgiven_minor: int
    reason: str
    told: bool  # the questions are answered
    measured: bool  # a person works on the answers


def check(told: Told) -> None:
    """Raises TellingRefused."""
    if not 1 <= told.people <= MOST_PEOPLE:
        raise TellingRefused("people")
    if told.every not in INTERVALS or not 0 <= told.yearly_minor <= MOST_MINOR or set(told.sources) - set(SOURCES):
        raise TellingRefused("income")


def tell(session: Session, practice_id: str, guarantor_id: str, told: Told, now: datetime) -> AssistanceApplication:
    """Keep the answers with the account's open application, or with a new one; before anybody has worked on them they
    may be given again. Raises TellingRefused.
    """
    check(told)
    row = assistance.ask(session, practice_id=practice_id, guarantor_id=guarantor_id, by="patient", now=now)
    if row.status == assistance.APPEALED or (row.status == assistance.RECEIVED and assistance.is_measured(row)):
        raise TellingRefused("decided")
    policy = policy_in(session, practice_id)
    if policy.assistance_on(row.asked_on) is None:  # a manager writes the policy first; what was told is not lost
        row.household, row.complete_by_on = _household(told), None
        row.received_on = row.received_on or policy.local_day(now)
    else:
        if row.status != assistance.RECEIVED:
            step("assistance application", assistance.MOVES, row, assistance.RECEIVED)
        assistance.start_deciding(row, _household(told), policy, now)
        assistance_posting.tell_agencies(session, row, "suspended", policy.local_day(now), now)
    session.flush()
    audit.record(session, practice_id, "patient", "assistance_told", "assistance_application", row.id, "page", now)
    return row


def _household(told: Told) -> dict[str, Any]:
    return {"people": told.people, "income_minor": told.yearly_minor, "source": "page", assistance.TOLD: {
        "income_minor": told.income_minor, "every": told.every, "sources": list(told.sources),
        "words": told.words.strip()[:MOST_WORDS]}}


def standing(session: Session, practice_id: str, guarantor_id: str) -> Standing | None:
    """The account's newest application; None where there never was one."""
    rows: Sequence[AssistanceApplication] = [
        one for one in store.applications_of(session, guarantor_id) if one.practice_id == practice_id]
    return _standing(rows[-1]) if rows else None


def _standing(row: AssistanceApplication) -> Standing:
    return Standing(
        row.number, row.status, row.asked_on, row.received_on, row.complete_by_on, row.decide_by_on, row.appeal_by_on,
        tuple(str(one) for one in row.missing), row.discount_percent, row.forgiven_minor, row.reason,
        assistance.TOLD in (row.household or {}), assistance.is_measured(row))


def appeal(session: Session, practice_id: str, guarantor_id: str, now: datetime) -> None:
    """The patient asks for another look at a denial. Raises AssistanceRefused, IllegalMove."""
    hold_queries.lock(session, guarantor_id)
    found = standing(session, practice_id, guarantor_id)
    if found is None:
        raise assistance.AssistanceRefused("there is no application to appeal")
    assistance.appeal(session, practice_id, str(found.number), by="patient", now=now)
