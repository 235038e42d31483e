"""A statement has everything of receivables.md D5, adds up, and stays as it was made. On both databases."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from billing import holds, statements
from billing.estimates import check_estimates
from billing.ids import new_id
from billing.statement_content import StatementRefused, aging, bucket
from billing.store.seal import blind, normal_account
from billing.store.tables import Estimate, Hold, Procedure, Statement, Visit
from templates.statement import short_text
from templates.statement_page import statement_page
from tests.explain.books import BLUE, Books
from tests.explain.test_explain import ANSWER, OFFICE

STATEMENT_DAY = date(2026, 11, 3)


def settled(books: Books) -> tuple[str, str]:
    """One answered visit with 55.00 left; (account, visit)."""
    visit = books.bill("C1", OFFICE)
    books.answer("C1", ANSWER)
    return books.confirm(), visit


def make(books: Books, account: str, language: str = "en", later: int = 0) -> dict[str, Any]:
    when = books.now + timedelta(days=later)
    made = books.store.write(lambda s: statements.make(s, account, language, when).id)
    return books.store.read(lambda s: statements.view(s, made))


def test_it_names_the_practice_with_phone_and_address(books: Books) -> None:
    content = make(books, settled(books)[0])
    assert content["practice"]["legal_name"] == "Maple Clinic PLLC"
    assert content["practice"]["phone"] == "+12125550199"
    assert content["practice"]["address"] == "12 Maple St, New York, NY 10001"


def test_it_names_guarantor_patient_and_account(books: Books) -> None:
    content = make(books, settled(books)[0])
    assert content["guarantor"] == {"name": "Ana Núñez", "address": "450 Riverside Drive, Apt 9C, New York, NY 10027"}
    assert content["visits"][0]["patient"] == "Ana Núñez"
    assert content["account"] == "C1"


def test_it_has_a_number_a_day_and_a_due_day(books: Books) -> None:
    content = make(books, settled(books)[0])
    assert (content["number"], content["statement_on"], content["due_on"]) == (1, "2026-11-03", "2026-12-03")


def test_each_visit_has_day_provider_words_place_and_charge(books: Books) -> None:
    account, _ = settled(books)
    books.store.write(lambda s: s.add(Procedure(practice_id=books.practice.id, code="99213", language="en",
                                                words="Office visit")))
    visit = make(books, account)["visits"][0]
    assert (visit["service_on"], visit["provider"], visit["place_code"]) == ("2026-09-14", "Priya Raman MD", "11")
    assert [(line["words"], line["charge_minor"]) for line in visit["lines"]] == [("Office visit", 15000), ("", 4000)]
    assert visit["charge_minor"] == 19000


def test_each_visit_says_what_the_payer_paid_and_took_off_and_why_the_rest_is_owed(books: Books) -> None:
    account, visit_id = settled(books)
    books.pay(account, 500, visit_id)
    visit = make(books, account)["visits"][0]
    steps = {step["kind"]: (step["amount_minor"], step["payer"]) for step in visit["steps"]}
    assert steps["plan_paid"] == (-7000, BLUE) and steps["contractual"] == (-6500, BLUE)
    assert (steps["deductible"][0], steps["coinsurance"][0], steps["copay"][0]) == (3000, 1000, 1500)
    assert steps["patient_paid"][0] == -500
    assert visit["due_minor"] == 5000


def test_the_total_is_the_sum_of_its_visits(books: Books) -> None:
    account, _ = settled(books)
    content = make(books, account)
    assert content["total_minor"] == sum(v["due_minor"] for v in content["visits"]) == 5500
    assert sum(content["summary"].values()) == 5500


def test_the_next_statement_starts_from_the_last_ones_total(books: Books) -> None:
    account, visit = settled(books)
    make(books, account)
    books.pay(account, 1500, visit)
    content = make(books, account, later=20)
    assert content["previous"] == {"number": 1, "statement_on": "2026-11-03", "total_minor": 5500}
    assert content["summary"] == {"previous_minor": 5500, "new_activity_minor": 0, "payments_received_minor": -1500,
                                  "taken_off_minor": 0, "refunds_and_credit_minor": 0, "credit_used_minor": 0}
    assert content["total_minor"] == 4000


def test_a_visit_paid_since_the_last_statement_is_shown_once_more(books: Books) -> None:
    account, visit = settled(books)
    make(books, account)
    books.pay(account, 5500, visit)
    assert [v["due_minor"] for v in make(books, account, later=5)["visits"]] == [0]
    assert make(books, account, later=10)["visits"] == []


def test_credit_on_the_account_lowers_the_total_and_is_named(books: Books) -> None:
    account, _ = settled(books)
    books.bill("C2", [("99213", 1000)], (), desk_minor=3000)
    content = make(books, account)
    assert (content["credit_minor"], content["credit_used_minor"], content["total_minor"]) == (2000, 2000, 3500)
    assert content["summary"]["credit_used_minor"] == -2000


def test_a_pending_visit_is_listed_apart_with_its_payer_and_asks_for_nothing(books: Books) -> None:
    books.bill("C1", OFFICE)
    content = make(books, books.confirm())
    assert content["total_minor"] == 0 and content["visits"] == []
    assert [(w["why"], w["payers"], w["amount_minor"]) for w in content["waiting"]] == [("pending", [BLUE], 19000)]


def test_a_held_visit_is_listed_apart_with_the_reason(books: Books) -> None:
    account, visit = settled(books)
    books.store.write(lambda s: holds.place(
        s, practice_id=books.practice.id, guarantor_id=account, kind="dispute", reason="says it is wrong",
        source="test", placed_by="biller", now=books.now, visit_id=visit))
    content = make(books, account)
    assert content["total_minor"] == 0
    assert [(w["why"], w["amount_minor"]) for w in content["waiting"]] == [("dispute", 5500)]


def test_a_confidential_visit_never_reaches_the_guarantors_page(books: Books) -> None:
    account, _ = settled(books)
    books.store.write(lambda s: s.execute(text("UPDATE visits SET confidential = :yes"), {"yes": True}))
    content = make(books, account)
    assert content["visits"] == [] and content["waiting"] == [] and content["total_minor"] == 0


def test_the_page_has_ways_to_pay_to_ask_to_get_help_and_to_stop_texts(books: Books) -> None:
    content = make(books, settled(books)[0])
    page = statement_page(content, "en")
    said = " ".join(p for s in (*page["left"], *page["right"]) for p in s["paragraphs"])
    for promise in ("reply PAY", "(212) 555-0199", "12 Maple St", "say that a charge is wrong", "itemized bill",
                    "New or different insurance", "financial assistance", "monthly payments", "Reply STOP"):
        assert promise in said, promise
    assert "collection" not in said
    assert len(page["languages"]["lines"]) >= 10


def test_self_pay_patients_read_their_estimate_rights(books: Books) -> None:
    books.bill("C1", OFFICE, ())
    page = statement_page(make(books, books.confirm()), "en")
    assert any("Good Faith Estimate" in p for s in page["right"] for p in s["paragraphs"])


def test_insured_patients_are_not_told_of_estimates(books: Books) -> None:
    assert make(books, settled(books)[0])["self_pay"] is False


def test_texas_lists_each_service_with_its_code(books: Books) -> None:
    account, _ = settled(books)
    content = make(books, account)
    assert "99213" not in str(statement_page(dict(content, visits=[_named(content)]), "en")["visits"])
    texan = dict(content, itemised_by_law=True, visits=[_named(content)])
    assert "99213" in str(statement_page(texan, "en")["visits"])


def _named(content: dict[str, Any]) -> dict[str, Any]:
    visit = dict(content["visits"][0])
    visit["lines"] = [dict(line, words="Office visit") for line in visit["lines"]]
    return visit


@pytest.mark.parametrize(("days", "name"), [(0, "0-30"), (30, "0-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"),
                                            (90, "61-90"), (91, "91-120"), (120, "91-120"), (121, "121+"),
                                            (900, "121+")])
def test_aging_buckets_include_their_last_day(days: int, name: str) -> None:
    assert bucket(days) == name
    owed = aging([(STATEMENT_DAY - timedelta(days=days), 700)], STATEMENT_DAY)
    assert [b["bucket"] for b in owed if b["amount_minor"]] == [name]


def test_credit_takes_off_the_oldest_amounts_first() -> None:
    old, new = STATEMENT_DAY - timedelta(days=100), STATEMENT_DAY
    assert [b["amount_minor"] for b in aging([(new, 500), (old, 300)], STATEMENT_DAY, 400)] == [400, 0, 0, 0, 0]


def test_age_counts_from_the_first_statement_that_asked(books: Books) -> None:
    account, _ = settled(books)
    make(books, account)
    later = make(books, account, later=31)
    assert [b["amount_minor"] for b in later["aging"]] == [0, 5500, 0, 0, 0]


def test_numbers_are_gapless_also_after_a_refusal(books: Books) -> None:
    account, _ = settled(books)
    first = make(books, account)["number"]

    def fail(session: Session) -> None:
        statements.make(session, account, "en", books.now)
        raise RuntimeError("the turn failed after the statement")

    with pytest.raises(RuntimeError):
        books.store.write(fail)
    assert (first, make(books, account)["number"]) == (1, 2)


def test_a_snapshot_does_not_change_when_the_ledger_moves(books: Books) -> None:
    account, visit = settled(books)
    made = books.store.write(lambda s: statements.make(s, account, "en", books.now).id)
    before = books.store.read(lambda s: statements.view(s, made))
    books.pay(account, 5500, visit)
    assert books.store.read(lambda s: statements.view(s, made)) == before


def test_a_mismatch_refuses_the_statement_and_names_the_visit(books: Books) -> None:
    account, visit = settled(books)
    books.store.write(lambda s: s.execute(text("DELETE FROM remittance_adjustments")))
    with pytest.raises(StatementRefused) as refused:
        make(books, account)
    assert (refused.value.code, refused.value.visit_ids) == ("explain_mismatch", (visit,))
    assert books.store.read(lambda s: s.scalar(select(func.count()).select_from(Statement))) == 0


def test_an_unconfirmed_guarantor_gets_no_statement(books: Books) -> None:
    books.bill("C1", OFFICE)
    account = books.store.read(lambda s: s.scalar(select(Visit.guarantor_id)))
    with pytest.raises(StatementRefused) as refused:
        make(books, str(account))
    assert refused.value.code == "unconfirmed"


def estimate(books: Books, amount_minor: int, provider: str = "Priya Raman MD") -> None:
    hashed = blind("account", books.practice.id, normal_account("C1"))
    books.store.write(lambda s: s.add(Estimate(
        id=new_id("est"), practice_id=books.practice.id, visit_external_hash=hashed, provider=provider,
        amount_minor=amount_minor, given_on=date(2026, 9, 1), created_at=books.now)))


@pytest.mark.parametrize(("estimated", "held"), [(20000, True), (20001, False), (19999, True)])
def test_exactly_400_dollars_above_the_estimate_holds_the_bill(books: Books, estimated: int, held: bool) -> None:
    """T-41: $400.00 qualifies, $399.99 does not."""
    visit = books.bill("C1", [("99213", 60000)], ())
    account = books.confirm()
    estimate(books, estimated)
    content = make(books, account)
    kinds = books.store.read(lambda s: [h.kind for h in s.scalars(select(Hold).where(Hold.visit_id == visit))])
    assert kinds == (["gfe_exceeded"] if held else [])
    assert content["total_minor"] == (0 if held else 60000)
    assert [e["over_minor"] for e in content["estimates_exceeded"]] == ([60000 - estimated] if held else [])


def test_one_providers_bill_is_never_compared_with_anothers_estimate(books: Books) -> None:
    visit = books.bill("C1", [("99213", 60000)], ())
    books.confirm()
    estimate(books, 1000, "Somebody Else MD")
    assert books.store.write(lambda s: check_estimates(s, visit, books.now)) is None


def test_an_insured_visit_has_no_estimate_hold(books: Books) -> None:
    visit = books.bill("C1", [("99213", 60000)])
    books.confirm()
    estimate(books, 1000)
    assert books.store.write(lambda s: check_estimates(s, visit, books.now)) is None


def test_the_itemised_bill_has_codes_units_charges_and_the_payers_amounts(books: Books) -> None:
    _, visit = settled(books)
    bill = books.store.read(lambda s: statements.itemised(s, visit, "en", STATEMENT_DAY))
    assert [(line["code"], line["units"], line["charge_minor"], line["paid_minor"], line["reduced_minor"],
             line["patient_minor"]) for line in bill["lines"]] == [
        ("99213", "1", 15000, 6000, 5000, 4000), ("J3420", "1", 4000, 1000, 1500, 1500)]
    assert bill["practice"]["tax_id"] == "12-3456789"


def test_a_confidential_visit_has_no_itemised_bill_by_link(books: Books) -> None:
    _, visit = settled(books)
    books.store.write(lambda s: s.execute(text("UPDATE visits SET confidential = :yes"), {"yes": True}))
    with pytest.raises(StatementRefused) as refused:
        books.store.read(lambda s: statements.itemised(s, visit, "en", STATEMENT_DAY))
    assert refused.value.code == "confidential"


def test_the_short_text_says_total_visit_and_where_to_ask(books: Books) -> None:
    content = make(books, settled(books)[0], "es")
    said = short_text(content)
    assert "$55.00" in said and "14 de septiembre de 2026" in said and "(212) 555-0199" in said
