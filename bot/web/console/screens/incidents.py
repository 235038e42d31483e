"""Privacy incidents with their assessment and the last day for telling people; corrections of wrong amounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import Field
from sqlalchemy.orm import Session

from billing import corrections, privacy_incidents
from billing.accounts import find_account
from billing.store import console_list_queries
from billing.store import correction_queries as store
from billing.store.tables import Correction, PrivacyIncident
from bot import correcting
from bot.web.console import addressed
from bot.web.console.fields import Day, Id, Maybe, Reason, Several, Ticked, Words
from bot.web.console.table import Action, Asked, Done, Form, Missing, Nothing, Seen, View, of_practice

PAGE = 50
#: How far back a correction by hand looks for what was said.
LOOKS_BACK = timedelta(days=120)


class IncidentQuery(Form):
    """``before``: the lowest number of the page before."""

    closed: Ticked = False
    before: int = Field(default=0, ge=0, le=2**31)


class NewIncident(Form):
    kind: Literal["wrong_party", "wrong_document", "lost", "other"]
    what: Words
    account_ids: Several[Id] = Field(default_factory=list)


class Assess(Form):
    """The four questions of 45 CFR 164.402(2), and what follows."""

    nature: Words
    recipient: Words
    seen: Words
    mended: Words
    conclusion: Literal["breach", "low_probability"]


class Told(Form):
    on: Day
    how: Reason


class CorrectionQuery(Form):
    """``after``: the last row of the page before."""

    done: Ticked = False
    after: Maybe[Id] = None


class AskCorrection(Form):
    reason: Reason


class Review(Form):
    """``tell`` unticked: nobody is told, and the note says why."""

    tell: Ticked = False
    note: Reason


@dataclass(frozen=True, slots=True)
class Concerned:
    account_id: str
    number: str


@dataclass(frozen=True, slots=True)
class Incident:
    """``tell_by_on``: the last day for telling the people, practice-local; ``late``: it has passed untold."""

    incident_id: str
    number: int
    kind: str
    status: str
    found_at: datetime
    found_by: str
    what: str
    accounts: list[Concerned]
    nature: str
    recipient: str
    seen: str
    mended: str
    conclusion: str
    concluded_by: str
    concluded_at: datetime | None
    tell_by_on: date
    late: bool
    told_on: date | None
    told_how: str
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Incidents:
    incidents: list[Incident]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """Cents. ``said_minor`` None: the amount was in the words alone. ``mine``: the reader asked for it."""

    correction_id: str
    account_id: str
    number: str
    cause: str
    reason: str
    said_minor: int | None
    said_at: datetime | None
    right_minor: int
    status: str
    asked_by: str
    asked_at: datetime
    mine: bool
    reviewed_by: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Corrections:
    corrections: list[CorrectionLine]
    more: bool


def read(session: Session, asked: Asked[IncidentQuery]) -> Incidents:
    rows = store.incidents(session, asked.practice_id, closed=asked.query.closed, before=asked.query.before,
                           most=PAGE + 1)
    return Incidents([_incident(session, asked.practice_id, row, asked.today) for row in rows[:PAGE]],
                     rows[PAGE - 1].number if len(rows) > PAGE else None)


def show(session: Session, asked: Asked[Nothing]) -> Incident | None:
    row = store.incident(session, asked.practice_id, asked.path["incident_id"])
    return _incident(session, asked.practice_id, row, asked.today, named=True) if row is not None else None


def _incident(session: Session, practice_id: str, row: PrivacyIncident, today: date, *, named: bool = False,
              ) -> Incident:
    """``named``: with the accounts' numbers, which a list does without."""
    ids = [str(one) for one in row.accounts]
    numbers = console_list_queries.numbers(session, practice_id, ids) if named else {}
    untold = row.status in (privacy_incidents.OPEN, privacy_incidents.ASSESSED) and row.conclusion != "low_probability"
    return Incident(
        row.id, row.number, row.kind, row.status, row.found_at, row.found_by, row.what,
        [Concerned(one, numbers.get(one, "")) for one in ids], row.nature, row.recipient, row.seen, row.mended,
        row.conclusion, row.concluded_by or "", row.concluded_at, row.tell_by_on, untold and today > row.tell_by_on,
        row.told_on, row.told_how, row.closed_at)


