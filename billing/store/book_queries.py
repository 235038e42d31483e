"""SQL of the batch: load visits with all that posting a claim needs to know, write what it decided."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from billing.store import driver
from billing.store.ledger_queries import TransferRow, chunks
from billing.store.tables import Base, Guarantor, Patient, RemittanceClaim, ServiceLine

if TYPE_CHECKING:
    from billing.book import AnswerState, VisitState

__all__ = ["TransferRow", "insert_rows", "load_visits", "update_states"]

#: Parents before children.
_ORDER = ("guarantors", "patients", "visits", "coverages", "service_lines", "claim_documents", "remittance_claims",
          "remittance_lines", "remittance_adjustments", "remittance_remarks", "provider_adjustments", "csv_rows",
          "opening_visits", "holds")


def insert_rows(session: Session, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    for table in sorted(rows, key=_ORDER.index):
        driver.insert(session, Base.metadata.tables[table], rows[table])


class OnFile(NamedTuple):
    """What the store has on a batch's claims: their visits, oldest ordinal first, each with coverages, lines, balances
    and answers; those visits whose guarantor has credit, or owes some; the claims' numbers that an account has.
    """

    visits: list[VisitState]
    with_credit: set[str]
    taken: set[str]


def load_visits(session: Session, practice_id: str, claim_hashes: Collection[str], *, lock: bool) -> OnFile:
    """With ``lock``, on PostgreSQL the guarantors are locked first (lock order), so that what is read stays true until
    the commit.
    """
    values = (practice_id, driver.among(session, claim_hashes))
    first: list[tuple[str, Sequence[object]]] = []
    if driver.is_postgresql(session):
        first = [(_BY_KEYS, ()), (_LOCK_OWNERS, values)] if lock else [(_BY_KEYS, ())]
    taken = _TAKEN_ONE_BY_ONE if first else _TAKEN
    steps = [(statement, values) for statement in (_VISITS, _COVERAGES, _LINES, _ANSWERS, _AMOUNTS, taken)]
    found = driver.run_together(session, [*first, *steps])[len(first):]
    visits = _visit_states(found[0])
    _add_coverages(visits, found[1])
    _add_lines(visits, found[2])
    _add_answers(visits, found[3], found[4])
    for visit in visits.values():
        visit.keep()
    return OnFile(list(visits.values()), {row[0] for row in found[0] if row[-1]}, {row[0] for row in found[5]})


#: For this transaction: a batch looks a few rows up by their keys. The server keeps the plan of a statement that comes
#: again and again, and one made while a practice's tables were small would read them whole for every batch.
_BY_KEYS = """SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true)"""


_OF_CLAIMS = " FROM visits v JOIN {} WHERE v.practice_id = ? AND v.external_hash IN_LIST ORDER BY {}"

_LOCK_OWNERS = """
SELECT id FROM guarantors WHERE id IN (
    SELECT guarantor_id FROM visits WHERE practice_id = ? AND external_hash IN_LIST) ORDER BY id FOR UPDATE"""

#: Looked up for each row by its key: joined, a server without statistics would read all accounts of the practice.
_BALANCE = ("COALESCE((SELECT a.balance_minor FROM ledger_accounts a "
            "WHERE a.practice_id = v.practice_id AND a.key = {}), 0)")

_VISITS = f"""
SELECT v.id, v.guarantor_id, v.patient_id, v.external_hash, v.ordinal, v.origin, v.version, v.void, v.charge_minor,
    v.service_from_on, {_BALANCE.format("'patient:' || v.id")}, {_BALANCE.format("'credit:' || v.guarantor_id")}
