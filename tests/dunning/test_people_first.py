"""What waits for a person before a patient hears of it: first looks, the bill's own check, addresses to be found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import addresses, cased_holds, cases, hold_reviews, holds, ledger, self_audit
from billing.figures import account_figures
from billing.hold_kinds import KINDS
from billing.ids import new_id
from billing.store import consent_queries, dunning_queries
from billing.store.tables import Case, Coverage, Guarantor, Outbox, Patient, ServiceLine, Visit
from tests.dunning.house import ANNA, House
from tests.payments import world
from tests.payments.world import PRACTICE

START = date(2026, 11, 3)
VISIT = "visit_A1"


def only_hold(house: House) -> str:
    rows = house.do(lambda s: holds.open_holds(s, ANNA))
    assert len(rows) == 1
    return rows[0].id


def release(house: House, reason: str = "looked at") -> None:
    hold_id = only_hold(house)
    house.do(lambda s: cased_holds.release(s, PRACTICE, hold_id, by="bill", reason=reason, now=house.clock()))


def test_a_bill_that_comes_late_waits_and_its_first_words_explain_it(house: House) -> None:
    """181 days after the service; 180 would do."""
    house.account(on=START - timedelta(days=181))
    house.account("acct_eva", "A2", phone="+12125550124", on=START - timedelta(days=180))
    house.live(3, START)
    assert house.messages() == [] and house.holds() == [("first_look", "late")]
    assert [template for _, _, template, _ in house.said("acct_eva")] == ["statement_ready"]
    assert house.cases() == ["first_look"]
    release(house)
    house.live(40, START + timedelta(days=3))
    assert [template for _, _, template, _ in house.said()] == ["late_first", "reminder_first"]


def test_a_bill_that_rises_after_it_was_paid_waits_and_its_first_words_explain_it(house: House) -> None:
    house.account()
    house.live(2, START)
    house.pay(10_000)
    house.clock.advance(days=20)
    reopen(house, 2_500)
    house.live(10, START + timedelta(days=30))
    assert [template for _, _, template, _ in house.said()] == ["statement_ready"]
    assert house.holds() == [("first_look", "rose")]
    release(house)
    house.live(3, START + timedelta(days=40))
    assert [template for _, _, template, _ in house.said()] == ["statement_ready", "rose_after_paid"]
    assert house.messages()[-1].amount_minor == 2_500


def reopen(house: House, minor: int) -> None:
    """The visit's charges grow by a line."""
    now = house.clock()

    def grow(session: Session) -> None:
        session.add(ServiceLine(
            id="line_more", practice_id=PRACTICE, visit_id=VISIT, version=1, number=2, procedure_code="36415",
            modifiers="", revenue_code="", units="1", charge_minor=minor, service_on=date(2026, 10, 5),
            control_number="2", words="Blood draw", position=2, import_id="imp_1"))
        session.get_one(Visit, VISIT).charge_minor += minor
        session.flush()
        ledger.post(session, [ledger.Posting(
            PRACTICE, ledger.patient(VISIT), ledger.wide("revenue"), minor, "USD", "charge",
            house.policy.local_day(now), "csv", "charge:more", ANNA, VISIT, service_line_id="line_more")], now)

    house.do(grow)


def coverage(session: Session, visit_id: str, rank: int, name: str, filing: str = "CI",
             status: str = "answered") -> None:
    session.add(Coverage(id=new_id("cov"), practice_id=PRACTICE, visit_id=visit_id, rank=rank, payer_name=name,
                         payer_id=name.upper(), filing_code=filing, status=status, import_id="imp_1"))
    session.flush()


def another_visit(session: Session, on: date, minor: int, house: House) -> None:
    world.visit(session, "visit_other", ANNA, "A1", on, minor, house.clock())


def second_payer(session: Session, house: House) -> None:
    another_visit(session, date(2026, 9, 1), 5_000, house)
    for visit_id in (VISIT, "visit_other"):
        coverage(session, visit_id, 1, "Blue")
    coverage(session, "visit_other", 2, "Grey")


def insurance_nearby(session: Session, house: House) -> None:
    another_visit(session, date(2026, 9, 1), 5_000, house)
    coverage(session, "visit_other", 1, "Blue")


def medicaid(session: Session, house: House) -> None:
    coverage(session, VISIT, 1, "State plan", "MC")


def twin(session: Session, house: House) -> None:
    another_visit(session, date(2026, 10, 5), 10_000, house)


def same_line(session: Session, house: House) -> None:
    another_visit(session, date(2026, 10, 5), 3_000, house)
    session.get_one(ServiceLine, "line_visit_other").charge_minor = 10_000
    session.flush()


def not_the_patients(session: Session, house: House) -> None:
    ledger.post(session, [ledger.Posting(
        PRACTICE, ledger.patient(VISIT), ledger.wide("revenue"), 500, "USD", "patient_share", date(2026, 10, 20),
        "remittance", "r1", ANNA, VISIT, reason="CO-97")], house.clock())


