"""Each number of a derivation opens rows that add up to it, on both databases and for this practice alone."""

from __future__ import annotations

from datetime import date

from billing import source_lines
from billing.explain import explain_visit
from billing.statement_content import steps_of
from billing.views import SourceLine
from templates import derivation
from tests.explain.books import Books
from tests.explain.test_explain import ANSWER, OFFICE

ZONE = "America/New_York"


def read(books: Books, practice_id: str = "") -> dict[str, tuple[int, tuple[SourceLine, ...]]]:
    """The steps of one settled and partly paid visit: by kind, their cents and their lines."""
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    books.pay(books.confirm(), 500, visit)
    told = books.store.read(lambda s: explain_visit(s, visit))
    names = {name for step in told.steps for name in step.sources}
    found = books.store.read(lambda s: source_lines.load(s, practice_id or books.practice.id, names, ZONE))
    return {step.kind: (step.amount_minor, source_lines.in_order(step.sources, found)) for step in told.steps}


def test_the_lines_of_each_number_add_up_to_it(books: Books) -> None:
    steps = read(books)
    for kind, source in (("charge", "service_line"), ("contractual", "remittance_adjustment"),
                         ("plan_paid", "remittance_claim"), ("deductible", "remittance_adjustment"),
                         ("copay", "remittance_adjustment"), ("patient_paid", "payment")):
        amount, lines = steps[kind]
        assert sum(line.amount_minor or 0 for line in lines if line.kind == source) == abs(amount), kind
    for kind, (amount, lines) in steps.items():  # and so do the entries of our own books
        entries = [line for line in lines if line.kind == "transfer"]
        assert kind == "left" or sum(line.amount_minor or 0 for line in entries) == abs(amount), kind


def test_a_line_says_its_day_its_code_and_who_sent_it(books: Books) -> None:
    steps = read(books)
    first = steps["deductible"][1][0]
    assert (first.kind, first.code, first.amount_minor) == ("remittance_adjustment", "PR-1", 3000)
    assert first.payer_name and isinstance(first.on, date)
    assert [line.code for line in steps["charge"][1] if line.kind == "service_line"] == ["99213", "J3420"]


def test_another_practices_rows_are_never_opened(books: Books) -> None:
    assert all(lines == () for _, lines in read(books, "prac_other").values())


def test_the_page_has_a_row_for_every_number_and_says_what_of_it_is_due(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    told = books.store.read(lambda s: explain_visit(s, visit))
    names = {name for step in told.steps for name in step.sources}
    found = books.store.read(lambda s: source_lines.load(s, books.practice.id, names, ZONE))
    steps = [(step, source_lines.in_order(raw.sources, found))
             for step, raw in zip(steps_of(told), told.steps, strict=True)]
    rows = derivation.rows(steps, 5500, 1500, "en", "USD")
    assert [row["amount"] for row in rows] == ["$190.00", "\u2212$70.00", "\u2212$65.00", "$55.00", "$55.00"]
    assert all(row["lines"] for row in rows[:-1]) and rows[-1]["note"] == "due now: $15.00"
    assert [line["amount"] for line in rows[3]["lines"] if line["style"] == "named"] == ["$30.00", "$10.00", "$15.00"]
