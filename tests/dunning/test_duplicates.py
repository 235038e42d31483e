"""What is charged twice is found by putting alike lines together: the same findings as by looking at every pair."""

from __future__ import annotations

import time
from datetime import date
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.audit_checks import Finding, _alike, _modifiers, duplicate_charge, duplicate_visit
from billing.audit_facts import Facts
from billing.figures import AccountFigures
from billing.store.self_audit_queries import LineRow, VisitRow
from billing.views import Figures
from config.dunning_policy import DunningPolicy

DAY, NEXT = date(2026, 10, 5), date(2026, 10, 6)
NOBODY = AccountFigures("acct", 1, Figures(), (), ())
_MEANT = {"76", "59", "LT"}


def _visit(number: int, patient: str, on: date | None, charge: int, provider: str) -> VisitRow:
    return VisitRow(f"v{number}", f"h{number}", patient, "acct", "acct", None, False, on, charge, provider, 1)


def _facts(visits: list[VisitRow], lines: list[LineRow], due: set[str]) -> Facts:
    return Facts("acct", DAY, NOBODY, tuple(one for one in visits if one.visit_id in due), tuple(visits),
                 lines=tuple(lines))


def _old_visits(facts: Facts) -> list[Finding]:
    due = {one.visit_id for one in facts.due}
    return [Finding("duplicate_visit", ":".join(sorted((one.visit_id, other.visit_id))),
                    "two visits of one patient have the same day and the same charge",
                    one.visit_id if one.visit_id in due else other.visit_id)
            for one, other in combinations(facts.visits, 2)
            if _alike(one, other) and {one.visit_id, other.visit_id} & due]


def _old_charges(facts: Facts) -> list[Finding]:
    """The definition that the check had while it looked at every pair."""
    due = {one.visit_id for one in facts.due}
    patient = {one.visit_id: one.patient_id for one in facts.visits}
    whole = {frozenset((one.visit_id, other.visit_id)) for one, other in combinations(facts.visits, 2)
             if _alike(one, other)}
    found = {}
    for one, other in combinations(facts.lines, 2):
        places = {one.visit_id, other.visit_id}
        if places & due and patient[one.visit_id] == patient[other.visit_id] and _same(one, other) \
                and frozenset(places) not in whole:
            subject = f"{':'.join(sorted(places))}:{one.procedure_code}"
            found[subject] = Finding("duplicate_charge", subject, "one service seems to be charged twice",
                                     min(places & due))
    return list(found.values())


def _same(one: LineRow, other: LineRow) -> bool:
    meant = any(part in _MEANT for line in (one, other) for part in _modifiers(line))
    return (not meant and bool(one.procedure_code) and one.service_on is not None and one.charge_minor > 0
            and (one.procedure_code, one.modifiers, one.charge_minor, one.service_on)
            == (other.procedure_code, other.modifiers, other.charge_minor, other.service_on))


@st.composite
def accounts(draw: st.DrawFn) -> Facts:
    days, people = st.sampled_from([DAY, NEXT, None]), st.sampled_from(["p1", "p2"])
    visits = [_visit(number, draw(people), draw(days), draw(st.sampled_from([0, 100, 200])),
                     draw(st.sampled_from(["", "Lee", "Rowan"]))) for number in range(draw(st.integers(1, 7)))]
    names = [one.visit_id for one in visits]
    lines = draw(st.lists(st.builds(
        LineRow, st.sampled_from(names), st.sampled_from(["99213", "99214", ""]),
        st.sampled_from(["", "25", "59", "25:LT"]),
        st.sampled_from([0, 100]), days), max_size=16))
    return _facts(visits, lines, set(draw(st.lists(st.sampled_from(names)))))


@settings(max_examples=150, deadline=None)
@given(accounts())
def test_the_findings_and_their_order_are_those_of_every_pair_looked_at(facts: Facts) -> None:
    policy = DunningPolicy()
    assert duplicate_charge(facts, policy) == _old_charges(facts)
    assert duplicate_visit(facts, policy) == _old_visits(facts)


def test_a_long_account_takes_as_much_longer_as_it_is_longer() -> None:
    """Weekly visits of many lines: eight times the lines take not sixty-four times the time."""
    def seconds(count: int) -> float:
        visits = [_visit(n, "p1", date.fromordinal(DAY.toordinal() + n), 100 + n, "Lee") for n in range(count)]
        lines = [LineRow(one.visit_id, f"9{n:04}", "", 100, one.service_on) for one in visits for n in range(20)]
        facts = _facts(visits, lines, {one.visit_id for one in visits})
        began = time.process_time()
        assert duplicate_charge(facts, DunningPolicy()) == [] == duplicate_visit(facts, DunningPolicy())
        return time.process_time() - began

    seconds(50)
    small, large = (min(seconds(count) for _ in range(5)) for count in (100, 800))
    assert large < small * 24
