"""Statements: numbered snapshots of an account (receivables.md D5), and the itemised bill of a visit.

A statement is content, not words: amounts in cents, days as ISO text, codes. templates/ says it in a language.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing import check_codes
from billing import statement_content as content_of
from billing.estimates import check_visits
from billing.explain import explain_account, explain_visit, needs_case, patient_part
from billing.figures import AccountFigures, account_figures
from billing.ids import new_id
from billing.statement_content import StatementRefused
from billing.store import statement_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Guarantor, Statement
from billing.views import Explanation

__all__ = ["StatementRefused", "itemised", "make", "make_of", "view"]


def make(session: Session, guarantor_id: str, language: str, now: datetime, *,
         due_on: date | None = None) -> Statement:
    """Number and keep a statement of the account as it stands; ``now`` is an aware instant. ``due_on``: the day that
    an earlier statement of the same balance has named; a repeated one gives no new time and takes none away.

    Places gfe_exceeded holds first (T-41), and starts the aging clock of every visit asked for the first time.
    Raises StatementRefused when the guarantor is unconfirmed or any visit's explanation does not foot.
    """
    today = _today(session, guarantor_id, now)
    return make_of(session, account_figures(session, guarantor_id, today), language, now, due_on=due_on)[0]


def make_of(session: Session, account: AccountFigures, language: str, now: datetime, *, due_on: date | None = None,
            ) -> tuple[Statement, AccountFigures]:
    """As ``make``, of an account whose figures were read just now; return them as well, as they are after it."""
    guarantor = _confirmed(session, account.guarantor_id)
    policy = policy_in(session, guarantor.practice_id)
    today = policy.local_day(now)
    explained = _explained(session, guarantor.id)
    details = [v for v in store.visit_details(session, guarantor_id=guarantor.id) if not v.confidential]
    excesses = check_visits(session, details, now)
    if excesses:  # they are held now, and no longer due
        account = account_figures(session, guarantor.id, today)
    gathered = content_of.Gathered(
        guarantor, policy, language, today, details,
        store.line_details(session, guarantor.practice_id, details, language),
        {e.visit_id: e for e in explained}, account, excesses, _previous(session, guarantor.id))
    content = content_of.assemble(gathered)
    content["check_code"] = check_codes.for_account(session, guarantor.practice_id, guarantor.id, now)
    return _keep(session, guarantor, gathered, content, due_on, now), account


def _today(session: Session, guarantor_id: str, now: datetime) -> date:
    guarantor = _confirmed(session, guarantor_id)
    return policy_in(session, guarantor.practice_id).local_day(now)


def _confirmed(session: Session, guarantor_id: str) -> Guarantor:
    guarantor = store.find_guarantor(session, guarantor_id)
    if guarantor is None:
        raise StatementRefused("unknown_account", "there is no such account")
    if guarantor.confirmed_at is None:
        raise StatementRefused("unconfirmed", "the guarantor has not been confirmed by staff")
    return guarantor


def _explained(session: Session, guarantor_id: str) -> tuple[Explanation, ...]:
    explained = explain_account(session, guarantor_id)
    wrong = [e.visit_id for e in explained if needs_case(e)]
    if wrong:
        raise StatementRefused("explain_mismatch", "the figures of a visit do not add up to its balance", wrong)
    return explained


def _previous(session: Session, guarantor_id: str) -> dict[str, Any] | None:
    row = store.latest_statement(session, guarantor_id)
    return None if row is None else dict(row.content)


def _keep(session: Session, guarantor: Guarantor, gathered: content_of.Gathered, content: dict[str, Any],
          due_on: date | None, now: datetime) -> Statement:
    number = store.next_statement_number(session, guarantor.practice_id)
    due_on = due_on or gathered.today + timedelta(days=gathered.policy.statement_due_days)
    content |= {"number": number, "due_on": due_on.isoformat()}
    asked = [v["visit_id"] for v in content["visits"] if v["due_minor"] > 0]
    store.note_first_statement(session, asked, gathered.today)
    return store.add_statement(session, Statement(
        id=new_id("stm"), practice_id=guarantor.practice_id, guarantor_id=guarantor.id, number=number,
        statement_on=gathered.today, due_on=due_on, language=gathered.language, currency=gathered.policy.currency,
        total_minor=content["total_minor"], balance_version=gathered.figures.balance_version, content=content,
        created_at=now))


def view(session: Session, statement_id: str) -> dict[str, Any]:
    """The snapshot as it was made, whatever the ledger says today. Raises LookupError when there is none."""
    row = store.find_statement(session, statement_id)
    if row is None:
        raise LookupError("no such statement")
    return {**row.content, "statement_id": row.id, "guarantor_id": row.guarantor_id}


def itemised(session: Session, visit_id: str, language: str, today: date) -> dict[str, Any]:
    """Every service of a visit with codes, units, charges and what each payer's answer made of it.

    ``today`` is the practice-local day. Raises LookupError for an unknown visit, StatementRefused as ``make`` does.
    """
    details = store.visit_details(session, visit_ids=[visit_id])
    if not details:
        raise LookupError("no such visit")
    guarantor = _confirmed(session, details[0].guarantor_id)
    if details[0].confidential:
        raise StatementRefused("confidential", "the visit is confidential: a person hands it out", [visit_id])
    explanation = explain_visit(session, visit_id)
    if needs_case(explanation):
        raise StatementRefused("explain_mismatch", "the figures of the visit do not add up to its balance", [visit_id])
    policy = policy_in(session, guarantor.practice_id)
    lines = store.line_details(session, guarantor.practice_id, details, language)
    return {
        **content_of.frame(guarantor, policy, language, today), "kind": "itemised",
        **content_of.visit_head(details[0]), "charge_minor": details[0].charge_minor,
        "lines": content_of.itemised_lines(lines, store.paid_lines(session, visit_id)),
        "steps": content_of.steps_of(explanation), "left_minor": explanation.left_minor,
        "patient_part_minor": patient_part(explanation),
    }