def add(session: Session, asked: Asked[NewIncident]) -> Done:
    """Accounts by our ids, or by their own numbers as people know them."""
    form = asked.query
    found = [find_account(session, asked.practice_id, one) for one in form.account_ids]
    if None in found:
        raise Missing
    row = privacy_incidents.open_incident(
        session, asked.practice_id, kind=form.kind, what=form.what, accounts=[one.id for one in found if one],
        by=asked.person.login, now=asked.now)
    return Done("privacy_incident", row.id, f"/incidents/{row.id}", result={"incident_id": row.id})


def assess(session: Session, asked: Asked[Assess]) -> Done:
    form = asked.query
    row = privacy_incidents.assess(
        session, asked.practice_id, asked.path["incident_id"], privacy_incidents.Assessment(
            form.nature, form.recipient, form.seen, form.mended, form.conclusion), by=asked.person.login,
        now=asked.now)
    return Done("privacy_incident", row.id, f"/incidents/{row.id}")


def tell(session: Session, asked: Asked[Told]) -> Done:
    row = privacy_incidents.tell(session, asked.practice_id, asked.path["incident_id"], on=asked.query.on,
                                 how=asked.query.how, by=asked.person.login, now=asked.now)
    return Done("privacy_incident", row.id, f"/incidents/{row.id}")


def close(session: Session, asked: Asked[Nothing]) -> Done:
    row = privacy_incidents.close(session, asked.practice_id, asked.path["incident_id"], by=asked.person.login,
                                  now=asked.now)
    return Done("privacy_incident", row.id, "/incidents")


def read_corrections(session: Session, asked: Asked[CorrectionQuery]) -> Corrections:
    rows = store.corrections(session, asked.practice_id, waiting=not asked.query.done, after=asked.query.after or "",
                             most=PAGE + 1)
    return Corrections([_correction(row, number, asked.person.login) for row, number in rows[:PAGE]],
                       len(rows) > PAGE)


def _correction(row: Correction, number: str, me: str) -> CorrectionLine:
    return CorrectionLine(
        row.id, row.guarantor_id, number, row.cause.partition(":")[0], row.reason, row.said_minor, row.said_at,
        row.right_minor, row.status, row.asked_by, row.asked_at, row.asked_by == me, row.reviewed_by or "",
        row.message_id or "")


def ask_correction(session: Session, asked: Asked[AskCorrection]) -> Done:
    account = addressed.account(session, asked)
    row = corrections.ask(session, asked.practice_id, account.id, asked.query.reason, since=asked.now - LOOKS_BACK,
                          by=asked.person.login, today=asked.today, now=asked.now)
    return Done("correction", row.id, "/corrections", result={"correction_id": row.id})


def review(session: Session, asked: Asked[Review]) -> Done:
    correction_id, form, by = asked.path["correction_id"], asked.query, asked.person.login
    if not form.tell:
        row = corrections.decline(session, asked.practice_id, correction_id, by=by, note=form.note, now=asked.now)
    else:
        row = correcting.tell(session, asked.wiring.road, asked.policy, correction_id, asked.practice_id, by=by,
                              note=form.note, now=asked.now)
    return Done("correction", row.id, "/corrections", f"correction_{row.status}",
                {"status": row.status, "message_id": row.message_id or ""})


VIEWS = (
    View("incidents", "/incidents", "cases", read, Incidents, IncidentQuery,
         of_practice("privacy incidents")),
    View("incident", "/incidents/{incident_id}", "cases", show, Incident,
         seen=lambda found: Seen("privacy_incident", found.incident_id)),
    View("corrections", "/corrections", "cases", read_corrections, Corrections, CorrectionQuery,
         of_practice("corrections")),
)
ACTIONS = (
    Action("incident.open", "/incidents", "cases", NewIncident, add),
    Action("incident.assess", "/incidents/{incident_id}/assessment", "approve", Assess, assess),
    Action("incident.tell", "/incidents/{incident_id}/told", "approve", Told, tell),
    Action("incident.close", "/incidents/{incident_id}/close", "approve", Nothing, close),
    Action("correction.ask", "/accounts/{account_id}/corrections", "cases", AskCorrection, ask_correction),
    Action("correction.review", "/corrections/{correction_id}/review", "approve", Review, review),
)
