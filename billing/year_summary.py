"""What an account paid for medical care in a calendar year, patient by patient, as content for a page or a PDF.

By the day on which it was paid, practice-local; a refund counts on the day on which it was given back. What a bank took
back is not counted, and neither is what is disputed. Confidential visits are left out: a person hands those out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from billing.statement_content import frame
from billing.store import statement_queries
from billing.store import year_queries as store
from billing.store.practices import policy_in
from billing.store.year_queries import YearRow, YearVisit


def year(session: Session, guarantor_id: str, year: int, *, today: date | None = None,
         language: str = "") -> dict[str, Any]:
    """Content with cents; ``patients`` has rows by day for each, and last, without a name, money kept as credit.

    ``private`` says that a confidential visit was left out. ``today``: the day it is made on; without it the last of
    the year. Raises LookupError when there is no such account.
    """
    guarantor = statement_queries.find_guarantor(session, guarantor_id)
    if guarantor is None:
        raise LookupError("no such account")
    policy = policy_in(session, guarantor.practice_id)
    rows = [row for row in store.rows(session, guarantor_id) if row.on.year == year]
    about = store.visits(session, {row.visit_id for row in rows if row.visit_id})
    shown = [row for row in rows if row.visit_id is None or not about[row.visit_id].confidential]
    patients = _patients(shown, about)
    paid = sum(row.amount_minor for row in shown if row.amount_minor > 0)
    back = -sum(row.amount_minor for row in shown if row.amount_minor < 0)
    return {
        **frame(guarantor, policy, language or guarantor.language, today or date(year, 12, 31)), "kind": "year",
        "year": year, "patients": patients, "paid_minor": paid, "refunded_minor": back, "net_minor": paid - back,
        "private": len(shown) < len(rows)}


def _patients(rows: Sequence[YearRow], about: dict[str, YearVisit]) -> list[dict[str, Any]]:
    groups: dict[str, list[YearRow]] = {}
    for row in rows:
        groups.setdefault(about[row.visit_id].patient_id if row.visit_id else "", []).append(row)
    order = sorted((key for key in groups if key), key=lambda key: _name(groups[key], about))
    return [{"patient_id": key, "name": _name(groups[key], about), "rows": [_row(row, about) for row in groups[key]],
             "net_minor": sum(row.amount_minor for row in groups[key])}
            for key in [*order, *([""] if "" in groups else [])]]


def _name(rows: Sequence[YearRow], about: dict[str, YearVisit]) -> str:
    return next((about[row.visit_id].patient for row in rows if row.visit_id), "")


def _row(row: YearRow, about: dict[str, YearVisit]) -> dict[str, Any]:
    visit = about.get(row.visit_id or "")
    return {"on": row.on.isoformat(), "payment_id": row.payment_id, "visit_id": row.visit_id,
            "external": visit.external if visit else "", "provider": visit.provider if visit else "",
            "service_on": visit.service_on.isoformat() if visit and visit.service_on else None,
            "tender": row.tender, "last4": row.last4, "amount_minor": row.amount_minor}
