"""Something about somebody reached somebody else: what it was, how bad it is, and until when the people are told.

An impermissible disclosure is presumed to be a breach unless the four factors of 45 CFR 164.402(2), written down, show
a low probability that the information was compromised. People are told without unreasonable delay and at most 60
calendar days after it was found (45 CFR 164.404(b)); the day is counted from the practice's own day of finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from billing import audit
from billing.ids import new_id
from billing.store import console_account_queries, counters
from billing.store import correction_queries as store
from billing.store.practices import policy_in
from billing.store.tables import PrivacyIncident

TELL_WITHIN = timedelta(days=60)
KINDS = ("wrong_party", "wrong_document", "lost", "other")
OPEN, ASSESSED, TOLD, CLOSED = "open", "assessed", "told", "closed"
BREACH, LOW = "breach", "low_probability"


class IncidentRefused(ValueError):
    """A step that an incident does not have, or something that is missing. The text says what to do; no PHI."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The four factors in words, and what follows. ``nature``: what it was, and how surely it names somebody;
    ``recipient``: who got it; ``seen``: whether it was acquired or looked at; ``mended``: how far the risk was made
    smaller.
    """

    nature: str
    recipient: str
    seen: str
    mended: str
    conclusion: Literal["breach", "low_probability"]


def open_incident(session: Session, practice_id: str, *, kind: str, what: str, accounts: Sequence[str], by: str,
                  now: datetime, dedupe: str = "") -> PrivacyIncident:
    """Write down what was found; the clock runs from now. The same ``dedupe`` again returns the first. Raises
    IncidentRefused.
    """
    counters.lock_counter(session, practice_id, "privacy_incidents")
    known = store.known_incident(session, practice_id, dedupe) if dedupe else None
    if known is not None:
        return known
    if kind not in KINDS or not what.strip():
        raise IncidentRefused(f"say what happened, and which kind it is: {', '.join(KINDS)}")
    if any(console_account_queries.account(session, practice_id, one) is None for one in accounts):
        raise LookupError("there is no such account")
    policy = policy_in(session, practice_id)
    row = PrivacyIncident(
        id=new_id("inc"), practice_id=practice_id,
        number=counters.next_number(session, practice_id, "privacy_incidents"), kind=kind, found_at=now, found_by=by,
        accounts=sorted(set(accounts)), what=what.strip(), dedupe="", tell_by_on=policy.local_day(now) + TELL_WITHIN,
        status=OPEN)
    row.dedupe = dedupe or row.id
    store.add(session, row)
    audit.record(session, practice_id, by, "incident_opened", "privacy_incident", row.id, kind, now)
    return row


def from_wrong_number(session: Session, practice_id: str, address_hash: str, accounts: Sequence[str], *, by: str,
                      now: datetime) -> PrivacyIncident | None:
    """The person at a number is not the patient, and messages with amounts went there: they read what was not theirs.
    None where nothing but open words went (T-32).
    """
    count = store.told_to_address(session, practice_id, address_hash)
    if not count:
        return None
    return open_incident(
        session, practice_id, kind="wrong_party", accounts=accounts, by=by, now=now,
        dedupe=f"wrong_number:{address_hash}",
        what=f"The person at a number says that it is not the patient's. {count} messages with amounts went there.")


def assess(session: Session, practice_id: str, incident_id: str, found: Assessment, *, by: str, now: datetime,
           ) -> PrivacyIncident:
    """Write down the four factors and what follows; again while nobody has been told. Raises IncidentRefused."""
    row = _row(session, practice_id, incident_id)
    if row.status not in (OPEN, ASSESSED):
        raise IncidentRefused(f"incident {row.number} is {row.status}")
    factors = (found.nature, found.recipient, found.seen, found.mended)
    if not all(one.strip() for one in factors) or found.conclusion not in (BREACH, LOW):
        raise IncidentRefused("an assessment answers all four questions and says what follows")
    row.nature, row.recipient, row.seen, row.mended = factors
    row.conclusion, row.concluded_by, row.concluded_at, row.status = found.conclusion, by, now, ASSESSED
    return _noted(session, row, by, "incident_assessed", now)


def tell(session: Session, practice_id: str, incident_id: str, *, on: date, how: str, by: str, now: datetime,
         ) -> PrivacyIncident:
    """The people were told of a breach, on this practice-local day. Raises IncidentRefused."""
    row = _row(session, practice_id, incident_id)
    policy = policy_in(session, practice_id)
    if row.conclusion != BREACH or row.status not in (ASSESSED, TOLD):
        raise IncidentRefused("people are told of what was found to be a breach; assess it first")
    if not policy.local_day(row.found_at) <= on <= policy.local_day(now) or not how.strip():
        raise IncidentRefused("say on which day they were told, from the finding until today, and how")
    row.told_on, row.told_how, row.status = on, how.strip(), TOLD
    return _noted(session, row, by, "incident_told", now)


def close(session: Session, practice_id: str, incident_id: str, *, by: str, now: datetime) -> PrivacyIncident:
    """Done: a low probability was shown, or the people were told. Raises IncidentRefused."""
    row = _row(session, practice_id, incident_id)
    done = row.status == TOLD or (row.status == ASSESSED and row.conclusion == LOW)
    if not done:
        raise IncidentRefused("an incident ends when a low probability is shown, or when the people have been told")
    row.status, row.closed_by, row.closed_at = CLOSED, by, now
    return _noted(session, row, by, "incident_closed", now)


def _row(session: Session, practice_id: str, incident_id: str) -> PrivacyIncident:
    row = store.incident(session, practice_id, incident_id, lock=True)
    if row is None:
        raise LookupError("there is no such incident")
    return row


def _noted(session: Session, row: PrivacyIncident, by: str, what: str, now: datetime) -> PrivacyIncident:
    session.flush()
    audit.record(session, row.practice_id, by, what, "privacy_incident", row.id, row.conclusion, now)
    return row
