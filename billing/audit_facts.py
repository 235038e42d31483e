"""What a bill's own check looks at: one account, the people it pays for, and the rows behind its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from billing.estimates import Excess, compare
from billing.explain import explain_visits, needs_case
from billing.figures import AccountFigures, account_figures
from billing.store import self_audit_queries as store
from billing.store import statement_queries
from billing.store.tables import Guarantor


@dataclass(frozen=True, slots=True)
class Facts:
    """``due`` are the visits of which something is due now; ``visits`` all of the people's, other accounts' too.
    ``credits``: cents by account, of every account that pays for one of them.
    """

    guarantor_id: str
    today: date
    account: AccountFigures
    due: tuple[store.VisitRow, ...]
    visits: tuple[store.VisitRow, ...]
    payers: tuple[store.PayerRow, ...] = ()
    lines: tuple[store.LineRow, ...] = ()
    provider_amounts: dict[str, list[str]] | None = None
    forwarded: frozenset[str] = frozenset()
    remarks: dict[str, set[str]] | None = None
    excesses: tuple[Excess, ...] = ()
    unexplained: tuple[str, ...] = ()
    credits: dict[str, int] | None = None
    payments_under_way: tuple[str, ...] = ()


def gather(session: Session, guarantor_id: str, today: date, account: AccountFigures | None = None) -> Facts:
    """Read it as it is in this moment; ``account``: its figures, where they were read already. Raises LookupError for
    an unknown account.
    """
    account = account or account_figures(session, guarantor_id, today)
    owing = {one.visit_id for one in account.visits if one.figures.due_now_minor > 0}
    visits = store.visits_of_people(session, guarantor_id)
    due = tuple(one for one in visits if one.visit_id in owing)
    people = {one.patient_id for one in due}
    visits = [one for one in visits if one.patient_id in people]
    practice_id = session.get_one(Guarantor, guarantor_id).practice_id
    ids = [one.visit_id for one in visits]
    return Facts(
        guarantor_id, today, account, due, tuple(visits), tuple(store.payers_of(session, people)),
        tuple(store.lines_of(session, visits)), store.provider_amounts(session, sorted(owing)),
        frozenset(store.forwarded(session, sorted(owing))), store.remarks(session, ids),
        tuple(_excesses(session, practice_id, sorted(owing))),
        tuple(one.visit_id for one in explain_visits(session, sorted(owing)) if needs_case(one)),
        store.credit_of_people(session, practice_id, people),
        tuple(store.payments_under_way(session, guarantor_id)))


def _excesses(session: Session, practice_id: str, visit_ids: list[str]) -> list[Excess]:
    details = [one for one in statement_queries.visit_details(session, visit_ids=visit_ids) if one.self_pay]
    rows = store.estimates(session, practice_id, [one.external_hash for one in details])
    found = (compare(one, [row for row in rows if row.visit_external_hash == one.external_hash]) for one in details)
    return [one for one in found if one is not None]
