"""Every stop of receivables.md D4, and the product's own: nothing is asked for that is not surely owed now.

Each kind of hold is a rule of its own, so that a verdict names it. QMB is T-57 and lives in federal.py.
"""

from __future__ import annotations

from datetime import timedelta

from billing.hold_kinds import KINDS, HoldKind, reaches
from billing.policy.core import Facts, Finding, Judge, Rule, withhold

IMPORT_RETRY = timedelta(minutes=15)
_D4 = "receivables.md D4"


def _demand_side(kind: HoldKind) -> Judge:
    def stops(facts: Facts) -> Finding | None:
        visits = facts.account.due_visit_ids
        met = any(h.kind == kind.name and reaches(kind.stops_demand, h.visit_id, visits) for h in facts.account.holds)
        return withhold(kind.why) if met and facts.is_demand else None

    return stops


def _charge_side(kind: HoldKind) -> Judge:
    """A patient who is there may pay where nobody may ask; a charge that we start asks, and stops where asking does as
    well.
    """

    def stops(facts: Facts) -> Finding | None:
        visits = facts.charge.visit_ids if facts.charge else ()
        stopping = {kind.stops_charge}
        if facts.charge and facts.charge.practice_starts:
            stopping.add(kind.stops_demand)
        met = any(h.kind == kind.name and reaches(reach, h.visit_id, visits)
                  for h in facts.account.holds for reach in stopping)
        return withhold(kind.why) if met else None

    return stops


def _hold_rule(kind: HoldKind) -> Rule:
    return Rule(f"hold:{kind.name}", kind.why, kind.citation, kind.evidence,
                _demand_side(kind) if kind.stops_demand else None,
                _charge_side(kind), configured="billing/hold_kinds.py", hold=kind.name)


def unconfirmed(facts: Facts) -> Finding | None:
    """A guarantor is never inferred: computed, but neither messaged nor charged before staff confirm."""
    if not facts.recipient.confirmed and (facts.is_demand or facts.message.privacy != "open" or facts.charge):
        return withhold("staff have not confirmed who the guarantor is")
    return None


def unreachable(facts: Facts) -> Finding | None:
    if facts.is_proactive and facts.recipient.contact_status == "unreachable":
        return withhold("this number or address cannot be reached")
    return None


def stale_ledger(facts: Facts) -> Finding | None:
    if facts.account.stale and (facts.is_demand or facts.charge):
        return withhold("the ledger of record is another system and its last import is too old")
    return None


def unfinished_import(facts: Facts) -> Finding | None:
    """A file half posted may hold the very payment that settles this balance; it finishes or is undone."""
    if facts.account.unfinished_import and facts.is_demand:
        return Finding("defer", "an import is not finished; balances may still move", facts.now + IMPORT_RETRY)
    return None


def unfinished_import_charge(facts: Facts) -> Finding | None:
    """Only of a charge that we start: visits that the file has touched count as pending, and a patient who pays sees
    the amount.
    """
    if facts.account.unfinished_import and facts.charge and facts.charge.practice_starts:
        return withhold("an import is not finished; balances may still move")
    return None


def payment_in_flight(facts: Facts) -> Finding | None:
    if facts.account.payment_in_flight and (facts.is_demand or facts.charge):
        return withhold("a payment is on its way")
    return None


def negative_pending(facts: Facts) -> Finding | None:
    if facts.account.negative_pending and (facts.is_demand or facts.charge):
        return withhold("a visit stands below zero while its payer is pending; nothing else is asked for meanwhile")
    return None


def credit_elsewhere(facts: Facts) -> Finding | None:
    if facts.is_demand and facts.account.credit_minor > 0:
        return withhold("the account holds a credit, to be applied or refunded first")
    return None


def charge_within_credit(facts: Facts) -> Finding | None:
    """The patient may pay what is left after the credit, of their own will; never more."""
    charge, account = facts.charge, facts.account
    left = account.due_now_minor - account.credit_minor
    if charge and account.credit_minor > 0 and (left <= 0 or (charge.amount_minor or 0) > left):
        return withhold("the account holds a credit that covers part of this; staff have to apply it first")
    return None


def pending_demand(facts: Facts) -> Finding | None:
    account = facts.account
    if not facts.is_demand:
        return None
    if account.pending_visits and set(account.pending_visits) & set(account.due_visit_ids):
        return withhold("a payer still has to answer for a visit that is counted as due")
    if account.due_now_minor <= 0 < account.pending_minor:
        return withhold("insurance is still pending")
    return None


