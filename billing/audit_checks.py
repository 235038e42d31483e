"""The checks of a bill before anybody is reminded of it; pure, each named, each one sentence of work for a person.

A finding's ``subject`` names its cause: what a person has looked at and released is not held again for the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

from billing.adjudication import QMB_REMARKS
from billing.audit_facts import Facts
from billing.store.self_audit_queries import LineRow, PayerRow, VisitRow
from config.dunning_policy import DunningPolicy

#: How far apart two visits may be for one to tell of the insurance at the other.
SAME_COVERAGE = timedelta(days=365)
COVERED_LATELY = timedelta(days=90)

_MEDICAID = frozenset({"MC"})  # SBR09, CLP06
#: CPT and HCPCS modifiers that say that the same code twice is meant: repeated, distinct, or on the other side.
_MEANT_TWICE = frozenset({"76", "77", "91", "59", "XE", "XS", "XP", "XU", "RT", "LT", "50", "E1", "E2", "E3", "E4"})


@dataclass(frozen=True, slots=True)
class Finding:
    """``words`` are for staff, without PHI; ``visit_id`` empty: about the whole account."""

    check: str
    subject: str
    words: str
    visit_id: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    asks: str  # what it wants to know, for the documentation
    find: Callable[[Facts, DunningPolicy], list[Finding]]


def insurer_pending(facts: Facts, _: DunningPolicy) -> list[Finding]:
    waiting = {one.visit_id for one in facts.payers if one.status == "pending"} | facts.forwarded
    return [Finding("insurer_pending", one.visit_id, "a payer has not answered yet, or sent the claim on to another",
                    one.visit_id) for one in facts.due if one.visit_id in waiting]


def secondary_unbilled(facts: Facts, _: DunningPolicy) -> list[Finding]:
    found = []
    for visit in facts.due:
        own = {_name(one) for one in facts.payers if one.visit_id == visit.visit_id}
        second = [one for one in facts.payers if one.patient_id == visit.patient_id and one.rank > 1
                  and _near(one.service_on, visit.service_on, SAME_COVERAGE)]
        if own and any(_name(one) not in own for one in second):
            found.append(Finding("secondary_unbilled", visit.visit_id,
                                 "another visit of this patient had a second payer; this one was not sent to it",
                                 visit.visit_id))
    return found


def insurance_missing(facts: Facts, _: DunningPolicy) -> list[Finding]:
    insured = {one.visit_id for one in facts.payers}
    found = []
    for visit in facts.due:
        near = [one for one in facts.payers if one.patient_id == visit.patient_id and one.visit_id != visit.visit_id
                and _near(one.service_on, visit.service_on, COVERED_LATELY)]
        if visit.visit_id not in insured and near:
            found.append(Finding("insurance_missing", visit.visit_id,
                                 "billed without insurance, and the patient had some within 90 days", visit.visit_id))
    return found


def qmb_or_medicaid(facts: Facts, _: DunningPolicy) -> list[Finding]:
    remarks, found = facts.remarks or {}, []
    marked = {one.patient_id for one in facts.visits if remarks.get(one.visit_id, set()) & QMB_REMARKS}
    medicaid = {(one.patient_id, one.service_on) for one in facts.payers
                if one.filing_code in _MEDICAID or "medicaid" in one.payer_name.casefold()}
    for visit in facts.due:
        near = any(who == visit.patient_id and _near(on, visit.service_on, SAME_COVERAGE) for who, on in medicaid)
        if visit.patient_id in marked or near:
            found.append(Finding("qmb_or_medicaid", visit.visit_id,
                                 "Medicaid, or a remark that the patient is a Qualified Medicare Beneficiary (T-57)",
                                 visit.visit_id))
    return found


def providers_amount(facts: Facts, _: DunningPolicy) -> list[Finding]:
    amounts = facts.provider_amounts or {}
    return [Finding("providers_amount", f"{one.visit_id}:{','.join(amounts[one.visit_id])}",
                    f"an amount that is not the patient's lies with the patient ({', '.join(amounts[one.visit_id])})",
                    one.visit_id) for one in facts.due if amounts.get(one.visit_id)]


def duplicate_visit(facts: Facts, _: DunningPolicy) -> list[Finding]:
    due = {one.visit_id for one in facts.due}
    alike: dict[object, list[int]] = {}
    for place, one in enumerate(facts.visits):
        if one.service_on is not None and one.charge_minor > 0:
            alike.setdefault((one.patient_id, one.service_on, one.charge_minor), []).append(place)
    pairs = sorted(pair for places in alike.values() for pair in combinations(places, 2))
    return [Finding("duplicate_visit", ":".join(sorted((one.visit_id, other.visit_id))),
                    "two visits of one patient have the same day and the same charge",
                    one.visit_id if one.visit_id in due else other.visit_id)
            for one, other in ((facts.visits[i], facts.visits[j]) for i, j in pairs)
            if _alike(one, other) and {one.visit_id, other.visit_id} & due]


def duplicate_charge(facts: Facts, _: DunningPolicy) -> list[Finding]:
    """Lines are put together by what makes them the same service, so that the work grows with the lines and with what
    is found, not with the pairs of lines.
    """
    due, visits = {one.visit_id for one in facts.due}, {one.visit_id: one for one in facts.visits}
    found: dict[str, tuple[tuple[int, int], Finding]] = {}
    for service, places in _services(facts.lines, visits).items():
        for one, other in _with_due(places, due):
            pair = places[one][:2] if one == other else sorted((places[one][0], places[other][0]))
            if len(pair) < 2 or (one != other and _alike(visits[one], visits[other])):
                continue
            subject = f"{':'.join(sorted({one, other}))}:{service[0]}"
            first, finding = (pair[0], pair[1]), Finding(
                "duplicate_charge", subject, "one service seems to be charged twice", min({one, other} & due))
            found[subject] = min(found.get(subject, (first, finding)), (first, finding), key=lambda known: known[0])
    return [finding for _, finding in sorted(found.values(), key=lambda known: known[0])]


def _services(lines: Sequence[LineRow], visits: Mapping[str, VisitRow]) -> dict[tuple[str, ...], dict[str, list[int]]]:
    """By what makes two lines one service, its procedure code first: the places of its lines by visit."""
    found: dict[tuple[str, ...], dict[str, list[int]]] = {}
    for place, one in enumerate(lines):
        if _counts(one):
            key = (one.procedure_code, one.modifiers, str(one.charge_minor), str(one.service_on),
                   visits[one.visit_id].patient_id)
            found.setdefault(key, {}).setdefault(one.visit_id, []).append(place)
    return found


def _with_due(places: Mapping[str, object], due: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each two of these visits, and each with itself, of which one is due; once."""
    for one in places:
        if one in due:
            yield from ((one, other) for other in places if other not in due or other <= one)


