"""What billing/campaign_checks.py would find, and a statement of its own accord would hold, asked for a set of accounts
without placing anything: so that a preview names whom a run would leave out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from billing import dunning_facts, estimates, first_looks, self_audit
from billing.campaign_checks import STATEMENT_FIRST
from billing.gate_set_sheet import Sheet
from billing.store import dunning_queries, statement_queries
from billing.store import foresight_queries as store
from billing.store.gate_set_visit_queries import SeenVisit
from billing.store.standing_queries import HoldFacts
from config.dunning_policy import DunningPolicy


@dataclass(frozen=True, slots=True)
class Foreseen:
    """``rules``: by account, what would hold it back; ``holds``: what making its statement would place."""

    rules: Mapping[str, str]
    holds: Mapping[str, list[HoldFacts]]


def foresee(session: Session, sheet: Sheet, purpose: str, due: Mapping[str, Sequence[SeenVisit]]) -> Foreseen:
    """``due``: by account, the visits of which something is due now. A notice asks for nothing and has no checks."""
    if purpose == "notice" or not due:
        return Foreseen({}, {})
    rules = dict.fromkeys(_looks(session, sheet, due), f"hold:{first_looks.KIND}")
    left = {id_: visits for id_, visits in due.items() if id_ not in rules}
    if purpose == "statement":
        return Foreseen(rules, _over_estimate(session, sheet, left))
    return Foreseen(rules | _of_reminders(session, sheet, left), {})


def _looks(session: Session, sheet: Sheet, due: Mapping[str, Sequence[SeenVisit]]) -> set[str]:
    """Accounts whose bill a person has to look at first, and nobody has."""
    policy, causes = _calendar(sheet), dict[str, str]()
    paid = store.credited(session, sheet.practice_id, [one.visit_id for visits in due.values() for one in visits],
                          sorted(first_looks.PAID_BY))
    settled = {id_ for id_, visits in due.items() if paid and not paid.isdisjoint([one.visit_id for one in visits])}
    moves = dunning_queries.moves(session, sorted(settled))
    for id_, visits in due.items():
        if id_ in settled or any(one.first_statement_on is None and first_looks.comes_late(
                one.service_on, policy, sheet.today) for one in visits):
            stated = {one.visit_id: one.first_statement_on for one in visits}
            found = first_looks.look(visits, moves.get(id_, ()), stated, policy, sheet.today)
            causes |= {one.dedupe: id_ for one in found}
    return _open(session, sheet, causes)


def _of_reminders(session: Session, sheet: Sheet, due: Mapping[str, Sequence[SeenVisit]]) -> dict[str, str]:
    """The bill's own check; then a first message that has to explain itself, or visits that no statement has named."""
    found = dict.fromkeys(_audited(session, sheet, due), f"hold:{self_audit.KIND}")
    left = [id_ for id_ in due if id_ not in found]
    looked_at = store.with_holds(session, left, first_looks.KIND)
    told = dunning_facts.gather_all(session, sheet.practice_id, sorted(looked_at), sheet.policy, sheet.now)
    for id_ in left:
        if any(one.first_statement_on is None for one in due[id_]) or (id_ in told and told[id_].facts.explains):
            found[id_] = STATEMENT_FIRST
    return found


def _audited(session: Session, sheet: Sheet, due: Mapping[str, Sequence[SeenVisit]]) -> set[str]:
    causes = {self_audit.dedupe_of(id_, one): id_ for id_ in due
              for one in self_audit.findings(session, id_, _calendar(sheet), sheet.today)}
    return _open(session, sheet, causes)


def _open(session: Session, sheet: Sheet, causes: Mapping[str, str]) -> set[str]:
    """The accounts of causes that nobody has looked at and released."""
    if not causes:
        return set()
    released = store.placed(session, sheet.practice_id, causes)
    return {id_ for cause, id_ in causes.items() if not released.get(cause, False)}


def _over_estimate(session: Session, sheet: Sheet, due: Mapping[str, Sequence[SeenVisit]],
                   ) -> dict[str, list[HoldFacts]]:
    """Making a statement holds every visit of the account that is billed $400 above its estimate (T-41)."""
    if not store.has_estimates(session, sheet.practice_id):
        return {}
    every = [one.visit_id for id_ in due for one in sheet.visits.get(id_, ())]
    compared = store.estimated(session, sheet.practice_id, every)
    details = [one for one in statement_queries.visit_details(session, visit_ids=compared) if not one.confidential]
    over = estimates.find_excesses(session, sheet.practice_id, details)
    causes = {estimates.dedupe_of(one): one for one in over}
    seen = store.placed(session, sheet.practice_id, causes) if causes else {}
    owner = {one.visit_id: one.guarantor_id for one in details}
    found: dict[str, list[HoldFacts]] = {}
    for dedupe, one in causes.items():
        if dedupe not in seen:
            found.setdefault(owner[one.visit_id], []).append(HoldFacts("", one.visit_id, "gfe_exceeded", None))
    return found


def _calendar(sheet: Sheet) -> DunningPolicy:
    return sheet.policy.dunning or DunningPolicy()