def pending_charge(facts: Facts) -> Finding | None:
    if facts.charge and set(facts.account.pending_visits) & set(facts.charge.visit_ids):
        return withhold("insurance is still pending for this visit")
    return None


def plan_current(facts: Facts) -> Finding | None:
    if facts.is_demand and facts.account.on_plan_minor > 0 and facts.account.due_now_minor <= 0:
        return withhold("everything owed is on a plan that is up to date")
    return None


def confidential_demand(facts: Facts) -> Finding | None:
    hidden = facts.account.confidential_visits
    if hidden and facts.is_demand and set(hidden) & set(facts.account.due_visit_ids):
        return withhold("a confidential visit is among what is due; staff reach that patient another way")
    return None


def confidential_charge(facts: Facts) -> Finding | None:
    if facts.charge and set(facts.account.confidential_visits) & set(facts.charge.visit_ids):
        return withhold("a confidential visit is not the guarantor's to see")
    return None


def language_unmet(facts: Facts) -> Finding | None:
    if facts.is_demand and not facts.account.language_met:
        return withhold("the text is not in the guarantor's language")
    return None


def balance_moved(facts: Facts) -> Finding | None:
    message, account = facts.message, facts.account
    if not facts.is_demand:
        return None
    moved = message.balance_version is not None and message.balance_version != account.balance_version
    other = message.amount_minor is not None and message.amount_minor != account.due_now_minor
    if moved or other:
        return withhold(f"queued at balance version {message.balance_version} for {message.amount_minor} cents; "
                        f"now version {account.balance_version} with {account.due_now_minor} cents due")
    return None


def balance_moved_charge(facts: Facts) -> Finding | None:
    charge = facts.charge
    if charge and charge.balance_version is not None and charge.balance_version != facts.account.balance_version:
        return withhold(f"agreed at balance version {charge.balance_version}, now {facts.account.balance_version}")
    return None


def nothing_due(facts: Facts) -> Finding | None:
    if facts.is_demand and facts.account.due_now_minor <= 0:
        return withhold("nothing is due now")
    return None


HOLD_RULES = tuple(_hold_rule(kind) for kind in KINDS.values()
                   if kind.name != "qmb" and (kind.stops_demand or kind.stops_charge))

RULES = (
    Rule("guarantor-unconfirmed", "Nobody unconfirmed is asked or charged", "issue 2, section 2", "own",
         unconfirmed, unconfirmed, configured="guarantors.confirmed_at"),
    Rule("unreachable", "No texts to numbers that cannot be reached", "Twilio errors 30003, 30005, 30006", "M",
         unreachable, configured="contact_points.status"),
    *HOLD_RULES,
    Rule("minor-confidential", "Confidential visits are not the guarantor's", KINDS["minor_confidential"].citation, "M",
         confidential_demand, confidential_charge, configured="visits.confidential"),
    Rule("language-unmet", "Demands are in the guarantor's language", f"{_D4}; 45 CFR 92.201", "M", language_unmet,
         configured="policy languages"),
    Rule("stale-ledger", "No demand on an old import of the ledger of record", "issue 2, section 2", "own",
         stale_ledger, stale_ledger, configured="policy stale_after_business_days"),
    Rule("payment-pending", "No demand while a payment is on its way", _D4, "M", payment_in_flight, payment_in_flight),
    Rule("negative-pending", "Nothing is asked for while a visit is below zero and pending", "receivables.md D1", "M",
         negative_pending, negative_pending),
    Rule("insurance-pending", "Nothing is due while a payer has to answer", "receivables.md D1, D4", "M",
         pending_demand, pending_charge),
    Rule("credit-elsewhere", "Credits are applied or refunded before anything is asked for", "receivables.md D3", "M",
         credit_elsewhere, charge_within_credit),
    Rule("plan-current", "A plan that is kept is not dunned", _D4, "M", plan_current),
    Rule("nothing-due", "Nothing due, nothing asked", "DESIGN.md, never asks for what is not owed", "own", nothing_due),
    Rule("balance-moved", "A demand whose balance moved does not leave", "DESIGN.md, never asks for what is not owed",
         "own", balance_moved, balance_moved_charge),
    Rule("unfinished-import", "Demands wait for a running import", "DESIGN.md, large files", "own",
         unfinished_import, unfinished_import_charge),
)
