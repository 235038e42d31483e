"""Does a derivation foot? Every check is an independent reading; what it finds is a sentence for staff, without PHI."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from billing.explain_facts import NAMING, PULLED_BACK, Effect, Facts, Unknown, live_moves
from billing.store.explain_queries import ClaimRow, Move
from billing.views import Step

#: Settlement inside the account: no document of another's makes these, the two ledger accounts are the source.
_OWN_DOING = frozenset({"to_credit", "from_credit"})
#: Treatment of a remittance's line -> what it shows as; a patient's reason may be split over a later payer and the
#: patient, so the two are compared together.
_SHOWN_AS = {"patient": "share", "waiver_check": "share", "next_payer": "share", "contractual": "contractual",
             "prior_payer": "prior_payer"}
_CODES = {"patient_share": "share", "next_payer": "share", "contractual": "contractual", "prior_payer": "prior_payer",
          "payer_payment": "payer_payment"}


def find_faults(facts: Facts, effects: Sequence[Effect], unknown: Sequence[Unknown],
                steps: Sequence[Step]) -> list[str]:
    return [*_unknown_transfers(unknown), *_ungrounded(effects), *_sums(facts, effects, steps),
            *_charges(facts, effects), *_remittances(facts), *_overanswered(facts)]


def _unknown_transfers(unknown: Sequence[Unknown]) -> Iterator[str]:
    for one in unknown:
        yield f"transfer {one.move.id} ({one.move.code}) is of a kind that has no explanation"


def _ungrounded(effects: Sequence[Effect]) -> Iterator[str]:
    for effect in effects:
        if not effect.grounded and effect.move.code not in _OWN_DOING:
            yield f"transfer {effect.move.id} ({effect.move.code}) has no source row"


def _sums(facts: Facts, effects: Sequence[Effect], steps: Sequence[Step]) -> Iterator[str]:
    left = facts.patient_balance_minor
    counted = sum(s.amount_minor for s in steps if s.kind != "left" and s.kind not in NAMING)
    if counted != left:
        yield f"the steps come to {counted} cents, the ledger's patient balance is {left}"
    named = sum(e.amount_minor for e in effects if e.kind in (*NAMING, PULLED_BACK) or _on_patient(facts, e))
    if named != left:
        yield f"the patient's reasons and payments come to {named} cents, the ledger's patient balance is {left}"
    payer = _payer_net(facts)
    if payer != facts.payer_balance_minor:
        yield f"transfers leave {payer} cents with payers, the ledger's payer balance is {facts.payer_balance_minor}"


def _on_patient(facts: Facts, effect: Effect) -> bool:
    """True for what touched the patient's receivable from outside: own charges, payments, refunds, credit."""
    if effect.kind in (*NAMING, PULLED_BACK):
        return False
    sides = (facts.account(effect.move.debit_id), facts.account(effect.move.credit_id))
    return any(account is not None and account.side == "patient" for account in sides)


def _payer_net(facts: Facts) -> int:
    total = 0
    for move in live_moves(facts):
        debit, credit = facts.account(move.debit_id), facts.account(move.credit_id)
        total += move.amount_minor if debit and debit.side == "payer" else 0
        total -= move.amount_minor if credit and credit.side == "payer" else 0
    return total


def _charges(facts: Facts, effects: Sequence[Effect]) -> Iterator[str]:
    """Service lines of the version in force, the charge kept with the visit, and the ledger must say the same."""
    charged = sum(e.amount_minor for e in effects if e.kind == "charge")
    carried = any(e.kind == "carried_over" for e in effects)
    if facts.visit.void or (carried and not charged):
        return
    lines = sum(line.charge_minor for line in facts.lines)
    if facts.lines and lines != charged:
        yield f"the service lines come to {lines} cents, the ledger charged {charged}"
    if charged != facts.visit.charge_minor:
        yield f"the visit's charge is {facts.visit.charge_minor} cents, the ledger charged {charged}"


def _remittances(facts: Facts) -> Iterator[str]:
    """The payer's own lines against what the ledger moved for them, per claim and reason."""
    moved = _moved(facts)
    for claim in facts.claims:
        if claim.outcome != "posted":
            continue
        own = {(code, reason): amount for (id_, code, reason), amount in moved.items() if id_ == claim.id}
        expected = {**_expected(facts, claim.id), ("payer_payment", ""): claim.paid_minor}
        for key in sorted({*own, *expected}):
            said, got = expected.get(key, 0), own.get(key, 0)
            if said != got and not _may_differ(facts, claim, key[0], said, got):
                yield (f"remittance claim {claim.id}: the payer's lines say {said} cents ({key[0]} {key[1]}), "
                       f"the ledger moved {got}")


def _may_differ(facts: Facts, claim: ClaimRow, code: str, said: int, got: int) -> bool:
    """What is no claim on the patient: a payment above what was left waits in suspense under a case of its own; a
    later payer's discount posts up to what is left; a prior payer's part posts only when it opened the visit.
    """
    if code == "payer_payment":
        return said == got + facts.suspended.get(claim.id, 0)
    if code == "contractual":
        coverage = next((c for c in facts.coverages if c.id == claim.coverage_id), None)
        return coverage is not None and coverage.rank > 1 and abs(got) <= abs(said)
    return code == "prior_payer" and got == 0


def _expected(facts: Facts, claim_id: str) -> dict[tuple[str, str], int]:
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for row in facts.adjustments:
        code = _SHOWN_AS.get(row.treatment)
        if code and row.remittance_claim_id == claim_id:
            totals[(code, row.code)] += row.amount_minor
    return totals


def _moved(facts: Facts) -> dict[tuple[str, str, str], int]:
    """Cents by (claim, code, reason), signed: positive where it left the payer's account."""
    totals: dict[tuple[str, str, str], int] = defaultdict(int)
    for move in live_moves(facts):
        code = _CODES.get(move.code)
        if move.remittance_claim_id is None or code is None:
            continue
        credit = facts.account(move.credit_id)
        sign = 1 if credit is not None and credit.side == "payer" and not _turned(facts, move) else -1
        reason = "" if code == "payer_payment" else move.reason
        totals[(move.remittance_claim_id, code, reason)] += sign * move.amount_minor
    return totals


def _turned(facts: Facts, move: Move) -> bool:
    """A negative part between two payers: it went from the later one back to the earlier."""
    debit, credit = facts.account(move.debit_id), facts.account(move.credit_id)
    ranks = [coverage.rank if (coverage := facts.coverage(a)) else 0 for a in (debit, credit)]
    return bool(debit and credit and debit.side == credit.side == "payer" and ranks[0] < ranks[1])


def _overanswered(facts: Facts) -> Iterator[str]:
    """An answered payer below zero gave more than its part: the numbers add up, and no reader could follow them."""
    for account in facts.accounts:
        coverage = facts.coverage(account)
        if coverage and account.side == "payer" and account.balance_minor < 0 and not _pending(facts):
            yield (f"coverage {coverage.id} has answered for {-account.balance_minor} cents more than stood with it: "
                   "its answer does not fit the charge")


def _pending(facts: Facts) -> bool:
    return any(coverage.status == "pending" for coverage in facts.coverages)
