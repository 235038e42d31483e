"""One account whole: who it is, each visit with its derivation down to the source lines, and all that was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from billing import explain, figures, source_lines, verdicts
from billing.console.account_lists import (
    CaseLine,
    Contact,
    HoldLine,
    MessageLine,
    PaymentLine,
    PlanLine,
    Said,
    StatementLine,
    lists_of,
)
from billing.store import console_account_queries as store
from billing.store.tables import Guarantor, Patient
from billing.views import Explanation, Figures, SourceLine
from config.practice import PracticePolicy


@dataclass(frozen=True, slots=True)
class StepLine:
    """One line of a derivation, and the rows that it was read from. Signs as billing/explain.py has them."""

    kind: str
    amount_minor: int
    payer: str
    code: str
    on: date | None
    naming: bool  # names once more what others add up to; left out of the sum
    lines: list[SourceLine]


@dataclass(frozen=True, slots=True)
class Payer:
    rank: int
    name: str
    status: str
    open_minor: int


@dataclass(frozen=True, slots=True)
class VisitPage:
    """``foots`` false: the lines do not add up, ``reason`` says where, and nothing of it is said to the patient."""

    visit_id: str
    number: str
    patient: str
    provider: str
    service_on: date | None
    confidential: bool
    charge_minor: int
    figures: Figures
    payers: list[Payer]
    holds: list[str]
    foots: bool
    reason: str
    steps: list[StepLine]
    left_minor: int


@dataclass(frozen=True, slots=True)
class Kin:
    patient_id: str
    name: str
    born_on: date | None


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Amounts are cents in the practice's currency; days are practice-local."""

    account_id: str
    number: str
    name: str
    born_on: date | None
    address: str
    postal_code: str
    region: str
    language: str
    confirmed_at: datetime | None
    confirmed_by: str
    capacity: str
    balance_version: int
    figures: Figures
    patients: list[Kin]
    visits: list[VisitPage]
    contacts: list[Contact]
    holds: list[HoldLine]
    statements: list[StatementLine]
    payments: list[PaymentLine]
    plans: list[PlanLine]
    consents: list[Said]
    cases: list[CaseLine]
    messages: list[MessageLine]


def load(session: Session, practice_id: str, account_id: str, policy: PracticePolicy, today: date,
         ) -> AccountPage | None:
    """The account; None where the practice has none of this id. ``today`` is practice-local."""
    row = store.account(session, practice_id, account_id)
    if row is None:
        return None
    sums = figures.account_figures(session, row.id, today)
    patients = store.patients(session, row.id)
    return AccountPage(
        account_id=row.id, number=row.external, name=row.name, born_on=_day(row.born_on), address=row.address or "",
        postal_code=row.postal_code or "", region=row.region or "", language=row.language,
        confirmed_at=row.confirmed_at, confirmed_by=row.confirmed_by or "", capacity=row.capacity,
        balance_version=row.balance_version, figures=sums.total,
        patients=[Kin(one.id, one.name, _day(one.born_on)) for one in patients],
        visits=_visits(session, row, sums, patients, policy), **lists_of(session, practice_id, row.id))


def _visits(session: Session, row: Guarantor, sums: figures.AccountFigures, patients: Sequence[Patient],
            policy: PracticePolicy) -> list[VisitPage]:
    told = {one.visit_id: one for one in explain.explain_account(session, row.id)}
    names = [name for one in told.values() for step in one.steps for name in step.sources]
    lines = source_lines.load(session, row.practice_id, names, policy.zone)
    whose = store.patient_of_visit(session, row.id)
    named = {one.id: one.name for one in patients}
    return [_visit(visit, told[visit.visit_id], lines, named.get(whose.get(visit.visit_id, ""), ""))
            for visit in reversed(sums.visits) if visit.visit_id in told]


def _visit(visit: figures.VisitFigures, told: Explanation, lines: Mapping[str, SourceLine], patient: str) -> VisitPage:
    return VisitPage(
        visit_id=visit.visit_id, number=visit.external, patient=patient, provider=visit.provider,
        service_on=visit.service_on, confidential=visit.confidential, charge_minor=visit.charge_minor,
        figures=visit.figures,
        payers=[Payer(one.rank, one.payer_name, one.status, one.balance_minor) for one in visit.coverages],
        holds=sorted({one.kind for one in visit.holds}), foots=told.foots, reason=told.reason,
        left_minor=told.left_minor,
        steps=[StepLine(step.kind, step.amount_minor, step.payer_name, step.code, step.on,
                        step.kind in explain.NAMING, list(source_lines.in_order(step.sources, lines)))
               for step in told.steps])


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def message(session: Session, practice_id: str, message_id: str) -> dict[str, Any] | None:
    """A message's whole story, with its words; None where the practice has none of this id."""

    row = store.message(session, practice_id, message_id)
    if row is None:
        return None
    story = verdicts.explain_message(session, row.id)
    return {**story, "body": row.body, "subject": row.subject, "address": row.address}