def credit_elsewhere(facts: Facts, _: DunningPolicy) -> list[Finding]:
    return [Finding("credit_elsewhere", f"{owner}:{minor}", f"a credit of {minor} cents waits on "
                    + ("this account" if owner == facts.guarantor_id else "another account of the same patient"))
            for owner, minor in sorted((facts.credits or {}).items()) if minor > 0]


def estimate_exceeded(facts: Facts, _: DunningPolicy) -> list[Finding]:
    return [Finding("estimate_exceeded", f"{one.visit_id}:{one.estimate_minor}:{one.billed_minor}",
                    f"billed {one.over_minor} cents above the good-faith estimate (T-41)", one.visit_id)
            for one in facts.excesses]


def does_not_foot(facts: Facts, _: DunningPolicy) -> list[Finding]:
    return [Finding("does_not_foot", visit_id, "the explanation of the visit does not add up to its balance", visit_id)
            for visit_id in facts.unexplained]


def payment_under_way(facts: Facts, _: DunningPolicy) -> list[Finding]:
    return [Finding("payment_under_way", payment_id, "a payment is on its way")
            for payment_id in facts.payments_under_way]


def guarantor_changed(facts: Facts, _: DunningPolicy) -> list[Finding]:
    return [Finding("guarantor_changed", f"{one.visit_id}:{one.patients_guarantor_id}",
                    "another account pays for this patient now", one.visit_id)
            for one in facts.due if one.patients_guarantor_id != one.guarantor_id]


