"""Promises of billing/explain.py, on both databases: every number has its source row, and none is a remainder."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from billing.explain import NAMING, explain_account, explain_visit, needs_case, patient_part, to_json
from billing.store.tables import RemittanceAdjustment, ServiceLine
from billing.views import Explanation
from templates.sentences import KINDS, sentence
from tests.explain.books import BLUE, STAR, Books

OFFICE = [("99213", 15000), ("J3420", 4000)]
ANSWER = [("99213", 15000, 6000, [("CO-45", 5000), ("PR-1", 3000), ("PR-2", 1000)]),
          ("J3420", 4000, 1000, [("CO-45", 1500), ("PR-3", 1500)])]


def explain(books: Books, visit: str) -> Explanation:
    return books.store.read(lambda s: explain_visit(s, visit))


def amounts(explanation: Explanation) -> list[tuple[str, int]]:
    return [(step.kind, step.amount_minor) for step in explanation.steps]


def test_a_settled_claim_reads_from_charge_to_left_in_one_order(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    account = books.confirm()
    books.pay(account, 500, visit)
    explanation = explain(books, visit)
    assert explanation.foots, explanation.reason
    assert amounts(explanation) == [
        ("charge", 19000), ("plan_paid", -7000), ("contractual", -6500), ("deductible", 3000), ("coinsurance", 1000),
        ("copay", 1500), ("patient_paid", -500), ("left", 5000)]
    assert patient_part(explanation) == 5500


def test_each_number_names_its_source_rows(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    payment = books.pay(books.confirm(), 500, visit)
    steps = {step.kind: step for step in explain(books, visit).steps}
    assert sum(name.startswith("service_line:") for name in steps["charge"].sources) == 2
    assert sum(name.startswith("remittance_adjustment:") for name in steps["contractual"].sources) == 2
    assert any(name.startswith("remittance_claim:") for name in steps["plan_paid"].sources)
    assert f"payment:{payment}" in steps["patient_paid"].sources
    assert all(step.sources for step in steps.values())


def test_the_sums_of_both_roads_meet_at_the_ledgers_balance(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    explanation = explain(books, visit)
    counted = sum(s.amount_minor for s in explanation.steps if s.kind not in (*NAMING, "left"))
    named = sum(s.amount_minor for s in explanation.steps if s.kind in NAMING)
    assert counted == named == explanation.left_minor == 5500


def test_an_unanswered_claim_is_all_with_the_payer(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    assert amounts(explain(books, visit)) == [("charge", 19000), ("with_payer", -19000), ("left", 0)]


def test_what_the_first_plan_left_is_with_the_second_until_it_answers(books: Books) -> None:
    visit = books.bill("C1", OFFICE, (BLUE, STAR))
    books.answer("C1", ANSWER)
    waiting = explain(books, visit)
    assert waiting.foots, waiting.reason
    assert amounts(waiting) == [("charge", 19000), ("plan_paid", -7000), ("contractual", -6500),
                                ("with_payer", -5500), ("left", 0)]
    assert next(s.payer_name for s in waiting.steps if s.kind == "with_payer") == STAR


def test_a_second_plan_pays_part_and_the_rest_keeps_its_reason(books: Books) -> None:
    visit = books.bill("C1", [("99213", 19000)], (BLUE, STAR))
    books.answer("C1", [("99213", 19000, 7000, [("CO-45", 6500), ("PR-1", 5500)])])
    books.answer("C1", [("99213", 19000, 3500, [("OA-23", 13500), ("PR-1", 2000)])], payer=STAR, status="2")
    explanation = explain(books, visit)
    assert explanation.foots, explanation.reason
    assert amounts(explanation) == [("charge", 19000), ("plan_paid", -7000), ("contractual", -6500),
                                    ("plan_paid", -3500), ("deductible", 2000), ("left", 2000)]


def test_self_pay_is_charged_to_the_patient(books: Books) -> None:
    visit = books.bill("C1", OFFICE, ())
    explanation = explain(books, visit)
    assert explanation.foots, explanation.reason
    assert amounts(explanation) == [("charge", 19000), ("left", 19000)]


def test_an_uncovered_service_waits_under_its_waiver_check(books: Books) -> None:
    visit = books.bill("C1", [("99213", 19000)])
    books.answer("C1", [("99213", 19000, 0, [("PR-96", 19000)])])
    assert ("waiver_check", 19000) in amounts(explain(books, visit))


def test_an_overpayment_shows_as_moved_to_credit(books: Books) -> None:
    visit = books.bill("C1", [("99213", 10000)], desk_minor=3000)
    books.answer("C1", [("99213", 10000, 9000, [("PR-3", 1000)])])
    explanation = explain(books, visit)
    assert explanation.foots, explanation.reason
    assert amounts(explanation) == [("charge", 10000), ("plan_paid", -9000), ("copay", 1000), ("patient_paid", -3000),
                                    ("moved_to_credit", 2000), ("left", 0)]


def test_a_reversed_answer_leaves_no_trace_in_the_derivation(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    books.answer("C1", [(code, -charge, -paid, [(r, -a) for r, a in adjustments])
                        for code, charge, paid, adjustments in ANSWER], status="22")
    explanation = explain(books, visit)
    assert explanation.foots, explanation.reason
    assert amounts(explanation) == [("charge", 19000), ("with_payer", -19000), ("left", 0)]


def test_a_replaced_claim_shows_only_the_charges_in_force(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.bill("C1", [("99214", 21000)], frequency="7")
    assert amounts(explain(books, visit)) == [("charge", 21000), ("with_payer", -21000), ("left", 0)]


def test_a_claim_opened_by_its_remittance_foots(books: Books) -> None:
    books.answer("X9", [("99213", 19000, 7000, [("CO-45", 6500), ("PR-1", 5500)])])
    explanation = explain(books, books.visit_id("X9"))
    assert explanation.foots, explanation.reason
    assert explanation.left_minor == 5500


def test_an_answer_for_another_charge_is_noticed(books: Books) -> None:
    visit = books.bill("C1", [("99213", 15000)])
    books.answer("C1", [("99213", 50000, 45000, [("PR-1", 5000)])])
    assert needs_case(explain(books, visit))


def test_a_payment_from_before_our_books_that_was_taken_back_is_history(books: Books) -> None:
    books.answer("X9", [("99213", -19000, -7000, [("CO-45", -6500), ("PR-1", -5500)])], status="22")
    books.answer("X9", [("99213", 19000, 6000, [("CO-45", 6500), ("PR-1", 6500)])])
    explanation = explain(books, books.visit_id("X9"))
    assert explanation.foots, explanation.reason
    assert amounts(explanation) == [("charge", 19000), ("plan_paid", -6000), ("contractual", -6500),
                                    ("deductible", 6500), ("left", 6500)]


def test_an_account_explains_all_its_visits_oldest_first(books: Books) -> None:
    visits = [books.bill("C1", OFFICE), books.bill("C2", OFFICE, ())]
    account = books.confirm_all()
    found = books.store.read(lambda s: [e for a in account for e in explain_account(s, a)])
    assert {e.visit_id for e in found} == set(visits)


def test_changed_remittance_lines_are_noticed(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)

    def falsify(session: Session) -> None:
        row = session.query(RemittanceAdjustment).filter_by(group_code="PR", reason_code="1").one()
        row.amount_minor = 2900

    books.store.write(falsify)
    explanation = explain(books, visit)
    assert needs_case(explanation)
    assert "2900" in explanation.reason and "3000" in explanation.reason


def test_charge_lines_that_do_not_make_the_charge_are_noticed(books: Books) -> None:
    visit = books.bill("C1", OFFICE)

    def falsify(session: Session) -> None:
        session.query(ServiceLine).filter_by(procedure_code="J3420").one().charge_minor = 4100

    books.store.write(falsify)
    assert needs_case(explain(books, visit))


def test_a_balance_that_its_transfers_do_not_make_is_noticed(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    books.store.write(lambda s: s.execute(
        text("UPDATE ledger_accounts SET balance_minor = balance_minor + 1 WHERE key = :key"),
        {"key": f"patient:{visit}"}))
    assert needs_case(explain(books, visit))


def test_a_missing_source_row_is_noticed(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    books.store.write(lambda s: s.execute(text("DELETE FROM remittance_adjustments WHERE reason_code = '3'")))
    assert needs_case(explain(books, visit))


def test_the_reason_for_staff_holds_no_name(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    books.store.write(lambda s: s.execute(text("DELETE FROM remittance_adjustments")))
    reason = explain(books, visit).reason
    assert reason and "Ana" not in reason and "C1" not in reason


def test_json_has_a_sentence_for_every_step_in_both_languages(books: Books) -> None:
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    for language in ("en", "es"):
        shown = to_json(explain(books, visit), language, sentence)
        assert shown["visit"] == "C1" and shown["foots"] is True and shown["left_minor"] == 5500
        assert all(step["sentence"] and step["sources"] for step in shown["steps"])


def test_every_kind_of_step_has_a_sentence() -> None:
    from billing.views import Step

    for language in ("en", "es"):
        assert all(sentence(Step(kind, 100, "Blue", "PR-1"), language) for kind in KINDS)
