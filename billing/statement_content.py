"""The content of a statement, assembled without I/O from what was gathered. Amounts in cents; every sum is checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.estimates import Excess
from billing.explain import patient_part
from billing.figures import AccountFigures, VisitFigures
from billing.hold_kinds import KINDS
from billing.store.statement_queries import LineDetail, PaidLineDetail, VisitDetail
from billing.store.tables import Guarantor
from billing.views import Explanation
from config.practice import PracticePolicy

#: receivables.md D2: inclusive as written, day 30 is in the first.
BUCKETS = (("0-30", 30), ("31-60", 60), ("61-90", 90), ("91-120", 120), ("121+", None))

#: States whose law wants each service listed with code and charge when payment is asked for: Texas Health and Safety
#: Code ch. 185 (facilities). [M] Other practices list services by name, and codes on request.
ITEMISED_BY_LAW = frozenset({"TX"})

_SHARED = frozenset({"patient", "waiver_check", "next_payer"})


class StatementRefused(ValueError):
    """Why no statement may be made: ``code`` is unknown_account, unconfirmed, explain_mismatch, statement_mismatch or
    confidential. A person has to look; ``visit_ids`` names the visits concerned.
    """

    def __init__(self, code: str, why: str, visit_ids: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.code = code
        self.visit_ids = tuple(visit_ids)


@dataclass(frozen=True, slots=True)
class Gathered:
    guarantor: Guarantor
    policy: PracticePolicy
    language: str
    today: date
    visits: Sequence[VisitDetail]  # without confidential ones: those never reach the guarantor's page (D4)
    lines: Sequence[LineDetail]
    explained: Mapping[str, Explanation]
    figures: AccountFigures
    excesses: Sequence[Excess]
    previous: Mapping[str, Any] | None


def assemble(g: Gathered) -> dict[str, Any]:
    """Everything of receivables.md D5 except number and due date, which the caller adds."""
    rows = {v.visit_id: _visit(g, v) for v in g.visits if v.visit_id in g.explained}
    before = {v["visit_id"]: v for v in g.previous["visits"]} if g.previous else {}
    shown = [row for row in rows.values() if row["due_minor"] or _was_due(before, row["visit_id"])]
    due = sum(row["due_minor"] for row in shown)
    credit = max(g.figures.total.credit_minor, 0)
    used = min(credit, max(due, 0))
    total = due - used
    waiting = [w for v in g.visits if (w := _waiting(g, v)) is not None]
    content = {
        **frame(g.guarantor, g.policy, g.language, g.today), "kind": "statement", "version": 1,
        "statement_on": g.today.isoformat(), "visits": shown, "waiting": waiting, "total_minor": total,
        "credit_minor": credit, "credit_used_minor": used, "summary": _summary(g, shown, before, used, total),
        "previous": _previous(g), "aging": aging(_owed_since(g, shown), g.today, used),
        "plan": {"on_plan_minor": sum(v.figures.on_plan_minor for v in g.figures.visits if not v.confidential)},
        "estimates_exceeded": excess_rows(g.excesses), "self_pay": _self_pay(g, shown, waiting),
    }
    _must(sum(b["amount_minor"] for b in content["aging"]) == max(total, 0), "the aging does not add up to the total")
    return content


def _was_due(before: Mapping[str, Mapping[str, Any]], visit_id: str) -> bool:
    """A visit that the last statement asked for is shown once more, so that its payment is seen."""
    return visit_id in before and bool(before[visit_id]["due_minor"])


def _must(agree: bool, what: str) -> None:
    if not agree:
        raise StatementRefused("statement_mismatch", what)


def frame(guarantor: Guarantor, policy: PracticePolicy, language: str, today: date) -> dict[str, Any]:
    """Who writes to whom, how to pay and where to ask: the same on a statement and an itemised bill."""
    ways = ["pay_text"] * bool(policy.sms_number) + ["pay_phone", "pay_mail"] + ["pay_web"] * bool(policy.website)
    return {
        "language": language, "currency": policy.currency, "made_on": today.isoformat(),
        "practice": {"name": policy.name, "legal_name": policy.legal_name, "phone": policy.phone,
                     "address": policy.address, "website": policy.website, "email": policy.email,
                     "tax_id": policy.tax_id, "npi": policy.npi},
        "guarantor": {"name": guarantor.name, "address": _address(guarantor)}, "account": guarantor.external,
        "ways_to_pay": ways, "itemised_by_law": policy.region in ITEMISED_BY_LAW,
        "assistance": assistance_notice(policy, language),
    }


def assistance_notice(policy: PracticePolicy, language: str) -> dict[str, Any]:
    """Where help is to be had: on every statement, and what T-45 asks of one (billing/clocks.py)."""
    return {"note": policy.assistance_note_es if language == "es" else policy.assistance_note_en,
            "phone": policy.phone, "url": policy.assistance_url}


def _address(guarantor: Guarantor) -> str:
    address, postal = guarantor.address or "", guarantor.postal_code or ""
    return address if postal in address or not address else f"{address} {postal}"


def visit_head(v: VisitDetail) -> dict[str, Any]:
    return {"visit_id": v.visit_id, "external": v.external, "patient": v.patient, "provider": v.provider,
            "place_code": v.place_code, "service_on": v.service_on.isoformat() if v.service_on else None}


def steps_of(explanation: Explanation) -> list[dict[str, Any]]:
    return [{"kind": s.kind, "amount_minor": s.amount_minor, "payer": s.payer_name, "code": s.code,
             "on": s.on.isoformat() if s.on else None} for s in explanation.steps]


def _visit(g: Gathered, v: VisitDetail) -> dict[str, Any]:
    explanation, figures = g.explained[v.visit_id], _figures(g, v.visit_id)
    not_due = figures.pending_minor + figures.held_minor + figures.on_plan_minor
    _must(figures.due_now_minor == explanation.left_minor - not_due, "a visit's figures and explanation differ")
    return {
        **visit_head(v), "self_pay": v.self_pay, "charge_minor": v.charge_minor,
        "lines": [_line(line) for line in g.lines if line.visit_id == v.visit_id],
        "steps": steps_of(explanation), "patient_part_minor": patient_part(explanation),
        "paid_minor": _sum(explanation, "patient_paid"),
        "moved_minor": _sum(explanation, "refunded", "moved_to_credit"),
        "relief_minor": _sum(explanation, "assistance", "discount", "written_off", "placed"),
        "left_minor": explanation.left_minor, "not_due_minor": not_due, "due_minor": figures.due_now_minor,
        "first_statement_on": (v.first_statement_on or g.today).isoformat(),
    }


def _line(line: LineDetail) -> dict[str, Any]:
    return {"code": line.code, "words": line.words, "units": line.units, "charge_minor": line.charge_minor}


def _sum(explanation: Explanation, *kinds: str) -> int:
    return sum(s.amount_minor for s in explanation.steps if s.kind in kinds)


def _found(g: Gathered, visit_id: str) -> VisitFigures:
    found = g.figures.visit(visit_id)
    assert found is not None, "every visit of an account has figures"
    return found


def _figures(g: Gathered, visit_id: str) -> Any:
    return _found(g, visit_id).figures


def _waiting(g: Gathered, v: VisitDetail) -> dict[str, Any] | None:
    """A visit of which something is open and not asked for, and why; None when there is nothing of the kind."""
    known = _found(g, v.visit_id)
    figures = known.figures
    payers = [c.payer_name for c in known.coverages if c.status == "pending" or c.balance_minor > 0]
    if figures.held_minor:
        return {**visit_head(v), "why": _why(g, known), "payers": payers, "amount_minor": figures.held_minor}
    amount = figures.pending_minor + figures.payer_minor
    if payers and amount > 0:
        return {**visit_head(v), "why": "pending", "payers": payers, "amount_minor": amount}
    return None


def _why(g: Gathered, known: VisitFigures) -> str:
    """The visit's own reason first, then the account's."""
    kinds = [hold.kind for hold in (*known.holds, *g.figures.account_holds) if KINDS[hold.kind].not_due]
    return kinds[0] if kinds else "hold"


def _previous(g: Gathered) -> dict[str, Any] | None:
    if g.previous is None:
        return None
    return {"number": g.previous["number"], "statement_on": g.previous["statement_on"],
            "total_minor": g.previous["total_minor"]}


def _summary(g: Gathered, shown: Sequence[Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]], used: int,
             total: int) -> dict[str, int]:
    """Previous balance + what is new + payments + credit = total. Each part is counted by itself, then checked."""
    change: dict[str, int] = defaultdict(int)
    for row in shown:
        old = before.get(row["visit_id"], {})
        for key in ("patient_part_minor", "not_due_minor", "paid_minor", "moved_minor", "relief_minor"):
            change[key] += row[key] - old.get(key, 0)
    on_page = {row["visit_id"] for row in shown}
    dropped = sum(row["due_minor"] for visit_id, row in before.items() if visit_id not in on_page)
    old_total, old_used = (g.previous["total_minor"], g.previous["credit_used_minor"]) if g.previous else (0, 0)
    summary = {
        "previous_minor": old_total,
        "new_activity_minor": change["patient_part_minor"] - change["not_due_minor"] - dropped,
        "payments_received_minor": change["paid_minor"], "refunds_and_credit_minor": change["moved_minor"],
        "taken_off_minor": change["relief_minor"],
        "credit_used_minor": old_used - used,
    }
    _must(sum(summary.values()) == total, "the summary does not add up to the total")
    return summary


def _self_pay(g: Gathered, shown: Sequence[Mapping[str, Any]], waiting: Sequence[Mapping[str, Any]]) -> bool:
    on_page = {row["visit_id"] for row in (*shown, *waiting)}
    return any(v.self_pay and v.visit_id in on_page for v in g.visits)


def _owed_since(g: Gathered, shown: Sequence[Mapping[str, Any]]) -> list[tuple[date, int]]:
    return [(date.fromisoformat(row["first_statement_on"]), row["due_minor"]) for row in shown if row["due_minor"] > 0]


def aging(owed: Iterable[tuple[date, int]], today: date, credit_minor: int = 0) -> list[dict[str, Any]]:
    """Cents by days since the first statement (D2). Credit takes off the oldest amounts first."""
    totals = dict.fromkeys((name for name, _ in BUCKETS), 0)
    left = credit_minor
    for since, amount in sorted(owed):
        taken = min(left, amount)
        left -= taken
        totals[bucket((today - since).days)] += amount - taken
    return [{"bucket": name, "amount_minor": totals[name]} for name, _ in BUCKETS]


def bucket(days: int) -> str:
    """The aging bucket of an age in days."""
    return next(name for name, last in BUCKETS if last is None or days <= last)


def excess_rows(found: Sequence[Excess]) -> list[dict[str, Any]]:
    return [{"visit_id": e.visit_id, "provider": e.provider, "estimate_minor": e.estimate_minor,
             "billed_minor": e.billed_minor, "over_minor": e.over_minor} for e in found]


def itemised_lines(lines: Sequence[LineDetail], paid: Sequence[PaidLineDetail]) -> list[dict[str, Any]]:
    """Each service line with what the payers' matching lines paid, took off and left; None where none answered."""
    made = []
    unused = list(paid)
    for line in lines:
        own = [p for p in unused if _answers(p, line)]
        own = own if line.control_number else own[: _answers_each(paid, lines, line)]
        unused = [p for p in unused if p not in own]
        made.append({
            **_line(line), "modifiers": line.modifiers, "revenue_code": line.revenue_code,
            "paid_minor": sum(p.paid_minor for p in own) if own else None,
            "reduced_minor": _parts(own, frozenset({"contractual"})) if own else None,
            "patient_minor": _parts(own[-1:], _SHARED) if own else None,
        })
    return made


def _answers(paid: PaidLineDetail, line: LineDetail) -> bool:
    if paid.control_number and line.control_number:
        return paid.control_number == line.control_number
    return (paid.code, paid.charge_minor) == (line.code, line.charge_minor)


def _answers_each(paid: Sequence[PaidLineDetail], lines: Sequence[LineDetail], line: LineDetail) -> int:
    """Lines that look alike share their answers evenly: one answer each and payer."""
    alike = sum(1 for other in lines if (other.code, other.charge_minor) == (line.code, line.charge_minor))
    return max(sum(1 for p in paid if _answers(p, line)) // max(alike, 1), 1)


def _parts(paid: Sequence[PaidLineDetail], treatments: frozenset[str]) -> int:
    return sum(amount for p in paid for treatment, amount in p.parts if treatment in treatments)