def other_guarantor(session: Session, house: House) -> None:
    world.account(session, "acct_new", "A9", house.clock())
    session.get_one(Patient, "pat_A1").guarantor_id = "acct_new"
    session.flush()


def grown_up(session: Session, house: House) -> None:
    row = session.get_one(Patient, "pat_A1")
    row.name, row.born_on, row.born_hash = "Rivera, Leo", "2008-10-05", "other"
    session.flush()


def ancient(session: Session, house: House) -> None:
    session.get_one(Visit, VISIT).service_from_on = date(2023, 1, 5)
    session.flush()


def unexplained(session: Session, house: House) -> None:
    session.get_one(ServiceLine, f"line_{VISIT}").charge_minor = 9_000
    session.flush()


def credit(session: Session, house: House) -> None:
    """On another account that pays for the same patient."""
    world.account(session, "acct_new", "A9", house.clock())
    another_visit(session, date(2026, 8, 1), 1_000, house)
    session.get_one(Visit, "visit_other").guarantor_id = "acct_new"
    ledger.post(session, [ledger.Posting(
        PRACTICE, ledger.wide("suspense"), ledger.credit("acct_new"), 700, "USD", "to_credit", date(2026, 10, 20),
        "desk", "c1", "acct_new")], house.clock())


CAUSES: dict[str, Callable[[Session, House], None]] = {
    "secondary_unbilled": second_payer, "insurance_missing": insurance_nearby, "qmb_or_medicaid": medicaid,
    "duplicate_visit": twin, "duplicate_charge": same_line, "providers_amount": not_the_patients,
    "guarantor_changed": other_guarantor, "turned_18": grown_up, "very_old": ancient, "does_not_foot": unexplained,
    "credit_elsewhere": credit}


@pytest.mark.parametrize("check", CAUSES)
def test_each_check_finds_its_own_fault_in_a_bill_and_nothing_else_is_found_in_a_good_one(
        house: House, check: str) -> None:
    house.account()
    assert house.policy.dunning is not None
    policy = house.policy.dunning
    assert house.do(lambda s: self_audit.findings(s, ANNA, policy, START)) == ()
    house.do(lambda s: CAUSES[check](s, house))
    found = house.do(lambda s: self_audit.findings(s, ANNA, policy, START))
    assert check in {one.check for one in found}


def test_a_bill_that_fails_its_own_check_is_held_before_the_first_reminder_with_a_reason_owner_and_day(
        house: House) -> None:
    house.account()
    house.live(10, START)
    house.do(lambda s: medicaid(s, house))
    house.live(40, START + timedelta(days=10))
    assert [template for _, _, template, _ in house.said()] == ["statement_ready"]
    (entry,) = house.do(lambda s: self_audit.worklist(s, PRACTICE, house.policy.local_day(house.clock())))
    assert (entry.check, entry.owner, entry.placed_on) == ("qmb_or_medicaid", "bill", date(2026, 12, 6))
    assert "Medicaid" in entry.reason and entry.review_on is not None


def test_what_a_person_released_is_not_held_again_for_the_same_cause(house: House) -> None:
    house.account()
    house.do(lambda s: ancient(s, house))
    house.settle(dunning={"late_first_days": 5000})
    house.live(35, START)
    assert house.holds() == [("audit", "very_old")]
    release(house, "no limit in our state")
    house.live(30, START + timedelta(days=35))
    assert [template for _, _, template, _ in house.said()] == ["statement_ready", "reminder_first",
                                                               "reminder_second"]


def keep(house: House, hold_id: str, days: int) -> None:
    now = house.clock()
    house.do(lambda s: hold_reviews.keep(s, PRACTICE, hold_id, days=days, by="bill",
                                         today=house.policy.local_day(now), now=now))


def open_cases(house: House) -> list[str]:
    return house.do(lambda s: list(s.scalars(select(Case.kind).where(Case.status != "closed").order_by(Case.number))))


def test_closing_the_case_ends_the_hold(house: House) -> None:
    house.account(on=START - timedelta(days=200))
    house.live(1, START)
    case = house.do(lambda s: cased_holds.case_of(s, holds.open_holds(s, ANNA)[0]))
    assert case is not None
    house.do(lambda s: cases.close(s, PRACTICE, case.id, by="bill", resolution="all right", now=house.clock()))
    assert house.holds() == []


def test_a_hold_whose_day_has_come_asks_for_a_person_and_does_not_lapse(house: House) -> None:
    house.account(on=START - timedelta(days=200))
    house.live(120, START)
    assert house.messages() == [] and house.holds() == [("first_look", "late")]
    assert house.cases() == ["first_look", "hold_review"]
    hold_id = only_hold(house)
    keep(house, hold_id, 30)
    assert house.do(lambda s: holds.review_due(s, PRACTICE, house.policy.local_day(house.clock()))) == []
    assert open_cases(house) == ["first_look"], "the review is done, and the hold stands"
    assert house.holds() == [("first_look", "late")]


