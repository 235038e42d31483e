"""What a CSV import did, in the shape of every report (docs/interfaces.md): one transaction, a claim a visit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from billing import figures
from billing.store import csv_queries
from billing.views import Figures
from bot.importing.checking import Store
from bot.importing.claims import GROUPS

PAGE = 200


def transactions(store: Store, practice_id: str, import_id: str, today: date, tally: Mapping[str, int],
                 faults: Sequence[tuple[int, str]]) -> Iterator[dict[str, Any]]:
    """One transaction. ``foots`` is null: rows of a CSV file have no sum to foot to. ``rows`` counts outcomes."""
    skipped = store.read(lambda s: list(csv_queries.skipped_rows(s, import_id)))
    yield {
        "trace": None, "paid_minor": None, "foots": None, "provider_adjustments_minor": 0, "provider_adjustments": [],
        "reason": None, "rows": dict(tally),
        "faults": [{"line": line, "reason": reason} for line, reason in (faults or skipped)],
        "claims": _claims(store, practice_id, import_id, today),
    }


def _claims(store: Store, practice_id: str, import_id: str, today: date) -> Iterator[dict[str, Any]]:
    after = 0
    while found := store.read(partial(_next_page, practice_id=practice_id, import_id=import_id, after=after,
                                            today=today)):
        after, claims = found
        yield from claims


def _next_page(session: Session, *, practice_id: str, import_id: str, after: int,
               today: date) -> tuple[int, list[dict[str, Any]]] | None:
    page = csv_queries.visits_of_rows(session, import_id, after, PAGE)
    return (page[-1][0], _page(session, practice_id, import_id, [p[1:] for p in page], today)) if page else None


def _page(session: Session, practice_id: str, import_id: str, page: Sequence[tuple[str, str]],
          today: date) -> list[dict[str, Any]]:
    visits = [visit_id for visit_id, _ in page]
    heads = csv_queries.visit_heads(session, visits)
    due = figures.visits_figures(session, practice_id, visits, today)
    moved: dict[str, list[csv_queries.Moved]] = {}
    for one in csv_queries.moved_by_import(session, import_id, visits):
        moved.setdefault(one.visit_id, []).append(one)
    return [_claim(heads[v], moved.get(v, []), due[v], outcome) for v, outcome in page]


def _claim(head: tuple[str, int, int], moved: Sequence[csv_queries.Moved], due: Figures,
           outcome: str) -> dict[str, Any]:
    """What the file itself brought for the visit; the charge and the lines are the visit's as it stands."""
    adjustments = dict.fromkeys(GROUPS, 0)
    patient: dict[str, int] = {}
    paid = 0
    for one in moved:
        if one.code in ("payer_payment", "patient_payment", "refund"):
            paid -= one.amount_minor
        elif one.code in ("contractual", "adjustment"):
            adjustments["CO" if one.code == "contractual" else "OA"] -= one.amount_minor
        elif one.code == "patient_share" and one.side == "patient":
            adjustments["PR"] += one.amount_minor
            if one.reason:
                patient[one.reason] = patient.get(one.reason, 0) + one.amount_minor
    return {
        "claim_id": head[0], "payer_claim_id": None, "status_code": None, "charge_minor": head[1], "paid_minor": paid,
        "adjustments_minor": adjustments, "patient_responsibility_minor": patient, "service_lines": head[2],
        "outcome": "posted" if outcome == "updated" else outcome, "reason": None,
        "patient_due_minor": due.due_now_minor}
