"""What an import did, as data for ``--json`` and as lines for a biller (docs/interfaces.md, "import")."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import islice
from typing import IO, Any

from sqlalchemy.orm import Session

from billing import figures, imports
from billing.store import import_queries
from billing.store.import_queries import ClaimOutcome
from billing.views import Figures
from bot.importing.checking import Checked, Store, Transaction, in_batches

EXIT_CODES = {"posted": 0, "duplicate": 0, "refused": 3, "partial": 4}


@dataclass(frozen=True, slots=True)
class Report:
    """One file's end. ``transactions`` yields its JSON lazily: a large remittance is never whole in memory.

    ``skippable``: it was refused for claims that can be left out (``skip_bad_claims``).
    """

    file: str
    kind: str
    outcome: str
    reason: str | None
    import_id: str | None = None
    tally: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    transactions: Callable[[], Iterator[dict[str, Any]]] = lambda: iter(())
    skippable: bool = False


def write_json(report: Report, out: IO[str]) -> None:
    """Write the report as one line, claim by claim."""
    head = {"file": report.file, "kind": report.kind, "outcome": report.outcome, "reason": report.reason,
            "import_id": report.import_id}
    out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "transactions": [')
    for number, transaction in enumerate(report.transactions()):
        claims = transaction.pop("claims")
        out.write(", " * bool(number) + json.dumps(transaction, ensure_ascii=False)[:-1] + ', "claims": [')
        for place, claim in enumerate(claims):
            out.write(", " * bool(place) + json.dumps(claim, ensure_ascii=False))
        out.write("]}")
    out.write("]}\n")


def transactions(checked: Checked, spool: IO[str], store: Store, practice_id: str, import_id: str | None, today: date,
                 refused: str | None) -> Iterator[dict[str, Any]]:
    """The transactions of a file with their claims, each claim with its outcome and what the patient owes now."""
    facts = checked.facts(spool)
    for transaction in checked.transactions:
        head, closed = transaction.head, transaction.closed
        adjustments = closed.provider_adjustments if closed else ()
        yield {
            "trace": head.trace if head else None, "paid_minor": head.paid_minor if head else None,
            "foots": transaction.foots,
            "provider_adjustments_minor": sum(a.amount_minor for a in adjustments),
            "provider_adjustments": [{"reason": a.reason, "amount_minor": a.amount_minor} for a in adjustments],
            "reason": "; ".join(f.reason for f in transaction.faults) or None,
            "claims": _claims(transaction, islice(facts, transaction.claims), store, practice_id, import_id, today,
                              refused),
        }


def _claims(transaction: Transaction, facts: Iterator[dict[str, Any]], store: Store, practice_id: str,
            import_id: str | None, today: date, refused: str | None) -> Iterator[dict[str, Any]]:
    if refused is not None:
        for number, claim in enumerate(facts, 1):
            yield claim | {"outcome": "refused", "reason": transaction.bad.get(number, refused),
                           "patient_due_minor": None}
        return
    outcomes = store.read(lambda s: _outcomes(s, transaction, practice_id, import_id))
    for batch in in_batches(enumerate(facts, 1), 200):
        visits = [outcomes[n].visit_id for n, _ in batch if n in outcomes]
        due = store.read(partial(figures.visits_figures, practice_id=practice_id, today=today,
                                 visit_ids=[v for v in visits if v]))
        for number, claim in batch:
            yield claim | _ending(transaction, outcomes.get(number), due)


def _outcomes(session: Session, transaction: Transaction, practice_id: str,
              import_id: str | None) -> dict[int, ClaimOutcome]:
    if transaction.head is None:
        return {o.number: o for o in import_queries.outcomes_of_claims(session, import_id or "")}
    row = import_queries.find_remittance(session, practice_id, imports.identity_of(transaction.head))
    return {o.number: o for o in import_queries.outcomes_of_remittance(session, row.id)} if row else {}


def _ending(transaction: Transaction, outcome: ClaimOutcome | None,
            due: dict[str, Figures]) -> dict[str, Any]:
    if outcome is None:
        return {"outcome": "duplicate" if transaction.duplicate else "skipped", "reason": None,
                "patient_due_minor": None}
    word = "duplicate" if transaction.duplicate else {"reversal": "posted", "reversed": "posted"}.get(
        outcome.outcome, outcome.outcome)
    visit = due.get(outcome.visit_id or "")
    return {"outcome": word, "reason": outcome.reason or None,
            "patient_due_minor": visit.due_now_minor if visit else None}