def turned_18(facts: Facts, _: DunningPolicy) -> list[Finding]:
    """New charges are the adult's own, old ones stay (receivables.md D4)."""
    found = {}
    for visit in facts.due:
        adult_on = _adult_on(visit)
        if visit.patient_is_guarantor or adult_on is None or visit.service_on is None or visit.service_on < adult_on:
            continue
        young = visit.service_on < adult_on + timedelta(days=3 * 365)
        was_minor = any(one.patient_id == visit.patient_id and one.service_on is not None and one.service_on < adult_on
                        and one.guarantor_id == visit.guarantor_id for one in facts.visits)
        if young or was_minor:
            found[visit.patient_id] = Finding("turned_18", visit.patient_id,
                                              "the patient had turned 18 by the day of the visit", visit.visit_id)
    return list(found.values())


def very_old(facts: Facts, policy: DunningPolicy) -> list[Finding]:
    oldest = facts.today - timedelta(days=policy.very_old_days)
    return [Finding("very_old", one.visit_id, f"the service was more than {policy.very_old_days} days ago; "
                    "the law may bar asking for it (T-30)", one.visit_id)
            for one in facts.due if one.service_on is not None and one.service_on < oldest]


CHECKS = (
    Check("insurer_pending", "Has every payer answered?", insurer_pending),
    Check("secondary_unbilled", "Was the second payer billed?", secondary_unbilled),
    Check("insurance_missing", "Was insurance left out?", insurance_missing),
    Check("qmb_or_medicaid", "Is the patient a QMB, or on Medicaid?", qmb_or_medicaid),
    Check("providers_amount", "Is a CO or PI amount in the patient's balance?", providers_amount),
    Check("duplicate_visit", "Is the visit there twice?", duplicate_visit),
    Check("duplicate_charge", "Is a service charged twice?", duplicate_charge),
    Check("credit_elsewhere", "Does a credit wait, here or on another account of the patient?", credit_elsewhere),
    Check("estimate_exceeded", "Is the bill $400 or more above its estimate?", estimate_exceeded),
    Check("does_not_foot", "Does the explanation add up to the balance?", does_not_foot),
    Check("payment_under_way", "Is a payment on its way?", payment_under_way),
    Check("guarantor_changed", "Does somebody else pay for the patient now?", guarantor_changed),
    Check("turned_18", "Had the patient turned 18?", turned_18),
    Check("very_old", "May the bill be barred by time?", very_old),
)


def _name(payer: PayerRow) -> str:
    return payer.payer_id or payer.payer_name.casefold()


def _near(one: date | None, other: date | None, within: timedelta) -> bool:
    return one is not None and other is not None and abs(one - other) <= within


def _alike(one: VisitRow, other: VisitRow) -> bool:
    same = (one.patient_id, one.service_on, one.charge_minor) == (other.patient_id, other.service_on,
                                                                  other.charge_minor)
    return (same and one.service_on is not None and one.charge_minor > 0
            and (one.provider == other.provider or not one.provider or not other.provider))


def _counts(line: LineRow) -> bool:
    """Whether the line may be charged twice by mistake: a service of a day, and nothing says that twice is meant."""
    return (bool(line.procedure_code) and line.service_on is not None and line.charge_minor > 0
            and not any(part in _MEANT_TWICE for part in _modifiers(line)))


def _modifiers(line: LineRow) -> Iterator[str]:
    yield from line.modifiers.replace(":", " ").replace(",", " ").split()


def _adult_on(visit: VisitRow) -> date | None:
    if not visit.born_on:
        return None
    born = date.fromisoformat(visit.born_on)
    try:
        return born.replace(year=born.year + 18)
    except ValueError:  # born on 29 February: the day before counts, as the stricter reading
        return date(born.year + 18, 2, 28)