FROM visits v WHERE v.practice_id = ? AND v.external_hash IN_LIST
ORDER BY v.external_hash, v.ordinal"""  # noqa: S608 - from above

_COVERAGES = (
    "SELECT v.id, c.id, c.rank, c.payer_name, c.payer_id, c.remit_payer, c.filing_code, c.status, c.claim_of_record, "
    + _BALANCE.format("'payer:' || c.id") + _OF_CLAIMS.format("coverages c ON c.visit_id = v.id", "v.id, c.rank"))

_LINES = "SELECT v.id, l.id, l.number, l.procedure_code, l.charge_minor, l.control_number, l.service_on " + \
    _OF_CLAIMS.format("service_lines l ON l.visit_id = v.id AND l.version = v.version", "v.id, l.number")

_ANSWERS = "SELECT v.id, r.id, r.coverage_id, r.payer_claim_id, r.charge_minor, r.paid_minor " + _OF_CLAIMS.format(
    "remittance_claims r ON r.visit_id = v.id AND r.outcome = 'posted'", "r.id")

_AMOUNTS = "SELECT r.id, a.group_code, a.reason_code, a.amount_minor " + _OF_CLAIMS.format(
    "remittance_claims r ON r.visit_id = v.id AND r.outcome = 'posted' "
    "JOIN remittance_adjustments a ON a.remittance_claim_id = r.id", "a.id")

_TAKEN = "SELECT external_hash FROM guarantors WHERE practice_id = ? AND external_hash IN_LIST"

#: The same for PostgreSQL, one by one: it would rather read all guarantors of the practice by another index of theirs.
_TAKEN_ONE_BY_ONE = """
WITH p AS (SELECT ? AS practice_id)
SELECT h FROM p CROSS JOIN unnest(?::text[]) h WHERE EXISTS (
    SELECT FROM guarantors g WHERE g.practice_id = p.practice_id AND g.external_hash = h OFFSET 0)"""


def _visit_states(rows: Sequence[tuple[Any, ...]]) -> dict[str, VisitState]:
    from billing.book import VisitState

    states = [VisitState(visit, guarantor, patient, hashed, ordinal, origin, version, bool(void), charge,
                         driver.day(on), minor)
              for visit, guarantor, patient, hashed, ordinal, origin, version, void, charge, on, minor, _ in rows]
    return {state.visit_id: state for state in states}


def _add_coverages(visits: Mapping[str, VisitState], rows: Sequence[tuple[Any, ...]]) -> None:
    from billing.book import CoverageState

    for visit_id, *facts in rows:
        visits[visit_id].coverages.append(CoverageState(*facts))


def _add_lines(visits: Mapping[str, VisitState], rows: Sequence[tuple[Any, ...]]) -> None:
    from billing.book import LineState

    for visit_id, line_id, number, code, charge_minor, control_number, service_on in rows:
        visits[visit_id].lines.append(LineState(line_id, number, code, charge_minor, control_number,
                                                driver.day(service_on)))


def _add_answers(visits: Mapping[str, VisitState], rows: Sequence[tuple[Any, ...]],
                 amounts: Sequence[tuple[Any, ...]]) -> None:
    from billing.book import AnswerState

    answers: dict[str, AnswerState] = {}
    for visit_id, answer_id, coverage_id, payer_claim_id, charge_minor, paid_minor in rows:
        answers[answer_id] = AnswerState(answer_id, coverage_id or "", payer_claim_id, charge_minor, paid_minor, {})
        visits[visit_id].answers.append(answers[answer_id])
    for answer_id, group, reason, amount_minor in amounts:
        found = answers[answer_id].amounts
        found[group, reason] = found.get((group, reason), 0) + amount_minor


def update_states(session: Session, visits: Iterable[VisitState]) -> None:
    """Write back what was changed on visits and coverages that were touched."""
    changed = [v for v in visits if v.changed]
    _update(session, "visits", _VISIT_CHANGE, [
        (v.origin, v.version, v.void, v.charge_minor, v.service_from_on and v.service_from_on.isoformat(), v.visit_id)
        for v in changed if v.own_facts() != v.kept])
    _update(session, "coverages", _COVERAGE_CHANGE, [
        (c.status, c.remit_payer, c.claim_of_record, c.coverage_id)
        for v in changed for c in v.coverages if c.own_facts() != c.kept])
    for visit in changed:
        visit.keep()


_VISIT_CHANGE = {"origin": "text", "version": "integer", "void": "boolean", "charge_minor": "bigint",
                 "service_from_on": "date"}
_COVERAGE_CHANGE = {"status": "text", "remit_payer": "text", "claim_of_record": "text"}


def _update(session: Session, table: str, columns: Mapping[str, str], rows: Sequence[tuple[object, ...]]) -> None:
    """Each row: the columns' values, then the id."""
    if not rows:
        return
    if not driver.is_postgresql(session):
        sets = ", ".join(f"{name} = ?" for name in columns)
        driver.run_many(session, f"UPDATE {table} SET {sets} WHERE id = ?", rows)  # noqa: S608 - names from above
        return
    sets = ", ".join(f"{name} = (r->>{place})::{kind}" for place, (name, kind) in enumerate(columns.items()))
    driver.run(session, f"UPDATE {table} t SET {sets} FROM json_array_elements(?::json) r "  # noqa: S608 - likewise
                        f"WHERE t.id = r->>{len(columns)}", json.dumps(rows))


def mark_answer(session: Session, remittance_claim_id: str, outcome: str, reversed_by_id: str | None) -> None:
    session.execute(update(RemittanceClaim).where(RemittanceClaim.id == remittance_claim_id)
                    .values(outcome=outcome, reversed_by_id=reversed_by_id))


def highest_version(session: Session, visit_id: str) -> int:
    """The last version of a visit's charges, those of undone imports included: their numbers are not used again."""
    return session.scalar(select(func.max(ServiceLine.version)).where(ServiceLine.visit_id == visit_id)) or 0


def find_patients(session: Session, practice_id: str, surname: str, given: str,
                  born: str) -> list[tuple[Patient, Guarantor]]:
    """Patients of exactly this hashed name and day of birth, with their guarantors."""
    query = (select(Patient, Guarantor).join(Guarantor, Guarantor.id == Patient.guarantor_id)
             .where(Patient.practice_id == practice_id, Patient.surname_hash == surname, Patient.given_hash == given,
                    Patient.born_hash == born, Guarantor.confirmed_at.is_not(None)))
    return [(p, g) for p, g in session.execute(query)]


def accounts_taken(session: Session, practice_id: str, hashes: Collection[str]) -> set[str]:
    """Those of the account numbers that are in use."""
    found: set[str] = set()
    for part in chunks(hashes):
        found.update(session.scalars(select(Guarantor.external_hash).where(
            Guarantor.practice_id == practice_id, Guarantor.external_hash.in_(part))))
    return found


def suspended_amounts(session: Session, practice_id: str, claim_hash: str,
                      payer_claim_id: str) -> list[tuple[int, int]]:
    """(charge, payment) in cents of this claim's answers that wait in suspense."""
    rows = session.execute(select(RemittanceClaim.charge_minor, RemittanceClaim.paid_minor).where(
        RemittanceClaim.practice_id == practice_id, RemittanceClaim.claim_hash == claim_hash,
        RemittanceClaim.payer_claim_id == payer_claim_id, RemittanceClaim.outcome == "suspended"))
    return [(charge, paid) for charge, paid in rows]