def test_a_hold_that_was_kept_asks_again_on_its_new_day_and_not_before(house: House) -> None:
    house.account(on=START - timedelta(days=200))
    house.live(120, START)
    keep(house, only_hold(house), 30)
    today = house.policy.local_day(house.clock())
    house.live(28, today + timedelta(days=1))
    assert open_cases(house) == ["first_look"]
    house.live(3, today + timedelta(days=29))
    assert open_cases(house) == ["first_look", "hold_review"]


def test_a_practice_that_reminds_nobody_reviews_its_holds_as_well_once_a_day(house: House) -> None:
    house.settle(dunning=None)
    house.account()
    house.at(START, 12, 5)
    hold_id = house.do(lambda s: holds.place(
        s, practice_id=PRACTICE, guarantor_id=ANNA, kind="dispute", reason="asked about the bill", source="desk",
        placed_by="bill", now=house.clock())).id
    keep(house, hold_id, 3)
    for days in (2, 3):
        house.at(START + timedelta(days=days), 12, 5)
        house.tick()
        house.tick()
        assert house.cases() == (["hold_review"] if days == 3 else [])
    assert house.messages() == []
    assert [one.kind for one in house.do(lambda s: holds.open_holds(s, ANNA))] == ["dispute"]


def test_every_kind_of_hold_that_this_needs_stops_the_whole_account() -> None:
    assert {KINDS[kind].stops_demand for kind in ("audit", "first_look", "address")} == {"account"}


def test_mail_that_came_back_opens_a_search_and_no_step_counts_from_it(house: House) -> None:
    house.account(phone="")
    house.live(12, START)
    letter = house.messages()[-1]
    noted = house.do(lambda s: addresses.note_returned(s, PRACTICE, letter.id, by="bill", on=date(2026, 11, 15),
                                                       now=house.clock()))
    again = house.do(lambda s: addresses.note_returned(s, PRACTICE, letter.id, by="bill", on=date(2026, 11, 15),
                                                       now=house.clock()))
    assert again.id == noted.id and noted.kind == "returned_mail"
    house.live(60, START + timedelta(days=12))
    assert len(house.messages()) == 1 and house.holds() == [("address", ANNA)]
    assert house.cases()[0] == "address"
    house.do(lambda s: setattr(s.get_one(Guarantor, ANNA), "address", "2 Oak St, New York, NY 10001"))
    release(house, "found by phone")
    house.live(40, START + timedelta(days=72))
    assert [(day, template) for day, _, template, _ in house.said()] == [
        ("2026-11-03", "letter_statement_ready"), ("2027-01-14", "letter_statement_ready"),
        ("2027-02-16", "letter_reminder_first")]


def test_mail_that_came_back_where_texts_arrive_goes_on_by_text_and_a_person_looks_for_the_address(
        house: House) -> None:
    house.account()
    house.live(5, START)
    guarantor = house.do(lambda s: s.get_one(Guarantor, ANNA))
    house.do(lambda s: addresses.note_mail_of(s, guarantor, by="bill", on=START, now=house.clock()))
    house.live(40, START + timedelta(days=5))
    assert house.holds() == [] and house.cases() == ["address_finding"]


def test_a_text_that_did_not_arrive_is_followed_by_a_letter_and_the_clock_begins_with_that(house: House) -> None:
    house.account()
    house.live(1, START)

    sent = house.messages()[0].id

    def undelivered(session: Session) -> None:
        row = session.get_one(Outbox, sent)
        row.status, row.error_code = "undelivered", "30005"
        consent_queries.set_contact_status(session, PRACTICE, row.address_hash, "unreachable")

    house.do(undelivered)
    house.live(40, START + timedelta(days=1))
    assert [(day, channel) for day, channel, *_ in house.said()] == [
        ("2026-11-03", "sms"), ("2026-11-04", "paper"), ("2026-12-07", "paper")]
    assert (house.messages()[1].passed or [])[0] == ["sms", "unreachable"]
    statements = house.do(lambda s: dunning_queries.statements_of(s, ANNA))
    assert [one.due_on for one in statements][:2] == [date(2026, 12, 3), date(2026, 12, 4)]
    assert "address_finding" in house.cases()


def test_only_a_letter_can_come_back(house: House) -> None:
    house.account()
    house.live(1, START)
    sent = house.messages()[0]
    with pytest.raises(addresses.NotMail):
        house.do(lambda s: addresses.note_returned(s, PRACTICE, sent.id, by="bill", on=START, now=house.clock()))


def test_past_due_of_each_visit_counts_from_the_first_statement_that_asked_for_it_and_arrived(house: House) -> None:
    from billing.dunning_facts import visits_past_due_from

    house.account()
    house.live(40, START)
    assert house.do(lambda s: visits_past_due_from(s, ANNA, house.policy)) == {VISIT: date(2026, 12, 3)}
    assert house.do(lambda s: account_figures(s, ANNA, START)).total.due_now_minor == 10_000
    assert house.messages()[-1].statement_id is not None
